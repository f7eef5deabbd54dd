"""What the tests of the browser do again and again: sign in, go to the sent building, look."""

import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route

from tests.installation import Installation

SHOTS = os.environ.get("SCREENSHOTS")
"""A folder to leave pictures in, for whoever wants to look; not needed by any test."""

PASSWORD = "correct horse battery"
BUILDING, YEAR = "BER-LINDENHOF", "2024"
"""What the fixture `office` has sent."""

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00"
    b"\x90wS\xde\x00\x00\x00\x0cIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\r\xefF\xb8\x00\x00"
    b"\x00\x00IEND\xaeB`\x82"
)
IN_COLOURS = """
    async (scheme) => {
        document.documentElement.dataset.mantineColorScheme = scheme;
        const frame = () => new Promise((done) => requestAnimationFrame(done));
        await frame();
        await frame();
        const passing = document
            .getAnimations()
            .filter((one) => one.effect.getTiming().iterations !== Infinity);
        await Promise.all(passing.map((one) => one.finished.catch(() => {})));
    }
"""
"""Light or dark, as Mantine switches it; colours fade over, and what is measured half-way is
neither."""


def sign_in(page: Page, url: str, name: str, password: str = PASSWORD) -> None:
    """Fill in the form and press its button; the caller waits for what comes."""
    page.goto(f"{url}/accounts/login/")
    page.get_by_label("User name or e-mail").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def at(site: Installation, office: str, more: str = "") -> str:
    """The address of the sent building and year."""
    ((building,),) = site.query("SELECT id FROM buildings WHERE code = %s", BUILDING)
    return f"{office}/track?buildingId={building}&year={YEAR}{more}"


def cookie(page: Page, name: str) -> str:
    """A cookie of the page's window."""
    return next(str(one["value"]) for one in page.context.cookies() if one.get("name") == name)


def is_lost(route: Route) -> None:
    """A request that never arrives."""
    route.abort("connectionreset")


RULES: dict[str, dict[str, list[str]]] = {
    "light": {"resultTypes": ["violations"]},
    "dark": {
        "resultTypes": ["violations"],
        "runOnly": ["color-contrast", "link-in-text-block"],
    },
}
"""What axe looks at: everything once, then what only the colours can break."""


def is_sound(page: Page, name: str) -> None:
    """No serious finding of axe at `/track`, in light and in dark."""
    before = page.evaluate("document.documentElement.dataset.mantineColorScheme")
    for scheme in ("light", "dark"):
        page.evaluate(IN_COLOURS, scheme)
        _picture(page, f"{name}-{scheme}")
        # A colour that is still fading is no finding; one that stays is.
        for _ in range(8):
            findings = [
                f"{one['id']} {[node['target'] for node in one['nodes']][:3]}"
                for one in Axe().run(page, _part(page), RULES[scheme]).response["violations"]
                if one["impact"] in ("serious", "critical")
            ]
            if not findings:
                break
            page.wait_for_timeout(500)
        assert not findings, f"{name}, {scheme}: {findings}"
    page.evaluate(IN_COLOURS, before)


def is_accessible(page: Page, name: str) -> None:
    """No finding of axe at all on a page that the server wrote, in light and in dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        _picture(page, f"{name}-{scheme}")
        result = Axe().run(page, options=RULES[scheme])
        assert result.violations_count == 0, f"{name}, {scheme}: {result.generate_report()}"
    page.emulate_media(color_scheme="light")


def _part(page: Page) -> dict[str, list[list[str]]]:
    """What axe looks at: the dialog, else the page; of a long table the first rows.

    Behind a dialog nothing can be reached, and axe weighs each text against all that lies under
    it: with fifty rows under a drawer that takes longer than the test.
    """
    if page.get_by_role("dialog").count():
        return {"include": [["[role=dialog]"]]}
    return {"include": [["html"]], "exclude": [["tbody tr:nth-child(n + 13)"]]}


def _picture(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png")
