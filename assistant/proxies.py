"""The proxy of the environment: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`."""

from __future__ import annotations

import base64
import urllib.request
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from assistant import addresses


class Proxy(NamedTuple):
    host: str
    port: int
    authorization: str  # the value of `Proxy-Authorization`; empty without credentials


class UnusableProxy(Exception):
    """The environment names a proxy that is not an HTTP proxy."""


def proxy_for(scheme: str, host: str) -> Proxy | None:
    """Return the proxy for a host; None for a direct connection. Raises `UnusableProxy`.

    Loopback addresses never use a proxy, because it could not reach Ollama on this machine.
    """
    proxies = urllib.request.getproxies_environment()
    address = proxies.get(scheme) or proxies.get("all")
    if not address or addresses.is_loopback(host):
        return None
    if urllib.request.proxy_bypass_environment(host, proxies):  # type: ignore[attr-defined]
        return None
    parts = urlsplit(address if "://" in address else f"http://{address}")
    try:
        port = parts.port or 80
    except ValueError:
        raise UnusableProxy from None
    if parts.scheme != "http" or not parts.hostname:
        raise UnusableProxy
    authorization = ""
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = "Basic " + base64.b64encode(user.encode()).decode()
    return Proxy(parts.hostname, port, authorization)
