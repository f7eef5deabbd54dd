"""A real Chromium, and the whole installation behind it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.installation import Installation, installation
from tools.chromium import FLAGS, VARIABLE

SHOTS = os.environ.get("SCREENSHOTS")
"""A folder to leave pictures in, for whoever wants to look; not needed by any test."""

# Web server, worker, sandbox and browser share the machine's cores with the other tests.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def site() -> Iterator[Installation]:
    """An installation without data, to be served by `served`."""
    with installation() as place:
        yield place


@pytest.fixture(scope="module")
def served(site: Installation) -> Iterator[str]:
    """The address of the running web server."""
    with site.serving() as url:
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


def is_accessible(page: Page, name: str) -> None:
    """No finding of axe, in light and in dark; leaves pictures for who asked for them."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name}-{scheme}.png", full_page=True)
        result = Axe().run(page)
        assert result.violations_count == 0, f"{name}, {scheme}: {result.generate_report()}"
    page.emulate_media(color_scheme="light")
