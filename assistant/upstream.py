"""Send one HTTP request to a model server, and translate its failures.

All failures are raised as `ModelUnavailable`, `ModelRefused` or `ModelTimeout` (contract,
section 8), with a short message that names the server and contains no key.

No HTTP client library is used: the resolved address must be checked before connecting, and closing
the connection must cancel the server's work at once. With httpx, both require private parts of
httpcore, and it adds six packages to the base install.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from tornado.httputil import HTTPHeaders
from tornado.iostream import IOStream, StreamClosedError

from assistant.connecting import connect
from assistant.failures import message_of, parsed
from assistant.http_response import MalformedResponse, ResponseParser
from core.coroutines import within
from core.errors import ModelRefused, ModelTimeout, ModelUnavailable, QuilliumError

FIRST_SECONDS = 300.0  # until the first token, while a model loads or reasons
SILENT_SECONDS = 60.0  # between two tokens (contract, section 5)
TOTAL_SECONDS = 600.0  # for a whole response
MAX_BYTES = 8 << 20  # of a decoded response
MAX_BYTES_OF_AN_ERROR = 1 << 16
_READ_AT_ONCE = 1 << 16  # bytes


@dataclass(frozen=True)
class Upstream:
    """A model server: its base URL, its name in errors, the headers of requests, and time-outs."""

    name: str
    base_url: str
    api_key: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    first_seconds: float = FIRST_SECONDS
    silent_seconds: float = SILENT_SECONDS
    total_seconds: float = TOTAL_SECONDS

    @property
    def secrets(self) -> list[str]:
        """The strings that error messages must not contain."""
        return [self.api_key or "", *(value for _, value in self.headers)]

    def address(self, path: str) -> str:
        """Return the URL of an endpoint. Preserves the query of the `base_url`."""
        parts = urlsplit(self.base_url)
        return parts._replace(path=parts.path.rstrip("/") + path, fragment="").geturl()

    def unreadable_error(self) -> ModelUnavailable:
        return ModelUnavailable(
            f"{self.name} sent a response that an OpenAI-compatible server doesn't send."
            " Check its base_url: most end in /v1."
        )

    def truncated_error(self) -> ModelUnavailable:
        return ModelUnavailable(
            f"{self.name} closed the connection before the response was complete."
        )

    def error_for(self, status: int | None, document: Any) -> QuilliumError:
        """Return the error for a failed response; `status` is None inside a stream."""
        message = message_of(document, self.secrets)
        detail = f": {message}" if message else "."
        if status is None:
            return ModelUnavailable(f"{self.name} failed{detail}")
        if status in (401, 403):
            return ModelRefused(f"{self.name} refused the API key ({status}){detail}")
        if status == 404:
            return ModelRefused(f"{self.name} has no such model or endpoint (404){detail}")
        if status == 429:
            return ModelRefused(f"{self.name} received too many requests (429){detail}")
        if status < 400:
            return ModelUnavailable(
                f"{self.name} responded with a redirect ({status}). Check its base_url."
            )
        if status < 500:
            return ModelRefused(f"{self.name} refused the request ({status}){detail}")
        return ModelUnavailable(f"{self.name} failed ({status}){detail}")


class Deadline:
    """The deadline of a request: `silent_seconds` for the next bytes, and a total limit."""

    def __init__(self, upstream: Upstream) -> None:
        self.silent_seconds = upstream.first_seconds
        self._name = upstream.name
        self._total = upstream.total_seconds
        self._ends_at = asyncio.get_running_loop().time() + upstream.total_seconds

    def seconds(self) -> float:
        """Return the time-out of the next read."""
        left = self._ends_at - asyncio.get_running_loop().time()
        return max(0.0, min(self.silent_seconds, left))

    def exceeded(self) -> ModelTimeout:
        if asyncio.get_running_loop().time() >= self._ends_at:
            return ModelTimeout(
                f"{self._name} needed more than {self._total:,.0f} seconds for the response."
            )
        silence = math.ceil(self.silent_seconds)
        seconds = "1 second" if silence == 1 else f"{silence:,} seconds"
        return ModelTimeout(f"{self._name} sent nothing for {seconds}.")


class Response:
    """A response whose header has been received."""

    def __init__(
        self,
        status: int,
        headers: HTTPHeaders,
        body: AsyncGenerator[bytes, None],
        secrets: Sequence[str],
        deadline: Deadline,
    ) -> None:
        """`secrets` are the strings to remove from forwarded errors."""
        self.status = status
        self.headers = headers
        self.secrets = secrets
        self._body = body
        self._deadline = deadline

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the body in chunks. Raises `ModelUnavailable` if it is incomplete."""
        return self._body

    def tapped(self, tap: Tap) -> Response:
        """Return the same response, whose body passes through `tap`."""
        return Response(self.status, self.headers, tap(self._body), self.secrets, self._deadline)

    async def error(self) -> Any:
        """Read the body of an error, up to a limit. Return it parsed, or as text."""
        body = bytearray()
        with contextlib.suppress(ModelUnavailable, ModelTimeout):
            self._deadline.silent_seconds = min(10.0, self._deadline.silent_seconds)
            async with contextlib.aclosing(self.chunks()) as chunks:
                async for chunk in chunks:
                    body += chunk
                    if len(body) > MAX_BYTES_OF_AN_ERROR:
                        break
        return parsed(bytes(body))


