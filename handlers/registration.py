"""`/auth/registration`: whether registration is open, for sign-in pages."""

from __future__ import annotations

from web.base import BaseHandler


class Registration(BaseHandler):
    def get(self) -> None:
        self.respond(self.services.registration.state())
