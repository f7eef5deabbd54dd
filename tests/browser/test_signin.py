"""Sign-in end to end in a real browser: against a real OpenID provider, and with a second step."""

import base64
import hmac
import json
import re
import subprocess
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import PASSWORD, is_accessible, sign_in
from tests.installation import Installation, free_port, installation
from tools import chromium, web
from trackcenter.config.environment import PREFIX

pytestmark = [pytest.mark.browser, pytest.mark.slow]

GROUP = "7d6a1f0e-0000-4000-8000-000000000001"
GROUPS = {"anna": ["another", GROUP], "victor": ["another"]}


@pytest.fixture(scope="module")
def site() -> Iterator[Installation]:
    """An installation of this file's own: how one signs in is a setting of all of it."""
    with installation() as place:
        yield place


@pytest.fixture(scope="module")
def served(site: Installation) -> Iterator[str]:
    """The web server, with npm's `oidc-provider` as the organisation's sign-in."""
    web.install(chromium.NPM)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    provider = subprocess.Popen(
        [web.node(), "openid.mjs", f"{url}/accounts/oidc/login/callback/", json.dumps(GROUPS)],
        cwd=chromium.NPM,
        env=web.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert provider.stdout is not None
        settings = {
            "OIDC_SERVER_URL": provider.stdout.readline().strip(),
            "OIDC_CLIENT_ID": "trackcenter",
            "OIDC_CLIENT_SECRET": "a-secret-of-the-tests",
            "OIDC_ADMIN_GROUP": GROUP,
        }
        site.environment.update({f"{PREFIX}{name}": value for name, value in settings.items()})
        with site.serving(port):
            yield url
    finally:
        provider.terminate()
        provider.wait(20)


@pytest.fixture(scope="module")
def olga(site: Installation, served: str) -> str:
    """A local administrator."""
    site.make_admin("olga", PASSWORD)
    return "olga"


def sign_in_at_provider(page: Page, name: str) -> None:
    """What the person does on the provider's own pages."""
    page.get_by_placeholder("Enter any login").fill(name)
    page.get_by_placeholder("and password").fill("anything")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()


def test_a_member_of_the_group_comes_in_as_an_administrator(
    served: str, site: Installation, visitor: Page
) -> None:
    visitor.goto(f"{served}/users/")
    is_accessible(visitor, "login-openid")
    visitor.get_by_role("link", name="Sign in with your organisation").click()
    sign_in_at_provider(visitor, "anna")
    expect(visitor).to_have_url(f"{served}/users/")
    expect(visitor.get_by_role("heading", name="Users")).to_be_visible()
    row = visitor.get_by_role("row", name=re.compile("anna"))
    expect(row).to_contain_text("Administrator")
    expect(row).to_contain_text("Organisation")
    [(email, role, usable)] = site.query(
        "SELECT email, role, left(password, 1) <> '!' FROM users WHERE username = 'anna'"
    )
    assert (email, role, usable) == ("anna@example.org", "ADMIN", False)
    assert site.query("SELECT extra_data::text FROM socialaccount_socialaccount") == [("{}",)]
    assert not site.query("SELECT * FROM account_emailaddress")
    assert not site.query("SELECT * FROM socialaccount_socialtoken")


def test_anybody_else_is_a_viewer_who_sees_nothing_yet(
    served: str, site: Installation, visitor: Page
) -> None:
    visitor.goto(f"{served}/accounts/login/")
    visitor.get_by_role("link", name="Sign in with your organisation").click()
    sign_in_at_provider(visitor, "victor")
    expect(visitor).to_have_url(re.compile(re.escape(f"{served}/track")))
    buildings = visitor.request.get(f"{served}/api/track/buildings")
    assert buildings.ok
    assert buildings.json()["items"] == []
    visitor.goto(f"{served}/users/")
    expect(visitor.get_by_role("heading", name="For administrators only")).to_be_visible()


def test_who_left_the_group_is_no_administrator_the_next_time(
    served: str, site: Installation, visitor: Page
) -> None:
    site.query("UPDATE users SET role = 'ADMIN' WHERE username = 'victor' RETURNING id")
    visitor.goto(f"{served}/accounts/oidc/login/")
    sign_in_at_provider(visitor, "victor")
    expect(visitor).to_have_url(re.compile(re.escape(f"{served}/track")))
    assert site.query("SELECT role FROM users WHERE username = 'victor'") == [("VIEWER",)]


def test_a_local_account_is_not_taken_over_by_a_name_or_an_address(
    served: str, site: Installation, olga: str, visitor: Page
) -> None:
    site.query("UPDATE users SET email = 'olga@example.org' WHERE username = 'olga' RETURNING id")
    visitor.goto(f"{served}/accounts/oidc/login/?next=/account/")
    sign_in_at_provider(visitor, "olga")
    expect(visitor.get_by_role("heading", name="Your account")).to_be_visible()
    expect(visitor.locator("main")).to_contain_text("Viewer")
    rows = site.query("SELECT username, role FROM users WHERE email = 'olga@example.org'")
    assert min(rows) == ("olga", "ADMIN")
    assert len(rows) == 2
    assert [role for name, role in rows if name != "olga"] == ["VIEWER"]


def test_turning_back_at_the_provider_leads_to_a_page_that_says_so(
    served: str, visitor: Page
) -> None:
    visitor.goto(f"{served}/accounts/oidc/login/")
    visitor.get_by_role("link", name="Cancel").click()
    expect(visitor.get_by_role("heading", name="You were not signed in")).to_be_visible()


def test_a_made_up_answer_of_the_provider_is_refused(served: str, visitor: Page) -> None:
    visitor.goto(f"{served}/accounts/oidc/login/callback/?code=made-up&state=made-up")
    expect(visitor.get_by_role("heading", name="You were not signed in")).to_be_visible()
    assert visitor.request.get(f"{served}/api/track/buildings").status == 401


def test_the_second_step(served: str, site: Installation, olga: str, visitor: Page) -> None:
    sign_in(visitor, served, olga)
    visitor.goto(f"{served}/account/")
    is_accessible(visitor, "account")
    visitor.get_by_role("link", name="Set up the second step").click()
    is_accessible(visitor, "confirm")
    visitor.get_by_label("Password").fill(PASSWORD)
    visitor.get_by_role("button", name="Confirm").click()
    secret = visitor.locator("code").inner_text()
    is_accessible(visitor, "second-step")
    visitor.get_by_label("Code from the app").fill("000000")
    visitor.get_by_role("button", name="Confirm").click()
    expect(visitor.get_by_role("alert")).to_contain_text("not right")
    visitor.get_by_label("Code from the app").fill(code_of(secret))
    visitor.get_by_role("button", name="Confirm").click()
    expect(visitor.get_by_role("heading", name="Recovery codes")).to_be_visible()
    is_accessible(visitor, "recovery-codes")
    recovery = visitor.locator(".codes code").first.inner_text()
    assert not site.query(
        "SELECT * FROM mfa_authenticator WHERE data::text LIKE %s", f"%{secret}%"
    ), "the secret is kept encrypted"

    visitor.context.clear_cookies()
    sign_in(visitor, served, olga)
    expect(visitor.get_by_role("heading", name="One more step")).to_be_visible()
    is_accessible(visitor, "one-more-step")
    assert visitor.request.get(f"{served}/api/track/buildings").status == 401
    visitor.get_by_label("Code from your app").fill("000000")
    visitor.get_by_role("button", name="Confirm").click()
    expect(visitor.get_by_role("alert")).to_contain_text("not right")
    visitor.get_by_label("Code from your app").fill(recovery)
    visitor.get_by_role("button", name="Confirm").click()
    expect(visitor).to_have_url(re.compile(re.escape(f"{served}/track")))

    visitor.context.clear_cookies()
    sign_in(visitor, served, olga)
    visitor.get_by_label("Code from your app").fill(recovery)
    visitor.get_by_role("button", name="Confirm").click()
    expect(visitor.get_by_role("alert")).to_contain_text("not right")


def code_of(secret: str) -> str:
    """The app's part, RFC 6238."""
    moment = int(time.time() // 30).to_bytes(8, "big")
    digest = hmac.digest(base64.b32decode(secret), moment, "sha1")
    at = digest[-1] & 15
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
