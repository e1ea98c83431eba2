"""Creating an account, signing in, and sessions that end."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import PASSWORD, Guard, User
from tests.program import Program

pytestmark = needs_chromium


def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        page.locator(f"input[name={name}]").fill(value)


def test_the_first_account_is_told_that_it_is_the_admin(
    context: BrowserContext, program: Program
) -> None:
    guard = Guard(context, program.url)
    first, second = (User(context.new_page(), program) for _ in range(2))
    page = first.page
    page.goto(program.url)
    expect(page.get_by_text("You’ll be the administrator of this server.")).to_be_visible()
    fill(page, name="Ada", email=first.email, password=PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("What can I help with, Ada?")).to_be_visible()
    expect(first.notice("You’re the administrator")).to_be_visible()
    first.account("Sign out")
    expect(page.get_by_text("Welcome back")).to_be_visible()  # known here by now
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("administrator")).to_have_count(0)  # it is no longer true
    fill(page, email=second.email, password=PASSWORD)
    page.keyboard.press("Enter")
    expect(first.composer).to_be_visible()
    expect(first.notice("admin")).to_have_count(0)
    assert guard.noticed == []


def test_errors_say_what_to_do(context: BrowserContext, guard: Guard, served: Program) -> None:
    user = User(context.new_page(), served)
    user.register()
    page = user.page
    page.goto(served.url)
    fill(page, email=user.email, password=PASSWORD)
    user.button("Create account").click()
    alert = page.locator(".form-error")
    expect(alert).to_have_text(re.compile("An account with this email already exists"))
    user.button("Sign in").click()
    fill(page, email=user.email, password="a wrong password")
    page.keyboard.press("Enter")
    expect(alert).to_have_text("Wrong email or password. Try again.")
    expect(page.locator("input[name=email]")).to_have_value(user.email)  # nothing is lost
    fill(page, password=PASSWORD)
    page.keyboard.press("Enter")
    expect(user.composer).to_be_visible()
    page.reload()
    expect(user.composer).to_be_visible()  # a session outlives a reload


def test_too_many_failures(context: BrowserContext, guard: Guard, served: Program) -> None:
    user = User(context.new_page(), served)
    user.page.goto(served.url)
    user.button("Sign in").click()
    fill(user.page, email="nobody@example.com", password="wrong")
    for _ in range(11):
        with user.page.expect_response("**/login"):
            user.button("Sign in").click()
    expect(user.page.locator(".form-error")).to_have_text(
        re.compile(r"Too many attempts. Try again in \d+ seconds.")
    )


def test_registration_that_is_closed(context: BrowserContext, program: Program) -> None:
    admin = User(context.new_page(), program)
    admin.register()
    admin.call("PUT", "/settings/admin", {"allow_registration": False})
    open_before = context.new_page()
    admin.call("PUT", "/settings/admin", {"allow_registration": True})
    open_before.goto(program.url)
    expect(open_before.get_by_role("button", name="Create account")).to_be_visible()
    admin.call("PUT", "/settings/admin", {"allow_registration": False})
    admin.page.goto(program.url)
    expect(admin.button("Sign in")).to_be_visible()
    expect(admin.button("Create account")).to_have_count(0)  # only what is possible is offered
    fill(open_before, email="late@example.com", password=PASSWORD)
    open_before.keyboard.press("Enter")
    expect(open_before.locator(".form-error")).to_have_text(
        re.compile("Ask your administrator for an account")
    )


def test_a_session_that_ends_elsewhere_keeps_what_was_written(ada: User) -> None:
    chat = ada.chat("Hello")
    ada.page.goto(f"{ada.program.url}/#{chat}")
    expect(ada.replies).to_have_count(1)
    ada.composer.fill("half a thought")
    ada.program.call("POST", "/api/v1/auth/login", {"email": ada.email, "password": PASSWORD})
    ada.login()
    ada.call("POST", "/auth/logout", {"everywhere": True})
    expect(ada.page.get_by_text("Your session has ended. Sign in to continue")).to_be_visible()
    fill(ada.page, email=ada.email, password=PASSWORD)
    ada.page.keyboard.press("Enter")
    expect(ada.composer).to_have_value("half a thought")
    expect(ada.heading).to_have_text("Hello")


def test_tabs_sign_out_together(ada: User, context: BrowserContext) -> None:
    other = User(context.new_page(), ada.program)
    other.page.goto(ada.program.url)
    expect(other.composer).to_be_visible()
    ada.account("Sign out")
    expect(other.button("Sign in")).to_be_visible()


def test_the_browsers_language_is_kept(context: BrowserContext, served: Program) -> None:
    german = context.browser
    assert german is not None
    with german.new_context(locale="de-AT") as opened:
        guard = Guard(opened, served.url)
        user = User(opened.new_page(), served)
        user.page.goto(served.url)
        expect(user.button("Konto erstellen")).to_be_visible()
        fill(user.page, name="Ada", email=user.email, password=PASSWORD)
        user.page.keyboard.press("Enter")
        expect(user.page.get_by_text("Womit kann ich helfen, Ada?")).to_be_visible()
        user.login()
        assert user.call("GET", "/settings/user")["language"] == "de"
        assert user.page.locator("html").get_attribute("lang") == "de"
        assert guard.noticed == []
