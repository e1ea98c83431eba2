"""Measure the cost of 2,000 idle sockets of 200 users, and broadcasts to a user's ten sockets.

    python -m bench.sockets

The same run measures a bare Tornado WebSocket with as many sockets. It takes about two minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tornado.websocket import WebSocketClientConnection, websocket_connect

from bench.program import account, call, memory, start, start_quillium

IN_ONE_MESSAGE = 100_000  # characters; ten exceed the limit of unsent bytes

BARE = """
import asyncio
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketHandler

class Bare(WebSocketHandler):
    pass

async def main():
    sockets = bind_sockets(0, "127.0.0.1", backlog=4096)
    HTTPServer(Application([("/", Bare)], websocket_ping_interval=30)).add_sockets(sockets)
    print(f"listening on http://127.0.0.1:{sockets[0].getsockname()[1]},", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def processor(pid: int) -> float:
    """Return the CPU time of a process in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def opened(addresses: Sequence[str]) -> list[WebSocketClientConnection]:
    """Open sockets, twenty at a time."""
    found: list[WebSocketClientConnection] = []
    for first in range(0, len(addresses), 20):
        some = addresses[first : first + 20]
        found += await asyncio.gather(*(websocket_connect(address) for address in some))
    return found


async def at_rest(pid: int, seconds: float) -> float:
    """Return the share of one CPU core that a process uses, including pings."""
    before = processor(pid)
    await asyncio.sleep(seconds)
    return (processor(pid) - before) / seconds


async def measured(name: str, pid: int, addresses: Sequence[str], seconds: float) -> Any:
    before = memory(pid)
    sockets = await opened(addresses)
    await asyncio.sleep(1)
    each = (memory(pid) - before) / 1024 / len(sockets)
    share = await at_rest(pid, seconds)
    print(f"{name:44} {each:8.1f} KiB a socket, {share:6.2%} of a processor at rest", flush=True)
    return sockets


async def spread(sockets: Sequence[WebSocketClientConnection], chat: str, content: str) -> float:
    """Send a message; return the seconds until all sockets have received it."""
    until = [asyncio.ensure_future(_told(each, content)) for each in sockets]
    began = time.perf_counter()
    data = {"chat_id": chat, "content": content}
    await sockets[0].write_message(json.dumps({"type": "message", "data": data}))
    ends = await asyncio.gather(*until)
    for each in sockets:
        await _replied(each)
    return max(ends) - began


async def _told(each: WebSocketClientConnection, content: str) -> float:
    while True:
        frame = json.loads(await each.read_message() or "")
        if frame["type"] == "message" and frame["data"]["content"] == content:
            return time.perf_counter()


async def _replied(each: WebSocketClientConnection) -> None:
    while True:
        frame = json.loads(await each.read_message() or "")
        if frame["type"] == "message" and frame["data"]["sender"] == "assistant":
            return


async def spreads(name: str, sockets: Any, chat: str, size: int, times: int) -> float:
    """Print median and maximum latency of several messages; return the median in seconds."""
    taken = [await spread(sockets, chat, f"{number} ".ljust(size, "x")) for number in range(times)]
    median = statistics.median(taken)
    print(f"{name:44} {1000 * median:8.2f} ms, at most {1000 * max(taken):.2f} ms", flush=True)
    return median


def never_reads(url: str, token: str) -> socket.socket:
    host, port = url.removeprefix("http://").split(":")
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 12)
    raw.connect((host, int(port)))
    raw.sendall(
        f"GET /api/v1/ws?token={token} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    return raw


async def main() -> None:
    parser = argparse.ArgumentParser(description="Idle sockets, and broadcasts to ten of them")
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--sockets", type=int, default=10, help="sockets per user")
    parser.add_argument("--rest", type=float, default=35, help="seconds; a ping comes every 30")
    parser.add_argument("--messages", type=int, default=50)
    chosen = parser.parse_args()
    count = chosen.users * chosen.sockets
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4 * count + 1024), most))
    with tempfile.TemporaryDirectory() as folder:
        server, url = start_quillium(Path(folder), "--bcrypt-cost=4")
        bare, bare_url = start([sys.executable, "-c", BARE], "stdout")
        try:
            tokens = [account(url)]
            for number in range(1, chosen.users):
                body = {"email": f"{number}@example.com", "password": "a good password"}
                made = call(url, "POST", "/api/v1/auth/register", body)
                tokens.append(made["access_token"])
            chat = call(url, "POST", "/api/v1/chats", {"title": "x"}, tokens[0])["id"]
            address = url.replace("http", "ws") + "/api/v1/ws?token="
            mine = await opened([address + tokens[0]] * chosen.sockets)
            times = chosen.messages
            await spreads("first messages, to warm up", mine, chat, 100, times)
            alone = await spreads("a message on all ten sockets, alone", mine, chat, 100, times)
            others = [address + token for token in tokens[1:] for _ in range(chosen.sockets)]
            name = f"{len(others):,} idle sockets more"
            idle = await measured(name, server.pid, others, chosen.rest)
            among = await spreads("a message on all ten, the others idle", mine, chat, 100, times)
            large = await spreads("a large message", mine, chat, IN_ONE_MESSAGE, times)
            mine.pop().close()
            stuck = never_reads(url, tokens[0])
            before = memory(server.pid)
            beside = await spreads(
                "the same, beside one that never reads", mine, chat, IN_ONE_MESSAGE, times
            )
            grown = (memory(server.pid) - before) // 1024
            stuck.close()
            bare_address = bare_url.replace("http", "ws") + "/"
            name = f"{len(others):,} sockets of a bare Tornado"
            idle += await measured(name, bare.pid, [bare_address] * len(others), chosen.rest)
        finally:
            for process in (server, bare):
                process.terminate()
                process.wait()
    print(f"the others idle / alone {among / alone:.2f}")
    print(f"beside one that never reads / without it {beside / large:.2f}, memory {grown:+,} KiB")


if __name__ == "__main__":
    asyncio.run(main())
