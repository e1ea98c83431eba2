"""The page and `/docs` below a base path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import Guard, User
from tests.program import Program

pytestmark = needs_chromium


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Program]:
    started = Program(tmp_path / "data", "--base-path=/quillium")
    yield started
    started.process.kill()
    started.process.communicate()


def test_everything_works_below_a_path(context: BrowserContext, mounted: Program) -> None:
    assert mounted.url.endswith("/quillium")
    guard = Guard(context, mounted.url)  # nothing outside of the path is requested
    user = User(context.new_page(), mounted)
    account = user.register()["user"]
    link = user.call("POST", f"/users/{account['id']}/link")["link"]
    user.page.goto(link)
    user.say("Hello", replies=1)
    chat = user.shown
    user.page.reload()
    expect(user.said).to_have_text("Hello")
    user.page.goto(f"{mounted.url}#{chat}")  # without a slash: leads to the page
    expect(user.said).to_have_text("Hello")
    assert user.page.url == f"{mounted.url}/#{chat}"
    stored = user.page.evaluate("Object.keys(localStorage)")
    assert "quillium:/quillium/" in stored
    assert "quillium" not in stored  # of a server at the root of this origin
    manifest = user.page.evaluate(
        """async () => {
          const link = document.querySelector("link[rel=manifest]").href;
          const {scope} = await (await fetch(link)).json();
          return new URL(scope, link).href;
        }"""
    )
    assert manifest == f"{mounted.url}/"
    user.page.goto(f"{mounted.url}/docs")
    operation = user.page.locator("#operations-users-get_users_me")
    operation.get_by_role("button").first.click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table")).to_contain_text(user.email)
    assert guard.noticed == []
