"""Which paths belong to the API (contract, section 1)."""

from __future__ import annotations

PREFIXES = ("/api/v1", "/v1")  # the local prefix, and the prefix of the hosted service

_OF_API = (*(f"{prefix}/" for prefix in PREFIXES), "/openai/")


def is_api(path: str) -> bool:
    """Return whether a path belongs to the API or the OpenAI API, not to the page and its files."""
    return path.startswith(_OF_API)


def without_prefix(path: str) -> str:
    """Return a path without the API's prefix, such as `/chats`."""
    for prefix in PREFIXES:
        if path.startswith(f"{prefix}/"):
            return path.removeprefix(prefix)
    return path
