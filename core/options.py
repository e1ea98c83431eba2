"""The settings of the process in one table, used by the command line and a test of the docs.

Each setting is a flag and an environment variable (contract, section 9).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import base_path


class ConfigError(Exception):
    """A setting is invalid. The message is the one line that the user sees."""


class MissingExtra(ConfigError):
    """A setting requires an extra of `setup.cfg` that is not installed."""

    def __init__(self, extra: str) -> None:
        super().__init__(f"the {extra} extra is not installed")
        self.extra = extra


@dataclass(frozen=True)
class Option:
    """One setting. `parse` raises `ValueError` whose message names the expected value."""

    name: str
    default: str
    parse: Callable[[str], Any]
    help: str
    group: str
    is_for_commands: bool = False  # also accepted by commands
    is_secret: bool = False  # never quoted in error messages

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return "QUILLIUM_" + self.name.upper()

    @property
    def is_repeatable(self) -> bool:
        return self.parse is _files

    @property
    def is_switch(self) -> bool:
        return self.parse is _switch


def _host(value: str) -> str:
    host = value.strip().removeprefix("[").removesuffix("]")
    if not host:
        raise ValueError("a host name or an IP address")
    return host


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


def _path(value: str) -> Path | None:
    if not value:
        return None
    try:
        return Path(value).expanduser().absolute()
    except RuntimeError:  # `~name` of an unknown user, or `~` of a user without a home folder
        raise ValueError("a path without ~, because that home folder is unknown") from None
    except OSError:
        raise ValueError("an absolute path, because the current folder is gone") from None


def _files(value: str) -> tuple[Path, ...]:
    """Parse the paths of a repeatable flag; a variable separates them like `PATH`."""
    return tuple(path for part in value.split(os.pathsep) if (path := _path(part)))


def _rate_limit(value: str) -> int | None:
    return _whole_number(0, 1_000_000)(value) if value else None


def _secret(value: str) -> str | None:
    if value and len(value.encode("utf-8", "surrogateescape")) < 32:
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


def _pace(value: str) -> int | None:
    return _whole_number(0, 10_000)(value) if value else None


def _demo_password(value: str) -> str | None:
    if value and not 8 <= len(value) <= 256:
        raise ValueError("8 to 256 characters")
    return value or None


def _log_level(value: str) -> str:
    if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("DEBUG, INFO, WARNING or ERROR")
    return value.upper()


def _log_format(value: str) -> str:
    if value.lower() not in {"auto", "text", "json"}:
        raise ValueError("auto, text or json")
    return value.lower()


NETWORK, ACCESS, MODELS, MODES, LOGGING, TESTING = (
    "network and data", "access", "models", "modes", "logs and metrics", "testing",
)  # fmt: skip

OPTIONS: tuple[Option, ...] = (
    Option(
        "host",
        "localhost",
        _host,
        "address to listen on; localhost is 127.0.0.1 and ::1",
        NETWORK,
    ),
    Option(
        "port",
        "8080",
        _whole_number(0, 65535),
        "port to listen on; 0 picks a free one. With --sidecar the default is the port of the last "
        "start, or a free one",
        NETWORK,
    ),
    Option(
        "data_dir",
        "",
        _path,
        "folder of the database and the signing key; the default is the platform's folder for user "
        "data",
        NETWORK,
        is_for_commands=True,
    ),
    Option(
        "new_database",
        "false",
        _switch,
        "start even if the data folder's database or its write-ahead log is missing; without this "
        "flag, a missing file is an error",
        NETWORK,
        is_for_commands=True,
    ),
    Option(
        "base_path",
        "",
        base_path.parse,
        "path below which everything is served, such as /quillium; a trusted proxy may name it in "
        "X-Forwarded-Prefix instead",
        NETWORK,
    ),
    Option(
        "cors_allowed_origins",
        "",
        _origins,
        "comma-separated origins that may call the API from a browser; null for file:// pages, * "
        "for any. The server's own origin, loopback addresses and Tauri windows are always allowed",
        ACCESS,
    ),
    Option(
        "allowed_hosts",
        "",
        _names,
        "comma-separated host names that requests may use besides loopback names; * for any",
        ACCESS,
    ),
    Option(
        "trusted_proxy",
        "false",
        _switch,
        "trust X-Forwarded-For, -Proto and -Prefix; use it only behind a reverse proxy that sets "
        "the first",
        ACCESS,
    ),
    Option(
        "jwt_secret",
        "",
        _secret,
        "key that signs tokens, at least 32 bytes; by default a key is generated and kept in the "
        "data folder. Prefer the variable: other users of the machine can see flags",
        ACCESS,
        is_secret=True,
    ),
    Option(
        "access_token_expiry",
        "15",
        _whole_number(1, 1440),
        "lifetime of access tokens in minutes",
        ACCESS,
    ),
    Option(
        "refresh_token_expiry",
        "7",
        _whole_number(1, 365),
        "lifetime of refresh tokens in days",
        ACCESS,
    ),
    Option(
        "session_max_days",
        "90",
        _whole_number(1, 3650),
        "days after which a session ends, even if it is refreshed",
        ACCESS,
    ),
    Option(
        "rate_limit",
        "",
        _rate_limit,
        "requests per minute and user until an admin sets another limit, 0 for no limit; by "
        "default 100, and 0 with --dev",
        ACCESS,
    ),
    Option(
        "no_discovery",
        "false",
        _switch,
        "don't look for Ollama and LM Studio on this machine",
        MODELS,
    ),
    Option(
        "local_model",
        "",
        _path,
        "GGUF file of a model to run inside this process; needs the local extra",
        MODELS,
    ),
    Option(
        "preload",
        "false",
        _switch,
        "load the local model at startup instead of on first use",
        MODELS,
    ),
    Option(
        "dev",
        "false",
        _switch,
        "be a test backend: restart when the code changes (not with --sidecar), accept "
        "X-Quillium-Simulate, serve /api/v1/dev, and don't limit requests or failed logins",
        MODES,
    ),
    Option(
        "seed",
        "",
        _files,
        "with --dev, start from this JSON file of users, chats and settings, in a temporary data "
        "folder unless --data-dir names an empty one; can be repeated",
        MODES,
    ),
    Option(
        "deterministic",
        "false",
        _switch,
        "with --dev, make ids count up, and stop the clock at 2024-01-01 until a test moves it",
        MODES,
    ),
    Option(
        "record",
        "",
        _path,
        "with --dev, record what model servers respond to this file; it is continued if it exists",
        MODES,
    ),
    Option(
        "replay",
        "",
        _path,
        "with --dev, respond as this file of --record has it, without calling a model server",
        MODES,
    ),
    Option(
        "demo",
        "false",
        _switch,
        "use a temporary data folder with an account and sample chats, without a rate limit",
        MODES,
    ),
    Option(
        "demo_password",
        "",
        _demo_password,
        "password of the account of --demo, for rehearsals; by default a random one",
        MODES,
        is_secret=True,
    ),
    Option(
        "demo_pace",
        "",
        _pace,
        "tokens a second of quillium-demo, 0 for as fast as possible; by default 60 with --demo "
        "and on the page, and 0 for other clients of the API",
        MODES,
    ),
    Option(
        "open", "false", _switch, "open the page in the browser when the server is ready", MODES
    ),
    Option(
        "sidecar",
        "false",
        _switch,
        "run beside a desktop application: print one JSON line when ready, stop when stdin ends",
        MODES,
    ),
    Option(
        "brand",
        "",
        _path,
        "JSON file with the name, icon, colours, greeting and hidden parts of the page",
        MODES,
    ),
    Option(
        "metrics",
        "false",
        _switch,
        "serve /metrics for Prometheus; needs the metrics extra",
        LOGGING,
    ),
    Option(
        "log_level",
        "INFO",
        _log_level,
        "DEBUG, INFO, WARNING or ERROR; INFO logs one line per request",
        LOGGING,
        is_for_commands=True,
    ),
    Option(
        "log_format",
        "auto",
        _log_format,
        "text, json, or auto: text on a terminal, otherwise one JSON object per line",
        LOGGING,
        is_for_commands=True,
    ),
    Option(
        "log_file",
        "",
        _path,
        "write the log to this file instead of stderr; it is rotated at 10 MiB, and five old files "
        "are kept",
        LOGGING,
    ),
    Option(
        "bcrypt_cost",
        "12",
        _whole_number(4, 16),
        "bcrypt work factor of new passwords; below 12 is for tests only",
        TESTING,
        is_for_commands=True,
    ),
    Option(
        "check_responses",
        "false",
        _switch,
        "validate every response against its schema, which costs time",
        TESTING,
    ),
)
