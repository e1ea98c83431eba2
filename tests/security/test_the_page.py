"""Black-box tests of docs/security.md, "The page and model output", row by row."""

from __future__ import annotations

import http.server
import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Dialog, expect

from tests.browser.conftest import (  # noqa: F401
    ada,
    browser,
    context,
    guard,
    needs_chromium,
    served,
)
from tests.browser.pages import User, running
from tests.security.conftest import Target

CSP = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:",
    "font-src 'self'", "connect-src 'self'", "base-uri 'none'", "form-action 'self'",
    "frame-ancestors 'none'", "manifest-src 'self'",
}  # fmt: skip


@pytest.fixture(scope="module")
def admin(target: Target) -> str:
    return target.admin


@pytest.mark.parametrize("path", ["/", "/docs", "/static/quillium.js", "/static/index.html"])
def test_the_headers_of_pages(target: Target, path: str) -> None:
    headers = target.ask("GET", path).headers
    assert set(headers["content-security-policy"].split("; ")) == CSP
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in headers


@pytest.mark.parametrize("path", ["/api/v1/chats", "/health", "/no", "/openai/v1/models"])
def test_data_that_is_opened_as_a_page_does_nothing(target: Target, admin: str, path: str) -> None:
    headers = target.ask("GET", path, token=admin).headers
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"


def test_https_is_insisted_on(target: Target, launched: Any) -> None:
    """Only where a trusted proxy says that the client used it (RFC 6797, section 7.2)."""
    said = {"X_Forwarded_Proto": "https"}
    for path in ("/", "/health", "/api/v1/no"):
        assert "strict-transport-security" not in target.ask("GET", path, **said).headers
    behind: Target = launched("--trusted-proxy")
    for path in ("/", "/health", "/api/v1/no", "/api/v1/ws", "/static/quillium.js"):
        sent = behind.ask("GET", path, **said).headers
        assert sent["strict-transport-security"] == "max-age=31536000"
        assert "strict-transport-security" not in behind.ask("GET", path).headers


def test_no_answer_of_the_api_is_a_page(target: Target, admin: str) -> None:
    """Nothing that somebody said can be opened as HTML or script of ours."""
    hostile = "<script>alert(1)</script>"
    chat = target.api("POST", "/chats", {"title": hostile}, admin).body["id"]
    for path in (
        f"/chats/{chat}",
        f"/chats/{chat}/export?format=markdown",
        f"/{hostile}",
        "/chats",
    ):
        headers = target.ask("GET", f"/api/v1{path}", token=admin).headers
        assert headers["content-type"].startswith(("application/json", "text/markdown"))
        assert headers["x-content-type-options"] == "nosniff"
    export = target.ask("GET", f"/api/v1/chats/{chat}/export?format=markdown", token=admin)
    assert export.headers["content-disposition"].startswith("attachment")


@needs_chromium
def test_what_a_model_says_and_titles_are_shown_and_not_run(ada: User) -> None:  # noqa: F811
    """The guard sees every request to elsewhere and every breach of the policy. More of these
    words are in tests/browser/test_page_conversation.py."""
    title = "<img src=x onerror=alert(1)>"
    said = (
        "# <svg onload=alert(1)>\n[a](javascript:alert(1)) [b](https://evil.example)\n"
        "![c](https://evil.example/pixel.png) <iframe src=//evil.example></iframe>\n"
        '<a href="#" id="__proto__" name="body">d</a> <form action=//evil.example><input></form>'
        "\n```html\n</code></pre><script>alert(1)</script>\n```\n<base href=//evil.example/>"
    )
    export = {
        "format": "quillium-chat",
        "version": 1,
        "chat": {"title": title, "model": "<b>m</b>"},
        "messages": [
            {"content": said, "sender": sender, "timestamp": "2026-01-01T00:00:00.000Z"}
            for sender in ("user", "assistant")
        ],
    }
    dialogs: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    ada.page.on("dialog", dismiss)
    chat = ada.call("POST", "/chats/import", export)["id"]
    ada.page.goto(f"{ada.program.url}/#{chat}")
    page = ada.page
    expect(page.get_by_text(title).first).to_be_visible()
    link = page.get_by_role("link", name="b", exact=True)
    expect(link.last).to_have_attribute("rel", "noopener noreferrer")
    assert page.locator("iframe, main form[action], base, svg[onload], [onerror]").count() == 0
    assert page.locator('a[href^="javascript:" i], img[src^="http"]').count() == 0
    assert dialogs == []


# Upstreams


