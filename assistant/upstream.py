"""An HTTP server that is asked for an answer, and everything that can go wrong with it.

Whatever it does, what is raised is `ModelUnavailable`, `ModelRefused` or `ModelTimeout` (contract,
section 8), with a short text that names the server and holds no key.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import ssl
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import (
    HTTPHeaders,
    HTTPInputError,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient

from assistant.addresses import CheckedResolver, LinkLocal
from core.errors import ModelRefused, ModelTimeout, ModelUnavailable, QuilliumError

CONNECT_SECONDS = 10.0
SILENT_SECONDS = 60.0  # before the first token and between two (contract, section 8)
MAX_BYTES = 8 << 20  # of an answer
_MAX_BYTES_OF_AN_ERROR = 1 << 16
_SHOWN_CHARACTERS = 200  # of what a server says of its failure
_KEY_CHARACTERS = 5  # of the ends of a key, which some servers show

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Upstream:
    """Where it is, and what it is called in an error."""

    name: str
    base_url: str
    api_key: str | None = None
    silent_seconds: float = SILENT_SECONDS

    def unreadable(self) -> ModelUnavailable:
        return ModelUnavailable(
            f"{self.name} sent something that is no answer of an OpenAI-compatible server."
            " Look at its base_url: most end in /v1."
        )

    def refusal(self, status: int | None, body: bytes) -> QuilliumError:
        """The error for an answer that is none; `status` is None for one within a stream."""
        said = self._said(body)
        if status in (401, 403):
            return ModelRefused(f"{self.name} refused the API key ({status}).")
        if status is None:
            return ModelUnavailable(f"{self.name} failed{said}")
        if status == 404:
            return ModelRefused(f"{self.name} knows no such model or address (404){said}")
        if status == 429:
            return ModelRefused(f"{self.name} has had too many requests (429){said}")
        if status < 400:
            return ModelUnavailable(
                f"{self.name} leads elsewhere ({status}); look at its base_url."
            )
        if status < 500:
            return ModelRefused(f"{self.name} refused the request ({status}){said}")
        return ModelUnavailable(f"{self.name} failed ({status}){said}")

    def _said(self, body: bytes) -> str:
        """What the server says of its failure, short and without the key; or a full stop."""
        try:
            document = json.loads(body)
            error = document.get("error", document)
            text = error if isinstance(error, str) else error.get("message", "")
        except (ValueError, AttributeError, RecursionError):
            return "."
        if not isinstance(text, str):
            return "."
        if self.api_key:
            ends = (self.api_key[:_KEY_CHARACTERS], self.api_key[-_KEY_CHARACTERS:])
            text = " ".join(w for w in text.split() if not any(end in w for end in ends))
        line = "".join(c if c.isprintable() else " " for c in storable(text))
        line = " ".join(line.split())
        if not line:
            return "."
        return f": {line[:_SHOWN_CHARACTERS]}{'…' if len(line) > _SHOWN_CHARACTERS else ''}"


class Exchange(HTTPMessageDelegate):
    """One request, and its answer as it comes.

    It has a connection of its own (Tornado's client would hold on to it), so that to end it is to
    hang up: then the server stops working.
    """

    def __init__(
        self,
        upstream: Upstream,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
    ) -> None:
        self.silent_seconds = upstream.silent_seconds
        self._upstream = upstream
        self._method = method
        self._url = urlsplit(upstream.base_url.rstrip("/") + path)
        self._body = b"" if body is None else json.dumps(body).encode()
        self._arrived: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._status = 0
        self._headers = HTTPHeaders()
        self._is_whole = False

    @property
    def is_event_stream(self) -> bool:
        """Whether the server streams; one that doesn't say what it sends is believed to."""
        return not self._headers.get("Content-Type", "").lower().startswith("application/json")

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body of a successful answer. Raises the error that any other one means."""
        key = self._upstream.api_key or ""
        if not (key.isascii() and key.isprintable()):  # and asyncio would log it with the error
            raise ModelRefused(
                f"The API key of {self._upstream.name} holds characters that can't be sent; set it"
                " again."
            )
        stream = await self._connect()
        reading = asyncio.ensure_future(self._converse(stream))
        reading.add_done_callback(lambda _: self._arrived.put_nowait(None))
        refused = bytearray()
        received = 0
        try:
            while (chunk := await self._next()) is not None:
                received += len(chunk)
                if received > MAX_BYTES:
                    raise ModelUnavailable(
                        f"{self._upstream.name} sent more than {MAX_BYTES >> 20} MiB."
                    )
                if self._status == 200:
                    yield chunk
                elif len(refused) < _MAX_BYTES_OF_AN_ERROR:
                    refused += chunk
            if not self._status:
                raise ModelUnavailable(f"{self._upstream.name} doesn't speak HTTP, or hung up.")
            if self._status != 200:
                raise self._upstream.refusal(self._status, bytes(refused))
            if not self._is_whole:
                raise ModelUnavailable(f"{self._upstream.name} broke off in its answer.")
        finally:
            stream.close()
            reading.cancel()
            await asyncio.wait([reading])

    async def _connect(self) -> IOStream:
        name, url = self._upstream.name, self._url
        is_secure = url.scheme == "https"
        try:
            return await asyncio.wait_for(
                TCPClient(resolver=CheckedResolver()).connect(
                    url.hostname or "",
                    url.port or (443 if is_secure else 80),
                    ssl_options=ssl.create_default_context() if is_secure else None,
                ),
                CONNECT_SECONDS,
            )
        except TimeoutError:
            raise ModelTimeout(f"{name} can't be reached: no connection in time.") from None
        except LinkLocal:
            raise ModelUnavailable(
                f"{name} leads to a link-local address, which is refused."
            ) from None
        except socket.gaierror:
            raise ModelUnavailable(f"{name} can't be reached: there is no such host.") from None
        except (OSError, ValueError) as error:
            cause = getattr(error, "real_error", None) or error
            if isinstance(cause, ssl.SSLError):
                raise ModelUnavailable(f"{name} can't prove who it is (TLS).") from None
            raise ModelUnavailable(f"{name} can't be reached. Is it running?") from None

    async def _converse(self, stream: IOStream) -> None:
        """Send the request and read the answer; what goes wrong shows in what has not come."""
        parameters = HTTP1ConnectionParameters(
            no_keep_alive=True, max_header_size=1 << 16, max_body_size=8 * MAX_BYTES
        )
        connection = HTTP1Connection(stream, True, parameters)
        target = self._url.path + (f"?{self._url.query}" if self._url.query else "")
        headers = {
            "Host": self._url.netloc,
            "Accept": "text/event-stream, application/json",
            "Content-Type": "application/json",
            "Content-Length": str(len(self._body)),
            "Connection": "close",
            "User-Agent": "Quillium",
        }
        if self._upstream.api_key:
            headers["Authorization"] = f"Bearer {self._upstream.api_key}"
        with contextlib.suppress(StreamClosedError, HTTPInputError, UnicodeEncodeError):
            line = RequestStartLine(self._method, target, "")
            await connection.write_headers(line, HTTPHeaders(headers), self._body)
            await connection.read_response(self)

    async def _next(self) -> bytes | None:
        try:
            return await asyncio.wait_for(self._arrived.get(), self.silent_seconds)
        except TimeoutError:
            raise ModelTimeout(
                f"{self._upstream.name} said nothing for {self.silent_seconds:.0f} seconds."
            ) from None

    # What Tornado tells of the answer

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        assert isinstance(start_line, ResponseStartLine)
        self._status, self._headers = start_line.code, headers

    def data_received(self, chunk: bytes) -> None:
        # Tornado loses what arrives in one read with the end of a connection that breaks off.
        self._arrived.put_nowait(chunk)

    def finish(self) -> None:
        self._is_whole = True


def storable(text: str) -> str:
    """The text with surrogate pairs joined, and U+FFFD for what no message may hold."""
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "\ufffd")
