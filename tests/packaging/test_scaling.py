"""One server per team, and Litestream beside it, with the files of `packaging/` (docs/scaling.md)."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from websockets.sync.client import connect

from tests.packaging.proxies import Proxy, needs_nginx, running_nginx
from tests.program import ROOT, Program, free_port

PACKAGING = ROOT / "packaging"
LITESTREAM = shutil.which("litestream", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
SECRET = "a secret of thirty-two bytes, or more"
ACCOUNT = {"email": "ada@example.com", "password": "a good password"}


# A name for each team


@needs_nginx
def test_a_server_per_team(start: Any, folder: Path, tmp_path: Path) -> None:
    ports = {"red": 8101, "blue": 8102}
    options = ["--trusted-proxy", "--allowed-hosts=red.example.com,blue.example.com"]
    options += [f"--jwt-secret={SECRET}"]  # the pods of packaging/kubernetes have one for all
    servers: dict[str, Program] = {
        team: start(*options, f"--data-dir={tmp_path / team}") for team in ports
    }
    proxy = Proxy(servers["red"], free_port(), free_port(), folder)
    changes = {
        "/etc/ssl/example.com.pem": str(folder / "certificate.pem"),
        "/etc/ssl/example.com.key": str(folder / "key.pem"),
        **{f"{port};": f"{servers[team].url.rpartition(':')[2]};" for team, port in ports.items()},
    }

    def ask(team: str, method: str, path: str, body: Any = None, token: str = "") -> int:
        host = f"{team}.example.com:{proxy.port}"
        return proxy.ask(method, f"/api/v1{path}", body, token, Host=host)[0]

    with running_nginx("teams.conf", changes, proxy, folder):
        token = servers["red"].call("POST", "/api/v1/auth/register", ACCOUNT)["access_token"]
        assert ask("red", "GET", "/users/me", token=token) == 200
        assert ask("blue", "GET", "/users/me", token=token) == 401
        assert ask("red", "POST", "/auth/login", ACCOUNT) == 200
        assert ask("blue", "POST", "/auth/login", ACCOUNT) == 401
        assert ask("green", "POST", "/auth/login", ACCOUNT) == 421
        servers["blue"].process.kill()
        servers["blue"].process.wait(20)
        assert ask("blue", "POST", "/auth/login", ACCOUNT) == 502
        assert ask("red", "POST", "/auth/login", ACCOUNT) == 200


def test_the_files_for_teams_are_those_for_one_server() -> None:
    """Only what a team needs differs."""

    def added(one: str, teams: str) -> set[str]:
        lines = [set((PACKAGING / name).read_text().splitlines()) for name in (one, teams)]
        changed = {line.strip() for line in lines[1] - lines[0]}
        return {line for line in changed if not line.startswith("#")}

    assert added("systemd/quillium.service", "systemd/quillium@.service") == {
        "Description=Quillium of %i",
        "User=quillium-%i",
        "StateDirectory=quillium/%i",
        "ExecStart=/opt/quillium/.venv/bin/python quillium.py --data-dir %S/quillium/%i",
        "Environment=QUILLIUM_TRUSTED_PROXY=true",
        "EnvironmentFile=/etc/quillium/%i.env",
    }
    assert added("nginx/quillium.conf", "nginx/teams.conf") == {
        "map $host $quillium_port {",
        "default          0;",
        "red.example.com  8101;",
        "blue.example.com 8102;",
        "server_name *.example.com;",
        "ssl_certificate     /etc/ssl/example.com.pem;",
        "ssl_certificate_key /etc/ssl/example.com.key;",
        "if ($quillium_port = 0) { return 421; }",
        "proxy_pass http://127.0.0.1:$quillium_port;",
    }


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for name in ("quillium@.service", "quillium-replica@.service"):
        text = (PACKAGING / "systemd" / name).read_text()
        # The programs are not installed here.
        text = re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", text, flags=re.M)
        text = text.replace("WorkingDirectory=/opt/quillium\n", "WorkingDirectory=/\n")
        (tmp_path / name).write_text(text)
    names = [name.replace("@", "@red") for name in sorted(os.listdir(tmp_path))]
    command = ["systemd-analyze", "verify", "--man=no", *names]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    problems = [line for line in found.stderr.splitlines() if "quillium" in line]
    assert problems == []


# Replication


class Replica:
    """Litestream with our file, and the place to which it copies."""

    def __init__(self, data: Path, place: Path) -> None:
        self._environment = {
            **os.environ,
            "PATH": f"{Path(LITESTREAM or '').parent}:{os.environ['PATH']}",
            "QUILLIUM": f"{sys.executable} {ROOT / 'quillium.py'}",
            "REPLICA_URL": f"file://{place}",
        }
        self._place = place
        command = [
            str(LITESTREAM),
            "replicate",
            "-config",
            str(PACKAGING / "litestream/litestream.yml"),
        ]
        self._process = subprocess.Popen(
            command,
            env={**self._environment, "QUILLIUM_DATA_DIR": str(data)},
            stderr=subprocess.PIPE,
        )

    def wait_for(self, chat: str, folder: Path) -> None:
        """Wait until a chat is in the replica."""
        until = time.monotonic() + 30
        while True:
            copy = folder / f"copy-{time.monotonic_ns()}.db"
            command = [str(LITESTREAM), "restore", "-if-replica-exists", "-o", str(copy)]
            subprocess.run([*command, f"file://{self._place}"], capture_output=True, check=False)
            if copy.exists() and chat.encode() in copy.read_bytes():
                return
            assert time.monotonic() < until, "the chat was not replicated"

    def fail_over(self, data: Path) -> None:
        environment = {**self._environment, "QUILLIUM_DATA_DIR": str(data)}
        script = PACKAGING / "litestream" / "fail-over.sh"
        subprocess.run(["sh", str(script)], env=environment, check=True, capture_output=True)

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "here"


@pytest.fixture
def replica(data: Path, tmp_path: Path) -> Iterator[Replica]:
    if LITESTREAM is None:
        pytest.skip("needs litestream, of packaging/locks/litestream.txt")
    replica = Replica(data, tmp_path / "place")
    yield replica
    replica.kill()


def first_frame(program: Program, token: str, since: int) -> str:
    """The first frame for a client that has received those up to `since`: its error's code, if any."""
    url = program.url.replace("http", "ws", 1)
    with connect(f"{url}/api/v1/ws?token={token}&since={since}") as socket:
        frame = json.loads(socket.recv(timeout=20))
        return str(frame["data"].get("code", frame["type"]))


