"""Files: upload, download, deletion, and messages with attachments: contract, section 6."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from typing import Any

import pytest

import schemas
from core import fairness
from services.uploads import MAX_BYTES
from tests.conftest import Client
from tests.handlers.raw import raw
from web import responding

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


async def upload(
    client: Client, content: bytes, name: str = "a.txt", content_type: str = "text/plain"
) -> dict[str, Any]:
    answer = await client(
        "POST /files", content, query={"name": name}, headers={"Content-Type": content_type}
    )
    assert answer.status == 201, answer.body
    file: dict[str, Any] = answer.body
    return file


async def until_stored(rooms: Any, files: int) -> None:
    """Wait until the database has this many files, with those that are being removed."""

    def count(connection: Any) -> int:
        return int(connection.execute("SELECT COUNT(*) FROM files").fetchone()[0])

    async with asyncio.timeout(20):
        while rooms.db.read(count) != files:
            await asyncio.sleep(0.01)


async def test_upload_and_download(ada: Client) -> None:
    file = await upload(ada, PNG, "Übersicht.png", "image/png")
    assert list(file) == ["id", "name", "content_type", "size", "created_at"]
    assert file["id"].startswith("file_")
    assert (file["name"], file["content_type"], file["size"]) == (
        "Übersicht.png", "image/png", len(PNG),
    )  # fmt: skip
    got = await ada("GET /files/{id}", id=file["id"])
    assert (got.status, got.raw) == (200, PNG)
    assert got.headers["Content-Type"] == "image/png"
    assert got.headers["Content-Length"] == str(len(PNG))
    assert got.headers["Content-Disposition"] == (
        "attachment; filename=\"_bersicht.png\"; filename*=UTF-8''%C3%9Cbersicht.png"
    )
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert got.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert got.headers["Cache-Control"] == "no-store"
    head = await ada("HEAD /files/{id}", id=file["id"])
    assert (head.raw, head.headers["Content-Length"]) == (b"", str(len(PNG)))


@pytest.mark.parametrize(
    ("content", "name", "declared", "content_type"),
    [
        (SVG, "image.svg", "image/svg+xml", "text/plain"),
        (b"<!doctype html><script>alert(1)</script>", "a.png", "image/png", "text/plain"),
        (b"GIF89a=1;/*\x00*/alert(1)", "a.js", "text/javascript", "image/gif"),
        (b"%PDF-1.4\n\x00", "a.html", "text/html", "application/pdf"),
        (b"MZ\x90\x00", "a.txt", "text/plain", "application/octet-stream"),
    ],
)
async def test_types_are_detected(
    ada: Client, content: bytes, name: str, declared: str, content_type: str
) -> None:
    file = await upload(ada, content, name, declared)
    assert file["content_type"] == content_type
    got = await ada("GET /files/{id}", id=file["id"])
    assert got.headers["Content-Type"] == content_type
    assert got.headers["Content-Disposition"].startswith("attachment; ")


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("../../etc/passwd", "passwd"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("👩‍👩‍👧 & more.txt", "👩‍👩‍👧 & more.txt"),
        ("", "file"),
    ],
)
async def test_names(ada: Client, name: str, stored: str) -> None:
    file = await upload(ada, b"hello", name)
    assert file["name"] == stored
    got = await ada("GET /files/{id}", id=file["id"])
    assert got.headers["Content-Disposition"].isascii()


async def test_what_is_refused(ada: Client, anyone: Client) -> None:
    assert (await ada("POST /files", b"")).details == "The file is empty."
    assert (await anyone("POST /files", b"hello")).error == "401 unauthorized"
    assert (await ada("GET /files")).error == "405 method_not_allowed"
    assert (await ada("PUT /files", b"x" * 100_000)).error == "405 method_not_allowed"
    packed = await ada("POST /files", b"hello", headers={"Content-Encoding": "gzip"})
    assert packed.error == "415 unsupported_media_type"
    twice = await ada("POST /files?name=a&name=b", b"hello")
    assert twice.details == "name: given more than once"
    evil = await ada("POST /files", b"hello", headers={"Origin": "https://evil.example"})
    assert evil.error == "403 forbidden"
    preflight = await ada("OPTIONS /files", headers={"Origin": "https://evil.example"})
    assert preflight.error == "403 forbidden"


async def test_the_size_limit(ada: Client) -> None:
    too_large = await ada("POST /files", b"x" * (MAX_BYTES + 1))
    assert too_large.error == "413 payload_too_large"
    assert (await upload(ada, b"x" * MAX_BYTES))["size"] == MAX_BYTES


async def test_a_chunked_upload(ada: Client, rooms: Any) -> None:
    def request(size: int) -> bytes:
        head = (
            "POST /api/v1/files HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
            f"Connection: close\r\nAuthorization: Bearer {ada.credential}\r\n\r\n"
        ).encode()
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        rest = b"%x\r\n%s\r\n" % (size % 65536, b"x" * (size % 65536)) if size % 65536 else b""
        return head + chunk * (size // 65536) + rest + b"0\r\n\r\n"

    status, _, body = await raw(ada.base_url, request(300_000))
    assert (status.split()[1], json.loads(body)["size"]) == ("201", 300_000)
    status, _, body = await raw(ada.base_url, request(MAX_BYTES + 1))
    assert (status.split()[1], json.loads(body)["error"]["code"]) == ("413", "payload_too_large")
    await until_stored(rooms, 1)


async def test_the_quota(ada: Client, rooms: Any) -> None:
    await ada("PUT /settings/admin", {"storage_per_user_mib": 1})
    await upload(ada, b"x" * 900_000)
    refused = await ada("POST /files", b"x" * 200_000)
    assert refused.error == "403 quota_exceeded"
    assert (await upload(ada, b"x" * 100_000))["size"] == 100_000


async def test_a_client_that_leaves(ada: Client, rooms: Any) -> None:
    host, port = ada.base_url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        "POST /api/v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n"
        f"Authorization: Bearer {ada.credential}\r\n\r\n".encode()
        + b"x" * 1_000_000
    )

    await until_stored(rooms, 1)
    writer.close()
    await until_stored(rooms, 0)
    assert await upload(ada, b"another")


async def test_deletion(ada: Client) -> None:
    file = await upload(ada, b"hello")
    assert (await ada("DELETE /files/{id}", id=file["id"])).status == 204
    for operation in ("GET /files/{id}", "DELETE /files/{id}"):
        assert (await ada(operation, id=file["id"])).error == "404 not_found"


async def test_files_of_others(ada: Client, anyone: Client) -> None:
    bob = await anyone.register("bob@example.com")
    file = await upload(ada, b"hello")
    chat = await bob.chat()
    for operation in ("GET /files/{id}", "DELETE /files/{id}"):
        theirs = await bob(operation, id=file["id"])
        unknown = await bob(operation, id="file_0000")
        assert (theirs.status, theirs.body) == (unknown.status, unknown.body)
    sent = {"content": "Look", "attachments": [file["id"]]}
    assert (await bob("POST /chats/{id}/messages", sent, id=chat)).error == "404 not_found"
    assert (await ada("GET /files/{id}", id=file["id"])).raw == b"hello"


async def test_messages_with_files(ada: Client) -> None:
    chat = await ada.chat()
    socket = await ada.socket()
    files = [await upload(ada, PNG, "a.png"), await upload(ada, b"hello", "b.txt")]
    sent = {"content": "Look", "attachments": [files[0]["id"], files[1]], "client_id": "c1"}
    answer = await ada("POST /chats/{id}/messages", sent, id=chat)
    assert answer.body["attachments"] == files
    framed = await socket.until("message", sender="user")
    assert framed["attachments"] == files
    assert (await socket.reply())["attachments"] == []
    listed = (await ada("GET /chats/{id}/messages", id=chat)).body["data"]
    assert [message["attachments"] for message in listed] == [files, []]
    again = await ada("POST /chats/{id}/messages", answer.body, id=chat)  # as it was received
    assert (again.status, again.body) == (200, answer.body)
    other = await ada("POST /chats/{id}/messages", {**sent, "attachments": []}, id=chat)
    assert other.error == "409 conflict"
    assert (await ada("DELETE /files/{id}", id=files[0]["id"])).error == "409 conflict"
    replayed = await ada.socket(since=0)
    assert (await replayed.until("message", sender="user"))["attachments"] == files
    await socket.send("message", chat_id=chat, content="Again", attachments=[files[1]["id"]])
    assert (await socket.until("message", content="Again"))["attachments"] == files[1:]
    await socket.reply()
    await ada("DELETE /chats/{id}", id=chat)
    for file in files:
        assert (await ada("GET /files/{id}", id=file["id"])).error == "404 not_found"


@pytest.mark.parametrize(
    ("attachments", "details"),
    [
        ("file_1", "attachments: a string, expected a list"),
        ([1], "attachments.0: a number, expected a string"),
        (["file_1"] * 11, "attachments: 11 items, at most 10"),
        (["file_unknown"], "There is no such file."),
    ],
)
async def test_attachments_that_are_refused(ada: Client, attachments: Any, details: str) -> None:
    chat = await ada.chat()
    body = {"content": "Look", "attachments": attachments}
    answer = await ada("POST /chats/{id}/messages", body, id=chat)
    assert answer.details == details
    assert (await ada("GET /chats/{id}/messages", id=chat)).body["data"] == []


async def test_many_uploads_at_once(ada: Client, anyone: Client) -> None:
    """All arrive, while another account's requests are served."""
    bob = await anyone.register("bob@example.com")
    content = b"x" * 600_000
    assert fairness.UPLOADS_EACH < 20
    uploading = [asyncio.ensure_future(upload(ada, content, str(n))) for n in range(20)]
    for _ in range(20):
        assert await bob.chat()
    files = await asyncio.gather(*uploading)
    assert {file["size"] for file in files} == {len(content)}


