"""What needs a person at `/track`, in a real browser, and what somebody sees who may only look."""

import json
import re
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.steps import (
    BUILDING,
    PASSWORD,
    PNG,
    YEAR,
    at,
    cookie,
    is_lost,
    is_sound,
    sign_in,
)
from tests.installation import MAILBOX, SECRET, Installation, until
from tests.receipts.pushes import sms_report

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

JSON = {"Content-Type": "application/json"}
FIRST = """
    SELECT c.id::text, u.number, a.internet_message_id, c.provider_message_id
    FROM communications c
    JOIN buildings b ON b.id = c.building_id JOIN units u ON u.id = c.unit_id
    JOIN communication_attempts a ON a.communication_id = c.id AND a.number = c.newest_attempt
    WHERE b.code = %s AND c.year = %s AND c.channel = %s AND c.delivery_status = %s
      AND c.newest_attempt = 1 AND NOT c.contradictory
    ORDER BY u.number LIMIT 1
"""
STORE_A_POLL = """
import sys
from trackcenter.cli.start import application
with application():
    from trackcenter.receipts.store import SMS_POLL, Arrival, as_body, store
    said = {"messageId": sys.argv[1], "deliveryStatus": "Failed", "deliveryStatusDetails": "4007"}
    assert store([Arrival(SMS_POLL, (sys.argv[1], "failed"), as_body(said))])
"""
MAKE_A_VIEWER = """
import sys
from trackcenter.cli.start import application
with application():
    from trackcenter.access.models import Role
    from trackcenter.access.services import create_user
    create_user("vera", role=Role.VIEWER, password=sys.argv[1], buildings=[sys.argv[2]])
"""
DEAD = """
    WITH dead AS (
        INSERT INTO procrastinate_jobs (queue_name, task_name, status, attempts, args)
        VALUES ('email', 'deliver', 'failed', 1,
                jsonb_build_object('communicationId', %s::text, 'channel', 'EMAIL')) RETURNING id)
    INSERT INTO job_failures (job_id, reason) SELECT id, %s::text FROM dead RETURNING job_id
"""
WRITING = re.compile(
    "^(Import|Resend|Mark as|Add note|Record|Place a|Lift|Change|Send|Ask the|Count as|It came)"
)


class Sent(NamedTuple):
    """A message of the sent building, and the ids that it is known by outside."""

    id: str
    unit: str
    internet_message_id: str
    provider_message_id: str


def first(site: Installation, channel: str, status: str) -> Sent:
    """The first message of the channel that stands so after its first attempt."""
    rows = until(
        lambda: site.query(FIRST, BUILDING, int(YEAR), channel, status),
        seconds=60,
        what=f"{channel} that is {status}",
    )
    return Sent(*rows[0])


def becomes(site: Installation, one: Sent, condition: str) -> None:
    """Wait until a message's row says so."""
    sql = f"SELECT 1 FROM communications WHERE id = %s AND {condition}"
    until(lambda: site.query(sql, one.id), seconds=60, what=condition)


def run(site: Installation, program: str, *arguments: str) -> None:
    """A few lines of Python on the installation, in a process of their own."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=site.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def send(method: str, url: str, body: bytes) -> None:
    """A request as a provider makes it, or to the sandbox."""
    asked = urllib.request.Request(url, method=method, data=body, headers=JSON)  # noqa: S310 - loopback
    with urllib.request.urlopen(asked, timeout=20) as answer:  # noqa: S310 - loopback
        assert answer.status < 300


@pytest.fixture
def lost(screen: Page, site: Installation, office: str) -> Sent:
    """A text message whose answer was lost, and longer ago than Azure remembers it."""
    one = first(site, "SMS", "SENT")
    faults = f"{site.sandbox.url}/faults"
    send("PUT", faults, json.dumps({"lostReply": 1}).encode())
    asked = screen.request.post(
        f"{office}/api/track/communications/{one.id}/resend",
        data={"note": "Asked for it again"},
        headers={"X-CSRFToken": cookie(screen, "csrftoken"), "Referer": screen.url},
    )
    assert asked.ok, asked.text()
    until(
        lambda: site.query(
            # Four minutes are long for a test: the first call was made that long ago.
            "UPDATE communication_attempts SET first_sent_at = first_sent_at - interval '5 minutes'"
            " WHERE communication_id = %s AND number = 2 AND next_try_at IS NOT NULL"
            " AND send_started_at IS NOT NULL RETURNING 1",
            one.id,
        ),
        seconds=60,
        what="the lost answer",
    )
    becomes(site, one, "outcome_unknown")
    send("PUT", faults, b"{}")
    return one


def to_do(page: Page) -> None:
    """The page of what needs a person, reached by its key."""
    page.keyboard.press("t")
    expect(page.get_by_role("heading", name="What needs a person")).to_be_visible()


def row_of(page: Page, unit: str) -> Any:
    """A unit's row of the table."""
    return page.get_by_role("row").filter(has=page.get_by_text(unit, exact=True))


