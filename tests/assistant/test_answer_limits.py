"""Limits at which a streamed completion ends early."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from assistant.answer_limits import AnswerLimits


def limited(
    pieces: Sequence[str], stop: Sequence[str] = (), max_tokens: int | None = None
) -> tuple[list[str], AnswerLimits]:
    """Return what each piece lets through, until the answer ends."""
    limits = AnswerLimits(stop, max_tokens)
    passed = []
    for piece in pieces:
        passed.append(limits.feed(piece))
        if limits.reason is not None:
            return passed, limits
    return [*passed, limits.end()], limits


def test_without_limits_every_piece_passes_at_once() -> None:
    passed, limits = limited(["Hel", "lo"])
    assert passed == ["Hel", "lo", ""]
    assert (limits.reason, limits.tokens) == (None, 2)


@pytest.mark.parametrize(("most", "text"), [(0, ""), (1, "a"), (2, "ab")])
def test_max_tokens_ends_the_answer_before_the_next_piece(most: int, text: str) -> None:
    passed, limits = limited(["a", "b", "c"], max_tokens=most)
    assert "".join(passed) == text
    assert (limits.reason, limits.tokens) == ("length", most)


def test_as_many_tokens_as_allowed_are_no_early_end() -> None:
    passed, limits = limited(["a", "b"], max_tokens=2)
    assert ("".join(passed), limits.reason) == ("ab", None)


def test_the_length_limit_releases_what_was_held_back() -> None:
    passed, limits = limited(["ab<", "x"], stop=["<end>"], max_tokens=1)
    assert (passed, limits.reason) == (["ab", "<"], "length")


def test_the_answer_ends_before_the_first_of_the_stop_sequences() -> None:
    passed, limits = limited(["one two three"], stop=["three", "two"])
    assert (passed, limits.reason) == (["one "], "stop")
    assert limits.end() == ""  # nothing after a stop sequence is ever passed on


def test_a_stop_sequence_is_found_across_pieces() -> None:
    passed, limits = limited(["Hi <", "en", "d> more"], stop=["<end>"])
    assert (passed, limits.reason, limits.tokens) == (["Hi ", "", ""], "stop", 3)


def test_the_longest_beginning_of_a_stop_sequence_is_held_back() -> None:
    assert limited(["xaa", "c"], stop=["aab"])[0] == ["x", "aac", ""]
    assert limited(["x", "a"], stop=["ab", "a b"])[0] == ["x", "", "a"]
