"""`/auth`: register, login, refresh, logout (contract, section 4)."""

from __future__ import annotations

from web.base import BaseHandler


class Register(BaseHandler):
    async def post(self) -> None:
        body = self.json_body()
        self.respond(
            await self.services.accounts.register(body["email"], body["password"], body.get("name"))
        )


class Login(BaseHandler):
    async def post(self) -> None:
        body = self.json_body()
        self.respond(await self.services.accounts.login(body["email"], body["password"]))


class Refresh(BaseHandler):
    async def post(self) -> None:
        body = self.json_body()
        self.respond(await self.services.accounts.refresh(body["refresh_token"]))


class Logout(BaseHandler):
    async def post(self) -> None:
        body = self.json_body()
        await self.services.accounts.logout(self.known_caller, body.get("everywhere", False))
        self.respond_empty()
