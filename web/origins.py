"""The allowed host names and origins (contract, section 9).

Names are compared in full, never by prefix: `http://localhost.evil.example` is another site.
"""

from __future__ import annotations

import functools
import ipaddress
import re

from tornado import httputil

_CACHED = 256  # cached names; nearly all requests use one or two
APPLICATION_ORIGINS = frozenset(  # for Tauri and Capacitor; their http origins are local names
    {"tauri://localhost", "capacitor://localhost", "ionic://localhost"}
)
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_LOCAL_NAME = re.compile(rf"({_LABEL}\.){{0,8}}localhost\Z")
_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?\Z")


@functools.lru_cache(maxsize=_CACHED)
def host_name(host: str) -> str:
    """Return a Host header without its port, in lower case and without IPv6 brackets."""
    try:
        name, _ = httputil.split_host_and_port(host.lower())
    except ValueError:
        return ""
    return name.strip("[]")


@functools.lru_cache(maxsize=_CACHED)
def is_local(name: str) -> bool:
    """Return whether a name is `localhost`, `*.localhost` or a loopback address.

    RFC 6761, section 6.3, reserves these names for the local machine.
    """
    if _LOCAL_NAME.match(name):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


@functools.lru_cache(maxsize=_CACHED)
def is_ip_literal(name: str) -> bool:
    """Return whether a name is an IP address. DNS rebinding needs a name, so a literal is safe."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


@functools.lru_cache(maxsize=_CACHED)
def is_local_origin(origin: str) -> bool:
    """Return whether an origin is a page or application on this machine, on any port."""
    match = _ORIGIN.match(origin)
    is_page = match is not None and is_local(match[1].strip("[]"))
    return is_page or origin in APPLICATION_ORIGINS
