"""Errors in responses (contract, section 2)."""

from __future__ import annotations

import pytest

from core import errors

ALL = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.QuilliumError)
]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_each_error_has_three_strings(kind: type[errors.QuilliumError]) -> None:
    error = errors.of(kind, "What to do.")
    assert error.public() == {
        "code": kind.code,
        "message": kind.message,
        "details": "What to do.",
    }
    assert not kind.message.endswith(".")


def test_details_are_never_empty() -> None:
    assert errors.Forbidden().public()["details"] == "This is not allowed."


def test_not_found_tells_only_what_was_looked_for() -> None:
    assert errors.NotFound("chat").details == "There is no such chat."


@pytest.mark.parametrize(("seconds", "told"), [(-1, 1), (0, 1), (1, 1), (60, 60)])
def test_retry_after_is_at_least_a_second(seconds: int, told: int) -> None:
    assert errors.RateLimited("Wait.", seconds).retry_after == told
