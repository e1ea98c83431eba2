"""The `/openai/v1` endpoints that call a model (contract, section 8).

If the provider is an OpenAI-compatible server, the request is forwarded unchanged, and the server's
status, errors and chunks are returned as received. Built-in models respond in the same format.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, ClassVar

from assistant import demo_completions, responses_request
from assistant.chat_format import ChatFormat, TextFormat, chat_of_completion
from assistant.decoder import AnswerDecoder, BrokenOff, UnreadableAnswer
from assistant.demo import Demo
from assistant.failures import ReportedFailure, parsed
from assistant.openai_compatible import OpenAICompatible
from assistant.passing import error_of, passed_headers, whole_events
from assistant.responses_format import ResponsesFormat
from assistant.upstream import MAX_BYTES_OF_AN_ERROR, Response
from core import errors, ids
from core.coroutines import within
from handlers.openai import PATIENCE_SECONDS, Format, OpenAIHandler
from services.completions import Completion

_BUFFERED_BYTES = 1 << 20  # so that a response that ends early can become an error
_HAS_NO_SUCH_ENDPOINT = {404, 405, 501}


class _Received(Exception):
    """The provider sent a response other than the requested stream, to be returned unchanged."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: Any) -> None:
        """`body` is bytes, or an error document in OpenAI's format."""
        self.status = status
        self.headers = headers
        self.body = body


class _CompletionHandler(OpenAIHandler):
    path: ClassVar[str]  # of the endpoint, below the provider's base URL
    form: ClassVar[type[Format]]
    prompted: ClassVar[str | None] = None  # the request field that gets the admin's system prompt

    _completion: Completion | None = None
    _format: Format | None = None  # set for a streamed response of a built-in model

    async def post(self) -> None:
        request = self.json_body()
        completion = await self.services.completions.find(request, self.prompted)
        self._completion = completion
        try:
            await completion.run(self.answer(completion))
        except Exception as error:
            if not self.has_begun:
                raise
            await self.send_failure(error, self._format)

    def on_connection_close(self) -> None:
        if self._completion is not None:
            self._completion.end(None)

    async def answer(self, completion: Completion) -> None:
        """Forward the request to an OpenAI-compatible server, or have the provider complete it."""
        if completion.forwarding is not None:
            await self.forward(completion)
        else:
            await self.compose(completion, self.chat_request(completion.request))

    def chat_request(self, request: dict[str, Any]) -> dict[str, Any]:
        """Convert the request to the "Chat Completions" format."""
        return request

    # Forwarded responses

    async def forward(self, completion: Completion) -> None:
        if not completion.request.get("stream"):
            try:
                await self._send_received(completion)
            except _Received as received:
                self._respond_received(received)
            return
        try:
            await self.send_stream(self._received_events(completion))
        except _Received as received:
            if self.has_begun:
                self._stream_received(completion, received)
            else:
                self._respond_received(received)

    async def _received_events(self, completion: Completion) -> AsyncGenerator[bytes, None]:
        """Yield the events of a provider's stream. Raises `_Received` for any other response."""
        assert completion.forwarding is not None
        async with completion.forwarding.forward(self.path, completion.request) as response:
            if response.status != 200:
                raise await self._error(completion, response)
            if response.headers.get("Content-Type", "").lower().startswith("application/json"):
                body = b"".join([chunk async for chunk in response.chunks()])
                raise _Received(200, passed_headers(response.headers.get_all()), body)
            if not self.has_begun:
                for name, value in passed_headers(response.headers.get_all()):
                    self.set_header(name, value)
            await self.send_event(b"")  # send our header as soon as the provider's arrives
            async with aclosing(whole_events(response.chunks())) as events:
                async for event in events:
                    yield event

    async def _send_received(self, completion: Completion) -> None:
        """Forward a response that is not streamed; buffer it up to `_BUFFERED_BYTES`."""
        assert completion.forwarding is not None
        async with completion.forwarding.forward(self.path, completion.request) as response:
            if not 200 <= response.status < 300:
                raise await self._error(completion, response)
            self.set_status(response.status)
            content_type = response.headers.get("Content-Type", "application/json")
            self.set_header("Content-Type", content_type)
            for name, value in passed_headers(response.headers.get_all()):
                self.set_header(name, value)
            try:
                await self._write_chunks(response)
            except errors.QuilliumError:
                if not self._headers_written:
                    raise
                self.detach().close()  # a regular end would make the response look complete

    async def _write_chunks(self, response: Response) -> None:
        waiting = 0
        async with aclosing(response.chunks()) as chunks:
            async for chunk in chunks:
                self.write(chunk)
                waiting += len(chunk)
                if waiting > _BUFFERED_BYTES:
                    await within(PATIENCE_SECONDS, self.flush())
                    waiting = 0

    async def _error(self, completion: Completion, response: Response) -> _Received:
        """Return a provider's error with its status, in OpenAI's format."""
        status = response.status
        if status < 400:
            raise errors.ModelUnavailable(
                f"{completion.provider.name} responded with a redirect ({status})."
                " Check its base_url."
            )
        document = await response.error()
        error = error_of(status, document, response.secrets)
        return _Received(status, passed_headers(response.headers.get_all()), error)

    def _respond_received(self, received: _Received) -> None:
        self.set_status(received.status)
        for name, value in received.headers:
            self.set_header(name, value)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.write(received.body)

    def _stream_received(self, completion: Completion, received: _Received) -> None:
        """Convert a response that is not a stream to events, after our header has been sent."""
        form = self._form(completion)
        if received.status != 200:
            self.write(b"".join(form.failure(received.body)))
            return
        decoder = AnswerDecoder()
        try:
            for event in (*decoder.feed(received.body), *decoder.close()):
                self.write(b"".join(form.feed(event)))
        except (ReportedFailure, BrokenOff, UnreadableAnswer):
            error = error_of(502, parsed(received.body[:MAX_BYTES_OF_AN_ERROR]), [])
            self.write(b"".join(form.failure(error)))

    # Generated responses

    async def compose(self, completion: Completion, chat: Mapping[str, Any]) -> None:
        """Have the provider complete a "Chat Completions" request, and respond in this format."""
        form = self._form(completion)
        if completion.request.get("stream"):
            self._format = form
            await self.send_stream(_formatted(form, completion, chat))
            return
        async with aclosing(completion.provider.complete(chat, completion.model)) as events:
            async for event in events:
                form.feed(event)
        self.respond(form.whole())

    def _form(self, completion: Completion) -> Format:
        created = int(self.services.clock())
        return self.form(ids.random_text(22), created, completion.model, completion.request)


