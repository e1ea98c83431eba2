"""The rules for `providers` of the admin's settings (contract, section 5).

API keys and header values are stored but never returned. Changing a provider's `base_url` deletes
them, so that they can't be sent to another server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from assistant import addresses
from core.errors import InvalidRequest

MAX_HEADERS = 20
MAX_HEADER_CHARACTERS = 4_096
MAX_EXTRA_BYTES = 16 << 10
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}\Z")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*\Z")
# Headers that frame the request can't be set (RFC 9110, sections 6 to 8).
_OWN_HEADERS = {"host", "connection", "content-length", "content-type", "transfer-encoding",
                "accept-encoding", "te", "trailer", "upgrade", "expect"}  # fmt: skip
_RESERVED = ("model", "messages", "stream")
_OPTIONAL: dict[str, Any] = {
    "context_window": None,
    "max_tokens": None,
    "timeout_seconds": None,
    "total_timeout_seconds": None,
    "extra_body": {},
    "is_enabled": True,
}

Provider = dict[str, Any]


def shown(provider: Mapping[str, Any]) -> Provider:
    """Return a stored provider as responses show it, without its secrets."""
    return {
        "name": provider["name"],
        "base_url": provider["base_url"],
        "api_key_set": bool(provider.get("api_key")),
        "models": provider["models"],
        **{name: provider.get(name, default) for name, default in _OPTIONAL.items()},
        "headers": dict.fromkeys(provider.get("headers") or {}),
    }


def stored(sent: Mapping[str, Any], known: Mapping[str, Provider]) -> Provider:
    """Return a provider in its stored form. Omitted secrets keep their previous values.

    `known` are the previous providers by name.
    """
    before = known.get(sent["name"], {})
    is_same = before.get("base_url") == sent["base_url"]
    old_headers = (before.get("headers") or {}) if is_same else {}
    headers = sent.get("headers", dict.fromkeys(old_headers))
    kept = {
        name: old_headers.get(name) if value is None else value for name, value in headers.items()
    }
    return {
        "name": sent["name"],
        "base_url": sent["base_url"],
        "api_key": sent.get("api_key", before.get("api_key") if is_same else None),
        "models": sent["models"],
        **{name: sent.get(name, before.get(name, default)) for name, default in _OPTIONAL.items()},
        "headers": {name: value for name, value in kept.items() if value is not None},
    }


def check(providers: Sequence[Mapping[str, Any]], is_built_in: Callable[[str], bool]) -> None:
    """Raise `InvalidRequest` for errors that the schema can't express."""
    names = [provider["name"] for provider in providers]
    if len(set(names)) < len(names):
        raise InvalidRequest("providers: two providers have the same name.")
    for index, provider in enumerate(providers):
        for field, problem in _problems(provider, is_built_in):
            raise InvalidRequest(f"providers.{index}.{field}: {problem}")


def _problems(
    provider: Mapping[str, Any], is_built_in: Callable[[str], bool]
) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if problem := addresses.problem_with(provider["base_url"]):
        found.append(("base_url", problem))
    found += [
        ("models", f"{model} is the name of a built-in model")
        for model in provider["models"]
        if is_built_in(model)
    ]
    headers = provider.get("headers", {})
    if len(headers) > MAX_HEADERS:
        found.append(("headers", f"{len(headers)} headers, at most {MAX_HEADERS}"))
    for name, value in headers.items():
        if not _HEADER_NAME.match(name) or name.lower() in _OWN_HEADERS:
            found.append(("headers", f"{name[:60]!r} is not a header that can be set"))
        elif value is not None and not _is_header_value(value):
            found.append((f"headers.{name}", "expected printable ASCII characters, or null"))
    if len({name.lower() for name in headers}) < len(headers):
        found.append(("headers", "duplicate header"))
    extra = provider.get("extra_body", {})
    if reserved := [name for name in _RESERVED if name in extra]:
        found.append(("extra_body", f"{', '.join(reserved)} can't be set here"))
    if len(json.dumps(extra)) > MAX_EXTRA_BYTES:
        found.append(("extra_body", f"at most {MAX_EXTRA_BYTES >> 10} KiB"))
    return found


def _is_header_value(value: Any) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= MAX_HEADER_CHARACTERS
        and bool(_HEADER_VALUE.match(value))
    )
