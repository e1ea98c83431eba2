"""Detecting files that are missing from the data folder, before SQLite recreates them."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop

from storage import files, folder, signing_key
from storage.connection import connect
from storage.files import wal_of
from storage.folder import DATABASE, KEY, FolderError
from tests.storage.test_maintenance import quietly
from tests.storage.test_replacement import CHATS, backup, fill, killed, open_elsewhere, opened

__all__ = ["backup", "killed"]  # fixtures


@pytest.fixture
def stopped(io_loop: IOLoop, tmp_path: Path) -> Path:
    """A data folder after a clean stop."""
    path = tmp_path / "stopped"

    async def run() -> None:
        with folder.locked(path) as data:
            db = data.database(quietly)
            data.secret()
            await db.write(fill)
            db.close()

    io_loop.run_sync(run)
    return path


def contents(path: Path) -> dict[str, bytes]:
    files = (file for file in path.iterdir() if not file.name.startswith(folder.LOCK))
    return {file.name: file.read_bytes() for file in files}


async def refusal(path: Path) -> str:
    """Why a server does not start; it leaves the folder as it is."""
    before = contents(path)
    with pytest.raises(FolderError) as refused:
        await opened(path)
    assert contents(path) == before
    assert "\n" not in str(refused.value)
    return str(refused.value)


async def opened_anyway(path: Path) -> int:
    """The chats that a server with `--new-database` finds."""
    with folder.locked(path) as data:
        db = data.database(quietly, may_be_missing=True)
        found: int = db.read(lambda c: c.execute("SELECT COUNT(*) FROM chats").fetchone()[0])
        db.close()
    return found


def remove(*names: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        for name in names:
            (path / name).unlink()

    return damage


def empty(path: Path) -> None:
    (path / DATABASE).write_bytes(b"")


def empty_and_remove_log(path: Path) -> None:
    empty(path)
    wal_of(path / DATABASE).unlink()


LOSSES: dict[str, tuple[Callable[[Path], None], str]] = {
    "database": (remove(DATABASE), "is missing, but its log is there"),
    "database and log": (remove(DATABASE, f"{DATABASE}-wal"), "is missing, but its signing key is"),
    "database and key": (remove(DATABASE, KEY), "is missing, but its log is there"),
    "log": (remove(f"{DATABASE}-wal"), "-wal is missing: it held the most recent changes"),
    "log and index": (remove(f"{DATABASE}-wal", f"{DATABASE}-shm"), "-wal is missing"),
    "content": (empty, "is empty, but its log is there"),
    "content and log": (empty_and_remove_log, "is empty, but its signing key is there"),
}


@pytest.mark.parametrize("name", LOSSES)
async def test_a_server_refuses_what_has_lost_its_data(killed: Path, name: str) -> None:
    damage, reason = LOSSES[name]
    logs = wal_of(killed / DATABASE).read_bytes()
    damage(killed)
    had_log = wal_of(killed / DATABASE).exists()
    refused = await refusal(killed)
    assert reason in refused
    assert await opened_anyway(killed) == 0
    if had_log:  # SQLite would have deleted it
        assert [file.read_bytes() for file in killed.glob("*-wal")] == [logs]
    assert await opened(killed) == 0  # and from then on it starts as always


@pytest.mark.parametrize("name", LOSSES)
async def test_a_check_notices_it(killed: Path, name: str) -> None:
    damage, reason = LOSSES[name]
    damage(killed)
    before = contents(killed)
    if (killed / DATABASE).exists():
        problems = folder.check(killed, quietly).problems
        assert any(reason in problem for problem in problems), problems
    else:
        with pytest.raises(FolderError, match=reason):
            folder.check(killed, quietly)
    assert contents(killed) == before


async def test_a_log_that_another_program_has_finished_is_no_loss(killed: Path) -> None:
    with open_elsewhere(killed) as other:
        other.execute("COMMIT")
    assert not wal_of(killed / DATABASE).exists()
    assert folder.check(killed, quietly).problems == []
    assert await opened(killed) == CHATS


async def test_a_file_that_was_copied_without_its_log_shows(killed: Path, tmp_path: Path) -> None:
    (tmp_path / "by hand").mkdir()
    shutil.copy(killed / DATABASE, tmp_path / "by hand")
    assert "-wal is missing" in await refusal(tmp_path / "by hand")


async def test_a_restore_says_that_a_backup_lacks_its_log(
    killed: Path, stopped: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It may be all that there is, so it is restored all the same."""
    wal_of(killed / DATABASE).unlink()
    with folder.locked(stopped) as data:
        data.restore(killed / DATABASE, quietly)
    assert "was copied without its log" in caplog.text
    assert await opened(stopped) == 0


