"""User administration: each change is one transaction and takes effect at once."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import Conflict, EmailTaken, InvalidCredentials, InvalidRequest, NotFound
from core.records import Client, User
from tests.services.conftest import PASSWORD
from tests.services.sockets import FakeSocket, subscribed

HERE = Client("192.0.2.1", "Browser", "req_1")


async def test_the_first_account_is_an_admin_in_any_case(rooms: Any, events: Any) -> None:
    first = await rooms.administration.add("ada@example.com", PASSWORD)
    second = await rooms.administration.add("bob@example.com", PASSWORD)
    third = await rooms.administration.add("eve@example.com", PASSWORD, "Eve", is_admin=True)
    assert [user.is_admin for user in (first, second, third)] == [True, False, True]
    assert [user.name for user in (first, second, third)] == ["ada", "bob", "Eve"]
    assert events() == ["account_created"] * 3
    with pytest.raises(EmailTaken):
        await rooms.administration.add("ada@example.com", PASSWORD)
    with pytest.raises(InvalidRequest):
        await rooms.administration.add("x@example.com", "short")


async def test_an_account_is_found_by_its_id(rooms: Any, user: User) -> None:
    assert rooms.administration.find(user.id) == user
    with pytest.raises(NotFound):
        rooms.administration.find("user_none")


async def test_the_owner_of_a_sidecar_is_made_once(rooms: Any) -> None:
    owner = await rooms.administration.owner()
    assert owner.is_admin
    assert await rooms.administration.owner() == owner


async def test_the_page_holds_what_was_asked_for(rooms: Any, user: User, other: User) -> None:
    page = await rooms.administration.page("bob", 10, 0)
    assert ([found.user.id for found in page.items], page.total) == ([other.id], 1)


async def test_who_is_invited_has_a_code_and_no_password(rooms: Any, user: User) -> None:
    created = await rooms.administration.create("eve@example.com", None, True, HERE)
    assert created.is_admin
    code = await rooms.administration.link(created, HERE)
    assert "access_token" in await rooms.codes.exchange(code, HERE)


async def test_the_security_log_has_what_changed_and_nothing_else(
    rooms: Any, user: User, other: User, events: Any
) -> None:
    told = len(events())
    for changes in (
        {"is_admin": True},
        {"is_admin": True},
        {"is_admin": False},
        {"is_disabled": True},
        {"is_disabled": False},
        {"is_disabled": False},
    ):
        found = rooms.administration.find(other.id)
        await rooms.administration.change(found, changes, HERE)
    assert events()[told:] == [
        "admin_promoted",
        "admin_demoted",
        "account_disabled",
        "account_enabled",
    ]


@pytest.mark.parametrize(
    ("changes", "closes", "ends", "event"),
    [
        ({"is_disabled": True}, True, True, "account_disabled"),
        ({"is_disabled": False}, False, False, None),
        ({"is_admin": False}, True, False, None),
        ({"is_admin": True}, False, False, "admin_promoted"),
        ({"name": "New"}, False, False, None),
    ],
)
async def test_who_loses_a_right_loses_their_sockets(
    rooms: Any,
    user: User,
    other: User,
    events: Any,
    changes: dict[str, Any],
    closes: bool,
    ends: bool,
    event: str | None,
) -> None:
    tokens = await rooms.sessions.issue(other, HERE)
    session_id = rooms.sessions.authenticate(tokens["access_token"]).session_id
    code = await rooms.administration.link(other, HERE)
    socket = subscribed(rooms.connections, FakeSocket(other, session_id=session_id))
    told = len(events())
    managed = await rooms.administration.change(other, changes, HERE)
    assert changes.items() <= managed.public().items()
    assert (socket.closed_with is not None) == closes
    assert events()[told:] == ([event] if event else [])
    await rooms.administration.change(other, {"is_disabled": False}, HERE)
    assert rooms.sessions.is_live(session_id, other) != ends
    if not ends:
        await rooms.codes.exchange(code, HERE)


async def test_the_last_admin_stays(rooms: Any, user: User, other: User) -> None:
    for changes in ({"is_admin": False}, {"is_disabled": True}):
        with pytest.raises(Conflict):
            await rooms.administration.change(user, changes, HERE)
    with pytest.raises(Conflict):
        await rooms.administration.delete(user, HERE)
    await rooms.administration.delete(other, HERE)
    with pytest.raises(Conflict):
        await rooms.administration.delete(user, HERE)
    await rooms.administration.delete(user, HERE, even_if_last_admin=True)
    with pytest.raises(NotFound):
        rooms.administration.find(user.id)


async def test_a_revocation_ends_sessions_keys_and_codes(
    rooms: Any, user: User, events: Any
) -> None:
    tokens = await rooms.sessions.issue(user, HERE)
    session_id = rooms.sessions.authenticate(tokens["access_token"]).session_id
    key = await rooms.api_keys.create(user, None, None, HERE)
    code = await rooms.administration.link(user, HERE)
    socket = subscribed(rooms.connections, FakeSocket(user, api_key_id=key["id"]))
    await rooms.administration.revoke(user, HERE)
    assert socket.closed_with == 4401
    assert not rooms.sessions.is_live(session_id, user)
    assert not rooms.api_keys.is_live(key["id"])
    with pytest.raises(Exception, match="not valid"):
        await rooms.codes.exchange(code, HERE)
    assert events()[-1] == "access_revoked"


async def test_what_the_commands_do(rooms: Any, user: User) -> None:
    run = rooms.administration.run
    assert [u["email"] for u in (await run("list"))["users"]] == ["ada@example.com"]
    added = (await run("add", "bob@example.com", PASSWORD))["users"][0]
    assert added["is_admin"] is False
    assert (await run("promote", " BOB@example.com "))["users"][0]["is_admin"] is True
    assert (await run("demote", "bob@example.com"))["users"][0]["is_admin"] is False
    linked = await run("link", "bob@example.com")
    assert "access_token" in await rooms.codes.exchange(linked["code"], HERE)
    await run("passwd", "bob@example.com", "another good one")
    await rooms.accounts.login("bob@example.com", "another good one", HERE)
    with pytest.raises(InvalidCredentials):
        await rooms.accounts.login("bob@example.com", PASSWORD, HERE)
    await run("disable", "bob@example.com")
    assert rooms.administration.find(added["id"]).is_disabled
    await run("enable", "bob@example.com")
    assert not rooms.administration.find(added["id"]).is_disabled
    await run("delete", "bob@example.com")
    with pytest.raises(NotFound, match="bob@example"):
        await run("revoke", "bob@example.com")
    with pytest.raises(InvalidRequest, match="unknown action fly"):
        await run("fly", "ada@example.com")
