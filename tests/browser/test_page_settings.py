"""Settings: preferences, account, API keys, and the admin's settings."""

from __future__ import annotations

import re
import urllib.error

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
    dark = background(ada.page)
    assert dark != light
    assert ada.call("GET", "/settings/user")["theme"] == "dark"
    expect(other.locator("html")).to_have_attribute("data-theme", "dark")
    ada.page.reload(wait_until="commit")
    expect(ada.page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(ada.composer).to_be_visible()
    with ada.page.expect_response("**/settings/user"):
        ada.settings().get_by_label("Theme").select_option("System")
    assert background(ada.page) == light
    ada.page.emulate_media(color_scheme="dark")
    assert background(ada.page) == dark


def test_the_language(ada: User) -> None:
    for name, title in [
        ("Deutsch", "Einstellungen"),
        ("Français", "Réglages"),
        ("Español", "Ajustes"),
        ("中文", "设置"),
        ("English", "Settings"),
    ]:
        if not ada.page.locator("dialog").is_visible():
            ada.page.keyboard.press("Control+,")
        picker = ada.page.locator(".panel select").nth(1)
        picker.select_option(name)
        expect(ada.page.locator("dialog h2")).to_have_text(title)
        ada.page.reload()
        expect(ada.page.locator(".user .hidden")).to_have_text(title)
    assert ada.call("GET", "/settings/user")["language"] == "en"


def test_a_language_that_the_page_does_not_speak(ada: User) -> None:
    ada.call("PUT", "/settings/user", {"language": "fr-CA"})
    ada.page.reload()
    expect(ada.button("Se déconnecter")).to_be_visible()
    ada.call("PUT", "/settings/user", {"language": "pt-BR"})
    ada.page.reload()
    expect(ada.button("Sign out")).to_be_visible()


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
    profile, address, password = (panel.locator("form").nth(place) for place in range(3))
    profile.get_by_label("Name").fill("Countess")
    profile.get_by_role("button", name="Save").click()
    expect(ada.page.locator(".user")).to_contain_text("Countess")
    address.get_by_label("Email").fill(f"new.{ada.email}")
    address.get_by_label("Current password").fill("wrong password")
    address.get_by_role("button", name="Save").click()
    expect(address.locator(".form-error")).to_contain_text("Wrong email or password")
    address.get_by_label("Current password").fill(PASSWORD)
    address.get_by_role("button", name="Save").click()
    expect(address.locator(".form-state")).to_have_text("Saved")
    ada.email = f"new.{ada.email}"
    ada.login()
    password.get_by_label("New password").fill("a better password")
    password.get_by_label("Current password").fill(PASSWORD)
    password.get_by_role("button", name="Change password").click()
    expect(password.locator(".form-state")).to_contain_text("Password changed.")
    expect(password.get_by_label("New password")).to_have_value("")
    with pytest.raises(urllib.error.HTTPError):
        ada.call("GET", "/users/me")  # the other session has ended
    ada.page.reload()
    expect(ada.composer).to_be_visible()  # this one has not


def test_sign_out_everywhere(ada: User) -> None:
    ada.login()
    ada.settings("Account")
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
    expect(panel.locator(".keys li")).to_have_count(1)
    ada.close()
    panel = ada.settings("API keys")
    expect(panel.locator(".keys li")).to_contain_text("laptop")
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
    expect(ada.page.get_by_role("tab")).to_have_text(["General", "Account", "API keys"])


def test_administration(admin: User, context: BrowserContext) -> None:
    guard = Guard(context, admin.program.url)
    panel = admin.settings("Server")
    panel.get_by_label("Allow sign-ups").uncheck()
    panel.get_by_label("Default model").select_option("quillium-demo")
    panel.get_by_label("System prompt").fill("Be brief.")
    panel.get_by_label("Requests per minute").fill("50")
    panel.get_by_role("button", name="Save").first.click()
    expect(panel.locator(".form-state").first).to_have_text("Saved")
    settings = admin.call("GET", "/settings/admin")
    del settings["updated_at"]
    assert settings == {
        "allow_registration": False,
        "default_model": "quillium-demo",
        "system_prompt": "Be brief.",
        "rate_limit_per_minute": 50,
        "storage_per_user_mib": 1024,
        "providers": [],
        "presets": [],
    }
    admin.close()
    panel = admin.settings("Server")
    expect(panel.get_by_label("System prompt")).to_have_value("Be brief.")
    expect(panel.get_by_label("Allow sign-ups")).not_to_be_checked()
    expect(panel.get_by_label("Default model")).to_have_value("quillium-demo")
    assert guard.noticed == []


def test_providers(admin: User) -> None:
    admin.call("PUT", "/settings/admin", {"rate_limit_per_minute": 0})
    panel = admin.settings("Server")
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
    admin.settings("Server")
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
