"""Starting, refusing to start, and stopping the real program (contract section 9)."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import select
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import websockets

from tests.program import Program, read_line, refused
from tests.snippets import block

ROOT = Path(__file__).parent.parent.parent
Server = Any


@pytest.mark.parametrize(
    ("flag", "line"),
    [
        ("--port=70000", "--port: expected a whole number from 0 to 65535, not '70000'"),
        ("--port=http", "--port: expected a whole number from 0 to 65535, not 'http'"),
        ("--access-token-expiry=0", "--access-token-expiry: expected a whole number from 1"),
        ("--jwt-secret=short", "--jwt-secret: expected at least 32 bytes\n"),
        ("--log-level=loud", "--log-level: expected DEBUG, INFO, WARNING or ERROR, not 'loud'"),
        ("--cors-allowed-origins=app", "--cors-allowed-origins: expected origins such as"),
        ("--colour", "unrecognized arguments: --colour (see --help)"),
        ("--host=203.0.113.1", "can't listen on 203.0.113.1:0"),
        ("--log-format=xml", "--log-format: expected auto, text or json, not 'xml'"),
        ("--demo", "--demo uses a temporary data folder: remove --data-dir"),
    ],
)
def test_bad_settings(start: Any, flag: str, line: str) -> None:
    assert line in refused(start(flag))


def test_bad_variable(start: Any) -> None:
    line = refused(start(QUILLIUM_ACCESS_TOKEN_EXPIRY="soon"))
    assert (
        "QUILLIUM_ACCESS_TOKEN_EXPIRY: expected a whole number from 1 to 1440, not 'soon'" in line
    )


def test_port_in_use(start: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused(start(f"--port={port}"))
    assert f"can't listen on 127.0.0.1:{port}" in line


def test_folder_in_use(start: Any) -> None:
    first = start()
    assert "another server is using the data folder" in refused(start())
    assert first.call("GET", "/health")["status"] == "ok"
    first.process.kill()
    first.process.wait()
    assert start().call("GET", "/health")["status"] == "ok"  # the lock died with its process


def test_newer_database(start: Any, tmp_path: Path) -> None:
    start().stop()
    path = tmp_path / "data" / "quillium.db"
    connection = sqlite3.connect(path)
    connection.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
        " VALUES ('quillium', 'm999_future', 'x')"
    )
    connection.commit()
    connection.close()
    before = path.read_bytes()
    assert "was made by a newer version of Quillium" in refused(start())
    assert path.read_bytes() == before


def test_not_a_database(start: Any, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "quillium.db"
    path.write_bytes(b"this is no database at all, but somebody's letter" * 100)
    before = path.read_bytes()
    assert "is damaged: file is not a database. Restore a backup: quillium restore FILE" in refused(
        start()
    )
    assert path.read_bytes() == before


def test_data_folder_that_is_a_file(start: Any, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    assert "can't be used" in refused(start())


def test_files_are_private_whatever_the_umask(start: Any, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        program = start()
    finally:
        os.umask(before)
    program.register()
    folder = tmp_path / "data"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert {"quillium.db", "quillium.db-wal", "signing.key"} <= modes.keys()
    assert set(modes.values()) == {0o600}


def test_on_a_terminal_it_says_where_it_is_and_what_to_do(tmp_path: Path) -> None:
    main, terminal = os.openpty()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "quillium.py"), "--port=0", f"--data-dir={tmp_path}"],
        stderr=terminal,
        stdout=terminal,
    )
    os.close(terminal)
    said = b""
    while b"Ctrl-C" not in said:
        assert select.select([main], [], [], 15)[0], said
        said += os.read(main, 4096)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=15) == 0
    os.close(main)
    lines = said.decode().splitlines()
    assert re.fullmatch(r"Quillium \S+ is running at http://127.0.0.1:\d+", lines[0])
    assert lines[1] == f"Data folder: {tmp_path}"
    assert lines[2:] == [
        "Open it in a browser. The first account becomes the admin.",
        "Press Ctrl-C to stop.",
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly(start: Any, tmp_path: Path, number: int) -> None:
    program = start()
    program.register()
    assert program.stop(number) == (0, "")
    assert not (tmp_path / "data" / "quillium.db-wal").exists()


def test_everything_is_there_after_a_restart(start: Any) -> None:
    program = start()
    token = program.register()
    chat = program.call("POST", "/api/v1/chats", {"title": "Kept"}, token)["id"]
    body = {"content": "Do not forget me"}
    message = program.call("POST", f"/api/v1/chats/{chat}/messages", body, token)
    program.stop()
    again = start()
    said = again.call("GET", f"/api/v1/chats/{chat}/messages", token=token)["data"]
    assert said[0] == message
    assert again.call("GET", "/api/v1/chats", token=token)["data"][0]["title"] == "Kept"


def test_the_tour_of_the_readme_can_be_repeated(start: Any) -> None:
    tour = block("README.md", "api=")
    program = start()
    script = tour.text.replace("http://localhost:8080", program.url)
    for _ in range(2):
        command = ["bash", "-eu", "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        stream, _, listed = done.stdout.rpartition("\n\n")
        assert "event: read" in stream
        messages = json.loads(listed)["data"]
        assert messages[1]["content"] == "Nice to meet you, Ada! I will remember your name."


def test_a_trusted_proxy_says_who_is_calling(start: Any) -> None:
    program = start("--trusted-proxy")

    def remaining(address: str) -> str:
        request = urllib.request.Request(f"{program.url}/api/v1/chats")
        request.add_header("X-Forwarded-For", address)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        refused.value.close()
        return str(refused.value.headers["X-RateLimit-Remaining"])

    assert remaining("203.0.113.1") == "99"
    assert remaining("203.0.113.1") == "98"
    assert remaining("203.0.113.2") == "99"
    assert remaining("2001:db8:1:2::1") == "99"
    assert remaining("2001:db8:1:2:3:4:5:6") == "98"  # one client has the whole network
    assert remaining("2001:db8:1:3::1") == "99"


def test_a_folder_that_was_there_keeps_its_mode(start: Any, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)
    start()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_what_was_acknowledged_survives_kill_9(start: Any) -> None:
    program = start()
    token = program.register()
    chat = program.call("POST", "/api/v1/chats", {}, token)["id"]
    path = f"/api/v1/chats/{chat}/messages"
    program.call("POST", path, {"content": "/slow 5"}, token)
    acknowledged = [program.call("POST", path, {"content": str(n)}, token) for n in range(20)]
    program.process.kill()
    program.process.wait()
    again = start()
    said = again.call("GET", f"{path}?limit=100", token=token)["data"]
    mine = [message for message in said if message["sender"] == "user"]
    assert mine[1:] == acknowledged
    reply = next(message for message in said if message["sender"] == "assistant")
    assert reply["status"] == "interrupted"


def test_a_reply_keeps_what_it_said_a_second_before_kill_9(start: Any) -> None:
    program = start()
    token = program.register()
    program.call("PUT", "/api/v1/settings/admin", {"rate_limit_per_minute": 0}, token)
    chat = program.call("POST", "/api/v1/chats", {}, token)["id"]
    path = f"/api/v1/chats/{chat}/messages"
    program.call("POST", path, {"content": "/slow 20"}, token)
    kept, limit = "", time.monotonic() + 15
    while not kept:
        assert time.monotonic() < limit
        said = program.call("GET", path, token=token)["data"]
        kept = said[1]["content"] if len(said) > 1 else ""
    assert said[1]["status"] == "streaming"
    program.process.kill()
    program.process.wait()
    reply = start().call("GET", path, token=token)["data"][1]
    assert reply["status"] == "interrupted"
    assert reply["content"].startswith(kept)


async def drain(program: Program) -> None:
    token = await asyncio.to_thread(program.register)
    call = program.call
    chat = (await asyncio.to_thread(call, "POST", "/api/v1/chats", {}, token))["id"]
    address = program.url.replace("http", "ws") + f"/api/v1/ws?token={token}"
    async with websockets.connect(address) as client:
        data = {"chat_id": chat, "content": "/slow 5"}
        await client.send(json.dumps({"type": "message", "data": data}))
        frame: dict[str, Any] = {"data": {}}
        while frame["data"].get("offset", 0) < 4:
            frame = json.loads(await client.recv())
        program.process.send_signal(signal.SIGTERM)
        frames = [json.loads(text) async for text in client]
        final = [frame["data"] for frame in frames if frame["type"] == "message"][-1]
        assert final["status"] == "interrupted"
        assert final["content"].startswith("This is")
        assert client.close_code == 1001


def test_a_drain_interrupts_replies_and_tells_sockets(start: Any) -> None:
    program = start()
    asyncio.run(drain(program))
    program.process.communicate(timeout=10)
    assert program.process.returncode == 0


def test_while_it_drains_new_requests_are_refused(start: Any) -> None:
    program = start()
    token = program.register()
    chat = program.call("POST", "/api/v1/chats", {}, token)["id"]
    host = program.url.removeprefix("http://")
    kept, stream = http.client.HTTPConnection(host), http.client.HTTPConnection(host)
    kept.request("GET", "/health")
    kept.getresponse().read()
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Accept": "text/event-stream",
    }
    path = f"/api/v1/chats/{chat}/messages"
    stream.request("POST", path, '{"content": "/slow 5"}', headers)
    response = stream.getresponse()
    assert response.readline() == b"event: message\n"
    program.process.send_signal(signal.SIGTERM)
    rest = response.read()  # ends, with the reply stored
    assert b'"interrupted"' in rest
    try:
        kept.request("GET", "/api/v1/models", headers=headers)
        answer = kept.getresponse()
    except (ConnectionError, http.client.HTTPException):
        pass  # it was already gone: no new request got in either
    else:
        assert (answer.status, b"shutting_down" in answer.read()) == (503, True)
    kept.close()
    stream.close()
    assert program.process.wait(timeout=10) == 0


@pytest.mark.skipif(not Path("/usr/bin/strace").exists(), reason="needs strace, which CI installs")
def test_a_message_is_synced_before_it_is_acknowledged(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    process = subprocess.Popen(
        ["strace", "-f", "-s", "40", "-e", "trace=fsync,fdatasync,sendto,write", "-o", str(trace),
         sys.executable, str(ROOT / "quillium.py"), "--port=0", "--bcrypt-cost=4",
         f"--data-dir={tmp_path / 'data'}"],
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        found = re.search(r"listening on (http://\S+),", read_line(process, process.stderr))
        assert found is not None
        program = Program.__new__(Program)
        program.url = found[1]
        token = program.register()
        chat = program.call("POST", "/api/v1/chats", {}, token)["id"]
        for number in range(5):
            body = {"content": f"/slow 1 {number}"}
            program.call("POST", f"/api/v1/chats/{chat}/messages", body, token)
        stored = trace.read_text()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    calls = re.findall(r"(fdatasync|fsync)\(|HTTP/1.1 (201)", stored)
    for number, (_, created) in enumerate(calls):
        if created:
            assert calls[number - 1][0], "a 201 without a sync before it"
    assert sum(1 for _, created in calls if created) == 7
