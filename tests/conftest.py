"""The server of a test: the whole application on a free port, over a database on a real disk.

Its clock can be set, its passwords are hashed cheaply, and each of its answers is checked against
its schema.
"""

from __future__ import annotations

import asyncio
import faulthandler
import inspect
import json
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.httputil import url_concat
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets
from tornado.websocket import WebSocketClientConnection, websocket_connect

import schemas
import services
from cli import arguments
from cli.dev import SeededServer, model_servers
from core import fairness
from core.times import CalendarTime, MonotonicTime
from handlers import openapi
from handlers.application import QuilliumApplication
from services.metrics import Prometheus
from storage import folder
from storage.database import Database
from tests.program import Program
from web.server import Server

# The same examples each time, and no bound on their time: a busy machine makes nothing red.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

ROOT = Path(__file__).parent.parent
CONTROL_KEY = "what lies in the data folder while the server serves"
SECRET = b"the signing key of the tests, which is long enough"
_AROUND = (
    "/health",
    "/static",
    "/favicon.ico",
    "/brand/icon",
    "/control",
    "/docs",
    "/metrics",
    "/openai/",
)
# The statuses that the OpenAPI document knows; 304 is answered to whoever asks for it.
DOCUMENTED = {
    (path.removeprefix("/api/v1"), method): {*operation["responses"], "304"}
    for path, item in json.loads(openapi.document(""))["paths"].items()
    for method, operation in item.items()
    if method not in {"servers", "parameters"}
}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "flags(*flags): what the server is started with")


