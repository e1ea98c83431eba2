"""The addresses that a provider's `base_url` may resolve to."""

from __future__ import annotations

import socket

import pytest

from assistant.addresses import (
    CheckedResolver,
    RefusedAddress,
    is_loopback,
    problem_with,
    refused_kind,
)


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("169.254.169.254", "link-local"),
        ("fe80::1%25eth0", "link-local"),
        ("::ffff:0:169.254.169.254", "link-local"),
        ("2001:0:1:1:1:1:5601:5601", "link-local"),  # Teredo, which inverts the bits
        ("169.254.170.23", "link-local"),
        ("fe80::1", "link-local"),
        ("::ffff:169.254.169.254", "link-local"),
        ("64:ff9b::a9fe:a9fe", "link-local"),
        ("64:ff9b:1::a9fe:a9fe", "link-local"),
        ("2002:a9fe:a9fe::1", "link-local"),
        ("::a9fe:a9fe", "link-local"),
        ("fd00:ec2::254", "the metadata service of a cloud"),
        ("fd20:ce::254", "the metadata service of a cloud"),
        ("100.100.100.200", "the metadata service of a cloud"),
        ("::ffff:100.100.100.200", "the metadata service of a cloud"),
        ("168.63.129.16", "the metadata service of a cloud"),
        ("192.0.0.192", "the metadata service of a cloud"),
        ("127.0.0.1", None),
        ("::1", None),
        ("10.1.2.3", None),
        ("192.168.1.5", None),
        ("fd12:3456::1", None),
        ("2606:4700::1111", None),
    ],
)
def test_addresses_where_secrets_are(address: str, kind: str | None) -> None:
    assert refused_kind(address) == kind
    host = f"[{address}]" if ":" in address else address
    assert problem_with(f"http://{host}/v1") == (kind and f"is {kind}")


def test_what_is_no_address() -> None:
    with pytest.raises(ValueError, match=r"models\.example"):
        refused_kind("models.example")


@pytest.mark.parametrize(
    ("base_url", "problem"),
    [
        ("http://localhost:11434/v1", None),
        ("https://models.example/v1", None),
        ("http://[::1/v1", "is not a valid URL"),
        ("http://models.example:port/v1", "is not a valid URL"),
        ("http:///v1", "has no host"),
        ("models.example/v1", "has no host"),
        ("http://ada@models.example/v1", "must not contain a user name or password"),
        ("http://:secret@models.example/v1", "must not contain a user name or password"),
    ],
)
def test_what_shows_without_resolving(base_url: str, problem: str | None) -> None:
    assert problem_with(base_url) == problem


def test_this_machine() -> None:
    here = (
        "localhost",
        "LOCALHOST.",
        "ollama.localhost",
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "::1%lo",
    )
    elsewhere = ("localhost.example", "mylocalhost", "10.0.0.1", "::2", "")
    assert [is_loopback(host) for host in here] == [True] * len(here)
    assert [is_loopback(host) for host in elsewhere] == [False] * len(elsewhere)


async def test_a_name_is_refused_if_any_of_its_addresses_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    addresses = ["127.0.0.1"]

    def found(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    resolved = await CheckedResolver().resolve("models.example", 80)
    assert [address for _, address in resolved] == [("127.0.0.1", 80)]
    for bad, kind in (("169.254.1.1", "link-local"), ("168.63.129.16", "metadata")):
        addresses[1:] = [bad]
        with pytest.raises(RefusedAddress, match=kind):
            await CheckedResolver().resolve("models.example", 80)
