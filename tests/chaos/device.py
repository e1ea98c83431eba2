"""One device: it holds what it was told, and is cut off again and again.

It does what `docs/realtime.md` teaches: it keeps the last `seq`, comes back with `since`, and sends
again, with the same `client_id`, what was not acknowledged. It believes nothing: a number that does
not grow, or a delta that does not begin where the text ends, is a `Loss`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

_BACKOFF = 0.05  # seconds
_SMALL_BUFFER = 1 << 14  # bytes; so that a server notices soon that nobody reads
# A chat may be deleted meanwhile; a server that goes down refuses, and is asked again.
_EXPECTED = {"not_found", "conflict", "shutting_down"}


class Loss(AssertionError):
    """A promise that was broken."""


@dataclass
class Held:
    """What a client shows: the messages of each chat, and chats by id."""

    last: int = 0
    messages: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # by chat
    stale: set[str] = field(default_factory=set)  # chats whose messages have to be listed again
    chats: dict[str, dict[str, Any]] = field(default_factory=dict)
    unread: dict[str, int] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)  # of replies that are being written
    reasoned: dict[str, str] = field(default_factory=dict)  # the same, of their reasoning

    def take(self, frame: dict[str, Any]) -> None:
        """Raises `Loss` when the frame can't be the next one."""
        type, data = frame["type"], frame["data"]
        if "seq" in frame:
            if frame["seq"] <= self.last:
                raise Loss(f"{frame['seq']} after {self.last}: {frame}")
            self.last = frame["seq"]
        if type == "message":
            self._take_message(data)
        elif type == "typing" and data["sender"] == "assistant":
            if "reasoning_delta" in data:
                _join(self.reasoned, frame, data["reasoning_delta"], data["reasoning_offset"])
            else:
                _join(self.typed, frame, data["delta"], data["offset"])
        elif type == "read":
            self.unread[data["chat_id"]] = data["unread_count"]
        elif type == "chat" and data.get("deleted"):
            self.chats.pop(data["id"], None)
            self.unread.pop(data["id"], None)
            self.messages.pop(data["id"], None)
            self.stale.discard(data["id"])
        elif type == "chat":
            self.chats[data["id"]] = data
            self.unread[data["id"]] = data["unread_count"]
            if data["leaf_id"] != _last(self.said(data["id"])):
                self.stale.add(data["id"])
        elif type == "error" and data["code"] not in _EXPECTED:
            raise Loss(f"an error: {frame}")

    def _take_message(self, data: dict[str, Any]) -> None:
        for texts, field_name in ((self.typed, "content"), (self.reasoned, "reasoning")):
            text = texts.pop(data["id"], None)
            if text is not None and text != (data[field_name] or ""):
                raise Loss(f"typed {text!r}, then told {data}")
        said = self.messages.setdefault(data["chat_id"], [])
        ids = [message["id"] for message in said]
        if data["id"] in ids:
            said[ids.index(data["id"])] = data
        elif data["parent_id"] == _last(said):
            said.append(data)
        elif data["parent_id"] is None or data["parent_id"] in ids:  # a version
            kept = ids.index(data["parent_id"]) + 1 if data["parent_id"] else 0
            said[kept:] = [data]
        else:
            self.stale.add(data["chat_id"])

    def said(self, chat: str) -> list[dict[str, Any]]:
        """The messages of a chat as the client shows them."""
        return self.messages.get(chat, [])

    def list_again(self, lists: dict[str, list[dict[str, Any]]]) -> None:
        """List the chats again whose path has changed in a way that no frame told."""
        for chat in self.stale & lists.keys():
            self.messages[chat] = list(lists[chat])
        self.stale.clear()


def _last(said: list[dict[str, Any]]) -> str | None:
    return said[-1]["id"] if said else None


