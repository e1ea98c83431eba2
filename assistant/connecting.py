"""Connect to a model server, directly or through the environment's proxy."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from urllib.parse import quote, urlsplit

from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient

from assistant.addresses import CheckedResolver, RefusedAddress
from assistant.http_response import MalformedResponse, ResponseParser
from assistant.proxies import Proxy, UnusableProxy, proxy_for
from core.errors import ModelTimeout, ModelUnavailable

CONNECT_SECONDS = 10.0


async def connect(name: str, address: str) -> tuple[IOStream, str, dict[str, str]]:
    """Return a connection, the request target, and the headers that a proxy needs.

    `name` is the server's name for errors. Raises `ModelUnavailable` and `ModelTimeout`.
    """
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await _connect(address)
    except TimeoutError:
        raise ModelTimeout(f"{name} can't be reached: the connection timed out.") from None
    except RefusedAddress as refused:
        kind = "a link-local address" if str(refused) == "link-local" else str(refused)
        raise ModelUnavailable(f"{name} resolves to {kind}, which is not allowed.") from None
    except socket.gaierror:
        raise ModelUnavailable(f"{name} can't be reached: its host name doesn't resolve.") from None
    except UnusableProxy:
        raise ModelUnavailable(
            f"{name} can't be reached: the proxy set in the environment is not an HTTP proxy."
        ) from None
    except _ProxyRefused as refused:
        raise ModelUnavailable(f"{name} can't be reached: the proxy {refused}.") from None
    except (OSError, ValueError) as error:
        cause = getattr(error, "real_error", None) or error
        if isinstance(cause, ssl.SSLError):
            raise ModelUnavailable(f"{name} has no valid TLS certificate.") from None
        raise ModelUnavailable(f"{name} can't be reached. Is it running?") from None


class _ProxyRefused(OSError):
    """A proxy refused to open a tunnel. The message completes "the proxy …"."""


async def _connect(address: str) -> tuple[IOStream, str, dict[str, str]]:
    url = urlsplit(address)
    host = url.hostname or ""
    is_secure = url.scheme == "https"
    port = url.port or (443 if is_secure else 80)
    path = quote(url.path or "/", safe="/%:@!$&'()*+,;=~") + (f"?{url.query}" if url.query else "")
    proxy = proxy_for(url.scheme, host)
    if proxy is None:
        stream = await TCPClient(resolver=CheckedResolver()).connect(
            host, port, ssl_options=ssl.create_default_context() if is_secure else None
        )
        return stream, path, {}
    with contextlib.suppress(socket.gaierror):  # the proxy resolves the name
        await CheckedResolver().resolve(host, port)
    stream = await TCPClient().connect(proxy.host, proxy.port)
    authorization = {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}
    if not is_secure:
        return stream, f"http://{url.netloc}{path}", authorization
    try:
        await _open_tunnel(stream, proxy, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        secured = await stream.start_tls(False, ssl.create_default_context(), host)
    except BaseException:
        stream.close()
        raise
    return secured, path, {}


async def _open_tunnel(stream: IOStream, proxy: Proxy, target: str) -> None:
    """Request a tunnel from a proxy (RFC 9110, section 9.3.6)."""
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    await stream.write("\r\n".join([*lines, "", ""]).encode())
    parser = ResponseParser()
    try:
        while not parser.status:
            # Read line by line: the bytes after the header belong to the server.
            parser.feed(await stream.read_until(b"\n", max_bytes=1 << 16))
    except (StreamClosedError, MalformedResponse):
        raise _ProxyRefused("closed the connection") from None
    if not 200 <= parser.status < 300:
        raise _ProxyRefused(f"refused the connection ({parser.status})")
