"""Sign-in codes in storage: single-use, at most 20 per account, oldest evicted first."""

from __future__ import annotations

from core.records import User
from storage import sign_in_codes
from storage.connection import Connection
from tests.storage.facts import user


def test_a_code_is_taken_once(connection: Connection, owner: User) -> None:
    sign_in_codes.add(connection, "hash", owner.row_id, 100)
    sign_in_codes.add(connection, "other", owner.row_id, 200)
    assert sign_in_codes.take(connection, "hash") == (owner, 100)
    assert sign_in_codes.take(connection, "hash") is None
    assert sign_in_codes.take(connection, "other") == (owner, 200)


def test_a_new_code_replaces_the_oldest(connection: Connection, owner: User) -> None:
    bob = user(connection, "bob")
    sign_in_codes.add(connection, "bob", bob.row_id, 1)
    for number in range(21):
        sign_in_codes.add(connection, f"hash {number}", owner.row_id, 100 + number)
    assert sign_in_codes.take(connection, "hash 0") is None
    assert sign_in_codes.take(connection, "hash 1") == (owner, 101)
    assert sign_in_codes.take(connection, "hash 20") == (owner, 120)
    assert sign_in_codes.take(connection, "bob") == (bob, 1)


def test_the_newest_code_stays_whatever_the_clock_says(connection: Connection, owner: User) -> None:
    """A clock that was set back must not make the new code the oldest of 20 others."""
    for number in range(20):
        sign_in_codes.add(connection, f"hash {number}", owner.row_id, 100)
    sign_in_codes.add(connection, "new", owner.row_id, 100)
    assert sign_in_codes.take(connection, "new") == (owner, 100)


def test_all_codes_of_one_account_are_deleted(connection: Connection, owner: User) -> None:
    bob = user(connection, "bob")
    sign_in_codes.add(connection, "ada", owner.row_id, 100)
    sign_in_codes.add(connection, "bob", bob.row_id, 100)
    sign_in_codes.delete_of_user(connection, owner.row_id)
    assert sign_in_codes.take(connection, "ada") is None
    assert sign_in_codes.take(connection, "bob") == (bob, 100)
