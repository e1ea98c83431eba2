"""The data folder: its lock, its signing key, its database.

Only one server can use a folder at a time; the lock ends with its process. The lock is a separate,
exclusively locked SQLite file, because SQLite can lock files on every platform. Files have mode
0600 and the folder has mode 0700, regardless of the umask.
"""

from __future__ import annotations

import json
import logging
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from core.progress import ProgressCallback
from core.times import CalendarTime
from core.tokens import PreviousKey
from storage import (
    backups,
    log_guard,
    loss,
    maintenance,
    migrations,
    replacement,
    signing_key,
    turns,
    uploads,
)
from storage.connection import connect
from storage.database import Database
from storage.files import create_private, discard, discard_database, size_of, sync, write_private
from storage.folder_lock import (
    LOCK as LOCK,
)
from storage.folder_lock import (
    FolderError as FolderError,
)
from storage.folder_lock import (
    FolderInUse as FolderInUse,
)
from storage.folder_lock import (
    FolderUnusable as FolderUnusable,
)
from storage.folder_lock import (
    held,
    reason_of,
    text_of,
    unusable,
)

DATABASE = "quillium.db"
KEY = "signing.key"
_PREVIOUS_KEY = f"{KEY}.previous"
CONTROL = "server.json"
_RESTORED = f"{DATABASE}.restored"  # a backup that is being checked before it replaces the database
_BEFORE_MIGRATION = "quillium-before-{}.db"
_LEFT_BEHIND = (  # left behind by a killed process
    CONTROL,
    f"{_RESTORED}*",
    f"{DATABASE}.*.partial*",
    _BEFORE_MIGRATION.format("*") + ".partial*",
    f"{KEY}.partial",
    f"{_PREVIOUS_KEY}.partial",
    f"{CONTROL}.partial",
)

log = logging.getLogger("quillium.storage")


class DatabaseDamaged(FolderUnusable):
    """The database is damaged. Only a backup helps."""


class DatabaseMissing(FolderError):
    """The database or its log is missing. `can_start_without`: whether a start can ignore it."""

    def __init__(self, reason: str, *, can_start_without: bool) -> None:
        super().__init__(reason)
        self.can_start_without = can_start_without


class ControlEndpoint(NamedTuple):
    """The URL of the running server, and the key that authorizes the owner's commands."""

    url: str
    key: str


