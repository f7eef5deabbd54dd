"""The API's page in a real browser, under the real content security policy."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_page_lists_the_operations_and_breaks_no_rule(office: str, visitor: Page) -> None:
    elsewhere: list[str] = []
    visitor.on(
        "request",
        lambda asked: (
            elsewhere.append(asked.url) if not asked.url.startswith((office, "data:")) else None
        ),
    )
    visitor.goto(f"{office}/api/docs")
    expect(visitor.get_by_role("heading", name="Track Center")).to_be_visible()
    operation = visitor.locator("#operations-buildings-listBuildings")
    expect(operation).to_be_visible()
    operation.click()
    expect(operation.get_by_text("in code, name and address")).to_be_visible()
    assert elsewhere == []
