"""The text of attached PDF files, read once and kept while it is likely to be used again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from assistant import pdf
from assistant.pdf import PdfText
from core import fairness
from core.fair_slots import FairSlots
from core.records import File
from storage import uploads
from storage.database import Database

KEPT_CHARACTERS = 8 << 20  # in all; a conversation sends its files again with each message
_ENTRY_CHARACTERS = 1 << 10  # that a file without text counts for


class PdfTexts:
    """Reads PDF files, a few at a time, because each takes a process and the file's memory."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._slots = FairSlots(fairness.PDF_READERS, fairness.PDF_READERS_EACH)
        self._kept: OrderedDict[str, PdfText] = OrderedDict()  # by file id; the last used is last
        self._characters = 0

    async def of(self, files: Sequence[File]) -> dict[File, PdfText]:
        """Return the texts of those files that are PDF files."""
        return {file: await self._of(file) for file in files if file.content_type == pdf.PDF}

    async def _of(self, file: File) -> PdfText:
        if file.id not in self._kept:
            async with self._slots.slot(fairness.charged()):
                if file.id not in self._kept:  # another reply may have read it meanwhile
                    content = await self._db.read_in_pool(uploads.beginning, file.id, file.size)
                    self._keep(file.id, await pdf.read(content))
        self._kept.move_to_end(file.id)
        return self._kept[file.id]

    def _keep(self, id: str, text: PdfText) -> None:
        self._kept[id] = text
        self._characters += _ENTRY_CHARACTERS + len(text.text)
        while self._characters > KEPT_CHARACTERS:
            _, oldest = self._kept.popitem(last=False)
            self._characters -= _ENTRY_CHARACTERS + len(oldest.text)
