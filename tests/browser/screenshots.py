"""Take the pictures of `docs/images`: `python -m tests.browser.screenshots`, with chromium installed.

With a folder as its argument, take every state of the gallery into it instead, to be looked at.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import BrowserContext, expect, sync_playwright

from tests.browser.conftest import CHROMIUM
from tests.browser.pages import STATES, User
from tests.program import ROOT, Program

FOLDER = ROOT / "docs" / "images"
SIZES = {390: 844, 1280: 800}  # pixels


def conversation(user: User) -> None:
    user.page.goto(f"{user.program.url}/#{user.call('GET', '/chats')['data'][0]['id']}")
    expect(user.replies.locator(".hljs-keyword").first).to_be_visible()
    user.said.first.evaluate("element => element.closest('.said').scrollIntoView()")


def settings(user: User) -> None:
    user.settings("Models")
    expect(user.page.get_by_label("System prompt")).to_be_visible()


def welcome(user: User) -> None:
    expect(user.page.get_by_text("What can I help with")).to_be_visible()


SCREENS: dict[str, Callable[[User], None]] = {
    "welcome": welcome, "conversation": conversation, "settings": settings,
}  # fmt: skip


def devices() -> Iterator[tuple[str, BrowserContext]]:
    """A browser in each size and theme, with what tells its pictures from others."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for colours in ("light", "dark"):
            for width, height in SIZES.items():
                context = browser.new_context(
                    locale="en-GB",
                    color_scheme=colours,
                    viewport={"width": width, "height": height},
                )
                yield f"{width}-{colours}.png", context
                context.close()
        browser.close()


def take(program: Program, email: str) -> None:
    for ending, context in devices():
        page = context.new_page()
        page.goto(program.url)
        expect(page.get_by_role("button", name="Create account")).to_be_visible()
        page.screenshot(path=FOLDER / f"entrance-{ending}")
        for name, show in SCREENS.items():
            user = User(context.new_page(), program, email)
            user.open(user.login())
            show(user)
            user.page.screenshot(path=FOLDER / f"{name}-{ending}")


def take_gallery(program: Program, folder: Path) -> None:
    for ending, context in devices():
        page = context.new_page()
        for state in STATES:
            page.goto(f"{program.url}/static/page/gallery/frame.html?state={state}")
            expect(page.locator("html")).to_have_attribute("data-gallery", "shown")
            page.screenshot(path=folder / f"{state}-{ending}")


def gallery(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        program = Program(Path(data) / "data", "--dev")
        try:
            take_gallery(program, folder)
        finally:
            program.process.kill()
            program.process.communicate()


def main() -> None:
    parser = argparse.ArgumentParser(description="Take the pictures of docs/images")
    parser.add_argument("folder", nargs="?", type=Path, help="take the gallery into this folder")
    folder = parser.parse_args().folder
    if folder is not None:
        gallery(folder)
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        program = Program(Path(temporary) / "data")
        try:
            user = User(None, program, "ada@example.com")  # type: ignore[arg-type]
            user.register()
            user.call("PUT", "/settings/admin", {"rate_limit_per_minute": 0})
            user.chat("Where do herons stand?", title="Herons")
            user.chat("A plan for the garden", title="The garden in spring")
            user.chat("Hello, my name is Ada.", "/markdown", title="First steps")
            take(program, user.email)
        finally:
            program.process.kill()
            program.process.communicate()


if __name__ == "__main__":
    main()
