"""Measure how attacks affect other users (the tables of docs/security.md).

    python -m bench.abuse

Each attack runs alone, on loopback, for a bounded time, against a server with a new database.
Meanwhile a separate process requests another user's account 50 times a second. The output is that
user's latency, the growth of the server's memory, and the outcome of the attack.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import multiprocessing
import os
import signal
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TypeAlias

from bench.program import account, call, memory, start_quillium

MIB = 1 << 20
_PROBE_SECONDS = 0.02
_LONGEST_SECONDS = 60.0  # per attack

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter
Outcome = Counter[str]


class Server:
    """The attacked server: its address, process and users."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.port = int(url.rpartition(":")[2])
        self.token = account(url)
        self._users = 0

    def user(self) -> str:
        """Create an account; return its access token."""
        self._users += 1
        body = {"email": f"user{self._users}@example.com", "password": "a good password"}
        token: str = call(self.url, "POST", "/api/v1/auth/register", body)["access_token"]
        return token

    async def connect(self) -> tuple[Reader, Writer]:
        return await asyncio.open_connection("127.0.0.1", self.port, limit=4 * MIB)

    def head(self, method: str, path: str, length: int = 0, token: str = "") -> bytes:
        authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        return (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"{authorization}Content-Length: {length}\r\n\r\n"
        ).encode()

    async def upgraded(self, token: str) -> tuple[Reader, Writer]:
        reader, writer = await self.connect()
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET /api/v1/ws?token={token} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        await reader.readuntil(b"\r\n\r\n")
        return reader, writer


async def status_of(reader: Reader) -> str:
    try:
        return (await reader.readuntil(b"\r\n\r\n"))[9:12].decode()
    except (asyncio.IncompleteReadError, ConnectionError):
        return "closed"


# The attacks. Their docstrings are the row labels of the table.


async def logins(server: Server) -> Outcome:
    """1,000 logins at once, for 1,000 e-mail addresses."""

    async def attempt(number: int) -> str:
        body = json.dumps({"email": f"x{number}@example.com", "password": "a wrong one"}).encode()
        reader, writer = await server.connect()
        writer.write(server.head("POST", "/api/v1/auth/login", len(body)) + body)
        status = await status_of(reader)
        writer.close()
        return status

    return Counter(await asyncio.gather(*map(attempt, range(1000))))


async def frames(server: Server) -> Outcome:
    """20,000 frames as fast as a socket accepts them."""
    token = server.user()
    chat = call(server.url, "POST", "/api/v1/chats", {}, token)["id"]
    reader, writer = await server.upgraded(token)
    payload = json.dumps({"type": "typing", "data": {"chat_id": chat}}).encode()
    frame = bytes([0x81, 0x80 | len(payload)]) + b"\0\0\0\0" + payload
    writer.write(frame * 20_000)
    seen: Outcome = Counter()
    while seen.total() < 20_000 - 600:  # this many pass per minute, without a response
        read = await reader.read(MIB)
        seen["refused"] += read.count(b'"code":"rate_limited"')
    writer.close()
    return seen


async def slow_headers(server: Server) -> Outcome:
    """500 connections that send a byte of a header every second."""
    return await _slowly(server, b"", 500)


async def slow_bodies(server: Server) -> Outcome:
    """200 connections that send a byte of a body every second."""
    return await _slowly(server, server.head("POST", "/api/v1/auth/login", 10_000), 200)


async def _slowly(server: Server, head: bytes, number: int) -> Outcome:
    async def drip() -> str:
        reader, writer = await server.connect()
        writer.write(head)
        began = time.monotonic()
        ended = asyncio.ensure_future(reader.read())
        while not ended.done():
            writer.write(b"G")
            await asyncio.wait([ended], timeout=1.0)
        writer.close()
        with contextlib.suppress(ConnectionError):
            ended.result()
        return f"closed after {10 * round((time.monotonic() - began) / 10)} s"

    return Counter(await asyncio.gather(*(drip() for _ in range(number))))


async def sockets(server: Server) -> Outcome:
    """1,000 sockets of ten users at once; each user may have twenty."""
    tokens = [server.user() for _ in range(10)]
    opened = await asyncio.gather(*(server.upgraded(tokens[n % 10]) for n in range(1000)))

    async def lives(reader: Reader) -> str:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(reader.read(1), 1.0)
            return "closed with 4409"
        return "still open"

    outcome = Counter(await asyncio.gather(*(lives(reader) for reader, _ in opened)))
    for _, writer in opened:
        writer.close()
    return outcome


