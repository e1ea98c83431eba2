"""Large documents are parsed part by part, by the rules of `core.documents`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import documents, large_documents
from core.errors import InvalidRequest


def read(data: bytes, array: str = "items") -> dict[str, Any]:
    """Put the parts together again."""
    document: dict[str, Any] = {}
    for part in large_documents.parts(data, array):
        if part.index is None:
            document[part.name] = part.value
        else:
            assert part.index == len(document[part.name])
            document[part.name].append(part.value)
        assert 0 <= part.share <= 1
    return document


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner),
    max_leaves=10,
)  # fmt: skip
DOCUMENTS = st.dictionaries(st.sampled_from(["items", "a", "b"]), VALUES)


@pytest.mark.parametrize("window", [1, 7, 1 << 18])
@given(document=DOCUMENTS, indent=st.sampled_from([None, 1]), is_ascii=st.booleans())
def test_it_reads_what_json_writes(
    window: int, document: dict[str, Any], indent: int | None, is_ascii: bool
) -> None:
    data = json.dumps(document, indent=indent, ensure_ascii=is_ascii).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(large_documents, "WINDOW", window)
        assert read(data) == document


MUTATIONS = [
    b"",
    b"{",
    b"}",
    b"]",
    b"[",
    b",",
    b":",
    b'"',
    b"\\u0000",
    b"\\",
    b"\xff",
    b"NaN",
    b"1e999",
]


@pytest.mark.parametrize("window", [1, 1 << 18])
@given(
    document=DOCUMENTS,
    at=st.integers(0, 200),
    put=st.sampled_from(MUTATIONS),
    cut=st.integers(0, 2),
)
def test_it_refuses_what_the_other_parser_refuses(
    window: int, document: dict[str, Any], at: int, put: bytes, cut: int
) -> None:
    data = json.dumps(document, indent=1).encode()
    data = data[:at] + put + data[at + cut :]
    try:
        expected: Any = documents.parse(data)
    except InvalidRequest:
        expected = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(large_documents, "WINDOW", window)
        try:
            found: Any = read(data)
        except InvalidRequest:
            found = None
    assert found == expected


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "The body is empty"),
        (b'\xef\xbb\xbf{"items": []}', "byte order mark"),
        (b"[1]", "must be a JSON object"),
        (b"[1] 2", "Extra data"),
        (b'{"items": []} x', "Extra data (line 1, column 15)"),
        (b'{"a": 1,\n\n "items": [1,\n  2 3]}', "Expecting ',' delimiter (line 4, column 5)"),
        (b'{"items": [1, ', "Expecting value"),
        (b'{"items": [{"a": "x', "Unterminated string"),
        (b'{"items": [], "items": []}', "same key twice"),
        (b'{"items": [{"a": 1, "a": 2}]}', "same key twice"),
        (b'{"items": [NaN]}', "NaN"),
        (b'{"items": ["\\u0000"]}', "U+0000"),
        (b'{"\\ud800": 1}', "surrogate"),
        (b'{"items": [' + b"9" * 5000 + b"]}", "too long"),
        (b'{"items": [' + b"[" * 63 + b"]" * 63 + b"]}", "more than 64 levels"),
        (b'{"items": ' + b"[" * 100_000, "more than 64 levels"),
        (b'{"items": [1, "\xc3\xa9\xff"]}', "see byte 17"),
        (b"{1: 2}", "property name"),
        (b'{"a" 2}', "':' delimiter"),
    ],
)
@pytest.mark.parametrize("window", [3, 1 << 18])
def test_what_is_refused_is_called_by_its_name(
    data: bytes, why: str, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_documents, "WINDOW", window)
    with pytest.raises(InvalidRequest) as refused:
        read(data)
    assert why in refused.value.details


def test_a_deep_document_is_allowed_up_to_64() -> None:
    assert read(b'{"items": [' + b"[" * 62 + b"]" * 62 + b"]}")
    assert read(b'{"a": ' + b"[" * 63 + b"]" * 63 + b"}")


def test_long_values_are_long_strings() -> None:
    long = "x" * (3 * large_documents.WINDOW)
    document = {"items": [{"content": long, "sender": "user"}, "y", {"content": long}], "a": long}
    assert read(json.dumps(document).encode()) == document
    for inner in ("[],", "{},", '"",', "0,", '{"a":0},'):
        many = inner * (large_documents.WINDOW // len(inner) + 100_000)
        for data in (f'{{"items": [{{"a": [{many}0]}}]}}', f'{{"a": [{many}0]}}'):
            with pytest.raises(InvalidRequest, match="more than 10,000 parts"):
                read(data.encode())


def test_many_small_items_after_a_long_one() -> None:
    items: list[Any] = ["x" * (2 * large_documents.WINDOW), *[{"a": []}] * 50_000]
    assert read(json.dumps({"items": items}).encode()) == {"items": items}
