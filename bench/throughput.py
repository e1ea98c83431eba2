"""How many requests a second Quillium answers, as a share of what a bare Tornado handler does.

    python -m bench.throughput

Both run side by side in this one run, and take turns, so that what the machine does meanwhile hits
both. Each is loaded over keep-alive connections by a small client in this process, the same for
both. It stops by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench.program import account, call, start, start_quillium

CONNECTIONS = 16
CHATS = 10_000

BARE = """
import asyncio
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

class Bare(RequestHandler):
    def get(self):
        self.write({"status": "ok"})
    post = get

async def main():
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(Application([("/", Bare)], log_function=lambda handler: None))
    server.add_sockets(sockets)
    print(f"listening on http://127.0.0.1:{sockets[0].getsockname()[1]},", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def rate(url: str, request: bytes, seconds: float) -> float:
    """Requests a second over `CONNECTIONS` connections, each sending the next when answered."""
    host, port = url.removeprefix("http://").split(":")
    end = time.perf_counter() + seconds
    counts = await asyncio.gather(
        *(_ask(host, int(port), request, end) for _ in range(CONNECTIONS))
    )
    return sum(counts) / seconds


async def _ask(host: str, port: int, request: bytes, end: float) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    count = 0
    while time.perf_counter() < end:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head[9:10] == b"2", head
        length = re.search(rb"Content-Length: (\d+)", head)
        assert length
        await reader.readexactly(int(length[1]))
        count += 1
    writer.close()
    return count


def raw(method: str, path: str, token: str, body: str = "") -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def measure(rounds: int, seconds: float, quillium: str, bare: str, token: str) -> None:
    cases = {
        "GET /users/me": raw("GET", "/api/v1/users/me", token),
        "GET /chats (20 of 10,000)": raw("GET", "/api/v1/chats", token),
        "POST /chats": raw("POST", "/api/v1/chats", token, '{"title": "A chat"}'),
    }
    for name, request in cases.items():
        method = request.split()[0].decode()
        trivial = raw(method, "/", token, "{}" if method == "POST" else "")
        ratios, ours, theirs = [], [], []
        for _ in range(rounds):
            theirs.append(await rate(bare, trivial, seconds))
            ours.append(await rate(quillium, request, seconds))
            ratios.append(ours[-1] / theirs[-1])
        print(
            f"{name:26} {statistics.median(ratios):5.2f} of bare Tornado"
            f"  ({statistics.median(ours):,.0f} against {statistics.median(theirs):,.0f} a second)",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Quillium against a bare Tornado handler")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each half of a round")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bare, bare_url = start([sys.executable, "-c", BARE], "stdout")
        quillium, url = start_quillium(Path(folder))
        try:
            token = account(url)
            asyncio.run(_fill(url, token))
            asyncio.run(measure(chosen.rounds, chosen.seconds, url, bare_url, token))
        finally:
            for process in (bare, quillium):
                process.terminate()
                process.wait()


async def _fill(url: str, token: str) -> None:
    """Make chats until the list has `CHATS`."""
    request = raw("POST", "/api/v1/chats", token, '{"title": "A chat among many"}')
    while call(url, "GET", "/api/v1/chats", None, token)["pagination"]["total"] < CHATS:
        await rate(url, request, 0.5)


if __name__ == "__main__":
    main()
