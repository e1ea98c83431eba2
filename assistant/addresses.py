"""Where a provider's `base_url` may lead (docs/security.md, "The page and the model's words").

Loopback and private networks are what Ollama and vLLM need. Link-local addresses, and some others,
are where clouds keep the secrets of their machines.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

from tornado.netutil import DefaultLoopResolver, Resolver

_METADATA = tuple(
    ipaddress.ip_network(network)
    for network in (
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure
        "192.0.0.192/32",  # Oracle
        "fd00:ec2::/32",  # AWS, and its agents beside ::254
        "fd20:ce::254/128",  # Google
    )
)
# IPv6 networks whose addresses hold an IPv4 address in their last 32 bits.
_TRANSLATED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "::ffff:0:0/96",  # mapped (RFC 4291)
        "::ffff:0:0:0/96",  # SIIT (RFC 7915)
        "::/96",  # compatible, deprecated
        "64:ff9b::/96",  # NAT64 (RFC 6052)
        "64:ff9b:1::/48",  # NAT64 of a network's own (RFC 8215)
    )
)


class RefusedAddress(OSError):
    """A name that leads where no model is served; the text says what is there."""


def problem_with(base_url: str) -> str | None:
    """Return why the server must not call this address, as far as that shows without resolving."""
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
        kind = refused_kind(host)
    except ValueError:
        return None  # a name: where it leads is checked when it is called
    return f"is {kind}" if kind else None


def refused_kind(address: str) -> str | None:
    """Return what a refused address is, also as an IPv6 one that holds it; None for any other.

    Raises `ValueError` for what is no address.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    held = _held(ip)
    return (_kind(held) if held is not None else None) or _kind(ip)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, as far as that shows without resolving."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        name = host.lower().rstrip(".")
        return name == "localhost" or name.endswith(".localhost")


def _kind(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str | None:
    if ip.is_link_local:
        return "link-local"
    is_metadata = any(ip in network for network in _METADATA)
    return "the metadata service of a cloud" if is_metadata else None


def _held(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 one stands for."""
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip.teredo is not None:
        return ip.teredo[1]
    if any(ip in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return None


class CheckedResolver(Resolver):
    """Resolve names, and refuse those that lead to a refused address."""

    def initialize(self) -> None:
        self._resolver = DefaultLoopResolver()

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        found = await self._resolver.resolve(host, port, family)
        for _, address in found:
            kind = refused_kind(address[0])
            if kind:
                raise RefusedAddress(kind)
        return list(found)
