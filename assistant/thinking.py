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
        self._buffer = ""  # held back: possibly part of a tag, or the white space around one
        self._closing = ""  # the closing tag; empty outside of reasoning
        self._is_answer = False
        self._has_reasoning = False

    def feed(self, piece: str) -> Iterator[Text | Reasoning]:
        """Yield the text that is unambiguous after this piece."""
        self._buffer += piece
        while self._buffer:
            if self._is_answer:
                yield Text(self._take(len(self._buffer)))
                return
            before = len(self._buffer)
            yield from self._split_reasoning() if self._closing else self._find_opening_tag()
            if len(self._buffer) == before and not self._is_answer:
                return

    def end(self) -> Iterator[Text | Reasoning]:
        """Yield the remaining text at the end."""
        rest = self._take(len(self._buffer))
        if self._closing and rest.strip():
            yield Reasoning(rest.rstrip())
        elif not self._closing and rest.strip():
            yield Text(rest)

    def _take(self, count: int) -> str:
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _find_opening_tag(self) -> Iterator[Text | Reasoning]:
        """Find an opening tag before the first word of the answer."""
        stripped = self._buffer.lstrip()
        for opening, closing in _TAGS.items():
            if stripped.startswith(opening):
                self._buffer = stripped[len(opening) :]
                self._closing = closing
                return
        if any(opening.startswith(stripped) for opening in _TAGS):
            return
        self._is_answer = True
        if self._has_reasoning:
            self._buffer = stripped
        yield from ()

    def _split_reasoning(self) -> Iterator[Text | Reasoning]:
        """Yield the reasoning up to the closing tag, without surrounding white space."""
        if not self._has_reasoning:
            self._buffer = self._buffer.lstrip()
        end = self._buffer.find(self._closing)
        if end >= 0:
            reasoning = self._buffer[:end].rstrip()
            self._buffer = self._buffer[end + len(self._closing) :]
            self._closing = ""
            self._has_reasoning = True
        else:
            certain = len(self._buffer) - overlap(self._buffer, self._closing)
            reasoning = self._take(len(self._buffer[:certain].rstrip()))
            self._has_reasoning = self._has_reasoning or bool(reasoning)
        if reasoning:
            yield Reasoning(reasoning)
