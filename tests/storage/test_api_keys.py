"""API keys in storage: lookup by hash, expiry and revocation, access control."""

from __future__ import annotations

import pytest

from core.errors import NotFound
from core.records import ApiKey, User
from storage import api_keys, users
from storage.connection import Connection
from tests.storage.facts import LATER, NOW, user


def add(
    connection: Connection, owner: User, id: str = "key_1", expires_at: int | None = None
) -> ApiKey:
    return api_keys.add(
        connection, id, owner.row_id, "Laptop", "qk_1234567", f"hash of {id}", NOW, expires_at
    )


def test_a_key_is_found_by_its_hash_with_its_user(connection: Connection, owner: User) -> None:
    stored = add(connection, owner, expires_at=100)
    assert stored == ApiKey("key_1", "Laptop", "qk_1234567", NOW, None, 100)
    assert api_keys.find_by_hash(connection, "hash of key_1") == (stored, owner)
    assert api_keys.find_by_hash(connection, "hash of key_2") is None


def test_a_key_lives_until_it_expires(connection: Connection, owner: User) -> None:
    add(connection, owner, "key_1", expires_at=100)
    add(connection, owner, "key_2")
    assert [api_keys.is_live(connection, "key_1", now) for now in (99, 100)] == [True, False]
    assert api_keys.is_live(connection, "key_2", 1 << 40)
    assert not api_keys.is_live(connection, "key_3", 0)


def test_no_key_of_a_disabled_account_is_live(connection: Connection, owner: User) -> None:
    user(connection, "bob")
    add(connection, owner)
    connection.execute("UPDATE users SET is_disabled = 1 WHERE number = ?", (owner.row_id,))
    assert not api_keys.is_live(connection, "key_1", 0)


def test_a_page_has_the_oldest_keys_of_one_user_first(connection: Connection, owner: User) -> None:
    add(connection, user(connection, "bob"), "key_bob")
    for id in ("key_c", "key_a", "key_b"):
        add(connection, owner, id)
    page = api_keys.page(connection, owner.row_id, limit=2, offset=1)
    assert [key.id for key in page.items] == ["key_a", "key_b"]
    assert page.total == 3


def test_a_key_of_another_user_can_not_be_deleted(connection: Connection, owner: User) -> None:
    bob = user(connection, "bob")
    add(connection, owner)
    with pytest.raises(NotFound):
        api_keys.delete(connection, "key_1", bob.row_id)
    api_keys.delete(connection, "key_1", owner.row_id)
    assert api_keys.find_by_hash(connection, "hash of key_1") is None
    with pytest.raises(NotFound):
        api_keys.delete(connection, "key_1", owner.row_id)


def test_all_keys_of_one_user_are_deleted_and_no_other(connection: Connection, owner: User) -> None:
    bob = user(connection, "bob")
    add(connection, owner, "key_1")
    add(connection, owner, "key_2")
    add(connection, bob, "key_3")
    api_keys.delete_of_user(connection, owner.row_id)
    assert api_keys.page(connection, owner.row_id, 10, 0).total == 0
    assert api_keys.page(connection, bob.row_id, 10, 0).total == 1


def test_a_use_is_noted_for_the_key_and_its_account(connection: Connection, owner: User) -> None:
    bob = user(connection, "bob")
    add(connection, owner, "key_1")
    add(connection, owner, "key_2")
    api_keys.touch(connection, "key_1", owner.row_id, LATER)
    used, other = api_keys.page(connection, owner.row_id, 10, 0).items
    assert (used.last_used_at, other.last_used_at) == (LATER, None)
    assert users.managed(connection, owner.row_id).last_seen_at == LATER
    assert users.managed(connection, bob.row_id).last_seen_at != LATER
