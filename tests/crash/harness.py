"""Kill the server under load repeatedly, and check that acknowledged data is kept."""

from __future__ import annotations

import contextlib
import json
import random
import resource
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage import maintenance
from tests.program import ROOT, Program, read_line, run

USERS = 3
Said = dict[str, list[dict[str, Any]]]  # the messages of each chat, in the server's order


@dataclass
class Tally:
    """Totals of all cycles."""

    kills: int = 0
    acknowledged: int = 0
    unanswered: int = 0  # sent, but killed before the response
    of_those_stored: int = 0
    interrupted: int = 0  # replies
    faults: int = 0
    backups: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in vars(self).items())


class Loss(AssertionError):
    """A promise that was broken."""


class Harness:
    """A data folder whose server is killed; `cycle` may be called as often as one likes."""

    def __init__(self, folder: Path, seed: int, *, data_dir: Path | None = None) -> None:
        self._folder = folder
        self._data = data_dir or folder / "data"
        self._random = random.Random(seed)
        self._accounts = folder / "accounts.json"
        self.tally = Tally()
        self._prepare()

    def _prepare(self) -> None:
        program = Program(self._data)
        keys = []
        for number in range(USERS):
            token = program.register(f"user{number}@example.com")
            if number == 0:
                settings = {"rate_limit_per_minute": 0}
                program.call("PUT", "/api/v1/settings/admin", settings, token)
            keys.append(program.call("POST", "/api/v1/users/api-key", {}, token)["api_key"])
        self._accounts.write_text(json.dumps(keys))
        program.stop()

    def cycle(self, *, faults: bool = False, backups: bool = False) -> None:
        """Start, load, kill, look. Raises `Loss`."""
        notes = self._folder / f"notes-{self.tally.kills}"
        program = Program(self._data)
        with self._load(program, notes):
            if faults:
                self._fault(program)
            if backups:
                self._backup(program, notes)
            time.sleep(self._random.uniform(0.05, 1.0))
            program.process.kill()
            program.process.communicate()
        self.tally.kills += 1
        self._check(self._data / "quillium.db")
        self.verify([notes])

    def verify(self, notes: list[Path]) -> None:
        """Start the server and compare what it lists with what was noted. Raises `Loss`."""
        program = Program(self._data)
        try:
            for path in notes:
                self._compare(program, path)
        finally:
            program.process.kill()
            program.process.communicate()

    def verify_all(self) -> None:
        """All that was ever acknowledged, once more."""
        before = vars(self.tally).copy()
        self.verify(sorted(self._folder.glob("notes-*")))
        vars(self.tally).update(before)

    @contextlib.contextmanager
    def _load(self, program: Program, notes: Path) -> Iterator[None]:
        command = [sys.executable, "-m", "tests.crash.client", program.url]
        client = subprocess.Popen(
            [*command, str(self._accounts), str(notes)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(USERS):
            assert read_line(client, client.stdout) == "talking\n"
        yield
        client.communicate(timeout=30)
        if client.returncode:
            raise Loss(f"the client failed with {client.returncode}")

    def _fault(self, program: Program) -> None:
        """Let no file grow for a while."""
        pid = program.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        time.sleep(self._random.uniform(0.05, 0.4))
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
        time.sleep(self._random.uniform(0.05, 0.4))
        if self._random.random() < 0.5:  # else it is killed while the disk is full
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        self.tally.faults += 1

    def _backup(self, program: Program, notes: Path) -> None:
        """Back up under load; restore that elsewhere, and look for what was noted before."""
        stored = [line for line in _lines(notes) if line["what"] == "stored"]
        backup = self._folder / f"backup-{self.tally.backups}.db"
        elsewhere = self._folder / f"restored-{self.tally.backups}"
        for command in (
            ("backup", backup, "--data-dir", self._data),
            ("restore", backup, "--data-dir", elsewhere),
            ("check", "--data-dir", elsewhere),
        ):
            done = run(*command)
            if done.returncode:
                raise Loss(f"{command[0]}: {done.stdout}{done.stderr}")
        with closing(sqlite3.connect(elsewhere / "quillium.db")) as connection:
            found = {id for (id,) in connection.execute("SELECT id FROM messages")}
        missing = [line for line in stored if line["id"] not in found]
        if missing:
            raise Loss(f"a backup lacks {missing}")
        self.tally.backups += 1

    def _check(self, database: Path) -> None:
        problems = maintenance.check(database, lambda doing, share: None).problems
        if problems:
            raise Loss(f"check: {problems}")

    def _compare(self, program: Program, notes: Path) -> None:
        lines = _lines(notes)
        keys = {line["chat"]: line["key"] for line in lines}
        said = {chat: _said(program, chat, key) for chat, key in keys.items()}
        _look_for_losses(lines, said)
        stored = {line["client_id"] for line in lines if line["what"] == "stored"}
        sent = [line for line in lines if line["what"] == "sent"]
        unanswered = [line for line in sent if line["client_id"] not in stored]
        there = {line["client_id"] for messages in said.values() for line in messages}
        self.tally.acknowledged += len(stored)
        self.tally.unanswered += len(unanswered)
        self.tally.of_those_stored += sum(line["client_id"] in there for line in unanswered)
        self.tally.interrupted += sum(
            line["status"] == "interrupted" for messages in said.values() for line in messages
        )
        for line in unanswered:  # a client would send them again
            body = {"content": line["content"], "client_id": line["client_id"]}
            path = f"/api/v1/chats/{line['chat']}/messages"
            program.call("POST", path, body, line["key"])
        for chat in {line["chat"] for line in unanswered}:
            ids = [line["client_id"] for line in _said(program, chat, keys[chat])]
            wanted = {line["client_id"] for line in sent if line["chat"] == chat}
            if {id: ids.count(id) for id in wanted} != dict.fromkeys(wanted, 1):
                raise Loss(f"sent again, and not there once: {chat}")


def _look_for_losses(lines: list[dict[str, Any]], said: Said) -> None:
    """Each acknowledged message once, unchanged, and after all that was acknowledged before it."""
    positions: dict[str, int] = {}
    for chat, messages in said.items():
        for position, message in enumerate(messages):
            if message["status"] == "streaming":
                raise Loss(f"a reply of {chat} is left streaming")
            if message["client_id"] in positions:
                raise Loss(f"stored twice: {message}")
            if message["client_id"]:
                positions[message["client_id"]] = position
    last_stored: defaultdict[str, int] = defaultdict(lambda: -1)
    floors: dict[str, int] = {}
    for line in lines:
        chat = line["chat"]
        if line["what"] == "sent":
            floors[line["client_id"]] = last_stored[chat]
        elif line["what"] == "stored":
            if line["client_id"] not in positions:
                raise Loss(f"acknowledged and lost: {line}")
            position = positions[line["client_id"]]
            message = said[chat][position]
            if (message["id"], message["content"]) != (line["id"], line["content"]):
                raise Loss(f"acknowledged {line}, found {message}")
            if position <= floors[line["client_id"]]:
                raise Loss(f"out of order: {line}")
            last_stored[chat] = max(last_stored[chat], position)


def _said(program: Program, chat: str, key: str) -> list[dict[str, Any]]:
    """Return all messages of a chat, those included that an edit took from the list."""
    said: list[dict[str, Any]] = program.call("GET", f"/api/v1/chats/{chat}/export", token=key)[
        "messages"
    ]
    return said


def _lines(notes: Path) -> list[dict[str, Any]]:
    if not notes.exists():
        return []
    whole = notes.read_text().rpartition("\n")[0]  # the last line may be half-written
    return [json.loads(line) for line in whole.splitlines()]
