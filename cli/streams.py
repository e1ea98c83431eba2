"""Handling of closed and broken standard streams."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress

from core.escaping import escape_unprintable
from core.options import ConfigError

_NAMES = ("stdin", "stdout", "stderr")


def open_missing() -> frozenset[str]:
    """Connect closed standard streams to the null device. Return their names.

    `2>&-` closes a stream, and windowed programs on Windows have none. Otherwise the next file that
    the process opens would get descriptor 2, and error messages would be written into it.
    """
    missing = set()
    for number, name in enumerate(_NAMES):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free descriptor, which is this one
            missing.add(name)
        if getattr(sys, name) is None:
            missing.add(name)
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 as long as the process
    return frozenset(missing)


def report(error: object, missing: frozenset[str]) -> None:
    """Print an error as one line on stderr, or on stdout if there is no stderr."""
    text = escape_unprintable(f"quillium: {error}")
    with suppress(OSError, ValueError):
        print(text, file=sys.stdout if "stderr" in missing else sys.stderr, flush=True)


def notify(text: str) -> None:
    """Print an informational line on the terminal; ignore errors, as the terminal may be closed.

    The log is written by a thread, and its lines come first.
    """
    for handler in logging.getLogger().handlers:
        handler.flush()
    with suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def print_line(text: str) -> None:
    """Print a line on stdout and flush it. Raises `ConfigError` if stdout is broken."""
    try:
        print(text, flush=True)
    except OSError as error:
        raise ConfigError(f"stdout can't be written: {describe(error)}") from None


def describe(error: OSError) -> str:
    """Return the system's error text, with the file it concerns."""
    reason = error.strerror or str(error)
    return f"{reason}: {error.filename}" if error.filename else reason


def flush_output() -> OSError | None:
    """Flush stdout. Return the error if that failed.

    After a failure the buffer is discarded: Python would retry at exit and print a traceback.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return error
    return None
