"""A restore that is killed or fails at any point loses no acknowledged data."""

from __future__ import annotations

import errno
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from tornado.ioloop import IOLoop

from storage import backups, connection, folder, maintenance
from storage.connection import Connection
from storage.files import wal_of
from storage.folder import DATABASE, FolderError
from tests.storage.test_maintenance import quietly

ROOT = Path(__file__).parent.parent.parent
CHATS = 30

# Runs `restore` again and again, each time in a copy of the folder and killed before a later call
# of `os`, until it ends. Meanwhile, another program has the database open.
RESTORE = """
import os, shutil, signal, sqlite3, sys
from itertools import count
from pathlib import Path
from storage import folder

template, backup, target = map(Path, sys.argv[1:])

def restore(path, step):
    left = step

    def counted(call):
        def counting(*arguments, **named):
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **named)
        return counting

    with folder.locked(path) as data:
        for name in ("chmod", "fsync", "link", "open", "rename", "replace", "unlink"):
            setattr(os, name, counted(getattr(os, name)))
        data.restore(backup, lambda doing, share: None)

for step in count(1):
    path = target / f"step-{step}"
    shutil.copytree(template, path)
    other = sqlite3.connect(path / folder.DATABASE, isolation_level=None)
    other.execute("BEGIN")
    try:
        other.execute("SELECT COUNT(*) FROM users").fetchone()
    except sqlite3.DatabaseError:
        pass  # the database is damaged
    child = os.fork()
    if child == 0:
        restore(path, step)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    other.close()
    print(status)
    if status != -signal.SIGKILL:
        break
"""


def fill(connection: Connection) -> None:
    connection.execute(
        "INSERT INTO users (id, email, email_key, name, password_hash, is_admin,"
        " settings_updated_at, created_at, updated_at)"
        " VALUES ('user_1', 'a@x', 'a@x', 'Ada', '', 1, '', '', '')"
    )
    for n in range(CHATS):
        connection.execute(
            "INSERT INTO chats (id, user, title, is_titled, model, created_at, updated_at)"
            " VALUES (?, 1, ?, 1, 'quillium-demo', '', '')",
            (f"chat_{n}", f"acknowledged {n} " * 50),
        )


@pytest.fixture
def killed(io_loop: IOLoop, tmp_path: Path) -> Path:
    """A data folder as a killed server leaves it: all that was stored is in the log."""
    running, left = tmp_path / "running", tmp_path / "killed"

    async def run() -> None:
        with folder.locked(running) as data:
            db = data.database(quietly)
            data.secret()
            await db.write(fill)
            shutil.copytree(running, left)
            db.close()

    io_loop.run_sync(run)
    assert wal_of(left / DATABASE).stat().st_size > 50_000
    return left


@pytest.fixture
def backup(io_loop: IOLoop, tmp_path: Path) -> Path:
    """A backup that holds no chat."""
    io_loop.run_sync(lambda: opened(tmp_path / "other"))
    folder.backup(tmp_path / "other", tmp_path / "backup.db", quietly)
    return tmp_path / "backup.db"


