"""The standard streams: what to do when one is closed or breaks."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from core.escaping import escape_unprintable
from core.options import ConfigError

_NAMES = ("stdin", "stdout", "stderr")


def open_missing() -> frozenset[str]:
    """Connect closed standard streams to the null device, and return their names.

    `2>&-` closes a stream, and a windowed program on Windows has none. The next file that such a
    process opened would get the number 2, and be written to by everything that reports an error.
    """
    missing = set()
    for number, name in enumerate(_NAMES):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
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
    """Print a line for whoever watches the terminal, which may be closed at any moment."""
    with suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def print_line(text: str) -> None:
    """Print a line on stdout at once. Raises `ConfigError` if nobody can read it."""
    try:
        print(text, flush=True)
    except OSError as error:
        raise ConfigError(f"stdout can't be written: {describe(error)}") from None


def describe(error: OSError) -> str:
    """What failed, in the system's words, and for which file."""
    reason = error.strerror or str(error)
    return f"{reason}: {error.filename}" if error.filename else reason


def flush_output() -> OSError | None:
    """Flush stdout, and return why that failed, if it did.

    Then the rest is discarded, or Python would try again at exit and print a traceback.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return error
    return None
