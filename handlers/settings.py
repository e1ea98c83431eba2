"""`/settings`: the user's and the server's settings (contract, section 5)."""

from __future__ import annotations

from web.base import BaseHandler


class UserSettings(BaseHandler):
    def get(self) -> None:
        self.respond(self.services.settings.of_user(self.known_caller.user))

    async def put(self) -> None:
        changes = self.json_body()
        self.respond(await self.services.settings.update_of_user(self.known_caller.user, changes))


class AdminSettings(BaseHandler):
    def get(self) -> None:
        self.respond(self.services.settings.of_admin())

    async def put(self) -> None:
        self.respond(await self.services.settings.update_of_admin(self.json_body()))
