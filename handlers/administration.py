"""`/users`: user administration for admins, without users' content (contract, section 4)."""

from __future__ import annotations

from typing import Any

from core.records import User
from services.sign_in_codes import CODE_SECONDS
from web.base import BaseHandler


class AdministrationHandler(BaseHandler):
    async def link_to(self, user: User) -> dict[str, Any]:
        """Create a one-time sign-in code for the account, and respond with a link to the page."""
        code = await self.services.administration.link(user, self.client)
        assert self.admission is not None
        link = f"{self.admission.own_origin}{self.base_path}/#code={code}"
        return {"code": code, "link": link, "expires_in": CODE_SECONDS}


class Users(AdministrationHandler):
    async def get(self) -> None:
        limit, offset = self.page_bounds()
        query = self.parameter("q")
        page = await self.services.administration.page(query or "", limit, offset)
        self.respond_page(page, limit, offset, q=query)

    async def post(self) -> None:
        body = self.json_body()
        user = await self.services.administration.create(
            body["email"], body.get("name"), body.get("is_admin", False), self.client
        )
        self.respond({"user": user.public(), **await self.link_to(user)})


class OneUser(AdministrationHandler):
    async def patch(self, id: str) -> None:
        changes = self.json_body()
        user = self.services.administration.find(id)
        changed = await self.services.administration.change(user, changes, self.client)
        self.respond(changed.public())

    async def delete(self, id: str) -> None:
        user = self.services.administration.find(id)
        await self.services.administration.delete(user, self.client)
        self.respond_empty()


class UserLink(AdministrationHandler):
    async def post(self, id: str) -> None:
        self.json_body()
        user = self.services.administration.find(id)
        self.respond(await self.link_to(user))
