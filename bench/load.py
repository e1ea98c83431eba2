"""A load generator that is much cheaper than the server: one thread, raw sockets, little parsing.

It keeps `CONNECTIONS` connections busy, each with a different request. It sends the next request
when the response is complete or, at a given rate, when the request is due.
"""

from __future__ import annotations

import base64
import itertools
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

CONNECTIONS = 32
_ANSWER_SECONDS = 30.0
# Only in the final frame of a reply: the user's own message has no model.
_REPLY_IS_WHOLE = b'"status":"complete","model":"quillium-demo"'


class Result(NamedTuple):
    """A measurement: `rate` in responses per second; `waits` in seconds, sorted."""

    rate: float
    waits: list[float]

    def percentile(self, share: float) -> float:
        return self.waits[min(len(self.waits) - 1, int(share * len(self.waits)))]


def request(method: str, path: str, token: str = "", body: str = "") -> bytes:
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    content = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}{content}"
    return f"{head}\r\n{body}".encode()


class Connection:
    """A keep-alive connection that repeats one request."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = request
        self._received = b""
        self.asked_at = 0.0

    def ask(self, now: float) -> None:
        self.asked_at = now
        self.socket.sendall(self.request)

    def sockets(self) -> list[socket.socket]:
        return [self.socket]

    def read(self, which: socket.socket) -> bool:
        """Read available data; return whether a response is complete."""
        self._received += which.recv(1 << 18)
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return False
        start = self._received.find(b"ontent-Length: ")  # uvicorn writes header names in lower case
        if start < 0:
            start = self._received.find(b"ontent-length: ")
        length = int(self._received[start + 15 : self._received.find(b"\r", start)])
        if len(self._received) < end + 4 + length:
            return False
        assert self._received[9:10] == b"2", self._received[:300]
        self._received = self._received[end + 4 + length :]
        return True

    def close(self) -> None:
        self.socket.close()


class Turn(Connection):
    """Sends a message by request or frame, and waits for the complete reply on a socket."""

    def __init__(
        self, port: int, token: str, requests: Sequence[bytes], frames: Sequence[bytes] = ()
    ) -> None:
        """Take each turn from `frames` if there are any, else from `requests`."""
        super().__init__(port, requests[0])
        self._requests = itertools.cycle(requests)
        self._frames = itertools.cycle(frames) if frames else None
        self._heard = b""
        self._waits_for = 0
        self.web_socket = upgraded(port, token)

    def sockets(self) -> list[socket.socket]:
        return [self.socket, self.web_socket]

    def ask(self, now: float) -> None:
        self.asked_at = now
        self._waits_for = 1 if self._frames else 2  # the response and the reply
        if self._frames:
            self.web_socket.sendall(next(self._frames))
        else:
            self.socket.sendall(next(self._requests))

    def read(self, which: socket.socket) -> bool:
        if which is self.socket:
            self._waits_for -= super().read(which)
        else:
            self._heard = self._heard[-100:] + which.recv(1 << 18)
            if _REPLY_IS_WHOLE in self._heard:
                self._heard = b""
                self._waits_for -= 1
        return self._waits_for == 0

    def close(self) -> None:
        super().close()
        self.web_socket.close()


def upgraded(port: int, token: str) -> socket.socket:
    """Open a WebSocket and complete its handshake."""
    opened = socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_SECONDS)
    key = base64.b64encode(os.urandom(16)).decode()
    opened.sendall(
        f"GET /api/v1/ws?token={token} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += opened.recv(1)
    assert b" 101 " in head, head
    return opened


def frame(text: str) -> bytes:
    """Return a client's text frame, masked with zeros (RFC 6455, section 5.2)."""
    payload = text.encode()
    length = bytes([0x80 | len(payload)])
    if len(payload) > 125:
        length = bytes([0x80 | 126]) + len(payload).to_bytes(2, "big")
    return b"\x81" + length + b"\0\0\0\0" + payload


def load(connections: Sequence[Connection], seconds: float, rate: float | None = None) -> Result:
    """Keep all connections busy for `seconds`; with `rate`, send that many requests per second.

    With a rate, latency counts from the time at which a request was due, so a server that stalls
    can't hide it by receiving fewer requests (coordinated omission).
    """
    selector = selectors.DefaultSelector()
    for connection in connections:
        for one in connection.sockets():
            selector.register(one, selectors.EVENT_READ, connection)
    waits: list[float] = []
    idle = deque(connections)  # round-robin, so that each gets its share
    began = now = time.perf_counter()
    end, asked = began + seconds, 0
    try:
        while now < end or len(idle) < len(connections):
            if now < end:
                while idle:
                    due = began + asked / rate if rate else now
                    if due > now:
                        break
                    idle.popleft().ask(due)
                    asked += 1
            # Wait at most until the next request is due; time-outs below 1 ms don't wait.
            patience = 0.0005 if rate and idle and now < end else _ANSWER_SECONDS
            ready = selector.select(patience)
            assert ready or rate, "no response"
            now = time.perf_counter()
            for key, _ in ready:
                if key.data.read(key.fileobj):
                    waits.append(now - key.data.asked_at)
                    idle.append(key.data)
    finally:
        selector.close()
    return Result(len(waits) / (now - began), sorted(waits))
