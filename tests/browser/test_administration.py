"""What an administrator sets, watches and repeats at `/track`, in a real browser."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import BUILDING, PNG, YEAR, at, cookie, is_lost, is_sound
from tests.installation import Installation, until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

SETTLED = """
    SELECT count(*) FILTER (WHERE delivery_status = 'ENQUEUED'),
           count(*) FILTER (WHERE delivery_status = 'FAILED' AND NOT outcome_unknown)
    FROM communications c JOIN buildings b ON b.id = c.building_id
    WHERE b.code = %s AND year = %s
"""


def failures(site: Installation) -> int:
    """How many messages of the sent building failed, once nothing is queued any more; without
    those that may have arrived."""

    def settled() -> int:
        ((queued, failed),) = site.query(SETTLED, BUILDING, int(YEAR))
        return 0 if queued else int(failed)

    return int(until(settled, seconds=60, what="failures, and nothing in the queue"))


@pytest.mark.parametrize("number", ["document_code", "postal_number"])
def test_a_code_or_postal_number_from_paper_leads_to_its_unit(
    screen: Page,
    site: Installation,
    number: str,
) -> None:
    ((code, unit),) = site.query(
        f"SELECT a.{number}, u.number FROM communication_attempts a"
        " JOIN communications c ON c.id = a.communication_id JOIN units u ON u.id = c.unit_id"
        " WHERE a.postal_number <> '' ORDER BY a.id LIMIT 1"
    )
    screen.keyboard.press("d")
    screen.keyboard.type(f"{code.lower()[:5]} {code[5:]}")
    screen.keyboard.press("Enter")
    expect(screen.get_by_role("dialog")).to_contain_text(f"Unit {unit}")
    expect(screen).to_have_url(re.compile("communication="))


def test_a_code_that_no_document_bears_is_said_so(screen: Page) -> None:
    screen.get_by_label("Find a document").fill("RR 100 000 000 DE")
    screen.get_by_role("button", name="Find").click()
    expect(screen.get_by_text("No document bears this code.")).to_be_visible()


def test_all_matching_units_of_all_pages_are_resent_by_the_server_once(
    screen: Page,
    site: Installation,
) -> None:
    failed = failures(site)
    screen.reload()
    expect(screen.get_by_role("button", name="Next page")).to_be_enabled()
    screen.get_by_label("Select this page").check()
    (units,) = site.query(
        "SELECT count(DISTINCT unit_id) FROM communications c JOIN buildings b"
        " ON b.id = c.building_id WHERE b.code = %s AND year = %s AND delivery_status"
        " <> 'CANCELLED'",
        BUILDING,
        int(YEAR),
    )[0]
    screen.get_by_role("button", name=f"Select all {units} matching").click()
    expect(screen.get_by_text(f"{units} units selected")).to_be_visible()
    screen.get_by_role("button", name="Resend…").click()
    dialog = screen.get_by_role("dialog")
    confirm = dialog.get_by_role("button", name=re.compile(rf"^Resend {failed} message"))
    expect(confirm).to_be_enabled()
    # It arrives, and its answer is lost: what was confirmed is confirmed, once.
    screen.route("**/batches/*/resend", lambda route: (route.fetch(), is_lost(route)), times=1)
    confirm.click()
    expect(dialog.get_by_role("alert")).to_contain_text("nobody gets it twice")
    is_sound(screen, "bulk-refused")
    confirm.click()
    expect(dialog.get_by_role("status")).to_contain_text(
        re.compile(rf"^{failed} messages? (is|are) being resent")
    )
    confirmed = "SELECT count(*) FROM bulk_resends WHERE choice->>'channel' IS NULL"
    assert site.query(confirmed) == [(1,)]
    dialog.get_by_role("button", name="Close").last.click()
    expect(screen.get_by_text("units selected")).to_have_count(0)


def test_new_events_are_announced_and_shown_when_asked_for(
    screen: Page,
    site: Installation,
    office: str,
) -> None:
    screen.goto(at(site, office, "&tab=activity&kind=manual"))
    feed = screen.get_by_role("region", name="Activity")
    expect(feed).to_be_visible()
    ((communication,),) = site.query(
        "SELECT c.id FROM communications c JOIN buildings b ON b.id = c.building_id"
        " WHERE b.code = %s AND year = %s AND delivery_status = 'DELIVERED' LIMIT 1",
        BUILDING,
        int(YEAR),
    )
    written = screen.request.post(
        f"{office}/api/track/communications/{communication}/manual-event",
        data={"type": "HAND_DELIVERY", "note": "Announced, not pushed in"},
        headers={"X-CSRFToken": cookie(screen, "csrftoken"), "Referer": screen.url},
    )
    assert written.ok, written.text()
    screen.get_by_role("button", name="Refresh").click()
    show = feed.get_by_role("status").get_by_role("button", name=re.compile("new event"))
    expect(show).to_be_visible()
    expect(feed.get_by_text("Announced, not pushed in")).to_have_count(0)
    is_sound(screen, "activity-news")
    show.click()
    expect(feed.get_by_text("Announced, not pushed in")).to_be_visible()
    expect(show).to_have_count(0)
    assert feed.evaluate("feed => feed === document.activeElement")


@pytest.fixture
def templates(screen: Page) -> Page:
    """The page of the sent building's templates, reached as a person reaches it."""
    screen.get_by_role("button", name="Settings").click()
    screen.get_by_role("link", name="Templates and logo").click()
    expect(screen.get_by_role("heading", name="Templates and logo")).to_be_visible()
    expect(screen.get_by_label("Preview").get_by_text("Subject:")).to_be_visible()
    return screen


