"""The server process: start, serve, shut down. One exit stack closes all resources."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import services
from assistant import local, model_file
from assistant.addresses import is_loopback
from assistant.directory import ModelServers
from cli import brand_file, demo_folder, listening
from cli.console import drain_on_console_close
from cli.sidecar import Parent
from cli.stopping import Interrupted, Stopping
from cli.streams import notify, print_line
from core import ids
from core.brand import QUILLIUM, Brand
from core.config import Config
from core.progress import Progress
from core.records import User
from core.times import calendar_now
from handlers.application import QuilliumApplication
from services import Services
from services.administration import COMMAND
from services.metrics import Prometheus
from storage import folder, users
from storage.database import Database
from web.server import Server

if TYPE_CHECKING:
    from cli.dev import SeededServer

DRAIN_SECONDS = 8.0  # for requests and sockets in flight, before their connections are closed
_ENDING_SECONDS = 15.0  # how long a sidecar waits for a folder that a stopping instance has locked
_NOTICING_SECONDS = 3.0  # how soon an instance starts to stop after its parent was killed
_SETUP_CODE_CHARACTERS = 12  # 71 random bits, short enough to type
_ROOMS = Path(__file__).resolve().parent.parent

log = logging.getLogger("quillium")


class Process:
    """One server, from locking its data folder to releasing the lock."""

    def __init__(self, config: Config, version: str) -> None:
        self._config = config
        self._version = version
        self._backend: SeededServer | None = None  # with `--dev`

    def run(self) -> None:
        """Serve until a signal or, for a sidecar, the end of stdin.

        Closes everything and raises `ConfigError`, `FolderError` or `OSError` if the start fails.
        """
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        async with AsyncExitStack() as resources:
            _bound_shutdown(resources)
            self._stopping = Stopping()
            self._stopping.install()
            resources.callback(self._stopping.uninstall)
            resources.enter_context(drain_on_console_close(self._stopping))
            self._is_ready = asyncio.Event()
            if self._config.sidecar:
                Parent(self._stopping, self._respond_to_parent).watch()
            try:
                with self._stopping.interruptible():
                    self._start(resources)
            except Interrupted:
                return
            if self._backend is not None:
                await self._backend.seed(self._services, self._config.seed)
            await self._announce()
            self._is_ready.set()
            await self._stopping.wait()

    def _start(self, resources: AsyncExitStack) -> None:
        """Open all resources. Blocks the event loop, on which nothing else runs yet."""
        brand = brand_file.read(self._config.brand) if self._config.brand else QUILLIUM
        demo_folder.sweep()
        if self._config.is_temporary:
            path = resources.enter_context(demo_folder.temporary())
            self._config = replace(self._config, data_dir=path)
        config = self._config
        data = self._lock_folder(resources)  # first, because it explains an unusable folder
        embedded = local.find(config.local_model, model_file.installed(config.data_dir))
        servers: Callable[[], ModelServers] = ModelServers
        if config.dev:
            from cli import dev

            servers = resources.enter_context(dev.model_servers(config))
        self._listen(resources)

        def open_database() -> Database:
            with Progress(sys.stderr) as progress:
                return data.database(progress, may_be_missing=config.new_database)

        database = open_database()
        resources.callback(database.close)
        secret = config.jwt_secret.encode() if config.jwt_secret else data.secret()
        previous_key = None if config.jwt_secret else data.previous_key()

        def build(database: Database) -> Services:
            return services.build(
                config,
                self._version,
                database,
                secret,
                calendar_now,
                embedded,
                Prometheus() if config.metrics else None,
                previous_key=previous_key,
                servers=servers,
            )

        self._services = build(database)
        if config.deterministic:
            ids.count({})
        if config.dev:
            self._backend = dev.SeededServer(data, open_database, build)
            self._backend.use = self._use
        resources.push_async_callback(self._close_services)
        self._serve_requests(resources, data, brand)
        # Objects that exist now live until exit: exempt them from collection to avoid pauses.
        gc.freeze()
        gc.enable()

    def _lock_folder(self, resources: AsyncExitStack) -> folder.DataFolder:
        """Lock the data folder. A sidecar waits for an instance that is stopping.

        If that instance's parent was killed a moment ago, the instance may not have noticed yet.
        A serving instance publishes its control endpoint, and a stopping one removes it.
        """
        path, began, is_waiting = self._config.data_dir, time.monotonic(), False
        while True:
            try:
                return resources.enter_context(folder.locked(path))
            except folder.FolderInUse:
                is_serving = folder.control_endpoint_of(path) is not None
                patience = _NOTICING_SECONDS if is_serving else _ENDING_SECONDS
                if not self._config.sidecar or time.monotonic() - began > patience:
                    raise
            if not is_waiting:
                log.debug("the data folder is still in use; waiting for the other server to stop")
                is_waiting = True
            time.sleep(0.05)

    def _listen(self, resources: AsyncExitStack) -> None:
        config = self._config
        if config.sidecar and not config.port:
            self._sockets = listening.listen_as_before(config.host, config.data_dir)
        else:
            self._sockets = listening.listen(config.host, config.port)
        for bound in self._sockets:
            resources.callback(bound.close)

    def _serve_requests(
        self, resources: AsyncExitStack, data: folder.DataFolder, brand: Brand
    ) -> None:
        published = resources.enter_context(ExitStack())
        endpoint = published.enter_context(data.control_endpoint(self._url))
        application = QuilliumApplication(
            self._services,
            _ROOMS / "static",
            self._stopping.is_requested,
            endpoint.key,
            self._backend.reset if self._backend else None,
            brand,
        )
        self._application = application
        server = Server(application)

        async def drain() -> None:
            published.close()
            server.stop()
            await self._services.close_connections()
            await application.in_flight.drain(DRAIN_SECONDS)
            await server.close_all_connections()

        resources.push_async_callback(drain)
        self._services.removal.start()
        server.add_sockets(self._sockets)
        self._services.indexing.start()
        if self._config.preload:
            self._services.directory.preload()
        if self._config.dev and not self._config.sidecar:
            _restart_on_changes()

    def _use(self, services: Services) -> None:
        """Serve with the services that a reset has built."""
        self._services = services
        self._application.use(services)

    async def _close_services(self) -> None:
        await self._services.close()

    @property
    def _url(self) -> str:
        """The server's own URL, with the base path."""
        return listening.url_of(self._sockets) + self._config.base_path

    async def _announce(self) -> None:
        """Report the server's URL: to a terminal, the log, or a sidecar's parent.

        Raises `ConfigError` if stdout is broken.
        """
        config, url = self._config, self._url
        page_url, is_terminal = url, sys.stderr.isatty()
        is_on_all_addresses = listening.is_on_all_addresses(self._sockets)
        if is_terminal:
            notify(f"Quillium {self._version} is running at {url}")
            if is_on_all_addresses:
                notify("Other devices reach it under this machine's address and the same port.")
            notify(f"Data folder: {config.data_dir}")
        else:
            others = " and all other addresses," if is_on_all_addresses else ""
            log.info("listening on %s,%s data in %s", url, others, config.data_dir)
        if config.demo:
            from services import demonstration

            account = await demonstration.prepare(self._services)
            print_line(f"Sign in as {account.user.email} with the password {account.password}")
            page_url = await self._page_url(account.user)
        elif not config.sidecar and not self._services.db.read(users.exist):
            self._welcome_first_admin()
        if config.sidecar:
            await self._print_ready_line()
        if config.open:
            # A thread: a browser that runs in the terminal would block everything.
            threading.Thread(target=_open_browser, args=(page_url,), daemon=True).start()
        if is_terminal:
            notify("Press Ctrl-C to stop.")

    async def _print_ready_line(self) -> None:
        ready = {
            "event": "ready",
            "url": self._url,
            "port": listening.address_of(self._sockets)[1],
            "pid": os.getpid(),
            "version": self._version,
            "page_url": await self._page_url(await self._services.administration.owner()),
            **await self._issue_tokens(),
        }
        print_line(json.dumps(ready))

    async def _page_url(self, user: User) -> str:
        """Create a link that opens the page signed in. It works once, within 10 minutes."""
        code = await self._services.administration.link(user, COMMAND)
        return f"{self._url}/#code={code}"

    def _welcome_first_admin(self) -> None:
        """Explain how to create the first account, which becomes the admin."""
        if is_loopback(self._config.host):
            if sys.stderr.isatty():
                notify("Open it in a browser. The first account becomes the admin.")
            return
        code = ids.random_text(_SETUP_CODE_CHARACTERS)
        self._services.registration.require_setup_code(code)
        notify(f"To create the first account, enter the setup code {code}")

    async def _respond_to_parent(self, request: str | None) -> dict[str, Any]:
        await self._is_ready.wait()
        if request is None:
            message = 'expected a line such as {"request": "tokens"}'
            return {"event": "error", "message": message}
        if request == "tokens":
            return {"event": "tokens", **await self._issue_tokens()}
        if request == "page_url":
            owner = await self._services.administration.owner()
            return {"event": "page_url", "page_url": await self._page_url(owner)}
        return {"event": "error", "message": f"unknown request: {request[:100]}"}

    async def _issue_tokens(self) -> dict[str, Any]:
        """Issue a session of the owner's account."""
        owner = await self._services.administration.owner()
        return await self._services.accounts.issue_session(owner)


def _open_browser(page_url: str) -> None:
    """Open the page, or ask the user to open it if there is no browser."""
    import webbrowser

    try:
        is_open = webbrowser.open(page_url)
    except (webbrowser.Error, OSError):
        is_open = False
    if not is_open:
        notify(f"No browser can be started. Open {page_url}")


def _bound_shutdown(resources: AsyncExitStack) -> None:
    """Keep a stuck thread, such as one that resolves a host name, from delaying the exit.

    `asyncio.run` waits for the loop's default executor, so it gets an empty one to wait for.
    """
    loop = asyncio.get_running_loop()
    executor = ThreadPoolExecutor(thread_name_prefix="quillium-worker")
    loop.set_default_executor(executor)

    def replace_executor() -> None:
        executor.shutdown(wait=False, cancel_futures=True)
        loop.set_default_executor(ThreadPoolExecutor(1))

    resources.callback(replace_executor)


def _restart_on_changes() -> None:
    """Restart the process when the code changes.

    The restart is immediate, as after SIGKILL; the new process cleans up after the old one.
    """
    from tornado import autoreload

    for schema in (_ROOMS / "schemas").glob("*.json"):
        autoreload.watch(str(schema))
    autoreload.start()
