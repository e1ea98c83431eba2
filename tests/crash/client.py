"""The client process: sends messages through two doors, and notes each acknowledgement.

    python -m tests.crash.client URL ACCOUNTS NOTES

`ACCOUNTS` is a JSON list of API keys. In `NOTES`, a line says `sent` before a message goes out and
`stored` once the server has acknowledged it (a 201, or the message's own frame). The server is
killed meanwhile; then this ends, too. It may be told 503: then it tries the same message again.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

PIPELINED = 4  # messages under way on a socket
EDITED = 0.3  # of the messages that are sent through REST
PAUSE = 0.02  # seconds before a refused message is tried again
CONTENTS = ("Hello, {}", "/lorem 30 {}", "/slow 40 {}", "My name is Ada {}", "/markdown {}")


class Gone(Exception):
    """The server was killed."""


class Notes:
    """Appends lines to a file that outlives this process."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def add(self, what: str, message: dict[str, Any]) -> None:
        os.write(self._file, (json.dumps({"what": what, **message}) + "\n").encode())


class Somebody:
    """One user, who talks through REST, through a socket, and through both in a third chat."""

    def __init__(self, url: str, key: str, notes: Notes) -> None:
        self._url = url
        self._key = key
        self._notes = notes
        self._http = AsyncHTTPClient(force_instance=True)
        self._numbers = itertools.count()
        self._acknowledged: dict[str, asyncio.Future[str]] = {}

    async def talk(self) -> None:
        chats = [(await self._call("POST", "/chats", {}))["id"] for _ in range(3)]
        for chat in chats:
            self._notes.add("chat", {"key": self._key, "chat": chat})
        address = self._url.replace("http", "ws") + "/api/v1/ws"
        request = HTTPRequest(address, headers={"X-API-Key": self._key})
        try:
            socket = await websocket_connect(request)
        except (OSError, HTTPClientError):
            raise Gone from None
        by_rest, by_socket, by_both = chats
        print("talking", flush=True)
        await asyncio.gather(
            self._listen(socket),
            self._talk_by_rest(by_rest),
            self._talk_by_rest(by_both),
            *(self._talk_by_socket(socket, by_socket) for _ in range(PIPELINED)),
            self._talk_by_socket(socket, by_both),
        )

    async def _talk_by_rest(self, chat: str) -> None:
        """Send messages; some of them as an edit of the one before."""
        last = ""
        while True:
            message = self._next(chat, "rest")
            body = {"content": message["content"], "client_id": message["client_id"]}
            stored: Any = None
            if last and random.random() < EDITED:
                await self._call("POST", f"/chats/{chat}/stop", {})
                path = f"/chats/{chat}/messages"
                stored = await self._call("POST", path, {**body, "replaces": last})
            if stored is None:
                stored = await self._call("POST", f"/chats/{chat}/messages", body)
            last = stored["id"]
            self._notes.add("stored", {**message, "id": last})

    async def _talk_by_socket(self, socket: WebSocketClientConnection, chat: str) -> None:
        while True:
            message = self._next(chat, "socket")
            data = {key: message[key] for key in ("content", "client_id")}
            id = ""
            while not id:
                answer = asyncio.get_running_loop().create_future()
                self._acknowledged[message["client_id"]] = answer
                try:
                    frame = {"type": "message", "data": {**data, "chat_id": chat}}
                    await socket.write_message(json.dumps(frame))
                except Exception:
                    raise Gone from None
                id = await answer
                if not id:
                    await asyncio.sleep(PAUSE)
            self._notes.add("stored", {**message, "id": id})

    async def _listen(self, socket: WebSocketClientConnection) -> None:
        while (text := await socket.read_message()) is not None:
            frame = json.loads(text)
            data = frame["data"]
            answer = self._acknowledged.pop(data.get("client_id") or "", None)
            if answer is None:
                continue
            if frame["type"] == "error":
                assert data["code"] in {"storage_unavailable", "rate_limited"}, data
                answer.set_result("")
            else:
                answer.set_result(data["id"])
        raise Gone

    def _next(self, chat: str, door: str) -> dict[str, Any]:
        number = next(self._numbers)
        client_id = f"{chat}-{number}"
        content = random.choice(CONTENTS).format(number)
        message = {"key": self._key, "chat": chat, "client_id": client_id, "content": content}
        self._notes.add("sent", {**message, "door": door})
        return {**message, "door": door}

    async def _call(self, method: str, path: str, body: Any) -> Any:
        """Return the response; None for an edit while a reply is written."""
        while True:
            try:
                answer = await self._http.fetch(
                    f"{self._url}/api/v1{path}",
                    method=method,
                    body=json.dumps(body),
                    headers={"X-API-Key": self._key, "Content-Type": "application/json"},
                )
                return json.loads(answer.body)
            except HTTPClientError as error:
                if error.code == 409:
                    return None
                if error.code != 503:
                    raise Gone from None
                await asyncio.sleep(PAUSE)
            except OSError:
                raise Gone from None


async def main(url: str, accounts: Path, notes: Path) -> None:
    keys = json.loads(accounts.read_text())
    noted = Notes(notes)
    talking = [asyncio.ensure_future(Somebody(url, key, noted).talk()) for key in keys]
    try:
        await asyncio.gather(*talking)
    except Gone:
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
