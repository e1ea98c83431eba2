"""OpenAI-compatible servers: OpenAI itself, Ollama, LM Studio, vLLM, llama.cpp and many more.

They agree on `POST {base_url}/chat/completions` with `stream: true`, and differ in the rest:
`docs/models.md` says how.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from assistant import DEFAULT_PARAMETERS, Parameters, PromptMessage, context
from assistant.event_stream import EventStream
from assistant.events import End, ReplyEvent, Text
from assistant.upstream import Exchange, Upstream, storable
from core.errors import ModelTimeout, ModelUnavailable

LIST_SECONDS = 10.0
_MAX_BYTES_OF_A_LIST = 4 << 20
_LAST_SECONDS = 2.0  # in which a finished answer's connection may end
LONGEST_NAME = 100  # characters; what a chat's `model` may hold


@dataclass(frozen=True)
class Listed:
    """A model as its server lists it; `window` in tokens, where the server tells it."""

    id: str
    window: int | None


class OpenAICompatible:
    """One such server. `parameters` go with each request, beside model and messages."""

    def __init__(self, upstream: Upstream, parameters: Mapping[str, Any] | None = None) -> None:
        self.name = upstream.name
        self.upstream = upstream
        self.windows: dict[str, int] = {}  # tokens, by model; for who knows them to fill in
        self._parameters = dict(parameters or {})

    def memory(self, model: str) -> int:
        """See `assistant.Provider`."""
        return context.characters(self._window(model))

    async def reply(
        self,
        messages: Sequence[PromptMessage],
        model: str,
        parameters: Parameters = DEFAULT_PARAMETERS,
    ) -> AsyncGenerator[ReplyEvent, None]:
        """See `assistant.Provider`. Closing it closes the connection, which ends the work there."""
        body = {
            "model": model,
            "messages": [
                {"role": line.role, "content": line.content}
                for line in context.fit(messages, self._window(model))
            ],
            "stream": True,
            **self._parameters,
        }
        text = _Text()
        async with aclosing(self._events(body)) as events:
            async for event in events:
                if piece := text.add(self._piece(event)):
                    yield Text(piece)
        if rest := text.end():
            yield Text(rest)
        yield End()

    def _window(self, model: str) -> int:
        return self.windows.get(model, context.DEFAULT_WINDOW)

    async def models(self) -> list[Listed]:
        """The models that the server lists. Raises what `reply` raises, after 10 s at most."""
        try:
            return await asyncio.wait_for(self._models(), LIST_SECONDS)
        except TimeoutError:
            raise ModelTimeout(f"{self.name} took too long to list its models.") from None

    async def _models(self) -> list[Listed]:
        body = bytearray()
        async with aclosing(Exchange(self.upstream, "GET", "/models").chunks()) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) > _MAX_BYTES_OF_A_LIST:
                    raise self.upstream.unreadable()
        document = self._json(bytes(body))
        data = document.get("data") if isinstance(document, dict) else None
        if not isinstance(data, list):
            raise self.upstream.unreadable()
        listed = [_listed(model) for model in data]
        return [model for model in listed if model is not None]

    async def _events(self, body: dict[str, Any]) -> AsyncGenerator[Any, None]:
        """The parsed events of a streamed answer, until it is finished.

        Raises `ModelUnavailable` if it breaks off before.
        """
        exchange = Exchange(self.upstream, "POST", "/chat/completions", body)
        stream, whole = EventStream(), bytearray()
        has_begun = is_finished = False
        try:
            async with aclosing(exchange.chunks()) as chunks:
                async for chunk in chunks:
                    if not exchange.is_event_stream:
                        whole += chunk
                        continue
                    for data in stream.feed(chunk):
                        if data.strip() == "[DONE]":
                            return
                        event = self._json(data)
                        has_begun = True
                        if _finish_reason(event) is not None:
                            is_finished = True
                            exchange.silent_seconds = _LAST_SECONDS
                        yield event
        except (ModelTimeout, ModelUnavailable):
            if not is_finished:
                raise
        if whole:  # a server that knows no streaming answers at once
            answer = self._json(bytes(whole))
            if not isinstance(answer, dict) or not answer.keys() & {"choices", "error"}:
                raise self.upstream.unreadable()
            yield answer
        elif not has_begun:
            raise self.upstream.unreadable()
        elif not is_finished:
            raise ModelUnavailable(f"{self.name} broke off in the middle of its answer.")

    def _piece(self, event: Any) -> str:
        """The text that an event adds; what is thought and not said is none."""
        if not isinstance(event, dict):
            raise self.upstream.unreadable()
        if event.get("error"):
            raise self.upstream.refusal(None, json.dumps(event).encode())
        choices = event.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            return ""  # such as the count of tokens at the end
        said = choices[0].get("delta") or choices[0].get("message") or {}
        content = said.get("content") if isinstance(said, dict) else None
        return content if isinstance(content, str) else ""

    def _json(self, text: str | bytes) -> Any:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise self.upstream.unreadable() from None


class _Text:
    """Joins pieces: half of a surrogate pair may come in one, and half in the next."""

    def __init__(self) -> None:
        self._half = ""

    def add(self, piece: str) -> str:
        piece = self._half + piece
        self._half = piece[-1] if piece and "\ud800" <= piece[-1] <= "\udbff" else ""
        return storable(piece[: len(piece) - len(self._half)])

    def end(self) -> str:
        return storable(self._half)


def _finish_reason(event: Any) -> Any:
    try:
        return event["choices"][0].get("finish_reason")
    except (TypeError, KeyError, IndexError, AttributeError):
        return None


def _listed(model: Any) -> Listed | None:
    """A model of the list, if it has a usable name. Servers tell the window in many ways."""
    id = model.get("id") if isinstance(model, dict) else None
    if not isinstance(id, str) or not 1 <= len(id) <= LONGEST_NAME or storable(id) != id:
        return None
    meta = model["meta"] if isinstance(model.get("meta"), dict) else {}
    figures = (
        model.get("max_model_len"),  # vLLM
        model.get("loaded_context_length"),  # LM Studio
        model.get("context_length"),  # OpenRouter, Together
        model.get("context_window"),  # Groq
        meta.get("n_ctx"),  # llama.cpp
    )
    known = [n for n in figures if isinstance(n, int) and not isinstance(n, bool) and n >= 256]
    return Listed(id, known[0] if known else None)
