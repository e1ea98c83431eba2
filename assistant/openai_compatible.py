"""OpenAI-compatible servers: OpenAI itself, Ollama, LM Studio, vLLM, llama.cpp and many more.

They all support `POST {base_url}/chat/completions` with `stream: true`. `docs/models.md` lists the
differences, which `decoder` handles.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from assistant import DEFAULT_PARAMETERS, Parameters, PromptMessage, attached, context, windows
from assistant.decoder import AnswerDecoder, BrokenOff, UnreadableAnswer
from assistant.events import ReplyEvent
from assistant.failures import ReportedFailure
from assistant.listing import Listed, listed_models
from assistant.retrying import Attempts, Refused, refused_parameters_of, without
from assistant.upstream import (
    MAX_BYTES,
    Deadline,
    Request,
    Response,
    Send,
    Upstream,
    send_request,
)
from core.errors import ModelTimeout, ModelUnavailable

LIST_SECONDS = 10.0
_MAX_BYTES_OF_A_LIST = 4 << 20
_LAST_SECONDS = 2.0  # to wait for the end of the connection after a finished answer
_ENDING_SECONDS = 0.2  # the same after `[DONE]`

# Set by the caller of a provider, never by settings.
_RESERVED = ("model", "messages", "stream")


class OpenAICompatible:
    """One OpenAI-compatible server.

    `extra_body` is added to each request, `defaults` are parameters for chats that set none, and
    `context_window` (tokens) overrides the value that the server lists.
    """

    def __init__(
        self,
        upstream: Upstream,
        extra_body: Mapping[str, Any] | None = None,
        context_window: int | None = None,
        defaults: Mapping[str, Any] | None = None,
        send: Send = send_request,
    ) -> None:
        self.name = upstream.name
        self.upstream = upstream
        self.windows: dict[str, int] = {}  # tokens, by model; filled in by the model directory
        self.extra_body = {k: v for k, v in (extra_body or {}).items() if k not in _RESERVED}
        self.lacks_responses = False  # whether the server is known to lack `/responses`
        self._send = send
        self._context_window = context_window
        self._defaults = dict(defaults or {})
        self._refused_parameters: dict[str, set[str]] = {}  # by model

    def window(self, model: str) -> int | None:
        """Return a model's context window in tokens, if known."""
        return self._context_window or self.windows.get(model) or windows.known(model)

    def memory(self, model: str) -> int:
        """See `assistant.Provider`."""
        return context.characters(self.window(model) or context.DEFAULT_WINDOW)

    async def reply(
        self,
        messages: Sequence[PromptMessage],
        model: str,
        parameters: Parameters = DEFAULT_PARAMETERS,
    ) -> AsyncGenerator[ReplyEvent, None]:
        """See `assistant.Provider`. Closing it closes the connection, which stops the server.

        Retries if the server is busy or loading the model, and once with a shorter prompt if the
        conversation exceeds the context window.
        """
        window = self.window(model) or context.DEFAULT_WINDOW
        chosen = self._chosen(parameters)
        answer = chosen.get("max_tokens") or context.LARGEST_ANSWER
        prompt = context.fit(attached.spelled_out(messages), window, answer)
        refused_parameters = self._refused_parameters.setdefault(model, set())
        attempts = Attempts(self.upstream)
        while True:
            body = {"model": model, "messages": context.as_sent(prompt), "stream": True, **chosen}
            body |= {"stream_options": {"include_usage": True}, **self.extra_body}
            body = without(body, refused_parameters)
            has_begun = False
            try:
                async with aclosing(self._attempt(body)) as events:
                    async for event in events:
                        has_begun = True
                        yield event
                return
            except Refused as refused:
                if has_begun:
                    raise refused.error from None
                unknown = refused_parameters_of(refused, body)
                if unknown:
                    refused_parameters |= unknown
                elif attached.is_about_images(prompt, refused.text):
                    prompt = attached.without_images(prompt, model, refused.error.details)
                elif (shorter := attempts.shorten(refused, prompt, window, answer)) is not None:
                    prompt, limit = shorter
                    if limit is not None:
                        self.windows[model] = limit
                elif not await attempts.wait(refused):
                    raise refused.error from None

    async def complete(
        self, request: Mapping[str, Any], model: str
    ) -> AsyncGenerator[ReplyEvent, None]:
        """See `assistant.Provider`. Sends the request unchanged."""
        body = {**self.extra_body, **request, "model": model, "stream": True}
        try:
            async with aclosing(self._attempt(body)) as events:
                async for event in events:
                    yield event
        except Refused as refused:
            raise refused.error from None

    @asynccontextmanager
    async def forward(self, path: str, request: Mapping[str, Any]) -> AsyncIterator[Response]:
        """See `assistant.Forwarding`."""
        sent = json.dumps({**self.extra_body, **request}, ensure_ascii=False).encode()
        deadline = Deadline(self.upstream)
        if not request.get("stream"):  # no byte arrives before the response is complete
            deadline.silent_seconds = self.upstream.total_seconds
        async with self._send(self.upstream, Request("POST", path, sent), deadline) as response:
            yield response

    async def _attempt(self, body: Mapping[str, Any]) -> AsyncGenerator[ReplyEvent, None]:
        """Send one request. Yields text held back by the decoder before raising a failure.

        Raises `Refused` for a failure that the server reports.
        """
        decoder = AnswerDecoder()
        try:
            async with aclosing(self._decoded(body, decoder)) as events:
                async for event in events:
                    yield event
            return
        except ReportedFailure as failure:
            error: Exception = Refused(
                self.upstream.error_for(None, failure.document), None, failure.document, {}
            )
        except BrokenOff:
            error = self.upstream.truncated_error()
        except UnreadableAnswer:
            error = self.upstream.unreadable_error()
        except (ModelTimeout, ModelUnavailable) as known:
            error = known
        for event in decoder.reply.flush():
            yield event
        raise error

    async def _decoded(
        self, body: Mapping[str, Any], decoder: AnswerDecoder
    ) -> AsyncGenerator[ReplyEvent, None]:
        deadline = Deadline(self.upstream)
        received = 0
        sent = json.dumps(body).encode()
        request = Request("POST", "/chat/completions", sent)
        async with self._send(self.upstream, request, deadline) as response:
            if response.status != 200:
                document = await response.error()
                failure = self.upstream.error_for(response.status, document)
                raise Refused(failure, response.status, document, response.headers)
            try:
                async with aclosing(response.chunks()) as chunks:
                    async for chunk in chunks:
                        received += len(chunk)
                        if received > MAX_BYTES:
                            raise ModelUnavailable(
                                f"{self.name} sent more than {MAX_BYTES >> 20} MiB."
                            )
                        for event in decoder.feed(chunk):
                            deadline.silent_seconds = self.upstream.silent_seconds
                            yield event
                        if decoder.is_done:
                            deadline.silent_seconds = _ENDING_SECONDS
                        elif decoder.is_finished:
                            deadline.silent_seconds = _LAST_SECONDS
            except (ModelTimeout, ModelUnavailable):
                if not decoder.is_finished:
                    raise
        for event in decoder.close():
            yield event

    def _chosen(self, parameters: Parameters) -> dict[str, Any]:
        """Return the parameters that are set, by their API names."""
        chosen: dict[str, Any] = {
            "temperature": parameters.temperature,
            "top_p": parameters.top_p,
            "max_tokens": parameters.max_tokens,
            "seed": parameters.seed,
            "reasoning_effort": parameters.reasoning_effort,
        }
        return self._defaults | {k: value for k, value in chosen.items() if value is not None}

    async def models(self) -> list[Listed]:
        """Return the server's model list. Raises what `reply` raises, with a time-out of 10 s."""
        try:
            async with asyncio.timeout(LIST_SECONDS):
                return await self._models()
        except TimeoutError:
            raise ModelTimeout(f"{self.name} took too long to list its models.") from None

    async def _models(self) -> list[Listed]:
        body = bytearray()
        request = Request("GET", "/models", accept="application/json")
        async with self._send(self.upstream, request) as response:
            if response.status != 200:
                raise self.upstream.error_for(response.status, await response.error())
            async with aclosing(response.chunks()) as chunks:
                async for chunk in chunks:
                    body += chunk
                    if len(body) > _MAX_BYTES_OF_A_LIST:
                        raise self.upstream.unreadable_error()
        try:
            return listed_models(json.loads(body))
        except (ValueError, RecursionError):
            raise self.upstream.unreadable_error() from None
