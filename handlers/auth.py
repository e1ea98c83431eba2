"""`/auth`: register, login, refresh, logout (contract, section 4)."""

from __future__ import annotations

from web.base import BaseHandler
from web.operations import Access


class Register(BaseHandler):
    async def post(self) -> None:
        body = self.json_body()
        self.respond(
            await self.services.accounts.register(
                body["email"], body["password"], body.get("name"), self.client
            )
        )


class Login(BaseHandler):
    async def post(self) -> None:
        body = self.json_body()
        tokens = await self.services.accounts.login(
            body["email"], body["password"], self.client, self.caller
        )
        self.respond(tokens)


class Refresh(BaseHandler):
    async def post(self) -> None:
        body = self.json_body()
        self.respond(await self.services.accounts.refresh(body["refresh_token"], self.client))


class Logout(BaseHandler):
    async def post(self) -> None:
        body = self.json_body()
        if "refresh_token" in body:
            caller = self.services.accounts.caller_of_refresh_token(body["refresh_token"])
        else:
            self.authorize(Access.SESSION)
            caller = self.known_caller
        if caller is not None:
            await self.services.accounts.logout(caller, body.get("everywhere", False))
        self.respond_empty()
