"""Accounts: authenticating a caller, and what an account change revokes."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import EmailTaken, InvalidCredentials, InvalidRequest, InvalidToken
from core.records import UNKNOWN_CLIENT, Caller, Client, User
from tests.services.conftest import PASSWORD
from tests.services.sockets import FakeSocket, subscribed

HERE = Client("192.0.2.1", "Browser", "req_1")


async def caller_of(rooms: Any, user: User) -> Caller:
    tokens = await rooms.sessions.issue(user, HERE)
    caller: Caller = rooms.accounts.authenticate(tokens["access_token"])
    return caller


async def test_a_registration_is_an_account_with_its_first_session(rooms: Any, events: Any) -> None:
    made = await rooms.accounts.register("ada@example.com", PASSWORD, None, HERE)
    assert made["user"]["name"] == "ada"
    assert made["user"]["is_admin"] is True
    caller = rooms.accounts.authenticate(made["access_token"])
    assert caller.user.id == made["user"]["id"]
    assert caller.session_id is not None
    assert events() == ["registered"]
    with pytest.raises(EmailTaken):
        await rooms.accounts.register("ada@example.com", PASSWORD, None, HERE)


async def test_a_key_and_a_session_are_told_apart(rooms: Any, user: User) -> None:
    made = await rooms.api_keys.create(user, None, None, HERE)
    by_key = rooms.accounts.authenticate(made["api_key"])
    by_session = await caller_of(rooms, user)
    assert (by_key.session_id, by_key.api_key_id) == (None, made["id"])
    assert by_session.api_key_id is None
    for caller in (by_key, by_session):
        assert caller.user == user
        assert rooms.accounts.is_live(caller)
    await rooms.accounts.logout(by_session, HERE, everywhere=False, with_api_keys=True)
    assert not rooms.accounts.is_live(by_key)
    assert not rooms.accounts.is_live(by_session)


async def test_a_right_that_was_withdrawn_is_gone(rooms: Any, user: User, other: User) -> None:
    tokens = await rooms.sessions.issue(other, HERE)
    await rooms.administration.change(other, {"is_admin": True}, UNKNOWN_CLIENT)
    assert rooms.accounts.authenticate(tokens["access_token"]).user.is_admin
    await rooms.administration.change(other, {"is_admin": False}, UNKNOWN_CLIENT)
    assert not rooms.accounts.authenticate(tokens["access_token"]).user.is_admin


async def test_a_login_needs_the_password(rooms: Any, user: User, events: Any) -> None:
    for email, password in (("ada@example.com", "wrong"), ("eve@example.com", PASSWORD)):
        with pytest.raises(InvalidCredentials):
            await rooms.accounts.login(email, password, HERE)
    tokens = await rooms.accounts.login("ADA@example.com", PASSWORD, HERE)
    assert rooms.accounts.authenticate(tokens["access_token"]).user == user
    assert events()[-3:] == ["login_failed", "login_failed", "login"]


async def test_a_disabled_account_can_not_log_in(rooms: Any, user: User, other: User) -> None:
    await rooms.administration.change(other, {"is_disabled": True}, HERE)
    with pytest.raises(InvalidToken, match="disabled"):
        await rooms.accounts.login(other.email, PASSWORD, HERE)


async def test_the_tenth_failure_locks_out(rooms: Any, user: User, events: Any) -> None:
    for _ in range(10):
        with pytest.raises(InvalidCredentials):
            await rooms.accounts.login(user.email, "wrong", HERE)
    assert events().count("login_failed") == 10
    assert events()[-1] == "lockout"


@pytest.mark.parametrize("everywhere", [True, False])
async def test_a_logout_ends_one_session_or_all(rooms: Any, user: User, everywhere: bool) -> None:
    one, two = await caller_of(rooms, user), await caller_of(rooms, user)
    await rooms.accounts.logout(one, HERE, everywhere=everywhere, with_api_keys=False)
    assert not rooms.accounts.is_live(one)
    assert rooms.accounts.is_live(two) != everywhere
    await rooms.accounts.logout(one, HERE, everywhere=False, with_api_keys=False)  # once more


async def test_a_name_needs_no_password_and_an_address_does(
    rooms: Any, user: User, events: Any
) -> None:
    caller = await caller_of(rooms, user)
    before = len(events())
    updated = await rooms.accounts.update(caller, {"name": "Countess"}, HERE)
    assert (updated.name, updated.email) == ("Countess", user.email)
    assert len(events()) == before
    changes = {"email": "new@example.com"}
    with pytest.raises(InvalidRequest, match="required to change email"):
        await rooms.accounts.update(caller, changes, HERE)
    with pytest.raises(InvalidCredentials):
        await rooms.accounts.update(caller, {**changes, "current_password": "x"}, HERE)
    await rooms.accounts.update(caller, {**changes, "current_password": PASSWORD}, HERE)
    assert events()[-1] == "email_changed"
    await rooms.accounts.login("new@example.com", PASSWORD, HERE)


async def test_a_new_password_ends_the_other_sessions(rooms: Any, user: User) -> None:
    one, two = await caller_of(rooms, user), await caller_of(rooms, user)
    mine = FakeSocket(user, session_id=str(one.session_id))
    theirs = FakeSocket(user, session_id=str(two.session_id))
    subscribed(rooms.connections, mine)
    subscribed(rooms.connections, theirs)
    changes = {"password": "another good one", "current_password": PASSWORD}
    await rooms.accounts.update(one, changes, HERE)
    assert (rooms.accounts.is_live(one), rooms.accounts.is_live(two)) == (True, False)
    assert (mine.closed_with, theirs.closed_with) == (None, 4401)
    await rooms.accounts.login(user.email, "another good one", HERE)
    with pytest.raises(InvalidCredentials):
        await rooms.accounts.login(user.email, PASSWORD, HERE)


async def test_a_code_lets_its_session_set_a_password_once(rooms: Any, user: User) -> None:
    code = await rooms.administration.link(user, HERE)
    tokens = await rooms.codes.exchange(code, HERE)
    caller = rooms.accounts.authenticate(tokens["access_token"])
    await rooms.accounts.update(caller, {"password": "another good one"}, HERE)
    with pytest.raises(InvalidRequest, match="required"):
        await rooms.accounts.update(caller, {"password": "a third good one"}, HERE)


async def test_a_deleted_account_ends_with_its_sockets(
    rooms: Any, user: User, other: User, events: Any
) -> None:
    caller = await caller_of(rooms, other)
    socket = subscribed(rooms.connections, FakeSocket(other, session_id=str(caller.session_id)))
    with pytest.raises(InvalidCredentials):
        await rooms.accounts.delete(caller, "wrong", HERE)
    assert socket.closed_with is None
    await rooms.accounts.delete(caller, PASSWORD, HERE)
    assert socket.closed_with == 4401
    assert events()[-1] == "account_deleted"
    assert not rooms.accounts.is_live(caller)