async def _formatted(
    form: Format, completion: Completion, chat: Mapping[str, Any]
) -> AsyncGenerator[bytes, None]:
    """Yield the events of a stream. The opening events wait for the first token or a failure."""
    has_begun = False
    async with aclosing(completion.provider.complete(chat, completion.model)) as events:
        async for event in events:
            beginning = [] if has_begun else form.begin()
            has_begun = True
            for sent in (*beginning, *form.feed(event)):
                yield sent


class ChatCompletions(_CompletionHandler):
    path = "/chat/completions"
    form = ChatFormat
    prompted = "messages"


class TextCompletions(_CompletionHandler):
    path = "/completions"
    form = TextFormat

    def chat_request(self, request: dict[str, Any]) -> dict[str, Any]:
        return chat_of_completion(request)


class Responses(_CompletionHandler):
    path = "/responses"
    form = ResponsesFormat
    prompted = "instructions"

    async def answer(self, completion: Completion) -> None:
        """Forward the request if the provider has this endpoint, else use "Chat Completions"."""
        provider = completion.provider
        if isinstance(provider, OpenAICompatible) and not provider.lacks_responses:
            try:
                await self.forward(completion)
                return
            except _NoSuchEndpoint:
                provider.lacks_responses = True
        await self.compose(completion, responses_request.to_chat(completion.request))

    async def _error(self, completion: Completion, response: Response) -> _Received:
        received = await super()._error(completion, response)
        is_about_model = "model" in str(received.body["error"]["message"]).lower()
        if received.status in _HAS_NO_SUCH_ENDPOINT and not is_about_model:
            raise _NoSuchEndpoint
        return received


class _NoSuchEndpoint(Exception):
    """The provider does not have the `/responses` endpoint."""


class Embeddings(_CompletionHandler):
    path = "/embeddings"
    form = ChatFormat

    async def compose(self, completion: Completion, chat: Mapping[str, Any]) -> None:
        if not isinstance(completion.provider, Demo):
            raise errors.ModelRefused("The embedded model has no embeddings; use quillium-demo.")
        self.respond(await asyncio.to_thread(demo_completions.embeddings, completion.request))
