"""Measure the page with a year of chats: the longest task of each step, and streaming.

    python -m bench.page_lists

Chromium shows a user with 10,000 chats, one of which has 5,000 messages. It takes about a minute.
Tasks are measured in CPU time of the page's main thread, which is independent of other load on the
machine. Users notice a task of more than 50 ms as a delay.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from bench import data
from bench.page import sign_in
from bench.program import call, start_sidecar

CHATS = 10_000
MESSAGES = 5_000
ITEMS = 600

SCROLL = """async ([selector, by, least]) => {
  const box = document.querySelector(selector);
  for (let still = 0; still < 40;) {
    const before = box.scrollTop;
    box.scrollTop += by;
    await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve, 15)));
    still = box.scrollTop === before ? still + 1 : 0;
  }
}"""

# Stream a reply in pieces of 40 characters, one per frame, like a fast model.
STREAM = """async text => {
  const {MarkdownView} = (await import("/static/bundle/page.js")).modules["page/markdown/view.js"];
  const root = Object.assign(document.createElement("div"), {className: "prose"});
  root.style.width = "700px";
  document.querySelector(".transcript").append(root);
  const view = new MarkdownView(root);
  for (let end = 0; end < text.length; end += 40) {
    view.update(text.slice(0, end), true);
    await new Promise(requestAnimationFrame);
  }
  view.update(text, false);
  view.flush();
  root.remove();
}"""


def longest(page: Page, act: Callable[[], object]) -> float:
    """Return the longest task of the main thread during `act`, in milliseconds."""
    browser = page.context.browser
    assert browser is not None
    browser.start_tracing(page=page, categories=["devtools.timeline", "toplevel"])
    act()
    page.wait_for_timeout(500)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    names = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"}
    tasks = [
        event.get("tdur", 0) / 1000
        for event in events
        if event["name"].endswith("RunTask")
        and names.get((event["pid"], event["tid"])) == "CrRendererMain"
    ]
    return float(max(tasks, default=0))


def long_chat(url: str, token: str) -> str:
    """Import the long chat; return its id."""
    time = "2026-01-01T00:00:00.000Z"
    senders = ("user", "assistant")
    messages = [
        {"content": f"Message {n}: **some** words", "sender": senders[n % 2], "timestamp": time}
        for n in range(MESSAGES)
    ]
    chat = {"title": "A long chat", "model": "quillium-demo"}
    body = {"format": "quillium-chat", "version": 1, "chat": chat, "messages": messages}
    imported: str = call(url, "POST", "/api/v1/chats/import", body, token)["id"]
    return imported


def renderer_seconds(page: Page, text: str) -> float:
    """Return the CPU seconds of the renderer's main thread for a streaming reply."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(m["value"] for m in metrics if m["name"] == "TaskDuration"))

    before = spent()
    page.evaluate(STREAM, text)
    return spent() - before


def measure(page: Page, url: str, chat: str) -> None:
    steps: dict[str, Callable[[], object]] = {
        "open the page": lambda: page.goto(url, wait_until="networkidle"),
        "scroll to the last chat": lambda: page.evaluate(SCROLL, [".chat-list", 4000, 0]),
        "search": lambda: page.fill("#search", "long"),
        "clear the search": lambda: page.fill("#search", ""),
        "open the long chat": lambda: page.goto(f"{url}/#{chat}"),
        "scroll to its first message": lambda: page.evaluate(SCROLL, [".transcript", -4000, 0]),
        "switch to another chat": lambda: page.locator(".chat-row a").nth(3).click(),
        "return": lambda: page.evaluate(f"location.hash = '{chat}'"),
        "send, and stream a reply": lambda: say(page),
    }
    page.goto(url, wait_until="networkidle")
    for name, act in steps.items():
        print(f"{name:32} {longest(page, act):6.0f} ms")
    items = "".join(f"{n}. Item **{n}** with `code` and some words\n" for n in range(1, ITEMS + 1))
    plain = ("word " * 12 + "\n\n") * (len(items) // 62)
    renderer_seconds(page, plain)  # warm
    listed, written = renderer_seconds(page, items), renderer_seconds(page, plain)
    print(f"{'a list of 600 items':32} {listed:6.2f} s, plain text {written:.2f} s,", end=" ")
    print(f"ratio {listed / written:.2f}")


def say(page: Page) -> None:
    page.fill("#composer", "/lorem 300")
    page.press("#composer", "Enter")
    writing = page.locator(".reply[aria-busy=true]")
    writing.wait_for()
    writing.wait_for(state="detached")


def main() -> None:
    chromium = shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder:
        [account] = data.make(Path(folder), [CHATS], 0, print)
        server, url = start_sidecar(Path(folder), QUILLIUM_JWT_SECRET=data.SECRET)
        try:
            chat = long_chat(url, account.token)
            with sync_playwright() as playwright:
                launched = playwright.chromium.launch(
                    executable_path=chromium, args=["--no-sandbox"]
                )
                context = launched.new_context()
                sign_in(context, url, account.token)
                measure(context.new_page(), url, chat)
                launched.close()
        finally:
            server.stdin.close()
            server.wait()


if __name__ == "__main__":
    main()
