"""Settings in storage: only explicit values are stored, and updates are merged."""

from __future__ import annotations

import json

from core.records import User
from storage import settings
from storage.connection import Connection
from tests.storage.facts import LATER, NOW


def test_a_users_choices_are_merged(connection: Connection, owner: User) -> None:
    assert settings.of_user(connection, owner.row_id) == ("{}", NOW)
    settings.merge_of_user(connection, owner.row_id, {"theme": "dark", "language": "de"}, NOW)
    merged = settings.merge_of_user(connection, owner.row_id, {"theme": "light"}, LATER)
    assert merged == {"theme": "light", "language": "de"}
    stored = settings.of_user(connection, owner.row_id)
    assert json.loads(stored.document) == merged
    assert stored.updated_at == LATER


def test_the_servers_document_is_replaced(connection: Connection) -> None:
    assert settings.of_server(connection) == ({}, None)
    settings.replace_of_server(connection, {"a": 1}, NOW)
    settings.replace_of_server(connection, {"b": 2}, LATER)
    assert settings.of_server(connection) == ({"b": 2}, LATER)