def _join(texts: dict[str, str], frame: dict[str, Any], delta: str, offset: int) -> None:
    """Add a delta to what its reply has. Raises `Loss` if it does not begin where that ends."""
    id = frame["data"]["message_id"]
    text = texts.get(id, "") if offset else ""
    if offset != len(text):
        raise Loss(f"text is missing at {len(text)}: {frame}")
    texts[id] = text + delta


class Device:
    """A client of `url` that runs until it is cancelled."""

    def __init__(self, url: str, key: str, tally: Counter[str], generator: random.Random) -> None:
        self._url = url
        self._key = key
        self._tally = tally
        self._random = generator
        self._connection: ClientConnection | None = None
        self._waiting: dict[str, dict[str, Any]] = {}  # by client id: what is not acknowledged
        self._sent_again: set[str] = set()
        self.held = Held()

    async def run(self) -> None:
        while True:
            try:
                await self._connect()
            except (OSError, InvalidHandshake, EOFError):
                await asyncio.sleep(_BACKOFF)
                continue
            try:
                await self._listen()
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else "none"
                self._tally[f"closed with {code}"] += 1
            finally:
                self._connection = None

    async def _connect(self) -> None:
        host, port = urlsplit(self._url).hostname, urlsplit(self._url).port
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
        raw.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(raw, (host, port))
            address = f"{self._url.replace('http', 'ws')}/api/v1/ws?since={self.held.last}"
            self._connection = await connect(
                address, sock=raw, additional_headers={"X-API-Key": self._key}, max_queue=1
            )
        except BaseException:
            raw.close()
            raise
        self._tally["connections"] += 1
        self.held.typed.clear()  # who joins in the middle is told the text from its beginning
        self._sent_again |= self._waiting.keys()
        for data in list(self._waiting.values()):
            await self._send("message", data)

    async def _listen(self) -> None:
        assert self._connection is not None
        async for text in self._connection:
            frame = json.loads(text)
            self._tally["frames"] += 1
            if self._is_answered_again(frame):
                continue
            self.held.take(frame)

    def _is_answered_again(self, frame: dict[str, Any]) -> bool:
        """Note what is acknowledged. What was sent again gets the frame that it had already."""
        client_id = frame["data"].get("client_id") or ""
        # An edit is refused while a reply is written, and where its message was deleted.
        if frame["type"] == "message" or frame["data"].get("code") in {"not_found", "conflict"}:
            self._waiting.pop(client_id, None)
        is_old = frame["type"] == "message" and frame["seq"] <= self.held.last
        return is_old and client_id in self._sent_again

    @property
    def is_settled(self) -> bool:
        return self._connection is not None and not self._waiting

    @property
    def state(self) -> str:
        """For a report of what went wrong."""
        state = self._connection.state.name if self._connection else "none"
        return f"{state}, last {self.held.last}, waiting for {[*self._waiting.values()]}"

    async def say(
        self, chat: str, content: str, client_id: str, replaces: str | None = None
    ) -> None:
        data = {"chat_id": chat, "content": content, "client_id": client_id, "replaces": replaces}
        self._waiting[client_id] = data
        await self._send("message", data)

    async def read(self, chat: str) -> None:
        await self._send("read", {"chat_id": chat})

    async def _send(self, type: str, data: dict[str, Any]) -> None:
        if self._connection is None:
            return
        with contextlib.suppress(ConnectionClosed):  # it is sent again
            await self._connection.send(json.dumps({"type": type, "data": data}))

    # Ways to be cut off

    async def leave(self) -> None:
        if self._connection is not None:
            self._tally["left cleanly"] += 1
            await self._connection.close()

    def vanish(self) -> None:
        if self._connection is not None:
            self._tally["cut in a reply" if self.held.typed else "cut"] += 1
            self._connection.transport.abort()

    async def stall(self, seconds: float) -> None:
        """Read nothing for a while."""
        connection = self._connection
        if connection is None:
            return
        self._tally["stalled"] += 1
        connection.transport.pause_reading()
        await asyncio.sleep(seconds)
        connection.transport.resume_reading()
