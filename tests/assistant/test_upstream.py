"""The request that a server gets, and the ways to it."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from assistant import PromptMessage, proxies
from assistant.addresses import problem_with, refused_kind
from assistant.events import Reasoning, Text
from assistant.openai_compatible import OpenAICompatible
from assistant.proxies import Proxy, UnusableProxy, proxy_for
from assistant.upstream import Upstream
from core.errors import ModelRefused, ModelTimeout, ModelUnavailable, QuilliumError
from tests.assistant.dialects.hosted import OPENAI
from tests.assistant.upstream import Caller, Script, upstream

HELLO = [PromptMessage("user", "Hello?")]


async def reply_of(asked: Upstream) -> str:
    events = OpenAICompatible(asked).reply(HELLO, "m")
    return "".join([event.text async for event in events if isinstance(event, Text)])


async def heard_by(script: Script, asked: str = "", **settings: object) -> list[Caller]:
    """The callers of one reply, whose base_url gets `asked` at its end."""
    callers: list[Caller] = []

    async def note(caller: Caller) -> None:
        callers.append(caller)
        await script(caller)

    async with upstream(note) as base_url:
        await reply_of(Upstream("The Upstream", base_url + asked, **settings))  # type: ignore[arg-type]
    return callers


async def hello(caller: Caller) -> None:
    await caller.begin()
    await caller.event(content="Hello")
    await caller.done()


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
        ("/deployments/x?api-version=2026-01-01", "/v1/deployments/x/chat/completions?api-version=2026-01-01"),
        ("/?a=b&c=d#frag", "/v1/chat/completions?a=b&c=d"),
        ("/a b/ü", "/v1/a%20b/%C3%BC/chat/completions"),
        ("/a%20b", "/v1/a%20b/chat/completions"),
    ],
)  # fmt: skip
async def test_the_query_of_a_base_url_stays_in_its_place(asked: str, path: str) -> None:
    (caller,) = await heard_by(hello, asked)
    assert caller.path == f"POST {path} HTTP/1.1"


async def test_headers() -> None:
    headers = (("api-key", "k1"), ("authorization", "Basic x"), ("user-agent", "Mine"))
    (caller,) = await heard_by(hello, api_key="sk-key", headers=headers)
    assert caller.headers["api-key"] == "k1"
    assert caller.headers["authorization"] == "Basic x"  # the admin's own wins
    assert caller.headers["user-agent"] == "Mine"
    assert caller.headers["accept-encoding"] == "identity"
    with pytest.raises(ModelRefused, match="can't be sent"):
        await heard_by(hello, headers=(("X", "ü"),))


async def test_gzip_that_nobody_asked_for() -> None:
    async def packed(caller: Caller) -> None:
        body = gzip.compress(OPENAI)
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n"
        await caller.raw(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    async with upstream(packed) as base_url:
        assert await reply_of(Upstream("The Upstream", base_url)) == "Hello"


async def test_a_body_that_ends_with_the_connection_is_streamed() -> None:
    async def old(caller: Caller) -> None:
        await caller.raw(b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        await caller.raw(b'data: {"choices": [{"delta": {"content": "Hel"}}]}\n\n')
        await caller.heard.wait()
        await caller.raw(b'data: {"choices": [{"delta": {"content": "lo"}}]}\n\ndata: [DONE]\n\n')

    heard = asyncio.Event()
    async with upstream(old, heard) as base_url:
        reply = OpenAICompatible(Upstream("The Upstream", base_url)).reply(HELLO, "m")
        assert await anext(reply) == Text("Hel")
        heard.set()
        assert [event.text async for event in reply if isinstance(event, Text)] == ["lo"]


async def test_what_comes_with_the_end_of_a_connection_that_breaks_off_is_kept() -> None:
    async def cut(caller: Caller) -> None:
        chunk = b'data: {"choices": [{"delta": {"content": "Hello"}}]}\n\n'
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        await caller.raw(head + b"%x\r\n%s\r\n" % (len(chunk), chunk))

    async with upstream(cut) as base_url:
        reply = OpenAICompatible(Upstream("x", base_url)).reply(HELLO, "m")
        assert await anext(reply) == Text("Hello")
        with pytest.raises(ModelUnavailable, match="broke off"):
            await anext(reply)


async def test_the_first_token_may_take_longer_than_the_next() -> None:
    """Comments and a role are no token; reasoning is one."""
    go_on = asyncio.Event()

    async def script(caller: Caller) -> None:
        await caller.begin()
        await caller.event(role="assistant", content="")
        await caller.chunk(b": still thinking\n\n")
        await go_on.wait()
        await caller.event(reasoning_content="Hm")
        await caller.hung_up()

    async with upstream(script) as base_url:
        patient = Upstream("The Upstream", base_url, first_seconds=60, silent_seconds=0.05)
        reply = OpenAICompatible(patient).reply(HELLO, "m")
        asyncio.get_running_loop().call_later(0.2, go_on.set)
        assert await anext(reply) == Reasoning("Hm")
        with pytest.raises(ModelTimeout, match="said nothing for 1 second"):
            await anext(reply)


async def test_an_answer_that_drips_is_cut_off() -> None:
    async def script(caller: Caller) -> None:
        await caller.begin()
        while True:
            await caller.chunk(b": not yet\n\n")
            await asyncio.sleep(0.01)

    async with upstream(script) as base_url:
        with pytest.raises(ModelTimeout, match="took more than 0 seconds in all"):
            await reply_of(Upstream("The Upstream", base_url, total_seconds=0.2))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([{"error": {"message": "of a list"}}], "of a list"),
        ({"detail": "of FastAPI"}, "of FastAPI"),
        ({"detail": [{"loc": ["body", "n"], "msg": "too many"}]}, "body.n: too many"),
        ({"message": "at the top"}, "at the top"),
        ({"error": "a string"}, "a string"),
        ({"error": {"message": {"error": {"message": "nested"}}}}, "nested"),
        ({"error": {"message": "Provider", "metadata": {"raw": "of the raw"}}}, "of the raw"),
        ({"error": {"metadata": {"raw": '{"error": {"message": "of JSON"}}'}}}, "of JSON"),
        ({"errors": [{"message": "one"}, {"message": "two"}]}, "one; two"),
        ({"base_resp": {"status_msg": "of MiniMax"}}, "of MiniMax"),
        (b"<html><head><title>502 Bad Gateway</title></head><body>x</body>", "502 Bad Gateway"),
        (b"<html><style>a{}</style><body><p>Too <b>busy</b></p></body></html>", "Too busy"),
        (b"upstream connect error", "upstream connect error"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        ("a JSON string", "a JSON string"),
    ],
)
async def test_reasons_are_not_lost(body: object, words: str) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def script(caller: Caller) -> None:
        await caller.answer("500 No", raw)

    async with upstream(script) as base_url:
        with pytest.raises(QuilliumError) as raised:
            await reply_of(Upstream("The Upstream", base_url))
    assert raised.value.details == f"The Upstream failed (500): {words}"


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[]", b'{"a": {"b": 7}}', b"[" * 9_999])
async def test_a_failure_without_words(body: bytes) -> None:
    async def script(caller: Caller) -> None:
        await caller.answer("500 No", body)

    async with upstream(script) as base_url:
        with pytest.raises(ModelUnavailable, match=r"failed \(500\)"):
            await reply_of(Upstream("The Upstream", base_url))


async def test_a_secret_in_a_header_never_shows() -> None:
    secret = "a-very-secret-token"

    async def script(caller: Caller) -> None:
        await caller.answer("401 No", json.dumps({"error": f"{secret} is wrong"}).encode())

    async with upstream(script) as base_url:
        with pytest.raises(ModelRefused) as raised:
            await reply_of(Upstream("The Upstream", base_url, headers=(("api-key", secret),)))
    assert raised.value.details.endswith("is wrong")
    assert "secret" not in raised.value.details


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("169.254.169.254", "link-local"),
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


@pytest.mark.parametrize(
    "host", ["2852039166", "0xa9fea9fe", "169.254.43518", "0251.0376.0251.0376"]
)
async def test_odd_spellings_of_such_an_address_are_refused(host: str) -> None:
    with pytest.raises(
        ModelUnavailable, match=r"a link-local address, which is refused|no such host"
    ):
        await reply_of(Upstream("The Upstream", f"http://{host}/v1"))


# Proxies of the environment


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


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
        await caller.hung_up()

    async with proxied(environment, not_tls, "https"):
        with pytest.raises(ModelUnavailable, match="can't"):
            await reply_of(Upstream("The Upstream", "https://models.invalid/v1"))


async def test_a_proxy_leads_nowhere_that_is_refused(environment: pytest.MonkeyPatch) -> None:
    async with proxied(environment, hello, "http"):
        with pytest.raises(ModelUnavailable, match="which is refused"):
            await reply_of(Upstream("The Upstream", "http://100.100.100.200/v1"))
    environment.setenv("HTTP_PROXY", "socks5://127.0.0.1:1080")
    with pytest.raises(ModelUnavailable, match="none that speaks HTTP"):
        await reply_of(Upstream("The Upstream", "http://models.invalid/v1"))
    assert proxies.proxy_for("http", "127.0.0.1") is None
