"""Responses of self-hosted model servers."""

from __future__ import annotations

import json

from tests.assistant.dialects.hosted import OPENAI, WEATHER
from tests.assistant.dialects.spoken import (
    HEL,
    JSON,
    LO,
    ROLE,
    STOP,
    Dialect,
    call,
    choice,
    data,
    usage,
    whole,
)

DIALECTS = (
    Dialect("vLLM", data(choice({"role": "assistant", "content": ""}), HEL, LO,
            choice({"content": ""}, "stop", stop_reason=None), {"choices": [], **usage(9, 2)},
            "[DONE]"), usage=(9, 2)),
    Dialect("vLLM, reasoning under two names", data(choice({"reasoning": "Hm",
            "reasoning_content": "Hm"}), HEL, LO, STOP, "[DONE]"), reasoning="Hm"),
    Dialect("vLLM, an error event", data(HEL, {"object": "error", "message": "out of memory",
            "type": "InternalServerError", "param": None, "code": 500}, "[DONE]"), "Hel",
            error="failed: out of memory"),
    Dialect("vLLM, aborted", data(HEL, choice({}, "abort"), "[DONE]"), "Hel", error="abort"),
    Dialect("SGLang", data(choice({"role": "assistant", "content": ""}, ""), choice(
        {"content": "Hel"}, ""), choice({"content": "lo"}, ""), choice({}, "stop"), "[DONE]")),
    Dialect("SGLang, null in words", data(choice({"content": "Hel"}, "null"), choice(
        {"content": "lo"}, "null"), choice({}, "stop"), "[DONE]")),
    Dialect("LocalAI", data(choice({"content": "Hel"}, ""), choice({"content": "lo"}, ""),
            choice({"content": ""}, "stop"), "[DONE]")),
    Dialect("LocalAI, no reason at all", data(choice({"content": "Hel"}, ""), choice(
        {"content": "lo"}, ""), "[DONE]")),
    Dialect("LocalAI, an error as a string", data(HEL, {"error": "grpc: the model crashed"}),
            "Hel", error="failed: grpc: the model crashed"),
    Dialect("Ollama", data(choice({"role": "assistant", "content": "Hel"}), choice({"role":
            "assistant", "content": "lo"}), choice({"role": "assistant", "content": ""}, "stop"),
            "[DONE]")),
    Dialect("Ollama, thinking", data(choice({"role": "assistant", "content": "", "reasoning":
            "Hm"}), choice({"role": "assistant", "content": "Hello"}), STOP, "[DONE]"),
            reasoning="Hm"),
    Dialect("Ollama, tags", data(choice({"content": "<think>\nHm\n</think>\n\nHel"}), LO, STOP),
            reasoning="Hm"),
    Dialect("Ollama, a whole call", data(choice({"content": "", **call("get_weather",
            {"city": "Oslo"}, 0, "call_1")}), choice({}, "stop"), "[DONE]"), "", "tool_calls",
            tools=WEATHER),
    Dialect("Ollama, an error without data", b'{"error": "model runner has stopped"}', "",
            error="failed: model runner has stopped"),
    Dialect("LM Studio", data(HEL, LO, {**STOP, "stats": {}}, {"choices": [], **usage(9, 2)},
            "[DONE]"), usage=(9, 2)),
    Dialect("LM Studio, an error event", b"event: error\n" + data({"error": {
        "message": "Model unloaded."}}), "", error="failed: Model unloaded"),
    Dialect("LM Studio, words in an error event", b"event: error\n" + data('"Model crashed"'), "",
            error="failed: Model crashed"),
    Dialect("llama.cpp", data(choice({"role": "assistant", "content": None}), HEL, LO,
            {**STOP, "timings": {"cache_n": 4, "prompt_n": 5, "predicted_n": 2}}, "[DONE]"),
            usage=(9, 2)),
    Dialect("llama.cpp, cut at the limit", data(HEL, LO, choice({}, "length"), "[DONE]"),
            finish="length"),
    Dialect("llama.cpp, an error of its own", b"error: " + json.dumps({"code": 500, "message":
            "no slot"}).encode() + b"\n\n" + data({"error": {"code": 500, "message": "no slot"}}),
            "", error="failed: no slot"),
    Dialect("KoboldCpp", data(choice({"role": "assistant", "content": "Hel"}, "null"), choice(
        {"content": "lo"}, ""), choice({}, "stop"), "[DONE]")),
    Dialect("KoboldCpp, named events", b"event: message\n" + OPENAI, usage=(9, 2)),
    Dialect("LiteLLM", data({**HEL, "citations": None}, LO, choice({"content": None,
            "tool_calls": None, "function_call": None}, "stop"), "[DONE]")),
    Dialect("LiteLLM, nested words", data({"error": {"message": "litellm.APIError: OpenAIException"
            ' - {"error": {"message": "quota used up"}}', "type": None, "code": "500"}}), "",
            error="failed: quota used up"),
    Dialect("text-generation-inference", data(choice({"role": "assistant", "content": "Hel"}),
            choice({"content": "lo"}, "eos_token"), "[DONE]")),
    Dialect("text-generation-inference, stop_sequence", data(HEL, choice({"content": "lo"},
            "stop_sequence"))),
    Dialect("text-generation-inference, overloaded", data({"error": "Model is overloaded",
            "error_type": "overloaded"}), "", error="failed: Model is overloaded"),
    Dialect("FastAPI, details", b'{"detail": [{"loc": ["body", "n"], "msg": "too many"}]}', "",
            error="failed: body.n: too many", content_type=JSON),
    Dialect("watsonx", data(choice({"content": "Hel"}, "not_finished"), choice({"content": "lo"},
            "not_finished"), choice({}, "eos_token"))),
    Dialect("GPT4All, not streamed", whole({"content": "Hello"}), content_type=JSON),
    Dialect("Jan, not streamed, as text", whole({"content": "Hello"}), content_type="text/plain"),
    Dialect("a whole answer as the only event", data(json.loads(whole({"content": "Hello"})),
            "[DONE]")),
    Dialect("a whole answer cut at the limit", whole({"content": "Hello"}, "length"),
            finish="length", content_type=JSON),
    Dialect("a whole answer with its reasoning", whole({"content": "Hello", "reasoning_content":
            "Hm"}), reasoning="Hm", content_type=JSON),
    Dialect("a whole answer with tags", whole({"content": "<think>Hm</think>Hello"}),
            reasoning="Hm", content_type=JSON),
    Dialect("a whole answer with a call", whole({"content": None, **call("get_weather",
            '{"city": "Oslo"}', None, "call_1")}, "tool_calls"), "", "tool_calls",
            content_type=JSON, tools=WEATHER),
    Dialect("lines of JSON", b"".join(json.dumps(e).encode() + b"\n" for e in (HEL, LO, STOP)),
            content_type="application/x-ndjson"),
    Dialect("the whole message at the end", data(HEL, LO, {"choices": [{"index": 0, "delta": {},
            "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]},
            "[DONE]")),
    Dialect("more of the message at the end", data(HEL, {"choices": [{"index": 0, "delta": {},
            "message": {"content": "Hello"}, "finish_reason": "stop"}]})),
    Dialect("the message alone at the end", data(ROLE, {"choices": [{"index": 0, "delta": {},
            "message": {"content": "Hello"}, "finish_reason": "stop"}]}, "[DONE]")),
    Dialect("messages for deltas", data(*({"choices": [{"index": 0, "message": {"content": piece},
            "finish_reason": end}]} for piece, end in (("He", None), ("l", None), ("l", None),
            ("o", "stop"))))),
)  # fmt: skip
