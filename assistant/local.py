"""The embedded model: llama.cpp in this process, with `xllamacpp` (the `local` extra).

The model is loaded off the event loop, on first use. llama.cpp requires a loopback port to serve
it; a random key prevents access by other processes. Replies are generated one at a time, in the
order of their requests.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from assistant import (
    DEFAULT_PARAMETERS,
    Parameters,
    PromptMessage,
    context,
    local_tools,
    model_file,
)
from assistant.events import ReplyEvent
from assistant.failures import parsed
from assistant.listing import LONGEST_NAME
from assistant.openai_compatible import OpenAICompatible
from assistant.upstream import Request, Upstream, send_request
from core.errors import ModelUnavailable
from core.options import ConfigError, MissingExtra

WINDOW = 8_192  # tokens
LARGEST_ANSWER = 1_024  # tokens; small models sometimes never stop

log = logging.getLogger("quillium.models")


def is_available() -> bool:
    """Return whether the `local` extra is installed, without importing it."""
    return importlib.util.find_spec("xllamacpp") is not None


def find(chosen: Path | None, installed: Path) -> Local | None:
    """Return the model of the chosen file, else the installed model, else None.

    Raises `ConfigError` if the chosen file can't be used.
    """
    if chosen is not None:
        if not chosen.is_file():
            raise ConfigError(f"the local model {chosen} is not a file")
        if not is_available():
            raise MissingExtra("local")
        return Local(chosen, chosen.stem[:LONGEST_NAME])
    if installed.is_file() and is_available():
        parameters = model_file.PARAMETERS
        return Local(installed, model_file.MODEL, model_file.SYSTEM_PROMPT, parameters)
    return None


class Local:
    """A provider for a GGUF file.

    `system_prompt` and `parameters` are defaults, used if the admin or the request sets none.
    """

    name = "local"

    def __init__(
        self,
        path: Path,
        model: str,
        system_prompt: str = "",
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        self.model = model
        self._parameters = {"max_tokens": LARGEST_ANSWER, **(parameters or {})}
        self._path = path
        self._system_prompt = system_prompt
        self._turn = asyncio.Lock()  # first come, first served
        self._loading: asyncio.Future[OpenAICompatible] | None = None
        self._server: Any = None
        self._supports_tools = False  # whether the chat template supports tools

    def window(self, model: str) -> int:
        """Return the context window in tokens."""
        return WINDOW

    def memory(self, model: str) -> int:
        """See `assistant.Provider`."""
        return context.characters(WINDOW)

    async def reply(
        self,
        messages: Sequence[PromptMessage],
        model: str,
        parameters: Parameters = DEFAULT_PARAMETERS,
    ) -> AsyncGenerator[ReplyEvent, None]:
        """See `assistant.Provider`."""
        lines = list(messages)
        if self._system_prompt and not any(line.role == "system" for line in lines):
            lines.insert(0, PromptMessage("system", self._system_prompt))
        async with self._turn:
            provider = await self.load()
            async with aclosing(provider.reply(lines, model, parameters)) as events:
                async for event in events:
                    yield event

    async def complete(
        self, request: Mapping[str, Any], model: str
    ) -> AsyncGenerator[ReplyEvent, None]:
        """See `assistant.Provider`."""
        prepared = self._prepared(request)
        async with self._turn:
            provider = await self.load()

            def complete(chat: Mapping[str, Any]) -> AsyncGenerator[ReplyEvent, None]:
                return provider.complete(chat, model)

            has_tools = not self._supports_tools and local_tools.are_in(prepared)
            answer = local_tools.complete(prepared, complete) if has_tools else complete(prepared)
            async with aclosing(answer) as events:
                async for event in events:
                    yield event

    def _prepared(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return a request with the defaults that a small model needs."""
        prepared = {**self._parameters, **request}
        if "max_completion_tokens" in request:
            prepared["max_tokens"] = request["max_completion_tokens"]
        messages = request.get("messages")
        if self._system_prompt and isinstance(messages, list):
            roles = [m.get("role") for m in messages if isinstance(m, dict)]
            if "system" not in roles and "developer" not in roles:
                system = {"role": "system", "content": self._system_prompt}
                prepared["messages"] = [system, *messages]
        return prepared

    async def load(self) -> OpenAICompatible:
        """Load the model, if it is not loaded. Raises `ModelUnavailable`; the next call retries.

        Cancelling one caller does not cancel the loading for others.
        """
        try:
            return await asyncio.shield(self.start_loading())
        except ModelUnavailable:
            self._loading = None
            raise

    def start_loading(self) -> asyncio.Future[OpenAICompatible]:
        """Start loading the model, unless that has already started."""
        if self._loading is None:
            self._loading = asyncio.ensure_future(self._load())
            self._loading.add_done_callback(lambda loading: loading.exception())  # already logged
        return self._loading

    async def close(self) -> None:
        """Unload the model, after any loading or generation in progress has ended."""
        if self._loading is not None:
            await asyncio.wait([self._loading])
        # Drop the last reference in a thread, because it waits for llama.cpp's threads.
        await asyncio.to_thread(setattr, self, "_server", None)

    async def _load(self) -> OpenAICompatible:
        key = secrets.token_urlsafe(32)
        try:
            self._server = await asyncio.to_thread(_serve, self._path, key)
        except Exception as error:
            log.error("the local model %s can't be loaded: %s", self._path, error)
            raise ModelUnavailable("The local model can't be loaded; the log says why.") from None
        address = self._server.listening_address
        properties = await _properties(Upstream("The local model", address, key))
        self._supports_tools = bool(properties.get("chat_template_caps", {}).get("supports_tools"))
        upstream = Upstream("The local model", f"{address}/v1", key)
        return OpenAICompatible(upstream, None, WINDOW, self._parameters)


async def _properties(upstream: Upstream) -> dict[str, Any]:
    """Return llama.cpp's properties of the model; empty if there are none."""
    async with send_request(upstream, Request("GET", "/props")) as response:
        properties = parsed(b"".join([chunk async for chunk in response.chunks()]))
    return properties if isinstance(properties, dict) else {}


def _serve(path: Path, key: str) -> Any:
    import xllamacpp  # slow, and not always available

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx = WINDOW
    parameters.n_parallel = 1  # the window is divided among parallel slots
    threads = max(1, (os.cpu_count() or 1) - 1)  # with all cores, it crawls under any load
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.api_keys = [key]
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.verbosity = -1
    return xllamacpp.Server(parameters)
