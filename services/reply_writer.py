"""Write the replies of one chat, from begin to end.

Each chat with pending work has one coroutine, `ReplyWriter.run`. It writes one reply at a time:
begin (store its row), stream (publish its deltas), end (store and publish its text). Messages that
are stored meanwhile are answered together by the next reply.

Stored facts are published after their commit, in commit order: `on_commit` callbacks call
`add_message`, `add_reply` and `abandon`. Stop, deletion of the chat, drain and provider failure
take the same path and differ only in the reason for the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from assistant import Parameters
from assistant.directory import Directory
from assistant.events import End, ReplyEvent, Text, ToolCall
from core import ids
from core.errors import ModelUnavailable, NotFound, QuilliumError, StorageUnavailable
from core.metrics import Metrics
from core.records import Message, Status
from core.times import CalendarClock, rfc3339
from services import frames
from services.connections import ConnectionRegistry
from services.endings import Ending, broken_off, ended
from services.prompts import Prompts
from services.replies import Position, Reply
from services.settings import Settings
from services.titles import Titles
from services.turn import ReplyState, Turn
from services.watchers import Watcher
from storage import chats, turns
from storage.database import Database

CHECKPOINT_SECONDS = 1.0  # of a reply that a crash can lose
_RETRY_SECONDS = 1.0
PAGE_PACE = 60  # tokens a second of `quillium-demo`, for readers (contract, section 8)

_UNSTORABLE = ModelUnavailable("The model sent text that can't be stored.").public()

log = logging.getLogger("quillium.replies")


class Tools(NamedTuple):
    """The services that every writer uses. `clock` returns epoch seconds."""

    db: Database
    connections: ConnectionRegistry
    settings: Settings
    directory: Directory
    clock: CalendarClock
    metrics: Metrics
    prompts: Prompts
    titles: Titles
    demo_pace: int | None = None  # tokens a second, for all clients

    def new_reply(self, requested_model: str) -> turns.NewReply:
        """Return an id for the next reply, and the resolved model that will write it."""
        default = self.settings.admin()["default_model"]
        return turns.NewReply(ids.new("msg"), self.directory.resolve(requested_model, default)[1])

    def now(self) -> str:
        return rfc3339(self.clock())


class ReplyWriter:
    """Writes the replies of one chat; calls `on_idle` when there is nothing left to answer."""

    def __init__(
        self, tools: Tools, user_id: str, chat_id: str, on_idle: Callable[[ReplyWriter], None]
    ) -> None:
        self.user_id = user_id
        self.chat_id = chat_id
        self.holders = 0  # requests whose pending write may add work
        self._tools = tools
        self._on_idle = on_idle
        self._turns: deque[Turn] = deque()  # the first turn's reply is in progress
        self._task: asyncio.Task[None] | None = None
        self._cut_next: Status | None = None  # a stop that arrived before there was a turn
        self._is_draining = False

    # Called after commits, in commit order

    def add_message(
        self, stored: turns.Stored, watcher: Watcher | None, *, is_from_page: bool = False
    ) -> None:
        """Publish a new message and start its reply; `watcher` receives the frames of its turn."""
        turn = self._open_turn()
        turn.is_from_page |= is_from_page
        turn.answers.add(stored.message.id)
        turn.begun = stored.begun  # first, so that a failing publication can't prevent the reply
        watchers = [] if watcher is None else [watcher]
        turn.watchers += watchers
        self._publish(frames.message(stored.message), watchers)
        if stored.change is not None:
            self._publish(frames.chat(stored.change))
        self._set_begun(turn, stored.begun)

    def add_reply(self, begun: turns.Begun, *, is_from_page: bool = False) -> None:
        """Write a regenerated reply, whose row is already stored."""
        turn = self._open_turn()
        turn.is_from_page |= is_from_page
        self._set_begun(turn, begun)

    def abandon(self) -> None:
        """Stop publishing because the chat was deleted, and notify its watchers."""
        for turn in self._turns:
            self._publish_gone(turn)

    # Called by requests

    def stop(self) -> str | None:
        """Stop the current or pending reply; return its id, or None if it has none yet."""
        if not self._turns:
            self._cut_next = "stopped"
            return None
        turn = self._turns[0]
        turn.cut_short("stopped")
        return turn.begun.message.id if turn.begun else None

    def drain(self) -> None:
        """End the current reply as `interrupted`, and begin no further replies."""
        self._is_draining = True
        for turn in self._turns:
            turn.cut_short("interrupted")

    def watch(self, message: Message, watcher: Watcher) -> bool:
        """Attach a late watcher to the turn that answers a message; False if there is none."""
        for turn in self._turns:
            if message.id in turn.answers and turn.state is not ReplyState.OVER:
                turn.watchers.append(watcher)
                if turn.reply is not None:
                    for frame in turn.reply.since(Position()):
                        watcher.put(frame)
                return True
        return False

    def streamed(self) -> Reply | None:
        """Return the current reply once it is streaming, else None."""
        turn = self._turns[0] if self._turns else None
        is_streamed = turn and turn.state in (ReplyState.STREAMING, ReplyState.ENDING)
        return turn.reply if turn and is_streamed else None

    @property
    def is_idle(self) -> bool:
        return self._task is None and not self.holders

    # Writing a reply

    async def run(self) -> None:
        """Write one reply after another until nothing is left to answer."""
        try:
            while self._turns:
                await self._write(self._turns[0])
                self._turns.popleft()
        finally:
            for turn in self._turns:  # left only if this coroutine was cancelled
                turn.enter(ReplyState.OVER)
            self._turns.clear()
            self._task = None
            self._on_idle(self)

    async def _write(self, turn: Turn) -> None:
        """Begin, stream and end one reply."""
        try:
            begun = await self._begin(turn)
            if begun is not None:
                reply = turn.reply = Reply(begun.message, self._publish_delta, self._tools.clock)
                turn.enter(ReplyState.STREAMING)
                ending = await self._stream(turn, reply, begun)
                turn.enter(ReplyState.ENDING)
                await self._end(turn, reply, ending)
        except Exception as error:
            if not isinstance(error, QuilliumError):
                log.exception("a reply could not be written")
            known = error if isinstance(error, QuilliumError) else ModelUnavailable()
            self._publish(frames.error(known, chat_id=self.chat_id), turn.watchers)
        finally:
            turn.enter(ReplyState.OVER)

    async def _begin(self, turn: Turn) -> turns.Begun | None:
        """Store the reply's row unless the message's commit did. Return None if there is no reply.

        Raises `StorageUnavailable`, unless the commit of a later message has begun the reply.
        """
        try:
            await self._store_beginning(turn)
        except Exception:
            if turn.begun is None:
                raise
        return None if turn.state is ReplyState.OVER else turn.begun

    async def _store_beginning(self, turn: Turn) -> None:
        """Wait for providers whose models are still being listed, then store the reply's row."""
        tools = self._tools
        if turn.begun is None and not self._is_draining:
            await tools.directory.wait_for(tools.db.read(chats.model_of, self.chat_id))
        if turn.begun is None and not self._is_draining:
            model = tools.db.read(chats.model_of, self.chat_id)  # may have changed meanwhile
            await tools.db.write(
                turns.begin_reply,
                self.chat_id,
                tools.new_reply(model),
                tools.now(),
                on_commit=partial(self._set_begun, turn),
            )

    async def _stream(self, turn: Turn, reply: Reply, begun: turns.Begun) -> Ending:
        """Stream the reply from its provider; return its ending."""
        ending = Ending("complete")
        try:
            async with asyncio.timeout(None) as turn.streaming:
                if turn.cut is None:
                    reply.announce()
                    ending = await self._listen(turn, reply, begun)
        except QuilliumError as error:
            ending = Ending("failed", error)
        except Exception:
            if turn.cut is None:
                log.exception("the provider of %s failed", reply.message.model)
            ending = broken_off()
        reply.flush()
        return ending if turn.cut is None else Ending(turn.cut)

    async def _listen(self, turn: Turn, reply: Reply, begun: turns.Begun) -> Ending:
        """Send the prompt to the provider of the reply's model, and follow its events."""
        tools, admin = self._tools, self._tools.settings.admin()
        provider, model = tools.directory.resolve(
            reply.message.model or "", admin["default_model"], begun.answers.content
        )
        pace = PAGE_PACE if turn.is_from_page else 0
        parameters = Parameters(
            **json.loads(begun.instructions.parameters),
            tokens_per_second=pace if tools.demo_pace is None else tools.demo_pace,
        )
        characters = provider.memory(model)
        async with tools.prompts.built(admin["system_prompt"], begun, characters) as prompt:
            return await self._follow(turn, reply, provider.reply(prompt, model, parameters))

    async def _follow(
        self, turn: Turn, reply: Reply, replied: AsyncGenerator[ReplyEvent, None]
    ) -> Ending:
        """Publish a provider's events, and store the text once a second in case of a crash."""
        tools, loop = self._tools, asyncio.get_running_loop()
        tool_names: list[str] = []
        stored_at = loop.time()
        async with contextlib.aclosing(replied) as events:
            async for event in events:
                if isinstance(event, End):
                    return ended(event, reply.text(), reply.reasoning(), tool_names)
                if isinstance(event, ToolCall):
                    tool_names += [event.name] if event.name else []
                    continue
                now = loop.time()
                if not reply.has_begun:
                    tools.metrics.time_to_first_token(now - turn.requested_at)
                if isinstance(event, Text):
                    reply.add(event.text)
                else:
                    reply.add_reasoning(event.text)
                if now >= stored_at + CHECKPOINT_SECONDS:
                    await self._checkpoint(reply)
                    stored_at = now
        return broken_off()

    async def _checkpoint(self, reply: Reply) -> None:
        with contextlib.suppress(StorageUnavailable):  # the final write is retried instead
            await self._tools.db.write(
                turns.checkpoint, reply.message.id, reply.text(), reply.reasoning()
            )

    async def _end(self, turn: Turn, reply: Reply, ending: Ending) -> None:
        """Store the end of a reply; retry while the storage is unavailable."""
        message = replace(
            reply.message,
            content=reply.text(),
            reasoning=reply.reasoning(),
            status=ending.status,
            error=None if ending.error is None else ending.error.public(),
            finish_reason=ending.finish_reason,
            usage=ending.usage,
        )
        while turn.state is ReplyState.ENDING:
            message = replace(message, timestamp=self._tools.now())
            publish = partial(self._publish_end, turn)
            try:
                await self._tools.db.write(turns.end_reply, message, on_commit=publish)
                return
            except StorageUnavailable:
                if self._is_draining:  # the next start marks the reply as `interrupted`
                    return
                await asyncio.sleep(_RETRY_SECONDS)
            except Exception:
                if message.error == _UNSTORABLE:
                    raise
                log.exception("a reply could not be stored")  # an unended reply blocks its chat
                message = replace(reply.message, status="failed", error=_UNSTORABLE)

    def _open_turn(self) -> Turn:
        """Return the turn that will answer messages stored now; create it if needed.

        A reply answers all messages that were committed before its row, so the last turn stays open
        until then. The writing task starts only after the calling callback has published.
        """
        if not self._turns or self._turns[-1].begun is not None:
            turn = Turn(asyncio.get_running_loop().time())
            self._turns.append(turn)
            if self._is_draining:
                turn.cut_short("interrupted")
            elif self._cut_next is not None:
                turn.cut_short(self._cut_next)
            self._cut_next = None
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self.run())
        return self._turns[-1]

    # Publishing

    def _set_begun(self, turn: Turn, begun: turns.Begun | None) -> None:
        """Publish that the assistant has read the messages, once the reply's row is stored."""
        if begun is not None:
            turn.begun = begun
            self._publish(frames.read(begun.read), turn.watchers)
            if begun.change is not None:
                self._publish(frames.chat(begun.change))

    def _publish_delta(self, reply: Reply, frame: frames.Frame) -> None:
        self._publish(frame, self._turns[0].watchers, reply)

    def _publish_end(self, turn: Turn, message: Message | None) -> None:
        """Publish the stored end of a reply; None means that the chat was deleted before it."""
        if message is None:
            self._publish_gone(turn)
            return
        self._tools.metrics.reply_ended(message.status)
        self._publish(frames.message(message), turn.watchers)
        turn.enter(ReplyState.OVER)
        if turn.begun is not None and not self._is_draining:
            self._tools.titles.begin(self.user_id, turn.begun.answers, message)

    def _publish_gone(self, turn: Turn) -> None:
        if turn.state is not ReplyState.OVER:
            for watcher in turn.watchers:
                watcher.put(frames.error(NotFound("chat"), chat_id=self.chat_id))
            turn.cut_short("stopped")
            turn.enter(ReplyState.OVER)

    def _publish(
        self, frame: frames.Frame, watchers: Iterable[Watcher] = (), reply: Reply | None = None
    ) -> None:
        self._tools.connections.publish(self.user_id, frame, reply)
        for watcher in watchers:
            watcher.put(frame)
