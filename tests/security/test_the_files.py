"""Black-box tests of docs/security.md, "Files", row by row."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.program import run
from tests.security.conftest import Answer, Target

MIB = 1 << 20
MEMORY = 4 * MIB  # bytes that a transfer may cost, besides what the first one makes resident
POLYGLOT = b"GIF89a=1;/*\x00*/alert(document.domain)//<script>alert(1)</script>"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script></svg>"


@pytest.fixture(scope="module")
def token(target: Target) -> str:
    made: str = target.register("files@example.com")["access_token"]
    return made


def upload(target: Target, content: bytes, token: str, query: str = "", **headers: str) -> Answer:
    return target.ask("POST", f"/api/v1/files{query}", content, token, **headers)


def peak(target: Target) -> int:
    """The most bytes that the process has held since `reset_peak`."""
    status = Path(f"/proc/{target.program.process.pid}/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def reset_peak(target: Target) -> None:
    Path(f"/proc/{target.program.process.pid}/clear_refs").write_text("5")


def test_a_file_that_a_browser_would_run(target: Target, token: str) -> None:
    for content, name, declared in (
        (SVG, "picture.svg", "image/svg+xml"),
        (b"<!doctype html><script>alert(1)</script>", "picture.png", "image/png"),
        (POLYGLOT, "picture.js", "text/javascript"),
        (b"%PDF-1.7\n<script>alert(1)</script>", "paper.html", "text/html"),
    ):
        sent = upload(target, content, token, f"?name={name}", Content_Type=declared)
        got = target.ask("GET", f"/api/v1/files/{sent.body['id']}", token=token)
        assert got.raw == content
        assert got.headers["content-type"] in {"text/plain", "image/gif", "application/pdf"}
        assert got.headers["content-disposition"].startswith("attachment;")
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        assert got.headers["cross-origin-resource-policy"] == "same-origin"
        # A page can't even point an element at it: there is no cookie, and no token in the path.
        assert target.ask("GET", f"/api/v1/files/{sent.body['id']}").status == 401


def test_a_name_that_leads_elsewhere(target: Target, token: str) -> None:
    for name, stored in (
        ("..%2F..%2Fquillium.db", "quillium.db"),
        ("C%3A%5Cboot.ini", "boot.ini"),
        ("a%E2%80%AEgpj.exe", "agpj.exe"),
        ("a%0D%0ASet-Cookie:%20x%3D1", "aSet-Cookie: x=1"),
    ):
        sent = upload(target, b"hello", token, f"?name={name}")
        assert sent.body["name"] == stored
        got = target.ask("GET", f"/api/v1/files/{sent.body['id']}", token=token)
        assert "set-cookie" not in got.headers
        assert got.headers["content-disposition"].isascii()


def test_a_file_of_another_user(target: Target, token: str) -> None:
    other = target.register("thief@example.com")["access_token"]
    id = upload(target, b"a secret of ours", token).body["id"]
    chat = target.api("POST", "/chats", {}, other).body["id"]
    for method in ("GET", "DELETE"):
        theirs = target.api(method, f"/files/{id}", token=other)
        unknown = target.api(method, "/files/file_00000000000000000000", token=other)
        assert (theirs.error, theirs.raw) == ("404 not_found", unknown.raw)
    sent = {"content": "Read it to me", "attachments": [id]}
    assert target.api("POST", f"/chats/{chat}/messages", sent, other).error == "404 not_found"
    assert target.api("GET", f"/files/{id}", token=token).raw == b"a secret of ours"


def test_files_that_are_too_large(target: Target, token: str) -> None:
    assert upload(target, b"", token).error == "400 invalid_request"
    assert upload(target, b"x" * (20 * MIB + 1), token).error == "413 payload_too_large"
    assert upload(target, b"x" * (20 * MIB), token).status == 201


def test_large_files_cost_no_memory(target: Target, token: str) -> None:
    content = os.urandom(20 * MIB)
    id = upload(target, content, token).body["id"]
    assert target.ask("GET", f"/api/v1/files/{id}", token=token).raw == content
    for is_upload in (True, False):
        reset_peak(target)
        before = target.memory()
        if is_upload:
            assert upload(target, content, token).status == 201
        else:
            assert target.ask("GET", f"/api/v1/files/{id}", token=token).raw == content
        assert peak(target) - before < MEMORY


def test_a_server_that_is_killed_during_an_upload(start: Any, tmp_path: Path) -> None:
    target = Target(start())
    token = target.register("ada@example.com")["access_token"]
    kept = upload(target, b"kept", token).body
    head = f"POST /api/v1/files HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    with target.connection() as connection:
        connection.sendall(f"{head}Content-Length: {10 * MIB}\r\n\r\n".encode())
        connection.sendall(b"zyzzyva " * (MIB // 2))
        database = tmp_path / "data" / "quillium.db"
        while b"zyzzyva" not in database.with_name("quillium.db-wal").read_bytes():
            assert target.ask("GET", "/health").status == 200
        target.program.process.kill()
        target.program.process.wait()
    again = Target(start())
    token = again.login("ada@example.com").body["access_token"]
    assert again.api("GET", f"/files/{kept['id']}", token=token).raw == b"kept"
    users = again.api("GET", "/users", token=token).body["data"]
    assert users[0]["storage_bytes"] == kept["size"]  # what was cut off counts no more
    assert again.program.stop()[0] == 0
    assert b"zyzzyva" not in database.read_bytes()
    assert run("check", "--data-dir", tmp_path / "data").returncode == 0
