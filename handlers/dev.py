"""`/dev`: the state of a test backend (contract, section 11)."""

from __future__ import annotations

from services.seeding import Seeding
from web.base import BaseHandler


class DevHandler(BaseHandler):
    """Requests of tests: anybody may send them, and none is counted."""

    is_counted = False
    max_body = 16 << 20

    @property
    def seeding(self) -> Seeding:
        assert self.services.seeding is not None
        return self.services.seeding


class Reset(DevHandler):
    async def post(self) -> None:
        await self.application.settings["reset"]()
        self.respond_empty()


class Seed(DevHandler):
    def get(self) -> None:
        self.respond(self.seeding.document())

    async def post(self) -> None:
        await self.seeding.add(self.json_body())
        self.respond_empty()
