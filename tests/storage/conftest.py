from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop

from core.records import User
from storage import migrations
from storage.connection import Connection, connect
from storage.database import Database
from storage.files import create_private
from tests.storage import facts


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """A writable connection to a new database."""
    with facts.database(tmp_path / "quillium.db") as opened:
        yield opened


@pytest.fixture
def owner(connection: Connection) -> User:
    return facts.user(connection)


@pytest.fixture
def db(io_loop: IOLoop, tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "test.db"
    create_private(path)
    with closing(connect(path, writable=True)) as connection:
        migrations.migrate(connection)

    async def open_it() -> Database:
        opened = Database(path)
        await opened.write(
            lambda c: c.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT) STRICT") and None
        )
        return opened

    opened: Database = io_loop.run_sync(open_it)
    yield opened
    opened.close()