def test_nothing_that_was_replicated_is_lost(
    start: Any, data: Path, tmp_path: Path, replica: Replica
) -> None:
    first: Program = start(f"--data-dir={data}", f"--jwt-secret={SECRET}")
    token = first.call("POST", "/api/v1/auth/register", ACCOUNT)["access_token"]
    chats = [first.call("POST", "/api/v1/chats", {"title": f"{n}"}, token)["id"] for n in range(50)]
    replica.wait_for(chats[-1], tmp_path)
    seen = first.call("GET", "/api/v1/chats?limit=1", None, token)["pagination"]["total"]
    replica.kill()
    first.process.kill()
    first.process.communicate()

    there = tmp_path / "there"
    replica.fail_over(there)
    (there / "replica.db").touch()  # of an attempt that was killed
    replica.fail_over(there)  # a pod that is started again
    second: Program = start(f"--data-dir={there}", f"--jwt-secret={SECRET}")
    found = second.call("GET", "/api/v1/chats?limit=100", None, token)["data"]
    assert {chat["id"] for chat in found} == set(chats)
    assert first_frame(second, token, since=seen) == "resync_required"
    assert not (there / "replica.db").exists()


def test_without_a_replica_the_server_starts_anew(tmp_path: Path, replica: Replica) -> None:
    replica.fail_over(tmp_path / "new")
    assert not (tmp_path / "new" / "quillium.db").exists()


def test_the_pods_run_the_files_of_this_folder() -> None:
    documents = list(yaml.safe_load_all((PACKAGING / "kubernetes" / "quillium.yaml").read_text()))
    assert [document["kind"] for document in documents] == [
        "StatefulSet", "Service", "Service", "Ingress",
    ]  # fmt: skip
    pod = documents[0]["spec"]["template"]["spec"]
    containers = {each["name"]: each for each in pod["initContainers"] + pod["containers"]}
    assert containers["fail-over"]["command"][-1].endswith("sh /config/fail-over.sh")
    assert containers["quillium"]["image"] == containers["fail-over"]["image"]
    names = {variable["name"] for each in containers.values() for variable in each.get("env", [])}
    known = (ROOT / "docs" / "settings.md").read_text()
    assert all(f"`{name}`" in known for name in names if name.startswith("QUILLIUM_"))
    pods = {
        each["spec"]["selector"]["statefulset.kubernetes.io/pod-name"] for each in documents[1:3]
    }
    assert pods == {f"quillium-{n}" for n in range(documents[0]["spec"]["replicas"])}
