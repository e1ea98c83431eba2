"""Separate reasoning inside an answer: `<think>…</think>` at the start."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.events import Reasoning, Text
from assistant.text import overlap

_TAGS = {  # the tags of DeepSeek, Qwen, Gemini and Mistral
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "[THINK]": "[/THINK]",
}


class ThinkTagSplitter:
    """Splits a streamed text into reasoning and answer.

    A tag may be split across pieces. If it is never closed, all of the text is reasoning. Tags
    after the first word of the answer are part of the answer.
    """

    def __init__(self) -> None:
        self._held = ""  # held back: possibly part of a tag, or the white space around one
        self._closing = ""  # the closing tag; empty outside of reasoning
        self._is_answer = False
        self._has_thought = False

    def feed(self, piece: str) -> Iterator[Text | Reasoning]:
        """Yield the text that is unambiguous after this piece."""
        self._held += piece
        while self._held:
            if self._is_answer:
                yield Text(self._take(len(self._held)))
                return
            before = len(self._held)
            yield from self._think() if self._closing else self._begin()
            if len(self._held) == before and not self._is_answer:
                return

    def end(self) -> Iterator[Text | Reasoning]:
        """Yield the remaining text at the end."""
        held = self._take(len(self._held))
        if self._closing and held.strip():
            yield Reasoning(held.rstrip())
        elif not self._closing and held.strip():
            yield Text(held)

    def _take(self, count: int) -> str:
        taken, self._held = self._held[:count], self._held[count:]
        return taken

    def _begin(self) -> Iterator[Text | Reasoning]:
        """Find an opening tag before the first word of the answer."""
        stripped = self._held.lstrip()
        for opening, closing in _TAGS.items():
            if stripped.startswith(opening):
                self._held = stripped[len(opening) :]
                self._closing = closing
                return
        if any(opening.startswith(stripped) for opening in _TAGS):
            return
        self._is_answer = True
        if self._has_thought:
            self._held = stripped
        yield from ()

    def _think(self) -> Iterator[Text | Reasoning]:
        """Yield the reasoning up to the closing tag, without surrounding white space."""
        if not self._has_thought:
            self._held = self._held.lstrip()
        end = self._held.find(self._closing)
        if end >= 0:
            thought = self._held[:end].rstrip()
            self._held = self._held[end + len(self._closing) :]
            self._closing = ""
            self._has_thought = True
        else:
            certain = len(self._held) - overlap(self._held, self._closing)
            thought = self._take(len(self._held[:certain].rstrip()))
            self._has_thought = self._has_thought or bool(thought)
        if thought:
            yield Reasoning(thought)
