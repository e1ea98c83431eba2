"""Converting reply events to "Responses"."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assistant.events import End, FinishReason, Reasoning, ReplyEvent, Text, ToolCall, Usage
from assistant.responses_format import ResponsesFormat


def parsed(sent: list[bytes]) -> list[Any]:
    documents = []
    for event in sent:
        name, data = event.decode().removesuffix("\n\n").split("\n")
        documents.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {documents[-1]['type']}"
    return documents


def streamed(form: ResponsesFormat, *events: ReplyEvent) -> list[Any]:
    """Return the documents of a stream, whose numbers have no gap."""
    sent = parsed(form.begin() + [chunk for event in events for chunk in form.feed(event)])
    assert [event.pop("sequence_number") for event in sent] == list(range(len(sent)))
    return sent


def asked(**request: Any) -> ResponsesFormat:
    return ResponsesFormat("1", 7, "m", request)


def items(*events: ReplyEvent, **request: Any) -> list[Any]:
    """Return the documents between the beginning and the end."""
    return streamed(asked(**request), *events, End())[2:-1]


def at(name: str, id: str, place: int, /, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{name}", "item_id": id, "output_index": place, **fields}


def item(name: str, place: int, item: Any) -> dict[str, Any]:
    return {"type": f"response.output_item.{name}", "output_index": place, "item": item}


def test_a_response_begins_in_progress() -> None:
    created, progress = streamed(asked())
    assert (created["type"], progress["type"]) == ("response.created", "response.in_progress")
    response = created["response"]
    assert response == progress["response"]
    shown = ("id", "object", "created_at", "model", "status", "output", "usage", "store")
    assert [response[name] for name in shown] == [
        "resp_1", "response", 7, "m", "in_progress", [], None, False,
    ]  # fmt: skip


def test_what_was_asked_is_shown_or_its_default() -> None:
    response = asked(temperature=0, metadata=None, tools=["t"], input="not shown").whole()
    assert (response["temperature"], response["metadata"], response["tools"]) == (0, {}, ["t"])
    assert (response["top_p"], response["tool_choice"]) == (1.0, "auto")
    assert "input" not in response


def test_a_message() -> None:
    empty = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    part = {**empty, "text": "Hello"}
    base = {"id": "msg_10", "type": "message", "role": "assistant"}
    here = {"content_index": 0}
    assert items(Text("Hel"), Text("lo")) == [
        item("added", 0, {**base, "status": "in_progress", "content": []}),
        at("content_part.added", "msg_10", 0, **here, part=empty),
        at("output_text.delta", "msg_10", 0, **here, delta="Hel", logprobs=[]),
        at("output_text.delta", "msg_10", 0, **here, delta="lo", logprobs=[]),
        at("output_text.done", "msg_10", 0, **here, text="Hello", logprobs=[]),
        at("content_part.done", "msg_10", 0, **here, part=part),
        item("done", 0, {**base, "status": "completed", "content": [part]}),
    ]


def test_reasoning_before_a_message() -> None:
    found = items(Reasoning("H"), Reasoning("m"), Text("Hi"))
    base = {"id": "rs_10", "type": "reasoning"}
    part = {"type": "summary_text", "text": "Hm"}
    here = {"summary_index": 0}
    assert found[:7] == [
        item("added", 0, {**base, "summary": []}),
        at("reasoning_summary_part.added", "rs_10", 0, **here, part={**part, "text": ""}),
        at("reasoning_summary_text.delta", "rs_10", 0, **here, delta="H"),
        at("reasoning_summary_text.delta", "rs_10", 0, **here, delta="m"),
        at("reasoning_summary_text.done", "rs_10", 0, **here, text="Hm"),
        at("reasoning_summary_part.done", "rs_10", 0, **here, part=part),
        item("done", 0, {**base, "summary": [part]}),
    ]
    assert (found[7]["output_index"], found[7]["item"]["id"]) == (1, "msg_11")
    assert found[-1]["output_index"] == 1


def test_a_call() -> None:
    base = {"id": "fc_10", "type": "function_call", "call_id": "x", "name": "a"}
    done = {**base, "status": "completed", "arguments": "{}"}
    events = (ToolCall(0, "x", "a", ""), ToolCall(0, None, None, "{"), ToolCall(0, None, None, "}"))
    assert items(*events) == [
        item("added", 0, {**base, "status": "in_progress", "arguments": ""}),
        at("function_call_arguments.delta", "fc_10", 0, delta="{"),
        at("function_call_arguments.delta", "fc_10", 0, delta="}"),
        at("function_call_arguments.done", "fc_10", 0, name="a", arguments="{}"),
        item("done", 0, done),
    ]


def test_calls_after_a_message_keep_their_places() -> None:
    form = asked()
    sent = streamed(form, Text("Hi"), ToolCall(0, "x", "a", "1"), ToolCall(1, "y", "b", "2"),
                    ToolCall(0, None, None, "3"), End("tool_calls"))  # fmt: skip
    names = [event["type"].removeprefix("response.") for event in sent]
    assert names.index("output_text.done") < names.index("function_call_arguments.delta")
    output = form.whole()["output"]
    assert [part["type"] for part in output] == ["message", "function_call", "function_call"]
    assert [part["arguments"] for part in output[1:]] == ["13", "2"]
    assert form.whole()["status"] == "completed"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [('{"input": "x y"}', "x y"), ("no JSON", "no JSON"), ("[1]", "[1]"),
     ('{"input": 7}', '{"input": 7}')],
)  # fmt: skip
def test_a_custom_tool_gets_its_plain_text_at_the_end(arguments: str, text: str) -> None:
    custom = {"tools": [{"type": "custom", "name": "c"}]}
    base = {"id": "ctc_10", "type": "custom_tool_call", "call_id": "x", "name": "c"}
    half = len(arguments) // 2
    events = (ToolCall(0, "x", "c", arguments[:half]), ToolCall(0, None, None, arguments[half:]))
    assert items(*events, **custom) == [
        item("added", 0, {**base, "status": "in_progress", "input": ""}),
        at("custom_tool_call_input.delta", "ctc_10", 0, delta=text),
        at("custom_tool_call_input.done", "ctc_10", 0, input=text),
        item("done", 0, {**base, "status": "completed", "input": text}),
    ]


@pytest.mark.parametrize(
    ("reason", "status", "details"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
    ],
)
def test_ends(reason: FinishReason, status: str, details: Any) -> None:
    form = asked()
    last = streamed(form, Text("Hi"), End(reason, Usage(3, 4)))[-1]
    assert last["type"] == f"response.{status}"
    response = last["response"]
    assert response == form.whole()
    assert (response["status"], response["incomplete_details"]) == (status, details)
    assert response["error"] is None
    counts = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    assert counts.items() <= response["usage"].items()


def test_an_end_that_counted_nothing() -> None:
    usage = streamed(asked(), End())[-1]["response"]["usage"]
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (0, 0, 0)


@pytest.mark.parametrize(("code", "shown"), [("c", "c"), (None, "server_error")])
def test_a_failure_keeps_what_was_said(code: str | None, shown: str) -> None:
    form = asked()
    streamed(form, Text("Hi"))
    (failed,) = parsed(form.failure({"error": {"code": code, "message": "m", "type": "t"}}))
    assert failed["type"] == "response.failed"
    response = failed["response"]
    assert (response["status"], response["error"]) == ("failed", {"code": shown, "message": "m"})
    assert response["output"][0]["content"][0]["text"] == "Hi"
