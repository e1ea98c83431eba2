"""Names and origins under which the server may be called (contract, section 9).

They are compared whole, never by how they begin: `http://localhost.evil.example` is somebody else.
"""

from __future__ import annotations

import functools
import ipaddress
import re

from tornado import httputil

_REMEMBERED = 256  # names; nearly all requests come by one or two
TAURI_ORIGINS = frozenset(
    {"tauri://localhost", "http://tauri.localhost", "https://tauri.localhost"}
)


@functools.lru_cache(maxsize=_REMEMBERED)
def host_name(host: str) -> str:
    """A Host header without its port, in lower case and without the brackets of IPv6."""
    try:
        name, _ = httputil.split_host_and_port(host.lower())
    except ValueError:
        return ""
    return name.strip("[]")


@functools.lru_cache(maxsize=_REMEMBERED)
def is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


_LOOPBACK_ORIGIN = re.compile(r"https?://(localhost|[0-9.]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?\Z")


def is_loopback_origin(origin: str) -> bool:
    match = _LOOPBACK_ORIGIN.match(origin)
    return bool(match and is_loopback(match[1].strip("[]")))
