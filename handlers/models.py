"""`/models`: who can answer (contract, section 8)."""

from __future__ import annotations

from web.base import BaseHandler


class Models(BaseHandler):
    def get(self) -> None:
        limit, offset = self.page_bounds()
        models = self.services.directory.models()
        default = self.services.chats.default_model(self.known_caller.user)
        shown = [
            {"id": model.id, "provider": model.provider, "is_default": model.id == default}
            for model in models[offset : offset + limit]
        ]
        self.respond({"data": shown, "pagination": self.pagination(len(models), limit, offset, {})})
