"""The main program: parse the command line, then serve or run a command.

What only one of them needs is imported by it: the other rooms take ten times as long to import as
the command line takes to parse.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from cli import arguments, streams
from core.logs import Log
from core.options import ConfigError

_ROOMS = Path(__file__).resolve().parent.parent
_IS_WATCHED = "QUILLIUM_IS_WATCHED"  # set for the process that `--dev` restarts
log = logging.getLogger("quillium")

_EXIT_SECONDS = 1.0  # for threads that still run at exit


def main(given: Sequence[str], version: str, script: Path) -> int:
    """Run the program and return its exit status.

    0 on success; 1 if a check found damage; 2, with one line on stderr, if the start or a command
    fails; 130 after Ctrl-C in a command.
    """
    missing = streams.open_missing()
    try:
        status = _run(given, version, script, missing)
    except SystemExit as ended:  # `--help` and `--version`
        status = int(ended.code or 0)
    except KeyboardInterrupt:
        status = 130
        streams.report("stopped; nothing was changed", missing)
    except Exception as error:
        from cli import hints

        status = 2
        streams.report(hints.explain(error), missing)
        if isinstance(error, ConfigError) and _IS_WATCHED in os.environ:
            os._exit(status)  # no change of the code can help, so the watcher ends as well
    if _IS_WATCHED in os.environ:  # Tornado's watcher would report that the program has ended
        logging.getLogger("tornado.general").setLevel(logging.WARNING)
    broken = streams.flush_output()
    if broken is not None and not status:
        status = 2
        streams.report(f"stdout can't be written: {streams.describe(broken)}", missing)
    return _without_threads(status)


def _run(given: Sequence[str], version: str, script: Path, missing: frozenset[str]) -> int:
    config, command, argument = arguments.parse(given, os.environ, version)
    if config.sidecar and "stdout" in missing:
        raise ConfigError("--sidecar needs stdout, which is closed")
    if config.dev and command is None:
        if getattr(sys, "frozen", False):
            raise ConfigError("--dev needs the source code: run it from a checkout")
        # The server of a test worker starts at once, and ends if it can't. An installed copy
        # doesn't change, and other processes may not find its packages (shiv).
        is_checkout = script.parent == _ROOMS
        is_watching = is_checkout and not config.sidecar and os.name == "posix"
        if is_watching and _IS_WATCHED not in os.environ:
            _run_watched(given, script)
    level = config.log_level
    if command is not None and config.log_file is None and level == "INFO":
        level = "WARNING"  # a command prints its result, which the log would only repeat
    with Log(level, config.log_format, config.log_file):
        try:
            if command is not None:
                from cli import commands

                return commands.run(config, command, argument)
            # Nothing of a start is garbage: not looking for it saves 20 ms. `Process` enables it.
            gc.disable()
            from cli.serve import Process

            Process(config, version).run()
        except Exception as error:
            if config.log_file is not None:  # stderr may not be visible
                from cli import hints

                log.critical("%s", hints.explain(error))
            raise
    return 0


def _run_watched(given: Sequence[str], script: Path) -> None:
    """Replace this process with Tornado's watcher, which also waits while code fails to load."""
    os.environ[_IS_WATCHED] = "true"
    watcher = ["-m", "tornado.autoreload", "--until-success", str(script)]
    os.execv(sys.executable, [sys.executable, *watcher, *given])


def _without_threads(status: int) -> int:
    """Return `status`, or exit at once if a thread is stuck, because Python would wait for it."""
    until = time.monotonic() + _EXIT_SECONDS
    others = [
        thread
        for thread in threading.enumerate()
        if thread is not threading.current_thread() and not thread.daemon
    ]
    for thread in others:
        thread.join(max(0.0, until - time.monotonic()))
    if any(thread.is_alive() for thread in others):
        sys.stderr.flush()
        os._exit(status)
    return status
