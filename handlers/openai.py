"""`/openai/v1`: the face that tools for OpenAI's API know (docs/openai.md).

Requests, answers, chunks and errors have the form of OpenAI's "Chat Completions"; the models and
the limits are those of the rest. Nothing is stored.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, ClassVar

from tornado.iostream import StreamClosedError

from assistant import PromptMessage
from core import documents, errors, ids
from services.completions import Completion, tokens_of
from web.base import BaseHandler
from web.errors import STATUS, status_of

PATIENCE_SECONDS = 60.0  # for a caller that does not read; others wait for the same model

_TYPES = {  # by status, as OpenAI's own server names them
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
}
log = logging.getLogger("quillium")


class OpenAIHandler(BaseHandler):
    """Errors in OpenAI's form, and a model's failures as those of a gateway (RFC 9110, 15.6)."""

    statuses: ClassVar = {
        **STATUS,
        errors.ModelRefused: 400,
        errors.ModelUnavailable: 502,
        errors.ModelTimeout: 504,
    }
    error_schema = "openai_error"

    @classmethod
    def envelope(cls, error: errors.QuilliumError) -> dict[str, Any]:
        status = status_of(type(error), cls.statuses)
        kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
        message = f"{error.message}: {error.details}"
        return {"error": {"message": message, "type": kind, "param": None, "code": error.code}}


class Models(OpenAIHandler):
    def get(self) -> None:
        created = int(self.services.started_at)
        listed = [
            {"id": model.id, "object": "model", "created": created, "owned_by": model.provider}
            for model in self.services.directory.models()
        ]
        self.respond({"object": "list", "data": listed})


class ChatCompletions(OpenAIHandler):
    _completion: Completion | None = None
    _has_begun = False

    async def post(self) -> None:
        asked = self.json_body()
        lines = [_line(message) for message in asked["messages"]]
        self._completion = await self.services.completions.begin(asked["model"], lines)
        self._head = {
            "id": f"chatcmpl-{ids.random_text(22)}",
            "created": int(self.services.clock()),
            "model": self._completion.model,
        }
        if asked.get("stream"):
            options = asked.get("stream_options") or {}
            await self._stream(self._completion, options.get("include_usage") or False)
        else:
            await self._answer_whole(self._completion)

    def on_connection_close(self) -> None:
        if self._completion is not None:
            self._completion.end(None)

    async def _answer_whole(self, completion: Completion) -> None:
        pieces: list[str] = []

        async def tell(piece: str) -> None:
            pieces.append(piece)

        if await completion.speak(tell):
            text = "".join(pieces)
            choice = {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "logprobs": None,
                "finish_reason": "stop",
            }
            self.respond(
                {
                    **self._head,
                    "object": "chat.completion",
                    "choices": [choice],
                    "usage": _usage(completion, text),
                }
            )

    async def _stream(self, completion: Completion, wants_usage: bool) -> None:
        """Chunks as they come. What fails before the first one is answered with its status."""
        said: list[str] = []

        async def tell(piece: str) -> None:
            said.append(piece)
            await self._send_delta({"content": piece})

        try:
            if not await completion.speak(tell):
                return
            await self._send_delta({}, finish_reason="stop")
            if wants_usage:
                await self._send({**self._chunk([]), "usage": _usage(completion, "".join(said))})
            self.write(b"data: [DONE]\n\n")
        except StreamClosedError:
            return
        except TimeoutError:
            self.detach().close()  # nobody reads; an end now would look like the answer's own
        except Exception as error:
            if not self._has_begun:
                raise
            known = self.as_known(error, 500)
            if known is not error:
                log.exception("request %s failed", self.request_id)
            self.write(_event(self.envelope(known)))

    async def _send_delta(self, delta: dict[str, str], finish_reason: str | None = None) -> None:
        if not self._has_begun:
            self._has_begun = True
            self.start_event_stream()
            delta = {"role": "assistant", **delta}
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        await self._send(self._chunk([choice]))

    async def _send(self, chunk: dict[str, Any]) -> None:
        self.write(_event(chunk))
        await asyncio.wait_for(self.flush(), PATIENCE_SECONDS)

    def _chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {**self._head, "object": "chat.completion.chunk", "choices": choices}


def _event(value: dict[str, Any]) -> bytes:
    return b"data: %s\n\n" % documents.encoded(value)


def _line(message: dict[str, Any]) -> PromptMessage:
    content = message.get("content") or ""
    if isinstance(content, list):
        content = "".join(part["text"] for part in content)
    role: Any = "system" if message["role"] == "developer" else message["role"]
    return PromptMessage(role, content)


def _usage(completion: Completion, answer: str) -> dict[str, int]:
    """An estimate: not every provider counts, and none counts for another's tokens."""
    asked, answered = completion.prompt_tokens, tokens_of(answer)
    return {
        "prompt_tokens": asked,
        "completion_tokens": answered,
        "total_tokens": asked + answered,
    }
