"""Titles of chats that nobody has named: the opening words, then a model's if the admin wants.

The model that wrote the first reply is asked once. Whatever goes wrong, the opening words stay.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re

from assistant import Parameters, PromptMessage
from assistant.directory import Directory
from assistant.events import Text
from core import fairness, graphemes
from core.errors import QuilliumError
from core.fair_slots import FairSlots
from core.records import ChatChange, Message
from services import frames
from services.connections import ConnectionRegistry
from services.settings import Settings
from storage import chats
from storage.database import Database

_OPENING_CHARACTERS = 60
_MAX_CHARACTERS = 80
_READ_CHARACTERS = 2_000  # of the question and of the reply
_TIMEOUT_SECONDS = 60.0
_MAX_TOKENS = 500  # a model that reasons needs some before the title
_MAX_REPLY = 2_000  # characters; a model that writes more is not writing a title
_INSTRUCTIONS = (
    "Write a title of at most six words for this conversation, in its language. Answer with the"
    " title alone, without quotation marks."
)
_AROUND = " \t\"'`*_#«»„“”‘’。."
_LABEL = re.compile(r"(?:title|titel|titre|título|标题)\s*[:：]\s*", re.IGNORECASE)

log = logging.getLogger("quillium.titles")


def opening_words(content: str) -> str:
    """Return the title for an untitled chat: the first words of its first message."""
    line = " ".join(content.split())
    if len(line) <= _OPENING_CHARACTERS:
        return line
    words = line[:_OPENING_CHARACTERS].rpartition(" ")[0]
    return (words or line[: _OPENING_CHARACTERS - 1]) + "…"


class Titles:
    """Asks models for titles in the background. Call `close` before the database is closed."""

    def __init__(
        self,
        db: Database,
        connections: ConnectionRegistry,
        settings: Settings,
        directory: Directory,
    ) -> None:
        self._db = db
        self._connections = connections
        self._settings = settings
        self._directory = directory
        self._slots = FairSlots(fairness.TITLES, fairness.TITLES_EACH)
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, user_id: str, asked: Message, reply: Message) -> None:
        """Begin to write a title if this is a chat's first reply, and its title is still its own.

        Built-in models write none.
        """
        admin = self._settings.admin()
        if not admin["titles_by_model"] or reply.status != "complete" or not reply.model:
            return
        if self._directory.is_built_in(reply.model):
            return
        if not self._db.read(chats.is_new_with_title, reply.chat_id, opening_words(asked.content)):
            return
        task = asyncio.get_running_loop().create_task(self._write(user_id, asked, reply))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up the titles that are being written."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _write(self, user_id: str, asked: Message, reply: Message) -> None:
        def publish(change: ChatChange | None) -> None:
            if change is not None:
                self._connections.publish(user_id, frames.chat(change))

        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS), self._slots.slot(fairness.charged()):
                title = _cleaned(await self._ask(asked, reply))
            if title:
                opening = opening_words(asked.content)
                await self._db.write(
                    chats.retitle, reply.chat_id, opening, title, on_commit=publish
                )
        except (QuilliumError, TimeoutError) as error:
            log.debug("%s wrote no title: %s", reply.model, error)
        except Exception:
            log.exception("a title could not be written")

    async def _ask(self, asked: Message, reply: Message) -> str:
        default = self._settings.admin()["default_model"]
        provider, model = self._directory.resolve(reply.model or "", default)
        said = (
            f"{_INSTRUCTIONS}\n\n<user>\n{asked.content[:_READ_CHARACTERS]}\n</user>\n"
            f"<assistant>\n{reply.content[:_READ_CHARACTERS]}\n</assistant>"
        )
        prompt = [PromptMessage("user", said)]
        text = ""
        replied = provider.reply(prompt, model, Parameters(max_tokens=_MAX_TOKENS))
        async with contextlib.aclosing(replied) as events:
            async for event in events:
                if isinstance(event, Text):
                    text += event.text
                if len(text) > _MAX_REPLY:
                    return ""
        return text


def _cleaned(text: str) -> str:
    """Return the title in what a model wrote; empty if there is none."""
    lines = (line.strip(_AROUND) for line in text.splitlines())
    line = next((line for line in lines if line), "")
    line = _LABEL.sub("", " ".join(line.split()), count=1).strip(_AROUND)
    line = "".join(character for character in line if character.isprintable())
    return graphemes.cut(line, _MAX_CHARACTERS)
