"""The embedded model: llama.cpp within this process, by `xllamacpp` (the `local` extra).

It is loaded off the event loop, on first use. llama.cpp serves it on a loopback port of its own,
because it can't do without; a key that only this process knows keeps everybody else out. Replies
queue: one is written at a time, in the order in which they were asked for.
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
from assistant.upstream import Upstream, ask
from core.errors import ModelUnavailable
from core.options import ConfigError, MissingExtra

WINDOW = 8_192  # tokens
LARGEST_ANSWER = 1_024  # tokens; small models don't always find an end

log = logging.getLogger("quillium.models")


def is_available() -> bool:
    """Whether the `local` extra is installed; imports nothing of it."""
    return importlib.util.find_spec("xllamacpp") is not None


def find(chosen: Path | None, installed: Path) -> Local | None:
    """The chosen file's model, else the installed one's, else None.

    Raises `ConfigError` if one was chosen that can't be used.
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
    """A GGUF file as a provider.

    `system_prompt` is for where the admin has none, `parameters` for requests that set none.
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
        self._knows_tools = False  # whether the model's chat template does

    def window(self, model: str) -> int:
        """Return the tokens that the model's context holds."""
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

            has_tools = not self._knows_tools and local_tools.are_in(prepared)
            answer = local_tools.complete(prepared, complete) if has_tools else complete(prepared)
            async with aclosing(answer) as events:
                async for event in events:
                    yield event

    def _prepared(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return a request with what a small model needs, where the caller leaves it open."""
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
        """Load it, if that was not done yet. Raises `ModelUnavailable`; the next call tries again.

        Who is cancelled while waiting does not end the loading for others.
        """
        try:
            return await asyncio.shield(self.start_loading())
        except ModelUnavailable:
            self._loading = None
            raise

    def start_loading(self) -> asyncio.Future[OpenAICompatible]:
        """Begin to load it, unless that was begun already."""
        if self._loading is None:
            self._loading = asyncio.ensure_future(self._load())
            self._loading.add_done_callback(lambda loading: loading.exception())  # the log has it
        return self._loading

    async def close(self) -> None:
        """Let the model go, once it has been loaded. Waits for the work under way to end."""
        if self._loading is not None:
            await asyncio.wait([self._loading])
        # The last reference goes in a thread, because it waits for llama.cpp's own ones.
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
        self._knows_tools = bool(properties.get("chat_template_caps", {}).get("supports_tools"))
        upstream = Upstream("The local model", f"{address}/v1", key)
        return OpenAICompatible(upstream, None, WINDOW, self._parameters)


async def _properties(upstream: Upstream) -> dict[str, Any]:
    """Return what llama.cpp says of the model; nothing where it says nothing."""
    async with ask(upstream, "GET", "/props") as response:
        properties = parsed(b"".join([chunk async for chunk in response.chunks()]))
    return properties if isinstance(properties, dict) else {}


def _serve(path: Path, key: str) -> Any:
    import xllamacpp  # takes a while, and is not always there

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx = WINDOW
    parameters.n_parallel = 1  # the window is divided among those
    threads = max(1, (os.cpu_count() or 1) - 1)  # with all, it crawls when anything else runs
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.api_keys = [key]
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.verbosity = -1
    return xllamacpp.Server(parameters)