class Hostile(http.server.BaseHTTPRequestHandler):
    """An upstream that tells what it was sent, at length, or leads elsewhere."""

    protocol_version = "HTTP/1.1"
    mode = "error"
    seen: list[str]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).seen.append(self.path)
        if self.mode == "redirect":
            self.send_response(302)
            self.send_header(
                "Location", f"http://127.0.0.1:{self.headers['Host'].partition(':')[2]}/else"
            )
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.mode == "endless":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            piece = {"choices": [{"delta": {"content": "x" * 1_000_000}}]}
            try:
                for _ in range(50):
                    self.wfile.write(b"data: %s\n\n" % json.dumps(piece).encode())
            except OSError:
                pass
            return
        told = f"<html>{'E' * 100_000} {self.headers['Authorization']} \x1b[31m".encode()
        self.send_response(401)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[str]:
    Hostile.seen = []
    with running(Hostile) as port:
        yield f"http://127.0.0.1:{port}/v1"


KEY = "sk-a-secret-that-nobody-may-see"


def configure(target: Target, admin: str, url: str, **more: Any) -> Any:
    provider = {"name": "Evil", "base_url": url, "models": ["evil"], **more}
    return target.api("PUT", "/settings/admin", {"providers": [provider]}, admin)


def reply(target: Target, admin: str) -> Any:
    """The last message of a turn with the hostile model."""
    chat = target.api("POST", "/chats", {"model": "evil"}, admin).body["id"]
    turn = target.ask(
        "POST", f"/api/v1/chats/{chat}/messages", {"content": "Hi"}, admin,
        Accept="text/event-stream",
    )  # fmt: skip
    assert turn.status == 200
    newest = f"/chats/{chat}/messages?order=desc&limit=1"  # a page ends before 4 MiB
    return target.api("GET", newest, token=admin).body["data"][0]


def test_an_upstreams_error_of_whatever_size(target: Target, admin: str, upstream: str) -> None:
    Hostile.mode = "error"
    configure(target, admin, upstream, api_key=KEY)
    with target.bounded():
        failed = reply(target, admin)
    assert failed["status"] == "failed"
    assert failed["error"]["code"] == "model_refused"
    assert len(failed["error"]["details"]) < 400
    for answer in (failed, target.api("GET", "/settings/admin", token=admin).body):
        assert KEY not in json.dumps(answer)
    chat = failed["chat_id"]
    assert KEY.encode() not in target.ask("GET", f"/api/v1/chats/{chat}/export", token=admin).raw


def test_redirects_of_an_upstream_are_not_followed(
    target: Target, admin: str, upstream: str
) -> None:
    Hostile.mode = "redirect"
    configure(target, admin, upstream, api_key=KEY)
    assert reply(target, admin)["error"]["code"] == "model_unavailable"
    assert Hostile.seen == ["/v1/chat/completions"]


def test_an_answer_over_8_mib_is_cut_off(target: Target, admin: str, upstream: str) -> None:
    Hostile.mode = "endless"
    configure(target, admin, upstream)
    failed = reply(target, admin)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "model_unavailable")
    assert len(failed["content"]) <= 8 << 20


@pytest.mark.parametrize(
    "url",
    ["ftp://example.com/v1", "file:///etc/passwd", "http://user:pw@example.com/v1", "example.com",
     "http://169.254.169.254/latest", "http://[fe80::1]/v1", "http://[::ffff:169.254.169.254]/v1",
     "http://2852039166/v1", "http://0xA9FEA9FE/v1", "javascript:alert(1)", "http://", "//x/v1"],
)  # fmt: skip
def test_a_base_url_that_leads_where_it_may_not(target: Target, admin: str, url: str) -> None:
    """2852039166 and 0xA9FEA9FE are 169.254.169.254: refused when stored, or when resolved."""
    answer = configure(target, admin, url)
    if answer.status == 200:
        failed = reply(target, admin)
        assert failed["error"]["code"] == "model_unavailable"
        assert "link-local" in failed["error"]["details"]
    else:
        assert answer.error == "400 invalid_request"
        assert "base_url" in answer.body["error"]["details"]


def test_a_new_base_url_forgets_the_key(target: Target, admin: str, upstream: str) -> None:
    configure(target, admin, "http://127.0.0.1:9/v1", api_key=KEY)
    kept = configure(target, admin, "http://127.0.0.1:9/v1").body["providers"][0]
    assert kept["api_key_set"] is True
    moved = configure(target, admin, upstream).body["providers"][0]
    assert moved["api_key_set"] is False
