"""The command line: flags, environment variables and commands, parsed into a `Config`.

A flag wins over its environment variable, which wins over the default (contract, section 9).
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from core.config import Config
from core.options import OPTIONS, ConfigError, Option

_LONGEST_SHOWN = 200  # characters of a value quoted in an error message


class Invocation(NamedTuple):
    """A parsed command line: the configuration, and a command of `COMMANDS` or None to serve."""

    config: Config
    command: str | None = None
    argument: str | None = None


@dataclass(frozen=True)
class Command:
    """A command. `argument` is the name and help text of its argument, if it has one."""

    name: str
    help: str
    argument: tuple[str, str] | None = None


_EMAIL = ("EMAIL", "e-mail address of the account")

COMMANDS: tuple[Command, ...] = (
    Command(
        "backup",
        "copy the database to a new file; works while the server runs",
        ("FILE", "file to create"),
    ),
    Command(
        "restore",
        "replace the database with a backup; the replaced database is kept under another name",
        ("FILE", "backup to restore"),
    ),
    Command("check", "check database integrity; exit status 1 if the database is damaged"),
    Command(
        "user add",
        "create an account; asks for the password, or reads it from stdin",
        _EMAIL,
    ),
    Command("user list", "list the accounts"),
    Command("user passwd", "set the password of an account and end its sessions", _EMAIL),
    Command("user promote", "make an account an admin", _EMAIL),
    Command("user demote", "remove an account's admin rights", _EMAIL),
    Command("user link", "create a one-time sign-in link, for a lost password", _EMAIL),
    Command("user revoke", "end an account's sessions and revoke its API keys", _EMAIL),
    Command("user disable", "disable an account", _EMAIL),
    Command("user enable", "enable a disabled account", _EMAIL),
    Command("user delete", "delete an account and all of its chats", _EMAIL),
    Command("key rotate", "replace the key that signs tokens; the server must be stopped"),
    Command(
        "model install",
        "download a small language model (94 MB) into the data folder",
    ),
)
_GROUPS = {
    "user": "manage accounts",
    "model": "manage the built-in language model",
    "key": "manage the key that signs tokens",
}

DOCS = Path(__file__).resolve().parent.parent / "docs"  # also in an installed copy


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message} (see --help)")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Report an unknown command by name; argparse reports "argument : invalid choice".

        This overrides a private method that is the same in Python 3.11 to 3.14.
        """
        if isinstance(action, argparse._SubParsersAction) and value not in action.choices:
            command = f"{self.prog} {value}".removeprefix("quillium ")
            raise ConfigError(f"unknown command {command[:_LONGEST_SHOWN]!r} (see --help)")
        super()._check_value(action, value)


def parse(arguments: Sequence[str], environment: Mapping[str, str], version: str) -> Invocation:
    """Parse a command line. Raises `ConfigError`; `--help` and `--version` raise `SystemExit`."""
    parser = _Parser(
        prog="quillium",
        # Raw, so that the folder stays on one line, to be copied.
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Serve the Quillium API, a chat page and an assistant from one process,\n"
        "or run a command. Each setting is a flag or an [ENVIRONMENT VARIABLE].",
        epilog="The documentation (settings.md, api.md, frontend.md, testing.md, desktop.md,\n"
        f"demo.md, models.md, operations.md and others) is in\n{DOCS}",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"quillium {version}")
    _add_commands(parser)
    groups: dict[str, Any] = {}
    for option in OPTIONS:
        if option.group not in groups:
            groups[option.group] = parser.add_argument_group(option.group)
        _add_option(groups[option.group], option, default=None)
    parser.set_defaults(command=None)
    given = vars(parser.parse_args(arguments))
    values = {option.name: _value(option, given, environment) for option in OPTIONS}
    _check_conflicts(given, values)
    if given["port"] is None and not environment.get("QUILLIUM_PORT"):
        values["port"] = _default_port(values, environment)
    if values["data_dir"] is None:
        # A temporary folder is created at start-up, so it works for a user without a home folder.
        is_temporary = values["demo"] or values["seed"]
        values["data_dir"] = Path() if is_temporary else _default_data_dir()
    return Invocation(Config(**values), given["command"], given.get("argument"))


