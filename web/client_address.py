"""Who a request comes from, and by which scheme, directly or through a trusted proxy.

Tornado's `xheaders` is not used: it prefers `X-Real-Ip` and `X-Scheme`, which a client can send
through a proxy that does not clear them. A proxy appends to `X-Forwarded-For`, so only the
right-most entry is its own (contract, section 3).
"""

from __future__ import annotations

import ipaddress

from tornado.httputil import HTTPServerRequest

UNKNOWN = "unknown"  # such as the peer of a Unix socket


def client_address(request: HTTPServerRequest, *, is_proxy_trusted: bool) -> str:
    """Return the client's IP address in its canonical form.

    It is the address of the socket, unless a trusted proxy names another one.
    """
    if is_proxy_trusted:
        forwarded = _canonical(_last(request, "X-Forwarded-For"))
        if forwarded is not None:
            return forwarded
    return _canonical(request.remote_ip or "") or UNKNOWN


def client_scheme(request: HTTPServerRequest, *, is_proxy_trusted: bool) -> str:
    """Return `http`, or `https` if a trusted proxy says that the client used TLS."""
    if is_proxy_trusted and _last(request, "X-Forwarded-Proto").lower() == "https":
        return "https"
    return request.protocol


def _last(request: HTTPServerRequest, name: str) -> str:
    """Return the right-most entry of a list header, also if it is sent in several lines."""
    return request.headers.get(name, "").rpartition(",")[2].strip()


def _canonical(text: str) -> str | None:
    """Return an address without a zone, an IPv4 address never as mapped IPv6; None if invalid."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
