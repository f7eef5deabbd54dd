"""A real Chromium, and one whole installation behind it for every file of this folder.

The installation stands as long as the tests run, for starting it takes half a minute;
`tests/conftest.py` sees to it that the files of this folder follow each other in one process.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.steps import BUILDING, PASSWORD, YEAR, at, sign_in
from tests.installation import Installation, free_port, installation, until
from tools.chromium import FLAGS, VARIABLE
from trackcenter.config.environment import PREFIX

# Web server, worker, sandbox and browser share the machine's cores with the other tests.
expect.set_options(timeout=20_000)

SAMPLE = Path("src/trackcenter/imports/sample/billing.csv").resolve()
LEFT_AND_FAILED = """
    SELECT coalesce(bool_or(ready_to_print), false),
           count(*) FILTER (WHERE channel = 'EMAIL' AND delivery_status = 'FAILED') >= 3
    FROM communications c JOIN buildings b ON b.id = c.building_id
    WHERE b.code = %s AND year = %s
"""
REFUSED = re.compile(r"Failed to load resource: .*(status of 4|CONNECTION_RESET)")


@pytest.fixture(scope="session")
def site() -> Iterator[Installation]:
    """An installation without data."""
    with installation() as place:
        yield place


@pytest.fixture(scope="session")
def office(site: Installation) -> Iterator[str]:
    """Server and worker; the sample file imported, one building and year sent."""
    site.run("import", str(SAMPLE))
    port = free_port()
    site.environment[f"{PREFIX}S10_RANGE"] = "RR100000000-RR199999999DE"
    site.environment[f"{PREFIX}PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    site.make_admin("olga", PASSWORD)
    with site.serving(port) as url, site.running("worker"):
        site.run("subscriptions", "ensure")
        site.run("send", "--building", BUILDING, "--year", YEAR)
        until(
            lambda: site.query(LEFT_AND_FAILED, BUILDING, int(YEAR)) == [(True, True)],
            seconds=100,
            what="letters to lie ready and mails to come back",
        )
        yield url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    # Not the plugin's fixture: its event loop would outlive this module and stop Django's tests.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ[VARIABLE], args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Page]:
    """A fresh browser window that speaks English; no page may break a rule or throw."""
    context = chromium.new_context(locale="en-GB", viewport={"width": 1280, "height": 860})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if "Content Security" in said.text else None,
    )
    yield page
    context.close()
    assert not complaints, complaints


@pytest.fixture(scope="session")
def signed_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first window leaves its cookies, so that the next ones need not sign in."""
    return tmp_path_factory.mktemp("browser") / "olga.json"


@pytest.fixture
def screen(chromium: Browser, office: str, site: Installation, signed_in: Path) -> Iterator[Page]:
    """The signed-in screen on the sent building; nothing may complain or leave the machine."""
    context = chromium.new_context(
        locale="en-GB",
        viewport={"width": 1440, "height": 900},
        reduced_motion="reduce",
        storage_state=signed_in if signed_in.exists() else None,
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    # A refused request is the browser's own line; the tests that provoke one say what they expect.
    page.on(
        "console",
        lambda said: (
            complaints.append(said.text)
            if said.type == "error" and not REFUSED.search(said.text)
            else None
        ),
    )
    page.on(
        "request",
        lambda asked: (
            complaints.append(f"left the machine: {asked.url}")
            if not asked.url.startswith((office, "data:", "blob:"))
            else None
        ),
    )
    if not signed_in.exists():
        sign_in(page, office, "olga")
        page.wait_for_url("**/track*")
        context.storage_state(path=signed_in)
    page.goto(at(site, office))
    expect(page.get_by_role("table")).to_be_visible()
    yield page
    context.close()
    assert not complaints, complaints
