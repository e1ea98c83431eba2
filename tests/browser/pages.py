"""A user of the page: actions, what is displayed, and checks that hold everywhere."""

from __future__ import annotations

import http.server
import itertools
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, expect

from tests.program import ROOT, Program, free_port

PASSWORD = "a good password"
numbers = itertools.count(1)
GALLERY = ROOT / "static" / "page" / "gallery"
# The names of the gallery's states.
STATES = re.findall(r"^  (\w+): \{", (GALLERY / "states.js").read_text(), re.MULTILINE)

# What Chromium itself writes when an answer is an error, or when there is none.
EXPECTED = re.compile(r"Failed to load resource|WebSocket connection to .* failed")


class Server:
    """A server that can be killed and started again at the same address."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._port = free_port()
        self.start()

    def start(self) -> None:
        self.program = Program(self._data, f"--port={self._port}")
        assert self.program.url, self.program.first_line

    def kill(self) -> None:
        self.program.process.kill()
        self.program.process.communicate()


class Guard:
    """Notes what must not happen in any tab of a context."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.noticed: list[str] = []
        self.expected: list[str] = []
        self._own = (url, url.replace("http", "ws", 1), "data:", "blob:")
        context.on("console", self._console)
        context.on("weberror", lambda error: self.noticed.append(f"error: {error.error.stack}"))
        context.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            is_expected = EXPECTED.match(message.text) is not None
            (self.expected if is_expected else self.noticed).append(message.text)

    def _request(self, request: Request) -> None:
        if not request.url.startswith(self._own):
            self.noticed.append(f"request: {request.url}")


class User:
    """Somebody with an account, and one tab of theirs."""

    def __init__(self, page: Page, program: Program, email: str = "") -> None:
        self.page = page
        self.program = program
        self.email = email or f"user{next(numbers)}@example.com"
        self.token = ""

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return self.program.call(method, f"/api/v1{path}", body, self.token)

    def register(self) -> dict[str, Any]:
        """Make the account by the API; the tokens."""
        body = {"email": self.email, "password": PASSWORD, "name": "Ada"}
        tokens: dict[str, Any] = self.program.call("POST", "/api/v1/auth/register", body)
        self.token = tokens["access_token"]
        return tokens

    def login(self) -> dict[str, Any]:
        body = {"email": self.email, "password": PASSWORD}
        tokens: dict[str, Any] = self.program.call("POST", "/api/v1/auth/login", body)
        self.token = tokens["access_token"]
        return tokens

    def open(self, tokens: dict[str, Any], fragment: str = "") -> None:
        """Open the page as somebody who has signed in here before."""
        kept = json.dumps({name: tokens[name] for name in ("access_token", "refresh_token")})
        # Once, or signing out would not last.
        self.page.goto(f"{self.program.url}/health")
        self.page.evaluate(
            """kept => {
              const ends_at = Date.now() + 800_000;
              localStorage.quillium = JSON.stringify({...JSON.parse(kept), ends_at});
            }""",
            kept,
        )
        self.page.goto(f"{self.program.url}/{fragment}")
        expect(self.composer).to_be_visible()

    # What is seen

    @property
    def composer(self) -> Locator:
        return self.page.locator("#composer")

    @property
    def shown(self) -> str:
        """The id of the chat that is shown."""
        expect(self.page).to_have_url(re.compile("#chat_"))
        return self.page.url.partition("#")[2]

    @property
    def replies(self) -> Locator:
        """Those that are written to their end."""
        return self.page.locator(".reply[aria-busy=false]")

    @property
    def said(self) -> Locator:
        return self.page.locator(".said .words")

    @property
    def chats(self) -> Locator:
        return self.page.locator(".chat-title")

    @property
    def heading(self) -> Locator:
        return self.page.locator("h1")

    def button(self, name: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("button", name=name)

    def notice(self, text: str | re.Pattern[str]) -> Locator:
        return self.page.locator(".notice", has_text=text)

    # What is done

    def say(self, text: str, replies: int | None = None) -> None:
        """Say it, and wait until there are so many replies."""
        self.composer.fill(text)
        self.composer.press("Enter")
        if replies is not None:
            expect(self.replies).to_have_count(replies)

    def choose(self, title: str, action: str) -> None:
        """An action of the menu of a chat."""
        row = self.page.locator(".chat-row", has_text=title)
        row.get_by_role("button").click()
        self.page.get_by_role("menuitem", name=action, exact=True).click()

    def account(self, action: str) -> None:
        """An action of the menu of the account."""
        self.page.locator(".user").click()
        self.page.get_by_role("menuitem", name=action, exact=True).click()

    def settings(self, part: str = "General") -> Locator:
        """Open a part of the settings."""
        if not self.page.locator("dialog.settings").is_visible():
            self.page.keyboard.press("Control+,")
        self.page.get_by_role("tab", name=part).click()
        return self.page.get_by_role("tabpanel")

    def close(self) -> None:
        """Close the dialog that is open."""
        self.page.keyboard.press("Escape")
        expect(self.page.locator("dialog")).to_have_count(0)

    def chat(self, *said: str, title: str | None = None) -> str:
        """A chat that is made by the API, each message of it answered; its id."""
        chat: str = self.call("POST", "/chats", {"title": title} if title else {})["id"]
        for content in said:
            self.continue_chat(chat, content)
        return chat

    def continue_chat(self, chat: str, content: str) -> None:
        """Say something by the API; return when it is answered."""
        self.call("POST", f"/chats/{chat}/messages", {"content": content})
        self._wait_for_reply(chat)

    def imported(self, count: int, title: str = "Long") -> str:
        """A chat of so many messages, "Message 1" to the last; its id."""
        time = "2026-01-01T00:00:00.000Z"
        senders = itertools.cycle(["user", "assistant"])
        body = {
            "format": "quillium-chat",
            "version": 1,
            "chat": {"title": title, "model": "quillium-demo"},
            "messages": [
                {"content": f"Message {number}", "sender": sender, "timestamp": time}
                for number, sender in zip(range(1, count + 1), senders)
            ],
        }
        chat: str = self.call("POST", "/chats/import", body)["id"]
        return chat

    def _wait_for_reply(self, chat: str) -> None:
        for _ in range(10_000):
            last = self.call("GET", f"/chats/{chat}")["last_message"]
            if last["sender"] == "assistant" and last["status"] != "streaming":
                return
        raise AssertionError("no reply came")


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve the files of a folder from another port of this machine; yield the address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_: Any) -> None:
            pass

    with running(Quiet) as port:
        yield f"http://localhost:{port}/"


@contextmanager
def model_server(*replies: str, key: str = "") -> Iterator[str]:
    """An OpenAI-compatible server whose model `scripted` says what it is given; its address."""
    left = list(replies)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(json.dumps({"data": [{"id": "scripted"}]}), "application/json")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            said = left.pop(0) if left else ""
            choice = {"index": 0, "delta": {"content": said}, "finish_reason": None}
            event = f"data: {json.dumps({'choices': [choice]})}\n\ndata: [DONE]\n\n"
            self._answer(event, "text/event-stream")

        def _answer(self, text: str, type: str) -> None:
            is_allowed = not key or self.headers["Authorization"] == f"Bearer {key}"
            body = text.encode() if is_allowed else b"{}"
            self.send_response(200 if is_allowed else 401)
            self.send_header("Content-Type", type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with running(Handler) as port:
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def running(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[int]:
    """An HTTP server on this machine, in a thread; its port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()
