"""The pages for administrators in a real browser: users, tokens, the access log."""

import re
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.steps import PASSWORD, is_accessible, sign_in
from tests.installation import Installation, a_billing_file

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def office(office: str, site: Installation) -> str:
    """The server with one administrator more, Anna, and a building, B1."""
    site.run("import", str(a_billing_file(site.data, 2)))
    site.make_admin("Anna", PASSWORD)
    return office


def status(url: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{url}/api/track/buildings", headers=headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_viewer_is_made_granted_a_building_given_a_token_and_switched_off(
    office: str, site: Installation, visitor: Page, chromium: Browser
) -> None:
    sign_in(visitor, office, "Anna")
    visitor.goto(f"{office}/users/")
    visitor.get_by_role("link", name="New user").click()
    visitor.get_by_role("button", name="Create user").click()
    expect(visitor.get_by_role("alert")).to_contain_text("User name")
    is_accessible(visitor, "new-user")
    visitor.get_by_label("User name").fill("victor")
    visitor.get_by_label("E-mail").fill("victor@example.org")
    visitor.get_by_role("button", name="Create user").click()
    expect(visitor.get_by_text("The user was created.")).to_be_visible()
    password = visitor.locator(".secret code").inner_text()

    visitor.get_by_label("Building's code").fill("NOWHERE")
    visitor.get_by_role("button", name="Grant").click()
    expect(visitor.get_by_role("alert")).to_contain_text("NOWHERE")
    visitor.get_by_label("Building's code").fill("B1")
    visitor.get_by_role("button", name="Grant").click()
    expect(visitor.get_by_role("listitem")).to_contain_text("B1 House 1")

    visitor.get_by_text("New token").click()
    visitor.get_by_label("Only these buildings").fill("B1")
    visitor.get_by_role("button", name="Make token").click()
    token = visitor.locator(".secret code").inner_text()
    assert status(office, token) == 200
    is_accessible(visitor, "user")

    theirs = chromium.new_context(locale="de-DE")
    other = theirs.new_page()
    other.goto(f"{office}/accounts/login/")
    other.get_by_label("Benutzername oder E-Mail").fill("victor")
    other.get_by_label("Passwort").fill(password)
    other.get_by_role("button", name="Anmelden", exact=True).click()
    other.goto(f"{office}/account/password/")
    is_accessible(other, "password-german")
    other.get_by_label("Jetziges Passwort").fill(password)
    other.get_by_label("Neues Passwort", exact=True).fill("ganz neu und lang")
    other.get_by_label("Neues Passwort noch einmal").fill("ganz neu und lang")
    other.get_by_role("button", name="Passwort ändern").click()
    expect(other.get_by_role("status")).to_contain_text("wurde geändert")
    buildings = other.request.get(f"{office}/api/track/buildings").json()["items"]
    assert [one["code"] for one in buildings] == ["B1"]
    assert other.request.get(f"{office}/users/").status == 403

    visitor.get_by_role("button", name=re.compile("Revoke")).click()
    expect(visitor.get_by_text("The token was revoked.")).to_be_visible()
    assert status(office, token) == 401
    visitor.get_by_role("button", name="Switch off").click()
    expect(visitor.get_by_text("This account is switched off.")).to_be_visible()
    assert other.request.get(f"{office}/api/track/buildings").status == 401
    theirs.close()
    is_accessible(visitor, "user-off")

    visitor.get_by_role("link", name="Access log").first.click()
    expect(visitor.get_by_role("row").nth(1)).to_contain_text("Switched a user off")
    is_accessible(visitor, "access-log")
    visitor.goto(f"{office}/users/?search=vic")
    expect(visitor.get_by_role("row", name=re.compile("victor"))).to_contain_text("switched off")
    visitor.goto(f"{office}/users/")
    is_accessible(visitor, "users")


def test_nobody_locks_everybody_out(office: str, site: Installation, visitor: Page) -> None:
    [(anna,)] = site.query("SELECT id FROM users WHERE username = 'Anna'")
    sign_in(visitor, office, "Anna")
    visitor.goto(f"{office}/users/{anna}/")
    expect(visitor.get_by_text("This is you.")).to_be_visible()
    expect(visitor.get_by_role("button", name="Switch off")).to_have_count(0)


@pytest.mark.parametrize("width", [360, 1280])
def test_pages_fit_narrow_windows(
    office: str, site: Installation, visitor: Page, width: int
) -> None:
    [(anna,)] = site.query("SELECT id FROM users WHERE username = 'Anna'")
    sign_in(visitor, office, "Anna")
    visitor.set_viewport_size({"width": width, "height": 800})
    for path in ("users/", "users/new/", f"users/{anna}/", "users/log/", "account/"):
        visitor.goto(f"{office}/{path}")
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert visitor.evaluate(overflow) == 0, path


def test_reading_a_communication_on_the_screen_is_written_down(
    office: str, site: Installation, visitor: Page
) -> None:
    [(communication,), *_] = site.query(
        "SELECT c.id FROM communications c JOIN buildings b ON b.id = c.building_id"
        " WHERE b.code = 'B1'"
    )
    sign_in(visitor, office, "Anna")
    address = f"{office}/api/track/communications/{communication}"
    assert [visitor.request.get(address).status for _ in range(3)] == [200, 200, 200]
    visitor.goto(f"{office}/users/log/?subject={communication}")
    expect(visitor.get_by_role("row")).to_have_count(2)
    expect(visitor.get_by_role("row").nth(1)).to_contain_text("Read a communication")
