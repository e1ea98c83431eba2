"""The pure rules, with the time passed in."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import documents, ids, passwords
from core.errors import InvalidRequest


def test_ids_look_as_promised_and_differ() -> None:
    made = {ids.new("chat") for _ in range(1000)}
    assert len(made) == 1000
    assert all(id.startswith("chat_") and id[5:].isalnum() and id.isascii() for id in made)
    assert {len(id) for id in made} == {len("chat_") + 20}
    text = ids.random_text(100_000)
    assert len(text) == 100_000
    shares = [text.count(character) for character in ids.ALPHABET]
    assert min(shares) > 1300  # 1613 each, and eight standard deviations
    assert max(shares) < 1930


@pytest.mark.parametrize("password", ["a\0b" * 3, "🙂" * 256, "x" * 100])
def test_passwords(password: str) -> None:
    stored = passwords.hash_password(password, 4)
    assert passwords.matches(password, stored)
    assert not passwords.matches(password[:-1] + "?", stored)
    assert not passwords.matches(password, passwords.unmatchable_hash(4))


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="\0")),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9),
            lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner),
            max_leaves=10,
        ),
    )
)
def test_what_json_writes_is_read_back(document: dict[str, object]) -> None:
    assert documents.parse(json.dumps(document)) == document


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reading(body: bytes) -> None:
    with contextlib.suppress(InvalidRequest):
        documents.parse(body)


def test_nesting_is_allowed_up_to_64() -> None:
    assert documents.parse('{"a":' + "[" * 63 + "]" * 63 + "}")
    with pytest.raises(InvalidRequest, match="more than 64 levels"):
        documents.parse('{"a":' + "[" * 64 + "]" * 64 + "}")


def test_a_byte_order_mark_is_called_by_its_name() -> None:
    with pytest.raises(InvalidRequest, match="byte order mark"):
        documents.parse(b'\xef\xbb\xbf{"title": "x"}')
