"""Proxies from the environment."""

from __future__ import annotations

import pytest

from assistant.proxies import Proxy, UnusableProxy, proxy_for


def test_which_proxy(environment: pytest.MonkeyPatch) -> None:
    assert proxy_for("https", "api.example") is None
    environment.setenv("HTTPS_PROXY", "http://ada:p%40ss@proxy.example:3128")
    assert proxy_for("https", "api.example") == Proxy("proxy.example", 3128, "Basic YWRhOnBAc3M=")
    assert proxy_for("http", "api.example") is None
    environment.setenv("all_proxy", "proxy.example:8080")
    assert proxy_for("http", "api.example") == Proxy("proxy.example", 8080, "")
    environment.setenv("NO_PROXY", "example.org,.internal,10.1.2.3")
    assert proxy_for("https", "models.internal") is None
    assert proxy_for("https", "10.1.2.3") is None
    for host in ("localhost", "127.0.0.1", "::1", "ollama.localhost"):
        assert proxy_for("http", host) is None
    for address in ("socks5://proxy.example:1080", "https://proxy.example", "http://x:99999"):
        environment.setenv("HTTPS_PROXY", address)
        with pytest.raises(UnusableProxy):
            proxy_for("https", "api.example")


def test_the_port_and_the_user_of_a_proxy(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HTTP_PROXY", "http://proxy.example")
    assert proxy_for("http", "api.example") == Proxy("proxy.example", 80, "")
    environment.setenv("HTTP_PROXY", "http://ada@proxy.example")
    assert proxy_for("http", "api.example") == Proxy("proxy.example", 80, "Basic YWRhOg==")
    for address in ("http://", "ftp://proxy.example"):
        environment.setenv("HTTP_PROXY", address)
        with pytest.raises(UnusableProxy):
            proxy_for("http", "api.example")
