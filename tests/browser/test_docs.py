"""`/docs` works offline, with the session of the chat page."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import User

pytestmark = needs_chromium


def test_trying_an_operation(ada: User) -> None:
    """The guard sees to it that nothing is called out to and no policy is broken."""
    page = ada.page
    page.goto(f"{ada.program.url}/docs")
    operation = page.locator("#operations-users-get_users_me")
    operation.get_by_role("button").first.click()
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table")
    expect(answer).to_contain_text(f'"email": "{ada.email}"')
    expect(answer).to_contain_text("x-request-id: req_")  # nothing was filled in unasked