@pytest.mark.parametrize("has_log", [True, False])
async def test_a_backup_is_no_copy_without_its_log(
    killed: Path, tmp_path: Path, has_log: bool
) -> None:
    """Nor is one of a database that has lost its log."""
    if not has_log:
        wal_of(killed / DATABASE).unlink()
    (tmp_path / "by hand").mkdir()
    folder.backup(killed, tmp_path / "by hand" / DATABASE, quietly)
    assert await opened(tmp_path / "by hand") == (CHATS if has_log else 0)


async def test_a_stopped_server_leaves_nothing_that_looks_like_a_loss(stopped: Path) -> None:
    assert not wal_of(stopped / DATABASE).exists()
    assert await opened(stopped) == CHATS


async def test_a_log_that_is_deleted_after_a_checkpoint_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each new log is expected, not only the first one."""
    from storage import writer

    monkeypatch.setattr(writer, "WAL_BYTES", 20_000)
    with folder.locked(tmp_path / "running") as data:
        db = data.database(quietly)
        await db.write(fill)
        for _ in range(20):
            await db.write(lambda c: c.execute("UPDATE chats SET title = title || 'x'") and None)
        copied = tmp_path / "copied"
        shutil.copytree(tmp_path / "running", copied)
        db.close()
    (copied / folder.LOCK).unlink()
    wal_of(copied / DATABASE).unlink()
    with closing(sqlite3.connect(copied / DATABASE)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM chats").fetchone() == (CHATS,)
    assert "-wal is missing" in await refusal(copied)


async def test_what_a_restore_has_kept_shows_without_a_key(killed: Path, backup: Path) -> None:
    """As with a key in the environment, and a restore that was killed at the worst moment."""
    (killed / KEY).unlink()
    with folder.locked(killed) as data:
        data.restore(backup, quietly)
    (killed / DATABASE).unlink()
    assert "a restore has kept an older one" in await refusal(killed)


async def test_a_start_that_fails_leaves_no_key_without_a_database(tmp_path: Path) -> None:
    """Such as one whose port is in use; the next start is a first one again."""
    with folder.locked(tmp_path / "new") as data:
        key = data.secret()
        assert not (tmp_path / "new" / KEY).exists()
    with folder.locked(tmp_path / "new") as data:
        key = data.secret()
        data.database(quietly).close()
        assert (tmp_path / "new" / KEY).read_bytes() == key
        assert data.secret() == key


async def test_a_first_start_that_was_killed_leaves_no_key_either(tmp_path: Path) -> None:
    """It leaves an empty database at worst, which the next one fills."""
    path = tmp_path / "new"
    path.mkdir()
    (path / DATABASE).touch()
    with folder.locked(path) as data:
        data.secret()
    assert not (path / KEY).exists()
    assert await opened(path) == 0


async def test_a_key_that_is_missing_is_made_and_logged(
    stopped: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = (stopped / KEY).read_bytes()
    for damage in (Path.unlink, lambda path: path.write_bytes(b"")):
        damage(stopped / KEY)
        caplog.clear()
        with folder.locked(stopped) as data:
            key = data.secret()
        assert key != before
        assert (stopped / KEY).read_bytes() == key
        assert "there was no signing key: a new one was created" in caplog.text
    caplog.clear()
    with folder.locked(stopped) as data:
        assert data.secret() == key
    assert caplog.text == ""


async def test_a_new_database_gets_a_key_whatever_signs_tokens(
    tmp_path: Path, killed: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """So its loss is noticed where the key is in the environment, too."""
    with folder.locked(tmp_path / "new") as data:
        data.database(quietly).close()
    with folder.locked(tmp_path / "restored") as data:
        data.restore(killed / DATABASE, quietly)
    for path in (tmp_path / "new", tmp_path / "restored"):
        with folder.locked(path) as data:
            assert (path / KEY).read_bytes() == data.secret()
        (path / DATABASE).unlink()
        assert "is missing, but its signing key is there" in await refusal(path)
    assert caplog.text == ""


async def test_the_first_start_logs_no_missing_key(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with folder.locked(tmp_path / "new") as data:
        data.database(quietly).close()
        data.secret()
    assert caplog.text == ""


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777, 0o601])
async def test_a_key_that_others_can_access_is_refused(stopped: Path, mode: int) -> None:
    (stopped / KEY).chmod(mode)
    with folder.locked(stopped) as data, pytest.raises(FolderError, match="run chmod 600"):
        data.secret()
    assert stat.S_IMODE((stopped / KEY).stat().st_mode) == mode


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root to give it away")
async def test_a_key_of_another_user_is_refused(stopped: Path) -> None:
    os.chown(stopped / KEY, 12345, -1)
    with folder.locked(stopped) as data, pytest.raises(FolderError, match="another user"):
        data.secret()


async def test_a_file_system_without_modes_is_no_reason_to_refuse(
    stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as exFAT, or a Windows drive in WSL: there, all files have the same mode."""
    (stopped / KEY).chmod(0o777)
    monkeypatch.setattr(files, "create_new", lambda path: path.touch(0o777))
    before = os.umask(0)
    key = signing_key.read(stopped / KEY)
    os.umask(before)
    assert key == (stopped / KEY).read_bytes()


