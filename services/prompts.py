"""Build the prompt of a reply, which is sent to its provider."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from assistant import AttachedFile, PromptMessage
from assistant.pdf import PdfText
from core import fairness
from core.fair_slots import FairSlots
from core.file_types import IMAGES, TEXT
from core.records import File, Message
from services.pdf_texts import PdfTexts
from storage import turns, uploads
from storage.connection import Connection
from storage.database import Database

_SHORT_CONVERSATION = 50  # messages; read in a tenth of a millisecond

# Of the files of a conversation, the latest ones are read, up to these bytes in all.
MAX_FILES = 20
MAX_IMAGE_BYTES = 8 << 20
MAX_TEXT_BYTES = 1 << 20
_HEAD_BYTES = 1 << 16  # of any other file, to describe it
_LARGE_BYTES = 1 << 20  # of files, whose prompt waits for its turn


class Prompts:
    """Builds prompts; of those with large files, only some are in memory at a time."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._pdf_texts = PdfTexts(db)
        self._slots = FairSlots(fairness.LARGE_PROMPTS, fairness.LARGE_PROMPTS_EACH)

    @asynccontextmanager
    async def built(
        self, admin_prompt: str, begun: turns.Begun, characters: int
    ) -> AsyncIterator[list[PromptMessage]]:
        """Yield the combined system prompts of admin and chat, followed by the conversation.

        The conversation ends with the message to answer. Its beginning is cut to fit the number of
        characters that the provider can use. Leave the context when the provider has replied.
        """
        system = "\n\n".join(filter(None, (admin_prompt, begun.instructions.system_prompt)))
        history = await self._history(begun.answers, characters)
        files = _latest_files(history)
        texts = await self._pdf_texts.of(files)
        wanted = _wanted(files, texts)
        is_large = sum(wanted.values()) > _LARGE_BYTES
        account = fairness.charged()
        if is_large:
            await self._slots.acquire(account)
        try:
            contents = await self._db.read_in_pool(_contents, wanted) if wanted else {}
            prompt = [PromptMessage("system", system)] if system else []
            prompt += [_prompted(message, contents, texts) for message in history]
            yield prompt
        finally:
            if is_large:
                self._slots.release(account)

    async def _history(self, answers: Message, characters: int) -> list[turns.PastMessage]:
        """Return the conversation up to a message. Read it on this thread if it is short."""
        history = self._db.read(turns.history_until, answers, characters, _SHORT_CONVERSATION)
        if history is None:
            history = await self._db.read_in_pool(
                turns.history_until, answers, characters, turns.MAX_HISTORY
            )
        assert history is not None
        return history


def _latest_files(history: Sequence[turns.PastMessage]) -> list[File]:
    """Return the files to read, those of the latest message first, each of them once."""
    files = [file for message in reversed(history) for file in message.attachments]
    return list(dict.fromkeys(files))[:MAX_FILES]


def _wanted(files: Sequence[File], texts: dict[File, PdfText]) -> dict[File, int]:
    """Return how many bytes to read of each file, and cut the `texts` to what a prompt takes."""
    left = {"image": MAX_IMAGE_BYTES, "text": MAX_TEXT_BYTES}
    wanted: dict[File, int] = {}
    for file in files:
        size = min(file.size, _HEAD_BYTES)
        if file in texts:
            size = 0
            texts[file] = texts[file].cut(left["text"])
            left["text"] -= len(texts[file].text)
        elif file.content_type in IMAGES and file.size <= left["image"]:
            size = file.size
            left["image"] -= size
        elif file.content_type == TEXT:
            size = min(file.size, left["text"])
            left["text"] -= size
        wanted[file] = size
    return wanted


def _contents(connection: Connection, wanted: dict[File, int]) -> dict[File, bytes]:
    return {file: uploads.beginning(connection, file.id, size) for file, size in wanted.items()}


def _prompted(
    message: turns.PastMessage, contents: dict[File, bytes], texts: dict[File, PdfText]
) -> PromptMessage:
    files = tuple(
        AttachedFile(
            file.name, file.content_type, file.size, contents.get(file, b""), texts.get(file)
        )
        for file in message.attachments
    )
    return PromptMessage(message.sender, message.content, files)
