"""Retry policy for requests that a server rejects, and the changes before a retry."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from assistant import PromptMessage, context, failures
from assistant.upstream import Upstream
from core.errors import QuilliumError

LONGEST_WAIT_SECONDS = 60.0  # the longest `Retry-After` that is honoured
BACK_OFF_SECONDS = 1.0  # without `Retry-After`
_BUSY = {429, 503, 529}  # 529 is Anthropic's "overloaded"
_OVERFLOW = {None, 400, 413, 422, 500}
_PARAMETERS = ("temperature", "top_p", "max_tokens", "max_completion_tokens", "seed",
               "reasoning_effort", "stream_options")  # fmt: skip
_UNKNOWN = re.compile(
    r"unsupported|not support|unknown|unrecogni[sz]ed|unexpected|extra|not permitted|not allowed"
    r"|deprecated|no such|only the default|too large",
    re.I,
)


class Refused(Exception):
    """An error response: its status (None inside a stream), document and headers."""

    def __init__(
        self,
        error: QuilliumError,
        status: int | None,
        document: Any,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(error.details)
        self.error = error
        self.status = status
        self.document = document
        self.headers = headers

    @property
    def text(self) -> str:
        return self.document if isinstance(self.document, str) else json.dumps(self.document)


class Attempts:
    """The retry state of one reply: at most one wait and one shortened prompt."""

    def __init__(self, upstream: Upstream) -> None:
        self._waits_until = asyncio.get_running_loop().time() + upstream.first_seconds
        self._has_waited = False
        self._has_shortened = False

    async def wait(self, refused: Refused) -> bool:
        """Wait for a busy server; return whether to retry.

        Waits once for the time the server requests; if it is loading a model, until that is done.
        """
        if refused.status not in _BUSY:
            return False
        seconds = retry_after(refused.headers)
        if refused.status == 503 and failures.is_loading(refused.document):
            left = self._waits_until - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            await asyncio.sleep(min(seconds or BACK_OFF_SECONDS, left))
            return True
        if self._has_waited or (seconds or 0) > LONGEST_WAIT_SECONDS:
            return False
        self._has_waited = True
        await asyncio.sleep(BACK_OFF_SECONDS if seconds is None else seconds)
        return True

    def shorten(
        self, refused: Refused, prompt: Sequence[PromptMessage], window: int, answer: int
    ) -> tuple[list[PromptMessage], int | None] | None:
        """Shorten a prompt that was too long; return it and the server's window.

        Returns None if the error has another cause or this was already tried. Raises `ModelRefused`
        if the prompt can't be shortened.
        """
        is_too_long = refused.status in _OVERFLOW and failures.is_context_overflow(refused.document)
        if self._has_shortened or not is_too_long:
            return None
        self._has_shortened = True
        return context.shorter(prompt, window, answer, refused.text)


def refused_parameters_of(refused: Refused, body: Mapping[str, Any]) -> set[str]:
    """Return the request parameters that the server reports as unsupported."""
    if refused.status not in (400, 422):
        return set()
    text = refused.text
    if not _UNKNOWN.search(text):
        return set()
    words = set(re.findall(r"[a-z]+(?:_[a-z]+)*", text))
    named = [name for name in _PARAMETERS if name in body and name in words]
    return set(named[:1] if "max_tokens" in named else named)


def without(body: dict[str, Any], refused: set[str]) -> dict[str, Any]:
    """Remove rejected parameters from a request, or replace them with their successors."""
    kept = {name: value for name, value in body.items() if name not in refused}
    if "max_tokens" in refused and "max_completion_tokens" not in refused and "max_tokens" in body:
        kept["max_completion_tokens"] = body["max_tokens"]
    return kept


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the `Retry-After` of a response in seconds (RFC 9110, section 10.2.3), if any."""
    milliseconds = headers.get("Retry-After-Ms", "")
    if re.fullmatch(r"\d{1,9}(\.\d+)?", milliseconds):
        return float(milliseconds) / 1000
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
