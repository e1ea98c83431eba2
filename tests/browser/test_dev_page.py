"""`/dev`: the state, faults and journal of a test backend, live."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import needs_chromium
from tests.program import Program

pytestmark = needs_chromium
SEED = {"users": [{"email": "ada@example.com", "access_token": "token-of-ada", "chats": [{}]}]}


@pytest.fixture
def backend(start: Any, tmp_path: Path) -> Program:
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps(SEED))
    program: Program = start("--dev", f"--seed={seed}")
    return program


@pytest.fixture
def page(browser: Browser, backend: Program) -> Iterator[Page]:
    with browser.new_context() as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.goto(f"{backend.url}/dev")
        expect(page.locator("#state")).to_have_text("1 user, 1 chat, 0 messages")
        yield page


def status(page: Page, path: str) -> int:
    script = """async path => (await fetch(`api/v1${path}`,
      {headers: {Authorization: "Bearer token-of-ada"}})).status"""
    return int(page.evaluate(script, path))


def clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_a_session_of_a_developer(page: Page, backend: Program) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    down = page.get_by_label("The API is down (503)")
    down.check()
    expect(page.locator("#rules")).to_have_value(json_with("storage_unavailable"))
    assert status(page, "/chats") == 503
    expect(page.locator("#journal tr.is-error").first).to_contain_text("GET /chats")
    page.locator("#copy-rules").click()
    expect(page.locator("#notice")).to_have_text("Copied.")
    assert clipboard(page) == (
        'await server.rules({"match":{},"respond":{"code":"storage_unavailable"}});'
    )
    down.uncheck()
    expect(page.locator("#rules")).to_have_value("[]")
    assert status(page, "/chats") == 200

    backend.call("POST", "/api/v1/chats", {"title": "x"}, token="token-of-ada")
    expect(page.locator("#state")).to_have_text("1 user, 2 chats, 0 messages")
    page.get_by_text("+15 minutes").click()
    page.locator("#freeze").click()
    expect(page.locator("#now")).to_contain_text(", frozen")
    page.locator("#replies").fill('[{"match": {}, "reply": {"text": "Hi"}}]')
    # Not "Done.", which may still be about the clock.
    with page.expect_request_finished(
        lambda request: request.method == "PUT" and request.url.endswith("/replies")
    ):
        page.locator("#set-replies").click()
    page.locator("#rules").fill("[{")
    page.locator("#set-rules").click()
    expect(page.locator("#notice")).to_contain_text("This is not JSON")
    page.locator("#copy-state").click()
    expect(page.locator("#notice")).to_have_text("Copied.")
    assert json.loads(clipboard(page))["replies"][0]["reply"] == {"text": "Hi"}

    page.locator("#reset").click()
    expect(page.locator("#state")).to_have_text("1 user, 1 chat, 0 messages")
    expect(page.locator("#replies")).to_have_value("[]")
    expect(page.locator("#journal tr")).to_have_count(0)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert problems == []


def json_with(code: str) -> str:
    return json.dumps([{"match": {}, "respond": {"code": code}}], indent=2)
