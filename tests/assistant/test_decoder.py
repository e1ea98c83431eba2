"""Decoding responses event by event; `dialects` has whole responses."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from assistant.decoder import AnswerDecoder, BrokenOff, ReplyDecoder, UnreadableAnswer
from assistant.events import End, Reasoning, ReplyEvent, Text, ToolCall, Usage
from assistant.failures import ReportedFailure
from tests.assistant.dialects.spoken import HEL, LO, STOP, call, choice, data, whole


def replied(*events: Any) -> list[ReplyEvent]:
    decoder = ReplyDecoder()
    return [part for event in events for part in decoder.feed(event)] + list(decoder.end())


def answered(body: bytes) -> list[ReplyEvent]:
    decoder = AnswerDecoder()
    return [*decoder.feed(body), *decoder.close()]


def fails(events: Iterable[Any], raised: type[Exception]) -> list[ReplyEvent]:
    """Return what came before the failure."""
    found: list[ReplyEvent] = []
    with pytest.raises(raised):
        found.extend(events)
    return found


def test_text_reasoning_calls_and_the_end() -> None:
    counted = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}
    calling = choice(call("a", "{}", id="x"))
    assert replied(choice({"reasoning": "Hm"}), HEL, LO, calling, STOP, counted) == [
        Reasoning("Hm"),
        Text("Hel"),
        Text("lo"),
        ToolCall(0, "x", "a", "{}"),
        End("tool_calls", Usage(3, 4)),
    ]


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ((HEL,), "stop"),
        ((HEL, choice({}, "length")), "length"),
        ((choice(call("a", "{}", id="x"), "stop"),), "tool_calls"),
        ((choice(call("a", "{}", id="x"), "length"),), "length"),
        ((choice({"refusal": "No"}, "stop"),), "content_filter"),
        ((choice({"refusal": "No"}, "length"),), "length"),
        ((choice({"content": "x"}, "stop", content_filter_results={"hate": {"filtered": True}}),),
         "content_filter"),
        ((HEL, STOP, {"content_filter_result": {"hate": {"filtered": True}}}), "content_filter"),
        ((HEL, choice({}, "weird"), STOP), "stop"),
    ],
)  # fmt: skip
def test_why_an_answer_ended(events: tuple[Any, ...], reason: str) -> None:
    end = replied(*events)[-1]
    assert isinstance(end, End)
    assert end.finish_reason == reason


def test_an_odd_end_is_never_a_complete_reply() -> None:
    decoder = ReplyDecoder()
    assert list(decoder.feed(choice({"content": "Hel\ud83e"}, "weird"))) == [Text("Hel")]
    assert decoder.is_finished
    found: list[ReplyEvent] = []
    with pytest.raises(ReportedFailure) as raised:
        found.extend(decoder.end())
    assert raised.value.document == "it ended with “weird”"


def test_an_answer_is_unfinished_until_a_reason_comes() -> None:
    decoder = ReplyDecoder()
    list(decoder.feed(HEL))
    assert not decoder.is_finished
    list(decoder.feed(STOP))
    assert decoder.is_finished
    assert decoder.finish_reason == "stop"


def test_only_the_first_choice_counts() -> None:
    other = {"choices": [{"index": 1, "delta": {"content": "x"}, "finish_reason": "length"}]}
    assert replied(other, HEL, STOP) == [Text("Hel"), End("stop")]
    assert replied({"choices": "none"}, {"choices": [7]}, 7, None, HEL) == [Text("Hel"), End()]
    assert replied([HEL, [LO]]) == [Text("Hel"), Text("lo"), End()]


def test_a_failure_comes_after_the_text_of_its_event() -> None:
    decoder = ReplyDecoder()
    assert fails(decoder.feed({**HEL, "error": "x"}), ReportedFailure) == [Text("Hel")]
    assert fails(decoder.feed(choice({"content": "lo"}, error="x")), ReportedFailure) == [
        Text("lo")
    ]
    assert fails(decoder.feed("words"), ReportedFailure) == []


def test_what_has_come() -> None:
    decoder = ReplyDecoder()
    list(decoder.feed(choice({"content": "a \n"})))
    assert (decoder.has_text, decoder.has_reasoning) == (True, False)
    decoder = ReplyDecoder()
    list(decoder.feed(choice({"reasoning": "Hm"})))
    assert (decoder.has_text, decoder.has_reasoning, decoder.tool_names) == (False, True, [])
    list(decoder.feed(choice({"content": "<think>x</think>\n"})))
    list(decoder.flush())
    assert not decoder.has_text  # white space alone is no answer
    list(decoder.feed(choice(call("a", "", id="x"))))
    assert decoder.tool_names == ["a"]


def test_what_is_held_back_comes_with_the_end() -> None:
    assert replied(choice({"content": "<thi"})) == [Text("<thi"), End()]
    assert replied(choice({"reasoning": "Hm\ud83e"})) == [
        Reasoning("Hm"),
        Reasoning("\ufffd"),
        End(),
    ]


def message(content: str, finish: str | None = None, **more: Any) -> dict[str, Any]:
    said = {"content": content, **more}
    return {"choices": [{"index": 0, "message": said, "finish_reason": finish}]}


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ((HEL, LO, message("Hello", "stop")), "Hello"),
        ((HEL, message("Hello", "stop")), "Hello"),
        ((HEL, message("Another", "stop")), "Hel"),
        ((HEL, message("Hello")), "Hello"),
        ((message("Hel"), message("lo", "stop")), "Hello"),
        ((message("Hello", "stop"),), "Hello"),
        (({"choices": [{"index": 0, "text": "Hello"}]},), "Hello"),
        (({"choices": [{"index": 0, "text": "Hello", "delta": {"content": "Hello"}}]},), "Hello"),
    ],
)
def test_a_message_beside_deltas_is_neither_lost_nor_doubled(
    events: tuple[Any, ...], text: str
) -> None:
    assert "".join(e.text for e in replied(*events) if isinstance(e, Text)) == text


def test_reasoning_and_calls_of_a_message_at_the_end_are_not_doubled() -> None:
    calling = call("a", "{}", id="x")
    events = replied(choice({"reasoning": "Hm", **calling}),
                     message("", "stop", reasoning="Hm, so", **calling))  # fmt: skip
    assert events == [Reasoning("Hm"), ToolCall(0, "x", "a", "{}"), Reasoning(", so"),
                      End("tool_calls")]  # fmt: skip


# Bodies


@pytest.mark.parametrize(
    "body",
    [
        data(HEL, LO, STOP, "[DONE]"),
        data(HEL, LO, "[DONE]"),
        data(HEL, LO, '"[done]"', {"error": "too late"}),
        data(HEL, LO, STOP),
        b"\xef\xbb\xbf" + data(HEL, LO, STOP),
        b"\n \n" + data(HEL, LO, STOP),
        b": comment\n\n" + data(HEL, "", LO, STOP),
        whole({"content": "Hello"}),
        b"\xef\xbb\xbf \n" + whole({"content": "Hello"}),
        whole({"content": "Hello"}, None),
        b"\n".join(json.dumps(event).encode() for event in (HEL, LO, STOP)),
        json.dumps([HEL, LO, STOP]).encode().replace(b"[{", b'{"choices": []}\n[{', 1),
    ],
)
def test_a_stream_or_a_document_whatever_its_type(body: bytes) -> None:
    for pieces in ([body], [bytes([byte]) for byte in body]):
        decoder = AnswerDecoder()
        events = [event for piece in pieces for event in decoder.feed(piece)]
        events += decoder.close()
        assert "".join(e.text for e in events if isinstance(e, Text)) == "Hello"
        assert events[-1] == End()
        assert decoder.is_finished


def test_done_is_the_end_without_a_reason() -> None:
    decoder = AnswerDecoder()
    list(decoder.feed(data(HEL)))
    assert (decoder.is_done, decoder.is_finished) == (False, False)
    list(decoder.feed(data("[DONE]")))
    assert (decoder.is_done, decoder.is_finished) == (True, True)


@pytest.mark.parametrize(
    ("body", "raised"),
    [
        (b"", UnreadableAnswer),
        (b": ping\n\n", UnreadableAnswer),
        (b"nonsense", UnreadableAnswer),
        (b"<html>", UnreadableAnswer),
        (b'{"a": 1}', UnreadableAnswer),
        (b"[", UnreadableAnswer),
        (b'{"a": 1}\n{', UnreadableAnswer),
        (data("{oops"), UnreadableAnswer),
        (data("oops"), ReportedFailure),
        (data(HEL), BrokenOff),
        (data(HEL) + b'data: {"choices"', BrokenOff),
        (b"\n".join(json.dumps(event).encode() for event in (HEL, LO)), BrokenOff),
        (b'{"message": "no"}', ReportedFailure),
        (b'{"detail": "no"}', ReportedFailure),
        (b'{"msg": "no"}', ReportedFailure),
        (b'{"error": "no"}', ReportedFailure),
        (b"event: error\n" + data(HEL), ReportedFailure),
    ],
)
def test_what_is_no_whole_answer(body: bytes, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        answered(body)
