"""`/openai/v1`: the base handler of the OpenAI-compatible API, and models (docs/openai.md)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, ClassVar

from tornado.iostream import StreamClosedError

from assistant import passing
from assistant.chat_format import ChatFormat, sse
from assistant.directory import Model
from assistant.responses_format import ResponsesFormat
from core import errors
from core.coroutines import within
from web.base import BaseHandler
from web.errors import STATUS, status_of

HEADER_SECONDS = 2.0  # in which a provider's failure still determines the status
COMMENT_SECONDS = 15.0  # of silence before a stream sends a comment
PATIENCE_SECONDS = 60.0  # for a client that does not read, because it blocks the model for others
MAX_OPENAI_BODY = 20 << 20  # bytes
_COMMENT = b": keep-alive\n\n"

Format = ChatFormat | ResponsesFormat

log = logging.getLogger("quillium")


class OpenAIHandler(BaseHandler):
    """Reports errors in OpenAI's format, and model failures as gateway errors (RFC 9110, 15.6)."""

    statuses: ClassVar = {
        **STATUS,
        errors.ModelRefused: 400,
        errors.ModelUnavailable: 502,
        errors.ModelTimeout: 504,
    }
    error_schema = "openai_error"
    max_body = MAX_OPENAI_BODY
    has_begun = False  # whether the header of a stream has been sent

    @classmethod
    def envelope(cls, error: errors.QuilliumError) -> dict[str, Any]:
        status = status_of(type(error), cls.statuses)
        return passing.envelope(status, f"{error.message}: {error.details}", error.code)

    async def send_stream(self, events: AsyncGenerator[bytes, None]) -> None:
        """Send each event as soon as it is available.

        The header is sent with the first event, or after `HEADER_SECONDS`; until then a failure
        still sets the status. Comments keep the stream alive. Raises what `events` raises.
        """
        async with aclosing(events):
            coming = asyncio.ensure_future(anext(events))
            try:
                while True:
                    seconds = COMMENT_SECONDS if self.has_begun else HEADER_SECONDS
                    has_begun = self.has_begun
                    done, _ = await asyncio.wait([coming], timeout=seconds)
                    if done:
                        await self.send_event(coming.result())
                        coming = asyncio.ensure_future(anext(events))
                    elif self.has_begun == has_begun:
                        await self.send_event(_COMMENT)
            except StopAsyncIteration:
                return
            finally:
                coming.cancel()
                await asyncio.wait([coming])

    async def send_event(self, event: bytes) -> None:
        """Send one event. Raises `StreamClosedError`, or `TimeoutError` if the client stalls."""
        if not self.has_begun:
            self.has_begun = True
            self.start_event_stream()
        if event:
            self.count_event()
        self.write(event)
        await within(PATIENCE_SECONDS, self.flush())

    async def send_failure(self, error: Exception, form: Format | None) -> None:
        """End a started stream with an error event, in the stream's format if it has one."""
        if isinstance(error, StreamClosedError):
            return
        if isinstance(error, TimeoutError):
            self.detach().close()  # a regular end would make the response look complete
            return
        known = self.as_known(error, 500)
        if known is not error:
            log.error("request %s failed", self.request_id, exc_info=error)
        envelope = self.envelope(known)
        self.write(b"".join(form.failure(envelope)) if form else sse(envelope))


class Models(OpenAIHandler):
    def get(self) -> None:
        created = int(self.services.started_at)
        listed = [_listed(model, created) for model in self.services.directory.models()]
        self.respond({"object": "list", "data": listed})


class OneModel(OpenAIHandler):
    async def get(self, model: str) -> None:
        await self.services.directory.wait_for(model)
        for known in self.services.directory.models():
            if known.id == model:
                self.respond(_listed(known, int(self.services.started_at)))
                return
        raise errors.NotFound("model")


def _listed(model: Model, created: int) -> dict[str, Any]:
    listed: dict[str, Any] = {
        "id": model.id,
        "object": "model",
        "created": created,
        "owned_by": model.provider,
    }
    if model.context_window is not None:
        listed["context_window"] = model.context_window
    return listed