def _check_conflicts(given: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Raise `ConfigError` for mutually exclusive settings."""
    if values["demo"] and values["sidecar"]:
        raise ConfigError("--demo and --sidecar can't be combined")
    if values["demo"] and given["data_dir"] is not None:
        raise ConfigError("--demo uses a temporary data folder: remove --data-dir")
    for name in ("seed", "deterministic", "record", "replay"):
        if values[name] and not values["dev"]:
            raise ConfigError(f"--{name} needs --dev")
    if values["record"] and values["replay"]:
        raise ConfigError("--record and --replay can't be combined")
    if values["seed"] and values["demo"]:
        raise ConfigError("--seed and --demo can't be combined")
    if given["demo_password"] is not None and not values["demo"]:
        raise ConfigError("--demo-password needs --demo")
    if values["demo"] and given["command"] is not None:
        raise ConfigError(f"--demo can't be combined with the command {given['command']}")


def _default_port(values: Mapping[str, Any], environment: Mapping[str, str]) -> int:
    """Return the port to use if Quillium's own setting is absent. Raises `ConfigError`.

    Hosting platforms set `PORT`. A sidecar ignores it and uses a free port, because it could
    inherit the variable from any parent process, and two desktop applications would collide.
    """
    if values["sidecar"]:
        return 0
    port: int = values["port"]
    if environment.get("PORT"):
        option = next(option for option in OPTIONS if option.name == "port")
        port = _parsed(option, "PORT", environment["PORT"])
    return port


def _default_data_dir() -> Path:
    """Return the platform's folder for user data, such as `~/.local/share/quillium`.

    Raises `ConfigError` for a user without a home folder, as in a container with an arbitrary uid.
    """
    import platformdirs  # takes 10 ms, so it is only imported without --data-dir

    try:
        path = Path(platformdirs.user_data_dir("quillium", appauthor=False))
    except RuntimeError:
        path = Path("~")
    if not path.is_absolute():  # versions before 4.5 return an unexpanded `~`
        raise ConfigError("this user has no home folder: name a data folder with --data-dir")
    return path


def _add_commands(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(title="commands", metavar="")
    groups: dict[str, Any] = {}  # `model install` is the command `install` of the group `model`
    for command in COMMANDS:
        group, _, name = command.name.rpartition(" ")
        if group and group not in groups:
            names = [c.name.partition(" ")[2] for c in COMMANDS if c.name.startswith(f"{group} ")]
            text = f"{_GROUPS[group]}: {', '.join(names)}"
            added = commands.add_parser(group, help=text, description=text, allow_abbrev=False)
            groups[group] = added.add_subparsers(title="commands", metavar="COMMAND", required=True)
        added = groups.get(group, commands).add_parser(
            name, help=command.help, description=command.help, allow_abbrev=False
        )
        added.set_defaults(command=command.name)
        if command.argument is not None:
            metavar, text = command.argument
            added.add_argument("argument", metavar=metavar, help=text)
        for option in OPTIONS:
            if option.is_for_commands:
                # Without a default, an omitted flag keeps the value given before the command.
                _add_option(added, option, default=argparse.SUPPRESS)


def _add_option(parser: argparse._ActionsContainer, option: Option, default: str | None) -> None:
    shown = f" (default {option.default})" if option.default and not option.is_switch else ""
    text = f"{option.help}{shown} [{option.variable}]"
    if option.is_switch:
        parser.add_argument(
            option.flag,
            dest=option.name,
            action="store_const",
            const="true",
            default=default,
            help=text,
        )
    else:
        parser.add_argument(
            option.flag,
            dest=option.name,
            metavar="VALUE",
            default=default,
            help=text,
            action="append" if option.is_repeatable else "store",
        )


def _value(option: Option, given: Mapping[str, Any], environment: Mapping[str, str]) -> Any:
    if given[option.name] is not None:
        values = given[option.name] if option.is_repeatable else [given[option.name]]
        is_optional = not option.default and not option.parse("")
        if "" in values and is_optional:  # such as `--data-dir "$UNSET"`
            raise ConfigError(f"{option.flag}: expected a value, not an empty one")
        parsed = [_parsed(option, option.flag, value) for value in values]
        return tuple(itertools.chain(*parsed)) if option.is_repeatable else parsed[0]
    # An empty variable counts as unset, because shells and compose files unset variables that way.
    value = environment.get(option.variable) or option.default
    return _parsed(option, option.variable, value)


def _parsed(option: Option, source: str, value: str) -> Any:
    try:
        return option.parse(value)
    except ValueError as error:
        shown = "" if option.is_secret else f", not {value[:_LONGEST_SHOWN]!r}"
        raise ConfigError(f"{source}: expected {error}{shown}") from None
