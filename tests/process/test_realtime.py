"""`seq` survives restarts, crashes and restores; the client is Python's `websockets`."""

from __future__ import annotations

import contextlib
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection, connect

from tests.program import Program, run

Frame = dict[str, Any]


def opened(program: Program, token: str, since: int | str = "latest") -> ClientConnection:
    address = program.url.replace("http", "ws")
    return connect(f"{address}/api/v1/ws?token={token}&since={since}")


def say(socket: ClientConnection, chat: str, content: str) -> None:
    data = {"chat_id": chat, "content": content}
    socket.send(json.dumps({"type": "message", "data": data}))


def until(socket: ClientConnection, type: str, **data: Any) -> list[Frame]:
    """All frames up to the next one that looks like this."""
    frames: list[Frame] = []
    while True:
        frames.append(json.loads(socket.recv(timeout=10)))
        if frames[-1]["type"] == type and data.items() <= frames[-1]["data"].items():
            return frames


def numbers(frames: list[Frame]) -> list[int]:
    return [frame["seq"] for frame in frames if "seq" in frame]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_restart_in_the_middle_of_a_reply(start: Any, number: int) -> None:
    program = start()
    token = program.register()
    chat = program.call("POST", "/api/v1/chats", {"title": "x"}, token)["id"]
    with opened(program, token) as socket:
        say(socket, chat, "/slow 50")
        seen = until(socket, "typing", sender="assistant", offset=4)
        program.process.send_signal(number)
        with contextlib.suppress(ConnectionClosedError):  # SIGKILL says no good-bye
            seen += [json.loads(text) for text in socket]
    program.process.communicate(timeout=15)
    again = start()
    with opened(again, token, since=max(numbers(seen))) as socket:
        say(socket, chat, "are you back?")
        missed = until(socket, "message", content="are you back?")
        rest = until(socket, "message", sender="assistant")
    said = again.call("GET", f"/api/v1/chats/{chat}/messages", token=token)["data"]
    held = [frame["data"] for frame in seen + missed + rest if frame["type"] == "message"]
    assert held == said
    assert [message["status"] for message in said] == [
        "complete",
        "interrupted",
        "complete",
        "complete",
    ]
    assert numbers(seen + missed + rest) == sorted(set(numbers(seen + missed + rest)))


def test_after_a_restore_everybody_lists_again(start: Any, tmp_path: Path) -> None:
    program = start()
    token = program.register()
    chat = program.call("POST", "/api/v1/chats", {"title": "x"}, token)["id"]
    with opened(program, token) as socket:
        say(socket, chat, "before the backup")
        before = until(socket, "message", sender="assistant")
        backup = tmp_path / "backup.db"
        assert run("backup", backup, "--data-dir", tmp_path / "data").returncode == 0
        say(socket, chat, "lost with the restore")
        lost = until(socket, "message", sender="assistant")
    program.stop()
    assert run("restore", backup, "--data-dir", tmp_path / "data").returncode == 0
    again = start()
    with opened(again, token) as socket:  # as many frames as were lost, so that numbers meet
        say(socket, chat, "after the restore")
        anew = until(socket, "message", sender="assistant")
    assert min(numbers(anew)) > max(numbers(lost))
    for since in (max(numbers(before)), max(numbers(lost))):
        with opened(again, token, since) as socket:
            assert json.loads(socket.recv(timeout=10))["data"]["code"] == "resync_required"
    with opened(again, token, since=min(numbers(anew))) as socket:
        frames = until(socket, "message", sender="assistant")
    assert numbers(frames) == numbers(anew)[1:]
