"""Connecting to a model's server, and connection failures."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from assistant import PromptMessage, connecting
from assistant.connecting import connect
from assistant.events import Text
from assistant.openai_compatible import OpenAICompatible
from assistant.upstream import Upstream
from core.errors import ModelTimeout, ModelUnavailable
from tests.assistant.upstream import Caller, Script, listening, upstream
from tests.program import free_port


async def reply_of(asked: Upstream) -> str:
    events = OpenAICompatible(asked).reply([PromptMessage("user", "Hello?")], "m")
    return "".join([event.text async for event in events if isinstance(event, Text)])


async def hello(caller: Caller) -> None:
    await caller.begin()
    await caller.event(content="Hello")
    await caller.done()


async def hung_up(caller: Caller) -> None:
    await caller.wait_for_close()


@pytest.mark.parametrize(
    ("asked", "target"),
    [("", "/v1"), ("/a b/%20?c=d", "/v1/a%20b/%20?c=d"), ("/ü", "/v1/%C3%BC")],
)
async def test_a_direct_connection(asked: str, target: str) -> None:
    async with upstream(hung_up) as base_url:
        stream, path, headers = await connect("The Upstream", base_url + asked)
        stream.close()
        bare, root, _ = await connect("The Upstream", base_url.removesuffix("/v1"))
        bare.close()
    assert (path, headers, root) == (target, {}, "/")


async def refused(address: str) -> str:
    with pytest.raises(ModelUnavailable) as raised:
        await connect("The Upstream", address)
    return raised.value.details


async def test_nobody_is_there() -> None:
    assert await refused(f"http://127.0.0.1:{free_port()}/v1") == (
        "The Upstream can't be reached. Is it running?"
    )
    assert await refused("http://no-such-host.invalid/v1") == (
        "The Upstream can't be reached: its host name doesn't resolve."
    )


async def test_a_server_that_speaks_no_tls() -> None:
    async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 This is no TLS\r\n\r\n")

    async with listening(connected) as port:
        assert await refused(f"https://127.0.0.1:{port}/v1") == (
            "The Upstream has no valid TLS certificate."
        )


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to make a certificate")
async def test_a_certificate_that_nobody_trusts_is_refused(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    try:
        assert await refused(f"https://127.0.0.1:{port}/v1") == (
            "The Upstream has no valid TLS certificate."
        )
    finally:
        server.close()


async def test_no_connection_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 0)
    with pytest.raises(
        ModelTimeout, match="The Upstream can't be reached: the connection timed out"
    ):
        await connect("The Upstream", "http://127.0.0.1:1/v1")


# Addresses that are refused


@pytest.mark.parametrize("address", ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]"])
async def test_link_local_addresses_are_refused(address: str) -> None:
    assert await refused(f"http://{address}/v1") == (
        "The Upstream resolves to a link-local address, which is not allowed."
    )


async def test_a_name_that_leads_to_a_refused_address(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("100.100.100.200", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert await refused("http://metadata.example/v1") == (
        "The Upstream resolves to the metadata service of a cloud, which is not allowed."
    )


@pytest.mark.parametrize(
    "host", ["2852039166", "0xa9fea9fe", "169.254.43518", "0251.0376.0251.0376"]
)
async def test_odd_spellings_of_such_an_address_are_refused(host: str) -> None:
    with pytest.raises(
        ModelUnavailable, match=r"a link-local address, which is not allowed|doesn't resolve"
    ):
        await reply_of(Upstream("The Upstream", f"http://{host}/v1"))


# Proxies of the environment


@asynccontextmanager
async def proxied(
    environment: pytest.MonkeyPatch, script: Script, scheme: str
) -> AsyncIterator[None]:
    async with upstream(script) as base_url:
        address = base_url.removesuffix("/v1").replace("http://", "http://ada:secret@")
        environment.setenv(f"{scheme.upper()}_PROXY", address)
        yield


async def test_through_a_proxy(environment: pytest.MonkeyPatch) -> None:
    callers: list[Caller] = []

    async def script(caller: Caller) -> None:
        callers.append(caller)
        await hello(caller)

    async with proxied(environment, script, "http"):
        asked = Upstream("The Upstream", "http://models.invalid:81/v1?a=b", "sk-key")
        assert await reply_of(asked) == "Hello"
    (caller,) = callers
    assert caller.path == "POST http://models.invalid:81/v1/chat/completions?a=b HTTP/1.1"
    assert caller.headers["host"] == "models.invalid:81"
    assert caller.headers["proxy-authorization"].startswith("Basic ")
    assert caller.headers["authorization"] == "Bearer sk-key"


async def test_a_tunnel_through_a_proxy(environment: pytest.MonkeyPatch) -> None:
    callers: list[Caller] = []

    async def script(caller: Caller) -> None:
        callers.append(caller)
        await caller.raw(b"HTTP/1.1 403 Forbidden\r\n\r\n")

    async with proxied(environment, script, "https"):
        with pytest.raises(ModelUnavailable, match=r"the proxy refused the connection \(403\)"):
            await reply_of(Upstream("The Upstream", "https://models.invalid/v1", "sk-key"))
    (caller,) = callers
    assert caller.path == "CONNECT models.invalid:443 HTTP/1.1"
    assert "authorization" not in caller.headers  # that is for the server alone

    async def not_tls(caller: Caller) -> None:
        await caller.raw(b"HTTP/1.1 200 OK\r\n\r\nnot TLS at all, not even nearly\r\n")
        await caller.wait_for_close()

    async with proxied(environment, not_tls, "https"):
        with pytest.raises(ModelUnavailable, match="can't"):
            await reply_of(Upstream("The Upstream", "https://models.invalid/v1"))


async def test_a_proxy_leads_nowhere_that_is_refused(environment: pytest.MonkeyPatch) -> None:
    async with proxied(environment, hello, "http"):
        with pytest.raises(ModelUnavailable, match="which is not allowed"):
            await reply_of(Upstream("The Upstream", "http://100.100.100.200/v1"))
    environment.setenv("HTTP_PROXY", "socks5://127.0.0.1:1080")
    with pytest.raises(ModelUnavailable, match="is not an HTTP proxy"):
        await reply_of(Upstream("The Upstream", "http://models.invalid/v1"))


@pytest.mark.parametrize(
    ("host", "target"), [("models.invalid:8443", "models.invalid:8443"), ("[::2]", "[::2]:443")]
)
async def test_what_a_tunnel_is_asked_for(
    environment: pytest.MonkeyPatch, host: str, target: str
) -> None:
    callers: list[Caller] = []

    async def script(caller: Caller) -> None:
        callers.append(caller)
        caller.close()

    async with proxied(environment, script, "https"):
        assert await refused(f"https://{host}/v1") == (
            "The Upstream can't be reached: the proxy closed the connection."
        )
    (caller,) = callers
    assert caller.path == f"CONNECT {target} HTTP/1.1"
    assert caller.headers["host"] == target
    assert caller.headers["proxy-authorization"] == "Basic YWRhOnNlY3JldA=="


async def test_a_proxy_that_speaks_no_http(environment: pytest.MonkeyPatch) -> None:
    async def script(caller: Caller) -> None:
        await caller.raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

    async with proxied(environment, script, "https"):
        assert "the proxy closed the connection" in await refused("https://models.invalid/v1")
