"""`quillium-demo` for agents: deterministic tool calls, JSON and embeddings without a network.

It first calls the tool whose name and description match best, then answers with its result, so an
agent loop can be developed and tested offline.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import struct
from array import array
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

from assistant import PromptMessage, context
from assistant.answer_limits import AnswerLimits
from assistant.chat_request import ChatRequest, Tool
from assistant.demo_schema import SchemaFiller
from assistant.events import End, ReplyEvent, Text, ToolCall, Usage

DIMENSIONS = 384  # default dimensions of an embedding
MAX_DIMENSIONS = 4_096
_SHOWN_CHARACTERS = 2_000  # of a tool's result
_PIECE = re.compile(r"\s*\S+|\s+\Z")
_WORD = re.compile(r"[^\W_]+")
_FINAL = re.compile(r"final|finish|answer|respond|submit|done\b|completion", re.I)

Converse = Callable[[Sequence[PromptMessage]], AsyncGenerator[ReplyEvent, None]]


async def complete(request: ChatRequest, converse: Converse) -> AsyncGenerator[ReplyEvent, None]:
    """Answer a request with a tool call, with JSON, or as `converse` does."""
    prompt_tokens = sum(map(context.tokens, request.prompt))
    tool = tool_to_call(request)
    if tool is not None:
        source = " ".join(result for _, result in request.results) or request.question
        arguments = json.dumps(SchemaFiller(source).arguments(tool.parameters), ensure_ascii=False)
        id = "call_" + hashlib.sha256(f"{tool.name} {arguments}".encode()).hexdigest()[:24]
        yield ToolCall(0, id, tool.name, "")
        pieces = _pieces(arguments)
        for piece in pieces:
            yield ToolCall(0, None, None, piece)
        yield End("tool_calls", Usage(prompt_tokens, len(pieces)))
        return
    limits = AnswerLimits(request.stop, request.max_tokens)
    end = End()
    answer = _stated(request) if request.schema or request.results else converse(request.prompt)
    async with aclosing(answer):
        async for event in answer:
            if isinstance(event, Text):
                if text := limits.feed(event.text):
                    yield Text(text)
                if limits.reason is not None:
                    break
            elif isinstance(event, End):
                end = event
            else:
                yield event
    if limits.reason is None and (rest := limits.end()):
        yield Text(rest)
    yield End(limits.reason or end.finish_reason, end.usage or Usage(prompt_tokens, limits.tokens))


def tool_to_call(request: ChatRequest) -> Tool | None:
    """Return the tool to call, if any: before there are results, or if one is required."""
    tools, choice = request.tools, request.tool_choice
    if not tools or choice == "none":
        return None
    if choice.startswith("function:"):
        named = choice.removeprefix("function:")
        return next((tool for tool in tools if tool.name == named), None)
    if choice != "required":
        is_command = request.question.strip().startswith("/")
        return None if request.results or is_command else _best(tools, request.question)
    fresh = [tool for tool in tools if tool.name not in request.called]
    last = [tool for tool in tools if _FINAL.search(tool.name)]
    ordinary = [tool for tool in fresh if tool not in last]
    if request.called and last:
        return last[0]
    return _best(ordinary or fresh or last or tools, request.question)


def _best(tools: Sequence[Tool], question: str) -> Tool:
    """Return the first tool that shares the most words with the question."""
    asked = set(_WORD.findall(question.lower()))

    def score(tool: Tool) -> int:
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", tool.name)
        named = set(_WORD.findall(name.lower()))
        described = set(_WORD.findall(tool.description.lower())) - _COMMON
        return 3 * len(asked & named) + len(asked & described)

    return max(tools, key=score)


_COMMON = {"a", "an", "and", "for", "from", "given", "in", "is", "it", "of", "on", "or", "the",
           "this", "to", "what", "with", "you"}  # fmt: skip


async def _stated(request: ChatRequest) -> AsyncGenerator[ReplyEvent, None]:
    """Answer with JSON for a schema, or with the results of the tools."""
    found = "\n\n".join(
        f"`{name}` says: {result[:_SHOWN_CHARACTERS]}" for name, result in request.results
    )
    text = found
    if request.schema:
        source = " ".join(result for _, result in request.results) or request.question
        text = json.dumps(SchemaFiller(source).fill(request.schema), ensure_ascii=False)
    for piece in _pieces(text):
        yield Text(piece)


def _pieces(text: str) -> list[str]:
    return _PIECE.findall(text)


def embedding(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """Return a unit vector; texts that share words or parts of words have a high similarity."""
    vector = array("d", bytes(8 * dimensions))
    for word in _WORD.findall(text.lower()):
        padded = f" {word} "
        for feature in (word, *(padded[i : i + 3] for i in range(len(padded) - 2))):
            digest = hashlib.blake2b(feature.encode("utf-8", "replace"), digest_size=8).digest()
            place = int.from_bytes(digest, "little")
            vector[(place >> 1) % dimensions] += 1.0 if place & 1 else -1.0
    length = math.sqrt(sum(x * x for x in vector))
    if not length:
        vector[0] = length = 1.0
    return [x / length for x in vector]


def embeddings(request: dict[str, Any]) -> dict[str, Any]:
    """Respond to an OpenAI "Embeddings" request."""
    given = request.get("input")
    inputs = given if isinstance(given, list) and not _are_numbers(given) else [given]
    asked = request.get("dimensions")
    dimensions = asked if isinstance(asked, int) and 1 <= asked <= MAX_DIMENSIONS else DIMENSIONS
    texts = [text if isinstance(text, str) else json.dumps(text) for text in inputs]
    vectors = [embedding(text, dimensions) for text in texts]
    is_packed = request.get("encoding_format") == "base64"
    count = sum(context.tokens_of(text) for text in texts)
    return {
        "object": "list",
        "model": request["model"],
        "data": [
            {"object": "embedding", "index": index, "embedding": _packed(v) if is_packed else v}
            for index, v in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": count, "total_tokens": count},
    }


def _are_numbers(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, (int, float)) for value in values)


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
