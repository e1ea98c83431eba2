"""Where a provider's `base_url` may lead (docs/security.md, "The page and the model's words").

Loopback is what Ollama needs; link-local addresses are where clouds keep their machines' secrets.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

from tornado.netutil import DefaultLoopResolver, Resolver


class LinkLocal(OSError):
    """A name that leads to a link-local address."""


def problem_with(base_url: str) -> str | None:
    """Why the server must not call this address, as far as it can be seen without resolving."""
    try:
        address = urlsplit(base_url)
        host, _ = address.hostname, address.port
    except ValueError:
        return "is not an address"
    if not host:
        return "names no host"
    if address.username is not None or address.password is not None:
        return "must not hold a user name or password"
    try:
        return "is link-local" if is_link_local(host) else None
    except ValueError:
        return None  # a name: where it leads is checked when it is called


def is_link_local(address: str) -> bool:
    """Whether it is one, also as an IPv6 address that holds an IPv4 one. Raises `ValueError`."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_link_local


class CheckedResolver(Resolver):
    """Resolves names, and refuses those that lead to a link-local address."""

    def initialize(self) -> None:
        self._resolver = DefaultLoopResolver()

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        found = await self._resolver.resolve(host, port, family)
        for _, address in found:
            if is_link_local(address[0]):
                raise LinkLocal("the name leads to a link-local address")
        return list(found)
