"""`/auth/registration`: whether somebody can create an account here, for entrance pages."""

from __future__ import annotations

from web.base import BaseHandler


class Registration(BaseHandler):
    def get(self) -> None:
        self.respond(self.services.registration.state())
