"""`/auth/registration`: whether somebody can create an account here, for entrance pages."""

from __future__ import annotations

from storage import users
from web.base import BaseHandler


class Registration(BaseHandler):
    def get(self) -> None:
        services = self.services
        is_open = services.settings.admin()["allow_registration"] and not services.config.sidecar
        self.respond({"is_open": is_open, "is_first": not services.db.read(users.exist)})
