from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.records import User
from storage.connection import Connection
from tests.storage import facts


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """A writable connection to a new database."""
    with facts.database(tmp_path / "quillium.db") as opened:
        yield opened


@pytest.fixture
def owner(connection: Connection) -> User:
    return facts.user(connection)
