"""`/dev`: the controls of a test backend (contract, section 11)."""

from __future__ import annotations

from services.dev import Dev
from web import guards
from web.base import BaseHandler


class DevHandler(BaseHandler):
    """Requests of tests: anybody may send them, and none is counted or simulated."""

    guards = guards.DEV
    is_counted = False
    max_body = 16 << 20

    @property
    def dev(self) -> Dev:
        assert self.services.dev is not None
        return self.services.dev


class Reset(DevHandler):
    async def post(self) -> None:
        await self.application.settings["reset"]()
        self.respond_empty()


class Seed(DevHandler):
    def get(self) -> None:
        self.respond(self.dev.seeding.document())

    async def post(self) -> None:
        await self.dev.seeding.add(self.json_body())
        self.respond_empty()


class Rules(DevHandler):
    def get(self) -> None:
        self.respond({"rules": self.dev.rules.public()})

    def put(self) -> None:
        self.dev.rules.replace(self.json_body()["rules"])
        self.get()

    def delete(self) -> None:
        self.dev.rules.replace([])
        self.respond_empty()


class Replies(DevHandler):
    def get(self) -> None:
        self.respond({"replies": self.dev.scripts.documents})

    def put(self) -> None:
        self.dev.scripts.replace(self.json_body()["replies"])
        self.get()

    def delete(self) -> None:
        self.dev.scripts.replace([])
        self.respond_empty()


class Clock(DevHandler):
    def get(self) -> None:
        self.respond(self.dev.clock.public())

    def put(self) -> None:
        self.dev.clock.set(**self.json_body())
        self.get()


class Journal(DevHandler):
    def get(self) -> None:
        self.respond({"entries": self.dev.journal.public()})

    def delete(self) -> None:
        self.dev.journal.clear()
        self.respond_empty()