def pytest_unconfigure() -> None:
    """Let nothing that a failed test left behind, such as a thread, keep the process alive."""
    faulthandler.dump_traceback_later(60, exit=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if inspect.iscoroutinefunction(getattr(item, "function", None)):
            item.add_marker("gen_test")


class Clock:
    """Both clocks of a server. Time passes only when a test says so."""

    def __init__(self) -> None:
        self.now = time.time()
        self._monotonic = 1000.0

    def __call__(self) -> CalendarTime:
        return CalendarTime(self.now)

    def monotonic(self) -> MonotonicTime:
        return MonotonicTime(self._monotonic)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Set the system's clock ahead or back. No time passes."""
        self.now += seconds


class Answer:
    """An answer of the API; `body` is parsed."""

    def __init__(self, response: HTTPResponse) -> None:
        self.status = response.code
        self.headers = response.headers
        self.raw = response.body
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        self.body: Any = json.loads(response.body) if is_json and response.body else None

    @property
    def error(self) -> str:
        return f"{self.status} {self.body['error']['code']}"

    @property
    def details(self) -> str:
        return str(self.body["error"]["details"])


class Socket:
    """A WebSocket of a test; `frames` are all that came."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self.connection = connection
        self.frames: list[dict[str, Any]] = []
        self.is_closed = False

    async def send(self, type: str, **data: Any) -> None:
        await self.connection.write_message(json.dumps({"type": type, "data": data}))

    async def next(self) -> dict[str, Any] | None:
        """The next frame; None once the socket is closed."""
        text = None if self.is_closed else await self.connection.read_message()
        if text is None:
            self.is_closed = True
            return None
        frame: dict[str, Any] = json.loads(text)
        schemas.validate(f"server_{frame['type']}", frame)
        self.frames.append(frame)
        return frame

    async def until(self, type: str, **data: Any) -> dict[str, Any]:
        """The data of the next frame that looks like this."""
        while frame := await self.next():
            if frame["type"] == type and data.items() <= frame["data"].items():
                return dict(frame["data"])
        raise AssertionError(f"closed with {self.connection.close_code} before {type} {data}")

    async def reply(self) -> dict[str, Any]:
        """The assistant's next final message."""
        return await self.until("message", sender="assistant")

    async def closed(self) -> int | None:
        while await self.next():
            pass
        return self.connection.close_code


class Client:
    """Somebody who calls the API. `await ada("PATCH /chats/{id}", {"title": "x"}, id=chat)`."""

    def __init__(
        self,
        http: AsyncHTTPClient,
        base_url: str,
        credential: str | None = None,
        sockets: list[Socket] | None = None,
    ) -> None:
        self._http = http
        self._sockets: list[Socket] = [] if sockets is None else sockets
        self.base_url = base_url
        self.credential = credential
        self.tokens: dict[str, Any] = {}
        self.user: dict[str, Any] = {}

    async def __call__(
        self,
        operation: str,
        body: Any = None,
        *,
        id: str = "",
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        prefix: str = "/api/v1",
        source: str | None = None,
    ) -> Answer:
        """Send a request, from another loopback address if `source` names one."""
        method, path = operation.split(" ", 1)
        sent = dict(headers or {})
        if self.credential and "Authorization" not in sent:
            sent["Authorization"] = f"Bearer {self.credential}"
        raw = (
            body
            if isinstance(body, bytes) or body is None
            else json.dumps(body, ensure_ascii=False).encode()
        )
        if raw is not None:
            sent.setdefault("Content-Type", "application/json")
        around = path == "/" or path.startswith(_AROUND)
        address = self.base_url + ("" if around else prefix) + path.replace("{id}", id)
        response = await self._http.fetch(
            url_concat(address, query),
            method=method,
            body=raw,
            headers=sent,
            raise_error=False,
            allow_nonstandard_methods=True,
            request_timeout=30,
            network_interface=source,
        )
        answer = Answer(response)
        if answer.status >= 400:
            is_openai = path.startswith("/openai/")
            schemas.validate("openai_error" if is_openai else "error", answer.body)
        documented = DOCUMENTED.get((path, method.lower()))
        if "X-Quillium-Simulate" not in sent and documented is not None:
            assert str(answer.status) in documented, (operation, answer.status)
        return answer

    def with_credential(self, credential: str | None) -> Client:
        other = Client(self._http, self.base_url, credential, self._sockets)
        other.user = self.user
        return other

    async def register(self, email: str, password: str = "a good password") -> Client:
        """Make an account; the client of its first session."""
        body = {"email": email, "password": password}
        answer = await self("POST /auth/register", body)
        assert answer.status == 201, answer.body
        return self._of(answer.body, answer.body["user"])

    async def login(self, email: str, password: str = "a good password") -> Client:
        answer = await self("POST /auth/login", {"email": email, "password": password})
        assert answer.status == 200, answer.body
        return self._of(answer.body, self.user)

    def _of(self, tokens: dict[str, Any], user: dict[str, Any]) -> Client:
        client = self.with_credential(tokens["access_token"])
        client.tokens, client.user = tokens, user
        return client

    async def chat(self, **body: Any) -> str:
        """A new chat's id."""
        answer = await self("POST /chats", body)
        assert answer.status == 201, answer.body
        return str(answer.body["id"])

    async def socket(
        self,
        credential: str | None = None,
        *,
        since: int | str | None = None,
        simulate: str | None = None,
        prefix: str = "/api/v1",
        **headers: str,
    ) -> Socket:
        address = f"{self.base_url.replace('http', 'ws')}{prefix}/ws"
        token = self.credential if credential is None else credential
        query = {"token": token or ""} | ({} if since is None else {"since": str(since)})
        if simulate is not None:
            query["simulate"] = simulate
        request = HTTPRequest(url_concat(address, query), headers=headers)
        socket = Socket(await websocket_connect(request))
        self._sockets.append(socket)
        return socket

    async def say(self, chat: str, content: str, **more: Any) -> list[dict[str, Any]]:
        """Say something and wait for the end of its turn: the frames of the event stream."""
        answer = await self(
            "POST /chats/{id}/messages",
            {"content": content, **more},
            id=chat,
            headers={"Accept": "text/event-stream"},
        )
        assert answer.status == 200, answer.raw
        return events(answer.raw)


def events(stream: bytes) -> list[dict[str, Any]]:
    """The frames of a stream of Server-Sent Events."""
    frames = []
    for event in stream.decode().split("\n\n"):
        if event.startswith("event: "):
            first, second = event.split("\n")
            frame = json.loads(second.removeprefix("data: "))
            assert first == f"event: {frame['type']}"
            schemas.validate(f"server_{frame['type']}", frame)
            frames.append(frame)
    return frames


@pytest.fixture
def io_loop() -> Any:
    loop = IOLoop(make_current=False)
    asyncio.set_event_loop(loop.asyncio_loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def charged_to_the_server() -> None:
    """Start each test without the account that an earlier, synchronous test was charged to."""
    fairness.charge(fairness.SERVER)


class Parts(NamedTuple):
    """What a server is built from."""

    data: folder.DataFolder
    open_database: Callable[[], Database]
    build: Callable[[Database], services.Services]


@pytest.fixture
def parts(
    request: pytest.FixtureRequest, clock: Clock, data_dir: Path, tmp_path: Path
) -> Iterator[Parts]:
    """The parts of an application over a locked data folder."""
    marker = request.node.get_closest_marker("flags")
    flags = ["--bcrypt-cost=4", "--check-responses", "--no-discovery", f"--data-dir={data_dir}"]
    more = [flag.format(tmp_path=tmp_path) for flag in (marker.args if marker else ())]
    chosen = arguments.parse([*flags, *more], {}, "1.2.3").config
    with folder.locked(chosen.data_dir) as data, model_servers(chosen) as servers:

        def open_database() -> Database:
            return data.database(lambda doing, share: None)

        def build(database: Database) -> services.Services:
            return services.build(
                chosen,
                "1.2.3",
                database,
                SECRET,
                clock,
                prometheus=Prometheus() if chosen.metrics else None,
                monotonic=clock.monotonic,
                servers=servers,
            )

        yield Parts(data, open_database, build)


@pytest.fixture
def rooms(io_loop: IOLoop, parts: Parts) -> Any:
    """The services of a running application."""

    async def build() -> services.Services:
        return parts.build(parts.open_database())

    built = io_loop.run_sync(build)
    yield built
    io_loop.run_sync(partial(close, built))


async def close(built: services.Services) -> None:
    await built.close_connections()
    await built.close()


@pytest.fixture
def seeded_server(io_loop: IOLoop, rooms: services.Services, parts: Parts) -> Any:
    """What resets a test backend."""
    server = SeededServer(parts.data, parts.open_database, parts.build)
    yield server
    if server.services not in (None, rooms):
        io_loop.run_sync(partial(close, server.services))


@pytest.fixture
def app(rooms: services.Services, seeded_server: SeededServer) -> QuilliumApplication:
    reset = seeded_server.reset if rooms.config.dev else None
    application = QuilliumApplication(rooms, ROOT / "static", lambda: False, CONTROL_KEY, reset)
    seeded_server.use = application.use
    return application


@pytest.fixture
def http_server(app: QuilliumApplication, io_loop: IOLoop) -> Any:
    (socket,) = bind_sockets(0, "127.0.0.1")
    port = socket.getsockname()[1]

    async def start() -> Server:
        server = Server(app)
        server.add_socket(socket)
        return server

    server = io_loop.run_sync(start)
    server.port = port
    yield server
    server.stop()
    io_loop.run_sync(server.close_all_connections)


@pytest.fixture
def base_url(http_server: Any) -> str:
    return f"http://127.0.0.1:{http_server.port}"


@pytest.fixture
def anyone(io_loop: IOLoop, base_url: str) -> Any:
    """A client that has not said who it is."""

    async def connect() -> Any:
        return AsyncHTTPClient(force_instance=True, max_clients=200)

    http = io_loop.run_sync(connect)
    client = Client(http, base_url)

    async def close() -> None:
        for socket in client._sockets:
            socket.connection.close()
            await socket.closed()

    yield client
    io_loop.run_sync(close)
    http.close()


@pytest.fixture
def ada(io_loop: IOLoop, anyone: Client) -> Client:
    """The first user, who is the admin."""
    client: Client = io_loop.run_sync(lambda: anyone.register("ada@example.com"))
    return client


@pytest.fixture
def bob(io_loop: IOLoop, anyone: Client, ada: Client) -> Client:
    """The second user."""
    client: Client = io_loop.run_sync(lambda: anyone.register("bob@example.com"))
    return client


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    programs: list[Program] = []

    def run(*flags: str, data_dir: Path = tmp_path / "data", **environment: str) -> Program:
        programs.append(Program(data_dir, *flags, **environment))
        return programs[-1]

    yield run
    for program in programs:
        program.process.kill()
        program.process.communicate()