Tap = Callable[[AsyncGenerator[bytes, None]], AsyncGenerator[bytes, None]]


class _Connection:
    """A connection over which a request was sent."""

    def __init__(self, upstream: Upstream, stream: IOStream, deadline: Deadline) -> None:
        self._upstream = upstream
        self._stream = stream
        self._deadline = deadline
        self._parser = ResponseParser()

    async def response(self) -> Response:
        """Read the response header. Body data that arrives with it is kept for the body."""
        first: Iterator[bytes] = iter(())
        while not self._parser.status:
            data = await self._read()
            if data is None:
                raise ModelUnavailable(
                    f"{self._upstream.name} closed the connection, or is no HTTP server."
                )
            try:
                first = self._parser.feed(data)
            except MalformedResponse:
                raise self._upstream.unreadable_error() from None
        parser, secrets = self._parser, self._upstream.secrets
        return Response(parser.status, parser.headers, self._body(first), secrets, self._deadline)

    async def _body(self, first: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
        for chunk in self._readable(first):
            yield chunk
        while not self._parser.is_complete:
            data = await self._read()
            if data is None:
                if not self._parser.close():
                    raise self._upstream.truncated_error()
                return
            for chunk in self._readable(data):
                yield chunk

    def _readable(self, data: bytes | Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from self._parser.feed(data) if isinstance(data, bytes) else data
        except MalformedResponse:
            raise self._upstream.unreadable_error() from None

    async def _read(self) -> bytes | None:
        """Return the next bytes; None at the end of the connection."""
        try:
            data: bytes = await within(
                self._deadline.seconds(), self._stream.read_bytes(_READ_AT_ONCE, partial=True)
            )
            return data
        except TimeoutError:
            raise self._deadline.exceeded() from None
        except StreamClosedError:
            return None


class Request(NamedTuple):
    """A request to a model server; `path` is relative to its base URL."""

    method: str
    path: str
    body: bytes = b""
    accept: str = "text/event-stream, application/json"


class Send(Protocol):
    """What sends requests: `send_request`, or a recording of it."""

    def __call__(
        self, upstream: Upstream, request: Request, deadline: Deadline | None = None
    ) -> AbstractAsyncContextManager[Response]: ...


@asynccontextmanager
async def send_request(
    upstream: Upstream, request: Request, deadline: Deadline | None = None
) -> AsyncIterator[Response]:
    """Send a request over a new connection. Leaving the block closes the connection.

    Closing it makes the server stop generating (llama.cpp: within 0.05 s).
    """
    deadline = deadline or Deadline(upstream)
    stream, target, extra = await connect(upstream.name, upstream.address(request.path))
    try:
        head = _head(upstream, request, target, extra)
        connection = _Connection(upstream, stream, deadline)
        sending = asyncio.ensure_future(_send(stream, head + request.body))
        try:
            yield await connection.response()
        finally:
            sending.cancel()
            await asyncio.wait([sending])
    finally:
        stream.close()


def _head(upstream: Upstream, request: Request, target: str, extra: Mapping[str, str]) -> bytes:
    """Return the request header. Raises `ModelRefused` for a key that is invalid in a header."""
    headers = {
        "Host": urlsplit(upstream.base_url).netloc,
        "Connection": "close",
        "User-Agent": "Quillium",
        "Accept": request.accept,
        "Accept-Encoding": "identity",
        **extra,
    }
    if request.body or request.method == "POST":
        headers |= {"Content-Type": "application/json", "Content-Length": str(len(request.body))}
    if upstream.api_key:
        headers["Authorization"] = f"Bearer {upstream.api_key}"
    names = {name.lower(): name for name in headers}
    for name, value in upstream.headers:
        headers[names.get(name.lower(), name)] = value
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        raise ModelRefused(
            f"The API key or a header of {upstream.name} contains invalid characters. Set it again."
        )
    lines = [
        f"{request.method} {target} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


async def _send(stream: IOStream, data: bytes) -> None:
    """Send a request. If the server closes the connection early, keep what it responded."""
    with contextlib.suppress(StreamClosedError):
        await stream.write(data)
