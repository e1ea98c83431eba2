"""Replay recorded responses, without a network (contract, section 11)."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from tornado.httputil import HTTPHeaders

from assistant.recordings import Exchange, Recording, normalized
from assistant.scripted import FAILURES
from assistant.upstream import Deadline, Request, Response, Upstream
from core import errors
from core.errors import ModelUnavailable

_COMPARED_CHARACTERS = 2000  # at the end of requests, to find the nearest one
_SHOWN_CHARACTERS = 60  # of a value in an error
_STOPPED = "The recording ends here, because the client stopped this response."


class Replay:
    """Responds to recorded requests as it was recorded, and to no others.

    A request that was recorded several times gets its responses in that order, and then the last
    one again.
    """

    def __init__(self, recording: Recording, *, is_instant: bool) -> None:
        """`is_instant` leaves out the recorded pauses."""
        self._name = recording.name
        self._is_instant = is_instant
        self._exchanges = recording.exchanges
        self._by_request: dict[str, list[Exchange]] = defaultdict(list)
        for exchange in recording.exchanges:
            self._by_request[_key(exchange)].append(exchange)
        self._replayed: dict[str, int] = defaultdict(int)  # how often, by request

    def models(self) -> dict[str, list[str]]:
        """Return the models of the recorded requests, by the names of their providers."""
        found: dict[str, dict[str, None]] = defaultdict(dict)
        for exchange in self._exchanges:
            if isinstance(model := exchange.request.get("model"), str):
                found[exchange.provider][model] = None
        return {provider: list(models) for provider, models in found.items()}

    @asynccontextmanager
    async def send(
        self, upstream: Upstream, request: Request, deadline: Deadline | None = None
    ) -> AsyncIterator[Response]:
        """See `assistant.upstream.Send`. Raises `ModelUnavailable` for another request."""
        exchange = self._next(Exchange(upstream.name, request.path, normalized(request.body)))
        if exchange.status is None:
            _raise_recorded(exchange)
        assert exchange.status is not None
        headers = HTTPHeaders()
        for name, value in exchange.headers:
            headers.add(name, value)
        yield Response(
            exchange.status,
            headers,
            self._body(exchange),
            upstream.secrets,
            deadline or Deadline(upstream),
        )

    async def _body(self, exchange: Exchange) -> AsyncGenerator[bytes, None]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for milliseconds, text in exchange.events:
            pause = 0 if self._is_instant else began + milliseconds / 1000 - loop.time()
            await asyncio.sleep(max(0, pause))
            yield text.encode("utf-8", "surrogateescape")
        _raise_recorded(exchange)

    def _next(self, sent: Exchange) -> Exchange:
        key = _key(sent)
        recorded = self._by_request.get(key)
        if recorded is None:
            raise ModelUnavailable(self._unknown(sent))
        number = min(self._replayed[key], len(recorded) - 1)
        self._replayed[key] += 1
        return recorded[number]

    def _unknown(self, sent: Exchange) -> str:
        """Return why a request has no response, and how the nearest recorded one differs."""
        unknown = f"{self._name} has no response to this request"
        candidates = [one for one in self._exchanges if one.path == sent.path and one.request]
        if not sent.request or not candidates:
            return f"{unknown}, and none to another one at {sent.path}."
        from difflib import SequenceMatcher  # seldom needed, and slow to import

        text = _compared(sent)
        nearest = max(
            candidates, key=lambda one: SequenceMatcher(None, text, _compared(one)).quick_ratio()
        )
        difference = _difference(nearest.request, sent.request)
        return f"{unknown}. In the nearest one, on line {nearest.line}, {difference}."


def _key(exchange: Exchange) -> str:
    """Return what two equal requests have in common. Lists of models differ by their providers."""
    provider = "" if exchange.request else exchange.provider
    return json.dumps([provider, exchange.path, exchange.request], sort_keys=True)


def _raise_recorded(exchange: Exchange) -> None:
    """Raise the failure that an exchange ended with, if it did."""
    if exchange.error is not None:
        code, details = exchange.error
        raise errors.of(FAILURES[code], details)
    if not exchange.is_complete:
        raise ModelUnavailable(_STOPPED)


def _compared(exchange: Exchange) -> str:
    return json.dumps(exchange.request, sort_keys=True)[-_COMPARED_CHARACTERS:]


def _difference(recorded: Any, sent: Any, place: str = "") -> str:
    """Return where a recorded value differs first from that of a request."""
    if isinstance(recorded, Mapping) and isinstance(sent, Mapping):
        for name in sorted(recorded.keys() | sent.keys()):
            if name not in sent or name not in recorded or recorded[name] != sent[name]:
                inner = f"{place}.{name}" if place else name
                return _difference(recorded.get(name), sent.get(name), inner)
    if isinstance(recorded, list) and isinstance(sent, list):
        for number, (one, other) in enumerate(zip(recorded, sent, strict=False)):
            if one != other:
                return _difference(one, other, f"{place}.{number}")
        return f"{place} has {len(recorded)} instead of {len(sent)} items"
    return f"{place} is {_shown(recorded)} instead of {_shown(sent)}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
