"""Provider settings: what is shown, kept and rejected."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import InvalidRequest
from services import provider_settings

PROVIDER: dict[str, Any] = {
    "name": "local",
    "base_url": "http://localhost:11434/v1",
    "models": ["m"],
}
BEFORE = {
    **PROVIDER,
    "api_key": "sk-1",
    "headers": {"X-Team": "a", "X-Key": "secret"},
    "context_window": 4096,
    "is_enabled": False,
}


def stored(**changes: Any) -> dict[str, Any]:
    return provider_settings.stored({**PROVIDER, **changes}, {"local": BEFORE})


def check(*providers: dict[str, Any]) -> None:
    provider_settings.check(providers, lambda model: model == "built-in")


def test_secrets_are_not_shown() -> None:
    assert provider_settings.shown(BEFORE) == {
        **PROVIDER,
        "api_key_set": True,
        "context_window": 4096,
        "max_tokens": None,
        "timeout_seconds": None,
        "total_timeout_seconds": None,
        "extra_body": {},
        "is_enabled": False,
        "headers": {"X-Team": None, "X-Key": None},
    }
    plain = provider_settings.shown(PROVIDER)
    assert (plain["api_key_set"], plain["headers"], plain["is_enabled"]) == (False, {}, True)


def test_what_is_left_out_is_kept() -> None:
    kept = stored()
    assert (kept["api_key"], kept["headers"]) == ("sk-1", BEFORE["headers"])
    assert (kept["context_window"], kept["is_enabled"]) == (4096, False)
    assert stored(models=["n"], api_key=None)["api_key"] is None
    assert stored(context_window=None)["context_window"] is None


def test_a_header_that_is_null_keeps_its_value_and_one_that_is_missing_goes() -> None:
    assert stored(headers={"X-Key": None, "X-New": "b", "X-None": None})["headers"] == {
        "X-Key": "secret",
        "X-New": "b",
    }


def test_another_address_gets_no_secret() -> None:
    moved = stored(base_url="http://localhost:1/v1", headers={"X-Key": None, "X-New": "b"})
    assert (moved["api_key"], moved["headers"]) == (None, {"X-New": "b"})
    assert moved["context_window"] == 4096
    assert stored(base_url="http://localhost:1/v1")["headers"] == {}
    assert stored(name="new")["api_key"] is None


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": {f"X-{n}": "1" for n in range(20)}},
        {"headers": {"X": "v" * 4096, "Y": None, "Z": ""}},
        {"headers": {"N" * 100: "1"}},
        {"extra_body": {"x": "y" * ((16 << 10) - 9)}},
    ],
)
def test_what_is_accepted(changes: dict[str, Any]) -> None:
    check({**PROVIDER, **changes}, {**PROVIDER, "name": "other"})


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"base_url": "http://169.254.169.254/"}, "providers.1.base_url: "),
        ({"models": ["m", "built-in"]}, "providers.1.models: built-in is the name of a built-in"),
        ({"headers": {f"X-{n}": "1" for n in range(21)}}, "headers: 21 headers, at most 20"),
        ({"headers": {"Host": "x"}}, "headers: 'Host' is not a header"),
        ({"headers": {"content-LENGTH": "1"}}, "'content-LENGTH' is not a header"),
        ({"headers": {"a b": "x"}}, "headers: 'a b' is not a header"),
        ({"headers": {"X\n": "x"}}, "is not a header"),
        ({"headers": {"": "x"}}, "is not a header"),
        ({"headers": {"N" * 101: "x"}}, "is not a header"),
        ({"headers": {"X": "a\r\nY: b"}}, "headers.X: expected printable ASCII"),
        ({"headers": {"X": "a\n"}}, "headers.X: expected printable ASCII"),
        ({"headers": {"X": "é"}}, "headers.X: expected printable ASCII"),
        ({"headers": {"X": "v" * 4097}}, "headers.X: expected printable ASCII"),
        ({"headers": {"X": 1}}, "headers.X: expected printable ASCII"),
        ({"headers": {"X": "1", "x": "2"}}, "headers: duplicate header"),
        ({"extra_body": {"stream": 1, "model": 2}}, "extra_body: model, stream can't be set here"),
        ({"extra_body": {"x": "y" * ((16 << 10) - 8)}}, "extra_body: at most 16 KiB"),
        ({"name": "first"}, "providers: two providers have the same name."),
    ],
)
def test_what_is_refused(changes: dict[str, Any], details: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check({**PROVIDER, "name": "first"}, {**PROVIDER, **changes})
    assert details in refused.value.details
