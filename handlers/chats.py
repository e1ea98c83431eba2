"""`/chats`: chats, search, export and import (contract, section 6)."""

from __future__ import annotations

from core.errors import InvalidRequest
from services.chats import markdown
from storage import chats
from web.base import BaseHandler


class Chats(BaseHandler):
    async def get(self) -> None:
        limit, offset = self.page_bounds()
        query = self.parameter("q")
        user, db = self.known_caller.user.row_id, self.services.db
        if query and query.strip():
            page = await db.read_in_pool(chats.find_with, user, query, limit, offset)
        else:
            page = await self.read_page(offset, chats.page, user, limit, offset)
        self.respond_json_page(page, limit, offset, q=query)

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


class Export(BaseHandler):
    async def get(self, id: str) -> None:
        form = self.parameter("format") or "json"
        if form not in {"json", "markdown"}:
            raise InvalidRequest("format: expected json or markdown")
        export = await self.services.chats.export(self.known_caller.user, id)
        ending = "json" if form == "json" else "md"
        self.set_header("Content-Disposition", f'attachment; filename="{id}.{ending}"')
        if form == "json":
            self.respond(export)
        else:
            self.set_header("Content-Type", "text/markdown; charset=utf-8")
            self.respond_bytes(markdown(export).encode())


class Import(BaseHandler):
    async def post(self) -> None:
        chat = await self.services.chats.import_(self.known_caller.user, self.json_body())
        self.respond(chat.public())
