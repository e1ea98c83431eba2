"""Which model is served by whom (contract, section 8)."""

from __future__ import annotations

from typing import NamedTuple

from assistant import Provider
from assistant.demo import Demo

BUILT_IN_MODEL = "quillium-demo"


class Model(NamedTuple):
    id: str
    provider: str


class Directory:
    """All models that can answer now."""

    def __init__(self) -> None:
        self._providers: dict[str, Provider] = {BUILT_IN_MODEL: Demo()}

    def models(self) -> list[Model]:
        return [Model(id, provider.name) for id, provider in self._providers.items()]

    def default(self, chosen: str | None) -> str:
        """The model that answers when none is named: the admin's choice if anybody serves it."""
        return chosen if chosen in self._providers else BUILT_IN_MODEL

    def resolve(self, model: str, chosen_default: str | None) -> tuple[Provider, str]:
        """Who answers for `model`, and as which: the default model when nobody serves it."""
        speaks = model if model in self._providers else self.default(chosen_default)
        return self._providers[speaks], speaks
