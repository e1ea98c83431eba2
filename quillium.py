"""Quillium: the backend of an AI chat in one process. `python quillium.py --help` tells more."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

__version__ = "0.1.0"

# The rooms lie beside this file in a checkout, and below the private name `_quillium` when
# installed: as plain top-level packages, another wheel's `handlers` could replace ours.
_HOME = Path(__file__).resolve().parent
_ROOMS = _HOME / "_quillium" if (_HOME / "_quillium").is_dir() else _HOME
sys.path.insert(0, str(_ROOMS))

from tornado.httpserver import HTTPServer  # noqa: E402
from tornado.netutil import bind_sockets  # noqa: E402

import services  # noqa: E402
from assistant import local, model_file  # noqa: E402
from core import config  # noqa: E402
from core.progress import Progress  # noqa: E402
from handlers.application import SERVER_SETTINGS, QuilliumApplication  # noqa: E402
from storage import folder, upkeep, users  # noqa: E402

DRAIN_SECONDS = 8.0  # within which requests under way may end; then they are cut
log = logging.getLogger("quillium")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C, or run a command.

    The exit status: 0, or 2 with one line when it can't start; 1 when a check found something.
    """
    try:
        chosen, command, file = config.parse(
            sys.argv[1:] if arguments is None else arguments, os.environ, __version__
        )
        _log_to_stderr(chosen.log_level)
        if command is None:
            asyncio.run(serve(chosen))
            return 0
        return _COMMANDS[command](chosen.data_dir, file)
    except (config.ConfigError, folder.FolderError, model_file.InstallError) as error:
        print(f"quillium: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("quillium: stopped; nothing was changed", file=sys.stderr)
        return 130  # as shells have it: 128 and the number of the signal


def _backup(data_dir: Path, file: Path) -> int:
    with Progress(sys.stderr) as progress:
        made = folder.backup(data_dir, file, progress)
    print(f"{file} is a backup of {_contents(made)}.")
    return 0


def _restore(data_dir: Path, file: Path) -> int:
    with folder.held(data_dir) as data, Progress(sys.stderr) as progress:
        restored, kept = data.restore(file, progress)
    print(f"Restored {_contents(restored)} from {file}.")
    if kept is not None:
        print(f"What was there before is kept as {kept}.")
    return 0


def _check(data_dir: Path, _: None) -> int:
    with Progress(sys.stderr) as progress:
        found = folder.check(data_dir, progress)
    for problem in found.problems:
        print(problem)
    if not found.problems:
        print(f"The database is sound: {_contents(found)}.")
    return 1 if found.problems else 0


def _install_model(data_dir: Path, _: None) -> int:
    print(
        f"The model {model_file.MODEL} takes 94 MB to download and 98 MB on the disk. It is a tiny"
        " one, for demos.",
        file=sys.stderr,
    )
    with Progress(sys.stderr) as progress:
        is_new = model_file.install(data_dir, progress)
    file = model_file.installed(data_dir)
    print(f"{file} is {'installed' if is_new else 'there already'}.")
    if local.is_available():
        print("Chats that ask for no other model are answered by it from the next start on.")
    else:
        print(f"To run it takes the local extra, 34 MB more to download: {local.EXTRA}")
    return 0


_COMMANDS: dict[str, Callable[[Path, Any], int]] = {
    "backup": _backup,
    "restore": _restore,
    "check": _check,
    "model install": _install_model,
}


def _contents(report: upkeep.Report) -> str:
    counted = {"user": report.users, "chat": report.chats, "message": report.messages}
    return ", ".join(f"{n:,} {name}{'' if n == 1 else 's'}" for name, n in counted.items())


async def serve(chosen: config.Config) -> None:
    """Open the data folder, serve, drain. Raises `FolderError` or `ConfigError` if it can't."""
    embedded = local.find(chosen.local_model, model_file.installed(chosen.data_dir))
    with folder.held(chosen.data_dir) as data:
        secret = chosen.jwt_secret.encode() if chosen.jwt_secret else data.secret()
        try:
            sockets = bind_sockets(chosen.port, chosen.host)
        except OSError as error:
            where = f"{chosen.host}:{chosen.port}"
            raise config.ConfigError(
                f"can't listen on {where}: {error.strerror}. Choose another --port or --host."
            ) from None
        with Progress(sys.stderr) as progress:
            database = data.database(progress)
        rooms = services.build(chosen, __version__, database, secret, time.time, embedded)
        stopping = asyncio.Event()
        application = QuilliumApplication(rooms, _ROOMS / "static", stopping.is_set)
        server = HTTPServer(application, xheaders=chosen.trusted_proxy, **SERVER_SETTINGS)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            # Not `loop.add_signal_handler`, which Windows does not have.
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopping.set))
        server.add_sockets(sockets)
        if chosen.preload:
            rooms.directory.preload()
        _announce(chosen, sockets[0].getsockname(), rooms)
        await stopping.wait()
        server.stop()
        await rooms.close_connections()
        await application.drained(DRAIN_SECONDS)
        await server.close_all_connections()
        await rooms.close()


def _announce(chosen: config.Config, address: tuple[str, int], rooms: services.Services) -> None:
    """Say where it runs: a few lines on a terminal, one line in a log."""
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    url = f"http://{host}:{address[1]}"
    if not sys.stderr.isatty():
        log.info("listening on %s, data in %s", url, chosen.data_dir)
        return
    print(f"Quillium {__version__} runs on {url}", file=sys.stderr)
    print(f"Data is kept in {chosen.data_dir}", file=sys.stderr)
    if not rooms.db.read(users.exist):
        print("Open it in a browser; the first account becomes the admin.", file=sys.stderr)
    print("Press Ctrl-C to stop.", file=sys.stderr)


class _Formatter(logging.Formatter):
    """Escapes line breaks and escape codes, so that nobody can write a log line of their own."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        record.msg = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
        record.args = None
        return super().format(record)


def _log_to_stderr(level: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("tornado.access").setLevel(logging.ERROR)
    logging.getLogger("asyncio").setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
