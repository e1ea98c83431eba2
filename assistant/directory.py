"""Which model is served by whom (contract, section 8).

What servers list is asked for in the background and remembered: nobody waits for it. A server that
fails keeps the models that it had, so that nobody else is heard in its name.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from assistant import Provider
from assistant.demo import Demo
from assistant.local import Local
from assistant.openai_compatible import OpenAICompatible
from assistant.upstream import Upstream
from core.errors import QuilliumError

BUILT_IN_MODEL = "quillium-demo"
ALL_MODELS = ["*"]  # what a provider's `models` says to have the server asked
FIRST_LIST_SECONDS = 3.0  # that a reply waits, once, for a server that may know its model
FRESH_SECONDS = 60.0  # for which a server's list is believed
FAILED_SECONDS = 5.0  # for which a server that listed nothing is not asked again

# Where Ollama and LM Studio usually are.
USUAL_PLACES = (
    Upstream("Ollama", "http://127.0.0.1:11434/v1"),
    Upstream("LM Studio", "http://127.0.0.1:1234/v1"),
)

log = logging.getLogger("quillium.models")


class Model(NamedTuple):
    id: str
    provider: str


class Directory:
    """All models that can answer now. Made on the event loop."""

    def __init__(self, local: Local | None = None, places: Sequence[Upstream] = ()) -> None:
        self._found = [_Server(OpenAICompatible(place), ALL_MODELS) for place in places]
        self._configured: list[_Server] = []
        self._embedded: dict[str, Provider] = {BUILT_IN_MODEL: Demo()}
        self._built_in_default = BUILT_IN_MODEL
        self._local = local
        if local is not None:
            self._embedded = {local.model: local, **self._embedded}
            self._built_in_default = local.model

    def configure(self, providers: Sequence[Mapping[str, Any]]) -> None:
        """Use the admin's providers from now on. One that did not change keeps its list."""
        before = {server.settings: server for server in self._configured}
        self._configured = []
        for provider in providers:
            server = _Server(
                OpenAICompatible(
                    Upstream(provider["name"], provider["base_url"], provider["api_key"])
                ),
                provider["models"],
            )
            self._configured.append(before.pop(server.settings, server))
        for server in before.values():
            server.stop_asking()
        for server in (*self._configured, *self._found):
            server.refresh()

    def models(self) -> list[Model]:
        """Each model once, served by the first that lists it."""
        return [Model(id, provider.name) for id, provider in self._served().items()]

    def default(self, chosen: str | None) -> str:
        """The model that answers when none is named: the admin's choice if anybody serves it."""
        return chosen if chosen in self._served() else self._built_in_default

    def resolve(self, model: str, chosen_default: str | None) -> tuple[Provider, str]:
        """Who answers for `model`, and as which: the default model when nobody serves it."""
        served = self._served()
        speaks = model if model in served else self.default(chosen_default)
        return served[speaks], speaks

    def is_settled(self, model: str) -> bool:
        """Whether it is known who answers for it, as far as it ever will be."""
        return model in self._served() or not self._first_asking()

    async def wait_for(self, model: str) -> None:
        """If nobody serves it as far as is known, wait for servers that were never heard yet.

        So that the first message after a start is answered by whom it is for. A moment at most.
        """
        if not self.is_settled(model):
            await asyncio.wait(self._first_asking(), timeout=FIRST_LIST_SECONDS)

    def _first_asking(self) -> list[asyncio.Task[None]]:
        servers = (*self._configured, *self._found)
        return [task for server in servers if (task := server.first_asking) is not None]

    def preload(self) -> None:
        """Load the local model now, in the background, if there is one."""
        if self._local is not None:
            self._local.start_loading()

    async def close(self) -> None:
        """Ask nobody any more, and let the local model go."""
        for server in (*self._configured, *self._found):
            await server.close()
        if self._local is not None:
            await self._local.close()

    def _served(self) -> dict[str, Provider]:
        served: dict[str, Provider] = {}
        for server in (*self._configured, *self._found):
            for id in server.models():
                served.setdefault(id, server.provider)
        for id, provider in self._embedded.items():
            served.setdefault(id, provider)
        return served


class _Server:
    """A provider, and the models that it serves: those that are named, or those that it lists."""

    def __init__(self, provider: OpenAICompatible, named: Sequence[str]) -> None:
        self.provider = provider
        self.settings = (provider.upstream, tuple(named))
        self._named = None if list(named) == ALL_MODELS else tuple(named)
        self._listed: tuple[str, ...] = ()
        self._ask_again_at = -math.inf
        self._asking: asyncio.Task[None] | None = None
        self._was_heard = False

    @property
    def first_asking(self) -> asyncio.Task[None] | None:
        """The first time that it is asked, while that goes on."""
        return None if self._was_heard else self._asking

    def models(self) -> Iterator[str]:
        self.refresh()
        return iter(self._listed if self._named is None else self._named)

    def refresh(self) -> None:
        """Ask in the background, unless that was done a moment ago."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._ask_again_at:
            return
        self._ask_again_at = loop.time() + FRESH_SECONDS
        self._asking = asyncio.ensure_future(self._ask())

    def stop_asking(self) -> None:
        if self._asking is not None:
            self._asking.cancel()

    async def close(self) -> None:
        self.stop_asking()
        if self._asking is not None:
            await asyncio.wait([self._asking])

    async def _ask(self) -> None:
        try:
            listed = await self.provider.models()
        except QuilliumError as error:
            log.debug("%s lists no models: %s", self.provider.name, error)
            self._ask_again_at = asyncio.get_running_loop().time() + FAILED_SECONDS
            return
        except Exception:
            log.exception("the list of %s can't be read", self.provider.name)
            return
        finally:
            self._was_heard = True
        self._listed = tuple(model.id for model in listed)
        self.provider.windows.update(
            {model.id: model.window for model in listed if model.window is not None}
        )
