"""Measure the time until the page is usable, from the server's first response.

    python -m bench.page

Chromium opens the page of a new server, for a new user and for a signed-in user with a hundred
chats, with an empty and with a warm cache. It prints medians and takes half a minute.
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bench.program import account, call, start_quillium

ROUNDS = 10
CHATS = 100
NEW = "form button.primary"
SIGNED_IN = ".chat-row:nth-of-type(20)"

# From the first byte of the response to `/` until a frame with the selector is painted.
USABLE = """selector => new Promise(resolve => {
  const look = () => {
    if (!document.querySelector(selector)) return requestAnimationFrame(look);
    const [{responseStart}] = performance.getEntriesByType("navigation");
    requestAnimationFrame(() => resolve(performance.now() - responseStart));
  };
  look();
})"""


def opened(page: Page, url: str, selector: str) -> float:
    """Milliseconds."""
    page.goto(url, wait_until="commit")
    return float(page.evaluate(USABLE, selector))


def sign_in(context: BrowserContext, url: str, token: str) -> None:
    kept = {"access_token": token, "refresh_token": "", "ends_at": 2**53 - 1}
    page = context.new_page()
    page.goto(f"{url}/health")
    page.evaluate("kept => { localStorage.quillium = kept; }", json.dumps(kept))
    page.close()


def measure(browser: Browser, url: str, token: str = "") -> tuple[float, float]:
    """Return medians in milliseconds: with an empty cache, and with a warm one."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        context = browser.new_context()
        if token:
            sign_in(context, url, token)
        for kept in times:
            page = context.new_page()
            kept.append(opened(page, url, SIGNED_IN if token else NEW))
            page.close()
        context.close()
    return statistics.median(times[0]), statistics.median(times[1])


def main() -> None:
    chromium = shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server, url = start_quillium(Path(folder))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            # First, while neither the server nor the browser is warm.
            page = browser.new_page()
            print(f"{'cold start':32} {opened(page, url, NEW):6.0f} ms")
            show("new user", *measure(browser, url))
            token = account(url)
            for number in range(CHATS):
                chat = {"title": f"Chat {number}"}
                call(url, "POST", "/api/v1/chats", chat, token)
            show(f"signed in, {CHATS} chats", *measure(browser, url, token))
        finally:
            browser.close()
            server.terminate()
            server.wait()


def show(name: str, empty: float, kept: float) -> None:
    print(f"{name:32} {empty:6.0f} ms, again {kept:6.0f} ms, ratio {kept / empty:.2f}")


if __name__ == "__main__":
    main()
