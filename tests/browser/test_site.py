"""The documentation site, opened as a file: it can be searched without a network or a server."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, expect

from tests.browser.conftest import needs_chromium
from tests.packaging.site import build

pytestmark = needs_chromium


def test_it_is_searched_offline(browser: Browser, tmp_path: Path) -> None:
    build(tmp_path)
    with browser.new_context() as context:
        page = context.new_page()
        requested: list[str] = []
        problems: list[str] = []
        page.on("request", lambda request: requested.append(request.url))
        page.on("pageerror", lambda error: problems.append(str(error)))

        def note(message: ConsoleMessage) -> None:
            if message.type == "error":
                problems.append(message.text)

        page.on("console", note)
        page.goto(f"{tmp_path.as_uri()}/index.html")
        search = page.get_by_label("Search").first
        search.fill("time-out backup")
        search.press("Enter")
        results = page.locator("#search-results")  # the navigation has links of the same names
        results.get_by_role("link", name="Durability guarantees").last.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Durability guarantees")
    assert problems == []
    assert all(address.startswith(tmp_path.as_uri()) for address in requested)
