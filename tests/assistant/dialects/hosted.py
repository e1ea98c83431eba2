"""Responses of hosted model services, as documented or observed."""

from __future__ import annotations

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

OPENAI = data(ROLE, HEL, LO, STOP, {"choices": [], **usage(9, 2)}, "[DONE]")
WEATHER = (("get_weather", '{"city": "Oslo"}'),)
_FILTER = {"hate": {"filtered": True, "severity": "high"}, "violence": {"filtered": False}}
_NO_FILTER = {"hate": {"filtered": False, "severity": "safe"}}

DIALECTS = (
    Dialect("OpenAI", OPENAI, usage=(9, 2)),
    Dialect("OpenAI, cut at the limit", data(ROLE, HEL, LO, choice({}, "length"), "[DONE]"),
            finish="length"),
    Dialect("OpenAI, filtered", data(ROLE, HEL, LO, choice({}, "content_filter"), "[DONE]"),
            finish="content_filter"),
    Dialect("OpenAI, refusal", data(ROLE, choice({"refusal": "I can't "}),
            choice({"refusal": "do that."}), STOP, "[DONE]"), "I can't do that.", "content_filter"),
    Dialect("OpenAI, obfuscation", data({**HEL, "obfuscation": "x9"}, {**LO, "obfuscation": ""},
            STOP, "[DONE]")),
    Dialect("OpenAI, a tool", data(
        choice({"role": "assistant", "content": None, **call("get_weather", "", 0, "call_1")}),
        choice(call(None, '{"city": ')), choice(call(None, '"Oslo"}')),
        choice({}, "tool_calls"), "[DONE]"), "", "tool_calls", tools=WEATHER),
    Dialect("OpenAI, text and tools", data(HEL, LO, choice(call("a", "{}", 0, "1")),
            choice(call("b", "{", 1, "2")), choice(call(None, "}", 1)),
            choice({}, "tool_calls"), "[DONE]"), finish="tool_calls",
            tools=(("a", "{}"), ("b", "{}"))),
    Dialect("OpenAI, a function", data(choice({"function_call": {"name": "f", "arguments": ""}}),
            choice({"function_call": {"arguments": "{}"}}), choice({}, "function_call"), "[DONE]"),
            "", "tool_calls", tools=(("f", "{}"),)),
    Dialect("OpenAI, two choices", data(HEL, {"choices": [
        {"index": 1, "delta": {"content": "Ahoy"}, "finish_reason": None}]}, LO, {"choices": [
        {"index": 1, "delta": {}, "finish_reason": "length"}]}, STOP, "[DONE]")),
    Dialect("OpenAI, failed half-way", data(ROLE, HEL, {"error": {
        "message": "The server had an error", "type": "server_error"}}), "Hel",
        error="failed: The server had an error"),
    Dialect("OpenAI, completions", data({"choices": [{"index": 0, "text": "Hel",
            "finish_reason": None}]}, {"choices": [{"index": 0, "text": "lo",
            "finish_reason": "stop"}]}, "[DONE]")),
    Dialect("OpenAI, not streamed", whole({"content": "Hello", "refusal": None}, **usage(9, 2)),
            usage=(9, 2), content_type=JSON),
    Dialect("Azure", data({"choices": [], "prompt_filter_results": [
        {"prompt_index": 0, "content_filter_results": _NO_FILTER}]}, ROLE,
        choice({"content": "Hello"}, None, content_filter_results=_NO_FILTER),
        choice({}, "stop", content_filter_results={}), "[DONE]")),
    Dialect("Azure, filter after the text", data(ROLE, HEL, LO, STOP, {"choices": [{
        "index": 0, "finish_reason": None, "content_filter_offsets": {"check_offset": 0},
        "content_filter_results": _FILTER}]}, "[DONE]"), finish="content_filter"),
    Dialect("Azure, filter in an empty choice", data(HEL, LO, {"choices": [{
        "content_filter_results": _FILTER}]}, STOP, "[DONE]"), finish="content_filter"),
    Dialect("OpenRouter", b": OPENROUTER PROCESSING\n\n" * 3 + OPENAI, usage=(9, 2)),
    Dialect("OpenRouter, failed half-way", data(HEL, {**choice({"content": ""}, "error"), "error": {
        "code": 502, "message": "Provider returned error", "metadata": {
            "provider_name": "X", "raw": '{"error": {"message": "overloaded"}}'}}}), "Hel",
        error="failed: overloaded"),
    Dialect("OpenRouter, an error in a choice", data(HEL, choice({}, "error", error={
        "code": 429, "message": "Rate limit exceeded upstream"})), "Hel",
        error="failed: Rate limit exceeded upstream"),
    Dialect("OpenRouter, reasoning", data(
        choice({"content": "", "reasoning": "Hm", "reasoning_details": [
            {"type": "reasoning.text", "text": "Hm"}]}), HEL, LO, STOP, "[DONE]"), reasoning="Hm"),
    Dialect("OpenRouter, details alone", data(choice({"content": "", "reasoning_details": [
        {"type": "reasoning.summary", "summary": "Hm"}]}), HEL, LO, STOP), reasoning="Hm"),
    Dialect("Anthropic", data(ROLE, choice({"content": "Hello"}), choice({}, "end_turn"),
            {"choices": [], **usage(9, 2)}, "[DONE]"), usage=(9, 2)),
    Dialect("Anthropic, max_tokens", data(HEL, LO, choice({}, "max_tokens")), finish="length"),
    Dialect("Anthropic, overloaded", b"event: error\n" + data({"type": "error", "error": {
        "type": "overloaded_error", "message": "Overloaded"}}), "", error="failed: Overloaded"),
    Dialect("Anthropic, ping", b'event: ping\ndata: {"type": "ping"}\n\n' + OPENAI, usage=(9, 2)),
    Dialect("Anthropic, refusal", data(HEL, LO, choice({}, "refusal")), finish="content_filter"),
    Dialect("Gemini", data(choice({"role": "assistant", "content": "Hello"}, "stop",
            ) | usage(9, 2), "[DONE]"), usage=(9, 2)),
    Dialect("Gemini, recitation", data(HEL, LO, choice({}, "content_filter: RECITATION")),
            finish="content_filter"),
    Dialect("Gemini, SAFETY", data(HEL, LO, choice({}, "SAFETY")), finish="content_filter"),
    Dialect("Gemini, MAX_TOKENS", data(HEL, LO, choice({}, "MAX_TOKENS")), finish="length"),
    Dialect("Gemini, thought", data(choice({"content": "<thought>Hm</thought>Hel"}), LO, STOP),
            reasoning="Hm"),
    Dialect("Gemini, an array of errors", b'[{"error": {"code": 503, "message": "The model is'
            b' overloaded.", "status": "UNAVAILABLE"}}]', "", error="failed: The model is overl",
            content_type=JSON),
    Dialect("Gemini, two calls at one index", data(choice(call("a", "{}", 0, "x")),
            choice(call("b", "{}", 0, "y")), choice({}, "stop")), "", "tool_calls",
            tools=(("a", "{}"), ("b", "{}"))),
    Dialect("Gemini, MALFORMED_FUNCTION_CALL", data(HEL, LO, choice({}, "MALFORMED_FUNCTION_CALL")),
            error="MALFORMED_FUNCTION_CALL"),
    Dialect("Mistral", data(choice({"role": "assistant", "content": ""}), HEL, choice(
        {"content": "lo"}, "stop") | usage(9, 2), "[DONE]"), usage=(9, 2)),
    Dialect("Mistral, parts", data(choice({"content": [{"type": "text", "text": "Hel"},
            {"type": "text", "text": "lo"}]}), STOP, "[DONE]")),
    Dialect("Mistral, thinking", data(choice({"content": [{"type": "thinking", "thinking": [
        {"type": "text", "text": "Hm"}]}]}), choice({"content": [{"type": "text",
        "text": "Hello"}]}), STOP, "[DONE]"), reasoning="Hm"),
    Dialect("Mistral, [THINK]", data(choice({"content": "[THI"}), choice({"content":
            "NK]Hm[/THI"}), choice({"content": "NK]Hello"}), STOP), reasoning="Hm"),
    Dialect("Mistral, model_length", data(HEL, LO, choice({}, "model_length")), finish="length"),
    Dialect("Groq", data(ROLE, HEL, LO, {**STOP, "x_groq": {"id": "r", **usage(9, 2)}}, "[DONE]"),
            usage=(9, 2)),
    Dialect("Groq, an error event", b"event: error\n" + data({"error": {
        "message": "Failed to call a function", "code": "tool_use_failed"}}), "",
        error="failed: Failed to call a function"),
    Dialect("DeepSeek", b": keep-alive\n\n" + data(choice({"content": None, "reasoning_content":
            "Hm"}), choice({"content": "Hello", "reasoning_content": None}), choice(
            {"content": "", "reasoning_content": None}, "stop") | usage(9, 2), "[DONE]"),
            reasoning="Hm", usage=(9, 2)),
    Dialect("DeepSeek, out of resources", data(HEL, choice({}, "insufficient_system_resource"),
            "[DONE]"), "Hel", error="insufficient_system_resource"),
    Dialect("DeepSeek, empty lines while waiting", b"\n\n\n\n" + OPENAI, usage=(9, 2)),
    Dialect("xAI", data(choice({"role": "assistant", "reasoning_content": "Hm"}), {**HEL,
            **usage(9, 1)}, {**LO, **usage(9, 2)}, choice({}, "stop") | usage(9, 3), "[DONE]"),
            reasoning="Hm", usage=(9, 3)),
    Dialect("Perplexity", data(*({"choices": [{"index": 0, "finish_reason": end, "message":
            {"role": "assistant", "content": so_far}, "delta": {"role": "assistant", "content":
            piece}}], "citations": ["https://example.com"], **usage(9, 2)}
            for so_far, piece, end in (("Hel", "Hel", None), ("Hello", "lo", None),
            ("Hello", "", "stop")))), usage=(9, 2)),
    Dialect("Perplexity, concise", data(HEL, LO, {"object": "chat.completion.done", "choices": [{
        "index": 0, "message": {"content": "Hello"}, "delta": {}, "finish_reason": "stop"}]})),
    Dialect("Together", data({"choices": [{"index": 0, "delta": {"token_id": 1, "role":
            "assistant", "content": "Hello"}, "text": "Hello", "logprobs": None, "seed": 7,
            "finish_reason": None}], "usage": None}, {"choices": [{"index": 0, "text": "", "delta":
            {"content": ""}, "finish_reason": "eos"}], **usage(9, 2)}, "[DONE]"), usage=(9, 2)),
    Dialect("Cohere", data(HEL, LO, choice({}, "COMPLETE"))),
    Dialect("Moonshot", data(HEL, LO, choice({}, "stop", **usage(9, 2)), "[DONE]"), usage=(9, 2)),
    Dialect("MiniMax", data({"choices": None, "base_resp": {"status_code": 1004, "status_msg":
            "login fail"}}), "", error="failed: login fail"),
    Dialect("Zhipu, sensitive", data(HEL, LO, choice({}, "sensitive")), finish="content_filter"),
    Dialect("Zhipu, network_error", data(HEL, choice({}, "network_error")), "Hel",
            error="network_error"),
    Dialect("Cloudflare, plain text", b"data: error code: 1015\n\n", "", error="error code: 1015"),
)  # fmt: skip
