"""The addresses and ports that a server listens on (contract, sections 9 and 10)."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cli import listening
from core.options import ConfigError

Sockets = list[socket.socket]


@pytest.fixture
def closing() -> Iterator[Callable[[Sockets], Sockets]]:
    bound: Sockets = []

    def close_later(sockets: Sockets) -> Sockets:
        bound.extend(sockets)
        return sockets

    yield close_later
    for each in bound:
        each.close()


def addresses(sockets: Sockets) -> list[tuple[str, int]]:
    return [bound.getsockname()[:2] for bound in sockets]


needs_ipv6 = pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="needs IPv6")


@needs_ipv6
@pytest.mark.parametrize("host", ["localhost", "LocalHost"])
def test_localhost_is_both_loopback_addresses(closing: Any, host: str) -> None:
    (four, port), (six, same) = addresses(closing(listening.listen(host, 0)))
    assert (four, six) == ("127.0.0.1", "::1")
    assert port == same


@needs_ipv6
def test_the_other_address_of_localhost_is_taken(closing: Any) -> None:
    """Whoever opens localhost must not reach another program."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"can't listen on \[::1\]:{port}: Address already"):
            listening.listen("localhost", port)
    closing(listening.listen("localhost", port))  # 127.0.0.1 was not left bound


@needs_ipv6
def test_a_free_port_is_free_on_both(closing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[Any] = []
    real = socket.create_server

    def bind(address: Any, **more: Any) -> Any:
        if address[0] == "::1" and not refused:
            refused.append(address)
            raise OSError(errno.EADDRINUSE, "Address already in use")
        return real(address, **more)

    monkeypatch.setattr(socket, "create_server", bind)
    assert len(closing(listening.listen("localhost", 0))) == 2
    assert refused


@pytest.mark.parametrize("lacking", ["::1", "127.0.0.1"])
@pytest.mark.parametrize("code", [errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT])
def test_a_machine_with_one_family(
    closing: Any, monkeypatch: pytest.MonkeyPatch, lacking: str, code: int
) -> None:
    real = socket.create_server

    def bind(address: Any, **more: Any) -> Any:
        if address[0] == lacking:
            raise OSError(code, "no such family here")
        return real(address, **more)

    monkeypatch.setattr(socket, "create_server", bind)
    ((address, _),) = addresses(closing(listening.listen("localhost", 0)))
    assert {address, lacking} == {"127.0.0.1", "::1"}


@pytest.mark.parametrize(
    ("host", "line"),
    [
        ("203.0.113.1", "can't listen on 203.0.113.1:0: Cannot assign requested address"),
        ("a..b", "can't listen on a..b:0: it is not a host name"),
        ("x" * 70, "it is not a host name"),
        ("no.such.host.invalid", "can't listen on no.such.host.invalid:0: "),
    ],
)
def test_refusals(host: str, line: str) -> None:
    with pytest.raises(ConfigError) as refused:
        listening.listen(host, 0)
    assert line in str(refused.value)


@pytest.mark.parametrize("host", ["0.0.0.0", pytest.param("::", marks=needs_ipv6)])
def test_the_url_of_all_addresses_can_be_opened(closing: Any, host: str) -> None:
    sockets = closing(listening.listen(host, 0))
    assert listening.is_on_all_addresses(sockets)
    url = urlsplit(listening.url_of(sockets))
    assert url.hostname in ("127.0.0.1", "::1")
    with socket.create_connection((url.hostname, url.port or 0), timeout=10):
        pass


def test_the_url_of_an_ipv6_address(closing: Any) -> None:
    sockets = closing(listening.listen("::1", 0))
    assert listening.url_of(sockets) == f"http://[::1]:{sockets[0].getsockname()[1]}"


def test_the_port_of_the_last_start(closing: Any, tmp_path: Path) -> None:
    first = listening.listen_as_before("127.0.0.1", tmp_path)
    port = first[0].getsockname()[1]
    taken = closing(listening.listen_as_before("127.0.0.1", tmp_path))
    assert taken[0].getsockname()[1] != port  # a free one, because that one is in use
    port = taken[0].getsockname()[1]
    first[0].close()
    taken[0].close()
    again = closing(listening.listen_as_before("127.0.0.1", tmp_path))
    assert again[0].getsockname()[1] == port
    assert (tmp_path / "last-port").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\xfe", b"99999999", b"-1", b"0"])
def test_a_last_port_that_is_none(closing: Any, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "last-port").write_bytes(content)
    sockets = closing(listening.listen_as_before("127.0.0.1", tmp_path))
    assert (tmp_path / "last-port").read_text() == f"{sockets[0].getsockname()[1]}\n"


def test_a_last_port_that_can_not_be_stored(closing: Any, tmp_path: Path) -> None:
    (tmp_path / "last-port").mkdir()
    assert closing(listening.listen_as_before("127.0.0.1", tmp_path))
