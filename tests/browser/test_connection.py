"""The connection of `static/quillium.js`: dead tokens, half-open and idle connections."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.conftest import needs_chromium
from tests.browser.network import Network, Reached, network
from tests.browser.pages import Server
from tests.browser.test_client import signed_in, tab

pytestmark = needs_chromium


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context()
    yield opened
    opened.close()


@pytest.fixture
def relay(server: Server) -> Iterator[Network]:
    with network(server.program.url) as between:
        yield between


def behind(relay: Network, server: Server) -> Any:
    """The server, as it is reached through the network."""
    return SimpleNamespace(program=Reached(relay.url, server.program.call))


def sockets(page: Page) -> list[str]:
    """The addresses of the WebSockets that the page opens from now on."""
    opened: list[str] = []
    page.on("websocket", lambda socket: opened.append(socket.url))
    return opened


def test_19_16_the_server_decides_whether_a_token_is_dead(
    context: BrowserContext, server: Server
) -> None:
    page, _ = signed_in(context, server)
    page.evaluate("quillium.disconnect()")
    refreshes: list[str] = []
    page.on("request", lambda r: refreshes.append(r.url) if r.url.endswith("/refresh") else None)
    opened = sockets(page)
    dead = page.evaluate("JSON.parse(localStorage.quillium).access_token")

    def answer(route: Any) -> None:
        """As a server whose clock says that this token has expired."""
        if f"token={dead}" in route.url:
            route.close(code=4401, reason="token_expired")
        else:
            route.connect_to_server()

    page.route_web_socket("**/ws?*", answer)
    page.evaluate(
        """async () => {
          seen.length = 0;
          quillium.connect();
          await until(() => seen.some(([type, what]) => type === "status" && what === "online"));
        }"""
    )
    assert len(refreshes) == 1
    assert sum(f"token={dead}" in url for url in opened) <= 1
    assert page.evaluate("quillium.isSignedIn")


def test_a_token_that_can_not_be_refreshed_is_not_tried_again(
    context: BrowserContext, server: Server
) -> None:
    page, _ = signed_in(context, server)
    page.evaluate("quillium.disconnect()")
    attempts: list[str] = []

    def refuse(route: Any) -> None:
        attempts.append(route.url)
        route.close(code=4401, reason="token_expired")

    page.route_web_socket("**/ws?*", refuse)
    page.route("**/auth/refresh", lambda route: route.fulfill(status=503, body="{}"))
    with page.expect_response("**/auth/refresh"):
        page.evaluate("quillium.connect()")
    with page.expect_response("**/auth/refresh"):
        pass
    assert len(attempts) == 1
    assert page.evaluate("quillium.isSignedIn")


def test_a_session_that_the_server_ended_is_told_so(
    context: BrowserContext, server: Server
) -> None:
    page, _ = signed_in(context, server)
    page.evaluate("quillium.disconnect()")
    token = server.program.call(
        "POST", "/api/v1/auth/login", {"email": "ada@example.com", "password": "a good password"}
    )["access_token"]
    server.program.call("POST", "/api/v1/auth/logout", {"everywhere": True}, token)
    page.evaluate("quillium.connect()")
    page.evaluate("until(() => !quillium.isSignedIn)")
    assert page.evaluate("quillium.hasEnded")
    page.evaluate("quillium.login('ada@example.com', 'a good password')")
    page.evaluate("quillium.logout()")
    assert not page.evaluate("quillium.hasEnded")


def test_a_half_open_connection_is_replaced_within_20_seconds(
    context: BrowserContext, server: Server, relay: Network
) -> None:
    context.clock.install()
    page, chat = signed_in(context, behind(relay, server))
    relay.freeze()
    with page.expect_websocket():
        page.clock.run_for(20_000)
    assert page.evaluate("chat => quillium.say(chat, 'after')", chat)["content"] == "after"


def test_what_is_said_into_a_half_open_connection_is_said_again(
    context: BrowserContext, server: Server, relay: Network
) -> None:
    context.clock.install()
    page, chat = signed_in(context, behind(relay, server))
    relay.freeze()
    page.evaluate(
        """async chat => {
          window.stored = Promise.all(["a", "b"].map(x => quillium.say(chat, x)));
          await quillium.persisted();
        }""",
        chat,
    )
    with page.expect_websocket():
        page.clock.run_for(10_000)
    assert [message["content"] for message in page.evaluate("stored")] == ["a", "b"]


def test_a_connection_that_is_merely_quiet_is_left_alone(
    context: BrowserContext, server: Server
) -> None:
    context.clock.install()
    page = tab(context, server)
    opened = sockets(page)
    sent: list[Any] = []
    received: list[Any] = []

    def listen(socket: Any) -> None:
        socket.on("framesent", lambda frame: sent.append(frame))
        socket.on("framereceived", lambda frame: received.append(frame))

    page.on("websocket", listen)
    with page.expect_websocket():
        page.evaluate(
            """async () => {
              await quillium.register("ada@example.com", "a good password", "Ada");
              quillium.connect();
            }"""
        )
    page.evaluate("until(() => seen.some(([t, what]) => t === 'status' && what === 'online'))")
    for _ in range(90):  # seconds
        page.clock.run_for(1_000)
        while len(received) < len(sent):  # the server answers in real time
            page.evaluate("0")
    assert len(sent) > 3
    assert len(opened) == 1
    assert not page.evaluate("seen.some(([type]) => type === 'problem')")


def test_disconnecting_and_connecting_again_does_not_wait_for_the_closing_handshake(
    context: BrowserContext, server: Server, relay: Network
) -> None:
    page, _ = signed_in(context, behind(relay, server))
    relay.freeze()
    with page.expect_websocket():  # the handshake would take a minute
        page.evaluate("quillium.disconnect(); quillium.connect()")
