"""Defaults of `Operation` and `AlternateResponse`."""

from __future__ import annotations

import pytest

from web.operations import Access, AlternateResponse, Operation


def test_an_operation_states_its_access() -> None:
    with pytest.raises(TypeError):
        Operation("Read")  # type: ignore[call-arg]


def test_the_usual_operation_answers_200_with_json() -> None:
    operation = Operation("Read", Access.USER, "chat")
    assert (operation.status, operation.media_type) == (200, "application/json")
    assert operation.body is None
    assert (operation.parameters, operation.errors, operation.more) == ((), (), ())


def test_an_alternate_response_has_nothing_by_default() -> None:
    with pytest.raises(TypeError):
        AlternateResponse(200, "text/plain")  # type: ignore[call-arg]


def test_each_access_is_told_apart() -> None:
    assert len({access.value for access in Access}) == len(Access) == 6
