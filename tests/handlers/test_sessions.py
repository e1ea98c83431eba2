"""Refresh tokens: a lost response ends no session, and a stolen token is detected.

See contract, section 4, and issue 19, numbers 13 and 14.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Answer, Client, Clock
from tests.handlers.test_auth import claims

DAY = 24 * 3600


async def refresh(client: Client, tokens: dict[str, Any]) -> Answer:
    return await client("POST /auth/refresh", {"refresh_token": tokens["refresh_token"]})


async def is_signed_in(client: Client, tokens: dict[str, Any]) -> bool:
    answer = await client.with_credential(tokens["access_token"])("GET /users/me")
    assert answer.status == 200 or answer.error == "401 invalid_token"
    return answer.status == 200


def stored_sessions(data_dir: Path) -> int:
    with closing(sqlite3.connect(data_dir / "quillium.db")) as connection:
        count: int = connection.execute("SELECT COUNT(*) FROM sessions").fetchone()[0]
    return count


async def test_refresh_rotates(ada: Client, anyone: Client) -> None:
    second = (await refresh(anyone, ada.tokens)).body
    assert list(second) == ["access_token", "refresh_token", "expires_in", "token_type"]
    assert second["refresh_token"] != ada.tokens["refresh_token"]
    fresh = ada.with_credential(second["access_token"])
    assert (await fresh("GET /users/me")).body == ada.user


@pytest.mark.parametrize("seconds", [0, 1, 9, 11, 60, 3600, 6 * DAY])
async def test_a_lost_response_does_not_end_the_session(
    ada: Client, anyone: Client, clock: Clock, seconds: int
) -> None:
    await refresh(anyone, ada.tokens)  # the response never arrives
    clock.advance(seconds)
    again = await refresh(anyone, ada.tokens)
    assert again.status == 200
    clock.advance(60)
    assert await is_signed_in(anyone, again.body)
    assert (await refresh(anyone, again.body)).status == 200


async def test_many_lost_responses_in_a_row(ada: Client, anyone: Client, clock: Clock) -> None:
    for _ in range(5):
        assert (await refresh(anyone, ada.tokens)).status == 200
        clock.advance(30)
    last = (await refresh(anyone, ada.tokens)).body
    assert await is_signed_in(anyone, last)


async def test_the_pair_of_a_lost_response_is_void(
    ada: Client, anyone: Client, clock: Clock
) -> None:
    lost = (await refresh(anyone, ada.tokens)).body
    clock.advance(11)
    seen = (await refresh(anyone, ada.tokens)).body
    assert not await is_signed_in(anyone, lost)
    assert (await refresh(anyone, lost)).error == "401 invalid_token"
    assert await is_signed_in(anyone, seen)  # nothing that was used has been used again
    assert (await refresh(anyone, seen)).status == 200


@pytest.mark.parametrize("proof", ["access", "refresh", "socket"])
async def test_reuse_after_a_successor_was_used_is_theft(
    ada: Client, anyone: Client, clock: Clock, proof: str
) -> None:
    second = (await refresh(anyone, ada.tokens)).body
    clock.advance(60)
    owner = second
    if proof == "access":
        assert await is_signed_in(anyone, second)
    elif proof == "refresh":
        owner = (await refresh(anyone, second)).body
    else:
        await anyone.socket(second["access_token"])
    other = await anyone.login("ada@example.com")
    clock.advance(11)
    thief = await refresh(anyone, ada.tokens)
    assert thief.error == "401 invalid_token"
    assert not await is_signed_in(anyone, owner)
    assert (await refresh(anyone, owner)).error == "401 invalid_token"
    assert (await other("GET /users/me")).status == 200  # other sessions live on


async def test_a_thief_who_comes_first_is_noticed(
    ada: Client, anyone: Client, clock: Clock
) -> None:
    thief = (await refresh(anyone, ada.tokens)).body
    assert await is_signed_in(anyone, thief)
    clock.advance(11)
    assert (await refresh(anyone, ada.tokens)).error == "401 invalid_token"
    assert not await is_signed_in(anyone, thief)


async def test_the_sockets_of_a_stolen_session_close(
    ada: Client, anyone: Client, clock: Clock
) -> None:
    second = (await refresh(anyone, ada.tokens)).body
    socket = await anyone.socket(second["access_token"])
    clock.advance(11)
    assert (await refresh(anyone, ada.tokens)).error == "401 invalid_token"
    assert await socket.closed() == 4401


async def test_two_tabs_that_refresh_within_ten_seconds_of_the_first_use(
    ada: Client, anyone: Client, clock: Clock
) -> None:
    one = (await refresh(anyone, ada.tokens)).body
    clock.advance(60)
    assert await is_signed_in(anyone, one)
    clock.advance(9)
    other = (await refresh(anyone, ada.tokens)).body
    assert await is_signed_in(anyone, one)
    assert await is_signed_in(anyone, other)
    assert claims(one["refresh_token"])["jti"] == claims(other["refresh_token"])["jti"]
    clock.advance(60)
    assert (await refresh(anyone, other)).status == 200


async def test_three_tabs_of_which_one_is_a_rotation_behind(
    ada: Client, anyone: Client, clock: Clock
) -> None:
    second = (await refresh(anyone, ada.tokens)).body
    clock.advance(3)
    third = (await refresh(anyone, second)).body
    clock.advance(3)
    late = await refresh(anyone, ada.tokens)
    assert claims(late.body["refresh_token"])["jti"] == claims(third["refresh_token"])["jti"]


@pytest.mark.parametrize("is_repeated", [False, True], ids=["at first", "after a lost response"])
async def test_fifty_refreshes_at_once_leave_one_chain(
    ada: Client, anyone: Client, clock: Clock, is_repeated: bool
) -> None:
    if is_repeated:
        await refresh(anyone, ada.tokens)
        clock.advance(60)
    answers = await asyncio.gather(*(refresh(anyone, ada.tokens) for _ in range(50)))
    assert {answer.status for answer in answers} == {200}
    assert len({claims(answer.body["refresh_token"])["jti"] for answer in answers}) == 1
    assert all([await is_signed_in(anyone, answer.body) for answer in answers])
    clock.advance(11)
    assert (await refresh(anyone, answers[0].body)).status == 200


async def test_only_the_first_use_of_a_token_is_stored(
    ada: Client, anyone: Client, clock: Clock, rooms: Any
) -> None:
    second = (await refresh(anyone, ada.tokens)).body
    await is_signed_in(anyone, second)
    before = rooms.db.statistics().writes
    for _ in range(20):
        await is_signed_in(anyone, second)
        clock.advance(1)
    await anyone("POST /auth/refresh", {"refresh_token": "none"})
    assert rooms.db.statistics().writes <= before + 1  # the first use may have been on its way


async def sweep(rooms: Any, *, hours: int) -> None:
    """Run the hourly sweeps of `hours` of uptime, one after the other."""
    for _ in range(hours):
        rooms.sessions._sweep()
        await rooms.db.write(lambda connection: None)


async def test_expired_sessions_of_a_clock_that_jumped_come_back(
    ada: Client, bob: Client, anyone: Client, clock: Clock, rooms: Any, data_dir: Path
) -> None:
    """One refresh at +400 days used to delete everybody's sessions for good."""
    clock.jump(400 * DAY)
    assert (await ada("GET /users/me")).error == "401 token_expired"
    assert (await refresh(anyone, ada.tokens)).error == "401 token_expired"
    carol = await anyone.register("carol@example.com")
    assert (await refresh(anyone, carol.tokens)).status == 200
    await sweep(rooms, hours=29 * 24)
    clock.jump(-400 * DAY)
    assert stored_sessions(data_dir) == 3
    assert (await ada("GET /users/me")).status == 200
    assert (await refresh(anyone, bob.tokens)).status == 200


