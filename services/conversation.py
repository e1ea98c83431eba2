"""Conversations: store a message, then let the chat's `ReplyWriter` reply to it.

REST, Server-Sent Events and the WebSocket all call `submit`. It stores the message (and the reply's
row, in the same commit), publishes it, and makes sure that the chat's writer is running.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence

from core import ids
from core.errors import ShuttingDown, StorageUnavailable
from core.records import Message, User
from services import frames
from services.replies import Reply
from services.reply_writer import ReplyWriter, Tools
from services.titles import opening_words
from services.watchers import Watcher
from storage import chats, turns


class Conversation:
    """The conversations of all users, with a writer for each chat that has pending work.

    The transactions of `storage.turns` decide whether a chat has a streaming reply, so concurrent
    requests can't begin two replies.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._writers: dict[str, ReplyWriter] = {}  # by chat id
        self._is_draining = False
        self._all_idle = asyncio.Event()
        self._all_idle.set()

    async def submit(
        self,
        user: User,
        chat_id: str,
        content: str,
        client_id: str | None = None,
        watcher: Watcher | None = None,
        *,
        file_ids: Sequence[str] = (),
        replaces: str | None = None,
        is_from_page: bool = False,
    ) -> turns.Stored:
        """Store a user's message and start the reply; `watcher` receives the frames of its turn.

        With `replaces`, the message is a new version of the one with that id.

        `is_from_page` has `quillium-demo` reply at a pace that can be read.

        A repeated `client_id` returns the stored message and starts nothing. Raises
        `NotFound`, `QuotaExceeded`, `Conflict`, `StorageUnavailable`, `ShuttingDown`.
        """
        self._check_running()
        db, directory = self._tools.db, self._tools.directory
        model = db.read(chats.own_model, user.row_id, chat_id)
        now = self._tools.now()
        message = Message(
            0, ids.new("msg"), chat_id, content, "user", now, "complete", None, client_id
        )
        reply = self._tools.new_reply(model) if directory.is_settled(model) else None

        def publish(stored: turns.Stored) -> None:
            if stored.is_new:
                self._writer(user, chat_id).add_message(stored, watcher, is_from_page=is_from_page)

        with self._held_writer(user, chat_id):
            stored = await db.write(
                turns.add_message,
                user.row_id,
                message,
                opening_words(content),
                reply,
                file_ids,
                replaces,
                on_commit=publish,
            )
        if watcher is not None and not stored.is_new:
            self._watch_again(stored.message, watcher)
        return stored

    def stop(self, user: User, chat_id: str) -> str | None:
        """Stop the current reply and keep its text; return its id, or None if none has begun.

        Raises `NotFound`.
        """
        self._tools.db.read(chats.check, user.row_id, chat_id)
        writer = self._writers.get(chat_id)
        return None if writer is None else writer.stop()

    async def regenerate(
        self,
        user: User,
        chat_id: str,
        message_id: str | None = None,
        requested_model: str | None = None,
        *,
        is_from_page: bool = False,
    ) -> str:
        """Begin another version of a reply, by default of the last one; return its id.

        If the last message has no reply, begin that one.

        Raises `NotFound`, `Conflict`, `StorageUnavailable`, `ShuttingDown`.
        """
        self._check_running()
        model = self._tools.db.read(chats.own_model, user.row_id, chat_id)
        with self._held_writer(user, chat_id):
            begun = await self._tools.db.write(
                turns.regenerate,
                user.row_id,
                chat_id,
                self._tools.new_reply(requested_model or model),
                self._tools.now(),
                message_id,
                on_commit=lambda begun: self._writer(user, chat_id).add_reply(
                    begun, is_from_page=is_from_page
                ),
            )
        return begun.message.id

    def streamed_replies(self, user_id: str) -> list[Reply]:
        """Return a user's streaming replies, for a socket that joins while they stream.

        Skip replies whose end is committed but not yet published: the socket may already have
        received it.
        """
        return [
            reply
            for writer in self._writers.values()
            if writer.user_id == user_id
            and (reply := writer.streamed()) is not None
            and self._tools.db.read(turns.is_streaming, reply.message.id)
        ]

    def count_active(self) -> int:
        """Return the number of chats with a reply that is streaming or about to begin."""
        return len(self._writers)

    def forget(self, chat_id: str) -> None:
        """Abandon the reply of a deleted chat. Call this after the commit."""
        if chat_id in self._writers:
            self._writers[chat_id].abandon()

    async def drain(self) -> None:
        """Reject new messages, end all replies as `interrupted`, and wait until they are stored."""
        self._is_draining = True
        for writer in self._writers.values():
            writer.drain()
        await self._all_idle.wait()

    def _check_running(self) -> None:
        if self._is_draining:
            raise ShuttingDown("The server is shutting down. Send this again in a moment.")

    def _watch_again(self, message: Message, watcher: Watcher) -> None:
        """Send a message and its reply to a client that retried the message."""
        watcher.put(frames.message(message))
        writer = self._writers.get(message.chat_id)
        if writer is not None and writer.watch(message, watcher):
            return
        with contextlib.suppress(StorageUnavailable):
            reply = self._tools.db.read(turns.reply_to, message)
            if reply is not None:
                watcher.put(frames.message(reply))
        watcher.end()

    # Writers

    @contextlib.contextmanager
    def _held_writer(self, user: User, chat_id: str) -> Iterator[None]:
        """Keep the chat's writer during a write, so that `stop` can reach it before the commit."""
        writer = self._writer(user, chat_id)
        writer.holders += 1
        try:
            yield
        finally:
            writer.holders -= 1
            self._discard_idle(writer)

    def _writer(self, user: User, chat_id: str) -> ReplyWriter:
        writer = self._writers.get(chat_id)
        if writer is None:
            writer = ReplyWriter(self._tools, user.id, chat_id, self._discard_idle)
            self._writers[chat_id] = writer
            self._all_idle.clear()
            if self._is_draining:
                writer.drain()
        return writer

    def _discard_idle(self, writer: ReplyWriter) -> None:
        if writer.is_idle and self._writers.get(writer.chat_id) is writer:
            del self._writers[writer.chat_id]
            if not self._writers:
                self._all_idle.set()
