"""`/chats`: chats, search, export and import (contract, section 6)."""

from __future__ import annotations

import contextlib
import time
from functools import partial
from typing import Any

from tornado.iostream import StreamClosedError

from core import documents
from core.errors import InvalidRequest, NotFound, QuilliumError
from services import imports
from services.chats import markdown
from storage import chats
from web.accept import prefers_event_stream
from web.base import BaseHandler
from web.events import event

_REPORT_SECONDS = 0.25  # between two events of an import's progress


class Chats(BaseHandler):
    async def get(self) -> None:
        limit, offset = self.page_bounds()
        query, archived = self.parameter("q"), self.parameter("archived")
        if archived not in (None, "true", "false"):
            raise InvalidRequest("archived: expected true or false")
        is_archived = None if archived is None else archived == "true"
        user, db = self.known_caller.user.row_id, self.services.db
        if query and query.strip():
            find = partial(chats.find_with, archived=is_archived)
            page = await db.read_in_pool(find, user, query, limit, offset)
        else:
            list_page = partial(chats.page, archived=bool(is_archived))
            page = await self.read_page(offset, list_page, user, limit, offset)
        self.respond_json_page(page, limit, offset, q=query, archived=archived)

    async def post(self) -> None:
        added = await self.services.chats.create(self.known_caller.user, **self.json_body())
        self.respond(added.chat.public(), 201 if added.change else 200)


class OneChat(BaseHandler):
    def get(self, id: str) -> None:
        chat = self.services.db.read(chats.find, self.known_caller.user.row_id, id)
        self.respond(chat.public())

    async def patch(self, id: str) -> None:
        changes = self.json_body(id=id)
        chat = await self.services.chats.update(self.known_caller.user, id, changes)
        self.respond(chat.public())

    async def delete(self, id: str) -> None:
        await self.services.chats.delete(self.known_caller.user, id)
        self.respond_empty()


class Delete(BaseHandler):
    async def post(self) -> None:
        await self.services.chats.delete_all(self.known_caller.user, self.json_body()["ids"])
        self.respond_empty()


class _ExportHandler(BaseHandler):
    async def send_export(self, export: dict[str, Any]) -> None:
        """Send an export with the content of its files, of which one piece is in memory."""
        uploads, user = self.services.uploads, self.known_caller.user
        files, said = export.pop("files"), export.pop("messages")
        separator = documents.encoded(export)[:-1] + b',"files":['
        for file in files:
            found = uploads.find(user, file["id"])
            self.write(separator + documents.encoded(file)[:-1] + b',"content":"')
            for piece in uploads.in_base64(found.row_id):
                await self.send_chunk(piece)
            separator = b'"},'
        end = b'"}],"messages":' if files else separator + b'],"messages":'
        await self.send_chunk(end + documents.encoded(said) + b"}")


class ExportAll(_ExportHandler):
    async def get(self) -> None:
        """Send an export of each chat, one in a line, as the client takes them."""
        user = self.known_caller.user
        self.set_header("Content-Type", "application/x-ndjson; charset=utf-8")
        self.set_header("Content-Disposition", 'attachment; filename="quillium-chats.ndjson"')
        with contextlib.suppress(StreamClosedError):
            for id in self.services.db.read(chats.ids, user.row_id):
                try:
                    export = await self.services.chats.export(user, id)
                except NotFound:
                    continue  # deleted meanwhile
                await self.send_export(export)
                await self.send_chunk(b"\n")


class Export(_ExportHandler):
    async def get(self, id: str) -> None:
        given = self.parameter("format")
        form = "json" if given is None else given
        if form not in {"json", "markdown"}:
            raise InvalidRequest("format: expected json or markdown")
        export = await self.services.chats.export(self.known_caller.user, id)
        ending = "json" if form == "json" else "md"
        self.set_header("Content-Disposition", f'attachment; filename="{id}.{ending}"')
        if form == "json" and export["files"]:
            with contextlib.suppress(StreamClosedError):
                await self.send_export(export)
        elif form == "json":
            self.respond(export)
        else:
            self.set_header("Content-Type", "text/markdown; charset=utf-8")
            self.respond_bytes(markdown(export).encode())


class Import(BaseHandler):
    max_body = imports.MAX_BYTES
    keeps_body = True

    async def post(self) -> None:
        user, body = self.known_caller.user, self.request.body
        if not prefers_event_stream(self.request.headers.get("Accept", "")):
            added = await self.services.imports.run(user, body)
            self.respond(added.chat.public(), 201 if added.change else 200)
            return
        try:
            added = await self.services.imports.run(user, body, self._report)
        except QuilliumError as error:
            if not self._headers_written:
                raise
            await self._send("error", self.envelope(error))
        else:
            await self._send("chat", added.chat.public())

    async def _report(self, share: float, count: int) -> None:
        now = time.monotonic()
        if now > self._reported_at + _REPORT_SECONDS:
            self._reported_at = now
            await self._send("progress", {"share": round(share, 3), "messages": count})

    async def _send(self, name: str, data: dict[str, Any]) -> None:
        """Send an event. A client that left changes nothing: the import goes on."""
        if not self._headers_written:
            self.start_event_stream()
        self.write(event(name, documents.encoded(data)))
        with contextlib.suppress(StreamClosedError):
            await self.flush()

    _reported_at = 0.0
