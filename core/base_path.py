"""The path below which the server is mounted, such as `/quillium` (contract, section 1)."""

from __future__ import annotations

import re

# Unreserved characters only (RFC 3986, section 2.3): the path is the same encoded and decoded, and
# safe in a link, a header and a page.
_BASE_PATH = re.compile(r"(/(?!\.{1,2}(/|\Z))[A-Za-z0-9._~-]{1,100}){1,10}\Z")


def parse(value: str) -> str:
    """Return a base path without its trailing slash; the root is empty. Raises `ValueError`."""
    path = value.strip().removesuffix("/")
    if path and not _BASE_PATH.match(path):
        raise ValueError("a path such as /quillium, of letters, digits and -._~")
    return path
