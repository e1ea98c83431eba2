"""The model directory: maps each model to its provider (contract, section 8).

Model lists are fetched in the background and cached, so requests don't wait for them. A server that
fails keeps its last list, so its models are not reassigned. Names of built-in models are reserved,
and a discovered server never overrides a model that the admin has configured.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from assistant import Provider, configured, windows
from assistant.demo import Demo
from assistant.local import Local
from assistant.openai_compatible import OpenAICompatible
from assistant.scripted import Scripts
from assistant.upstream import Send, Upstream, send_request
from core.errors import QuilliumError

BUILT_IN_MODEL = "quillium-demo"
ALL_MODELS = ["*"]  # the value of a provider's `models` that makes us list them
FIRST_LIST_SECONDS = 3.0  # how long a reply waits, once, for a server that may have its model
FRESH_SECONDS = 60.0  # how long a server's list is cached
FAILED_SECONDS = 5.0  # how long an empty or failed list is cached

# The default addresses of Ollama and LM Studio.
LOCAL_SERVERS = (
    Upstream("Ollama", "http://127.0.0.1:11434/v1"),
    Upstream("LM Studio", "http://127.0.0.1:1234/v1"),
)

_NOWHERE = "http://recording.invalid/v1"  # of a replayed provider, to which nothing is sent

log = logging.getLogger("quillium.models")


class Model(NamedTuple):
    """An available model; `context_window` in tokens, if known."""

    id: str
    provider: str
    is_discovered: bool
    context_window: int | None


class ModelServers(NamedTuple):
    """How model servers are reached: by `send`, or only in a recording of some models."""

    send: Send = send_request
    recorded: Mapping[str, Sequence[str]] | None = None  # models, by provider


_AS_THEY_ARE = ModelServers()


class Directory:
    """The available models. Create it on the event loop."""

    def __init__(
        self,
        local: Local | None = None,
        discovered: Sequence[Upstream] = (),
        scripts: Scripts | None = None,
        servers: ModelServers = _AS_THEY_ARE,
    ) -> None:
        """`discovered` are servers that are used, if they respond, without being configured.

        `scripts` are replies that precede every model's. Recorded models can be used without being
        configured, and instead of discovered ones.
        """
        send, recorded = servers
        self._scripts = scripts
        self._send = send
        self._discovered = [
            self._server(OpenAICompatible(server, send=send), ALL_MODELS, server.name)
            for server in (discovered if recorded is None else ())
        ]
        self._recorded = [
            self._server(OpenAICompatible(Upstream(name, _NOWHERE), send=send), models, name)
            for name, models in (recorded or {}).items()
        ]
        self._configured: list[_Server] = []
        self._disabled_models: set[str] = set()
        self._embedded: dict[str, Provider] = {BUILT_IN_MODEL: Demo()}
        self._built_in_default = BUILT_IN_MODEL
        self._local = local
        self._cached: dict[str, Provider] | None = None
        if local is not None:
            self._embedded = {local.model: local, **self._embedded}
            self._built_in_default = local.model

    def configure(self, providers: Sequence[Mapping[str, Any]]) -> None:
        """Set the admin's providers. An unchanged provider keeps its list."""
        before = {server.settings: server for server in self._configured}
        self._configured = []
        self._disabled_models = set()
        for settings in providers:
            if not settings.get("is_enabled", True):
                self._disabled_models.update(settings["models"])
                continue
            provider = configured.provider(settings, self._send)
            server = self._server(provider, settings["models"], repr(settings))
            self._configured.append(before.pop(server.settings, server))
        for server in before.values():
            server.cancel()
        self._invalidate()
        for server in self._servers:
            server.refresh()

    def models(self) -> list[Model]:
        """Return each model once, with the first provider that lists it."""
        discovered = {id(server.provider) for server in self._discovered}
        return [
            Model(name, provider.name, id(provider) in discovered, _window(provider, name))
            for name, provider in self._served().items()
        ]

    def is_built_in(self, model: str) -> bool:
        """Return whether a name is reserved for a built-in model."""
        return model in self._embedded

    def default(self, chosen: str | None) -> str:
        """Return the default model: the admin's choice if it is available."""
        return chosen if chosen in self._served() else self._built_in_default

    def resolve(
        self, model: str, chosen_default: str | None, said: str | None = None
    ) -> tuple[Provider, str]:
        """Return the provider and name of `model`, or of the default model if it is unavailable.

        `said` is the message to reply to, which may have a scripted reply.
        """
        served = self._served()
        resolved = model if model in served else self.default(chosen_default)
        if self._scripts is not None and said is not None:
            scripted = self._scripts.find(said, model)
            if scripted is not None:
                return scripted, resolved
        return served[resolved], resolved

    def is_settled(self, model: str) -> bool:
        """Return whether a model's provider can't change when pending lists arrive."""
        provider = self._served().get(model)
        is_discovered = any(server.provider is provider for server in self._discovered)
        return (provider is not None and not is_discovered) or not self._first_listings()

    async def wait_for(self, model: str) -> None:
        """If a model may still become available, wait for the first lists of all servers.

        So the first message after a start reaches its model. Waits at most `FIRST_LIST_SECONDS`.
        """
        if not self.is_settled(model):
            await asyncio.wait(self._first_listings(), timeout=FIRST_LIST_SECONDS)

    def _server(self, provider: OpenAICompatible, models: Sequence[str], settings: str) -> _Server:
        return _Server(provider, models, settings, self._invalidate)

    @property
    def _servers(self) -> tuple[_Server, ...]:
        """All servers, those first whose models come first."""
        return (*self._configured, *self._recorded, *self._discovered)

    def _invalidate(self) -> None:
        """Invalidate the merged list, because a server's list has changed."""
        self._cached = None

    def _first_listings(self) -> list[asyncio.Task[None]]:
        return [task for server in self._servers if (task := server.first_listing) is not None]

    def preload(self) -> None:
        """Load the local model in the background, if there is one."""
        if self._local is not None:
            self._local.start_loading()

    async def close(self) -> None:
        """Cancel list requests, and unload the local model."""
        for server in self._servers:
            await server.close()
        if self._local is not None:
            await self._local.close()

    def _served(self) -> dict[str, Provider]:
        """Return the provider of each model, in listing order."""
        for server in self._servers:
            server.refresh()
        if self._cached is None:
            self._cached = self._merged()
        return self._cached

    def _merged(self) -> dict[str, Provider]:
        served: dict[str, Provider] = {}
        for server in self._configured:
            for name in server.models:
                if name not in self._embedded:
                    served.setdefault(name, server.provider)
        for server in (*self._recorded, *self._discovered):
            for name in server.models:
                if name not in self._embedded and name not in self._disabled_models:
                    served.setdefault(name, server.provider)
        return served | self._embedded