def test_an_unknown_outcome_is_shown_as_such_asked_about_and_decided(
    screen: Page,
    site: Installation,
    lost: Sent,
) -> None:
    screen.reload()
    expect(row_of(screen, lost.unit).get_by_text("Not known")).to_be_visible()
    expect(screen.get_by_role("link", name=re.compile(r"^To do: \d"))).to_be_visible()
    to_do(screen)
    listed = screen.get_by_role("region", name="Nobody knows whether these were sent")
    expect(listed.get_by_role("listitem")).to_have_count(1)
    is_sound(screen, "work-unknown")
    listed.get_by_role("link", name=f"Unit {lost.unit},").click()
    expect(screen.get_by_role("dialog")).to_contain_text("Nobody knows whether this was sent")
    screen.go_back()
    expect(screen.get_by_role("dialog")).to_have_count(0)
    listed.get_by_role("button", name="Ask the provider again").click()
    expect(screen.get_by_text("The provider is being asked again")).to_be_visible()
    # Azure has forgotten it: the question comes back to the person.
    answers = "SELECT 1 FROM communication_events WHERE communication_id = %s AND type = 'FAILED'"
    until(
        lambda: len(site.query(answers, lost.id)) == 2,
        seconds=60,
        what="the provider's second answer",
    )
    screen.reload()
    listed.get_by_role("button", name="Count as sent").click()
    expect(listed.get_by_role("button", name="Count as sent")).to_be_disabled()
    listed.get_by_label("How do you know").fill("She showed it on her phone")
    is_sound(screen, "work-vouching")
    listed.get_by_role("button", name="Count as sent").click()
    expect(screen.get_by_text("Counted as sent", exact=True)).to_be_visible()
    expect(listed).to_have_count(0)


def test_a_possible_bounce_is_read_and_decided_by_a_person(
    screen: Page,
    site: Installation,
) -> None:
    one = first(site, "EMAIL", "DELIVERED")
    bounce = (
        f"From: MAILER-DAEMON@mx.example.net\r\nTo: {MAILBOX}\r\nSubject: failure notice\r\n"
        f"Message-ID: <{uuid.uuid4()}@mx.example.net>\r\n\r\n"
        "Hi. This is the qmail-send program.\r\n"
        "I could not deliver it: 550 5.1.1 user unknown\r\n\r\n"
        "--- Below this line is a copy of the message.\r\n"
        f"Message-ID: {one.internet_message_id}\r\n"
    )
    send("POST", f"{site.sandbox.url}/inbound?mailbox={MAILBOX}", bounce.encode())
    until(lambda: site.query("SELECT 1 FROM receipt_suggestions"), seconds=60, what="a suggestion")
    to_do(screen)
    screen.reload()
    listed = screen.get_by_role("region", name="May have come back")
    expect(listed).to_contain_text("user unknown")
    is_sound(screen, "work-suggestion")
    listed.get_by_role("button", name="It came back").click()
    expect(screen.get_by_text("Recorded as failed")).to_be_visible()
    expect(listed).to_have_count(0)
    screen.get_by_role("link", name="Back to the list").click()
    expect(row_of(screen, one.unit).get_by_text("Failed").first).to_be_visible()


def test_contradictory_reports_stand_in_plain_words_until_a_person_says_what_is_true(
    screen: Page,
    site: Installation,
    office: str,
) -> None:
    one = first(site, "SMS", "SENT")
    report = sms_report(one.provider_message_id, id="contradicted")
    hook = f"{office}/api/track/providers/msgraph/sms?code={SECRET}"
    send("POST", hook, json.dumps([report]).encode())
    becomes(site, one, "delivery_status = 'DELIVERED'")
    run(site, STORE_A_POLL, one.provider_message_id)
    becomes(site, one, "contradictory")
    screen.reload()
    row_of(screen, one.unit).get_by_text("Reports differ").click()
    drawer = screen.get_by_role("dialog")
    expect(drawer.get_by_text("The reports contradict each other")).to_be_visible()
    expect(drawer.get_by_text("The recipient has opted out of text messages").first).to_be_visible()
    expect(drawer.get_by_text("ask the recipient to text START").first).to_be_visible()
    is_sound(screen, "contradictory")
    screen.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    to_do(screen)
    listed = screen.get_by_role("region", name="Reports that contradict each other")
    listed.get_by_role("button", name="Record what is true").click()
    form = screen.get_by_role("dialog")
    form.get_by_label("Witness").fill("The caretaker")
    form.get_by_label("Note").fill("She read it to me")
    is_sound(screen, "work-settle")
    form.get_by_role("button", name="Record it").click()
    expect(screen.get_by_text("Recorded", exact=True)).to_be_visible()
    expect(listed).to_have_count(0)