def test_an_unknown_variable_is_said_at_its_field_and_a_good_text_is_previewed_and_saved(
    templates: Page,
) -> None:
    preview = templates.get_by_label("Preview")
    templates.get_by_role("tab", name="German").click()
    subject = templates.get_by_label("Subject")
    is_sound(templates, "templates")
    subject.fill("Abrechnung für {{ recipent }}")
    templates.get_by_role("button", name="Save").click()
    expect(subject).to_be_focused()
    expect(subject).to_have_attribute("aria-invalid", "true")
    expect(templates.get_by_text("did you mean {{ recipient }}?")).to_be_visible()
    is_sound(templates, "templates-refused")
    subject.fill("Abrechnung für ")
    templates.get_by_role("button", name="recipient", exact=True).click()
    expect(subject).to_have_value("Abrechnung für {{ recipient }}")
    templates.get_by_role("button", name="Show my last changes").click()
    expect(preview.get_by_text(re.compile(r"^Abrechnung für \w+"))).to_be_visible()
    templates.get_by_role("button", name="Save").click()
    expect(templates.get_by_text("Saved: the next messages use these texts")).to_be_visible()
    templates.reload()
    expect(templates.get_by_label("Subject")).to_have_value("Abrechnung für {{ recipient }}")


def test_unsaved_texts_are_spoken_of_and_kept_until_they_are_thrown_away(templates: Page) -> None:
    templates.get_by_label("Telephone").fill("+49 30 123456")
    expect(templates.get_by_text("Unsaved changes")).to_be_visible()
    templates.go_back()
    expect(templates.get_by_role("table")).to_be_visible()
    expect(templates.get_by_text("have unsaved changes")).to_be_visible()
    is_sound(templates, "templates-unsaved")
    templates.get_by_role("link", name="Continue writing").click()
    expect(templates.get_by_label("Telephone")).to_have_value("+49 30 123456")
    templates.get_by_role("button", name="Discard changes").click()
    expect(templates.get_by_label("Telephone")).to_have_value("")


