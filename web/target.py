"""Normalize the request target, and remove the base path from it (contract, section 1)."""

from __future__ import annotations

import re

from tornado.httputil import HTTPServerRequest

from core import base_path

_ABSOLUTE = re.compile(r"https?://([^/?#@]+)(/.*)?\Z", re.IGNORECASE)
_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
)  # RFC 3986, section 2.3


def normalize(request: HTTPServerRequest) -> None:
    """Normalize the path, and move the host of an absolute-form target to the Host header.

    RFC 9112, section 3.2.2: the host of the absolute form overrides the Host header. RFC 3986,
    section 6.2.2.2: percent-encoded unreserved characters are equivalent to the plain ones.
    """
    if not request.path.startswith("/"):
        absolute = _ABSOLUTE.match(request.path)
        if absolute is not None:
            request.host, request.path = absolute[1], absolute[2] or "/"
    if "%" in request.path:
        request.path = _ENCODED.sub(_decoded, request.path)


def mount(request: HTTPServerRequest, configured: str, *, is_proxy_trusted: bool) -> str:
    """Remove the base path from a normalized path, and return the base path.

    It is the configured one, unless a trusted proxy sends `X-Forwarded-Prefix`. Many proxies remove
    the base path themselves, so a path without it is left unchanged. The path of a request for the
    base path itself, without a slash, becomes empty.
    """
    base = configured
    if is_proxy_trusted and "X-Forwarded-Prefix" in request.headers:
        base = _forwarded(request.headers["X-Forwarded-Prefix"]) or configured
    if base and (request.path == base or request.path.startswith(f"{base}/")):
        request.path = request.path[len(base) :]
    return base


def _forwarded(header: str) -> str:
    """Return the entry of the nearest proxy, the right-most; empty if it is invalid."""
    try:
        return base_path.parse(header.rpartition(",")[2])
    except ValueError:
        return ""


def _decoded(match: re.Match[str]) -> str:
    byte = int(match[1], 16)
    return chr(byte) if byte in _UNRESERVED else match[0]
