"""The settings of the process: one table, read by the code, `--help` and the documentation's test.

A flag wins over its environment variable, which wins over the default (contract, section 9).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import platformdirs


class ConfigError(Exception):
    """A setting that can't be used; its text is the one line that the user sees."""


@dataclass(frozen=True)
class Config:
    """What the process was started with; the fields are described in `OPTIONS`."""

    host: str
    port: int
    data_dir: Path
    jwt_secret: str | None
    access_token_expiry: int
    refresh_token_expiry: int
    cors_allowed_origins: frozenset[str]
    allowed_hosts: frozenset[str]
    trusted_proxy: bool
    no_discovery: bool
    local_model: Path | None
    preload: bool
    log_level: str
    bcrypt_cost: int
    check_answers: bool


class Start(NamedTuple):
    """What a command line asks for: to serve, or to run a command of `COMMANDS` on a file."""

    config: Config
    command: str | None = None
    file: Path | None = None


@dataclass(frozen=True)
class Command:
    """Something else than serving. `file` describes its argument, if it takes one."""

    name: str
    help: str
    file: str | None = None


COMMANDS: tuple[Command, ...] = (
    Command("backup", "copy the database, while the server runs or not", "new file to copy it to"),
    Command(
        "restore",
        "put a backup in the database's place; what was there is kept under another name",
        "a backup",
    ),
    Command(
        "model install",
        "bring a small language model, about 94 MB to download, and keep it in the data folder",
    ),
    Command("check", "look whether the database is sound; exit status 1 if it is not"),
)


@dataclass(frozen=True)
class Option:
    """One setting. `parse` raises `ValueError` that says what was expected."""

    name: str
    variable: str
    default: str
    parse: Callable[[str], Any]
    help: str
    is_for_commands: bool = False  # beside the server

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def is_switch(self) -> bool:
        return self.parse is _switch


def _text(value: str) -> str:
    if not value:
        raise ValueError("some text")
    return value


def _whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not (value.isascii() and value.isdigit() and lowest <= int(value[:20]) <= highest):
            raise ValueError(f"a whole number from {lowest} to {highest}")
        return int(value)

    return parse


def _switch(value: str) -> bool:
    if value.lower() not in {"true", "false", "1", "0", "yes", "no", "on", "off"}:
        raise ValueError("true or false")
    return value.lower() in {"true", "1", "yes", "on"}


def _folder(value: str) -> Path:
    return Path(value).expanduser().absolute() if value else default_data_dir()


def _file(value: str) -> Path | None:
    return Path(value).expanduser().absolute() if value else None


def default_data_dir() -> Path:
    """The platform's folder for a user's data, such as `~/.local/share/quillium`."""
    return Path(platformdirs.user_data_dir("quillium", appauthor=False))


def _secret(value: str) -> str | None:
    if value and len(value.encode("utf-8")) < 32:
        raise ValueError("at least 32 bytes")
    return value or None


def _names(value: str) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in value.split(",") if name.strip())


def _origins(value: str) -> frozenset[str]:
    origins = _names(value)
    for origin in origins - {"*", "null"}:
        scheme, separator, host = origin.partition("://")
        if not (scheme and separator and host) or set(host) & set("/?#@ "):
            raise ValueError("origins such as https://app.example.com, or null, or *")
    return origins


def _log_level(value: str) -> str:
    if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("DEBUG, INFO, WARNING or ERROR")
    return value.upper()


