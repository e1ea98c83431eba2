"""Sessions in storage: one current refresh token, its rotation, and their end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import NotFound
from core.records import Client, User
from storage import sessions, sign_in_codes, users
from storage.connection import Connection
from storage.sessions import NewSession, Pair, Rotated
from tests.storage.facts import LATER, NOW, user

HERE = Client("192.0.2.1", "Browser")
THERE = Client("192.0.2.2", "Phone")
NEW = NewSession("sess_1", "first", NOW, expires_at=100, ends_at=500, client=HERE)


def add(connection: Connection, owner: User, **changes: object) -> None:
    sessions.add(connection, owner.row_id, replace(NEW, **changes))  # type: ignore[arg-type]


def rotate(
    connection: Connection, owner: User, token_id: str, next_id: str, expires_at: int = 200
) -> Rotated | Pair | None:
    return sessions.rotate(
        connection, "sess_1", owner.id, token_id, next_id, LATER, expires_at, THERE
    )


def current(connection: Connection, owner: User, token_id: str = "any") -> Pair | None:
    return sessions.find(connection, "sess_1", owner.id, token_id)


def test_the_pair_of_a_new_session_counts_as_used(connection: Connection, owner: User) -> None:
    add(connection, owner, created_at=LATER)
    assert current(connection, owner) == Pair(owner, "first", None, True, 100)
    assert users.managed(connection, owner.row_id).last_seen_at == LATER
    assert sessions.find(connection, "sess_1", "user_bob", "first") is None
    assert sessions.find(connection, "sess_2", owner.id, "first") is None


def test_a_session_lives_until_it_expires(connection: Connection, owner: User) -> None:
    bob = user(connection, "bob")
    add(connection, owner)
    live = [sessions.is_live(connection, "sess_1", owner.row_id, now) for now in (99, 100)]
    assert live == [True, False]
    assert not sessions.is_live(connection, "sess_1", bob.row_id, 0)
    connection.execute("UPDATE users SET is_disabled = 1")
    assert not sessions.is_live(connection, "sess_1", owner.row_id, 0)


def test_the_current_token_is_exchanged(connection: Connection, owner: User) -> None:
    add(connection, owner, may_set_password=True)
    before = current(connection, owner)
    assert before == Pair(owner, "first", None, True, 100)
    assert rotate(connection, owner, "first", "second") == Rotated(before, 200)
    assert current(connection, owner) == Pair(owner, "second", "first", False, 200)
    assert not sessions.may_set_password(connection, "sess_1")
    (shown,) = sessions.page(connection, owner.row_id, "", 0, 10, 0).items
    assert (shown.last_used_at, shown.address, shown.user_agent) == (
        LATER,
        THERE.address,
        THERE.user_agent,
    )


def test_a_past_token_changes_nothing(connection: Connection, owner: User) -> None:
    add(connection, owner)
    rotate(connection, owner, "first", "second")
    pair = current(connection, owner)
    assert rotate(connection, owner, "first", "third") == pair
    assert current(connection, owner) == pair


def test_nothing_is_exchanged_for_a_disabled_account(connection: Connection, owner: User) -> None:
    add(connection, owner)
    connection.execute("UPDATE users SET is_disabled = 1")
    assert rotate(connection, owner, "first", "second") is None


def test_a_session_never_outlives_its_end(connection: Connection, owner: User) -> None:
    add(connection, owner)
    rotated = rotate(connection, owner, "first", "second", expires_at=501)
    assert isinstance(rotated, Rotated)
    assert rotated.expires_at == 500
    replaced = sessions.replace_unused(connection, "sess_1", "second", "third", 501)
    assert replaced == 500


def test_an_unused_pair_is_voided(connection: Connection, owner: User) -> None:
    add(connection, owner)
    rotate(connection, owner, "first", "lost")
    assert sessions.replace_unused(connection, "sess_1", "first", "third", 300) is None
    assert sessions.replace_unused(connection, "sess_1", "lost", "third", 300) == 300
    assert current(connection, owner) == Pair(owner, "third", "first", False, 300)
    assert current(connection, owner, "lost") is None
    assert rotate(connection, owner, "lost", "fourth") is None


def test_a_pair_that_was_used_is_not_voided(connection: Connection, owner: User) -> None:
    add(connection, owner)
    assert sessions.replace_unused(connection, "sess_1", "first", "second", 300) is None
    rotate(connection, owner, "first", "second")
    sessions.note_use(connection, "sess_1", "second", NOW)
    assert sessions.replace_unused(connection, "sess_1", "second", "third", 300) is None


def test_only_the_last_hundred_void_tokens_are_kept(connection: Connection, owner: User) -> None:
    add(connection, owner, id="sess_2", token_id="other")
    connection.execute("UPDATE sessions SET is_used = 0")
    sessions.replace_unused(connection, "sess_2", "other", "another", 300)
    add(connection, owner)
    rotate(connection, owner, "first", "0")
    for number in range(101):
        sessions.replace_unused(connection, "sess_1", str(number), str(number + 1), 300)
    assert current(connection, owner, "0") is not None
    assert current(connection, owner, "1") is None
    assert current(connection, owner, "100") is None
    assert sessions.find(connection, "sess_2", owner.id, "other") is None


def test_only_a_use_of_the_current_pair_is_noted(connection: Connection, owner: User) -> None:
    add(connection, owner)
    rotate(connection, owner, "first", "second")
    sessions.note_use(connection, "sess_1", "first", LATER)
    assert current(connection, owner) == Pair(owner, "second", "first", False, 200)
    sessions.note_use(connection, "sess_1", "second", LATER)
    assert current(connection, owner) == Pair(owner, "second", "first", True, 200)
    assert users.managed(connection, owner.row_id).last_seen_at == LATER
    (shown,) = sessions.page(connection, owner.row_id, "", 0, 10, 0).items
    assert shown.last_used_at == LATER


def test_a_sign_in_code_lets_a_session_set_a_password(connection: Connection, owner: User) -> None:
    add(connection, owner)
    add(connection, owner, id="sess_2", token_id="t2", may_set_password=True)
    ids = ("sess_1", "sess_2", "sess_3")
    assert [sessions.may_set_password(connection, id) for id in ids] == [False, True, False]
    sessions.end_password_setting(connection, "sess_2")
    assert not sessions.may_set_password(connection, "sess_2")


def test_live_sessions_are_listed_the_last_used_one_first(
    connection: Connection, owner: User
) -> None:
    add(connection, user(connection, "bob"), id="sess_bob", token_id="b")
    add(connection, owner, id="sess_old", token_id="1")
    add(connection, owner, id="sess_new", token_id="2", created_at=LATER)
    add(connection, owner, id="sess_expired", token_id="3", expires_at=50)
    page = sessions.page(connection, owner.row_id, "sess_old", 50, 10, 0)
    assert [(s.id, s.is_current) for s in page.items] == [("sess_new", False), ("sess_old", True)]
    assert page.total == 2
    second = sessions.page(connection, owner.row_id, "", 50, 1, 1)
    assert [s.id for s in second.items] == ["sess_old"]


def test_a_session_is_ended_by_its_user_alone(connection: Connection, owner: User) -> None:
    bob = user(connection, "bob")
    add(connection, owner)
    with pytest.raises(NotFound):
        sessions.delete(connection, "sess_1", bob.row_id)
    sessions.delete(connection, "sess_1", owner.row_id)
    assert current(connection, owner) is None


def test_all_sessions_of_a_user_end_but_one(connection: Connection, owner: User) -> None:
    bob = user(connection, "bob")
    add(connection, bob, id="sess_bob", token_id="b")
    for number in range(3):
        add(connection, owner, id=f"sess_{number}", token_id=str(number))
    sessions.delete_of_user(connection, owner.row_id, but="sess_1")
    left = sessions.page(connection, owner.row_id, "", 0, 10, 0).items
    assert [session.id for session in left] == ["sess_1"]
    sessions.delete_of_user(connection, owner.row_id)
    assert sessions.page(connection, owner.row_id, "", 0, 10, 0).total == 0
    assert sessions.page(connection, bob.row_id, "", 0, 10, 0).total == 1


def test_a_row_goes_after_thirty_days_of_uptime(connection: Connection, owner: User) -> None:
    add(connection, owner)
    sign_in_codes.add(connection, "hash", owner.row_id, 100)
    for _ in range(720):
        sessions.sweep(connection, 100)
    assert current(connection, owner) is not None
    sessions.sweep(connection, 100)
    assert current(connection, owner) is None
    assert sign_in_codes.take(connection, "hash") is None


def test_a_clock_that_came_back_counts_from_the_beginning(
    connection: Connection, owner: User
) -> None:
    add(connection, owner)
    for now in [100] * 720 + [99] + [100] * 720:
        sessions.sweep(connection, now)
    assert current(connection, owner) is not None
