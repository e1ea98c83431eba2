"""The network that a client counts as, where clients are limited."""

from __future__ import annotations

import functools
import ipaddress

_CACHED = 1024  # addresses
_IPV6_PREFIX = 64  # bits; whoever has one IPv6 address has all of such a network (RFC 6177)


@functools.lru_cache(maxsize=_CACHED)
def network_of(address: str) -> str:
    """Return an IPv6 address's network, such as `2001:db8:1:2::/64`, and any other text as it is.

    A client can change its IPv6 address with each request, and its network hardly ever.
    """
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
    except ValueError:
        return address
