"""Completions: OpenAI-compatible requests, whose responses are not stored.

They use the same providers as chats. A disconnect of the client or a shutdown of the server cancels
the request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from assistant import Forwarding, Provider
from assistant.directory import Directory
from core.errors import QuilliumError, ShuttingDown
from services.settings import Settings

_INSTRUCTING = {"system", "developer"}


class Completions:
    """Resolves models of requests, and tracks the completions in flight."""

    def __init__(self, settings: Settings, directory: Directory) -> None:
        self._settings = settings
        self._directory = directory
        self._under_way: set[Completion] = set()

    async def find(self, request: Mapping[str, Any], prompted: str | None) -> Completion:
        """Resolve the request's model and return a completion for it.

        `prompted` names the field (`messages` or `instructions`) into which the admin's system
        prompt is inserted if the request has none.
        """
        await self._directory.wait_for(request["model"])
        admin = self._settings.admin()
        provider, model = self._directory.resolve(
            request["model"], admin["default_model"], _last_text(request)
        )
        if prompted and admin["system_prompt"]:
            request = _with_system_prompt(request, prompted, admin["system_prompt"])
        return Completion(provider, model, {**request, "model": model}, self._under_way)

    def drain(self) -> None:
        """End all completions in flight with a `ShuttingDown` error."""
        for completion in tuple(self._under_way):
            completion.end(ShuttingDown("The server is shutting down. Try again in a moment."))


class Completion:
    """One completion in flight: `model` is the resolved model, `request` the body for it."""

    def __init__(
        self,
        provider: Provider,
        model: str,
        request: dict[str, Any],
        under_way: set[Completion],
    ) -> None:
        self.provider = provider
        self.model = model
        self.request = request
        self._under_way = under_way
        self._work: asyncio.Task[None] | None = None
        self._reason: QuilliumError | None = None
        self._is_abandoned = False

    @property
    def forwarding(self) -> Forwarding | None:
        """Return the provider if requests can be forwarded to it unchanged, else None."""
        return self.provider if isinstance(self.provider, Forwarding) else None

    async def run(self, work: Coroutine[Any, Any, None]) -> bool:
        """Run the coroutine; return False if the client disconnected meanwhile.

        Raises the exceptions of `work`, and the reason that was passed to `end`.
        """
        self._under_way.add(self)
        self._work = asyncio.ensure_future(work)
        try:
            await self._work
        except asyncio.CancelledError:
            if self._reason is not None:
                raise self._reason from None
            if not self._is_abandoned:
                raise
        finally:
            self._under_way.discard(self)
        return not self._is_abandoned

    def end(self, reason: QuilliumError | None) -> None:
        """Cancel the work, for this reason or (None) because the client disconnected."""
        self._reason = reason
        self._is_abandoned = reason is None
        if self._work is not None:
            self._work.cancel()


def _last_text(request: Mapping[str, Any]) -> str | None:
    """Return the text that a request asks a model to reply to, if it is found easily."""
    last: Any = request.get("messages") or request.get("input") or request.get("prompt")
    while isinstance(last, list) and last:
        last = last[-1]
        if isinstance(last, dict):
            last = last.get("text", last.get("content"))
    return last if isinstance(last, str) else None


def _with_system_prompt(request: Mapping[str, Any], field: str, prompt: str) -> Mapping[str, Any]:
    """Return the request with the admin's system prompt, unless it already has one."""
    if field == "instructions":
        has_own = request.get("instructions") or _instructs(request.get("input"))
        return request if has_own else {**request, "instructions": prompt}
    if _instructs(request.get("messages")):
        return request
    system = {"role": "system", "content": prompt}
    return {**request, "messages": [system, *request["messages"]]}


def _instructs(messages: Any) -> bool:
    listed = messages if isinstance(messages, list) else []
    return any(isinstance(m, dict) and m.get("role") in _INSTRUCTING for m in listed)
