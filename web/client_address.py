"""The client's address and scheme, from the socket or from a trusted proxy.

Tornado's `xheaders` is not used: it prefers `X-Real-Ip` and `X-Scheme`, which a client can forge
unless the proxy removes them. A proxy appends to `X-Forwarded-For`, so only the right-most entry
is trustworthy (contract, section 3).
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
    """Return the right-most entry of a list header, which may span several header lines."""
    return request.headers.get(name, "").rpartition(",")[2].strip()


def _canonical(text: str) -> str | None:
    """Return an address without zone, mapped IPv6 converted to IPv4; None if it is invalid."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
