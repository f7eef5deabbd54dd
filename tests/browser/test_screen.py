"""The screen at `/track` in a real browser: what an administrator does all day."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.steps import PASSWORD, PNG, at, is_sound
from tests.installation import Installation

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]


def open_failed(page: Page) -> None:
    """The drawer of the first unit whose mail failed."""
    page.get_by_role("link", name=re.compile("^Show E-mail: Failed")).click()
    expect(page).to_have_url(re.compile("status=FAILED"))
    page.locator("a[data-unit]").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("Timeline")


def test_filters_live_in_the_link_and_back_restores(screen: Page) -> None:
    is_sound(screen, "units")
    before = screen.url
    all_rows = screen.locator("tbody tr").count()
    screen.get_by_role("link", name=re.compile("^Show E-mail: Failed")).click()
    expect(screen).to_have_url(re.compile("status=FAILED"))
    expect(screen.locator("tbody tr")).not_to_have_count(all_rows)
    rows = screen.locator("tbody tr").count()
    screen.reload()
    expect(screen.locator("tbody tr")).to_have_count(rows)
    screen.go_back()
    expect(screen).to_have_url(before)
    screen.keyboard.press("/")
    screen.keyboard.type("A-01")
    expect(screen.locator("tbody tr")).to_have_count(1)
    screen.keyboard.press("Escape")
    screen.keyboard.press("j")
    screen.keyboard.press("Enter")
    expect(screen.get_by_role("dialog")).to_contain_text("Unit A-01")
    is_sound(screen, "drawer")
    screen.get_by_role("link", name="As a page").click()
    expect(screen.get_by_role("heading", name="Unit A-01")).to_be_visible()
    is_sound(screen, "unit-page")


def test_a_corrected_resend_is_delivered_before_ones_eyes(screen: Page) -> None:
    open_failed(screen)
    drawer = screen.get_by_role("dialog")
    drawer.get_by_role("button", name="Resend").click()
    form = screen.get_by_role("dialog").last
    is_sound(screen, "resend")
    form.get_by_label("E-mail address").fill("new.address@example.org")
    form.get_by_role("button", name="Resend now").click()
    expect(drawer.get_by_text("Delivered to the recipient's mailbox").first).to_be_visible(
        timeout=30_000
    )
    expect(drawer).to_contain_text("new.address@example.org")


def test_a_note_and_a_manual_mark_with_its_proof_are_kept(screen: Page) -> None:
    open_failed(screen)
    drawer = screen.get_by_role("dialog")
    drawer.get_by_role("button", name="Add note").click()
    screen.get_by_role("dialog").last.get_by_label("Note").fill("Rang the bell")
    screen.get_by_role("dialog").last.get_by_role("button", name="Add note").click()
    expect(drawer.get_by_role("listitem").filter(has_text="Rang the bell")).to_be_visible()
    expect(screen.get_by_role("dialog")).to_have_count(1)
    drawer.get_by_role("button", name="Mark as letter").click()
    form = screen.get_by_role("dialog").last
    expect(form.get_by_label("Delivered")).to_have_count(0)
    form.get_by_label("Posted").fill("2025-03-01T09:30")
    form.get_by_label("Note").fill("In the box on the corner")
    form.locator("input[type=file]").first.set_input_files(
        {"name": "receipt.png", "mimeType": "image/png", "buffer": PNG}
    )
    is_sound(screen, "manual")
    form.get_by_role("button", name="Record it").click()
    expect(drawer.get_by_text("receipt.png").first).to_be_visible()
    drawer.get_by_role("button", name="Resend").click()
    warning = screen.get_by_role("dialog").last.get_by_role("alert")
    expect(warning).to_contain_text("A person recorded a delivery: Sent as a letter by us.")


def test_a_delivery_is_recorded_with_a_photo_and_stands_in_the_evidence(
    screen: Page, tmp_path: Path
) -> None:
    screen.locator("a[data-unit]").first.click()
    drawer = screen.get_by_role("dialog")
    drawer.get_by_role("button", name="Record a delivery").click()
    form = screen.get_by_role("dialog").last
    form.get_by_label("Delivered").fill("2025-03-01T09:30")
    form.get_by_label("Witness").fill("The caretaker")
    form.locator("input[type=file]").first.set_input_files(
        {"name": "door.png", "mimeType": "image/png", "buffer": PNG}
    )
    is_sound(screen, "delivery-record")
    form.get_by_role("button", name="Record it").click()
    section = drawer.get_by_role("region", name=re.compile("^How the bill"))
    expect(section).to_contain_text("The caretaker")
    expect(section.locator("img")).to_have_js_property("complete", True)
    assert section.locator("img").evaluate("image => image.naturalWidth") > 0
    is_sound(screen, "delivery-recorded")
    with screen.expect_download() as download:
        drawer.get_by_role("link", name="Download the evidence").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        archive.extractall(tmp_path)
    command = [sys.executable, "-I", str(tmp_path / "verify.py")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "door.png is the file that an event names" in done.stdout


def test_many_are_resent_after_a_dry_run_that_names_the_number(screen: Page) -> None:
    screen.get_by_role("link", name=re.compile("^Show E-mail: Failed")).click()
    expect(screen).to_have_url(re.compile("status=FAILED"))
    screen.get_by_label("Select this page").check()
    screen.get_by_role("button", name="Resend…").click()
    dialog = screen.get_by_role("dialog")
    confirm = dialog.get_by_role("button", name=re.compile(r"^Resend \d+ message"))
    expect(confirm).to_be_enabled()
    is_sound(screen, "bulk")
    confirm.click()
    expect(dialog.get_by_role("status")).to_contain_text("being resent")
    dialog.get_by_role("button", name="Close").last.click()


def test_letters_are_printed_and_posted(screen: Page) -> None:
    screen.get_by_role("button", name="Print…").click()
    dialog = screen.get_by_role("dialog")
    dialog.get_by_role("button", name="Make print run").click()
    expect(dialog.get_by_role("link", name=re.compile("^Letters"))).to_be_visible(timeout=60_000)
    is_sound(screen, "print")
    dialog.get_by_role("button", name="Mark as posted").click()
    expect(dialog.get_by_text("posted on")).to_be_visible()


def test_an_export_is_written_and_fetched(screen: Page) -> None:
    screen.get_by_role("tab", name="Exports").click()
    screen.get_by_role("button", name="New export…").click()
    is_sound(screen, "export-dialog")
    screen.get_by_role("dialog").get_by_role("button", name="Export").click()
    link = screen.get_by_role("link", name=re.compile("^Download")).first
    expect(link).to_be_visible(timeout=30_000)
    is_sound(screen, "exports")
    with screen.expect_download() as download:
        link.click()
    assert download.value.path().read_text("utf-8-sig").startswith("building,unitNumber,channel")


def test_a_file_with_errors_is_refused_by_row_and_a_good_one_imported(
    screen: Page, tmp_path: Path
) -> None:
    heading = "building,building_name,year,unit,recipient,email,channels"
    bad = tmp_path / "bad.csv"
    bad.write_text(f"{heading}\nNEW,New House,2025,1,Ina,nobody,EMAIL\n", encoding="utf-8")
    good = tmp_path / "good.csv"
    good.write_text(f"{heading}\nNEW,New House,2025,1,Ina,ina@example.org,EMAIL\n", "utf-8")
    screen.get_by_role("button", name="Import").click()
    dialog = screen.get_by_role("dialog")
    is_sound(screen, "import")
    dialog.locator("input[type=file]").set_input_files(bad)
    expect(dialog.get_by_role("row").nth(1)).to_contain_text("email")
    is_sound(screen, "import-errors")
    dialog.get_by_role("button", name="Choose another file").click()
    dialog.locator("input[type=file]").set_input_files(good)
    dialog.get_by_role("button", name="Import 1 bill").click()
    expect(dialog).to_contain_text("Imported")


def test_sending_shows_real_messages_first_and_names_the_number(
    screen: Page, site: Installation, office: str
) -> None:
    ((building, year),) = site.query(
        "SELECT building_id::text, year FROM communications WHERE delivery_status = 'PENDING'"
        " ORDER BY year DESC LIMIT 1"
    )
    screen.goto(f"{office}/track?buildingId={building}&year={year}")
    screen.get_by_role("button", name="Send…").click()
    dialog = screen.get_by_role("dialog")
    expect(dialog.get_by_text("What they look like")).to_be_visible()
    expect(dialog.get_by_text(re.compile("^To: "))).to_be_visible()
    is_sound(screen, "send")
    dialog.get_by_role("button", name=re.compile(r"^Send \d+ message")).click()
    expect(screen.get_by_text(re.compile("Sending")).first).to_be_visible()


def test_a_letter_is_shown_without_the_browsers_viewer(screen: Page) -> None:
    screen.get_by_role("link", name=re.compile("^Show all: Letter")).click()
    screen.locator("a[data-unit]").first.click()
    drawer = screen.get_by_role("dialog")
    drawer.get_by_role("link", name=re.compile("Letter")).first.click()
    drawer.get_by_role("button", name="Preview").click()
    expect(screen.locator("canvas").first).to_be_visible(timeout=30_000)
    expect(screen.get_by_text(re.compile("Page 1 of"))).to_be_visible()
    is_sound(screen, "letter")


def test_activity_is_grouped_by_day(screen: Page) -> None:
    screen.get_by_role("tab", name="Activity").click()
    expect(screen.get_by_role("heading", name="Today")).to_be_visible()
    is_sound(screen, "activity")


def test_a_phone_speaks_german_in_the_dark(
    chromium: Browser, office: str, site: Installation
) -> None:
    context = chromium.new_context(
        locale="de-DE", color_scheme="dark", viewport={"width": 390, "height": 844}
    )
    page = context.new_page()
    page.goto(f"{office}/accounts/login/")
    page.locator("[name=login]").fill("olga")
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/track*")
    page.goto(at(site, office))
    expect(page.get_by_role("tab", name="Einheiten")).to_be_visible()
    page.locator("a[data-unit]").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("Verlauf")
    is_sound(page, "phone-german")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
