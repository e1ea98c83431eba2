"""Completions: requests in the form of OpenAI's API, answered and stored nowhere.

The same providers answer as in chats. A caller that hangs up, or a server that shuts down, ends
the work.
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
    """Finds who answers a request, and knows the answers in flight."""

    def __init__(self, settings: Settings, directory: Directory) -> None:
        self._settings = settings
        self._directory = directory
        self._under_way: set[Completion] = set()

    async def find(self, request: Mapping[str, Any], prompted: str | None) -> Completion:
        """Find who answers.

        `prompted` names the field, `messages` or `instructions`, that gets the admin's system
        prompt where the caller brings none.
        """
        await self._directory.wait_for(request["model"])
        admin = self._settings.admin()
        provider, model = self._directory.resolve(request["model"], admin["default_model"])
        if prompted and admin["system_prompt"]:
            request = _with_system_prompt(request, prompted, admin["system_prompt"])
        return Completion(provider, model, {**request, "model": model}, self._under_way)

    def drain(self) -> None:
        """End all that are in flight: their callers are told that the server shuts down."""
        for completion in tuple(self._under_way):
            completion.end(ShuttingDown("The server is shutting down. Try again in a moment."))


class Completion:
    """One answer: `model` is the one that really answers, `request` what it is asked."""

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
        """The provider, if requests can go there as they are."""
        return self.provider if isinstance(self.provider, Forwarding) else None

    async def run(self, work: Coroutine[Any, Any, None]) -> bool:
        """Run the work that answers; return False if the caller has hung up meanwhile.

        Raises what the work raises, and what `end` was given.
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
        """Stop the work: for this reason, or because the caller has hung up."""
        self._reason = reason
        self._is_abandoned = reason is None
        if self._work is not None:
            self._work.cancel()


def _with_system_prompt(request: Mapping[str, Any], field: str, prompt: str) -> Mapping[str, Any]:
    """Return a request with the admin's system prompt, unless it has one of its own."""
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
