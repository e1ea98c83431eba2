"""Strict parsing of query parameters."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import InvalidRequest
from web import parameters


def test_text_is_utf8_without_nul_and_comes_once() -> None:
    assert parameters.text({}, "q") is None
    assert parameters.text({"q": ["é".encode()]}, "q") == "é"
    for values in ([b"a", b"b"], [b"\xff"], [b"a\0"]):
        with pytest.raises(InvalidRequest, match="q: "):
            parameters.text({"q": values}, "q")


def test_page_bounds() -> None:
    assert parameters.page_bounds({}) == (20, 0)
    assert parameters.page_bounds({"limit": [b"100"], "offset": [b"999999999999999"]}) == (
        100,
        999_999_999_999_999,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", v) for v in (b"0", b"-1", b"101", b"1e3", "٣".encode(), b"", b" 1", b"1\n")]
    + [("offset", v) for v in (b"-1", b"1.0", b"1" + b"0" * 30)],
)
def test_numbers_out_of_bounds(name: str, value: bytes) -> None:
    with pytest.raises(InvalidRequest, match=f"{name}: expected a whole number"):
        parameters.page_bounds({name: [value]})


@pytest.mark.parametrize(
    ("value", "since"), [(None, None), (b"latest", "latest"), (b"0", 0), (b"17", 17)]
)
def test_since(value: bytes | None, since: Any) -> None:
    assert parameters.since({} if value is None else {"since": [value]}) == since


@pytest.mark.parametrize("value", [b"", b"newest", b"-1", b"1.5", b"9" * 16])
def test_since_refuses_anything_else(value: bytes) -> None:
    with pytest.raises(InvalidRequest, match="since: "):
        parameters.since({"since": [value]})
