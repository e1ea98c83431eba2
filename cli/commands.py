"""The command line's edge: one function for each command. What it says goes to stdout.

The accounts of a running server are changed by that server, which alone writes to its database: it
is asked at the door that it has opened in its data folder. Without one, the command holds the
folder and does the same work itself.
"""

from __future__ import annotations

import asyncio
import getpass
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assistant import local, model_file
from cli.extras import install_hint
from core.config import Config
from core.errors import QuilliumError
from core.options import ConfigError
from core.progress import Progress
from core.times import calendar_now
from services.administration import Administration
from services.connections import ConnectionRegistry
from storage import folder, maintenance

_TIMEOUT_SECONDS = 30.0


class CommandError(ConfigError):
    """A command can't be carried out; its text is the one line that the user sees."""


def run(config: Config, command: str, argument: str | None) -> int:
    """The exit status. Raises `CommandError`, `FolderError` or `InstallError`."""
    group, _, action = command.rpartition(" ")
    if group == "user":
        return _user(config, action, argument or "")
    return _UPKEEP[command](config.data_dir, argument)


# Upkeep


def _backup(data_dir: Path, file: str) -> int:
    with Progress(sys.stderr) as progress:
        made = folder.backup(data_dir, _path(file), progress)
    print(f"{file} is a backup of {_contents(made)}.")
    return 0


def _restore(data_dir: Path, file: str) -> int:
    with folder.locked(data_dir) as data, Progress(sys.stderr) as progress:
        restored, kept = data.restore(_path(file), progress)
    print(f"Restored {_contents(restored)} from {file}.")
    if kept is not None:
        print(f"What was there before is kept as {kept}.")
    return 0


def _check(data_dir: Path, _: None) -> int:
    with Progress(sys.stderr) as progress:
        found = folder.check(data_dir, progress)
    for problem in found.problems:
        print(problem)
    if not found.problems:
        print(f"The database is sound: {_contents(found)}.")
    return 1 if found.problems else 0


def _install_model(data_dir: Path, _: None) -> int:
    print(
        f"The model {model_file.MODEL} takes 94 MB to download and 98 MB on the disk. It is a tiny"
        " one, for demos.",
        file=sys.stderr,
    )
    with Progress(sys.stderr) as progress:
        is_new = model_file.install(data_dir, progress)
    file = model_file.installed(data_dir)
    print(f"{file} is {'installed' if is_new else 'there already'}.")
    if local.is_available():
        print("Chats that ask for no other model are answered by it from the next start on.")
    else:
        print("To run it, install the local extra, a download of another 34 MB.")
        print(install_hint("local"))
    return 0


_UPKEEP: dict[str, Callable[[Path, Any], int]] = {
    "backup": _backup,
    "restore": _restore,
    "check": _check,
    "model install": _install_model,
}


def _path(file: str) -> Path:
    return Path(file).expanduser()


def _contents(report: maintenance.Report) -> str:
    counted = {"user": report.users, "chat": report.chats, "message": report.messages}
    return ", ".join(f"{n:,} {name}{'' if n == 1 else 's'}" for name, n in counted.items())


# Accounts

_DONE = {
    "add": "The account was made.",
    "passwd": "The password was changed, and the sessions have ended.",
    "promote": "The account is an admin's.",
    "delete": "The account was deleted, with all that it said.",
}


def _user(config: Config, action: str, email: str) -> int:
    asked = {"action": action}
    if email:
        asked["email"] = email
    if action in {"add", "passwd"}:
        asked["password"] = _password()
    if action == "delete" and not _is_meant(email):
        print("Nothing was deleted.")
        return 1
    try:
        with folder.locked(config.data_dir) as data:
            told = asyncio.run(_do(data, config, asked))
    except folder.FolderInUse:
        told = _ask(config.data_dir, asked)
    except QuilliumError as error:
        raise CommandError(error.details) from None
    for user in told:
        admin = "  admin" if user["is_admin"] else ""
        print(f"{user['email']}  {user['name']}  since {user['created_at'][:10]}{admin}")
    if action != "list":
        print(_DONE[action])
    elif not told:
        print("There are no accounts.")
    return 0


def _password() -> str:
    """From a terminal, typed twice; else the first line of stdin."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password (at least 8 characters): ")
    if password != getpass.getpass("Once more: "):
        raise CommandError("the two passwords differ; nothing was changed")
    return password


def _is_meant(email: str) -> bool:
    if not sys.stdin.isatty():
        return True
    answer = input(f"Delete {email} with all chats, for good? Type yes: ")
    return answer.strip().lower() == "yes"


async def _do(data: folder.DataFolder, config: Config, asked: dict[str, str]) -> list[Any]:
    """Do it here: no server uses the folder."""
    with Progress(sys.stderr) as progress:
        db = data.database(progress)
    try:
        work = Administration(
            db,
            ConnectionRegistry(),
            lambda _: None,
            lambda _: None,
            calendar_now,
            config.bcrypt_cost,
        )
        return [user.public() for user in await work.run(**asked)]
    finally:
        db.close()


def _ask(data_dir: Path, asked: dict[str, str]) -> list[Any]:
    """Have the running server do it. Raises `CommandError`."""
    door = folder.control_endpoint_of(data_dir)
    if door is None:
        raise CommandError("the server that uses the data folder is not ready; try again")
    request = urllib.request.Request(
        f"{door.url}/control",
        data=json.dumps(asked).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {door.key}"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_TIMEOUT_SECONDS) as response:
            users: list[Any] = json.load(response)["users"]
            return users
    except urllib.error.HTTPError as error:
        raise CommandError(json.load(error)["error"]["details"]) from None
    except OSError as error:
        raise CommandError(f"the server at {door.url} does not answer: {error}") from None
