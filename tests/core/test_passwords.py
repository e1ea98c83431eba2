"""Password hashing: salted, with the same cost for accounts that don't exist."""

from __future__ import annotations

import pytest

from core import passwords

COST = 4


@pytest.mark.parametrize("password", ["a\0b" * 3, "🙂" * 256, "x" * 100])
def test_every_character_counts(password: str) -> None:
    stored = passwords.hash_password(password, COST)
    assert passwords.matches(password, stored)
    assert not passwords.matches(password[:-1] + "?", stored)


def test_forms_of_one_text_are_one_password() -> None:
    stored = passwords.hash_password("caf\u00e9 ole", COST)
    assert passwords.matches("cafe\u0301 ole", stored)


def test_nothing_matches_the_dummy_hash_and_it_has_the_cost() -> None:
    dummy = passwords.unmatchable_hash(COST)
    assert not passwords.matches("", dummy)
    assert not passwords.matches("." * 53, dummy)
    assert passwords.cost_of(dummy) == COST
    assert passwords.cost_of(passwords.hash_password("something", COST)) == COST