async def test_a_key_that_is_too_short_is_refused(stopped: Path) -> None:
    (stopped / KEY).write_bytes(b"short")
    with folder.locked(stopped) as data, pytest.raises(FolderError, match="too short"):
        data.secret()


async def test_accounts_of_an_earlier_database_are_missed(tmp_path: Path) -> None:
    """A database that an earlier version made anew, beside the key of the lost one."""
    path = tmp_path / "again"
    with folder.locked(path) as data:
        data.database(quietly).close()
        data.secret()
    assert folder.check(path, quietly).problems == []
    os.utime(path / KEY, (1.7e9, 1.7e9))
    (problem,) = folder.check(path, quietly).problems
    assert problem.startswith("accounts: there are none, and the signing key (of 2023-11-14")
    with closing(connect(path / DATABASE, writable=True)) as connection:
        fill(connection)
    assert folder.check(path, quietly).users == 1
    assert folder.check(path, quietly).problems == []


async def test_a_lock_that_cannot_be_opened_is_one_line(
    stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(sqlite3, "connect", fail)
    with pytest.raises(FolderError, match="can't be used: unable to open"), folder.locked(stopped):
        raise AssertionError("it is not locked")


async def test_what_a_killed_process_left_is_swept(stopped: Path) -> None:
    names = [
        "quillium.db.restored", "quillium.db.restored-wal", "quillium.db.restored.partial",
        "quillium.db.replaced-20260101-000000.partial", "quillium-before-m002_erasure.db.partial",
        "signing.key.partial", "server.json", "server.json.partial",
        "quillium-before-m002_erasure.db.partial-journal",
    ]  # fmt: skip
    kept = ["quillium.db.replaced-20260101-000000", "my backup.db", "my backup.db.partial"]
    for name in (*names, *kept):
        (stopped / name).write_bytes(b"x")
    with folder.locked(stopped):
        left = set(contents(stopped))
    assert left == {DATABASE, KEY, *kept}
