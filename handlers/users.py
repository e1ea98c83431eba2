"""`/users`: the caller's own account and API keys (contract, sections 4 and 5)."""

from __future__ import annotations

from core.errors import Forbidden, InvalidRequest
from storage import api_keys
from web.base import BaseHandler


class Me(BaseHandler):
    def get(self) -> None:
        self.respond(self.known_caller.user.public())

    async def put(self) -> None:
        user = self.known_caller.user
        changes = self.json_body(id=user.id, is_admin=user.is_admin, created_at=user.created_at)
        if changes.get("email") == user.email:
            del changes["email"]  # a profile that was sent back as it came
        if "email" in changes and "current_password" not in changes:
            raise InvalidRequest("current_password: is required to change email")
        if self.known_caller.session_id is None and {"email", "password"} & changes.keys():
            raise Forbidden("An API key may not change e-mail or password; log in instead.")
        updated = await self.services.accounts.update(self.known_caller, changes, self.client)
        self.respond(updated.public())


class ApiKeys(BaseHandler):
    def get(self) -> None:
        limit, offset = self.page_bounds()
        page = self.services.db.read(api_keys.page, self.known_caller.user.row_id, limit, offset)
        self.respond_page(page, limit, offset)

    async def post(self) -> None:
        name = self.json_body().get("name")
        self.respond(await self.services.accounts.create_api_key(self.known_caller.user, name))


class OneApiKey(BaseHandler):
    async def delete(self, id: str) -> None:
        await self.services.accounts.revoke_api_key(self.known_caller.user, id)
        self.respond_empty()
