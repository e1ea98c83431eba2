"""Interpret the end of a response: finish reason, failure, and token usage."""

from __future__ import annotations

from typing import Any

from assistant.events import FinishReason, Usage

# Sent by some servers on each chunk where OpenAI sends null.
_NO_REASONS = {"", "null", "none", "undefined", "not_finished"}
_MEANINGS: dict[str, FinishReason] = {
    **dict.fromkeys(
        ("stop", "eos", "eos_token", "end_turn", "stop_sequence", "stop_token", "complete",
         "completed", "done", "end", "finish", "finished"),
        "stop",
    ),
    **dict.fromkeys(
        ("length", "max_tokens", "max_new_tokens", "max_length", "max_output_tokens",
         "max_completion_tokens", "model_length", "token_limit", "time_limit", "incomplete",
         "model_context_window_exceeded"),
        "length",
    ),
    **dict.fromkeys(
        ("content_filter", "content_filtered", "safety", "recitation", "blocklist", "blocked",
         "prohibited_content", "spii", "image_safety", "language", "refusal", "sensitive",
         "guardrail", "guardrail_intervened", "moderation"),
        "content_filter",
    ),
    **dict.fromkeys(
        ("tool_calls", "tool_call", "tool_use", "function_call", "function_calls"), "tool_calls"
    ),
}  # fmt: skip


def is_first(choice: dict[str, Any]) -> bool:
    """Return whether this is the first choice, the only one requested."""
    return choice.get("index") in (None, 0, "0")


def is_end(reason: Any) -> bool:
    """Return whether a `finish_reason` ends the answer (contract, section 8)."""
    return isinstance(reason, str) and reason.strip().lower() not in _NO_REASONS


def meaning_of(reason: str) -> FinishReason | None:
    """Normalize a `finish_reason`; return None for a failure or an unknown one."""
    name = reason.strip().lower().removeprefix("finish_reason_")
    found = _MEANINGS.get(name)
    if found is None and ":" in name:  # as in Gemini's "content_filter: RECITATION"
        return meaning_of(name.partition(":")[0])
    return found


def is_filtered(part: dict[str, Any]) -> bool:
    """Return whether Azure's content filter, which may report after the text, was triggered."""
    results = part.get("content_filter_results") or part.get("content_filter_result")
    if not isinstance(results, dict):
        return False
    return any(isinstance(r, dict) and r.get("filtered") is True for r in results.values())


def is_failure(event: dict[str, Any]) -> bool:
    """Return whether an event reports a failure."""
    if event.get("error") or event.get("errors") or event.get("error_msg"):
        return True
    if "error" in (event.get("object"), event.get("type")):
        return True
    status = event.get("base_resp")  # MiniMax
    if isinstance(status, dict) and status.get("status_code"):
        return True
    if event.get("choices") is not None:
        return False
    says = isinstance(event.get("message"), (str, dict)) and not event.get("done")
    return bool(event.get("detail")) or (says and bool(event.keys() & {"code", "status"}))


def usage_of(event: dict[str, Any]) -> Usage | None:
    """Return an event's token usage, from `usage` or a server-specific field, if it has one."""
    choices = event.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    groq = event.get("x_groq")
    for place in (event, groq, first):
        usage = place.get("usage") if isinstance(place, dict) else None
        if isinstance(usage, dict) and (found := _usage(usage)) is not None:
            return found
    timings = event.get("timings")  # llama.cpp
    if isinstance(timings, dict):
        cached = _count(timings, "cache_n") or 0
        prompt, completion = _count(timings, "prompt_n"), _count(timings, "predicted_n")
        if prompt is not None and completion is not None:
            return Usage(prompt + cached, completion)
    return None


def _usage(usage: dict[str, Any]) -> Usage | None:
    prompt = _count(usage, "prompt_tokens", "input_tokens", "prompt_eval_count")
    completion = _count(usage, "completion_tokens", "output_tokens", "eval_count")
    total = _count(usage, "total_tokens")
    if completion is None and prompt is not None and total is not None:
        completion = max(0, total - prompt)
    if prompt is None or completion is None:
        return None
    return Usage(prompt, completion)


def _count(counts: dict[str, Any], *names: str) -> int | None:
    for name in names:
        count = counts.get(name)
        if isinstance(count, (int, float)) and not isinstance(count, bool) and 0 <= count < 1e12:
            return int(count)
    return None
