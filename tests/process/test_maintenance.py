"""`backup`, `restore` and `check` on the command line (contract section 10)."""

from __future__ import annotations

import os
import select
import socket
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from storage.connection import connect
from tests.program import ROOT, Program, refused, run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def said(program: Program, token: str) -> list[str]:
    """Everything that was said in all chats, oldest first."""
    lines = []
    for chat in program.call("GET", "/api/v1/chats?limit=100", token=token)["data"]:
        path = f"/api/v1/chats/{chat['id']}/messages?limit=100"
        lines += [line["content"] for line in program.call("GET", path, token=token)["data"]]
    return lines


def say(program: Program, token: str, content: str) -> None:
    chat = program.call("POST", "/api/v1/chats", {}, token)["id"]
    program.call("POST", f"/api/v1/chats/{chat}/messages", {"content": content}, token)


def test_back_up_and_restore(start: Any, data: Path, tmp_path: Path) -> None:
    program = start()
    token = program.register()
    say(program, token, "before the backup")
    backup = tmp_path / "backup.db"
    done = run("backup", backup, "--data-dir", data)  # while the server runs
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{backup} is a backup of 1 user, 1 chat, ")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    say(program, token, "after the backup")

    refused = run("--data-dir", data, "restore", backup)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "another server is using the data folder" in refused.stderr
    assert "after the backup" in said(program, token)
    program.process.kill()  # its log is still there
    program.process.wait()

    done = run("--data-dir", data, "restore", backup)
    assert done.returncode == 0
    assert done.stdout.startswith("Restored 1 user, 1 chat, ")
    kept = Path(done.stdout.splitlines()[1].removeprefix("The replaced database is kept as ")[:-1])
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE((data / "quillium.db").stat().st_mode) == 0o600
    assert sorted(path.name for path in data.iterdir()) == sorted(
        ["quillium.db", kept.name, "quillium.lock", "signing.key"]
    )
    program = start()
    lines = said(program, token)
    assert "before the backup" in lines
    assert "after the backup" not in lines
    program.stop()

    assert run("restore", kept, "--data-dir", data).returncode == 0  # what was kept is a backup
    assert "after the backup" in said(start(), token)


def test_a_backup_overwrites_nothing(start: Any, data: Path, tmp_path: Path) -> None:
    start().stop()
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Ada")
    done = run("backup", letter, "--data-dir", data)
    assert (done.returncode, letter.read_text()) == (2, "Dear Ada")
    assert "exists already" in done.stderr
    done = run("backup", tmp_path / "nowhere" / "backup.db", "--data-dir", data)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "can't be written: No such file or directory" in done.stderr


