"""Proxies with TLS in front of real servers, with the files of `packaging/`.

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
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.program import ROOT, Program

NAME = "chat.example.com"

needs_nginx = pytest.mark.skipif(
    not (shutil.which("nginx") and shutil.which("openssl")), reason="needs nginx and openssl"
)


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
        connection = ToHere(NAME, self.port, context=self.context, timeout=20)
        try:
            connection.request(method, path, body, sent)
            yield connection.getresponse()
        finally:
            connection.close()

    def socket(self, address: str, origin: str) -> ClientConnection:
        here = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        return connect(address, origin=Origin(origin), sock=here, ssl=self.context)


class ToHere(http.client.HTTPSConnection):
    """A connection to this machine that asks for `NAME`."""

    def connect(self) -> None:
        name, self.host = self.host, "127.0.0.1"
        http.client.HTTPConnection.connect(self)
        self.host = name
        self.sock = self._context.wrap_socket(self.sock, server_hostname=name)  # type: ignore[attr-defined]


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
                connection = ToHere(NAME, port, context=context, timeout=5)
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
