"""The JavaScript printed in the README and the documentation, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, WebSocket

from tests.browser.conftest import needs_chromium
from tests.browser.pages import EXPECTED
from tests.program import Program
from tests.snippets import Snippet, snippets

pytestmark = needs_chromium

PRINTED = "http://localhost:8080"
# The others configure a build tool or run in Electron; docs/realtime.md has a test of its own.
CALLING = [
    snippet
    for snippet in snippets()
    if PRINTED in snippet.text and "export default" not in snippet.text
]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        yield context.new_page()


def test_there_are_some() -> None:
    assert {snippet.page.stem for snippet in CALLING} >= {"README", "frontend", "page"}


@pytest.mark.parametrize("snippet", CALLING, ids=lambda snippet: snippet.page.stem)
def test_a_snippet_runs(
    page: Page, program: Program, site: Path, front_end: str, snippet: Snippet
) -> None:
    """To its end, with no error; one that opens a socket is told its message and the reply."""
    if "/auth/register" not in snippet.text:
        program.register("ada@example.com")
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    frames: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and not EXPECTED.match(message.text):
            problems.append(message.text)

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: frames.append(str(frame)))

    page.on("console", note)
    page.on("websocket", listen)
    script = snippet.script.replace(PRINTED, program.url)
    (site / "index.html").write_text(f'<script type="module">{script}\nwindow.ended = 1;</script>')
    page.goto(front_end)
    page.wait_for_function("window.ended")
    if "socket" in snippet.text or "connect()" in snippet.text:
        for _ in range(10_000):
            page.evaluate("0")
            if any('"sender":"assistant"' in frame for frame in frames):
                break
        else:
            raise AssertionError("no reply came")
    assert problems == []