async def test_what_stayed_expired_for_thirty_days_is_deleted(
    ada: Client, clock: Clock, rooms: Any, data_dir: Path
) -> None:
    clock.advance(8 * DAY)
    await sweep(rooms, hours=30 * 24)
    assert stored_sessions(data_dir) == 1
    await sweep(rooms, hours=1)
    assert stored_sessions(data_dir) == 0


@pytest.mark.parametrize("jump", [DAY, -DAY, 400 * DAY])
async def test_no_clock_opens_the_window_for_reuse_again(
    ada: Client, anyone: Client, clock: Clock, jump: int
) -> None:
    second = (await refresh(anyone, ada.tokens)).body
    assert await is_signed_in(anyone, second)
    clock.jump(jump)
    clock.advance(11)
    clock.jump(-jump)
    assert (await refresh(anyone, ada.tokens)).error == "401 invalid_token"
    assert not await is_signed_in(anyone, second)


async def test_a_session_ends_after_ninety_days(ada: Client, anyone: Client, clock: Clock) -> None:
    tokens = ada.tokens
    for _ in range(14):
        clock.advance(6 * DAY)
        answer = await refresh(anyone, tokens)
        assert answer.status == 200
        tokens = answer.body
    known = claims(tokens["refresh_token"])
    assert known["exp"] - known["iat"] == 6 * DAY  # 84 days have passed
    clock.advance(6 * DAY)
    assert (await refresh(anyone, tokens)).error == "401 token_expired"


@pytest.mark.flags("--session-max-days=1")
async def test_the_longest_life_of_a_session_can_be_set(
    ada: Client, anyone: Client, clock: Clock
) -> None:
    known = claims(ada.tokens["refresh_token"])
    assert known["exp"] - known["iat"] == DAY
    clock.advance(DAY - 60)
    fresh = claims((await refresh(anyone, ada.tokens)).body["refresh_token"])
    assert fresh["exp"] - fresh["iat"] == 60
