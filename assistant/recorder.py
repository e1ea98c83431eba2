"""Record what model servers respond, while it is used (contract, section 11)."""

from __future__ import annotations

import asyncio
import codecs
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TextIO

from assistant.passing import passed_headers
from assistant.recordings import MAX_BYTES, Exchange, line_of, normalized
from assistant.upstream import Deadline, Request, Response, Upstream, send_request
from core.errors import QuilliumError

_SHORTEST_SECRET = 8  # characters; a shorter one could be an ordinary word

log = logging.getLogger("quillium.models")


class Recorder:
    """Sends requests as `send_request` does, and appends each with its response to a file."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._lists: dict[str, str] = {}  # the last list of models, by provider

    @asynccontextmanager
    async def send(
        self, upstream: Upstream, request: Request, deadline: Deadline | None = None
    ) -> AsyncIterator[Response]:
        """See `assistant.upstream.Send`."""
        tape = _Tape(upstream, request)
        try:
            async with AsyncExitStack() as stack:
                try:
                    response = await stack.enter_async_context(
                        send_request(upstream, request, deadline)
                    )
                except QuilliumError as error:
                    tape.fail(error)
                    raise
                tape.begin(response)
                yield response.tapped(tape.run)
        finally:
            exchange = tape.exchange()
            if exchange is not None and self._is_news(exchange):
                self._write(exchange)

    def _is_news(self, exchange: Exchange) -> bool:
        """Return whether to record an exchange: lists of models only if they have changed."""
        if exchange.request:
            return True
        before, self._lists[exchange.provider] = self._lists.get(exchange.provider), exchange.text
        return exchange.is_complete and exchange.text != before

    def _write(self, exchange: Exchange) -> None:
        try:
            self._file.write(line_of(exchange))
            self._file.flush()
        except OSError as error:
            log.error("a response can't be recorded: %s", error.strerror)


class _Tape:
    """The recording of one exchange."""

    def __init__(self, upstream: Upstream, request: Request) -> None:
        self._secrets = [text for text in upstream.secrets if len(text) >= _SHORTEST_SECRET]
        body = normalized(self._hidden(request.body.decode()).encode())
        self._exchange = Exchange(upstream.name, request.path, body)
        self._began = asyncio.get_running_loop().time()
        self._bytes = 0

    def begin(self, response: Response) -> None:
        kept = ("Content-Type", response.headers.get("Content-Type", "application/json"))
        self._exchange.status = response.status
        self._exchange.headers = [kept, *passed_headers(response.headers.get_all())]

    def fail(self, error: QuilliumError) -> None:
        self._exchange.error = (error.code, self._hidden(error.details))
        self._exchange.is_complete = True

    async def run(self, body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """Record the body of a response, while it is read."""
        decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        try:
            async with aclosing(body) as chunks:
                async for chunk in chunks:
                    self._keep(decoder.decode(chunk), len(chunk))
                    yield chunk
            self._keep(decoder.decode(b"", final=True), 0)
            self._exchange.is_complete = True
        except QuilliumError as error:
            self.fail(error)
            raise

    def _keep(self, text: str, size: int) -> None:
        self._bytes += size
        if text and self._bytes <= MAX_BYTES:
            milliseconds = 1000 * (asyncio.get_running_loop().time() - self._began)
            self._exchange.events.append((round(milliseconds, 1), text))

    def exchange(self) -> Exchange | None:
        """Return what was recorded, without secrets; None if there is nothing to replay."""
        exchange = self._exchange
        if exchange.status is None and exchange.error is None:
            return None
        if self._bytes > MAX_BYTES:
            log.warning("a response of more than %d MiB was not recorded", MAX_BYTES >> 20)
            return None
        hidden = self._hidden(exchange.text)
        if hidden != exchange.text:
            events, start = exchange.events, 0
            exchange.events = []
            for at, text in events:
                exchange.events.append((at, hidden[start : start + len(text)]))
                start += len(text)
        return exchange

    def _hidden(self, text: str) -> str:
        """Replace secrets by as many asterisks, also those that span two chunks of a response."""
        for secret in self._secrets:
            text = text.replace(secret, "*" * len(secret))
        return text
