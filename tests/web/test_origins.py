"""Allowed hosts and origins, compared exactly."""

from __future__ import annotations

import pytest

from web import origins


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("LocalHost:8080", "localhost"),
        ("[::1]:8080", "::1"),
        ("chat.example.com", "chat.example.com"),
        ("", ""),
        ("a:b", "a:b"),
    ],
)
def test_host_name(host: str, name: str) -> None:
    assert origins.host_name(host) == name


@pytest.mark.parametrize(
    ("name", "is_local"),
    [
        ("localhost", True),
        ("app.localhost", True),
        ("a.b.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost.evil.example", False),
        ("notlocalhost", False),
        (".localhost", False),
        ("-a.localhost", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_local_names(name: str, is_local: bool) -> None:
    assert origins.is_local(name) is is_local


@pytest.mark.parametrize(
    ("name", "is_literal"), [("10.0.0.1", True), ("fe80::1", True), ("10.0.0", False), ("x", False)]
)
def test_ip_literals(name: str, is_literal: bool) -> None:
    assert origins.is_ip_literal(name) is is_literal


@pytest.mark.parametrize(
    ("origin", "is_local"),
    [
        ("http://localhost", True),
        ("https://localhost:5173", True),
        ("http://app.localhost:3000", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("tauri://localhost", True),
        ("http://tauri.localhost", True),
        ("capacitor://localhost", True),
        ("null", False),
        ("", False),
        ("http://localhost.evil.example", False),
        ("http://localhost@evil.example", False),
        ("http://evil.example/localhost", False),
        ("http://localhost:80:80", False),
        ("http://localhost\n", False),
        ("file://localhost", False),
        ("tauri://evil", False),
    ],
)
def test_local_origins(origin: str, is_local: bool) -> None:
    assert origins.is_local_origin(origin) is is_local