async def deaf_readers(server: Server) -> Outcome:
    """100 messages of 100,000 characters to a user with 20 sockets that never read."""
    token = server.user()
    chat = call(server.url, "POST", "/api/v1/chats", {}, token)["id"]
    deaf = [await server.upgraded(token) for _ in range(19)]
    for reader, _ in deaf:
        reader._transport.pause_reading()  # type: ignore[attr-defined]
    body = json.dumps({"content": "x" * 100_000}).encode()
    reader, writer = await server.connect()
    outcome: Outcome = Counter()
    for _ in range(100):
        writer.write(server.head("POST", f"/api/v1/chats/{chat}/messages", len(body), token) + body)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.partition(b"Content-Length: ")[2].split()[0]))
        outcome[f"{head[9:12].decode()} to the sender"] += 1
    for one, _ in deaf:
        one._transport.resume_reading()  # type: ignore[attr-defined]
        received = await one.read()
        outcome["closed with 1013" if b"too slow" in received[-200:] else "disconnected"] += 1
    return outcome


async def large_bodies(server: Server) -> Outcome:
    """50 clients that send ten bodies of 1 MiB each."""
    return await _bodies(server, MIB)


async def too_large_bodies(server: Server) -> Outcome:
    """50 clients that send ten bodies of 1 MiB plus one byte each."""
    return await _bodies(server, MIB + 1)


async def _bodies(server: Server, size: int) -> Outcome:
    body = b"x" * size

    async def send() -> Outcome:
        seen: Outcome = Counter()
        for _ in range(10):
            reader, writer = await server.connect()
            writer.write(server.head("POST", "/api/v1/auth/login", len(body)) + body)
            seen[await status_of(reader)] += 1
            writer.close()
        return seen

    return sum(await asyncio.gather(*(send() for _ in range(50))), Counter())


async def nothing(server: Server) -> Outcome:
    """No attack, for 5 s (baseline)."""
    await asyncio.sleep(5)
    return Counter()


ATTACKS: tuple[Callable[[Server], Awaitable[Outcome]], ...] = (
    nothing,
    logins,
    frames,
    slow_headers,
    slow_bodies,
    sockets,
    deaf_readers,
    large_bodies,
    too_large_bodies,
)


# The other user


def probe(url: str, token: str, has_ended: Event, tell: Connection) -> None:
    """Request an account repeatedly; send the latencies in seconds."""
    request = urllib.request.Request(f"{url}/api/v1/users/me")
    request.add_header("Authorization", f"Bearer {token}")
    took = []
    while not has_ended.is_set():
        began = time.perf_counter()
        with urllib.request.urlopen(request, timeout=_LONGEST_SECONDS) as answer:
            answer.read()
        took.append(time.perf_counter() - began)
        time.sleep(_PROBE_SECONDS)
    tell.send(took)


def run(attack: Callable[[Server], Awaitable[Outcome]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # The log is not read: the pipe fills up, and the server drops log lines.
        process, url = start_quillium(Path(folder))
        server = Server(process, url)
        try:
            has_ended = multiprocessing.Event()
            told, tell = multiprocessing.Pipe(duplex=False)
            arguments = (url, server.token, has_ended, tell)
            other = multiprocessing.Process(target=probe, args=arguments, daemon=True)
            other.start()
            time.sleep(0.5)
            before, largest = memory(server.process.pid), 0

            async def measured() -> Outcome:
                nonlocal largest
                attacking = asyncio.ensure_future(attack(server))
                while not attacking.done():
                    await asyncio.wait([attacking], timeout=0.05)
                    largest = max(largest, memory(server.process.pid))
                return attacking.result()

            outcome = asyncio.run(asyncio.wait_for(measured(), _LONGEST_SECONDS))
            has_ended.set()
            took = sorted(told.recv())
            other.join()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
    became = ", ".join(f"{number:,} {what}" for what, number in sorted(outcome.items()))
    print(
        f"| {(attack.__doc__ or '').rstrip('.')} | {1000 * statistics.median(took):.1f} |"
        f" {1000 * took[int(0.99 * len(took))]:.0f} | {1000 * took[-1]:.0f} |"
        f" {max(0, largest - before) / MIB:.0f} | {became or '–'} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how attacks affect other users")
    names = [attack.__name__ for attack in ATTACKS]
    parser.add_argument("attack", nargs="*", choices=[*names, []], help="all attacks if omitted")
    chosen = parser.parse_args()
    print("| attack | median ms | 99 % | longest | MiB more | outcome |")
    print("|---|---|---|---|---|---|")
    for attack in ATTACKS:
        if not chosen.attack or attack.__name__ in chosen.attack:
            run(attack)


if __name__ == "__main__":
    main()
