"""The HTTP status of each error class."""

from __future__ import annotations

import pytest

from core import errors
from web.errors import STATUS, status_of


class QuotaExceeded(errors.Forbidden):
    """A class without a row."""


class Nested(QuotaExceeded):
    """Two classes below the row."""


class Unknown(errors.QuilliumError):
    """A class none of whose bases has a row."""


@pytest.mark.parametrize("error", STATUS)
def test_a_class_with_a_row(error: type[errors.QuilliumError]) -> None:
    assert status_of(error) == STATUS[error]


def test_a_class_without_a_row_uses_that_of_its_base() -> None:
    assert [status_of(error) for error in (QuotaExceeded, Nested, Unknown)] == [403, 403, 500]
    assert status_of(Nested, {**STATUS, QuotaExceeded: 507}) == 507


async def test_a_handler_looks_it_up(ada: object, rooms: object, monkeypatch: object) -> None:
    def refuse(*_: object) -> None:
        raise Nested("full")

    monkeypatch.setattr(rooms.settings, "of_user", refuse)  # type: ignore[attr-defined]
    answer = await ada("GET /settings/user")  # type: ignore[operator]
    assert (answer.status, answer.details) == (403, "full")
