"""Addresses allowed in a `base_url` (docs/security.md, "The page and model output").

Loopback and private networks are allowed for Ollama and vLLM. Link-local and some other addresses
are rejected, because clouds serve the credentials of their machines there.
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
# IPv6 networks whose addresses embed an IPv4 address in the last 32 bits.
_EMBEDDING_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in (
        "::ffff:0:0/96",  # mapped (RFC 4291)
        "::ffff:0:0:0/96",  # SIIT (RFC 7915)
        "::/96",  # compatible, deprecated
        "64:ff9b::/96",  # NAT64 (RFC 6052)
        "64:ff9b:1::/48",  # local NAT64 (RFC 8215)
    )
)


class RefusedAddress(OSError):
    """A name resolves to a forbidden address; the message describes the address."""


def problem_with(base_url: str) -> str | None:
    """Return why a URL is forbidden, without resolving its host; None if it is not."""
    try:
        address = urlsplit(base_url)
        host, _ = address.hostname, address.port
    except ValueError:
        return "is not a valid URL"
    if not host:
        return "has no host"
    if address.username is not None or address.password is not None:
        return "must not contain a user name or password"
    try:
        kind = refused_kind(host)
    except ValueError:
        return None  # a name: its addresses are checked on connecting
    return f"is {kind}" if kind else None


def refused_kind(address: str) -> str | None:
    """Return the kind of a forbidden address, also if embedded in IPv6; None if it is allowed.

    Raises `ValueError` if it is not an address.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    embedded = _embedded_ipv4(ip)
    return (_kind(embedded) if embedded is not None else None) or _kind(ip)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, without resolving it."""
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


def _embedded_ipv4(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address embedded in an IPv6 address."""
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip.teredo is not None:
        return ip.teredo[1]
    if any(ip in network for network in _EMBEDDING_NETWORKS):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return None


class CheckedResolver(Resolver):
    """Resolves names, and rejects those with a forbidden address."""

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
