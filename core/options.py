"""The settings of the process: one table, read by the code, `--help` and a test of the docs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class ConfigError(Exception):
    """A setting that can't be used; its text is the one line that the user sees."""


@dataclass(frozen=True)
class Option:
    """One setting. `parse` raises `ValueError` that says what was expected."""

    name: str
    variable: str
    default: str
    parse: Callable[[str], Any]
    help: str
    group: str
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
    import platformdirs  # only where nobody names a folder

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


def _log_format(value: str) -> str:
    if value.lower() not in {"auto", "text", "json"}:
        raise ValueError("auto, text or json")
    return value.lower()


PLACE, DOORS, MODELS, WAYS, WATCHING, TESTING = (
    "where", "who may come in", "models", "for those who build on it", "watching it", "for tests",
)  # fmt: skip

OPTIONS: tuple[Option, ...] = (
    Option("host", "QUILLIUM_HOST", "127.0.0.1", _text, "address to listen on", PLACE),
    Option(
        "port",
        "PORT",
        "8080",
        _whole_number(0, 65535),
        "port to listen on; 0 takes a free one, as --sidecar does unless this is given",
        PLACE,
    ),
    Option(
        "data_dir",
        "QUILLIUM_DATA_DIR",
        "",
        _folder,
        "folder of the database; if left out, the platform's folder for a user's data",
        PLACE,
        is_for_commands=True,
    ),
    Option(
        "cors_allowed_origins",
        "CORS_ALLOWED_ORIGINS",
        "",
        _origins,
        "origins of other sites that may call, separated by commas; null for packaged pages, * "
        "for any",
        DOORS,
    ),
    Option(
        "allowed_hosts",
        "ALLOWED_HOSTS",
        "",
        _names,
        "names under which the server may be reached, beside loopback, separated by commas",
        DOORS,
    ),
    Option(
        "trusted_proxy",
        "TRUSTED_PROXY",
        "false",
        _switch,
        "believe X-Forwarded-For: only behind a proxy that sets it",
        DOORS,
    ),
    Option(
        "jwt_secret",
        "JWT_SECRET",
        "",
        _secret,
        "key that signs tokens, at least 32 bytes; if left out, one is made and kept beside the "
        "database (prefer the variable: other users can see flags)",
        DOORS,
    ),
    Option(
        "access_token_expiry",
        "ACCESS_TOKEN_EXPIRY",
        "15",
        _whole_number(1, 1440),
        "minutes that an access token is good for",
        DOORS,
    ),
    Option(
        "refresh_token_expiry",
        "REFRESH_TOKEN_EXPIRY",
        "7",
        _whole_number(1, 365),
        "days that a refresh token is good for",
        DOORS,
    ),
    Option(
        "no_discovery",
        "NO_DISCOVERY",
        "false",
        _switch,
        "don't look for Ollama and LM Studio on this machine",
        MODELS,
    ),
    Option(
        "local_model",
        "LOCAL_MODEL",
        "",
        _file,
        "GGUF file of a model to run within this process; needs the local extra",
        MODELS,
    ),
    Option(
        "preload",
        "PRELOAD",
        "false",
        _switch,
        "load the local model at the start, not when it is first asked",
        MODELS,
    ),
    Option(
        "dev",
        "QUILLIUM_DEV",
        "false",
        _switch,
        "start anew when the code changes, and heed X-Quillium-Simulate",
        WAYS,
    ),
    Option(
        "demo",
        "QUILLIUM_DEMO",
        "false",
        _switch,
        "a throw-away data folder with an account and some chats, and no rate limit",
        WAYS,
    ),
    Option(
        "open", "QUILLIUM_OPEN", "false", _switch, "open the page in the browser when ready", WAYS
    ),
    Option(
        "sidecar",
        "QUILLIUM_SIDECAR",
        "false",
        _switch,
        "run beside a desktop application: one JSON line on stdout when ready, and the end when "
        "stdin ends",
        WAYS,
    ),
    Option(
        "metrics",
        "ENABLE_METRICS",
        "false",
        _switch,
        "serve /metrics for Prometheus; needs the metrics extra",
        WATCHING,
    ),
    Option(
        "log_level",
        "LOG_LEVEL",
        "INFO",
        _log_level,
        "DEBUG, INFO, WARNING or ERROR; INFO has a line for each request",
        WATCHING,
        is_for_commands=True,
    ),
    Option(
        "log_format",
        "LOG_FORMAT",
        "auto",
        _log_format,
        "text, json, or auto: text on a terminal, else a JSON object a line",
        WATCHING,
        is_for_commands=True,
    ),
    Option(
        "bcrypt_cost",
        "BCRYPT_COST",
        "12",
        _whole_number(4, 16),
        "work to hash a password; less than 12 is for tests only",
        TESTING,
        is_for_commands=True,
    ),
    Option(
        "check_responses",
        "CHECK_RESPONSES",
        "false",
        _switch,
        "check each answer against its schema; for tests, it costs time",
        TESTING,
    ),
)
