"""Quillium: the backend of an AI chat in one process. `python quillium.py --help` tells more.

This file has to parse on any Python, to be able to say which one is needed.
"""

import os
import sys

__version__ = "0.1.0"

_OLDEST = (3, 11)  # as in setup.cfg
_HOME = os.path.dirname(os.path.abspath(__file__))

# The rooms lie beside this file in a checkout, and below the private name `_quillium` when
# installed: as plain top-level packages, another wheel's `handlers` could replace ours.
_INSTALLED = os.path.join(_HOME, "_quillium")
sys.path.insert(0, _INSTALLED if os.path.isdir(_INSTALLED) else _HOME)


def main():  # type: () -> int
    """Run the program; its exit status. 2, with one line, if this Python can't run it."""
    if sys.version_info < _OLDEST:
        return _refuse("Python %d.%d or later is needed, and this is" % _OLDEST, _describe_python())
    try:
        from pathlib import Path

        from cli.main import main as run

        return run(sys.argv[1:], __version__, Path(__file__).resolve())
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        if not package or os.path.exists(os.path.join(sys.path[0], package)):
            raise
        return _refuse("the Python package %s can't be imported." % package, _describe_cure())
    except KeyboardInterrupt:
        return 130


def _refuse(*words):  # type: (*str) -> int
    (sys.stderr or sys.stdout).write("quillium: %s\n" % " ".join(words))
    return 2


def _describe_python():  # type: () -> str
    return "%s (%s)" % (sys.version.split()[0], sys.executable)


def _describe_cure():  # type: () -> str
    own = os.path.join(".venv", "Scripts" if os.name == "nt" else "bin", "")
    if os.path.isdir(os.path.join(_HOME, own)) and not sys.prefix.startswith(_HOME):
        return "Run: %spython quillium.py" % own
    if sys.prefix != sys.base_prefix:  # a virtual environment
        return "Run: %s -m pip install -e %s" % (sys.executable, _HOME)
    return "Run: python3 -m venv .venv && %spip install -e . && %spython quillium.py" % (own, own)


if __name__ == "__main__":
    sys.exit(main())