def _window(provider: Provider, model: str) -> int | None:
    if isinstance(provider, (OpenAICompatible, Local)):
        return provider.window(model)
    return windows.known(model)


class _Server:
    """A provider and its models: those that the settings name, or those that it lists."""

    def __init__(
        self,
        provider: OpenAICompatible,
        named: Sequence[str],
        settings: str,
        changed: Callable[[], None],
    ) -> None:
        """`settings` identify a server; `changed` is called after each new list."""
        self.provider = provider
        self.settings = settings
        self._changed = changed
        self._named = None if list(named) == ALL_MODELS else tuple(named)
        self._listed: tuple[str, ...] = ()
        self._stale_at = -math.inf
        self._listing: asyncio.Task[None] | None = None
        self._has_listed = False

    @property
    def first_listing(self) -> asyncio.Task[None] | None:
        """The first list request, while it is in progress."""
        return None if self._has_listed else self._listing

    @property
    def models(self) -> tuple[str, ...]:
        return self._listed if self._named is None else self._named

    def refresh(self) -> None:
        """Fetch the list in the background, unless it was fetched recently."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._stale_at:
            return
        self._stale_at = loop.time() + FRESH_SECONDS
        self._listing = asyncio.ensure_future(self._fetch())

    def cancel(self) -> None:
        """Cancel the list request, if one is in progress."""
        if self._listing is not None:
            self._listing.cancel()

    async def close(self) -> None:
        self.cancel()
        if self._listing is not None:
            await asyncio.wait([self._listing])

    async def _fetch(self) -> None:
        try:
            listed = await self.provider.models()
        except QuilliumError as error:
            log.debug("%s lists no models: %s", self.provider.name, error)
            self._stale_at = asyncio.get_running_loop().time() + FAILED_SECONDS
            return
        except Exception:
            log.exception("the model list of %s can't be parsed", self.provider.name)
            return
        finally:
            self._has_listed = True
        self._listed = tuple(model.id for model in listed)
        self._changed()
        self.provider.windows.update(
            {model.id: model.window for model in listed if model.window is not None}
        )
