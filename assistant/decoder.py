"""Decode the responses of OpenAI-compatible servers of all dialects into reply events.

`docs/models.md` lists the differences. Invariant (contract, section 8): an abnormal end is never
reported as a complete reply, and text is never lost, duplicated or invented.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from assistant import finishing
from assistant.event_stream import EventStream
from assistant.events import End, FinishReason, Reasoning, ReplyEvent, Text, Usage
from assistant.failures import ReportedFailure
from assistant.pieces import Pieces, pieces_of
from assistant.text import TextJoiner
from assistant.thinking import ThinkTagSplitter
from assistant.tool_calls import ToolCallCollector

_DONE = "[DONE]"
_BOM = b"\xef\xbb\xbf"


class UnreadableAnswer(Exception):
    """The response is not from an OpenAI-compatible server."""


class BrokenOff(Exception):
    """The response ended prematurely."""


class ReplyDecoder:
    """Converts the parsed events of one response into reply events."""

    def __init__(self) -> None:
        self.finish_reason: FinishReason | None = None
        self.has_text = self.has_reasoning = False
        self._odd_reason: str | None = None
        self._usage: Usage | None = None
        self._splitter = ThinkTagSplitter()
        self._text, self._reasoning = TextJoiner(), TextJoiner()
        self._tool_calls = ToolCallCollector()
        self._has_deltas = False
        self._is_filtered = False

    @property
    def tool_names(self) -> list[str]:
        """The names of the called tools."""
        return self._tool_calls.names

    def feed(self, event: Any) -> Iterator[ReplyEvent]:
        """Yield the reply events of one event. May raise `ReportedFailure` after its own text."""
        if isinstance(event, list):
            for part in event:
                yield from self.feed(part)
            return
        if isinstance(event, str):
            raise ReportedFailure(event)
        if not isinstance(event, dict):
            return
        choices = event.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            if isinstance(choice, dict):
                self._is_filtered = self._is_filtered or finishing.is_filtered(choice)
                if finishing.is_first(choice):
                    yield from self._choice(choice)
        self._usage = finishing.usage_of(event) or self._usage
        self._is_filtered = self._is_filtered or finishing.is_filtered(event)
        if finishing.is_failure(event):
            raise ReportedFailure(event)

    @property
    def is_finished(self) -> bool:
        """Whether the answer has ended, even with an unknown finish reason."""
        return self.finish_reason is not None or self._odd_reason is not None

    def flush(self) -> Iterator[ReplyEvent]:
        """Yield the text held back: half of a surrogate pair, or a possible tag."""
        for event in (*self._splitter.feed(self._text.end()), *self._splitter.end()):
            yield self._seen(event)
        if rest := self._reasoning.end():
            yield self._seen(Reasoning(rest))

    def end(self) -> Iterator[ReplyEvent]:
        """Yield the remaining text and the `End`. Raises `ReportedFailure` for an abnormal end."""
        yield from self.flush()
        if self._odd_reason is not None:
            raise ReportedFailure(f"it ended with “{self._odd_reason}”")
        reason = self.finish_reason or "stop"
        if self._is_filtered and reason != "length":
            reason = "content_filter"
        elif reason == "stop" and self.tool_names:
            reason = "tool_calls"
        yield End(reason, self._usage)

    def _choice(self, choice: dict[str, Any]) -> Iterator[ReplyEvent]:
        raw_reason = choice.get("finish_reason")
        is_last = finishing.is_end(raw_reason)
        delta, message = choice.get("delta"), choice.get("message")
        if isinstance(delta, dict):
            self._has_deltas = True
            yield from self._add(pieces_of(delta))
        if isinstance(choice.get("text"), str) and not isinstance(delta, dict):
            yield from self._add(Pieces(text=choice["text"]))
        if isinstance(message, dict):
            yield from self._add(self._missing_of(pieces_of(message), is_last))
        if choice.get("error"):
            raise ReportedFailure(choice)
        if is_last:
            self.finish_reason = finishing.meaning_of(str(raw_reason))
            # The server's message may follow, in this event or the next.
            self._odd_reason = None if self.finish_reason else str(raw_reason)

    def _missing_of(self, whole: Pieces, is_last: bool) -> Pieces:
        """Return the part of a message that has not been received yet.

        A message contains the whole text if there are deltas or at the end, else a new piece.
        """
        if not self._has_deltas and not is_last:
            return whole
        text = self._text.missing_of(whole.text)
        reasoning = self._reasoning.missing_of(whole.reasoning)
        if not self._has_deltas:
            text = whole.text if text is None else text
            reasoning = whole.reasoning if reasoning is None else reasoning
        calls = [] if self.tool_names else whole.tool_calls
        return Pieces(text or "", reasoning or "", calls, whole.is_refusal)

    def _add(self, pieces: Pieces) -> Iterator[ReplyEvent]:
        self._is_filtered = self._is_filtered or pieces.is_refusal
        if reasoning := self._reasoning.add(pieces.reasoning):
            yield self._seen(Reasoning(reasoning))
        for event in self._splitter.feed(self._text.add(pieces.text)):
            yield self._seen(event)
        yield from self._tool_calls.add(pieces.tool_calls)

    def _seen(self, event: Text | Reasoning) -> Text | Reasoning:
        if isinstance(event, Text):
            self.has_text = self.has_text or not event.text.isspace()
        else:
            self.has_reasoning = True
        return event


class AnswerDecoder:
    """Decodes the body of a successful response, an event stream or a single document.

    The first byte decides between them, because Content-Type is often wrong.
    """

    def __init__(self) -> None:
        self.reply = ReplyDecoder()
        self.is_done = False  # the stream sent `[DONE]`
        self._stream = EventStream()
        self._start = b""
        self._whole: bytearray | None = None
        self._is_stream = False
        self._has_events = False

    @property
    def is_finished(self) -> bool:
        """Whether the answer has ended normally."""
        return self.is_done or self.reply.is_finished

    def feed(self, chunk: bytes) -> Iterator[ReplyEvent]:
        """Yield the events of a chunk. Raises `ReportedFailure` and `UnreadableAnswer`."""
        if not self._is_stream and self._whole is None:
            self._start += chunk
            first = self._start.removeprefix(_BOM).lstrip()[:1]
            if not first or _BOM.startswith(self._start):
                return
            chunk, self._start = self._start, b""
            self._is_stream = first not in (b"{", b"[", b"<")
            self._whole = None if self._is_stream else bytearray()
        if self._whole is not None:
            self._whole += chunk
            return
        for event in self._stream.feed(chunk):
            yield from self._event(event.name, event.data)

    def close(self) -> Iterator[ReplyEvent]:
        """Yield the remaining events at the end of the body, with the `End`.

        Also raises `BrokenOff` if the response is incomplete.
        """
        if self._whole is not None:
            yield from self._document(bytes(self._whole).removeprefix(_BOM))
        else:
            for event in self._stream.close():
                try:
                    yield from self._event(event.name, event.data)
                except UnreadableAnswer:
                    raise BrokenOff from None
            if not self._has_events:
                raise UnreadableAnswer
        if not self.is_finished:
            raise BrokenOff
        yield from self.reply.end()

    def _event(self, name: str, data: str) -> Iterator[ReplyEvent]:
        data = data.strip()
        if data.strip('"').upper() == _DONE:
            self.is_done = self._has_events = True
        if not data or self.is_done:
            return
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            if data[0] in "{[<":
                raise UnreadableAnswer from None
            raise ReportedFailure(data) from None
        self._has_events = True
        yield from self.reply.feed(event)
        if name == "error":
            raise ReportedFailure(event)

    def _document(self, body: bytes) -> Iterator[ReplyEvent]:
        """Decode a response that was not streamed, or was streamed as lines of JSON."""
        try:
            events = [json.loads(body)]
        except (ValueError, RecursionError):
            events = _lines_of_json(body)
        is_answer = any(isinstance(event, dict) and "choices" in event for event in events)
        for event in events:
            yield from self.reply.feed(event)
        if not is_answer:
            first = events[0] if events else None
            if isinstance(first, dict) and first.keys() & {"message", "detail", "msg"}:
                raise ReportedFailure(first)
            raise UnreadableAnswer
        self.is_done = self.is_done or len(events) == 1


def _lines_of_json(body: bytes) -> list[Any]:
    try:
        return [json.loads(line) for line in body.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        raise UnreadableAnswer from None
