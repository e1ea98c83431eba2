"""nginx and Caddy with TLS, with the files of `packaging/`, in front of a real server.

Only ports, paths and the certificate differ from the files.
"""

from __future__ import annotations

import http.client
import json
import shutil
import ssl
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.packaging.proxies import NAME, Proxy, ToHere, needs_nginx, running, running_nginx
from tests.program import ROOT, Program, free_port
from tests.snippets import block

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
needs_caddy = pytest.mark.skipif(not shutil.which("caddy"), reason="needs caddy")


@pytest.fixture
def server(start: Any) -> Program:
    program: Program = start("--trusted-proxy", f"--allowed-hosts={NAME}", "--log-format=json")
    assert program.url, program.first_line
    return program


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


@needs_nginx
def test_below_a_path(start: Any, folder: Path) -> None:
    """The location of docs/operations.md, instead of `location /`."""
    server = start("--base-path=/quillium", "--trusted-proxy", f"--allowed-hosts={NAME}")
    address = server.url.removesuffix("/quillium")
    text = block("docs/operations.md", "location /quillium/ {").text
    first_lines = textwrap.indent(text.partition("    # and the other lines")[0], "    ")
    changes = {
        "/etc/ssl/chat.example.com.pem": str(folder / "certificate.pem"),
        "/etc/ssl/chat.example.com.key": str(folder / "key.pem"),
        "    location / {\n        proxy_pass http://127.0.0.1:8080;\n": first_lines,
        "http://127.0.0.1:8080": address,
    }
    proxy = Proxy(server, free_port(), free_port(), folder)
    with running_nginx("quillium.conf", changes, proxy, folder):
        status, headers, _ = proxy.ask("GET", "/quillium/")
        assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert proxy.ask("GET", "/quillium/api/v1/models")[0] == 401
        assert proxy.ask("GET", "/other")[0] == 404


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
        ToHere(NAME, nginx.port, context=old, timeout=5).connect()
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
