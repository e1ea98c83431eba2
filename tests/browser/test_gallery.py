"""The gallery of a test backend: every state of the page is shown, accessible, and isolated."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, expect

import schemas
from handlers import routes
from tests.browser.conftest import needs_chromium
from tests.browser.pages import STATES, Guard
from tests.program import Program

pytestmark = needs_chromium

# What the brief of the page names; a state that is renamed or removed turns this red.
NEEDED = {
    "first_run", "sign_in", "sign_in_failed", "session_ended", "loading", "welcome", "empty",
    "no_model", "model_gone", "loading_chat", "load_failed", "conversation", "files", "reasoning",
    "slow", "streaming", "failed", "interrupted", "stopped", "cut_off", "offline", "half_sent",
    "rate_limited", "long", "right_to_left", "searching", "nothing_found", "menu", "toasts",
    "palette", "shortcuts", "rename", "instructions", "manage", "delete_message",
    "settings_general", "settings_account", "settings_sessions", "settings_keys", "settings_data",
    "settings_models", "settings_server", "setting_failed",
}  # fmt: skip


# What sticks out of a dialog at its side; tabs and code are scrolled there.
CUT_OFF = """() => [...document.querySelectorAll("dialog[open]")].flatMap(dialog =>
  [...dialog.querySelectorAll("*")]
    .filter(element => !element.closest(".tabs, pre, .hidden, .notices"))
    .filter(element => element.getBoundingClientRect().right > dialog.getBoundingClientRect().right + 1)
    .map(element => element.outerHTML.slice(0, 100)))"""


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    started = Program(tmp_path_factory.mktemp("gallery") / "data", "--dev")
    yield started
    started.process.kill()
    started.process.communicate()


def test_no_state_is_missing() -> None:
    assert {*STATES} >= NEEDED


@pytest.mark.parametrize("state", STATES)
def test_a_state(context: BrowserContext, backend: Program, state: str) -> None:
    guard = Guard(context, backend.url)
    page = context.new_page()
    page.goto(f"{backend.url}/static/page/gallery/frame.html?state={state}")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        if width == 390:
            page.reload()
        expect(page.locator("html")).to_have_attribute("data-gallery", "shown")
        for colours in ("light", "dark"):
            page.emulate_media(color_scheme=colours)
            found = Axe().run(page)
            assert found.violations_count == 0, f"{width} {colours}: {found.generate_report()}"
        expect(page.locator("html")).to_have_js_property("scrollWidth", width)
        assert page.evaluate(CUT_OFF) == []
        assert page.locator("button.primary").count() <= 1
    assert guard.noticed == []
    page.goto(f"{backend.url}/health")  # nothing was stored for the page itself
    assert page.evaluate("Object.keys(localStorage)") == []


def test_the_overview(context: BrowserContext, backend: Program) -> None:
    page = context.new_page()
    page.goto(f"{backend.url}/static/page/gallery.html")
    frames = page.locator("iframe")
    expect(frames).to_have_count(len(STATES))
    for number in (0, len(STATES) - 1):
        shown = frames.nth(number).content_frame.locator("html")
        expect(shown).to_have_attribute("data-gallery", "shown")
    for colours in ("light", "dark"):
        page.emulate_media(color_scheme=colours)
        found = Axe().run(page, options={"iframes": False})
        assert found.violations_count == 0, f"{colours}: {found.generate_report()}"


def test_the_pretended_server_says_what_a_real_one_would(
    context: BrowserContext, backend: Program
) -> None:
    page = context.new_page()
    page.goto(f"{backend.url}/static/page/gallery.html")
    said = page.evaluate(
        """async () => {
          const {RESPONSES, CONVERSATIONS, messages} = await import("./gallery/data.js");
          const query = new URLSearchParams("q=garden&order=desc");
          const all = Object.entries(RESPONSES).map(([operation, response]) =>
            [operation, typeof response === "function" ? response(query) : response]);
          const chats = Object.values(CONVERSATIONS).map(made =>
            ["GET /chats/{id}/messages", messages(made())(query)]);
          return JSON.parse(JSON.stringify([...all, ...chats]));
        }"""
    )
    known = {
        f"{method} {route.path}": operation.response
        for route in routes.API
        for method, operation in route.operations.items()
    }
    assert len(said) > 15
    for operation, body in said:
        schemas.validate(known[operation] or "", body, operation)
