"""Commands: output, exit status, and the folders that they refuse to create."""

from __future__ import annotations

import io
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cli import arguments, commands
from cli.commands import CommandError
from storage.folder import FolderError

PASSWORD = "a good password"


@pytest.fixture
def run(data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """Run a command; its exit status and what it printed."""

    def call(
        command: str, argument: str | None = None, *, said: str = "", new: bool = False
    ) -> Any:
        flags = [f"--data-dir={data_dir}", "--bcrypt-cost=4"] + ["--new-database"] * new
        config = arguments.parse(flags, {}, "1.2.3").config
        monkeypatch.setattr(sys, "stdin", io.StringIO(said))
        status = commands.run(config, command, argument)
        return status, capsys.readouterr().out

    return call


@pytest.fixture
def filled(run: Any, data_dir: Path) -> Path:
    """A data folder with one account."""
    run("user add", "ada@example.com", said=f"{PASSWORD}\n", new=True)
    return data_dir


def test_an_account_is_made_with_the_first_line_of_stdin(run: Any) -> None:
    status, told = run("user add", "ada@example.com", said=f"{PASSWORD}\r\nmore\n", new=True)
    assert status == 0
    account, done = told.splitlines()
    assert account.startswith("ada@example.com  ada  since 20")
    assert account.endswith("  admin")
    assert done == "The account was created."


def test_a_mistyped_folder_does_not_become_a_server(run: Any, data_dir: Path) -> None:
    for command in ("user list", "check", "key rotate"):
        with pytest.raises(FolderError):
            run(command)
    assert not data_dir.exists()


@pytest.mark.parametrize(
    ("action", "said", "done"),
    [
        ("passwd", "another good one\n", "The password was changed"),
        ("enable", "", "The account is enabled again."),
        ("promote", "", "The account is now an admin account."),
        ("revoke", "", "All sessions of the account were ended"),
        ("delete", "", "The account and all of its chats were deleted."),
    ],
)
def test_what_is_done_is_told(run: Any, filled: Path, action: str, said: str, done: str) -> None:
    status, told = run(f"user {action}", "ada@example.com", said=said)
    assert status == 0
    assert told.splitlines()[-1].startswith(done)


def test_a_link_ends_with_its_code(run: Any, filled: Path) -> None:
    _, told = run("user link", "ada@example.com")
    assert told.splitlines()[-2] == "Open this link within 10 minutes. It works once:"
    assert told.splitlines()[-1].startswith("http://localhost:8080/#code=")


def test_the_list(run: Any, filled: Path) -> None:
    status, told = run("user list")
    assert (status, len(told.splitlines())) == (0, 1)
    run("user delete", "ada@example.com")
    assert run("user list") == (0, "There are no accounts.\n")


def test_what_is_refused_is_one_line(run: Any, filled: Path) -> None:
    with pytest.raises(CommandError, match=r"eve@example\.com"):
        run("user promote", "eve@example.com")
    with pytest.raises(CommandError, match="already an account"):
        run("user add", "ada@example.com", said=f"{PASSWORD}\n")


def test_a_check_tells_what_is_there(run: Any, filled: Path) -> None:
    assert run("check") == (0, "The database is sound: 1 user, 0 chats, 0 messages.\n")


def test_a_check_that_finds_something_fails(run: Any, filled: Path) -> None:
    with closing(sqlite3.connect(filled / "quillium.db")) as database, database:
        database.execute("UPDATE users SET chat_count = 7")
    status, told = run("check")
    assert status == 1
    assert "chat count" in told


def test_a_backup_is_restored(run: Any, filled: Path, tmp_path: Path) -> None:
    file = str(tmp_path / "backup.db")
    assert run("backup", file) == (0, f"{file} is a backup of 1 user, 0 chats, 0 messages.\n")
    run("user delete", "ada@example.com")
    status, told = run("restore", file)
    restored, kept = told.splitlines()
    assert status == 0
    assert restored == f"Restored 1 user, 0 chats, 0 messages from {file}."
    assert kept.startswith("The replaced database is kept as ")
    assert run("user list")[1].startswith("ada@example.com")


def test_the_key_is_rotated(run: Any, filled: Path) -> None:
    run("key rotate")
    before = {path.name: path.read_bytes() for path in filled.glob("*key*")}
    status, told = run("key rotate")
    assert status == 0
    assert told.startswith("The signing key was replaced.")
    assert {path.name: path.read_bytes() for path in filled.glob("*key*")} != before


def test_what_a_terminal_would_obey_is_escaped(run: Any, filled: Path, tmp_path: Path) -> None:
    _, told = run("backup", str(tmp_path / "a\x1b[2Jb"))
    assert "\x1b" not in told


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "is_deleted"), [("no", False), (" YES ", True)])
def test_a_terminal_is_asked_before_a_deletion(
    run: Any,
    filled: Path,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str,
    is_deleted: bool,
) -> None:
    config = arguments.parse([f"--data-dir={data_dir}"], {}, "1.2.3").config
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda prompt: answer)
    assert commands.run(config, "user delete", "ada@example.com") == (0 if is_deleted else 1)
    assert ("Nothing was deleted." in capsys.readouterr().out) != is_deleted


def test_a_terminal_is_asked_twice_for_a_password(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = ["a good password", "a god password"]
    config = arguments.parse([f"--data-dir={data_dir}", "--new-database"], {}, "1.2.3").config
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: typed.pop())
    with pytest.raises(CommandError, match="don't match"):
        commands.run(config, "user add", "ada@example.com")
    assert not data_dir.exists()
