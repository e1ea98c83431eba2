"""The listening sockets."""

from __future__ import annotations

import errno
import ipaddress
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.options import ConfigError

# The listen backlog. If it overflows when a thousand clients connect at once, their TCP stacks
# retry only after a second.
BACKLOG = 1024
_LOCALHOST = ("127.0.0.1", "::1")
_UNAVAILABLE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)  # the machine lacks IPv6, or IPv4
_ATTEMPTS = 20  # attempts to find a port that is free on both addresses of localhost
_LAST_PORT = "last-port"


class _CannotListen(ConfigError):
    def __init__(self, address: str, port: int, error: Exception) -> None:
        place = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        # A malformed name such as `a..b` raises `UnicodeError`.
        reason = getattr(error, "strerror", None) or "it is not a host name"
        super().__init__(f"can't listen on {place}: {reason}. Choose another --port or --host.")


def listen(host: str, port: int) -> list[socket.socket]:
    """Listen on `host`; for `localhost`, on 127.0.0.1 and ::1 with the same port.

    Port 0 means any free port. Raises `ConfigError`.
    """
    addresses = _LOCALHOST if host.lower() == "localhost" else (host,)
    for _ in range(_ATTEMPTS if port == 0 else 1):
        try:
            return _bind_all(addresses, port)
        except _CannotListen as error:
            failure = error
    raise failure


def listen_as_before(host: str, data_dir: Path) -> list[socket.socket]:
    """Listen on the port of the last start, or on a free one if that port is in use.

    A stable port keeps the page's origin, and therefore its browser storage (contract, section 10).
    Raises `ConfigError`.
    """
    path = data_dir / _LAST_PORT
    last = _read_port(path)
    sockets: list[socket.socket] = []
    if last:
        with suppress(ConfigError):
            sockets = listen(host, last)
    sockets = sockets or listen(host, 0)
    port = address_of(sockets)[1]
    if port != last:
        with suppress(OSError):  # a full disk: the next start takes another port
            path.touch(mode=0o600)
            path.write_text(f"{port}\n", encoding="ascii")
    return sockets


def address_of(sockets: list[socket.socket]) -> tuple[str, int]:
    """Return a host and port under which this machine reaches the server.

    0.0.0.0 and :: can be bound, but not opened on Windows and in some browsers.
    """
    host, port = sockets[0].getsockname()[:2]
    if is_on_all_addresses(sockets):
        host = "::1" if ":" in host else "127.0.0.1"
    return host, port


def is_on_all_addresses(sockets: list[socket.socket]) -> bool:
    return ipaddress.ip_address(sockets[0].getsockname()[0]).is_unspecified


def url_of(sockets: list[socket.socket]) -> str:
    host, port = address_of(sockets)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _read_port(path: Path) -> int:
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return 0
    return int(text) if text.isdigit() and int(text) < 1 << 16 else 0


def _bind_all(names: tuple[str, ...], port: int) -> list[socket.socket]:
    """Bind all addresses that the machine supports. Raises `_CannotListen` with nothing bound."""
    sockets: list[socket.socket] = []
    lacking = None
    for name in names:
        try:
            for family, address in _addresses(name, port):
                wanted = (address[0], address_of(sockets)[1], *address[2:]) if sockets else address
                # Not Tornado's `bind_sockets`, which leaks a socket when it fails.
                bound = socket.create_server(wanted, family=family, backlog=BACKLOG)
                bound.setblocking(False)
                sockets.append(bound)
        except (OSError, UnicodeError) as error:
            lacking = _CannotListen(name, port, error)
            if getattr(error, "errno", None) not in _UNAVAILABLE:
                for bound in sockets:
                    bound.close()
                raise lacking from None
    if lacking is not None and not sockets:
        raise lacking
    return sockets


def _addresses(name: str, port: int) -> list[tuple[int, tuple[Any, ...]]]:
    """Resolve a name to families and addresses. Raises `OSError` or `UnicodeError`."""
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))
