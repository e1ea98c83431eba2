"""Strict JSON parsing (contract, section 2)."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import documents
from core.errors import InvalidRequest


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
    assert documents.parse(documents.encoded(document)) == document


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reading(body: bytes) -> None:
    with contextlib.suppress(InvalidRequest):
        documents.parse(body)


def test_nesting_is_allowed_up_to_64() -> None:
    assert documents.parse('{"a":' + "[" * 63 + "]" * 63 + "}")
    with pytest.raises(InvalidRequest, match="more than 64 levels"):
        documents.parse('{"a":' + "[" * 64 + "]" * 64 + "}")
    with pytest.raises(InvalidRequest, match="more than 64 levels"):
        documents.parse('{"a":' + "[" * 100_000)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'\xef\xbb\xbf{"title": "x"}', "byte order mark"),
        (b'{"a": 1, "a": 2}', "same key twice"),
        (b'{"a": {"b": 1, "b": 1}}', "same key twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e400}', "too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too long"),
        (b"[1]", "JSON object"),
        (b'"text"', "JSON object"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"\\u0000": 1}', "U\\+0000"),
        (b'{"a": ["x", {"b": "\\u0000"}]}', "U\\+0000"),
    ],
)
def test_what_is_refused_is_called_by_its_name(body: bytes, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        documents.parse(body)


def test_a_password_may_hold_any_character() -> None:
    body = b'{"password": "a\\u0000b", "name": "x"}'
    assert documents.parse(body, ["password"])["password"] == "a\0b"
    with pytest.raises(InvalidRequest):
        documents.parse(b'{"password": "\\ud800"}', ["password"])


@pytest.mark.parametrize(
    ("text", "is_storable"), [("", True), ("🪶é", True), ("a\0", False), ("\udfff", False)]
)
def test_storable_strings(text: str, is_storable: bool) -> None:
    assert documents.is_storable(text) is is_storable
