"""The page of a server with a brand, below a base path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import PASSWORD, Guard, User
from tests.program import Program

pytestmark = needs_chromium

SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8">
<script>document.documentElement.setAttribute("data-ran", "yes")</script><rect width="8" height="8"/>
</svg>"""
BRAND = {
    "name": "Acme <b>Chat</b>",
    "icon": "acme.svg",
    "accent": {"light": "#0b6b4f", "dark": "#7fd9b5"},
    "welcome": "How can Acme help, {name}?",
    "hidden": ["suggestions", "sign_up", "shortcuts"],
}


@pytest.fixture
def branded(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Program]:
    (tmp_path / "acme.svg").write_text(SVG)
    (tmp_path / "brand.json").write_text(json.dumps({**BRAND, **getattr(request, "param", {})}))
    flags = (f"--brand={tmp_path / 'brand.json'}", "--base-path=/acme")
    started = Program(tmp_path / "data", *flags)
    yield started
    started.process.kill()
    started.process.communicate()


# How far what is drawn has moved since the page was opened (Web Vitals).
SHIFT = """() => {
  const observer = new PerformanceObserver(() => {});
  observer.observe({type: "layout-shift", buffered: true});
  return observer.takeRecords().reduce((sum, {value}) => sum + value, 0);
}"""


def accent(page: Page) -> str:
    color: str = page.evaluate(
        "getComputedStyle(document.documentElement).getPropertyValue('--accent').trim()"
    )
    return color


@pytest.mark.parametrize("branded", [{"name": "قلم", "welcome": "مرحبا {name}"}], indirect=True)
def test_a_brand_from_right_to_left(context: BrowserContext, branded: Program) -> None:
    user = User(context.new_page(), branded)
    direction = "e => getComputedStyle(e).direction"
    user.register()
    user.page.goto(branded.url)
    user.page.get_by_label("Email").fill(user.email)
    user.page.get_by_label("Password").fill(PASSWORD)
    user.button("Sign in").click()
    expect(user.page.locator(".welcome-title")).to_have_text("مرحبا Ada")
    for place in (".brand", ".welcome-title"):
        assert user.page.locator(place).evaluate(direction) == "rtl"


def test_the_page_of_a_brand(context: BrowserContext, branded: Program) -> None:
    guard = Guard(context, branded.url)
    user = User(context.new_page(), branded)
    page = user.page
    page.goto(f"{branded.url}/")
    expect(user.button("Create account")).to_be_visible()  # the first one, or nobody could enter
    user.register()
    page.goto(f"{branded.url}/")
    expect(user.button("Sign in")).to_be_visible()
    expect(user.button("Create account")).to_have_count(0)
    expect(page).to_have_title("Acme <b>Chat</b>")
    expect(page.get_by_role("heading")).to_have_text("Acme <b>Chat</b>")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    user.button("Sign in").click()
    expect(page.get_by_text("How can Acme help, Ada?")).to_be_visible()
    expect(page.locator(".suggestions")).to_have_count(0)
    user.page.locator(".user").click()
    expect(user.page.get_by_role("menuitem", name="Sign out")).to_be_visible()
    expect(user.page.get_by_role("menuitem", name="Keyboard shortcuts")).to_have_count(0)
    user.page.keyboard.press("Escape")
    page.locator(".transcript").press("?")
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog")
    expect(palette).to_contain_text("Settings")
    expect(palette).not_to_contain_text("Keyboard shortcuts")
    user.close()
    assert page.evaluate(SHIFT) < 0.02
    icon = page.locator(".brand img")
    expect(icon).to_have_js_property("complete", True)
    assert icon.evaluate("image => image.naturalWidth") > 0  # not broken
    assert accent(page) == "#0b6b4f"
    page.emulate_media(color_scheme="dark")
    assert accent(page) == "#7fd9b5"
    for colours in ("light", "dark"):
        page.emulate_media(color_scheme=colours)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{colours}: {found.generate_report()}"
    user.say("Hello", replies=1)
    expect(page).to_have_title("Hello – Acme <b>Chat</b>")
    page.goto(f"{branded.url}/brand/icon")  # a page of its own, whose script is not run
    assert page.evaluate("document.documentElement.dataset.ran") is None
    assert guard.expected == []
    assert [text for text in guard.noticed if "sandboxed" not in text] == []


@pytest.mark.parametrize("branded", [{"name": "W" * 40, "welcome": "W" * 200}], indirect=True)
@pytest.mark.parametrize("width", [320, 1280])
def test_a_name_that_is_very_long(context: BrowserContext, branded: Program, width: int) -> None:
    user = User(context.new_page(), branded)
    user.page.set_viewport_size({"width": width, "height": 800})
    user.page.goto(f"{branded.url}/")
    expect(user.button("Create account")).to_be_visible()
    assert wider_than_its_place(user.page, ".entrance") is False
    user.page.get_by_label("Email").fill(user.email)
    user.page.get_by_label("Password").fill(PASSWORD)
    user.button("Create account").click()
    expect(user.page.locator(".welcome-title")).to_be_visible()
    assert wider_than_its_place(user.page, ".transcript") is False
    if width == 1280:
        assert wider_than_its_place(user.page, ".sidebar") is False


def wider_than_its_place(page: Page, selector: str) -> bool:
    """Whether something in an element is cut off at its side, or has to be scrolled to."""
    is_wider: bool = page.locator(selector).evaluate("e => e.scrollWidth > e.clientWidth")
    return is_wider
