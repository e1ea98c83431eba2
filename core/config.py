"""What the command line and the environment ask for.

A flag wins over its environment variable, which wins over the default (contract, section 9).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from core.options import OPTIONS, ConfigError, Option


@dataclass(frozen=True)
class Config:
    """What the process was started with; the fields are described in `OPTIONS`."""

    host: str
    port: int
    data_dir: Path
    cors_allowed_origins: frozenset[str]
    allowed_hosts: frozenset[str]
    trusted_proxy: bool
    jwt_secret: str | None
    access_token_expiry: int
    refresh_token_expiry: int
    no_discovery: bool
    local_model: Path | None
    preload: bool
    dev: bool
    demo: bool
    open: bool
    sidecar: bool
    metrics: bool
    log_level: str
    log_format: str
    bcrypt_cost: int
    check_responses: bool


class Start(NamedTuple):
    """What a command line asks for: to serve, or to run a command of `COMMANDS`."""

    config: Config
    command: str | None = None
    argument: str | None = None


@dataclass(frozen=True)
class Command:
    """Something else than serving. `argument` is its name, and what it is, if it takes one."""

    name: str
    help: str
    argument: tuple[str, str] | None = None


_EMAIL = ("EMAIL", "the address of the account")

COMMANDS: tuple[Command, ...] = (
    Command(
        "backup",
        "copy the database, while the server runs or not",
        ("FILE", "new file to copy it to"),
    ),
    Command(
        "restore",
        "put a backup in the database's place; what was there is kept under another name",
        ("FILE", "a backup"),
    ),
    Command("check", "look whether the database is sound; exit status 1 if it is not"),
    Command(
        "user add",
        "make an account, while the server runs or not; asks for the password, or reads it from "
        "stdin",
        _EMAIL,
    ),
    Command("user list", "list the accounts"),
    Command("user passwd", "give an account a new password and end its sessions", _EMAIL),
    Command("user promote", "make an account an admin", _EMAIL),
    Command("user delete", "delete an account with all that it said", _EMAIL),
    Command(
        "model install",
        "bring a small language model, about 94 MB to download, and keep it in the data folder",
    ),
)
_GROUPS = {"user": "the accounts", "model": "the language model within this process"}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message} (see --help)")


def parse(arguments: Sequence[str], environment: Mapping[str, str], version: str) -> Start:
    """What is to be started, and how. Raises `ConfigError`; `--help` and `--version` exit."""
    parser = _Parser(
        prog="quillium",
        description="The Quillium API, a chat page and an assistant, in one process. Without a"
        " command it serves. Each setting is a flag or an [ENVIRONMENT VARIABLE].",
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
    _check(given, values)
    if values["sidecar"] and given["port"] is None and not environment.get("PORT"):
        values["port"] = 0  # two desktop applications must not meet (contract, section 10)
    return Start(Config(**values), given["command"], given.get("argument"))


def _check(given: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Raise `ConfigError` for settings that exclude each other."""
    if values["demo"] and values["sidecar"]:
        raise ConfigError("--demo and --sidecar exclude each other: choose one")
    if values["demo"] and given["data_dir"] is not None:
        raise ConfigError("--demo has a throw-away data folder: leave --data-dir out")
    if values["demo"] and given["command"] is not None:
        raise ConfigError(f"--demo serves: leave {given['command']} out")


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
                # One that is not given here leaves what was given before the command.
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
            option.flag, dest=option.name, metavar="VALUE", default=default, help=text
        )


def _value(option: Option, given: Mapping[str, Any], environment: Mapping[str, str]) -> Any:
    # An empty variable counts as not set: that is how shells and compose files unset one.
    name, value = option.variable, environment.get(option.variable) or option.default
    if given[option.name] is not None:
        name, value = option.flag, given[option.name]
    try:
        return option.parse(value)
    except ValueError as error:
        shown = "" if option.name == "jwt_secret" else f", not {value!r}"
        raise ConfigError(f"{name}: expected {error}{shown}") from None
