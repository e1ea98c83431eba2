"""A turn: what the user says → durable → the reply, as it comes → durable.

One reply runs at a time in a chat. What the user says meanwhile is answered together by the next
one. Every frame is published after its fact is on the disk, in the order of the commits; the
callbacks of `Database.write` see to that. REST, SSE and the WebSocket are three doors to this path.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from assistant import PromptMessage
from assistant.directory import Directory
from assistant.events import Text
from core import coroutines, ids
from core.errors import (
    Conflict,
    ModelUnavailable,
    QuilliumError,
    ShuttingDown,
    StorageUnavailable,
)
from core.metrics import Metrics
from core.records import Message, Sender, Status, User
from core.times import rfc3339
from services import frames
from services.connections import ConnectionRegistry
from services.replies import Reply, Watcher
from services.settings import Settings
from services.turn import Turn
from storage import chats, turns
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
        connections: ConnectionRegistry,
        settings: Settings,
        directory: Directory,
        clock: Callable[[], float],
        measures: Metrics,
    ) -> None:
        self._db = db
        self._connections = connections
        self._settings = settings
        self._directory = directory
        self._clock = clock
        self._metrics = measures
        self._running: dict[str, Turn] = {}
        self._waiting: dict[str, Turn] = {}
        self._tasks: set[asyncio.Future[None]] = set()
        self._is_draining = False

    # What callers ask for

    async def submit(
        self,
        user: User,
        chat_id: str,
        content: str,
        client_id: str | None = None,
        watcher: Watcher | None = None,
    ) -> turns.Said:
        """Store what the user says and have it answered; `watcher` sees the frames of its turn.

        The same `client_id` again finds what was stored and starts nothing. Raises `NotFound`,
        `Conflict`, `StorageUnavailable`, `ShuttingDown`.
        """
        if self._is_draining:
            raise ShuttingDown("The server is going down. Send the message again in a moment.")

        wanted = self._db.read(chats.own_model, user.row_id, chat_id)
        now = rfc3339(self._clock())
        message = Message(
            0, ids.new("msg"), chat_id, content, "user", now, "complete", None, client_id
        )
        turn = reply = None
        if chat_id not in self._running:
            turn = self._running[chat_id] = Turn(user.id, chat_id)
            if self._directory.is_settled(wanted):  # then both are stored at once, and told at once
                reply = turns.NewReply(ids.new("msg"), self._resolve(wanted))

        def stored(said: turns.Said) -> turns.Said:
            self._stored(user, said, turn, watcher)
            return said

        def not_stored() -> None:
            if turn is not None:
                self._finish(turn)

        said: turns.Said = await self._db.write(
            turns.say,
            user.row_id,
            message,
            _opening_words(content),
            reply,
            on_commit=stored,
            on_rollback=not_stored,
        )
        return said

    def stop(self, user: User, chat_id: str) -> str | None:
        """Stop the running reply, keeping what was said; its id, None if none has begun.

        Raises `NotFound`.
        """
        self._db.read(chats.check, user.row_id, chat_id)
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
        wanted = self._db.read(chats.own_model, user.row_id, chat_id)
        if chat_id in self._running:
            raise Conflict("The reply is still being written. Stop it first.")
        reply = turns.NewReply(ids.new("msg"), self._resolve(wanted))
        turn = self._running[chat_id] = Turn(user.id, chat_id)
        begun: turns.Begun = await self._db.write(
            turns.begin_again,
            user.row_id,
            chat_id,
            reply,
            rfc3339(self._clock()),
            on_commit=lambda begun: self._begun(turn, begun),
            on_rollback=lambda: self._finish(turn),
        )
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
            and self._db.read(turns.is_being_written, turn.reply.message.id)
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

    def _stored(
        self, user: User, said: turns.Said, turn: Turn | None, watcher: Watcher | None
    ) -> None:
        """The user's message is durable: announce it and see that it gets its answer.

        `turn` is the one that was made for it, if none ran in its chat.
        """
        message = said.message
        frame = frames.message(message)
        if said.is_new:
            self._connections.publish(user.id, frame)
        if watcher is not None:
            watcher.put(frame)
        if said.change is not None:
            self._connections.publish(user.id, frames.chat(said.change))
        if not said.is_new:
            if turn is not None:
                self._finish(turn)
            answering = self._turn_that_answers(message)
        else:
            answering = turn or self._turn_for(user, message.chat_id)
        if answering is not None:
            answering.attach(message, watcher)
        elif watcher is not None:
            self._replay(message, watcher)
        if said.begun is not None and turn is not None:
            self._begun(turn, said.begun)
        elif answering is not None and self._is_next(answering):
            self._start(self._run(answering))

    def _turn_for(self, user: User, chat_id: str) -> Turn:
        """The turn that will answer a message that came while another one ran.

        A turn whose reply has not begun will find this message when it begins, because commits are
        announced in their order; one that has begun will not, so the next one does.
        """
        running = self._running.setdefault(chat_id, Turn(user.id, chat_id))
        if running.reply is None:
            return running
        return self._waiting.setdefault(chat_id, Turn(user.id, chat_id))

    def _is_next(self, turn: Turn) -> bool:
        return turn is self._running.get(turn.chat_id) and not turn.is_started

    def _turn_that_answers(self, message: Message) -> Turn | None:
        either = (self._running.get(message.chat_id), self._waiting.get(message.chat_id))
        return next((turn for turn in either if turn and message.id in turn.answers), None)

    def _replay(self, message: Message, watcher: Watcher) -> None:
        """Show the reply that a message got earlier, if it got one."""
        with contextlib.suppress(StorageUnavailable):
            reply = self._db.read(turns.reply_to, message)
            if reply is not None:
                frame = frames.message(reply)
                watcher.put(frame)
        watcher.end()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = coroutines.begin(work)
        if not task.done():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, turn: Turn) -> None:
        """Begin the reply to what was stored; the rest follows from `_begun`."""
        turn.is_started = True
        try:
            await self._directory.wait_for(self._db.read(chats.model_of, turn.chat_id))
            wanted = self._db.read(chats.model_of, turn.chat_id)  # it may be another by now
            begun = await self._db.write(
                turns.begin_reply,
                turn.chat_id,
                turns.NewReply(ids.new("msg"), self._resolve(wanted)),
                rfc3339(self._clock()),
                on_commit=lambda begun: self._begun(turn, begun),
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

    def _resolve(self, wanted: str) -> str:
        """The model that will really speak in a chat that asks for this one."""
        return self._directory.resolve(wanted, self._settings.admin()["default_model"])[1]

    def _begun(self, turn: Turn, begun: turns.Begun | None) -> turns.Begun | None:
        """The reply's row is there: say so, and speak."""
        if begun is None:
            return None
        turn.is_started = True

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
            await turn.speak(self._listen(turn, reply, answers))
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
        lines = [PromptMessage(sender, content) for sender, content in said]
        if admin["system_prompt"]:
            lines.insert(0, PromptMessage("system", admin["system_prompt"]))
        loop = asyncio.get_running_loop()
        stored_at = loop.time()
        async with contextlib.aclosing(provider.reply(lines, model)) as events:
            async for event in events:
                if not isinstance(event, Text):
                    continue
                now = loop.time()
                if not reply.has_begun:
                    self._metrics.time_to_first_token(now - turn.asked_at)
                reply.say(event.text)
                if now >= stored_at + CHECKPOINT_SECONDS:
                    with contextlib.suppress(StorageUnavailable):  # the end is tried until it works
                        await self._db.write(turns.checkpoint, reply.message.id, reply.text())
                    stored_at = now

    async def _said_until(self, answers: Message, characters: int) -> list[tuple[Sender, str]]:
        """What was said up to a message: read at once if that is little, as it mostly is."""
        said = self._db.read(turns.said_until, answers, characters, _SHORT_CONVERSATION)
        if said is None:
            said = await self._db.read_in_pool(turns.said_until, answers, characters)
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
                self._metrics.reply_ended(status)
                self._publish(turn, frames.message(message))
            self._finish(turn)

        while not turn.is_abandoned:
            try:
                await self._db.write(
                    turns.end_reply,
                    reply.message,
                    reply.text(),
                    status,
                    error,
                    rfc3339(self._clock()),
                    on_commit=ended,
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
