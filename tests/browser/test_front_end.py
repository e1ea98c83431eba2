"""A front end on another port of the same machine, in a real browser."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage

from tests.browser.conftest import needs_chromium
from tests.program import ROOT, Program

pytestmark = needs_chromium

# What a developer would write: register, make a chat, send over the socket, read the headers.
FRONT_END = """
async ([base, name]) => {
  const json = {"Content-Type": "application/json"};
  const post = (path, body, more) => fetch(base + path,
    {method: "POST", headers: {...json, ...more}, body: JSON.stringify(body)});
  const made = await (await post("/auth/register",
    {email: name + "@example.com", password: "a good password"})).json();
  const auth = {Authorization: "Bearer " + made.access_token};
  const answer = await post("/chats", {title: "From a browser"}, auth);
  const chat = await answer.json();
  const socket = new WebSocket(base.replace("http", "ws") + "/ws?token=" + made.access_token);
  const frames = [];
  await new Promise((resolve, reject) => {
    socket.onerror = reject;
    socket.onopen = () => socket.send(JSON.stringify(
      {type: "message", data: {chat_id: chat.id, content: "My name is " + name}}));
    socket.onmessage = event => {
      const frame = JSON.parse(event.data);
      frames.push(frame);
      if (frame.type === "message" && frame.data.sender === "assistant") resolve();
    };
  });
  await fetch(base + "/chats/" + chat.id, {method: "DELETE", headers: auth});
  const closed = await new Promise(resolve => {
    const refused = new WebSocket(base.replace("http", "ws") + "/ws?token=nonsense");
    refused.onclose = event => resolve([event.code, event.reason]);
  });
  return {
    status: answer.status,
    remaining: answer.headers.get("X-RateLimit-Remaining"),
    requestId: answer.headers.get("X-Request-Id"),
    types: frames.map(frame => frame.type),
    reply: frames.at(-1).data.content,
    closed,
  };
}
"""


def test_fetch_and_websocket_from_another_port(
    browser: Browser, program: Program, front_end: str
) -> None:
    page = browser.new_page()
    page.goto(front_end)
    seen = page.evaluate(FRONT_END, [f"{program.url}/api/v1", "Ada"])
    page.close()
    assert (seen["status"], seen["remaining"]) == (201, "99")
    assert seen["requestId"].startswith("req_")
    assert seen["types"][:2] == ["message", "read"]
    assert seen["types"][-1] == "message"
    assert seen["reply"] == "Nice to meet you, Ada! I will remember your name."
    assert seen["closed"] == [4401, "invalid_token"]


def test_the_client_module_as_documented(
    browser: Browser, program: Program, site: Path, front_end: str
) -> None:
    program.register("ada@example.com")
    documented = (ROOT / "docs" / "page.md").read_text()
    snippet = documented.partition("```html\n")[2].partition("```")[0]
    assert "http://localhost:8080" in snippet
    page = browser.new_page()
    heard: list[str] = []

    def has_answered(message: ConsoleMessage) -> bool:
        heard.append(message.text)
        return message.text.startswith("assistant ")

    (site / "index.html").write_text(snippet.replace("http://localhost:8080", program.url))
    with page.expect_console_message(has_answered):
        page.goto(front_end)
    page.close()
    assert "user Hello" in heard
    assert any(text.startswith("so far: ") for text in heard)
