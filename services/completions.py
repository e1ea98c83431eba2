"""Completions: a conversation that its caller keeps, answered and stored nowhere.

The same providers speak as in chats. Whoever hangs up, or a server that goes down, ends the work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing

from assistant import PromptMessage, Provider, context
from assistant.directory import Directory
from assistant.events import Text
from core.errors import QuilliumError, ShuttingDown
from services.settings import Settings

Tell = Callable[[str], Awaitable[None]]


class Completions:
    def __init__(self, settings: Settings, directory: Directory) -> None:
        self._settings = settings
        self._directory = directory
        self._under_way: set[Completion] = set()

    async def begin(self, model: str, lines: Sequence[PromptMessage]) -> Completion:
        """Find who answers. The admin's system prompt is for callers who bring none."""
        await self._directory.wait_for(model)
        admin = self._settings.admin()
        provider, speaks = self._directory.resolve(model, admin["default_model"])
        prompt = admin["system_prompt"]
        if prompt and all(line.role != "system" for line in lines):
            lines = [PromptMessage("system", prompt), *lines]
        return Completion(provider, speaks, lines, self._under_way)

    def drain(self) -> None:
        """End all that are under way: their callers are told that the server goes down."""
        for completion in tuple(self._under_way):
            completion.end(ShuttingDown("The server is going down. Try again in a moment."))


class Completion:
    """One answer. `model` is the one that really speaks."""

    def __init__(
        self,
        provider: Provider,
        model: str,
        lines: Sequence[PromptMessage],
        under_way: set[Completion],
    ) -> None:
        self.model = model
        self._provider = provider
        self._lines = lines
        self._under_way = under_way
        self._speaking: asyncio.Task[None] | None = None
        self._cut: QuilliumError | None = None
        self._is_unheard = False

    @property
    def prompt_tokens(self) -> int:
        """About how many tokens the conversation takes."""
        return sum(map(context.tokens, self._lines))

    async def speak(self, tell: Tell) -> bool:
        """Pass each piece to `tell`; False if nobody listens any more.

        Raises what the provider raises, what `tell` raises, and what `end` was given.
        """
        self._under_way.add(self)
        self._speaking = asyncio.ensure_future(self._listen(tell))
        try:
            await self._speaking
        except asyncio.CancelledError:
            if self._cut is not None:
                raise self._cut from None
            if not self._is_unheard:
                raise
        finally:
            self._under_way.discard(self)
        return not self._is_unheard

    def end(self, reason: QuilliumError | None) -> None:
        """Stop the provider's work: for this reason, or since the caller has hung up."""
        self._cut = reason
        self._is_unheard = reason is None
        if self._speaking is not None:
            self._speaking.cancel()

    async def _listen(self, tell: Tell) -> None:
        async with aclosing(self._provider.reply(self._lines, self.model)) as events:
            async for event in events:
                if isinstance(event, Text):
                    await tell(event.text)


def tokens_of(answer: str) -> int:
    """About how many tokens an answer takes."""
    return context.tokens(PromptMessage("assistant", answer))
