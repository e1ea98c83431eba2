"""`/auth`: register, log in, refresh, log out, sessions (contract, section 4)."""

from __future__ import annotations

from web.base import BaseHandler
from web.operations import Access


class Register(BaseHandler):
    async def post(self) -> None:
        body = self.json_body()
        self.respond(
            await self.services.accounts.register(
                body["email"],
                body["password"],
                body.get("name"),
                self.client,
                body.get("setup_code"),
            )
        )


class Login(BaseHandler):
    async def post(self) -> None:
        body = self.json_body()
        tokens = await self.services.accounts.login(
            body["email"], body["password"], self.client, self.caller
        )
        self.respond(tokens)


class Exchange(BaseHandler):
    async def post(self) -> None:
        self.respond(await self.services.codes.exchange(self.json_body()["code"], self.client))


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
            await self.services.accounts.logout(
                caller,
                self.client,
                everywhere=body.get("everywhere", False),
                with_api_keys=body.get("api_keys", False),
            )
        self.respond_empty()


class Sessions(BaseHandler):
    def get(self) -> None:
        limit, offset = self.page_bounds()
        page = self.services.sessions.page(self.known_caller, limit, offset)
        self.respond_page(page, limit, offset)


class OneSession(BaseHandler):
    async def delete(self, id: str) -> None:
        await self.services.sessions.revoke(self.known_caller.user, id, self.client)
        self.respond_empty()
