"""nginx and Caddy with TLS, with the files of `packaging/`, in front of a real server.

Only ports, paths and the certificate differ from the files.
"""

from __future__ import annotations

import getpass
import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.program import ROOT, Program, free_port

NAME = "chat.example.com"

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
needs_nginx = pytest.mark.skipif(not shutil.which("nginx"), reason="needs nginx")
needs_caddy = pytest.mark.skipif(not shutil.which("caddy"), reason="needs caddy")


class Proxy:
    """A proxy with TLS for `NAME`, and the server behind it."""

    def __init__(self, server: Program, port: int, plain_port: int, folder: Path) -> None:
        self.server = server
        self.port = port
        self.plain_port = plain_port
        self.log = folder / "access.log"
        self.context = ssl.create_default_context(cafile=str(folder / "certificate.pem"))

    def ask(
        self, method: str, path: str, body: Any = None, token: str = "", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        with self.request(method, path, body, token, **headers) as answer:
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()

    @contextmanager
    def request(
        self, method: str, path: str, body: Any = None, token: str = "", **headers: str
    ) -> Iterator[http.client.HTTPResponse]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Host": f"{NAME}:{self.port}", "Content-Type": "application/json", **sent}
        sent |= {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        connection = _ToHere(NAME, self.port, context=self.context, timeout=20)
        try:
            connection.request(method, path, body, sent)
            yield connection.getresponse()
        finally:
            connection.close()

    def socket(self, address: str, origin: str) -> ClientConnection:
        here = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        return connect(address, origin=Origin(origin), sock=here, ssl=self.context)


class _ToHere(http.client.HTTPSConnection):
    """A connection to this machine that asks for `NAME`."""

    def connect(self) -> None:
        name, self.host = self.host, "127.0.0.1"
        http.client.HTTPConnection.connect(self)
        self.host = name
        self.sock = self._context.wrap_socket(self.sock, server_hostname=name)  # type: ignore[attr-defined]


@pytest.fixture
def server(start: Any) -> Program:
    program: Program = start("--trusted-proxy", f"--allowed-hosts={NAME}", "--log-format=json")
    assert program.url, program.first_line
    return program


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a certificate."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += [
        "-nodes",
        "-days",
        "1",
        "-subj",
        f"/CN={NAME}",
        "-addext",
        "subjectAltName=DNS:*.example.com",
    ]
    command += ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "certificate.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return tmp_path


@contextmanager
def running(command: list[str], port: int, folder: Path, **environment: str) -> Iterator[None]:
    """A proxy, from its first connection on."""
    with (folder / "proxy.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment or None)
    try:
        until = time.monotonic() + 20
        context = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
        while True:
            assert process.poll() is None, (folder / "proxy.log").read_text()
            try:
                connection = _ToHere(NAME, port, context=context, timeout=5)
                connection.connect()
                connection.close()
                break
            except OSError:
                assert time.monotonic() < until, (folder / "proxy.log").read_text()
                time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def nginx(server: Program, folder: Path) -> Iterator[Proxy]:
    proxy = Proxy(server, free_port(), free_port(), folder)
    changes = {
        "/etc/ssl/chat.example.com.pem": str(folder / "certificate.pem"),
        "/etc/ssl/chat.example.com.key": str(folder / "key.pem"),
        "http://127.0.0.1:8080": server.url,
    }
    with running_nginx("quillium.conf", changes, proxy, folder):
        yield proxy


@contextmanager
def running_nginx(name: str, changes: dict[str, str], proxy: Proxy, folder: Path) -> Iterator[None]:
    """nginx with a file of `packaging/nginx`, in which only the texts of `changes` are replaced."""
    text = (ROOT / "packaging" / "nginx" / name).read_text()
    text = re.sub(r"listen (\[::\]:)443 ssl;\n|listen \[::\]:80;\n", "", text)
    ports = {
        "listen 443": f"listen 127.0.0.1:{proxy.port}",
        "listen 80": f"listen 127.0.0.1:{proxy.plain_port}",
        "/var/log/nginx/quillium.log": str(proxy.log),
    }
    for given, here in {**ports, **changes}.items():
        assert given in text
        text = text.replace(given, here)
    paths = " ".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = f"user {getpass.getuser()}; pid {folder}/nginx.pid; events {{}} http {{ access_log off; {paths}\n{text} }}"
    (folder / "nginx.conf").write_text(main)
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    command += ["-e", str(folder / "error.log"), "-g", "daemon off;"]
    with running(command, proxy.port, folder):
        yield


@pytest.fixture
def caddy(server: Program, folder: Path) -> Iterator[Proxy]:
    proxy = Proxy(server, free_port(), free_port(), folder)
    text = (ROOT / "packaging" / "caddy" / "Caddyfile").read_text()
    certificate = f"tls {folder}/certificate.pem {folder}/key.pem"
    for given, here in (
        ("chat.example.com {\n", f"https://{NAME}:{proxy.port} {{\n\t{certificate}\n"),
        ("127.0.0.1:8080", server.url.removeprefix("http://")),
        ("\tlog {\n", f"\tlog {{\n\t\toutput file {proxy.log}\n"),
    ):
        assert given in text
        text = text.replace(given, here)
    options = f"{{\n\tadmin off\n\thttp_port {proxy.plain_port}\n}}\n"
    (folder / "Caddyfile").write_text(options + text)
    command = ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with running(command, proxy.port, folder, HOME=str(folder), PATH="/usr/bin:/bin"):
        yield proxy


def check_everything(proxy: Proxy) -> None:
    """What a client needs works through the proxy, and what it forges is not believed."""
    account = {"email": "ada@example.com", "password": "a good password"}
    status, headers, body = proxy.ask("POST", "/api/v1/auth/register", account)
    assert status == 201, body
    token = json.loads(body)["access_token"]
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    status, headers, body = proxy.ask("GET", "/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")

    chat = json.loads(proxy.ask("POST", "/api/v1/chats", {"title": "x"}, token)[2])["id"]
    messages = f"/api/v1/chats/{chat}/messages"
    with proxy.request("POST", messages, {"content": "/slow 30"}, token,
                       Accept="text/event-stream") as stream:  # fmt: skip
        assert stream.status == 200
        first = stream.readline()  # while the reply still streams, for 30 s
        assert first.startswith(b"event: ")
        assert proxy.ask("POST", f"/api/v1/chats/{chat}/stop", {}, token)[0] in (200, 202, 204)
        assert b'"stopped"' in stream.read()

    address = f"wss://{NAME}:{proxy.port}/api/v1/ws?token={token}"
    with proxy.socket(address, origin=f"https://{NAME}:{proxy.port}") as line:
        said = {"type": "message", "data": {"chat_id": chat, "content": "Hello"}}
        line.send(json.dumps(said))
        while json.loads(line.recv(timeout=10))["data"].get("sender") != "assistant":
            pass
    with pytest.raises(InvalidStatus) as refused:
        proxy.socket(address, origin="https://evil.example")
    assert refused.value.response.status_code == 403
    assert proxy.ask("GET", "/api/v1/chats", token=token, Origin="https://evil.example")[0] == 403
    status, _, body = proxy.ask("GET", "/", Host="evil.example")
    assert status == 403 or not body  # Caddy answers for names that it does not know

    long = {"model": "quillium-demo", "messages": [{"role": "user", "content": "x" * (5 << 20)}]}
    status, _, body = proxy.ask("POST", "/openai/v1/chat/completions", long, token)
    assert status == 200, body[:200]
    status, _, body = proxy.ask("POST", "/api/v1/chats", b" " * (3 << 20), token)
    assert (status, json.loads(body)["error"]["code"]) == (413, "payload_too_large")

    proxy.ask("POST", "/api/v1/chats", {"title": "another"}, token)
    forged = {"X_Forwarded_For": "203.0.113.7", "X_Real_Ip": "203.0.113.8", "X_Scheme": "http",
              "X_Forwarded_Proto": "http", "X_Forwarded_Prefix": "/evil",
              "Forwarded": "for=203.0.113.9;proto=http"}  # fmt: skip
    status, headers, body = proxy.ask("GET", "/api/v1/chats?limit=1", token=token, **forged)
    assert status == 200
    assert "strict-transport-security" in headers
    assert json.loads(body)["pagination"]["next"].startswith("/api/v1/")
    logged = stop_and_read(proxy.server)
    assert "203.0.113." not in logged
    assert '"address": "127.0.0.1"' in logged
    assert token not in logged


def stop_and_read(server: Program) -> str:
    server.process.terminate()
    _, errors = server.process.communicate(timeout=20)
    return str(errors)


@needs_nginx
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_nginx_with_tls(nginx: Proxy) -> None:
    check_everything(nginx)
    old = ssl.create_default_context(cafile=str(nginx.log.parent / "certificate.pem"))
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        _ToHere(NAME, nginx.port, context=old, timeout=5).connect()
    lines = nginx.log.read_text()
    assert '"GET /api/v1/ws" 101' in lines
    assert "token" not in lines


@needs_nginx
def test_nginx_redirects_people_and_refuses_programs(nginx: Proxy) -> None:
    def plain(path: str) -> tuple[int, str | None]:
        connection = http.client.HTTPConnection("127.0.0.1", nginx.plain_port, timeout=10)
        connection.request("GET", path, headers={"Host": NAME})
        answer = connection.getresponse()
        connection.close()
        return answer.status, answer.getheader("Location")

    assert plain("/") == (308, f"https://{NAME}/")
    assert plain("/docs?x=1") == (308, f"https://{NAME}/docs?x=1")
    for path in ("/api/v1/chats", "/v1/chats", "/openai/v1/models"):
        assert plain(path) == (403, None)


@needs_caddy
def test_caddy_with_tls(caddy: Proxy) -> None:
    check_everything(caddy)
    lines = caddy.log.read_text()
    assert "/api/v1/ws" in lines
    assert "token=" not in lines
    assert "Bearer ey" not in lines