class DataFolder:
    """A data folder that this process has locked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._had_database = size_of(path / DATABASE) > 0
        self._unsaved_key: bytes | None = None

    def secret(self) -> bytes:
        """Return the key that signs tokens. It is stored, so that sessions survive a restart.

        A new key is saved only once the database exists: a key without a database means that the
        database was lost. Raises `FolderError`, also if other users may have read the key.
        """
        path = self._path / KEY
        try:
            if size_of(path):
                return signing_key.read(path)
            self._unsaved_key = key = signing_key.create()
            if self._had_database:
                log.warning(
                    "there was no signing key: a new one was created, and all sessions that an"
                    " older one signed have ended"
                )
            if size_of(self._path / DATABASE):
                self._ensure_key()
            return key
        except signing_key.UnusableKey as error:
            raise FolderError(str(error)) from None
        except OSError as error:
            raise FolderError(f"the signing key {path} can't be used: {text_of(error)}") from None

    def previous_key(self) -> PreviousKey | None:
        """Return the signing key before the last rotation, if any. Raises `FolderError`."""
        path = self._path / _PREVIOUS_KEY
        try:
            return signing_key.read_previous(path)
        except signing_key.UnusableKey as error:
            raise FolderError(str(error)) from None
        except OSError as error:
            raise FolderError(f"the signing key {path} can't be used: {text_of(error)}") from None

    def rotate_key(self, now: CalendarTime) -> None:
        """Rotate the signing key. Tokens that the old key signed stay valid until they expire.

        Raises `FolderError`.
        """
        path = self._path / KEY
        try:
            if not size_of(path):
                raise FolderError(f"there is no signing key {path} yet: start the server first")
            signing_key.rotate(path, self._path / _PREVIOUS_KEY, now)
        except signing_key.UnusableKey as error:
            raise FolderError(str(error)) from None
        except OSError as error:
            raise FolderError(
                f"the signing key {path} can't be replaced: {text_of(error)}"
            ) from None

    def database(
        self,
        progress: ProgressCallback,
        *,
        may_be_missing: bool = False,
        keeps_copies: bool = False,
    ) -> Database:
        """Open and migrate the database, and end what a crash cut off: replies and uploads.

        A copy is made before the first pending migration. The next clean stop removes it, unless
        `keeps_copies` is set. Raises `FolderError` when the database can't be used, or when a file
        is missing that must exist; the files are then unchanged.
        """
        path = self._path / DATABASE
        try:
            if path.is_symlink():
                # SQLite would keep the log next to the link's target, outside this folder.
                raise FolderUnusable(f"{path} is a symbolic link; link the whole folder instead")
            self._check_for_loss(path, may_be_missing)
            if size_of(path):
                pending = maintenance.inspect(path)
                if pending:
                    copy = self._path / _BEFORE_MIGRATION.format(pending[0])
                    backups.keep(path, copy, progress, reuse_same=True)
            create_private(path)
            with closing(connect(path, writable=True)) as connection:
                migrations.migrate(connection)
                turns.interrupt_all(connection)
                uploads.abandon_all(connection)
            sync(self._path)
            if not self._had_database:
                self._ensure_key()
            return Database(path, None if keeps_copies else self._remove_copies)
        except backups.Unusable as error:
            raise _unusable_database(path, error) from None
        except (sqlite3.OperationalError, OSError) as error:
            raise FolderUnusable(
                f"the database {path} can't be written: {text_of(error)}. Check its permissions and"
                " the free space on the disk"
            ) from None

    def replace_database(self, content: bytes) -> None:
        """Replace the database, which must be closed, for `database` to open. Raises `OSError`."""
        discard_database(self._path / DATABASE)
        write_private(self._path / DATABASE, content)

    @contextmanager
    def control_endpoint(self, url: str) -> Iterator[ControlEndpoint]:
        """Publish the endpoint for the owner's commands while the block runs.

        Raises `FolderError`.
        """
        path, endpoint = self._path / CONTROL, ControlEndpoint(url, secrets.token_urlsafe(32))
        try:
            write_private(path, json.dumps(endpoint._asdict()).encode())
        except OSError as error:
            raise FolderError(f"{path} can't be written: {text_of(error)}") from None
        try:
            yield endpoint
        finally:
            with suppress(OSError):
                path.unlink()

    def restore(
        self, file: Path, progress: ProgressCallback
    ) -> tuple[maintenance.Report, Path | None]:
        """Replace the database with a backup; return a report on it and the kept database's path.

        The backup is copied and checked before anything is changed. Raises `FolderError`; the
        database is then unchanged.
        """
        path, restored = self._path / DATABASE, self._path / _RESTORED
        if not file.is_file() or (path.exists() and file.samefile(path)):
            raise FolderError(f"{file} is not a backup: there is no such file, or it is in use")
        try:
            if log_guard.is_log_missing(file):
                log.warning("%s was copied without its log and lacks the latest changes", file)
            backups.copy(file, restored, progress)
            report = maintenance.check(restored, progress)
            if report.problems:
                raise FolderError(
                    f"the backup {file} is damaged ({report.problems[0]}); nothing was changed"
                )
            backups.renumber(restored)
        except backups.Unusable as error:
            raise FolderError(f"the backup {file} {error}; nothing was changed") from None
        except OSError as error:
            raise _not_restored(file, error) from None
        else:
            try:
                kept = replacement.replace(path, restored, progress)
            except backups.Unusable as error:
                raise FolderError(
                    f"the database {path} {error}; nothing was changed. {error.advice}"
                ) from None
            except OSError as error:
                raise _not_restored(file, error) from None
            if not self._had_database:
                with suppress(OSError):  # the next start also creates a missing key
                    self._ensure_key()
            return report, kept
        finally:
            discard_database(restored)

    def _ensure_key(self) -> None:
        """Save a key with a new database, even if unused: it helps to detect a lost database."""
        if not size_of(self._path / KEY):
            write_private(self._path / KEY, self._unsaved_key or signing_key.create())
        self._unsaved_key = None

    def _check_for_loss(self, path: Path, may_be_missing: bool) -> None:
        lost = loss.find(path, self._path / KEY)
        if lost is None:
            return
        if not may_be_missing:
            raise DatabaseMissing(lost, can_start_without=True)
        log.warning("%s; going on without it", lost)
        replacement.keep_orphaned_log(path)

    def _remove_copies(self) -> None:
        """Deleted means gone: also from the copies that were made before a migration."""
        for copy in sorted(self._path.glob(_BEFORE_MIGRATION.format("*"))):
            try:
                copy.unlink()
                log.info("removed %s, the copy of the database before its migration", copy)
            except OSError as error:
                log.error("%s can't be removed: %s", copy, text_of(error))


def backup(data_dir: Path, file: Path, progress: ProgressCallback) -> maintenance.Report:
    """Copy the database to a new file, also while a server uses it; return a report on the copy.

    Raises `FolderError`; no file is then created.
    """
    path = existing(data_dir)
    taken = f"{file} exists already; choose another name, nothing was overwritten"
    if file.exists():
        raise FolderError(taken)
    try:
        backups.copy(path, file, progress)
        return maintenance.Report([], *maintenance.contents(file))
    except backups.Unusable as error:
        raise _unusable_database(path, error) from None
    except FileExistsError:
        raise FolderError(taken) from None
    except OSError as error:
        raise FolderError(f"the backup {file} can't be written: {text_of(error)}") from None


def check(data_dir: Path, progress: ProgressCallback) -> maintenance.Report:
    """Check the database, also while a server uses it. Raises `FolderError`."""
    path, key = existing(data_dir), data_dir / KEY
    lost = loss.find(path, key)
    if not size_of(path):
        return maintenance.Report([lost or f"the database {path} is empty"])
    try:
        report = maintenance.check(path, progress)
        report.problems.extend(loss.find_accounts(path, key, report.users))
    except backups.Unusable as error:
        return maintenance.Report([f"{path} {error}. {error.advice}"])
    if lost:
        report.problems.append(lost)
    return report


def control_endpoint_of(data_dir: Path) -> ControlEndpoint | None:
    """Return the endpoint of the server that uses the folder; None if it can't be reached."""
    try:
        return ControlEndpoint(**json.loads((data_dir / CONTROL).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def existing(data_dir: Path) -> Path:
    """Return the path of the database. Raises `FolderError` if there is none."""
    path = data_dir / DATABASE
    if path.exists():
        return path
    lost = loss.find(path, data_dir / KEY)
    if lost is not None:
        raise DatabaseMissing(lost, can_start_without=False)
    raise FolderUnusable(f"there is no database in {data_dir}")


@contextmanager
def locked(path: Path) -> Iterator[DataFolder]:
    """Lock the folder while the block runs; create the folder if it is missing.

    A start that fails leaves nothing: see `folder_lock.held`. Raises `FolderError`, `FolderInUse`.
    """
    with held(path):
        try:
            for pattern in _LEFT_BEHIND:
                for left in path.glob(pattern):
                    discard(left)
        except OSError as error:
            raise unusable(path, reason_of(path, error)) from None
        yield DataFolder(path)


def _not_restored(file: Path, error: OSError) -> FolderError:
    return FolderError(
        f"the backup {file} can't be restored: {text_of(error)}; nothing was changed"
    )


def _unusable_database(path: Path, error: backups.Unusable) -> FolderUnusable:
    reason = f"the database {path} {error}"
    if isinstance(error, backups.Damaged):
        return DatabaseDamaged(reason)
    return FolderUnusable(f"{reason}. {error.advice}")
