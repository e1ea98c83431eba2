"""Settings: what is saved as it is changed, forms, sessions, API keys, and the admin's settings."""

from __future__ import annotations

import re
import urllib.error
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import PASSWORD, Guard, User, model_server
from tests.program import Program

pytestmark = needs_chromium


def background(page: Page) -> str:
    color: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return color


def test_the_theme(ada: User, context: BrowserContext) -> None:
    other = context.new_page()
    other.goto(ada.program.url)
    expect(other.locator("#composer")).to_be_visible()
    light = background(ada.page)
    theme = ada.settings().get_by_label("Theme")
    with ada.page.expect_response("**/settings/user"):
        theme.select_option("Dark")
    expect(ada.page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = background(ada.page)
    assert dark != light
    assert ada.call("GET", "/settings/user")["theme"] == "dark"
    expect(other.locator("html")).to_have_attribute("data-theme", "dark")
    ada.page.reload(wait_until="commit")
    expect(ada.page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(ada.composer).to_be_visible()
    with ada.page.expect_response("**/settings/user"):
        ada.settings().get_by_label("Theme").select_option("System")
    expect(ada.page.locator("html")).to_have_attribute("data-theme", "system")
    assert background(ada.page) == light
    ada.page.emulate_media(color_scheme="dark")
    assert background(ada.page) == dark


def test_the_language(ada: User) -> None:
    for name, title, account in [
        ("Deutsch", "Einstellungen", "Konto"),
        ("Français", "Réglages", "Compte"),
        ("Español", "Ajustes", "Cuenta"),
        ("中文", "设置", "账号"),
        ("English", "Settings", "Account"),
    ]:
        if not ada.page.locator("dialog").is_visible():
            ada.page.keyboard.press("Control+,")
        picker = ada.page.locator(".panel select").nth(1)
        picker.select_option(name)
        expect(ada.page.locator("dialog h2")).to_have_text(title)
        ada.page.reload()
        expect(ada.page.locator(".user .hidden")).to_have_text(account)
    assert ada.call("GET", "/settings/user")["language"] == "en"


def test_a_language_that_the_page_does_not_speak(ada: User) -> None:
    ada.call("PUT", "/settings/user", {"language": "fr-CA"})
    ada.page.reload()
    expect(ada.page.locator(".user .hidden")).to_have_text("Compte")
    ada.call("PUT", "/settings/user", {"language": "pt-BR"})
    ada.page.reload()
    expect(ada.page.locator(".user .hidden")).to_have_text("Account")


NOTED = """() => {
  // Chromium that nobody sees shows no notifications, and its tabs are never hidden.
  window.shown = [];
  let isHidden = false;
  Object.defineProperty(document, "hidden", {get: () => isHidden});
  window.look = isLookedAt => {
    isHidden = !isLookedAt;
    document.dispatchEvent(new Event("visibilitychange"));
  };
  window.Notification = class {
    static permission = "default";
    static requestPermission = async () => (Notification.permission = "granted");
    constructor(title, {body}) {
      window.shown.push([title, body]);
      window.last = this;
      document.documentElement.dataset.shown = window.shown.length;
    }
    close() {}
  };
}"""


def test_notifications(ada: User, context: BrowserContext) -> None:
    context.add_init_script(f"({NOTED})()")
    chat = ada.chat("Hello")
    ada.page.reload()
    box = ada.settings().get_by_label("Notify me about replies")
    expect(box).to_be_checked()
    ada.button("Allow notifications in this browser").click()
    expect(ada.button("Allow notifications in this browser")).to_have_count(0)
    ada.close()

    def reply(number: int) -> None:
        ada.call("POST", f"/chats/{chat}/messages", {"content": "Thanks"})
        expect(ada.page).to_have_title(f"({number}) Quillium")

    reply(2)
    assert ada.page.evaluate("shown") == []  # the tab is looked at
    ada.page.evaluate("look(false)")
    reply(3)
    expect(ada.page.locator("html")).to_have_attribute("data-shown", "1")
    assert ada.page.evaluate("shown") == [["Hello", "You are welcome."]]

    other = context.new_page()
    other.goto(ada.program.url)
    expect(other.locator("#composer")).to_be_visible()
    reply(4)
    assert len(ada.page.evaluate("shown")) == 1  # another tab is looked at
    other.close()
    ada.call("PUT", "/settings/user", {"notifications_enabled": False})
    ada.page.reload()
    ada.page.evaluate("look(false)")
    reply(5)
    assert ada.page.evaluate("shown") == []
    ada.page.evaluate("look(true)")
    box = ada.settings().get_by_label("Notify me about replies")
    with ada.page.expect_response("**/settings/user"):
        box.check()
    assert ada.call("GET", "/settings/user")["notifications_enabled"] is True


def test_a_notification_leads_to_its_chat(ada: User, context: BrowserContext) -> None:
    context.add_init_script(f"({NOTED})(); Notification.permission = 'granted'")
    ada.page.reload()
    expect(ada.composer).to_be_visible()
    ada.page.evaluate("look(false)")
    ada.chat("Hello")
    expect(ada.page.locator("html")).to_have_attribute("data-shown", "1")
    ada.page.evaluate("last.onclick()")
    expect(ada.heading).to_have_text("Hello")
    expect(ada.page).to_have_title("(1) Hello – Quillium")  # not yet looked at
    ada.page.evaluate("look(true)")
    expect(ada.page).to_have_title("Hello – Quillium")


def test_profile_and_password(ada: User) -> None:
    panel = ada.settings("Account")
    name = panel.get_by_label("Name")
    name.fill("Countess")
    name.press("Enter")
    expect(panel.get_by_text("Saved", exact=True)).to_be_visible()
    assert ada.call("GET", "/users/me")["name"] == "Countess"
    ada.button("Change email").click()
    assert panel.locator("button.primary").count() == 1
    panel.get_by_label("New email").fill(f"new.{ada.email}")
    panel.get_by_label("Current password").fill("wrong password")
    panel.locator("form").get_by_role("button", name="Change email").click()
    expect(panel.locator("form .form-error")).to_contain_text("Wrong email or password")
    expect(panel.get_by_label("New email")).to_have_value(f"new.{ada.email}")
    panel.get_by_label("Current password").fill(PASSWORD)
    panel.locator("form").get_by_role("button", name="Change email").click()
    expect(panel.get_by_text("Email changed.")).to_be_visible()
    expect(panel.locator("form")).to_have_count(0)
    ada.email = f"new.{ada.email}"
    expect(panel.get_by_text(ada.email)).to_be_visible()
    ada.login()
    ada.button("Change password").click()
    panel.get_by_label("New password").fill("a better password")
    panel.get_by_label("Current password").fill(PASSWORD)
    panel.locator("form").get_by_role("button", name="Change password").click()
    expect(panel.get_by_text("Password changed.")).to_be_visible()
    ada.button("Change password").click()
    expect(panel.get_by_label("New password")).to_have_value("")
    ada.button("Cancel").click()
    expect(panel.locator("form")).to_have_count(0)
    with pytest.raises(urllib.error.HTTPError):
        ada.call("GET", "/users/me")  # the other session has ended
    ada.page.reload()
    expect(ada.composer).to_be_visible()  # this one has not


def test_what_can_not_be_saved_stays_as_it_was_typed(ada: User, context: BrowserContext) -> None:
    panel = ada.settings("Account")
    name = panel.get_by_label("Name")
    name.fill("")
    name.press("Tab")
    expect(name).to_have_attribute("aria-invalid", "true")
    assert ada.call("GET", "/users/me")["name"] == "Ada"
    context.route("**/users/me", lambda route: route.abort())
    name.fill("Countess")
    name.press("Tab")
    expect(panel.get_by_role("alert").first).to_contain_text("Can’t reach the server")
    expect(name).to_have_value("Countess")
    expect(panel.get_by_text("Saved", exact=True)).to_have_count(0)
    context.unroute("**/users/me")
    panel.get_by_role("button", name="Try again").click()
    expect(panel.get_by_text("Saved", exact=True)).to_be_visible()
    expect(panel.get_by_role("alert").first).to_be_empty()
    assert ada.call("GET", "/users/me")["name"] == "Countess"
    name.fill("Lovelace")
    expect(panel.get_by_text("Saved", exact=True)).to_have_count(0)  # it isn't, yet
    with ada.page.expect_response("**/users/me"):
        ada.close()  # by Escape, which leaves no field
    assert ada.call("GET", "/users/me")["name"] == "Lovelace"


def test_a_choice_that_can_not_be_saved(ada: User, context: BrowserContext) -> None:
    context.route("**/settings/user", lambda route: route.abort())
    panel = ada.settings()
    theme, box = panel.get_by_label("Theme"), panel.get_by_label("Notify me about replies")
    theme.select_option("Dark")
    box.uncheck()
    expect(ada.button("Try again")).to_have_count(2)
    expect(theme).to_have_value("dark")
    expect(box).not_to_be_checked()
    context.unroute("**/settings/user")
    for left in (1, 0):
        ada.button("Try again").first.click()
        expect(ada.button("Try again")).to_have_count(left)
    settings = ada.call("GET", "/settings/user")
    assert (settings["theme"], settings["notifications_enabled"]) == ("dark", False)


def test_sessions(ada: User) -> None:
    ada.page.evaluate(
        """body => fetch("api/v1/auth/login", {
          method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body),
        })""",
        {"email": ada.email, "password": PASSWORD},
    )
    ada.login()
    panel = ada.settings("Sessions")
    rows = panel.get_by_role("listitem")
    expect(rows).to_have_count(3)
    expect(rows.filter(has_text="Chrome on Linux")).to_have_count(1)
    expect(rows.filter(has_text="This device").get_by_role("button")).to_have_count(0)
    panel.get_by_role("button", name="Sign out Python-urllib").click()
    expect(rows).to_have_count(2)
    with pytest.raises(urllib.error.HTTPError):
        ada.call("GET", "/users/me")


def test_sign_out_everywhere(ada: User) -> None:
    ada.login()
    ada.settings("Sessions")
    with ada.page.expect_response("**/auth/logout"):  # the page does not wait for it
        ada.button("Sign out everywhere").click()
    expect(ada.button("Sign in")).to_be_visible()
    expect(ada.page.get_by_text("Your session has ended")).to_have_count(0)  # it was asked for
    with pytest.raises(urllib.error.HTTPError):
        ada.call("GET", "/users/me")


def test_api_keys(ada: User, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel = ada.settings("API keys")
    expect(panel.get_by_text("No API keys yet")).to_be_visible()
    panel.get_by_label("Key name").fill("laptop")
    panel.get_by_role("button", name="Create key").click()
    made = panel.locator(".made-key")
    key = made.locator("code").inner_text()
    made.get_by_role("button", name="Copy").click()
    expect(made.get_by_role("button")).to_have_text("Copied")
    assert ada.page.evaluate("navigator.clipboard.readText()") == key
    ada.token = key
    assert ada.call("GET", "/users/me")["email"] == ada.email
    expect(panel.locator(".rows li")).to_have_count(1)
    ada.close()
    panel = ada.settings("API keys")
    expect(panel.locator(".rows li")).to_contain_text("laptop")
    expect(panel.locator(".made-key")).to_have_count(0)  # shown once
    panel.get_by_role("button", name="Revoke “laptop”").click()
    expect(panel.get_by_text("No API keys yet")).to_be_visible()
    with pytest.raises(urllib.error.HTTPError):
        ada.call("GET", "/users/me")


@pytest.fixture
def admin(context: BrowserContext, program: Program) -> User:
    user = User(context.new_page(), program)
    user.open(user.register())
    return user


def test_only_the_admin_administers(ada: User) -> None:
    ada.settings()
    expect(ada.page.get_by_role("tab")).to_have_text(
        ["General", "Account", "Sessions", "API keys", "Data"]
    )


def test_administration(admin: User, context: BrowserContext) -> None:
    guard = Guard(context, admin.program.url)
    panel = admin.settings("Server")
    saved = panel.get_by_text("Saved", exact=True)

    def change(act: Callable[[], object]) -> None:
        with admin.page.expect_response("**/settings/admin"):
            act()
        expect(saved).to_have_count(1)  # beside the control that was changed last

    change(lambda: panel.get_by_label("Allow sign-ups").uncheck())
    limit = panel.get_by_label("Requests per minute")
    limit.fill("-1")
    limit.press("Enter")
    expect(limit).to_have_attribute("aria-invalid", "true")
    limit.fill("")  # is no number, least of all 0, which turns the limit off
    admin.close()
    panel = admin.settings("Server")
    expect(limit).to_have_value("100")
    limit.fill("50")
    change(lambda: limit.press("Enter"))
    admin.settings("Models")
    change(lambda: panel.get_by_label("Default model").select_option("quillium-demo"))
    panel.get_by_label("System prompt").fill("Be brief.")
    change(lambda: panel.get_by_label("System prompt").press("Tab"))
    titles = panel.get_by_label("Let models write the titles of chats")
    expect(titles).to_have_accessible_description(re.compile("One more request for each new chat"))
    change(lambda: titles.check())
    assert panel.locator("button.primary").count() == 0
    settings = admin.call("GET", "/settings/admin")
    del settings["updated_at"]
    assert settings == {
        "allow_registration": False,
        "default_model": "quillium-demo",
        "system_prompt": "Be brief.",
        "rate_limit_per_minute": 50,
        "storage_per_user_mib": 1024,
        "titles_by_model": True,
        "providers": [],
        "presets": [],
    }
    admin.close()
    panel = admin.settings("Models")
    expect(panel.get_by_label("System prompt")).to_have_value("Be brief.")
    expect(panel.get_by_label("Default model")).to_have_value("quillium-demo")
    admin.settings("Server")
    expect(panel.get_by_label("Allow sign-ups")).not_to_be_checked()
    expect(limit).to_have_value("50")
    assert guard.noticed == []


def test_providers(admin: User) -> None:
    admin.call("PUT", "/settings/admin", {"rate_limit_per_minute": 0})
    panel = admin.settings("Models")
    provider = panel.locator(".provider")
    with model_server("I was scripted.", key="k-1") as address:
        admin.button("Add provider").click()
        panel.get_by_label("Name").fill("Mine")
        panel.get_by_label("Base URL").fill("http://user:pass@localhost/v1")
        panel.get_by_label("API key").fill("wrong")
        panel.get_by_role("button", name="Save").last.click()
        expect(panel.locator(".form-error").last).to_contain_text("providers.0.base_url")
        panel.get_by_label("Base URL").fill(address)
        panel.get_by_role("button", name="Save").last.click()
        expect(provider).to_contain_text("No models found. Check the base URL")
        provider.get_by_role("button", name="Edit").click()
        expect(panel.get_by_text("A key is saved.")).to_be_visible()
        panel.get_by_label("API key").fill("k-1")
        panel.get_by_role("button", name="Save").last.click()
        expect(provider).to_contain_text("Connected · 1 model")
        expect(provider.locator(".models")).to_have_text("scripted")
        provider.get_by_role("button", name="Edit").click()
        panel.get_by_role(
            "button", name="Save"
        ).last.click()  # an empty key keeps the one that is stored
        expect(provider).to_contain_text("Connected · 1 model")
        admin.close()
        admin.page.get_by_label("Model").select_option("scripted")
        admin.say("Hello", replies=1)
        expect(admin.replies).to_contain_text("I was scripted.")
    admin.settings("Models")
    provider.get_by_role("button", name="Remove").click()
    expect(provider).to_have_count(0)
    assert admin.call("GET", "/settings/admin")["providers"] == []


def test_a_failed_upstream_is_said_in_words(admin: User) -> None:
    with model_server(key="k") as address:
        provider = {"name": "Mine", "base_url": address, "models": ["scripted"]}
        admin.call("PUT", "/settings/admin", {"providers": [provider]})
        admin.page.reload()
        admin.page.get_by_label("Model").select_option("scripted")
        admin.say("Hello", replies=1)
    problem = admin.page.locator(".problem.is-error")
    expect(problem).to_have_text(
        re.compile("ask your administrator to check the provider’s settings")
    )
    admin.button("Try again").click()  # now there is no server
    expect(problem).to_have_text(re.compile("The model isn’t available. Try again, or choose"))