async def test_exports_have_files(ada: Client, anyone: Client) -> None:
    """Also those of several pieces, once each; another account can import them."""
    bob = await anyone.register("bob@example.com")
    large = bytes(range(256)) * 2500
    chat = await ada.chat(title="With files")
    files = [await upload(ada, PNG, "a*.png"), await upload(ada, large, "b.bin")]
    await ada.say(chat, "Look", attachments=[files[0]["id"], files[1]["id"]])
    await ada.say(chat, "Again", attachments=[files[0]["id"]])
    export = (await ada("GET /chats/{id}/export", id=chat)).body
    schemas.validate("chat_export", export)
    assert [base64.b64decode(file.pop("content")) for file in export["files"]] == [PNG, large]
    assert export["files"] == files
    exported = (await ada("GET /chats/{id}/export", id=chat)).body
    everything = json.loads((await ada("GET /chats/export")).raw)
    assert {**everything, "exported_at": ""} == {**exported, "exported_at": ""}
    for account in (ada, bob):
        imported = (await account("POST /chats/import", exported)).body["id"]
        again = (await account("GET /chats/{id}/export", id=imported)).body
        kept = ("name", "content_type", "size", "content")
        assert [[file[field] for field in kept] for file in again["files"]] == [
            [file[field] for field in kept] for file in exported["files"]
        ]
        names = [[file["name"] for file in message["attachments"]] for message in again["messages"]]
        assert names == [["a*.png", "b.bin"], [], ["a*.png"], []]
    head = await ada("HEAD /chats/{id}/export", id=chat)
    assert (head.status, head.raw) == (200, b"")
    empty = await ada("GET /chats/{id}/export", id=chat, query={"format": ""})
    assert empty.details == "format: expected json or markdown"
    text = (await ada("GET /chats/{id}/export", id=chat, query={"format": "markdown"})).raw.decode()
    assert "Attached: a\\*.png\n\nAttached: b.bin" in text


async def test_a_client_that_does_not_read(ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is disconnected; here at once, if its socket doesn't take a piece at once."""
    monkeypatch.setattr(responding, "READ_SECONDS", 0)
    size = 20_000_000
    file = await upload(ada, bytes(size))
    host, port = ada.base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"GET /api/v1/files/{file['id']} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {ada.credential}\r\n\r\n".encode()
    )
    received = 0
    with contextlib.suppress(ConnectionResetError):
        while chunk := await asyncio.wait_for(reader.read(1 << 16), 20):
            received += len(chunk)
    assert 0 < received < size
    writer.close()
