"""Every released schema migrates to the current one and keeps its data."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core.progress import ProgressCallback
from storage import backups, folder, maintenance, migrations
from storage.connection import connect
from storage.files import create_private
from storage.folder import FolderError
from tests.storage.schema import current
from tests.storage.test_maintenance import quietly

ROOT = Path(__file__).parent.parent.parent
RELEASED = sorted((Path(__file__).parent / "released").glob("*.sql"))


def restored(path: Path, release: Path) -> None:
    """Make a database as a released version left it."""
    create_private(path)
    with closing(connect(path, writable=True)) as connection:
        connection.executescript(release.read_text())


def schema(path: Path) -> set[tuple[Any, ...]]:
    with closing(connect(path, writable=False)) as connection:
        found = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master")
        return {(*row[:3], (row[3] or "").strip()) for row in found}


def rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    tables = ("users", "sessions", "api_keys", "server_settings", "chats", "messages")
    with closing(connect(path, writable=False)) as connection:
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables}


async def opened(data_dir: Path, look: Callable[[], object] = lambda: None) -> None:
    """Start and stop; `look` in between."""
    with folder.locked(data_dir) as data:
        db = data.database(quietly)
        look()
        db.close()


def test_every_released_version_is_kept() -> None:
    versions = re.findall(r"^## (\d\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert [path.stem for path in RELEASED] == sorted(versions)


@pytest.mark.parametrize("release", RELEASED, ids=lambda path: path.stem)
async def test_a_released_schema_is_brought_up_to_date(release: Path, tmp_path: Path) -> None:
    path = tmp_path / "old" / "quillium.db"
    path.parent.mkdir()
    restored(path, release)
    before = rows(path)
    lacking = maintenance.inspect(path)
    copies = []

    def look_at_the_copy() -> None:
        for copy in path.parent.glob("quillium-before-*"):
            copies.append((copy.name, rows(copy), stat.S_IMODE(copy.stat().st_mode)))

    await opened(path.parent, look_at_the_copy)
    after = rows(path)
    for table, known in before.items():
        assert [row[: len(old)] for row, old in zip(after[table], known)] == known
    assert maintenance.check(path, quietly).problems == []
    await opened(tmp_path / "new")
    assert schema(path) == schema(tmp_path / "new" / "quillium.db")
    wanted = [(f"quillium-before-{lacking[0]}.db", before, 0o600)] if lacking else []
    assert copies == wanted


async def test_no_copy_is_made_when_nothing_changes(tmp_path: Path) -> None:
    await opened(tmp_path)
    await opened(tmp_path)
    assert list(tmp_path.glob("quillium-before-*")) == []


def old(data_dir: Path) -> list[Path]:
    """Make a folder as version 0.1.0 left it; the copies that a migration makes in it."""
    if not data_dir.exists():
        data_dir.mkdir()
        restored(data_dir / "quillium.db", RELEASED[0])
    return sorted(data_dir.glob("quillium-before-*"))


async def test_a_clean_stop_removes_the_copy_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Deleted means gone, also from the copy."""
    caplog.set_level("INFO")
    path = tmp_path / "old"
    old(path)
    with folder.locked(path) as data:
        db = data.database(quietly)
        (copy,) = old(path)
        assert caplog.text == ""
        db.close()
    assert old(path) == []
    assert f"removed {copy}, the copy of the database before its migration" in caplog.text


async def test_a_command_leaves_the_copy_to_the_server(tmp_path: Path) -> None:
    path = tmp_path / "old"
    old(path)
    with folder.locked(path) as data:
        data.database(quietly, keeps_copies=True).close()
    assert len(old(path)) == 1
    await opened(path)
    assert old(path) == []


async def test_a_stop_that_is_not_clean_leaves_the_copy(tmp_path: Path) -> None:
    """As long as a reader keeps what was deleted in the log."""
    path = tmp_path / "old"
    old(path)
    with folder.locked(path) as data:
        db = data.database(quietly)
        await db.write(lambda connection: connection.execute("DELETE FROM users") and None)
        with closing(connect(path / "quillium.db", writable=False)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM users").fetchall()
            await db.write(
                lambda connection: connection.execute("PRAGMA busy_timeout = 1") and None
            )
            db.close()
    assert len(old(path)) == 1
    await opened(path)
    assert old(path) == []


async def test_migrations_that_fail_again_and_again_make_one_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is restarted for ever must not fill the disk; nor is a copy overwritten."""
    path = tmp_path / "old"
    old(path)
    (name,) = [f"quillium-before-{step}.db" for step in list(migrations.STEPS)[1:2]]
    (path / name).write_bytes(b"precious")

    def failing(connection: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(migrations, "migrate", failing)
    for _ in range(3):
        with pytest.raises(FolderError, match="is full"):
            await opened(path)
    assert [copy.name for copy in old(path)] == [name.replace(".db", "-2.db"), name]
    assert (path / name).read_bytes() == b"precious"


KILLED = """
import os, signal, sys
from pathlib import Path
from storage import folder, migrations

class Killed:
    def __iter__(self):
        yield "CREATE TABLE two (n)"
        yield "DELETE FROM chats"
        if "kill" in sys.argv:
            os.kill(os.getpid(), signal.SIGKILL)

migrations.STEPS["m998_one"] = ["CREATE TABLE one (n)"]
migrations.STEPS["m999_two"] = Killed()

with folder.locked(Path(sys.argv[1])) as data:
    import asyncio
    async def main():
        data.database(lambda doing, share: None).close()
    asyncio.run(main())
"""


def test_a_migration_that_is_killed_is_as_if_it_never_ran(tmp_path: Path) -> None:
    path = tmp_path / "quillium.db"
    restored(path, RELEASED[-1])
    before = rows(path)

    def run(*arguments: str) -> int:
        command = [sys.executable, "-c", KILLED, str(tmp_path), *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, env=environment, timeout=30).returncode

    assert run("kill") == -signal.SIGKILL
    kept = rows(path)["chats"]
    assert [row[: len(old)] for row, old in zip(kept, before["chats"])] == before["chats"]
    with closing(sqlite3.connect(path)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert "one" in tables  # its own transaction
    assert "two" not in tables
    assert run() == 0  # it runs again
    assert rows(path)["chats"] == []
    assert list(tmp_path.glob("quillium-before-*")) == []  # it stopped cleanly


async def test_a_database_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "quillium.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE letters (text)")
    before = path.read_bytes()
    with pytest.raises(FolderError, match="is not a Quillium database"):
        await opened(tmp_path)
    assert path.read_bytes() == before


async def test_without_room_for_the_copy_nothing_is_migrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "quillium.db"
    restored(path, RELEASED[0])

    def full(source: Path, target: Path, progress: ProgressCallback, *, reuse_same: bool) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups, "keep", full)
    with pytest.raises(FolderError, match="No space left on device"):
        await opened(tmp_path)
    assert maintenance.inspect(path)


def test_an_empty_database_lacks_everything() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        assert migrations.pending(connection)[0] == "m001_initial"


def test_the_readable_schema_is_current() -> None:
    """If not: python -m tests.storage.schema > storage/schema.sql"""
    assert (ROOT / "storage" / "schema.sql").read_text() == current()
