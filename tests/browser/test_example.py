"""The example project in clients/example, tested as docs/testing.md says (section 11)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import needs_chromium
from tests.browser.pages import serving
from tests.program import ROOT

pytestmark = needs_chromium
PASSWORD = "a good password"
SAID = [
    {"id": "msg_1", "content": "When is Rome quiet?", "sender": "user"},
    {"id": "msg_2", "content": "In November.", "sender": "assistant"},
]
LONG_AGO = "2024-01-01T00:00:00Z"
OLD = [{"id": f"chat_{n}", "title": f"Old {n}", "updated_at": LONG_AGO} for n in range(6)]
SEED = {
    "users": [
        {
            "email": "ada@example.com",
            "password": PASSWORD,
            "access_token": "token-of-ada",
            "chats": [*OLD, {"id": "chat_rome", "title": "Rome", "messages": SAID}],
        },
        {"email": "bob@example.com", "password": PASSWORD, "access_token": "token-of-bob"},
    ],
}


class Backend:
    """The server of this worker."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, method: str, path: str, body: Any = None, token: str = "token-of-ada") -> Any:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/api/v1{path}", method=method, data=data, headers=headers
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            content = response.read()
        return json.loads(content) if content else None

    def rule(self, respond: dict[str, Any], **match: Any) -> None:
        self.call("PUT", "/dev/rules", {"rules": [{"match": match, "respond": respond}]})

    def reply(self, **reply: Any) -> None:
        self.call("PUT", "/dev/replies", {"replies": [{"match": {}, "reply": reply}]})

    def advance(self, seconds: int) -> None:
        self.call("PUT", "/dev/clock", {"advance_seconds": seconds})

    def sent(self, path: str, method: str = "POST") -> list[dict[str, Any]]:
        """The requests that the front end sent, from the journal."""
        entries = self.call("GET", "/dev/journal")["entries"]
        return [e for e in entries if (e.get("method"), e.get("path")) == (method, path)]


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    seed = tmp_path_factory.mktemp("seed") / "seed.json"
    seed.write_text(json.dumps(SEED))
    command = [sys.executable, str(ROOT / "quillium.py"), "--dev", "--sidecar", "--no-discovery"]
    with subprocess.Popen(
        [*command, "--seed", str(seed)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield Backend(json.loads(server.stdout.readline())["url"])
        server.stdin.close()


@pytest.fixture(scope="module")
def front_end_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    site = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "clients" / "example", site, dirs_exist_ok=True)
    shutil.copy(ROOT / "static" / "quillium.js", site)
    with serving(site) as url:
        yield url


@pytest.fixture(autouse=True)
def fresh(backend: Backend) -> None:
    backend.call("POST", "/dev/reset")


class Chat:
    """The front end in a browser of its own."""

    def __init__(self, browser: Browser, backend: Backend, url: str) -> None:
        self.context = browser.new_context()
        self.page: Page = self.context.new_page()
        self.page.goto(f"{url}?api={backend.url}/api/v1")

    def enter(self, email: str = "ada@example.com", how: str = "Sign in") -> Chat:
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.click(how)
        return self

    def online(self, email: str = "ada@example.com") -> Chat:
        self.enter(email)
        expect(self.status).to_have_text("online")
        return self

    def rome(self) -> Chat:
        self.online()
        self.click("Rome")
        expect(self.messages).to_have_count(2)
        return self

    def click(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def say(self, text: str) -> None:
        self.page.get_by_label("Message").fill(text)
        self.click("Send")

    @property
    def status(self) -> Locator:
        return self.page.get_by_role("status")

    @property
    def alert(self) -> Locator:
        return self.page.get_by_role("alert")

    @property
    def chats(self) -> Locator:
        return self.page.locator("#chats button")

    @property
    def messages(self) -> Locator:
        return self.page.locator("#messages li")


@pytest.fixture
def visitor(browser: Browser, backend: Backend, front_end_url: str) -> Iterator[Any]:
    opened: list[Chat] = []

    def visit() -> Chat:
        opened.append(Chat(browser, backend, front_end_url))
        return opened[-1]

    yield visit
    for chat in opened:
        chat.context.close()


@pytest.fixture
def chat(visitor: Any) -> Chat:
    return visitor()  # type: ignore[no-any-return]


def test_signing_in(chat: Chat) -> None:
    chat.online()
    expect(chat.chats.first).to_have_text(re.compile("Rome|Old"))


def test_a_wrong_password(chat: Chat) -> None:
    chat.page.get_by_label("E-mail").fill("ada@example.com")
    chat.page.get_by_label("Password").fill("a wrong password")
    chat.click("Sign in")
    expect(chat.alert).to_contain_text("invalid_credentials")


def test_creating_an_account(chat: Chat) -> None:
    chat.enter("new@example.com", "Create account")
    expect(chat.status).to_have_text("online")
    expect(chat.chats).to_have_count(0)


def test_an_address_that_is_taken(chat: Chat) -> None:
    chat.enter("bob@example.com", "Create account")
    expect(chat.alert).to_contain_text("email_taken")


def test_signing_out(chat: Chat) -> None:
    chat.online()
    chat.click("Sign out")
    expect(chat.page.get_by_label("E-mail")).to_be_visible()


def test_pages_of_chats(chat: Chat) -> None:
    chat.online()
    expect(chat.chats).to_have_count(5)
    chat.click("More")
    expect(chat.chats).to_have_count(7)
    expect(chat.page.locator("#more")).to_be_hidden()


def test_a_search(chat: Chat) -> None:
    chat.online()
    chat.page.get_by_label("Search").fill("quiet")
    expect(chat.chats).to_have_text(["Rome"])


def test_a_history(chat: Chat) -> None:
    chat.rome()
    expect(chat.messages).to_contain_text(["When is Rome quiet?", "In November."])


def test_a_first_message(chat: Chat, backend: Backend) -> None:
    backend.reply(text="Hi Ada!")
    chat.online()
    chat.say("Hello")
    expect(chat.messages).to_contain_text(["Hello", "Hi Ada!"])
    expect(chat.page.get_by_role("heading")).to_have_text("Hello")


def test_a_stream(chat: Chat, backend: Backend) -> None:
    backend.reply(chunks=["So ", "far"], first_after_ms=50, error="model_timeout")
    chat.rome().say("Go on")
    expect(chat.messages.last).to_have_text("So far (model_timeout)")
    expect(chat.messages.last).to_have_class("assistant failed")


def test_stopping(chat: Chat, backend: Backend) -> None:
    backend.reply(chunks=["one ", *["more "] * 1000], tokens_per_second=5)
    chat.rome().say("Count")
    expect(chat.messages.last).to_have_class("assistant streaming")
    expect(chat.messages.last).to_contain_text("one")
    chat.click("Stop")
    expect(chat.messages.last).to_have_class("assistant stopped")


def test_regenerating_and_going_back(chat: Chat, backend: Backend) -> None:
    backend.reply(text="In February.")
    chat.rome().click("Regenerate")
    expect(chat.messages.last).to_contain_text("In February. 2/2")
    chat.click("Other version")
    expect(chat.messages.last).to_contain_text("In November. 1/2")


def test_editing(chat: Chat, backend: Backend) -> None:
    backend.reply(text="In spring.")
    chat.rome()
    chat.page.on("dialog", lambda dialog: dialog.accept("When is Paris quiet?"))
    chat.click("Edit")
    expect(chat.messages).to_contain_text(["When is Paris quiet? 2/2", "In spring."])


def test_an_attachment(chat: Chat, backend: Backend) -> None:
    backend.reply(text="Thanks.")
    chat.rome()
    file = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Rome"}
    chat.page.get_by_label("File").set_input_files(files=file)  # type: ignore[arg-type]
    chat.say("Read this")
    expect(chat.messages.nth(2)).to_contain_text("Read this [notes.txt]")
    user = backend.call("GET", "/dev/seed")["users"][0]
    assert [file["name"] for file in user["files"]] == ["notes.txt"]


def test_offline_and_back(chat: Chat, backend: Backend) -> None:
    backend.reply(text="Welcome back.")
    chat.rome()
    chat.context.set_offline(True)
    chat.say("From a tunnel")
    expect(chat.messages.last).to_have_class("unsent")
    chat.context.set_offline(False)
    expect(chat.messages.last).to_contain_text("Welcome back.")
    user = backend.call("GET", "/chats/chat_rome/messages")["data"]
    assert [message["content"] for message in user].count("From a tunnel") == 1


def test_a_token_that_expires(chat: Chat, backend: Backend) -> None:
    chat.rome()
    backend.advance(901)
    chat.page.get_by_label("Search").fill("quiet")
    expect(chat.chats).to_have_text(["Rome"])
    assert [entry["status"] for entry in backend.sent("/auth/refresh")] == [200]


def test_a_session_that_was_revoked(chat: Chat, backend: Backend) -> None:
    chat.rome()
    backend.rule({"code": "invalid_token"})
    chat.page.get_by_label("Search").fill("quiet")
    expect(chat.page.get_by_label("E-mail")).to_be_visible()


def test_a_rate_limit(chat: Chat, backend: Backend) -> None:
    chat.rome()
    backend.rule({"code": "rate_limited", "retry_after": 1}, path="/chats", method="GET", times=1)
    chat.page.get_by_label("Search").fill("quiet")
    expect(chat.alert).to_have_text("Waiting 1 s")
    expect(chat.chats).to_have_text(["Rome"])


@pytest.mark.parametrize("code", ["internal_error", "quota_exceeded", "forbidden"])
def test_a_request_that_fails(chat: Chat, backend: Backend, code: str) -> None:
    chat.rome()
    backend.rule({"code": code}, path="/chats/{id}", method="DELETE")
    chat.click("Delete chat")
    expect(chat.alert).to_contain_text(code)
    expect(chat.page.get_by_role("heading")).to_have_text("Rome")


def test_a_message_that_is_sent_again(chat: Chat, backend: Backend) -> None:
    backend.reply(text="Yes.")
    chat.rome()
    backend.rule({"code": "storage_unavailable"}, path="/chats/{id}/messages", times=1)
    chat.say("Are you there?")
    expect(chat.messages.last).to_contain_text("Yes.")
    expect(chat.messages).to_have_count(4)


@pytest.mark.parametrize(
    "fault",
    [
        {"close_code": 1011, "cut_after_events": 0},
        {"cut_after_events": 0},
        {"drop": True},
        {"code": "shutting_down"},
        {"latency_ms": 100},
    ],
)
def test_a_socket_that_breaks(chat: Chat, backend: Backend, fault: dict[str, Any]) -> None:
    backend.rule(fault, path="/ws", times=1)
    chat.online()
    assert backend.call("GET", "/dev/rules")["rules"][0]["calls"] >= 1


def test_frames_that_come_twice(chat: Chat, backend: Backend) -> None:
    backend.reply(text="Once.")
    backend.rule({"repeat": True}, path="/ws")
    chat.rome().say("Twice?")
    expect(chat.messages.last).to_have_text("Once.")
    expect(chat.messages).to_have_count(4)


def test_a_resync(chat: Chat, backend: Backend) -> None:
    chat.rome()
    backend.rule({"send_error": "resync_required"}, path="/ws", times=1)
    chat.page.reload()
    expect(chat.status).to_have_text("online")
    expect(chat.chats).to_have_count(5)
    assert backend.call("GET", "/dev/rules")["rules"][0]["calls"] == 1


def test_two_users(visitor: Any) -> None:
    ada, bob = visitor().rome(), visitor().online("bob@example.com")
    ada.say("My secret")
    expect(ada.messages).to_have_count(4)
    expect(bob.chats).to_have_count(0)
    expect(bob.messages).to_have_count(0)


def test_two_devices(visitor: Any, backend: Backend) -> None:
    backend.reply(text="Hi both!")
    one, other = visitor().rome(), visitor().rome()
    one.page.get_by_label("Message").press_sequentially("Hel")
    expect(other.page.locator("#typing")).to_have_text("typing…")
    one.say("Hello")
    for device in (one, other):
        expect(device.messages.last).to_have_text("Hi both!")


def test_a_chat_that_is_deleted(visitor: Any) -> None:
    one, other = visitor().rome(), visitor().rome()
    one.click("Delete chat")
    for device in (one, other):
        expect(device.page.get_by_role("button", name="Rome")).to_have_count(0)
        expect(device.messages).to_have_count(0)


def test_unread_replies(chat: Chat, backend: Backend) -> None:
    backend.reply(text="News.")
    chat.online()
    backend.call("POST", "/chats/chat_rome/messages", {"content": "Anything new?"})
    expect(chat.chats.first).to_have_text("Rome (1)")
