"""Sessions: a lost response ends no session, and a stolen token is detected."""

from __future__ import annotations

import asyncio
from typing import Any

import jwt
import pytest

from core.errors import InvalidToken, NotFound, TokenExpired
from core.records import Caller, Client, User
from tests.conftest import Clock
from tests.services.sockets import FakeSocket, subscribed

HERE = Client("192.0.2.1", "Browser", "req_1")
THERE = Client("192.0.2.2", "Phone", "req_2")


def used(rooms: Any, tokens: dict[str, Any]) -> Caller:
    """Use the access token, as the next request does."""
    caller: Caller = rooms.sessions.authenticate(tokens["access_token"])
    return caller


def token_id(tokens: dict[str, Any]) -> str:
    claims = jwt.decode(tokens["refresh_token"], options={"verify_signature": False})
    return str(claims["jti"])


async def settled(rooms: Any) -> None:
    """Wait until what a use noted in the background is stored."""
    await rooms.db.write(lambda connection: None)


async def refreshed(rooms: Any, tokens: dict[str, Any], client: Client = HERE) -> dict[str, Any]:
    made: dict[str, Any] = await rooms.sessions.refresh(tokens["refresh_token"], client)
    return made


async def test_tokens_are_good_for_their_session(rooms: Any, user: User) -> None:
    tokens = await rooms.sessions.issue(user, HERE)
    assert list(tokens) == ["access_token", "refresh_token", "expires_in", "token_type"]
    caller = used(rooms, tokens)
    assert caller.user == user
    assert caller.session_id is not None
    assert rooms.sessions.is_live(caller.session_id, user)
    assert rooms.sessions.caller_of_refresh_token(tokens["refresh_token"]) == caller
    with pytest.raises(InvalidToken):
        rooms.sessions.authenticate(tokens["refresh_token"])


async def test_a_refresh_begins_the_next_pair(rooms: Any, user: User) -> None:
    first = await rooms.sessions.issue(user, HERE)
    second = await refreshed(rooms, first, THERE)
    assert second["refresh_token"] != first["refresh_token"]
    caller = used(rooms, second)
    (session,) = rooms.sessions.page(caller, 10, 0).items
    assert (session.address, session.is_current) == ("192.0.2.2", True)
    assert used(rooms, first) == caller  # good until it expires


async def test_the_pair_of_a_lost_response_is_void(rooms: Any, user: User, clock: Clock) -> None:
    first = await rooms.sessions.issue(user, HERE)
    lost = await refreshed(rooms, first)
    clock.advance(11)
    again = await refreshed(rooms, first)
    used(rooms, again)
    with pytest.raises(InvalidToken):
        used(rooms, lost)
    with pytest.raises(InvalidToken):
        await refreshed(rooms, lost)


@pytest.mark.parametrize(("seconds", "is_theft"), [(9.9, False), (10.0, True)])
async def test_a_past_token_may_be_used_for_ten_seconds(
    rooms: Any, user: User, clock: Clock, events: Any, seconds: float, is_theft: bool
) -> None:
    first = await rooms.sessions.issue(user, HERE)
    second = await refreshed(rooms, first)
    caller = used(rooms, second)
    socket = subscribed(rooms.connections, FakeSocket(user, session_id=str(caller.session_id)))
    await settled(rooms)
    clock.advance(seconds)
    if not is_theft:
        assert token_id(await refreshed(rooms, first)) == token_id(second)
        assert socket.closed_with is None
        return
    with pytest.raises(InvalidToken, match="already used"):
        await refreshed(rooms, first, THERE)
    assert events()[-2:] == ["refresh_reuse", "session_ended"]
    assert socket.closed_with == 4401
    with pytest.raises(InvalidToken, match="ended"):
        used(rooms, second)


async def test_a_session_that_was_revoked_is_over(
    rooms: Any, user: User, other: User, events: Any
) -> None:
    one, two = await rooms.sessions.issue(user, HERE), await rooms.sessions.issue(user, HERE)
    ids = [str(used(rooms, tokens).session_id) for tokens in (one, two)]
    sockets = [subscribed(rooms.connections, FakeSocket(user, session_id=id)) for id in ids]
    with pytest.raises(NotFound):
        await rooms.sessions.revoke(other, ids[0], HERE)
    await rooms.sessions.revoke(user, ids[0], HERE)
    assert events()[-1] == "session_ended"
    assert [socket.closed_with for socket in sockets] == [4401, None]
    assert rooms.sessions.caller_of_refresh_token(one["refresh_token"]) is None
    with pytest.raises(InvalidToken):
        await refreshed(rooms, one)
    await rooms.sessions.revoke_all(user, HERE)
    assert events()[-1] == "sessions_ended"
    assert [socket.closed_with for socket in sockets] == [4401, 4401]
    assert not rooms.sessions.is_live(ids[1], user)


async def test_a_disabled_account_has_no_session(rooms: Any, user: User, other: User) -> None:
    tokens = await rooms.sessions.issue(other, HERE)
    await rooms.administration.change(other, {"is_disabled": True}, HERE)
    with pytest.raises(InvalidToken):
        used(rooms, tokens)


async def test_tokens_expire_each_in_its_time(rooms: Any, user: User, clock: Clock) -> None:
    tokens = await rooms.sessions.issue(user, HERE)
    session_id = used(rooms, tokens).session_id
    clock.advance(tokens["expires_in"] + 1)
    with pytest.raises(TokenExpired):
        used(rooms, tokens)
    assert rooms.sessions.is_live(session_id, user)
    assert used(rooms, await refreshed(rooms, tokens)).session_id == session_id
    clock.advance(400 * 24 * 3600)
    assert not rooms.sessions.is_live(session_id, user)
    with pytest.raises(TokenExpired):
        await refreshed(rooms, tokens)


async def test_a_refresh_that_is_resumed_late_returns_no_void_tokens(
    rooms: Any, user: User, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two requests repeat a lost refresh, and one resumes after the other has finished."""
    first = await rooms.sessions.issue(user, HERE)
    await refreshed(rooms, first)
    clock.advance(11)
    write, written, resume = rooms.db.write, asyncio.Event(), asyncio.Event()

    async def write_and_wait(*work: Any, **callbacks: Any) -> Any:
        outcome = await write(*work, **callbacks)
        written.set()
        await resume.wait()
        return outcome

    monkeypatch.setattr(rooms.db, "write", write_and_wait)
    late = asyncio.ensure_future(refreshed(rooms, first))
    await written.wait()
    monkeypatch.setattr(rooms.db, "write", write)
    prompt = await refreshed(rooms, first)
    resume.set()
    assert token_id(await late) == token_id(prompt)
