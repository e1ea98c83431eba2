"""Sign-in codes: single-use, and valid for 10 minutes."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import InvalidToken, TokenExpired
from core.records import Client, User
from core.times import CalendarTime
from services import sign_in_codes
from storage import sessions
from tests.conftest import Clock

HERE = Client("192.0.2.1", "Browser", "req_1")


async def issue(rooms: Any, clock: Clock, user: User) -> str:
    clock.now = 1_800_000_000.0
    return await sign_in_codes.issue(rooms.db, CalendarTime(clock.now), user)


async def test_a_code_begins_one_session(rooms: Any, user: User, clock: Clock, events: Any) -> None:
    code = await issue(rooms, clock, user)
    tokens = await rooms.codes.exchange(code, HERE)
    caller = rooms.sessions.authenticate(tokens["access_token"])
    assert caller.user == user
    assert rooms.db.read(sessions.may_set_password, caller.session_id)
    assert events()[-1] == "code_used"
    with pytest.raises(InvalidToken, match="already used"):
        await rooms.codes.exchange(code, HERE)
    assert rooms.sessions.page(caller, 10, 0).total == 1


async def test_a_code_expires(rooms: Any, user: User, clock: Clock) -> None:
    codes = [await issue(rooms, clock, user) for _ in range(2)]
    assert codes[0] != codes[1]
    clock.jump(599.5)
    await rooms.codes.exchange(codes[0], HERE)
    clock.jump(0.5)
    with pytest.raises(TokenExpired):
        await rooms.codes.exchange(codes[1], HERE)


async def test_a_code_of_a_disabled_account(
    rooms: Any, user: User, other: User, clock: Clock
) -> None:
    await rooms.administration.change(other, {"is_disabled": True}, HERE)
    code = await issue(rooms, clock, other)
    with pytest.raises(InvalidToken, match="disabled"):
        await rooms.codes.exchange(code, HERE)
    with pytest.raises(InvalidToken, match="not valid"):
        await rooms.codes.exchange("made up", HERE)
