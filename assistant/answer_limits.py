"""Truncate a streamed answer at `max_tokens` or before a `stop` sequence."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.events import FinishReason
from assistant.text import overlap


class AnswerLimits:
    """Feed it an answer token by token; it returns the text to send."""

    def __init__(self, stop: Sequence[str], max_tokens: int | None) -> None:
        self.reason: FinishReason | None = None  # the finish reason, once it has ended
        self.tokens = 0
        self._stop = stop
        self._max_tokens = max_tokens
        self._buffer = ""

    def feed(self, piece: str) -> str:
        """Return the text to send after this piece. A partial stop sequence is held back."""
        if self._max_tokens is not None and self.tokens >= self._max_tokens:
            self.reason = "length"
            return self.end()
        self.tokens += 1
        self._buffer += piece
        ends = [at for sequence in self._stop if (at := self._buffer.find(sequence)) >= 0]
        if ends:
            self.reason = "stop"
            text, self._buffer = self._buffer[: min(ends)], ""
            return text
        withheld = max((overlap(self._buffer, sequence) for sequence in self._stop), default=0)
        text = self._buffer[: len(self._buffer) - withheld]
        self._buffer = self._buffer[len(text) :]
        return text

    def end(self) -> str:
        """Return the text held back for a stop sequence that was not completed."""
        text, self._buffer = self._buffer, ""
        return text
