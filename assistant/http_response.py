"""An incremental parser of HTTP/1.x responses (RFC 9112), without I/O.

Tornado's client delivers a body delimited by the connection's close only after the close, and loses
data read together with a connection error. Model servers stream in both of these ways.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from tornado.httputil import HTTPHeaders, HTTPInputError

MAX_HEADER_BYTES = 1 << 16
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] +([1-5][0-9]{2})(?: |\Z)")
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_CHUNK_SIZE = re.compile(rb"\s*([0-9a-fA-F]{1,15})\s*(?:;.*)?\Z")
_LONGEST_LINE = 1 << 12  # bytes, of the size of a chunk or of a trailer
_INFLATED_AT_ONCE = 1 << 16  # bytes


class MalformedResponse(Exception):
    """The response is not HTTP, or has an unsupported encoding that was not requested."""


class ResponseParser:
    """Feed it bytes; it yields the body. `status` is 0 until the header is complete."""

    def __init__(self) -> None:
        self.status = 0
        self.headers = HTTPHeaders()
        self.is_complete = False
        self._rest = bytearray()
        self._left: int | None = None  # of the body or chunk; None: until the close
        self._is_chunked = False
        self._is_in_trailers = False
        self._inflater: zlib._Decompress | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Return the body parts in these bytes; consume the iterator before the next call.

        Raises `MalformedResponse`, as does the iterator.
        """
        self._rest += data
        while not self.status:
            if not self._read_header():
                return iter(())
        parts = self._chunks() if self._is_chunked else self._body()
        return (piece for part in parts for piece in self._inflated(part))

    def close(self) -> bool:
        """Mark the end of the connection; return whether the response is complete."""
        if self.status and not self._is_chunked and self._left is None:
            self.is_complete = True
        return self.is_complete

    def _read_header(self) -> bool:
        """Parse the header once it is complete; skip interim responses."""
        while bytes(self._rest[:1]) in (b"\r", b"\n"):
            del self._rest[0]
        if not b"HTTP/1.".startswith(bytes(self._rest[:7])):
            raise MalformedResponse
        end = _HEADER_END.search(self._rest)
        if end is None:
            if len(self._rest) > MAX_HEADER_BYTES:
                raise MalformedResponse
            return False
        head = bytes(self._rest[: end.start()])
        del self._rest[: end.end()]
        first, _, lines = head.partition(b"\n")
        match = _STATUS_LINE.match(first.rstrip(b"\r"))
        if match is None:
            raise MalformedResponse
        if match[1].startswith(b"1"):
            return True
        try:
            self.headers = HTTPHeaders.parse(lines.decode("latin-1"))
        except HTTPInputError:
            raise MalformedResponse from None
        self.status = int(match[1])
        self._find_framing()
        return True

    def _find_framing(self) -> None:
        """Determine the body's framing (RFC 9112, section 6.3) and encoding."""
        self._is_chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        length = self.headers.get("Content-Length", "").split(",")[0].strip()
        if self.status in (204, 304):
            self._is_chunked, self._left = False, 0
        elif self._is_chunked:
            self._left = 0
        elif length:
            if not (length.isascii() and length.isdigit() and len(length) <= 15):
                raise MalformedResponse
            self._left = int(length)
        self.is_complete = self._left == 0 and not self._is_chunked
        encoding = self.headers.get("Content-Encoding", "").strip().lower()
        if encoding in ("gzip", "x-gzip", "deflate"):
            self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)  # zlib or gzip
        elif encoding not in ("", "identity"):
            raise MalformedResponse

    def _body(self) -> Iterator[bytes]:
        count = len(self._rest) if self._left is None else min(self._left, len(self._rest))
        part = self._take(count)
        if self._left is not None:
            self._left -= count
            self.is_complete = self._left == 0
        if part:
            yield part

    def _chunks(self) -> Iterator[bytes]:
        while not self.is_complete:
            if self._left:
                part = self._take(min(self._left, len(self._rest)))
                if not part:
                    return
                self._left -= len(part)
                yield part
                continue
            line = self._take_line()
            if line is None:
                return
            self._read_chunk_line(line)

    def _read_chunk_line(self, line: bytes) -> None:
        """Parse a chunk's size, the line end after a chunk, or a trailer."""
        if self._is_in_trailers:
            self.is_complete = not line
        elif line:
            match = _CHUNK_SIZE.match(line)
            if match is None:
                raise MalformedResponse
            self._left = int(match[1], 16)
            self._is_in_trailers = self._left == 0

    def _take(self, count: int) -> bytes:
        part = bytes(self._rest[:count])
        del self._rest[:count]
        return part

    def _take_line(self) -> bytes | None:
        end = self._rest.find(b"\n")
        if end < 0:
            if len(self._rest) > _LONGEST_LINE:
                raise MalformedResponse
            return None
        return self._take(end + 1).rstrip(b"\r\n")

    def _inflated(self, part: bytes) -> Iterator[bytes]:
        """Decompress a part of the body, in pieces of limited size."""
        if self._inflater is None:
            yield part
            return
        try:
            while part:
                piece = self._inflater.decompress(part, _INFLATED_AT_ONCE)
                if piece:
                    yield piece
                part = self._inflater.unconsumed_tail
                if self._inflater.eof:  # another member may follow (RFC 1952, section 2.2)
                    part = self._inflater.unused_data
                    self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
        except zlib.error:
            raise MalformedResponse from None
