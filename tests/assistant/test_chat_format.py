"""Converting reply events to "Chat Completions" and "Completions" responses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assistant.chat_format import DONE, ChatFormat, TextFormat, chat_of_completion, sse
from assistant.events import End, Reasoning, ReplyEvent, Text, ToolCall, Usage
from core.errors import InvalidRequest

HEAD = {"id": "chatcmpl-1", "created": 7, "model": "m"}
CALLS = [ToolCall(0, "x", "a", ""), ToolCall(0, None, None, "{}")]


def streamed(form: ChatFormat, *events: ReplyEvent) -> list[Any]:
    """Return the documents of a stream, without its last `[DONE]`."""
    sent = form.begin() + [chunk for event in events for chunk in form.feed(event)]
    assert sent.pop() == DONE
    return [json.loads(chunk.removeprefix(b"data: ")) for chunk in sent]


def chat(**request: Any) -> ChatFormat:
    return ChatFormat("1", 7, "m", request)


def test_a_document_as_an_event() -> None:
    assert sse({"a": "é"}) == 'data: {"a": "é"}\n\n'.encode()
    assert sse({}, "ping") == b"event: ping\ndata: {}\n\n"


def test_chunks_of_a_stream() -> None:
    sent = streamed(chat(), Reasoning("Hm"), Text("Hi"), *CALLS, End("tool_calls"))
    assert {json.dumps({k: v for k, v in chunk.items() if k != "choices"}) for chunk in sent} == {
        json.dumps({**HEAD, "object": "chat.completion.chunk"})
    }
    function = {"arguments": "", "name": "a"}
    assert [chunk["choices"] for chunk in sent] == [
        [{"index": 0, "delta": delta, "finish_reason": reason}]
        for delta, reason in (
            ({"role": "assistant", "reasoning_content": "Hm"}, None),
            ({"content": "Hi"}, None),
            ({"tool_calls": [{"index": 0, "function": function, "id": "x", "type": "function"}]},
             None),
            ({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}, None),
            ({}, "tool_calls"),
        )
    ]  # fmt: skip


def test_usage_comes_last_and_only_if_it_is_asked_for() -> None:
    end = End("stop", Usage(3, 4))
    counted = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    *_, last = streamed(chat(stream_options={"include_usage": True}), Text("Hi"), end)
    assert (last["choices"], last["usage"]) == ([], counted)
    for options in (None, {}, {"include_usage": False}, "yes"):
        sent = streamed(chat(stream_options=options), Text("Hi"), end)
        assert not any("usage" in chunk for chunk in sent)


@pytest.mark.parametrize(
    ("n", "choices"), [(2, 2), (1, 1), (16, 16), (17, 16), (0, 1), (True, 1), ("2", 1), (None, 1)]
)
def test_equal_choices(n: Any, choices: int) -> None:
    form = chat(n=n)
    sent = streamed(form, Text("Hi"), End())
    assert [chunk["choices"][0]["index"] for chunk in sent] == [*range(choices)] * 2
    assert [c["message"]["content"] for c in form.whole()["choices"]] == ["Hi"] * choices


def test_a_whole_answer() -> None:
    form = chat()
    streamed(form, Reasoning("H"), Reasoning("m"), Text("H"), Text("i"), End("length", Usage(1, 2)))
    message = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm"}
    assert form.whole() == {
        **HEAD,
        "object": "chat.completion",
        "choices": [
            {"index": 0, "message": message, "logprobs": None, "finish_reason": "length"}
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }  # fmt: skip


def test_a_whole_answer_with_calls() -> None:
    form = chat()
    streamed(form, *CALLS, ToolCall(1, "y", "b", "[]"), End("tool_calls"))
    message = form.whole()["choices"][0]["message"]
    assert message["content"] is None
    assert message["tool_calls"] == [
        {"id": "x", "type": "function", "function": {"name": "a", "arguments": "{}"}},
        {"id": "y", "type": "function", "function": {"name": "b", "arguments": "[]"}},
    ]
    assert form.usage == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def test_an_answer_without_calls_has_a_text_be_it_empty() -> None:
    form = chat()
    streamed(form, End())
    assert form.whole()["choices"][0]["message"] == {"role": "assistant", "content": ""}


def test_a_failure_ends_the_stream() -> None:
    assert chat().failure({"error": {"message": "x"}}) == [sse({"error": {"message": "x"}})]


def test_the_older_form_knows_text_alone() -> None:
    form = TextFormat("1", 7, "m", {"n": 2, "stream_options": {"include_usage": True}})
    sent = streamed(form, Reasoning("Hm"), *CALLS, Text("Hi"), End("stop", Usage(1, 2)))
    head = {"id": "cmpl-1", "created": 7, "model": "m", "object": "text_completion"}

    def choice(index: int, text: str, reason: str | None) -> dict[str, Any]:
        return {"index": index, "text": text, "logprobs": None, "finish_reason": reason}

    said = [[choice(0, "Hi", None)], [choice(1, "Hi", None)]]
    ended = [[choice(0, "", "stop")], [choice(1, "", "stop")]]
    assert sent[:-1] == [{**head, "choices": choices} for choices in said + ended]
    assert sent[-1] == {**head, "choices": [], "usage": form.usage}
    whole = form.whole()
    assert whole == {
        **head,
        "choices": [choice(0, "Hi", "stop"), choice(1, "Hi", "stop")],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }


@pytest.mark.parametrize(
    ("prompt", "content"),
    [("Hi", "Hi"), (["Hi"], "Hi"), ([], ""), (None, "")],
)
def test_a_completion_is_asked_for_as_a_chat(prompt: Any, content: str) -> None:
    messages = [{"role": "user", "content": content}]
    asked = {"prompt": prompt, "n": 2}
    assert chat_of_completion(asked) == {**asked, "messages": messages}


@pytest.mark.parametrize("prompt", [["a", "b"], [1, 2], [[1, 2]], [7], {"a": 1}])
def test_what_can_not_be_asked_for_as_a_chat(prompt: Any) -> None:
    with pytest.raises(InvalidRequest, match="prompt: expected one text"):
        chat_of_completion({"prompt": prompt})
