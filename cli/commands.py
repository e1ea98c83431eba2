"""The commands, one function each. They print their results to stdout.

A running server is the only writer of its database. So account commands call its control endpoint,
which is published in the data folder. If no server is running, the command locks the folder and
does the same work itself.
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
from cli.hints import install_hint
from core.config import Config
from core.errors import QuilliumError
from core.escaping import escape_unprintable
from core.options import ConfigError
from core.progress import Progress
from core.times import calendar_now
from services import build_administration
from storage import folder, maintenance

_TIMEOUT_SECONDS = 30.0


class CommandError(ConfigError):
    """A command failed. The message is the one line that the user sees."""


def run(config: Config, command: str, argument: str | None) -> int:
    """Run a command; return its exit status.

    Raises `CommandError`, `FolderError` or `InstallError`.
    """
    group, _, action = command.rpartition(" ")
    if group == "user":
        return _user(config, action, argument or "")
    return _COMMANDS[command](config.data_dir, argument)


def _print(line: str) -> None:
    """Print a line that may contain text from users, whatever the encoding of stdout."""
    encoding = sys.stdout.encoding
    print(escape_unprintable(line).encode(encoding, "backslashreplace").decode(encoding))


# The database and the model


def _backup(data_dir: Path, file: str) -> int:
    with Progress(sys.stderr) as progress:
        made = folder.backup(data_dir, _path(file), progress)
    _print(f"{file} is a backup of {_contents(made)}.")
    return 0


def _restore(data_dir: Path, file: str) -> int:
    with folder.locked(data_dir) as data, Progress(sys.stderr) as progress:
        restored, kept = data.restore(_path(file), progress)
    _print(f"Restored {_contents(restored)} from {file}.")
    if kept is not None:
        _print(f"The replaced database is kept as {kept}.")
    return 0


def _check(data_dir: Path, _: None) -> int:
    with Progress(sys.stderr) as progress:
        found = folder.check(data_dir, progress)
    for problem in found.problems:
        _print(problem)
    if not found.problems:
        _print(f"The database is sound: {_contents(found)}.")
    return 1 if found.problems else 0


def _rotate_key(data_dir: Path, _: None) -> int:
    folder.existing(data_dir)
    with folder.locked(data_dir) as data:
        data.rotate_key(calendar_now())
    print("The signing key was replaced. Sessions continue: existing tokens stay valid until they")
    print("expire. To end all sessions, run quillium user revoke for each account.")
    return 0


def _install_model(data_dir: Path, _: None) -> int:
    print(
        f"The model {model_file.MODEL} is a 94 MB download and uses 98 MB of disk space. It is a"
        " tiny model for demos.",
        file=sys.stderr,
    )
    with Progress(sys.stderr) as progress:
        is_new = model_file.install(data_dir, progress)
    file = model_file.installed(data_dir)
    _print(f"{file} {'was' if is_new else 'is already'} installed.")
    if local.is_available():
        print("After the next start, it is the default model for chats that name no other.")
    else:
        print("To run it, install the local extra, another 34 MB download.")
        print(install_hint("local"))
    return 0


_COMMANDS: dict[str, Callable[[Path, Any], int]] = {
    "backup": _backup,
    "restore": _restore,
    "check": _check,
    "key rotate": _rotate_key,
    "model install": _install_model,
}


def _path(file: str) -> Path:
    return Path(file).expanduser()


def _contents(report: maintenance.Report) -> str:
    counted = {"user": report.users, "chat": report.chats, "message": report.messages}
    return ", ".join(f"{n:,} {name}{'' if n == 1 else 's'}" for name, n in counted.items())


# Accounts

_DONE = {
    "add": "The account was created.",
    "passwd": "The password was changed, and all sessions of the account were ended.",
    "promote": "The account is now an admin account.",
    "demote": "The account is no longer an admin account.",
    "disable": "The account is disabled, and all of its sessions were ended.",
    "enable": "The account is enabled again.",
    "revoke": "All sessions of the account were ended, and its API keys were revoked.",
    "link": "Open this link within 10 minutes. It works once:",
    "delete": "The account and all of its chats were deleted.",
}


def _user(config: Config, action: str, email: str) -> int:
    asked = {"action": action}
    if email:
        asked["email"] = email
    if action in {"add", "passwd"}:
        asked["password"] = _password()
    if action == "delete" and not _is_confirmed(email):
        print("Nothing was deleted.")
        return 1
    if not config.new_database:
        folder.existing(config.data_dir)  # a mistyped folder must not be created
    try:
        with folder.locked(config.data_dir) as data:
            result = asyncio.run(_run_here(data, config, asked))
        url = f"http://{config.host}:{config.port}"
    except folder.FolderInUse:
        url, result = _run_in_server(config.data_dir, asked)
    except QuilliumError as error:
        raise CommandError(error.details) from None
    for user in result["users"]:
        admin = "  admin" if user["is_admin"] else ""
        _print(f"{user['email']}  {user['name']}  since {user['created_at'][:10]}{admin}")
    if action != "list":
        print(_DONE[action])
    elif not result["users"]:
        print("There are no accounts.")
    if "code" in result:
        print(f"{url}/#code={result['code']}")
    return 0


def _password() -> str:
    """Read a password: from a terminal twice, otherwise from the first line of stdin."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password (at least 8 characters): ")
    if password != getpass.getpass("Repeat password: "):
        raise CommandError("the passwords don't match; nothing was changed")
    return password


def _is_confirmed(email: str) -> bool:
    if not sys.stdin.isatty():
        return True
    answer = input(
        f"Delete {escape_unprintable(email)} with all chats? This can't be undone. Type yes: "
    )
    return answer.strip().lower() == "yes"


async def _run_here(
    data: folder.DataFolder, config: Config, asked: dict[str, str]
) -> dict[str, Any]:
    """Run an account action in this process, when no server uses the folder."""
    with Progress(sys.stderr) as progress:
        # Keep the copy that a migration makes until a server has run on the new schema.
        db = data.database(progress, may_be_missing=config.new_database, keeps_copies=True)
    try:
        return await build_administration(db, config.bcrypt_cost, calendar_now).run(**asked)
    finally:
        db.close()


def _run_in_server(data_dir: Path, asked: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """Have the running server execute an account action.

    Return the server's URL and the result. Raises `CommandError`.
    """
    endpoint = folder.control_endpoint_of(data_dir)
    if endpoint is None:
        raise CommandError("the server that uses the data folder is not ready; try again")
    request = urllib.request.Request(
        f"{endpoint.url}/control",
        data=json.dumps(asked).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {endpoint.key}"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_TIMEOUT_SECONDS) as response:
            return endpoint.url, json.load(response)
    except urllib.error.HTTPError as error:
        raise CommandError(json.load(error)["error"]["details"]) from None
    except OSError as error:
        raise CommandError(f"the server at {endpoint.url} does not respond: {error}") from None
