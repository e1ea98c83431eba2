"""Quillium: the backend of an AI chat in one process. `python quillium.py --help` tells more."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

__version__ = "0.1.0"

# The rooms lie beside this file in a checkout, and below the private name `_quillium` when
# installed: as plain top-level packages, another wheel's `handlers` could replace ours.
_HOME = Path(__file__).resolve().parent
_ROOMS = _HOME / "_quillium" if (_HOME / "_quillium").is_dir() else _HOME
sys.path.insert(0, str(_ROOMS))

# What only some starts need is imported where it is needed: this is all that the others wait for.

from tornado.netutil import bind_sockets  # noqa: E402

import services  # noqa: E402
from assistant import local, model_file  # noqa: E402
from core import config, logs  # noqa: E402
from core.options import ConfigError  # noqa: E402
from core.progress import Progress  # noqa: E402
from handlers.application import QuilliumApplication  # noqa: E402
from services.metrics import Prometheus  # noqa: E402
from storage import folder, users  # noqa: E402
from web.server import Server  # noqa: E402

# The listen queue. When a thousand clients connect at once and it is full, the client's system
# retries only a second later.
BACKLOG = 1024
DRAIN_SECONDS = 8.0  # within which requests under way may end; then they are cut
_IS_WATCHED = "QUILLIUM_IS_WATCHED"  # set for the process that `--dev` starts anew
log = logging.getLogger("quillium")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C, or run a command.

    The exit status: 0, or 2 with one line when it can't start; 1 when a check found something.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        chosen, command, argument = config.parse(given, os.environ, __version__)
        if chosen.dev and command is None:
            if getattr(sys, "frozen", False):
                raise ConfigError("--dev needs the source: run it from a checkout")
            if _IS_WATCHED not in os.environ and os.name == "posix":
                _be_watched(given)
        with logs.Log(chosen.log_level, chosen.log_format):
            if command is not None:
                from cli import commands

                return commands.run(chosen, command, argument)
            with tempfile.TemporaryDirectory(prefix="quillium-demo-") as temporary:
                if chosen.demo:
                    chosen = replace(chosen, data_dir=Path(temporary))
                asyncio.run(serve(chosen))
            return 0
    except (ConfigError, folder.FolderError, model_file.InstallError) as error:
        print(f"quillium: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("quillium: stopped; nothing was changed", file=sys.stderr)
        return 130  # as shells have it: 128 and the number of the signal


def _be_watched(arguments: Sequence[str]) -> None:
    """Begin anew below Tornado's watcher, which also waits when the code can't be loaded."""
    os.environ[_IS_WATCHED] = "true"
    watcher = ["-m", "tornado.autoreload", "--until-success", str(_HOME / "quillium.py")]
    os.execv(sys.executable, [sys.executable, *watcher, *arguments])


async def serve(chosen: config.Config) -> None:
    """Open the data folder, serve, drain. Raises `FolderError` or `ConfigError` if it can't."""
    embedded = local.find(chosen.local_model, model_file.installed(chosen.data_dir))
    metrics = Prometheus() if chosen.metrics else None
    with folder.locked(chosen.data_dir) as data:
        secret = chosen.jwt_secret.encode() if chosen.jwt_secret else data.secret()
        try:
            sockets = bind_sockets(chosen.port, chosen.host, backlog=BACKLOG)
        except OSError as error:
            where = f"{chosen.host}:{chosen.port}"
            raise ConfigError(
                f"can't listen on {where}: {error.strerror}. Choose another --port or --host."
            ) from None
        with Progress(sys.stderr) as progress:
            database = data.database(progress)
        rooms = services.build(chosen, __version__, database, secret, time.time, embedded, metrics)
        stopping = asyncio.Event()
        address: tuple[str, int] = sockets[0].getsockname()[:2]
        with data.control_endpoint(_url(address)) as door:
            application = QuilliumApplication(
                rooms, _ROOMS / "static", stopping.is_set, control_key=door.key
            )
            server = Server(application, xheaders=chosen.trusted_proxy)
            loop = asyncio.get_running_loop()

            def stop() -> None:
                with suppress(RuntimeError):  # the loop has ended already
                    loop.call_soon_threadsafe(stopping.set)

            for number in (signal.SIGTERM, signal.SIGINT):
                # Not `loop.add_signal_handler`, which Windows does not have.
                signal.signal(number, lambda *_: stop())
            server.add_sockets(sockets)
            if chosen.preload:
                rooms.directory.preload()
            await _begin(chosen, rooms, address)
            if chosen.sidecar:
                threading.Thread(target=_await_end_of_stdin, args=(stop,), daemon=True).start()
            # What is there now stays: looking through it again and again would only make pauses.
            gc.collect()
            gc.freeze()
            await stopping.wait()
            server.stop()
            await rooms.close_connections()
            await application.drained(DRAIN_SECONDS)
            await server.close_all_connections()
            await rooms.close()


async def _begin(chosen: config.Config, rooms: services.Services, address: tuple[str, int]) -> None:
    """Say where it runs, to whoever started it, in the way that they asked for."""
    url = _url(address)
    if sys.stderr.isatty():
        print(f"Quillium {__version__} runs on {url}", file=sys.stderr)
        print(f"Data is kept in {chosen.data_dir}", file=sys.stderr)
    else:
        log.info("listening on %s, data in %s", url, chosen.data_dir)
    if chosen.demo:
        from services import demonstration

        account = await demonstration.prepare(rooms)
        print(f"Sign in as {account.email} with the password {account.password}", flush=True)
    elif sys.stderr.isatty() and not rooms.db.read(users.exist) and not chosen.sidecar:
        print("Open it in a browser; the first account becomes the admin.", file=sys.stderr)
    if chosen.sidecar:
        tokens = await rooms.accounts.issue_session(await rooms.administration.owner())
        ready = {"event": "ready", "url": url, "port": address[1], "pid": os.getpid()}
        print(json.dumps({**ready, "version": __version__, **tokens}), flush=True)
    if chosen.dev:
        from tornado import autoreload

        for schema in (_ROOMS / "schemas").glob("*.json"):
            autoreload.watch(str(schema))
        autoreload.start()
    if chosen.open:
        import webbrowser

        # A thread: a browser for terminals would hold up everything.
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    if sys.stderr.isatty():
        print("Press Ctrl-C to stop.", file=sys.stderr)


def _url(address: tuple[str, int]) -> str:
    host, port = address
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _await_end_of_stdin(stop: Callable[[], None]) -> None:
    """Whoever started this holds the other end: when they are gone, however, it ends."""
    with suppress(OSError):
        while os.read(0, 4096):  # not `sys.stdin`, whose lock would be held at the end
            pass
    stop()


if __name__ == "__main__":
    sys.exit(main())