def test_lists_that_cannot_be_loaded_say_so_and_try_again(
    chromium: Browser,
    office: str,
) -> None:
    # A window of its own: the requests that are lost here are the browser's complaints, too.
    page = chromium.new_context(locale="en-GB", reduced_motion="reduce").new_page()
    sign_in(page, office, "olga")
    expect(page.get_by_role("table")).to_be_visible()
    page.route("**/api/track/work/*", is_lost)
    page.goto(f"{office}/track?view=work")
    main = page.get_by_role("main")
    expect(main.get_by_role("alert").first).to_be_visible(timeout=30_000)
    expect(main.get_by_text("The server did not answer.").first).to_be_visible()
    page.unroute("**/api/track/work/*")
    for _ in range(main.get_by_role("button", name="Retry").count()):
        main.get_by_role("button", name="Retry").first.click()
    expect(main.get_by_text("No decision is waiting")).to_be_visible()
    is_sound(page, "work-nothing")
    failing = main.get_by_role("listitem").filter(has_text="failed").get_by_role("link").first
    name = failing.inner_text()
    failing.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    page.context.close()


def test_a_delivery_record_is_changed_and_tells_who_changed_what(
    screen: Page,
    tmp_path: Path,
) -> None:
    screen.locator("a[data-unit]").nth(3).click()
    drawer = screen.get_by_role("dialog")
    drawer.get_by_role("button", name="Record a delivery").click()
    form = screen.get_by_role("dialog").last
    form.get_by_role("button", name="Record it").click()
    expect(form.get_by_text("Please give a day")).to_be_visible()
    form.get_by_label("Dispatched").fill("2025-03-01T09:30")
    expect(form.get_by_text("1 Mar 2025, 09:30")).to_be_visible()
    form.get_by_label("Witness").fill("The caretaker")
    form.get_by_role("button", name="Record it").click()
    section = drawer.get_by_role("region", name=re.compile("^How the bill"))
    expect(section).to_contain_text("The caretaker")
    section.get_by_role("button", name="Change the record: Handed over in person").click()
    form = screen.get_by_role("dialog").last
    expect(form.get_by_label("Dispatched")).to_have_value("2025-03-01T09:30")
    form.get_by_label("Witness").fill("")
    form.get_by_label("Delivered").fill("2025-03-02T10:00")
    for number in (1, 2):
        photo = tmp_path / f"door-{number}.png"
        photo.write_bytes(PNG)
        form.locator("input[type=file]").last.set_input_files(photo)
        expect(form.get_by_text(photo.name)).to_be_visible()
    is_sound(screen, "record-change")
    form.get_by_role("button", name="Record it").click()
    expect(section.get_by_text("door-2.png")).to_be_visible()
    section.get_by_text(re.compile(r"\d changes? since")).click()
    expect(section.locator("del").filter(has_text="The caretaker")).to_be_visible()
    expect(section.get_by_role("listitem").filter(has_text="olga").first).to_be_visible()
    is_sound(screen, "record-history")


def test_a_legal_hold_is_placed_for_a_reason_and_lifted(screen: Page) -> None:
    screen.locator("a[data-unit]").nth(4).click()
    drawer = screen.get_by_role("dialog")
    drawer.get_by_role("button", name="Place a legal hold").click()
    form = screen.get_by_role("dialog").last
    form.get_by_role("button", name="Place the hold").click()
    expect(form.get_by_text("Please fill this in")).to_be_visible()
    form.get_by_label("Reason").fill("Dispute 12 C 34/26")
    is_sound(screen, "hold")
    form.get_by_role("button", name="Place the hold").click()
    expect(screen.get_by_role("dialog")).to_have_count(1)  # the form has gone
    expect(drawer.get_by_text("Dispute 12 C 34/26")).to_be_visible()
    is_sound(screen, "held")
    drawer.get_by_role("button", name="Lift the hold").click()
    screen.get_by_role("dialog").last.get_by_role("button", name="Lift it").click()
    expect(drawer.get_by_role("button", name="Place a legal hold")).to_be_visible()
    expect(drawer.get_by_text("Dispute 12 C 34/26")).to_have_count(0)