def test_what_cannot_be_restored_changes_nothing(start: Any, data: Path, tmp_path: Path) -> None:
    program = start()
    token = program.register()
    say(program, token, "precious")
    good = tmp_path / "good.db"
    assert run("backup", good, "--data-dir", data).returncode == 0
    program.stop()
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    damaged = bytearray(good.read_bytes())
    damaged[8192:20000] = os.urandom(20000 - 8192)
    files = {
        "letter": b"Dear Ada, " * 1000,
        "empty": b"",
        "half": good.read_bytes()[: len(damaged) // 2],
        "damaged": bytes(damaged),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    for name in (*files, "missing", "data/quillium.db", "data"):
        done = run("restore", tmp_path / name, "--data-dir", data)
        assert (done.returncode, done.stdout) == (2, ""), name
        assert done.stderr.count("\n") == 1, done.stderr
        assert "Traceback" not in done.stderr
        assert {path.name: path.read_bytes() for path in data.iterdir()} == before
    assert "precious" in said(start(), token)


def test_a_damaged_database_is_left_alone_and_can_be_replaced(
    start: Any, data: Path, tmp_path: Path
) -> None:
    program = start()
    token = program.register()
    say(program, token, "precious")
    backup = tmp_path / "backup.db"
    assert run("backup", backup, "--data-dir", data).returncode == 0
    program.stop()
    path = data / "quillium.db"
    path.write_bytes(path.read_bytes()[:5000])  # a disk that lost the rest
    before = path.read_bytes()
    refused = start()
    assert refused.process.wait(10) == 2
    assert "is damaged: database disk image is malformed. Restore a backup: quillium restore" in (
        refused.first_line
    )
    assert path.read_bytes() == before
    done = run("check", "--data-dir", data)
    assert done.returncode == 1
    assert "is damaged" in done.stdout
    done = run("restore", backup, "--data-dir", data)
    assert done.returncode == 0, done.stderr
    (kept,) = data.glob("quillium.db.replaced-*")
    assert kept.read_bytes() == before
    assert "precious" in said(start(), token)


def test_check(start: Any, data: Path) -> None:
    program = start()
    token = program.register()
    say(program, token, "Hello")
    done = run("check", "--data-dir", data)  # while the server runs
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("The database is sound: 1 user, 1 chat, ")
    program.process.kill()
    program.process.wait()
    assert run("check", "--data-dir", data).returncode == 0  # with the log that was left
    say(again := start(), token, "Hello again")
    assert len([line for line in said(again, token) if line.startswith("Hello")]) >= 2


def test_there_is_nothing_to_look_after(data: Path, tmp_path: Path) -> None:
    for command in (["check"], ["backup", tmp_path / "backup.db"]):
        done = run(*command, "--data-dir", data)
        assert done.returncode == 2
        assert "there is no database in" in done.stderr
        assert not data.exists()


def test_no_command_makes_a_folder_or_an_account_in_a_wrong_one(data: Path) -> None:
    """A mistyped folder must not become an empty server."""
    for command in (["list"], ["add", "a@b.example"], ["passwd", "a@b.example"]):
        done = run("user", *command, "--data-dir", data)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"there is no database in {data}" in done.stderr
        assert not data.exists()
    data.mkdir()
    assert run("user", "list", "--data-dir", data).returncode == 2
    assert list(data.iterdir()) == []
    done = run("user", "list", "--data-dir", data, "--new-database")
    assert (done.returncode, done.stdout) == (0, "There are no accounts.\n")


def test_a_server_without_its_database_stops_and_goes_on_when_told(start: Any, data: Path) -> None:
    program = start()
    program.register()
    program.stop()
    (data / "quillium.db").unlink()
    line = refused(start())
    assert line.startswith(f"quillium: the database {data}/quillium.db is missing, but its signing")
    assert not (data / "quillium.db").exists()
    program = start("--new-database")
    assert program.call("GET", "/health")["status"] == "ok"
    program.stop()
    assert start().call("GET", "/health")["status"] == "ok"


def test_a_server_whose_log_was_deleted_stops(start: Any, data: Path) -> None:
    """The first account would be in the log alone."""
    program = start()
    program.register()
    program.process.kill()
    program.process.wait()
    (data / "quillium.db-wal").unlink()
    assert "-wal is missing: it held the most recent changes" in refused(start())
    checked = run("check", "--data-dir", data)
    assert checked.returncode == 1
    assert "-wal is missing" in checked.stdout
    assert "-wal is missing" in refused(start())


def test_a_port_in_use_at_the_first_start_is_no_loss(start: Any, data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused(start(f"--port={taken.getsockname()[1]}"))
    assert start().call("GET", "/health")["status"] == "ok"


def test_a_signing_key_that_others_can_read_is_refused(start: Any, data: Path) -> None:
    start().stop()
    (data / "signing.key").chmod(0o644)
    assert "other users can access the signing key" in refused(start())


def test_what_a_command_prints_is_escaped(start: Any, data: Path) -> None:
    start().stop()
    name = "\x1b[31mred\u202egnp.exe\u200b\n\x9b"
    with closing(connect(data / "quillium.db", writable=True)) as connection:
        connection.execute(
            "INSERT INTO users (id, email, email_key, name, password_hash, is_admin,"
            " settings_updated_at, created_at, updated_at)"
            " VALUES ('user_1', 'a@x', 'a@x', ?, '', 1, '', '2026-01-01', '')",
            (name,),
        )
    done = run("user", "list", "--data-dir", data)
    shown = r"\x1b[31mred\u202egnp.exe\u200b\n\x9b"
    assert done.stdout == f"a@x  {shown}  since 2026-01-01  admin\n"
    with closing(connect(data / "quillium.db", writable=True)) as connection:
        connection.execute("UPDATE users SET id = ?, chat_count = 7", (name,))
    checked = run("check", "--data-dir", data)
    assert shown in checked.stdout
    assert checked.stdout.count("\n") == 1


def test_commands_explain_themselves() -> None:
    done = run("--help")
    assert done.returncode == 0
    for command in ("backup", "restore", "check"):
        assert command in done.stdout
        assert run(command, "--help").returncode == 0
    for mistake in (["backup"], ["restore", "a", "b"], ["check", "--port=1"], ["tidy"]):
        done = run(*mistake)
        assert done.returncode == 2
        assert done.stderr.startswith("quillium: ")
        assert done.stderr.count("\n") == 1


SLOW = """
import sys
from core.progress import Progress
with Progress(sys.stderr) as progress:
    progress("copying", 0.5)
    sys.stdin.read()
"""


def test_progress_is_shown_on_a_terminal_and_nowhere_else() -> None:
    main, terminal = os.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SLOW]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=terminal, env=environment)
    os.close(terminal)
    shown = b""
    while b"copying: 50%" not in shown:
        assert select.select([main], [], [], 15)[0], shown
        shown += os.read(main, 4096)
    process.communicate(timeout=15)
    assert process.returncode == 0
    assert os.read(main, 4096).endswith(b"\r\x1b[K")  # wiped at the end
    os.close(main)
    quiet = subprocess.run(command, input=b"", capture_output=True, env=environment, timeout=15)
    assert quiet.stderr == b""


def test_a_backup_that_is_stopped_leaves_nothing(start: Any, data: Path, tmp_path: Path) -> None:
    start().stop()
    script = (
        "import os, signal, sys, quillium\nfrom storage import backups\n"
        # A shell that starts the tests in the background has it ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "backups._verify = lambda *_: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.exit(quillium.main())"
    )
    target = tmp_path / "backup.db"
    done = subprocess.run(
        [sys.executable, "-c", script, "backup", str(target), f"--data-dir={data}"],
        capture_output=True, text=True, timeout=30, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (130, "quillium: stopped; nothing was changed\n")
    assert list(tmp_path.glob("backup*")) == []
