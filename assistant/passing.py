"""Forward a server's response unchanged: events, headers, and errors without secrets."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from typing import Any

from assistant.failures import hidden, message_of

# OpenAI's rate-limit and timing headers, and those that its SDKs use for retries.
_PASSED = re.compile(
    r"retry-after(-ms)?|x-should-retry|openai-(model|processing-ms|version)"
    r"|x-ratelimit-(limit|remaining|reset)-\w+",
    re.I,
)
_BOUNDARY = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def passed_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the response headers to forward to the client."""
    return [(name, value) for name, value in headers if _PASSED.fullmatch(name)]


async def whole_events(chunks: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield an event stream, split only between events, so that events can be inserted."""
    buffer = b""
    async for chunk in chunks:
        # A boundary may span two chunks.
        start = max(0, len(buffer) - 3)
        buffer += chunk
        end = max((match.end() for match in _BOUNDARY.finditer(buffer, start)), default=0)
        if end:
            yield buffer[:end]
            buffer = buffer[end:]
    if buffer:
        yield buffer


def error_of(status: int, document: Any, secrets: Iterable[str]) -> dict[str, Any]:
    """Convert a server's error to OpenAI's format, without secrets."""
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        found: dict[str, Any] = hidden(document, secrets)
        return {**found, "error": {**_fields(status), **found["error"]}}
    message = message_of(document, secrets) or "The model's server gave no reason."
    return envelope(status, message)


def envelope(status: int, message: str, code: str | None = None) -> dict[str, Any]:
    """Return an error in OpenAI's format."""
    return {"error": {"message": message, **_fields(status), "code": code}}


def _fields(status: int) -> dict[str, Any]:
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"type": kind, "param": None, "code": None}