OPTIONS: tuple[Option, ...] = (
    Option("host", "QUILLIUM_HOST", "127.0.0.1", _text, "address to listen on"),
    Option(
        "port", "PORT", "8080", _whole_number(0, 65535), "port to listen on; 0 takes a free one"
    ),
    Option(
        "data_dir",
        "QUILLIUM_DATA_DIR",
        "",
        _folder,
        "folder of the database; if left out, the platform's folder for a user's data",
        is_for_commands=True,
    ),
    Option(
        "jwt_secret",
        "JWT_SECRET",
        "",
        _secret,
        "key that signs tokens, at least 32 bytes; if left out, one is made and kept beside the "
        "database (prefer the variable: other users can see flags)",
    ),
    Option(
        "access_token_expiry",
        "ACCESS_TOKEN_EXPIRY",
        "15",
        _whole_number(1, 1440),
        "minutes that an access token is good for",
    ),
    Option(
        "refresh_token_expiry",
        "REFRESH_TOKEN_EXPIRY",
        "7",
        _whole_number(1, 365),
        "days that a refresh token is good for",
    ),
    Option(
        "cors_allowed_origins",
        "CORS_ALLOWED_ORIGINS",
        "",
        _origins,
        "origins of other sites that may call, separated by commas; null for packaged pages, * "
        "for any",
    ),
    Option(
        "allowed_hosts",
        "ALLOWED_HOSTS",
        "",
        _names,
        "names under which the server may be reached, beside loopback, separated by commas",
    ),
    Option(
        "trusted_proxy",
        "TRUSTED_PROXY",
        "false",
        _switch,
        "believe X-Forwarded-For: only behind a proxy that sets it",
    ),
    Option(
        "no_discovery",
        "NO_DISCOVERY",
        "false",
        _switch,
        "don't look for Ollama and LM Studio on this machine",
    ),
    Option(
        "local_model",
        "LOCAL_MODEL",
        "",
        _file,
        "GGUF file of a model to run within this process; needs the local extra",
    ),
    Option(
        "preload",
        "PRELOAD",
        "false",
        _switch,
        "load the local model at the start, not when it is first asked",
    ),
    Option(
        "log_level",
        "LOG_LEVEL",
        "INFO",
        _log_level,
        "DEBUG, INFO, WARNING or ERROR",
        is_for_commands=True,
    ),
    Option(
        "bcrypt_cost",
        "BCRYPT_COST",
        "12",
        _whole_number(4, 16),
        "work to hash a password; less than 12 is for tests only",
    ),
    Option(
        "check_answers",
        "CHECK_ANSWERS",
        "false",
        _switch,
        "check each answer against its schema; for tests, it costs time",
    ),
)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message} (see --help)")


def parse(arguments: Sequence[str], environment: Mapping[str, str], version: str) -> Start:
    """What is to be started, and how. Raises `ConfigError`; `--help` and `--version` exit."""
    parser = _Parser(
        prog="quillium",
        description="The Quillium API, a chat page and an assistant, in one process. Without a"
        " command it serves.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"quillium {version}")
    _add_options(parser, OPTIONS, default=None)
    parser.set_defaults(command=None)
    _add_commands(parser)
    given = vars(parser.parse_args(arguments))
    values = {option.name: _value(option, given, environment) for option in OPTIONS}
    return Start(Config(**values), given["command"], given.get("file"))


def _add_commands(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(title="commands", metavar="")
    groups: dict[str, Any] = {}  # `model install` is the command `install` of the group `model`
    for command in COMMANDS:
        group, _, name = command.name.rpartition(" ")
        if group and group not in groups:
            added = commands.add_parser(group, help=command.help, allow_abbrev=False)
            groups[group] = added.add_subparsers(title="commands", metavar="COMMAND", required=True)
        added = groups.get(group, commands).add_parser(
            name, help=command.help, description=command.help, allow_abbrev=False
        )
        added.set_defaults(command=command.name)
        if command.file is not None:
            added.add_argument("file", metavar="FILE", type=Path, help=command.file)
        # One that is not given here leaves what was given before the command.
        also = [option for option in OPTIONS if option.is_for_commands]
        _add_options(added, also, default=argparse.SUPPRESS)


def _add_options(
    parser: argparse.ArgumentParser, options: Sequence[Option], default: str | None
) -> None:
    for option in options:
        shown = f" (default {option.default})" if option.default else ""
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