def test_a_logo_is_looked_at_before_it_is_used(templates: Page, tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    logo.write_bytes(PNG)
    templates.locator("input[type=file]").set_input_files(logo)
    expect(templates.get_by_alt_text("The chosen logo")).to_be_visible()
    templates.get_by_role("button", name="Use this logo").click()
    expect(templates.get_by_alt_text("The present logo")).to_be_visible()
    templates.get_by_role("button", name="Remove", exact=True).click()
    expect(templates.get_by_alt_text("The present logo")).to_have_count(0)


def test_a_change_the_server_did_not_take_is_taken_back_before_ones_eyes(
    screen: Page,
) -> None:
    screen.locator("a[data-unit]").first.click()
    drawer = screen.get_by_role("dialog")
    drawer.get_by_role("button", name="Add note").click()
    screen.route("**/notes", is_lost)
    form = screen.get_by_role("dialog").last
    form.get_by_label("Note").fill("Never arrived")
    form.get_by_role("button", name="Add note").click()
    expect(screen.get_by_text("The note was not saved").first).to_be_visible()
    expect(drawer.get_by_role("listitem").filter(has_text="Never arrived")).to_have_count(0)


STATES = {
    "units": ("&status=FAILED&sort=-unitNumber&hide=recipient", "Unit", "Failed"),
    "activity": ("&tab=activity&kind=failed", "Activity", "Failures"),
    "exports": ("&tab=exports", "Exports", "Personal data"),
    "templates": ("&view=templates&language=en&preview=LETTER", "Templates and logo", "Page 1"),
}


def test_back_reload_and_a_shared_link_bring_back_what_was_on_the_screen(
    screen: Page,
    site: Installation,
    office: str,
) -> None:
    links = {state: at(site, office, more) for state, (more, *_) in STATES.items()}

    def is_at(page: Page, state: str) -> None:
        expect(page).to_have_url(links[state])
        for words in STATES[state][1:]:
            expect(page.get_by_role("main").get_by_text(words).first).to_be_visible()

    for state, link in links.items():
        screen.goto(link)
        is_at(screen, state)
        screen.reload()
        is_at(screen, state)
    for state in reversed(list(links)[:-1]):
        screen.go_back()
        is_at(screen, state)
    colleague = screen.context.new_page()
    for state, link in links.items():
        colleague.goto(link)
        is_at(colleague, state)
    colleague.close()


def test_back_closes_the_unit_and_forward_opens_it_again(screen: Page) -> None:
    screen.get_by_role("tab", name="Activity").click()
    screen.get_by_role("region", name="Activity").get_by_role("link").first.click()
    drawer = screen.get_by_role("dialog")
    expect(drawer).to_contain_text("Timeline")
    link = screen.url
    screen.go_back()
    expect(drawer).to_have_count(0)
    screen.go_forward()
    expect(drawer).to_contain_text("Timeline")
    assert screen.url == link


def test_a_copied_link_names_building_year_unit_and_message(screen: Page, office: str) -> None:
    screen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    screen.goto(f"{office}/track")
    screen.locator("a[data-unit]").first.click()
    expect(screen).to_have_url(re.compile(r"buildingId=[\w-]+&year=\d{4}&unit="))

    def copied() -> set[str]:
        dialog = screen.get_by_role("dialog").last
        dialog.get_by_role("button", name="Copy link").click()
        expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
        return set(parse_qs(urlsplit(screen.evaluate("navigator.clipboard.readText()")).query))

    assert copied() == {"buildingId", "year", "unit", "communication"}
    screen.get_by_role("dialog").get_by_role("button", name="Preview").click()
    expect(screen.get_by_role("dialog")).to_have_count(2)
    assert copied() == {"buildingId", "year", "unit", "communication"}


def test_a_link_that_names_the_unit_alone_leads_to_its_building_and_back(
    screen: Page, site: Installation, office: str
) -> None:
    """Whichever building the reader is shown without asking."""
    before = screen.url
    units = site.query(
        "SELECT DISTINCT ON (building_id) id, building_id FROM units ORDER BY building_id, id"
    )
    assert len(units) > 1
    for unit, building in units:
        screen.goto(f"{office}/track?unit={unit}")
        expect(screen.get_by_role("dialog")).to_contain_text("Timeline")
        expect(screen).to_have_url(re.compile(f"buildingId={building}"))
        expect(screen).to_have_url(re.compile(r"year=\d{4}"))
    for _ in units:
        screen.go_back()
    expect(screen).to_have_url(before)
    screen.goto(f"{office}/track?unit={UUID(int=7)}")
    expect(screen.get_by_role("dialog")).to_contain_text("could not be loaded")
    expect(screen.get_by_role("heading", name="Loading")).to_have_count(0)


MANY_BUILDINGS = """
    INSERT INTO buildings (id, code, name, address, time_zone, unit_count, created_at)
    SELECT gen_random_uuid(), 'Z' || n, 'Zz ' || lpad(n::text, 3, '0'), '', '', 0, now()
    FROM generate_series(1, 200) AS n RETURNING id, name
"""


def test_a_building_beyond_the_first_two_hundred_is_linked_to(
    screen: Page, site: Installation, office: str
) -> None:
    try:
        building, name = max(site.query(MANY_BUILDINGS), key=lambda row: str(row[1]))
        screen.goto(f"{office}/track?buildingId={building}")
        expect(screen.get_by_role("heading", level=1)).to_contain_text(name)
    finally:
        site.query("DELETE FROM buildings WHERE name ~ '^Zz ' RETURNING id")
