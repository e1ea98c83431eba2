"""`/users`: the caller's own account and API keys (contract, sections 4 and 5)."""

from __future__ import annotations

from core.errors import Forbidden
from core.identity import normalized_email
from web.base import BaseHandler


class Me(BaseHandler):
    def get(self) -> None:
        self.respond(self.known_caller.user.public())

    async def put(self) -> None:
        user = self.known_caller.user
        changes = self.json_body(id=user.id, is_admin=user.is_admin, created_at=user.created_at)
        if changes.get("email") == normalized_email(user.email):
            del changes["email"]  # unchanged fields of a profile that was sent back
        if self.known_caller.session_id is None and {"email", "password"} & changes.keys():
            raise Forbidden("An API key may not change e-mail or password; log in instead.")
        updated = await self.services.accounts.update(self.known_caller, changes, self.client)
        self.respond(updated.public())

    async def delete(self) -> None:
        given = self.json_body()["current_password"]
        await self.services.accounts.delete(self.known_caller, given, self.client)
        self.respond_empty()


class ApiKeys(BaseHandler):
    def get(self) -> None:
        limit, offset = self.page_bounds()
        page = self.services.api_keys.page(self.known_caller.user, limit, offset)
        self.respond_page(page, limit, offset)

    async def post(self) -> None:
        body = self.json_body()
        created = await self.services.api_keys.create(
            self.known_caller.user, body.get("name"), body.get("expires_in_days"), self.client
        )
        self.respond(created)


class OneApiKey(BaseHandler):
    async def delete(self, id: str) -> None:
        await self.services.api_keys.revoke(self.known_caller.user, id, self.client)
        self.respond_empty()