@contextmanager
def open_elsewhere(path: Path) -> Iterator[Connection]:
    """Another program that has the database open, such as a browser for databases."""
    with closing(sqlite3.connect(path / DATABASE, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT COUNT(*) FROM users").fetchone()
        yield connection


def chats(path: Path) -> int:
    report = maintenance.check(path, quietly)
    assert report.problems == []
    return report.chats


def damage(path: Path) -> None:
    """Make the database unreadable, as a disk that lost most of it; its log stays."""
    database = path / DATABASE
    database.write_bytes(database.read_bytes()[:5000])


def kept(path: Path) -> list[Path]:
    files = path.glob(f"{DATABASE}.replaced-*")
    others = re.compile(r"-(wal|shm|journal)$|\.partial")
    return sorted(file for file in files if not others.search(file.name))


def steps(template: Path, backup: Path, tmp_path: Path) -> list[Path]:
    """Copies of `template` in which a restore was killed at each step, and one in which it ended."""
    done = subprocess.run(
        [sys.executable, "-c", RESTORE, str(template), str(backup), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        capture_output=True,
        text=True,
    )
    statuses = done.stdout.split()
    assert statuses[-1] == "0", done.stderr
    assert len(statuses) > 15
    return [tmp_path / f"step-{number}" for number in range(1, len(statuses) + 1)]


async def opened(path: Path) -> int:
    """The chats that a server finds."""
    with folder.locked(path) as data:
        db = data.database(quietly)
        found: int = db.read(lambda c: c.execute("SELECT COUNT(*) FROM chats").fetchone()[0])
        db.close()
    return found


async def test_killed_at_any_step_everything_is_there(
    killed: Path, backup: Path, tmp_path: Path
) -> None:
    seen = set()
    for path in steps(killed, backup, tmp_path):
        whole = [chats(file) for file in kept(path)]
        found = await opened(path)
        assert found == CHATS or (found == 0 and whole == [CHATS]), (path, found, whole)
        seen.add(found)
    assert seen == {0, CHATS}


async def test_a_damaged_database_that_is_killed_at_any_step_is_kept_whole(
    killed: Path, backup: Path, tmp_path: Path
) -> None:
    damage(killed)
    files = [(killed / name).read_bytes() for name in (DATABASE, f"{DATABASE}-wal")]
    seen = set()
    for path in steps(killed, backup, tmp_path):
        database, names = path / DATABASE, kept(path)
        here = [p.read_bytes() if p.exists() else b"" for p in (database, wal_of(database))]
        there = [[p.read_bytes() for p in (name, wal_of(name))] for name in names]
        assert here == files or there == [files]
        assert here != [files[0], b""]  # without its log it could be an older state, but whole
        try:
            assert await opened(path) == 0  # the backup
            seen.add("restored")
        except FolderError as error:
            seen.add("is damaged" if "is damaged" in str(error) else "refused")
    assert seen == {"is damaged", "refused", "restored"}


FAILURES = {
    "link": errno.EPERM,
    "replace": errno.EACCES,
    "open": errno.ENOSPC,
    "fsync": errno.EIO,
    "unlink": errno.EROFS,
}


class Failing:
    """A function of `os` that works until its n-th call, and then never again."""

    def __init__(self, name: str, step: int) -> None:
        self._call = getattr(os, name)
        self._error = FAILURES[name]
        self.left = step - 1

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if not self.left:
            raise OSError(self._error, os.strerror(self._error))
        self.left -= 1
        return self._call(*arguments, **named)


def restore(path: Path, backup: Path, fault: AbstractContextManager[object]) -> str:
    """The error, or an empty text."""
    with folder.locked(path) as data, fault:
        try:
            data.restore(backup, quietly)
        except (FolderError, OSError) as error:
            return str(error)
    return ""


@pytest.mark.parametrize("is_damaged", [False, True], ids=["whole", "damaged"])
@pytest.mark.parametrize("name", FAILURES)
async def test_when_a_call_fails_nothing_is_lost(
    killed: Path, backup: Path, tmp_path: Path, name: str, is_damaged: bool
) -> None:
    if is_damaged:
        damage(killed)
    before = [(killed / file).read_bytes() for file in (DATABASE, f"{DATABASE}-wal")]
    for step in range(1, 50):
        path = tmp_path / f"{name}-{step}"
        shutil.copytree(killed, path)
        failing = Failing(name, step)
        error = restore(path, backup, mock.patch.object(os, name, failing))
        if error and not is_damaged:
            assert kept(path) == [], error
            assert await opened(path) == CHATS, error
        elif not error and not is_damaged:
            assert [chats(file) for file in kept(path)] == [CHATS]
            assert await opened(path) == 0
        else:
            places = [path / DATABASE, *kept(path)] if error else kept(path)
            files = [
                [p.read_bytes() for p in (file, wal_of(file)) if p.exists()] for file in places
            ]
            assert before in files, error
            if error and name == "replace":  # links work, so that it can be put back
                assert files == [before], error
        if failing.left:
            return
    raise AssertionError("the restore never worked")


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_on_a_disk_that_fills_nothing_is_lost(
    killed: Path, backup: Path, tmp_path: Path
) -> None:
    """The staged backup, then the kept copy, then the log can't be written."""
    errors = []
    for limit in range(0, 2_000_000, 40_000):
        path = tmp_path / f"limit-{limit}"
        shutil.copytree(killed, path)
        with open_elsewhere(path):
            errors.append(restore(path, backup, file_size_limit(limit)))
        assert kept(path) == [] or not errors[-1]
        assert await opened(path) == (CHATS if errors[-1] else 0)
        if not errors[-1]:
            break
    assert all("nothing was changed" in error for error in errors[:-1])
    assert len(errors) > 2


READABLE_DAMAGE = {
    "a counter": "UPDATE users SET chat_count = 7",
    "a reference": "INSERT INTO sessions (id, user, token_id, expires_at) VALUES ('s', 9, '', 0)",
    "the search index": "DELETE FROM titles_index_data WHERE id > 10",
}


@pytest.mark.parametrize("name", READABLE_DAMAGE)
async def test_a_backup_that_is_damaged_but_readable_is_refused(
    killed: Path, tmp_path: Path, name: str
) -> None:
    """Its pages fit together, so that only the whole check finds it."""
    damaged = tmp_path / "damaged.db"
    folder.backup(killed, damaged, quietly)
    with closing(connection.connect(damaged, writable=True)) as opened:
        opened.execute("PRAGMA foreign_keys = OFF")
        opened.execute(READABLE_DAMAGE[name])
        assert opened.execute("PRAGMA quick_check").fetchone() == ("ok",)
    before = (killed / DATABASE).read_bytes()
    error = restore(killed, damaged, nullcontext())
    assert error.startswith(f"the backup {damaged} is damaged (")
    assert error.endswith("; nothing was changed")
    assert (killed / DATABASE).read_bytes() == before
    assert kept(killed) == []


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files and folders that were synced, in order."""
    names: list[str] = []
    real = os.fsync

    def note(descriptor: int) -> None:
        names.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    return names


on_linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")


@on_linux
async def test_a_backup_and_its_name_are_on_the_disk(
    killed: Path, tmp_path: Path, synced: list[str]
) -> None:
    folder.backup(killed, tmp_path / "backup.db", quietly)
    assert synced == ["backup.db.partial", tmp_path.name]


@on_linux
async def test_a_new_signing_key_and_its_name_are_on_the_disk(
    tmp_path: Path, synced: list[str]
) -> None:
    with folder.locked(tmp_path / "new") as data:
        data.secret()
        data.database(quietly).close()
    assert synced == ["new", "signing.key.partial", "new"]
    (tmp_path / "new" / folder.KEY).unlink()
    synced.clear()
    with folder.locked(tmp_path / "new") as data:
        data.secret()
    assert synced == ["signing.key.partial", "new"]


@on_linux
@pytest.mark.parametrize("has_links", [True, False])
async def test_what_a_restore_keeps_is_on_the_disk_before_it_replaces_anything(
    killed: Path, backup: Path, synced: list[str], monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    if not has_links:
        monkeypatch.setattr(os, "link", refuse)
    staged = [f"{DATABASE}.restored.partial", killed.name]
    assert restore(killed, backup, nullcontext()) == ""
    (copy,) = kept(killed)
    assert synced == [*staged, f"{copy.name}.partial", killed.name]

    copy.unlink()
    damage(killed)
    wal_of(killed / DATABASE).write_bytes(b"the log")
    synced.clear()
    assert restore(killed, backup, nullcontext()) == ""
    (copy,) = kept(killed)
    names = [wal_of(copy).name, copy.name]
    partials = [] if has_links else [f"{name}.partial" for name in names]
    assert [name for name in synced if name.endswith(".partial")] == [staged[0], *partials]
    assert synced.count(killed.name) >= 5  # staged, each kept file, removed, replaced


async def test_a_backup_does_not_write_through_a_planted_link(
    killed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder such as /tmp, where nobody may remove the links of other users."""
    victim = tmp_path / "victim"
    victim.touch()
    link = tmp_path / "backup.db.partial"
    link.symlink_to(victim)
    monkeypatch.setattr(os, "unlink", Failing("unlink", 1))
    with pytest.raises(FolderError):
        folder.backup(killed, tmp_path / "backup.db", quietly)
    assert victim.read_bytes() == b""


async def test_nothing_overwrites_what_was_kept(killed: Path, backup: Path) -> None:
    """Restores in the same second, of which each keeps what it found."""
    with folder.locked(killed) as data:
        for _ in range(3):
            data.restore(backup, quietly)
    assert len(kept(killed)) == 3
    assert sorted(chats(file) for file in kept(killed)) == [0, 0, CHATS]


async def test_names_that_are_taken_stay_as_they_are(
    killed: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when only the name of the log is taken, and without hard links."""
    monkeypatch.setattr(time, "strftime", lambda _: "now")
    damage(killed)
    taken = [killed / f"{DATABASE}.replaced-now", killed / f"{DATABASE}.replaced-now-2-wal"]
    for file in taken:
        file.write_bytes(b"precious")

    def no_links(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    with folder.locked(killed) as data:
        _, where = data.restore(backup, quietly)
    assert where == killed / f"{DATABASE}.replaced-now-3"
    assert wal_of(where).stat().st_size > 50_000
    assert [file.read_bytes() for file in taken] == [b"precious"] * 2
    assert await opened(killed) == 0


async def test_another_program_goes_on_with_the_database(killed: Path, backup: Path) -> None:
    """It sees the restored state in its next transaction, and closing it harms nothing."""
    with open_elsewhere(killed) as other:
        with folder.locked(killed) as data:
            data.restore(backup, quietly)
        assert other.execute("SELECT COUNT(*) FROM chats").fetchone() == (CHATS,)
        other.execute("COMMIT")
        assert other.execute("SELECT COUNT(*) FROM chats").fetchone() == (0,)
    assert await opened(killed) == 0
    assert chats(kept(killed)[0]) == CHATS


async def test_a_database_that_another_program_locks_is_left_alone(
    killed: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.01)
    with closing(sqlite3.connect(killed / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with folder.locked(killed) as data, pytest.raises(FolderError, match="nothing was changed"):
            data.restore(backup, quietly)
    assert kept(killed) == []
    assert await opened(killed) == CHATS


async def test_a_backup_with_another_page_size(killed: Path, backup: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(backup, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA page_size = 8192")
        connection.execute("VACUUM")
    with folder.locked(killed) as data:
        data.restore(backup, quietly)
    assert await opened(killed) == 0
    assert chats(kept(killed)[0]) == CHATS


async def test_ctrl_c_after_the_commit_does_not_remove_what_was_kept(
    killed: Path, backup: Path
) -> None:
    def interrupt(doing: str, share: float | None) -> None:
        if doing == "restoring" and share == 1:
            raise KeyboardInterrupt

    with folder.locked(killed) as data:
        _, where = data.restore(backup, interrupt)
    assert where is not None
    assert chats(where) == CHATS
    assert await opened(killed) == 0


async def test_what_was_kept_stays_when_the_outcome_is_unknown(
    killed: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails during the commit, and fails still when the database is looked at."""

    def fail(database: Path, *_: object) -> None:
        database.rename(database.with_name("gone"))
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(backups, "overwrite", fail)
    with folder.locked(killed) as data, pytest.raises(FolderError, match="Input/output error"):
        data.restore(backup, quietly)
    assert [chats(file) for file in kept(killed)] == [CHATS]


async def test_ctrl_c_before_the_commit_changes_nothing(killed: Path, backup: Path) -> None:
    def interrupt(doing: str, share: float | None) -> None:
        if doing == "checking the copy":
            raise KeyboardInterrupt

    with folder.locked(killed) as data, pytest.raises(KeyboardInterrupt):
        data.restore(backup, interrupt)
    assert kept(killed) == []
    assert await opened(killed) == CHATS


async def test_a_database_that_is_missing_is_restored_and_its_log_is_kept(
    killed: Path, backup: Path
) -> None:
    log = wal_of(killed / DATABASE).read_bytes()
    (killed / DATABASE).unlink()
    with folder.locked(killed) as data:
        data.restore(backup, quietly)
    assert [p.read_bytes() for p in killed.glob("*-wal")] == [log]
    assert await opened(killed) == 0


async def test_an_empty_database_is_restored_and_its_log_is_kept(
    killed: Path, backup: Path
) -> None:
    """SQLite would delete the log as soon as it opened the empty file."""
    log = wal_of(killed / DATABASE).read_bytes()
    (killed / DATABASE).write_bytes(b"")
    with folder.locked(killed) as data:
        data.restore(backup, quietly)
    assert [p.read_bytes() for p in killed.glob("*-wal")] == [log]
    assert await opened(killed) == 0
