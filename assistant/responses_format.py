"""Encode reply events as OpenAI "Responses", streamed or whole."""

from __future__ import annotations

import json
from typing import Any

from assistant.chat_format import sse
from assistant.events import End, Reasoning, ReplyEvent, Text, ToolCall
from assistant.responses_request import CUSTOM_INPUT, custom_tools

Document = dict[str, Any]

_SHOWN = ("instructions", "max_output_tokens", "metadata", "reasoning", "temperature", "top_p",
          "tool_choice", "tools", "text", "user", "parallel_tool_calls", "truncation")  # fmt: skip
_DEFAULTS: Document = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "reasoning": {"effort": None, "summary": None},
    "temperature": 1.0,
    "top_p": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "text": {"format": {"type": "text"}},
    "user": None,
    "parallel_tool_calls": True,
    "truncation": "disabled",
}
_UNFINISHED = {"length": "max_output_tokens", "content_filter": "content_filter"}


class ResponsesFormat:
    """One response. Feed it all events in order; see `ChatFormat` for the methods."""

    def __init__(self, id: str, created: int, model: str, request: Document) -> None:
        self._id = id
        self._head = {
            "id": f"resp_{id}",
            "object": "response",
            "created_at": created,
            "model": model,
            "previous_response_id": None,
            "store": False,
            "background": False,
        }
        chosen = {name: request.get(name) for name in _SHOWN if request.get(name) is not None}
        self._shown = {**_DEFAULTS, **chosen}
        self._custom = custom_tools(request)
        self._output: list[Document] = []
        self._open: Document | None = None  # the message or reasoning item in progress
        self._calls: dict[int, int] = {}  # the output indexes of tool calls
        self._sequence = -1
        self._end: End | None = None
        self._error: Document | None = None

    def begin(self) -> list[bytes]:
        return [
            self._event("response.created", response=self.whole()),
            self._event("response.in_progress", response=self.whole()),
        ]

    def feed(self, event: ReplyEvent) -> list[bytes]:
        match event:
            case Text(text):
                return self._text(text)
            case Reasoning(text):
                return self._reason(text)
            case ToolCall():
                return self._call(event)
        sent = self._close()
        for place in self._calls.values():
            sent += self._close_call(place)
        self._end = event
        name = "incomplete" if event.finish_reason in _UNFINISHED else "completed"
        return [*sent, self._event(f"response.{name}", response=self.whole())]

    def failure(self, error: Document) -> list[bytes]:
        cause = error["error"]
        self._error = {"code": cause["code"] or "server_error", "message": cause["message"]}
        return [self._event("response.failed", response=self.whole())]

    def whole(self) -> Document:
        reason = self._end.finish_reason if self._end else None
        status = "failed" if self._error else "in_progress" if reason is None else "completed"
        details = None
        if reason in _UNFINISHED:
            status, details = "incomplete", {"reason": _UNFINISHED[str(reason)]}
        return {
            **self._head,
            "status": status,
            "error": self._error,
            "incomplete_details": details,
            "output": json.loads(json.dumps(self._output)),
            "usage": self._usage(),
            **self._shown,
        }

    def _usage(self) -> Document | None:
        if self._end is None:
            return None
        usage = self._end.usage
        prompt, completion = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
        return {
            "input_tokens": prompt,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": completion,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": prompt + completion,
        }

    # Items

    def _text(self, text: str) -> list[bytes]:
        sent: list[bytes] = []
        if self._open is None or self._open["type"] != "message":
            sent += self._close()
            part: Document = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            item = {"id": self._item_id("msg"), "type": "message", "role": "assistant"}
            sent += self._add({**item, "status": "in_progress", "content": []})
            self._open = self._output[-1]
            sent.append(self._of_part("response.content_part.added", part=part))
            self._open["content"].append(part)
        assert self._open is not None
        self._open["content"][0]["text"] += text
        return [*sent, self._of_part("response.output_text.delta", delta=text, logprobs=[])]

    def _reason(self, text: str) -> list[bytes]:
        sent: list[bytes] = []
        if self._open is None or self._open["type"] != "reasoning":
            sent += self._close()
            sent += self._add({"id": self._item_id("rs"), "type": "reasoning", "summary": []})
            self._open = self._output[-1]
            part = {"type": "summary_text", "text": ""}
            sent.append(self._of_summary("response.reasoning_summary_part.added", part=part))
            self._open["summary"].append(part)
        assert self._open is not None
        self._open["summary"][0]["text"] += text
        return [*sent, self._of_summary("response.reasoning_summary_text.delta", delta=text)]

    def _close(self) -> list[bytes]:
        """Finish the message or reasoning item in progress."""
        item = self._open
        if item is None:
            return []
        if item["type"] == "message":
            part = item["content"][0]
            item["status"] = "completed"
            sent = [
                self._of_part("response.output_text.done", text=part["text"], logprobs=[]),
                self._of_part("response.content_part.done", part=part),
            ]
        else:
            part = item["summary"][0]
            sent = [
                self._of_summary("response.reasoning_summary_text.done", text=part["text"]),
                self._of_summary("response.reasoning_summary_part.done", part=part),
            ]
        place = self._output.index(item)
        sent.append(self._event("response.output_item.done", output_index=place, item=item))
        self._open = None
        return sent

    def _call(self, call: ToolCall) -> list[bytes]:
        sent: list[bytes] = []
        if call.id is not None:
            sent += self._close()
            is_custom = call.name in self._custom
            item: Document = {
                "id": self._item_id("ctc" if is_custom else "fc"),
                "type": "custom_tool_call" if is_custom else "function_call",
                "status": "in_progress",
                "call_id": call.id,
                "name": call.name,
                "input" if is_custom else "arguments": "",
            }
            self._calls[call.index] = len(self._output)
            sent += self._add(item)
        place = self._calls[call.index]
        item = self._output[place]
        if item["type"] == "custom_tool_call":
            # Its text is inside JSON, which can't be parsed before it is complete.
            item["input"] += call.arguments
        elif call.arguments:
            item["arguments"] += call.arguments
            name = "response.function_call_arguments.delta"
            where = {"item_id": item["id"], "output_index": place}
            sent.append(self._event(name, delta=call.arguments, **where))
        return sent

    def _close_call(self, place: int) -> list[bytes]:
        item = self._output[place]
        item["status"] = "completed"
        where = {"item_id": item["id"], "output_index": place}
        if item["type"] == "custom_tool_call":
            item["input"] = _plain(item["input"])
            name = "response.custom_tool_call_input"
            sent = [
                self._event(f"{name}.delta", delta=item["input"], **where),
                self._event(f"{name}.done", input=item["input"], **where),
            ]
        else:
            name = "response.function_call_arguments.done"
            done = {"name": item["name"], "arguments": item["arguments"]}
            sent = [self._event(name, **done, **where)]
        return [*sent, self._event("response.output_item.done", output_index=place, item=item)]

    def _add(self, item: Document) -> list[bytes]:
        self._output.append(item)
        place = len(self._output) - 1
        return [self._event("response.output_item.added", output_index=place, item=item)]

    def _item_id(self, prefix: str) -> str:
        return f"{prefix}_{self._id}{len(self._output)}"

    # Events

    def _of_part(self, name: str, **fields: Any) -> bytes:
        assert self._open is not None
        place = self._output.index(self._open)
        where = {"item_id": self._open["id"], "output_index": place, "content_index": 0}
        return self._event(name, **where, **fields)

    def _of_summary(self, name: str, **fields: Any) -> bytes:
        assert self._open is not None
        place = self._output.index(self._open)
        where = {"item_id": self._open["id"], "output_index": place, "summary_index": 0}
        return self._event(name, **where, **fields)

    def _event(self, name: str, /, **fields: Any) -> bytes:
        self._sequence += 1
        return sse({"type": name, "sequence_number": self._sequence, **fields}, name)


def _plain(arguments: str) -> str:
    """Return the input text of a custom tool call."""
    try:
        value = json.loads(arguments)
    except ValueError:
        return arguments
    text = value.get(CUSTOM_INPUT) if isinstance(value, dict) else None
    return text if isinstance(text, str) else arguments
