"""Identifiers: opaque, different, and without a preference for any character."""

from __future__ import annotations

import re

from core import ids


def test_ids_look_as_promised_and_differ() -> None:
    made = {ids.new("chat") for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"chat_[0-9A-Za-z]{20}", id) for id in made)


def test_no_character_is_likelier_than_another() -> None:
    text = ids.random_text(100_000)
    assert len(text) == 100_000
    shares = [text.count(character) for character in ids.ALPHABET]
    assert min(shares) > 1300  # 1613 each, and eight standard deviations
    assert max(shares) < 1930


def test_request_ids_are_valid_and_differ() -> None:
    made = {ids.request_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"req_[0-9a-f]{24}", id) for id in made)
