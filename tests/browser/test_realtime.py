"""The client printed in `docs/realtime.md`, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.browser.conftest import needs_chromium
from tests.program import Program, free_port
from tests.snippets import block

pytestmark = needs_chromium

OPEN = """
async ([api, key, chat]) => {
  const {connect} = await import("/client.js");
  const headers = {Authorization: "Bearer " + key};
  window.list = async () => (await (await fetch(
    `${api}/chats/${chat}/messages?limit=100`, {headers})).json()).data;
  window.seen = [];
  window.say = connect({base: api.replace("http", "ws"), token: () => key, list: window.list,
    show: held => { window.held = [...held.values()];
      window.seen.push(window.held.filter(m => m.sender === "user").map(m => m.content)); }});
}
"""
SETTLED = """
async count => {
  const form = messages => JSON.stringify(messages.map(m => [m.id, m.status, m.content]));
  for (const end = Date.now() + 20000; Date.now() < end; ) {
    const listed = await window.list().catch(() => []);
    const isEqual = form(listed) === form(window.held ?? []);
    if (isEqual && listed.length === count && listed.every(m => m.status !== "streaming"))
      return window.held;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error("not settled: " + form(window.held));
}
"""


def opened(browser: Browser, front_end: str, *arguments: str) -> Page:
    page = browser.new_context().new_page()
    page.goto(front_end)
    page.evaluate(OPEN, arguments)
    return page


def settled(page: Page, count: int) -> list[dict[str, Any]]:
    """Wait until the page shows what the server lists, so many messages."""
    held: list[dict[str, Any]] = page.evaluate(SETTLED, count)
    return held


def test_reloads_and_a_killed_server(
    browser: Browser, front_end: str, site: Path, tmp_path: Path
) -> None:
    client = block("docs/realtime.md", "export function connect")
    (site / "client.js").write_text(client.text)
    port = f"--port={free_port()}"
    program = Program(tmp_path / "data", port)
    token = program.register()
    program.call("PUT", "/api/v1/settings/admin", {"rate_limit_per_minute": 0}, token)
    key = program.call("POST", "/api/v1/users/api-key", {}, token)["api_key"]
    chat = program.call("POST", "/api/v1/chats", {}, token)["id"]
    where = (f"{program.url}/api/v1", key, chat)
    try:
        one, two = opened(browser, front_end, *where), opened(browser, front_end, *where)
        one.evaluate("chat => window.say(chat, '/slow 5')", chat)
        one.wait_for_function("window.held?.some(m => m.content.startsWith('This is'))")
        two.reload()
        two.evaluate(OPEN, where)  # joins in the middle
        two.wait_for_function("window.held?.some(m => m.content.startsWith('This is'))")
        one.evaluate("chat => window.say(chat, 'said meanwhile')", chat)
        one.wait_for_function("window.held.some(m => m.content === 'said meanwhile')")
        program.call("POST", f"/api/v1/chats/{chat}/stop", {}, token)
        first = settled(one, count=4)
        assert [message["sender"] for message in first][:2] == ["user", "user"]
        assert settled(two, count=4) == first

        one.evaluate("chat => window.say(chat, '/slow 50')", chat)
        two.wait_for_function("window.held.at(-1).content.startsWith('This is')")
        program.process.kill()
        program.process.communicate()
        one.evaluate("chat => window.say(chat, 'said to nobody')", chat)
        program = Program(tmp_path / "data", port)
        last = settled(one, count=8)
        assert settled(two, count=8) == last
        assert "interrupted" in [message["status"] for message in last]
        for page in (one, two):
            for shown in page.evaluate("window.seen"):  # nothing was ever shown twice
                assert len(shown) == len(set(shown))
            page.context.close()
    finally:
        program.process.kill()
        program.process.communicate()
