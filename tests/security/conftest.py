"""An attacker's tools: raw sockets and forged tokens, against a server in a process of its own."""

from __future__ import annotations

import http.client
import json
import socket as sockets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import jwt
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.program import Program

SECRET = "the signing key of the tests, which the attacker does not know"
PASSWORD = "a good password"
GROWTH = 64 << 20  # bytes above idle that an attack may cost (docs/security.md, "The socket")


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any
    raw: bytes

    @property
    def error(self) -> str:
        return f"{self.status} {self.body['error']['code']}"


class Target:
    """A running server, and what can be sent to it."""

    admin = ""  # the token of an admin, where there is one

    def __init__(self, program: Program) -> None:
        assert program.url, program.first_line
        self.program = program
        self.host: str = "127.0.0.1"
        port = program.url.rpartition(":")[2]
        self.port = int(port)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        token: str | None = None,
        **headers: str,
    ) -> Answer:
        """One request over a connection of its own; `path` goes out as it is."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {token}")
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            raw = response.read()
        finally:
            connection.close()
        told = {name.lower(): value for name, value in response.getheaders()}
        is_json = told.get("content-type", "").startswith("application/json")
        return Answer(response.status, told, json.loads(raw) if is_json and raw else None, raw)

    def api(self, method: str, path: str, body: Any = None, token: str | None = None) -> Answer:
        return self.ask(method, f"/api/v1{path}", body, token)

    def register(self, email: str, password: str = PASSWORD) -> dict[str, Any]:
        """Make an account; what the answer says."""
        answer = self.api("POST", "/auth/register", {"email": email, "password": password})
        assert answer.status == 201, answer.raw
        registered: dict[str, Any] = answer.body
        return registered

    def login(self, email: str, password: str = PASSWORD) -> Answer:
        return self.api("POST", "/auth/login", {"email": email, "password": password})

    def socket(self, token: str, query: str = "", **more: Any) -> ClientConnection:
        address = f"ws://{self.host}:{self.port}/api/v1/ws?token={token}{query}"
        opened: ClientConnection = connect(address, max_queue=None, **more)
        return opened

    def connection(self) -> sockets.socket:
        return sockets.create_connection((self.host, self.port), timeout=30)

    def memory(self) -> int:
        """Bytes that the process holds."""
        status = Path(f"/proc/{self.program.process.pid}/status").read_text()
        return 1024 * int(status.partition("VmRSS:")[2].split()[0])

    @contextmanager
    def bounded(self) -> Iterator[None]:
        """What happens within costs no more than `GROWTH`, and harms nobody else."""
        before = self.memory()
        yield
        assert self.ask("GET", "/health").status == 200
        assert self.memory() - before < GROWTH


def forge(token: str, key: str = SECRET, /, **changes: Any) -> str:
    """A token with some claims changed (None takes one away), signed with `key`."""
    claims = jwt.decode(token, options={"verify_signature": False}) | changes
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.PyJWT().encode(kept, key, algorithm="HS256", sort_headers=True)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server for all tests of a module, each with accounts of its own; it limits nobody's rate."""
    program = Program(tmp_path_factory.mktemp("target") / "data", QUILLIUM_JWT_SECRET=SECRET)
    started = Target(program)
    admin = started.register("admin@example.com")["access_token"]
    unlimited = {"rate_limit_per_minute": 0}
    assert started.api("PUT", "/settings/admin", unlimited, admin).status == 200
    started.admin = admin
    yield started
    program.process.kill()
    _, said = program.process.communicate()
    assert "Traceback" not in said


@pytest.fixture
def launched(start: Any) -> Any:
    """Starts a server for one test alone."""

    def launch(*flags: str, **environment: str) -> Target:
        return Target(start(*flags, QUILLIUM_JWT_SECRET=SECRET, **environment))

    return launch
