"""`/models`: the available models (contract, section 8)."""

from __future__ import annotations

from typing import Any

from assistant.directory import Model
from web.base import BaseHandler


class Models(BaseHandler):
    def get(self) -> None:
        limit, offset = self.page_bounds()
        models = self.services.directory.models()
        default = self.services.chats.default_model(self.known_caller.user)
        shown = [_shown(model, model.id == default) for model in models[offset : offset + limit]]
        self.respond({"data": shown, "pagination": self.pagination(len(models), limit, offset, {})})


def _shown(model: Model, is_default: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": model.id,
        "provider": model.provider,
        "is_default": is_default,
    }
    if model.is_discovered:
        shown["is_discovered"] = True
    if model.context_window is not None:
        shown["context_window"] = model.context_window
    return shown
