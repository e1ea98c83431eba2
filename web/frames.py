"""WebSocket framing (RFC 6455) where Tornado's is slow or lenient (Tornado 6.6.1).

Tornado creates a task and makes a system call for each message that it sends: a quarter of the cost
of a turn. It also closes the connection without a code for errors that have one in the RFC.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import Any

from tornado.concurrent import Future, future_add_done_callback
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketProtocol13

MAX_UNSENT = 1 << 20  # bytes, limit for a client that does not read
BUSY_UNSENT = 1 << 16  # bytes, in addition to the system's buffers
PROTOCOL_ERROR = 1002  # RFC 6455, section 7.4.1
INVALID_PAYLOAD = 1007

_MASKED = 0x80
_OPCODES = frozenset({0x0, 0x1, 0x2, 0x8, 0x9, 0xA})
_TEXT, _CLOSE = 0x1, 0x8


class FrameWriter:
    """Writes text frames to one WebSocket, with one write per iteration of the event loop."""

    def __init__(self, connection: Protocol, on_drained: Callable[[], None]) -> None:
        """`on_drained` is called when all frames have been passed to the system."""
        self._connection = connection
        self._on_drained = on_drained
        self._pending: list[bytes] = []  # heads and payloads, alternately
        self._unsent = 0  # bytes
        self.count = 0  # frames that were accepted

    def write(self, encoded: bytes) -> None:
        """Queue a frame. Never waits and never raises."""
        self._unsent += len(encoded)
        self.count += 1
        if not self._pending:
            asyncio.get_running_loop().call_soon(self.flush)
        self._pending += (head_of_text(len(encoded)), encoded)

    @property
    def is_busy(self) -> bool:
        """Return whether to merge frames because the client reads slowly."""
        return self._unsent > BUSY_UNSENT and self._is_writing()

    @property
    def is_full(self) -> bool:
        """Return whether more than 1 MiB is unsent. A single frame may be larger."""
        return self._unsent > MAX_UNSENT and self._is_writing()

    def flush(self) -> None:
        """Write all queued frames to the stream."""
        frames, self._pending = self._pending, []
        if not frames or self._connection.is_closing():
            return
        size = sum(len(encoded) for encoded in frames[1::2])
        try:
            written = self._connection.stream.write(b"".join(frames))
        except StreamClosedError:  # the handler's `on_close` follows
            return
        future_add_done_callback(written, lambda written: self._written(written, size))

    def _written(self, written: Future[None], size: int) -> None:
        self._unsent -= size
        if written.exception() is None and not self._unsent:
            self._on_drained()

    def _is_writing(self) -> bool:
        """Return whether bytes are unsent: the stream counts sent bytes slightly longer."""
        return self._connection.stream.writing()


def head_of_text(length: int) -> bytes:
    """Return the header of an unfragmented text frame (RFC 6455, section 5.2)."""
    if length < 126:
        return struct.pack("!BB", 0x81, length)
    if length < 1 << 16:
        return struct.pack("!BBH", 0x81, 126, length)
    return struct.pack("!BBQ", 0x81, 127, length)


class InvalidFrame(Exception):
    """A frame violates the RFC; `code` is the close code to send."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Protocol(WebSocketProtocol13):
    """Closes the connection with 1002 or 1007 for an invalid frame."""

    _is_at_head = False

    async def _receive_frame(self) -> None:
        self._is_at_head = True
        try:
            await super()._receive_frame()
        except InvalidFrame as error:
            self.close(error.code, error.reason)
            self._abort()

    async def _read_bytes(self, n: int) -> bytes:
        read: bytes = await super()._read_bytes(n)
        if self._is_at_head:
            self._is_at_head = False
            self._check_head(*read)
        return read

    def _check_head(self, first: int, second: int) -> None:
        """Check the first two bytes of a frame (RFC 6455, section 5.2)."""
        opcode, is_final = first & 0x0F, bool(first & self.FIN)
        if first & self.RSV_MASK or opcode not in _OPCODES:
            raise InvalidFrame(PROTOCOL_ERROR, "reserved bits or opcode in use")
        if not second & _MASKED:
            raise InvalidFrame(PROTOCOL_ERROR, "client frames must be masked")
        if opcode & 0x8 and (not is_final or second & 0x7F > 125):
            raise InvalidFrame(PROTOCOL_ERROR, "control frames must be unfragmented and short")
        is_in_fragments = self._fragmented_message_buffer is not None
        if not opcode & 0x8 and (opcode == 0x0) != is_in_fragments:
            raise InvalidFrame(PROTOCOL_ERROR, "unexpected fragment")

    def _handle_message(self, opcode: int, data: bytes) -> Any:
        if opcode == _TEXT and not _is_utf8(data):
            raise InvalidFrame(INVALID_PAYLOAD, "text frames must be UTF-8")
        if opcode == _CLOSE:
            self._check_close(data)
        return super()._handle_message(opcode, data)

    def _check_close(self, data: bytes) -> None:
        """Check the payload of a close frame (RFC 6455, sections 5.5.1 and 7.4)."""
        if not data:
            return
        code = int.from_bytes(data[:2], "big")
        is_registered = 1000 <= code <= 1014 and code not in (1004, 1005, 1006)
        if len(data) < 2 or not (is_registered or 3000 <= code <= 4999):
            raise InvalidFrame(PROTOCOL_ERROR, "invalid close code")
        if not _is_utf8(data[2:]):
            raise InvalidFrame(INVALID_PAYLOAD, "a close reason must be UTF-8")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
