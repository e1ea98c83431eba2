"""Abnormal ends of replies are explained; no complete reply is empty (contract, section 6)."""

from __future__ import annotations

import pytest

from assistant.events import End, Usage
from services.endings import ended

USAGE = Usage(3, 5)


@pytest.mark.parametrize("finish_reason", ["stop", "length", "content_filter", "tool_calls"])
def test_text_is_complete_and_its_finish_reason_says_why_it_ended(finish_reason: str) -> None:
    ending = ended(End(finish_reason, USAGE), "text", None, ["search"])  # type: ignore[arg-type]
    assert ending == ("complete", None, finish_reason, USAGE)


@pytest.mark.parametrize("usage", [Usage(-1, 0), Usage(0, 10**30)])
def test_figures_that_cannot_be_stored_cost_no_text(usage: Usage) -> None:
    assert ended(End("stop", usage), "text", None, []) == ("complete", None, "stop", None)


@pytest.mark.parametrize(
    ("end", "text", "reasoning", "tools", "words"),
    [
        (End(), "", None, [], "empty reply"),
        (End(), " \n", None, [], "empty reply"),
        (End(), "", "Let me think.", [], "only its reasoning"),
        (End("length"), "", None, [], "token limit before it wrote"),
        (End("length"), "", "Let me think", [], "token limit while reasoning"),
        (End("content_filter"), "", None, [], "content filter"),
        (End("content_filter"), "", "Let me think", [], "content filter"),
        (End("tool_calls"), "", None, ["search", "search", "run"], "called a tool (search, run)"),
        (End("tool_calls"), "", None, [], "called a tool instead"),
        (End("stop"), "", "I'd search", ["search"], "called a tool (search)"),
        (End(), "", None, ["x" * 1000], f"({'x' * 60})"),
    ],
)
def test_a_reply_without_text_has_failed_in_words(
    end: End, text: str, reasoning: str | None, tools: list[str], words: str
) -> None:
    ending = ended(end, text, reasoning, tools)
    assert (ending.status, ending.finish_reason) == ("failed", end.finish_reason)
    assert ending.error is not None
    assert words in ending.error.details