def test_a_dead_letter_is_read_queued_again_and_discarded_for_a_reason(
    screen: Page,
    site: Installation,
    office: str,
) -> None:
    one = first(site, "EMAIL", "DELIVERED")
    ((again,),) = site.query(DEAD, one.id, "OperationalError: the connection was lost")
    ((_gone,),) = site.query(DEAD, "7", "MalformedMessage: not a SendCommunicationJob")
    ((decided,),) = site.query(DEAD, "8", "ZeroDivisionError: division by zero")
    screen.goto(at(site, office, "&tab=activity"))
    screen.get_by_text("Dead letters (3)").click()
    expect(screen.get_by_role("link", name=re.compile(r"^To do: ([3-9]|\d\d)"))).to_be_visible()
    expect(screen).to_have_url(re.compile("kind=dead"))
    letters = screen.get_by_role("region", name="Dead letters")

    def entry(words: str) -> Any:
        return letters.get_by_role("listitem").filter(has_text=words)

    lost = entry("could not be reached")
    expect(lost.get_by_role("link", name=f"Unit {one.unit},")).to_be_visible()
    lost.get_by_text("Reason and message").click()
    expect(lost).to_contain_text("OperationalError: the connection was lost")
    expect(lost).to_contain_text(f'"communicationId": "{one.id}"')
    is_sound(screen, "dead-letters")
    lost.get_by_role("button", name="Queue again").click()
    expect(screen.get_by_text("Queued again", exact=True)).to_be_visible()
    expect(lost).to_have_count(0)
    done = "SELECT 1 WHERE NOT EXISTS (SELECT FROM procrastinate_jobs WHERE id = %s)"
    until(lambda: site.query(done, again), seconds=60, what="the job, queued again, to be done")
    strange = entry("not in the form")
    strange.get_by_role("button", name="Discard").click()
    form = screen.get_by_role("dialog")
    form.get_by_role("button", name="Discard").click()
    expect(form.get_by_text("Please fill this in")).to_be_visible()
    form.get_by_label("Why may it be forgotten").fill("A test of the billing office")
    is_sound(screen, "dead-letter-discard")
    form.get_by_role("button", name="Discard").click()
    expect(screen.get_by_text("Discarded", exact=True)).to_be_visible()
    expect(strange).to_have_count(0)
    notes = "SELECT verdict, note FROM dead_letter_decisions ORDER BY id"
    assert site.query(notes) == [
        ("REQUEUED", ""),
        ("DISCARDED", "A test of the billing office"),
    ]
    # Somebody else was quicker: it is said aloud, and the list is as it is now.
    site.query("DELETE FROM procrastinate_jobs WHERE id = %s RETURNING id", decided)
    letters.get_by_role("button", name="Queue again").click()
    expect(screen.get_by_text("The decision was not accepted")).to_be_visible()
    expect(screen.get_by_text("No dead letters")).to_be_visible()
    is_sound(screen, "dead-letters-none")


@pytest.fixture
def looking(chromium: Browser, office: str, site: Installation) -> Iterator[Page]:
    """The window of somebody who may look at one building and change nothing."""
    run(site, MAKE_A_VIEWER, PASSWORD, BUILDING)
    context = chromium.new_context(
        locale="en-GB", viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    sign_in(page, office, "vera")
    page.wait_for_url("**/track*")
    page.goto(at(site, office))
    expect(page.get_by_role("table")).to_be_visible()
    yield page
    context.close()
    assert not complaints, complaints


def test_a_viewer_sees_everything_of_the_building_and_is_offered_no_change(
    looking: Page,
    lost: Sent,
) -> None:
    looking.reload()
    looking.get_by_role("link", name=f"Unit {lost.unit},").click()
    drawer = looking.get_by_role("dialog")
    expect(drawer).to_contain_text("Timeline")
    expect(drawer.get_by_role("button", name="Preview")).to_be_visible()
    expect(looking.get_by_role("button", name=WRITING)).to_have_count(0)
    is_sound(looking, "viewer-unit")
    looking.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    to_do(looking)
    listed = looking.get_by_role("region", name="Nobody knows whether these were sent")
    expect(listed.get_by_role("link", name=f"Unit {lost.unit},")).to_be_visible()
    expect(looking.get_by_role("button", name=WRITING)).to_have_count(0)
    is_sound(looking, "viewer-work")
