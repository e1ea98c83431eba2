"""A scripted upstream: an HTTP server that does with each connection what a test scripts."""

from __future__ import annotations

import asyncio
import contextlib
import json
from asyncio import sleep  # tests replace `asyncio.sleep`
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

Script = Callable[["Caller"], Awaitable[None]]
Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Caller:
    """One connection: its request, and ways to respond."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, received: asyncio.Event
    ) -> None:
        self.received = received  # set by a test that has received the first text
        self._reader = reader
        self._writer = writer
        self.path = ""
        self.headers: dict[str, str] = {}
        self.body: dict[str, Any] = {}

    async def read_request(self) -> None:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        self.path = head[0]
        pairs = (line.partition(": ") for line in head[1:] if line)
        self.headers = {name.lower(): value for name, _, value in pairs}
        size = int(self.headers.get("content-length", 0))
        self.body = json.loads(await self._reader.readexactly(size)) if size else {}

    async def raw(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def begin(self, status: str = "200 OK", type: str = "text/event-stream") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Type: {type}\r\nTransfer-Encoding: chunked\r\n\r\n"
        await self.raw(head.encode())

    async def chunk(self, data: bytes) -> None:
        await self.raw(b"%x\r\n%s\r\n" % (len(data), data))

    async def event(self, **delta: Any) -> None:
        await self.chunk(event(**delta))

    async def end(self) -> None:
        await self.raw(b"0\r\n\r\n")

    async def done(self) -> None:
        await self.event(finish_reason="stop")
        await self.chunk(b"data: [DONE]\n\n")
        await self.end()

    async def respond(self, status: str, body: bytes, type: str = "application/json") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Type: {type}\r\nContent-Length: {len(body)}\r\n\r\n"
        await self.raw(head.encode() + body)

    async def wait_for_close(self) -> None:
        """Wait until the client has closed the connection."""
        try:
            while await self._reader.read(1 << 16):
                pass
        except ConnectionError:
            pass

    def close(self) -> None:
        self._writer.close()


def event(content: Any = None, finish_reason: str | None = None, **delta: Any) -> bytes:
    """Return an event of a streamed response, as most servers send it."""
    if content is not None:
        delta["content"] = content
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


@asynccontextmanager
async def upstream(script: Script, received: asyncio.Event | None = None) -> AsyncIterator[str]:
    """Run the script for each request of a server; yield the server's base_url."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        caller = Caller(reader, writer, received or asyncio.Event())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await caller.read_request()
            await script(caller)

    async with listening(connected) as port:
        yield f"http://127.0.0.1:{port}/v1"


@asynccontextmanager
async def listening(connected: Connected) -> AsyncIterator[int]:
    """Run `connected` for each connection to a server; yield the server's port.

    No task and no socket outlives the block: Python 3.13 warns of each that outlives the loop.
    """
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await connected(reader, writer)
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        tasks.add(asyncio.ensure_future(run(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await _run_callbacks()  # of a connection that was accepted a moment ago
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
        await _run_callbacks()  # which close the sockets


async def _run_callbacks() -> None:
    """Run what is scheduled, and what that schedules: asyncio needs three steps to accept."""
    for _ in range(5):
        await sleep(0)
