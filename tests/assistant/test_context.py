"""A model is given what its window holds, and never half a message."""

from __future__ import annotations

import pytest

from assistant import PromptMessage
from assistant.context import fit, tokens
from core.errors import ModelRefused

SYSTEM = PromptMessage("system", "Be brief.")


def test_a_token_is_three_bytes() -> None:
    assert tokens(PromptMessage("user", "x" * 300)) == 105
    assert tokens(PromptMessage("user", "日" * 100)) == 105
    assert tokens(PromptMessage("user", "")) == 5


def test_the_latest_that_fit() -> None:
    said = [PromptMessage("user", f"{n} ".ljust(300, "x")) for n in range(100)]  # 105 tokens each
    kept = fit([SYSTEM, *said], window=1400)  # a quarter is for the answer, 8 for the system
    assert kept == [SYSTEM, *said[-9:]]
    assert fit([SYSTEM, *said], window=1_000_000) == [SYSTEM, *said]
    assert fit([SYSTEM], window=300) == [SYSTEM]


def test_a_long_message_between_ends_it() -> None:
    """What is older than a message that doesn't fit would have no sense without it."""
    said = [
        PromptMessage("user", "short"),
        PromptMessage("assistant", "x" * 9_000),
        PromptMessage("user", "and?"),
    ]
    assert fit(said, window=1_000) == said[-1:]


def test_the_last_message_goes_whole_or_not_at_all() -> None:
    with pytest.raises(ModelRefused, match=r"about 3,005 tokens, and its window holds 2,048"):
        fit(
            [SYSTEM, PromptMessage("user", "hello"), PromptMessage("user", "x" * 9_000)],
            window=2_048,
        )
