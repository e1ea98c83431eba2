"""Cleaning model output into text that can be stored."""

from __future__ import annotations

import pytest

from assistant.text import TextJoiner, overlap, storable


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("🪶 é 日本", "🪶 é 日本"),
        ("\ud83e\udeb6", "🪶"),
        ("a\ud83eb", "a\ufffdb"),
        ("\udeb6\ud83e", "\ufffd\ufffd"),
        ("a\0b", "a\ufffdb"),
    ],
)
def test_what_no_message_may_hold_is_replaced(text: str, stored: str) -> None:
    assert storable(text) == stored


def test_a_pair_split_between_two_pieces_is_joined() -> None:
    joiner = TextJoiner()
    assert [joiner.add("a\ud83e"), joiner.add(""), joiner.add("\udeb6b")] == ["a", "", "🪶b"]
    assert joiner.end() == ""


def test_only_the_first_half_of_a_pair_is_held_back() -> None:
    joiner = TextJoiner()
    assert joiner.add("a\udeb6") == "a\ufffd"
    assert joiner.add("\ud83e") == ""
    assert joiner.add("b") == "\ufffdb"
    assert joiner.add("\ud83e") == ""
    assert [joiner.end(), joiner.end()] == ["\ufffd", ""]


def test_a_whole_text_adds_what_is_missing_from_its_pieces() -> None:
    joiner = TextJoiner()
    assert joiner.missing_of("Hello") == "Hello"
    joiner.add("He")
    joiner.add("l")
    assert joiner.missing_of("Hello") == "lo"
    assert joiner.missing_of("Hel") == ""
    assert joiner.missing_of("Goodbye") is None


@pytest.mark.parametrize(
    ("text", "sequence", "size"),
    [("a<th", "<think>", 3), ("a<", "<think>", 1), ("a", "<think>", 0), ("<think>", "<think>", 0)],
)
def test_overlap_is_the_longest_beginning_at_the_end(text: str, sequence: str, size: int) -> None:
    assert overlap(text, sequence) == size
