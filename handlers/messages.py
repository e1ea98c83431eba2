"""`/chats/{id}/messages`, their versions, and stopping and regenerating replies.

Contract, section 6.
"""

from __future__ import annotations

from typing import Any

from tornado.iostream import StreamClosedError

from core.errors import InvalidRequest
from services.uploads import attached_ids
from services.watchers import Watcher
from storage import messages, versions
from web.accept import prefers_event_stream
from web.base import BaseHandler
from web.events import event

KEEPALIVE_SECONDS = 15.0  # proxies close connections that are idle for longer


class Messages(BaseHandler):
    async def get(self, id: str) -> None:
        limit, offset = self.page_bounds()
        order = self.parameter("order")
        if order not in (None, "asc", "desc"):
            raise InvalidRequest("order: expected asc or desc")
        user, newest_first = self.known_caller.user.row_id, order == "desc"
        anchor = self._anchor()
        if anchor is None:
            page = await self.read_page(
                offset, messages.page, user, id, limit, offset, newest_first
            )
        else:
            page, offset = await self.services.db.read_in_pool(
                messages.page_beside, user, id, *anchor, limit, newest_first
            )
        self.respond_json_page(page, limit, offset, order=order)

    def _anchor(self) -> tuple[messages.Side, str] | None:
        """Return which of `before`, `after` and `around` is given, and its message."""
        sides: tuple[messages.Side, ...] = ("before", "after", "around")
        given = [(side, id) for side in sides if (id := self.parameter(side)) is not None]
        if not given:
            return None
        if len(given) > 1 or self.parameter("offset") is not None:
            raise InvalidRequest("Use only one of before, after, around and offset.")
        return given[0]

    async def post(self, id: str) -> None:
        body = self.json_body(chat_id=id)
        if prefers_event_stream(self.request.headers.get("Accept", "")):
            await self._stream_turn(id, body)
            return
        added = await self.services.conversation.submit(
            self.known_caller.user,
            id,
            body["content"],
            body.get("client_id"),
            file_ids=attached_ids(body.get("attachments", [])),
            replaces=body.get("replaces"),
            is_from_page=self.is_from_page,
        )
        self.respond(added.message.public(), status=201 if added.is_new else 200)

    async def _stream_turn(self, id: str, body: dict[str, Any]) -> None:
        """Send each frame of the turn as an event; the reply goes on if the client disconnects."""
        watcher = Watcher()
        await self.services.conversation.submit(
            self.known_caller.user,
            id,
            body["content"],
            body.get("client_id"),
            watcher,
            file_ids=attached_ids(body.get("attachments", [])),
            replaces=body.get("replaces"),
            is_from_page=self.is_from_page,
        )
        self.start_event_stream()
        try:
            async for frame in watcher.frames(silence=KEEPALIVE_SECONDS):
                if frame:
                    self.count_event()
                self.write(event(frame.type, frame.encoded) if frame else b": \n\n")
                await self.flush()
        except StreamClosedError:
            pass
        finally:
            watcher.end()


class Stop(BaseHandler):
    def post(self, id: str) -> None:
        self.json_body()
        message_id = self.services.conversation.stop(self.known_caller.user, id)
        self.respond({"chat_id": id, "message_id": message_id})


class Regenerate(BaseHandler):
    async def post(self, id: str) -> None:
        body = self.json_body()
        message_id = await self.services.conversation.regenerate(
            self.known_caller.user,
            id,
            body.get("message_id"),
            body.get("model"),
            is_from_page=self.is_from_page,
        )
        self.respond({"chat_id": id, "message_id": message_id})


class OneMessage(BaseHandler):
    async def delete(self, id: str, message_id: str) -> None:
        await self.services.versions.delete(self.known_caller.user, id, message_id)
        self.respond_empty()


class Versions(BaseHandler):
    async def get(self, id: str, message_id: str) -> None:
        limit, offset = self.page_bounds()
        user = self.known_caller.user.row_id
        page = await self.read_page(offset, versions.page, user, id, message_id, limit, offset)
        self.respond_json_page(page, limit, offset)


class Select(BaseHandler):
    async def post(self, id: str, message_id: str) -> None:
        self.json_body()
        chat = await self.services.versions.select(self.known_caller.user, id, message_id)
        self.respond(chat.public())
