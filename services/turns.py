"""A turn: what the user says → durable → the reply, as it comes → durable.

One reply runs at a time in a chat. What the user says meanwhile is answered together by the next
one. Every frame is published after its fact is on the disk, in the order of the commits; the
callbacks of `Database.write` see to that. REST, SSE and the WebSocket are three doors to this path.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

from assistant import Line
from assistant.directory import Directory
from core import ids
from core.errors import (
    Conflict,
    ModelUnavailable,
    QuilliumError,
    ShuttingDown,
    StorageUnavailable,
)
from core.measures import Measures
from core.records import ChatChange, Message, Status, User
from core.times import rfc3339
from services import frames
from services.connections import Connections
from services.replies import Reply, Watcher
from services.settings import Settings
from services.turn import Turn
from storage import chats, messages
from storage.connection import Connection
from storage.database import Database

CHECKPOINT_SECONDS = 1.0  # of a reply that a crash may cost
_RETRY_SECONDS = 1.0
_SHORT_CONVERSATION = 50  # messages; read in a tenth of a millisecond
_TITLE_CHARACTERS = 60

log = logging.getLogger("quillium.turns")


class Turns:
    """The turns that run and wait, at most one of each in a chat."""

    def __init__(
        self,
        db: Database,
        connections: Connections,
        settings: Settings,
        directory: Directory,
        clock: Callable[[], float],
        measures: Measures,
    ) -> None:
        self._db = db
        self._connections = connections
        self._settings = settings
        self._directory = directory
        self._clock = clock
        self._measures = measures
        self._running: dict[str, Turn] = {}
        self._waiting: dict[str, Turn] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_draining = False

    # What callers ask for

    async def submit(
        self,
        user: User,
        chat_id: str,
        content: str,
        client_id: str | None = None,
        watcher: Watcher | None = None,
    ) -> messages.Added:
        """Store what the user says and have it answered; `watcher` sees the frames of its turn.

        The same `client_id` again finds what was stored and starts nothing. Raises `NotFound`,
        `Conflict`, `StorageUnavailable`, `ShuttingDown`.
        """
        if self._is_draining:
            raise ShuttingDown("The server is going down. Send the message again in a moment.")

        id, now = ids.new("msg"), rfc3339(self._clock())

        def add(connection: Connection) -> tuple[messages.Added, ChatChange | None]:
            title = _opening_words(content)
            added = messages.add(
                connection, user.number, chat_id, id, content, client_id, title, now
            )
            if added.change is None:
                return added, None
            chat = chats.find(connection, user.number, chat_id)
            return added, ChatChange(chat_id, chat, added.change)

        def stored(outcome: tuple[messages.Added, ChatChange | None]) -> messages.Added:
            added, change = outcome
            self._stored(user, added, watcher)
            if change is not None:
                self._connections.publish(user.id, frames.chat(change))
            return added

        added: messages.Added = await self._db.write(add, then=stored)
        return added

    def stop(self, user: User, chat_id: str) -> str | None:
        """Stop the running reply, keeping what was said; its id, None if none has begun.

        Raises `NotFound`.
        """
        self._db.read(chats.check, user.number, chat_id)
        turn = self._running.get(chat_id)
        if turn is None:
            return None
        turn.end_early("stopped")
        return turn.reply.message.id if turn.reply else None

    async def regenerate(self, user: User, chat_id: str) -> str:
        """Replace the last reply, or give the one that never came; its id.

        Raises `NotFound`, `Conflict`, `StorageUnavailable`, `ShuttingDown`.
        """
        if self._is_draining:
            raise ShuttingDown("The server is going down. Try again in a moment.")
        self._db.read(chats.check, user.number, chat_id)
        if chat_id in self._running:
            raise Conflict("The reply is still being written. Stop it first.")
        turn = self._running[chat_id] = Turn(user.id, chat_id)
        model = self._model_of(chat_id)
        now = rfc3339(self._clock())
        try:
            begun: messages.Begun = await self._db.write(
                messages.begin_again,
                user.number,
                chat_id,
                ids.new("msg"),
                model,
                now,
                then=lambda begun: self._begun(turn, begun),
            )
        except BaseException as error:
            if turn.reply is None:
                self._finish(turn, error if isinstance(error, QuilliumError) else None)
            raise
        return begun.message.id

    def under_way(self, user_id: str) -> list[Reply]:
        """What is being said to a user just now, for a socket that joins in the middle.

        Not a reply whose end is durable but not announced yet: the socket may have seen it.
        """
        return [
            turn.reply
            for turn in self._running.values()
            if turn.user_id == user_id
            and turn.reply is not None
            and self._db.read(messages.is_being_written, turn.reply.message.id)
        ]

    def count_running(self) -> int:
        """How many replies are being written, or are about to."""
        return len(self._running)

    def forget(self, chat_id: str) -> None:
        """The chat is gone: its reply ends, and what waited for it is told so."""
        for turn in (self._running.get(chat_id), self._waiting.get(chat_id)):
            if turn is not None:
                turn.is_abandoned = True
                turn.end_early("stopped")

    async def drain(self) -> None:
        """End all replies as `interrupted`, and wait until that is stored."""
        self._is_draining = True
        for turn in self._running.values():
            turn.end_early("interrupted")
        while self._tasks:
            await asyncio.wait(self._tasks)

    # The way of a turn

    def _stored(self, user: User, added: messages.Added, watcher: Watcher | None) -> None:
        """The user's message is durable: announce it and see that it gets its answer."""
        message, is_new = added.message, added.is_new
        frame = frames.message(message)
        if is_new:
            self._connections.publish(user.id, frame)
        if watcher is not None:
            watcher.put(frame)
        turn = self._turn_for(user, message) if is_new else self._turn_that_answers(message)
        if turn is not None:
            turn.attach(message, watcher)
        elif watcher is not None:
            self._replay(message, watcher)

    def _turn_for(self, user: User, message: Message) -> Turn:
        """The turn that will answer a new message.

        A turn whose reply has not begun will find this message when it begins, because commits are
        announced in their order; one that has begun will not, so the next one does.
        """
        chat_id = message.chat_id
        running = self._running.get(chat_id)
        if running is None:
            running = self._running[chat_id] = Turn(user.id, chat_id)
            self._start(self._run(running))
        elif running.reply is not None:
            return self._waiting.setdefault(chat_id, Turn(user.id, chat_id))
        return running

    def _turn_that_answers(self, message: Message) -> Turn | None:
        turns = (self._running.get(message.chat_id), self._waiting.get(message.chat_id))
        return next((turn for turn in turns if turn and message.id in turn.answers), None)

    def _replay(self, message: Message, watcher: Watcher) -> None:
        """Show the reply that a message got earlier, if it got one."""
        with contextlib.suppress(StorageUnavailable):
            reply = self._db.read(messages.reply_to, message)
            if reply is not None:
                frame = frames.message(reply)
                watcher.put(frame)
        watcher.end()

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, turn: Turn) -> None:
        """Begin the reply to what was stored; the rest follows from `_begun`."""
        try:
            await self._directory.wait_for(self._db.read_one(chats.model_of, turn.chat_id))
            begun = await self._db.write(
                messages.begin_reply,
                turn.chat_id,
                ids.new("msg"),
                self._model_of(turn.chat_id),
                rfc3339(self._clock()),
                then=lambda begun: self._begun(turn, begun),
            )
        except Exception as error:
            if not isinstance(error, QuilliumError):
                log.exception("a reply could not begin")
            known = error if isinstance(error, QuilliumError) else ModelUnavailable()
            self._finish(turn, known)
        else:
            if begun is None:  # the chat was deleted before its reply could begin
                turn.is_abandoned = True
                self._finish(turn)

    def _model_of(self, chat_id: str) -> str:
        """The model that will really speak in this chat."""
        wanted = self._db.read_one(chats.model_of, chat_id)
        return self._directory.resolve(wanted, self._settings.admin()["default_model"])[1]

    def _begun(self, turn: Turn, begun: messages.Begun | None) -> messages.Begun | None:
        """The reply's row is there: say so, and speak."""
        if begun is None:
            return None

        def publish(reply: Reply, frame: frames.Frame) -> None:
            self._publish(turn, frame, reply)

        turn.reply = Reply(begun.message, publish, self._clock)
        self._publish(turn, frames.read(begun.read))
        turn.reply.announce()
        self._start(self._speak(turn, turn.reply, begun.answers))
        return begun

    async def _speak(self, turn: Turn, reply: Reply, answers: Message) -> None:
        """Have the provider speak; store and announce how it ended."""
        status: Status = "complete"
        error = None
        try:
            await turn.speak(asyncio.ensure_future(self._listen(turn, reply, answers)))
            status = turn.cut or status
        except QuilliumError as cause:
            status, error = "failed", cause.public()
        except Exception:
            log.exception("the provider of %s failed", reply.message.model)
            status, error = "failed", ModelUnavailable("The model broke off.").public()
        reply.flush()
        await self._end(turn, reply, status, error)

    async def _listen(self, turn: Turn, reply: Reply, answers: Message) -> None:
        """Pass on what the provider says, and keep it safe once a second."""
        model = reply.message.model
        assert model is not None
        admin = self._settings.admin()
        provider, model = self._directory.resolve(model, admin["default_model"])
        said = await self._said_until(answers, provider.memory(model))
        lines = [Line(line.sender, line.content) for line in said]
        if admin["system_prompt"]:
            lines.insert(0, Line("system", admin["system_prompt"]))
        loop = asyncio.get_running_loop()
        stored_at = loop.time()
        async with contextlib.aclosing(provider.reply(lines, model)) as pieces:
            async for piece in pieces:
                if not reply.has_begun:
                    self._measures.first_text(loop.time() - turn.asked_at)
                reply.say(piece)
                if loop.time() >= stored_at + CHECKPOINT_SECONDS:
                    with contextlib.suppress(StorageUnavailable):  # the end is tried until it works
                        await self._db.write(messages.checkpoint, reply.message.id, reply.text())
                    stored_at = loop.time()

    async def _said_until(self, answers: Message, characters: int) -> list[messages.Said]:
        """What was said up to a message: read at once if that is little, as it mostly is."""
        said = self._db.read_one(messages.said_until, answers, characters, _SHORT_CONVERSATION)
        if said is None:
            said = await self._db.read_in_pool(messages.said_until, answers, characters)
        assert said is not None
        return said

    async def _end(
        self, turn: Turn, reply: Reply, status: Status, error: dict[str, str] | None
    ) -> None:
        """Store the end of a reply, however long the disk takes to come back."""

        def ended(message: Message | None) -> None:
            if message is None:
                turn.is_abandoned = True
            else:
                self._measures.reply_ended(status)
                self._publish(turn, frames.message(message))
            self._finish(turn)

        while not turn.is_abandoned:
            try:
                await self._db.write(
                    messages.end_reply,
                    reply.message.id,
                    reply.text(),
                    status,
                    error,
                    rfc3339(self._clock()),
                    then=ended,
                )
                return
            except StorageUnavailable:
                if self._is_draining:  # the next start marks it `interrupted`
                    break
                await asyncio.sleep(_RETRY_SECONDS)
        self._finish(turn)

    def _finish(self, turn: Turn, error: QuilliumError | None = None) -> None:
        """The turn is over: let its watchers go, and answer what came meanwhile."""
        if error is not None and turn.answers:
            self._publish(turn, frames.error(error, chat_id=turn.chat_id))
        turn.let_watchers_go()
        if turn.reply is not None:
            turn.reply.is_over = True
        del self._running[turn.chat_id]
        following = self._waiting.pop(turn.chat_id, None)
        if following is None:
            return
        if following.is_abandoned or self._is_draining:
            following.let_watchers_go()
        else:
            self._running[turn.chat_id] = following
            self._start(self._run(following))

    def _publish(self, turn: Turn, frame: frames.Frame, reply: Reply | None = None) -> None:
        self._connections.publish(turn.user_id, frame, reply)
        for watcher in turn.watchers:
            watcher.put(frame)


def _opening_words(content: str) -> str:
    """The title of a chat that was given none: the first words of its first message."""
    line = " ".join(content.split())
    if len(line) <= _TITLE_CHARACTERS:
        return line
    words = line[:_TITLE_CHARACTERS].rpartition(" ")[0]
    return (words or line[: _TITLE_CHARACTERS - 1]) + "…"
