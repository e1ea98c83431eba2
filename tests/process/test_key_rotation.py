"""`quillium key rotate`: a new signing key without ending sessions."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from tests.program import run


def rotate(data: Path) -> Any:
    return run("key", "rotate", "--data-dir", data)


def test_sessions_go_on_after_a_rotation(start: Any, tmp_path: Path) -> None:
    data, program = tmp_path / "data", start()
    body = {"email": "ada@example.com", "password": "a good password"}
    tokens = program.call("POST", "/api/v1/auth/register", body)
    refused = rotate(data)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert len(refused.stderr.splitlines()) == 1  # a server uses the folder
    program.stop()
    old = (data / "signing.key").read_bytes()
    done = rotate(data)
    assert (done.returncode, done.stderr) == (0, "")
    assert (data / "signing.key").read_bytes() != old
    for name in ("signing.key", "signing.key.previous"):
        assert stat.S_IMODE((data / name).stat().st_mode) == 0o600
    again = start()
    assert again.call("GET", "/api/v1/users/me", token=tokens["access_token"])["is_admin"]
    refresh = {"refresh_token": tokens["refresh_token"]}
    fresh = again.call("POST", "/api/v1/auth/refresh", refresh)
    again.stop()
    (data / "signing.key.previous").unlink()
    later = start()
    assert later.call("GET", "/api/v1/users/me", token=fresh["access_token"])["is_admin"]


def test_there_has_to_be_a_database(tmp_path: Path) -> None:
    refused = rotate(tmp_path / "typo")
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    assert not (tmp_path / "typo").exists()
