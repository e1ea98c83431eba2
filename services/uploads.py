"""Uploads: store files piece by piece with bounded memory, and read them the same way."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

from core import fairness, file_names, ids
from core.errors import InvalidRequest, QuilliumError, StorageUnavailable
from core.fair_slots import FairSlots
from core.file_types import TypeDetector
from core.records import File, User
from core.times import CalendarClock, rfc3339
from services.removal import Removal
from storage import quota, uploads
from storage.database import Database

MAX_BYTES = 20 << 20  # of a file
MAX_ATTACHMENTS = 10  # of a message


def attached_ids(attachments: list[Any]) -> list[str]:
    """Return the ids of a message's attachments, each of them once.

    A client may send ids, or the objects of a message that it received.
    """
    sent = (item if isinstance(item, str) else item["id"] for item in attachments)
    return list(dict.fromkeys(sent))


class Slots(NamedTuple):
    """What uploads wait for: the memory for a piece, and the disk's time to store one."""

    memory: FairSlots
    disk: FairSlots


class Uploads:
    def __init__(self, db: Database, removal: Removal, clock: CalendarClock) -> None:
        self._db = db
        self._removal = removal
        self._clock = clock
        self._slots = Slots(
            FairSlots(fairness.UPLOADS, fairness.UPLOADS_EACH),
            FairSlots(fairness.PIECES, fairness.PIECES_EACH),
        )

    def begin(self, user: User, name: str, announced: int = 0) -> Upload:
        """Begin an upload of a file of at least `announced` bytes.

        Raises `QuotaExceeded`, and `StorageUnavailable` if the disk is nearly full.
        """
        self._db.read(quota.check, user.row_id, announced)
        new = uploads.NewFile(ids.new("file"), file_names.cleaned(name), rfc3339(self._clock()))
        return Upload(self._db, self._removal, self._slots, user, new)

    def find(self, user: User, id: str) -> uploads.Stored:
        """Return a user's file. Raises `NotFound`."""
        return self._db.read(uploads.find, user.row_id, id)

    def pieces(self, row_id: int) -> Iterator[bytes]:
        """Yield the content of a file in pieces. It ends early if the file is removed meanwhile."""
        for position in count():
            piece = self._db.read(uploads.piece, row_id, position)
            if piece is None:
                return
            yield piece

    def in_base64(self, row_id: int) -> Iterator[bytes]:
        """Yield the content of a file in base64, in pieces."""
        rest = b""
        for piece in self.pieces(row_id):
            whole = len(rest + piece) // 3 * 3
            content = rest + piece
            yield base64.b64encode(content[:whole])
            rest = content[whole:]
        yield base64.b64encode(rest)

    async def store(self, user: User, name: str, content: bytes) -> File:
        """Store a file whose content is in memory. Raises what an upload raises."""
        upload = self.begin(user, name, len(content))
        try:
            for start in range(0, len(content), uploads.PIECE_BYTES):
                await upload.add(content[start : start + uploads.PIECE_BYTES])
            return await upload.complete()
        finally:
            upload.abort()

    async def delete(self, user: User, id: str) -> None:
        """Delete a file. Raises `NotFound`, and `Conflict` if it is attached to a message."""
        await self._db.write(uploads.delete, user.row_id, id)
        self._removal.sweep()


class Upload:
    """A file that arrives in chunks. It holds at most one piece in memory.

    End it with `complete` or `abort`.
    """

    def __init__(
        self, db: Database, removal: Removal, slots: Slots, user: User, new: uploads.NewFile
    ) -> None:
        self._db = db
        self._removal = removal
        self._slots = slots
        self._user = user
        self._new = new
        self._detector = TypeDetector()
        self._waiting = bytearray()
        self._has_slot = False
        self._has_ended = False
        self._is_stored = False  # whether the database may have a part of it
        self._aborting: asyncio.Future[None] | None = None

    async def add(self, chunk: bytes) -> None:
        """Take the next bytes. The caller waits for an account's turn to upload, and for the disk.

        Raises `QuotaExceeded`, `StorageUnavailable`.
        """
        fairness.charge(self._user.id)  # chunks arrive outside of the request's task
        self._detector.add(chunk)
        self._waiting += chunk
        if len(self._waiting) < uploads.PIECE_BYTES:
            return
        if not self._has_slot:
            await self._slots.memory.acquire(self._user.id)
            self._has_slot = True
            if self._has_ended:  # the client left while it waited
                self._release()
        while len(self._waiting) >= uploads.PIECE_BYTES and not self._has_ended:
            piece = bytes(self._waiting[: uploads.PIECE_BYTES])
            del self._waiting[: uploads.PIECE_BYTES]
            await self._append(piece)

    async def _append(self, piece: bytes) -> None:
        was_stored, self._is_stored = self._is_stored, True  # also if the caller is cancelled
        try:
            async with self._slots.disk.slot(self._user.id):
                if not self._has_ended:
                    await self._db.write(uploads.append, self._user.row_id, self._new, piece)
        except QuilliumError:
            self._is_stored = was_stored
            raise

    async def complete(self) -> File:
        """Store the rest, and return the file. Raises `InvalidRequest` for an empty file."""
        content_type, last = self._detector.content_type(), bytes(self._waiting)
        if not last and not self._has_slot:
            raise InvalidRequest("The file is empty.")
        async with self._slots.disk.slot(self._user.id):
            file = await self._db.write(
                uploads.complete, self._user.row_id, self._new, last, content_type
            )
        self._has_ended = True
        self._release()
        return file

    def abort(self) -> None:
        """Remove what was stored, unless the upload is complete. Idempotent."""
        if self._has_ended:
            return
        self._has_ended = True
        self._waiting.clear()
        if not self._is_stored:
            self._release()
            return
        self._aborting = asyncio.ensure_future(self._abandon())

    async def _abandon(self) -> None:
        fairness.charge(self._user.id)
        # Writes of one account keep their order, so a piece that is being stored comes before.
        try:
            await self._db.write(uploads.abandon, self._new.id)
        except StorageUnavailable:
            return  # the next start removes it
        finally:
            self._release()
        self._removal.sweep()

    def _release(self) -> None:
        if self._has_slot:
            self._has_slot = False
            self._slots.memory.release(self._user.id)
