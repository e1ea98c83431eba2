"""A scripted upstream: a real HTTP server that does to its client what a test says."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

Script = Callable[["Caller"], Awaitable[None]]


class Caller:
    """One connection: what was asked, and ways to answer it."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: asyncio.Event
    ) -> None:
        self.heard = heard  # a test may say so when it has got the first text
        self._reader = reader
        self._writer = writer
        self.path = ""
        self.headers: dict[str, str] = {}
        self.body: dict[str, Any] = {}

    async def listen(self) -> None:
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

    async def answer(self, status: str, body: bytes, type: str = "application/json") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Type: {type}\r\nContent-Length: {len(body)}\r\n\r\n"
        await self.raw(head.encode() + body)

    async def hung_up(self) -> None:
        """Wait until the client has closed the connection."""
        try:
            while await self._reader.read(1 << 16):
                pass
        except ConnectionError:
            pass

    def hang_up(self) -> None:
        self._writer.close()


def event(content: Any = None, finish_reason: str | None = None, **delta: Any) -> bytes:
    """An event of a streamed answer, as most servers write it."""
    if content is not None:
        delta["content"] = content
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


@asynccontextmanager
async def upstream(script: Script, heard: asyncio.Event | None = None) -> AsyncIterator[str]:
    """The base_url of a server that runs the script for each request."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        caller = Caller(reader, writer, heard or asyncio.Event())
        try:
            await caller.listen()
            await script(caller)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # it had heard enough
        finally:
            with contextlib.suppress(RuntimeError):  # the loop was closed before the caller hung up
                writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
