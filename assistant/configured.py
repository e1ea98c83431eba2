"""The providers configured in the admin's settings (contract, section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assistant.openai_compatible import OpenAICompatible
from assistant.upstream import (
    FIRST_SECONDS,
    SILENT_SECONDS,
    TOTAL_SECONDS,
    Send,
    Upstream,
    send_request,
)


def provider(settings: Mapping[str, Any], send: Send = send_request) -> OpenAICompatible:
    """Return the provider that the settings describe. Older stored settings may lack fields.

    `send` sends its requests.
    """
    silence = settings.get("timeout_seconds")
    total = settings.get("total_timeout_seconds") or TOTAL_SECONDS
    max_tokens = settings.get("max_tokens")
    upstream = Upstream(
        name=settings["name"],
        base_url=settings["base_url"],
        api_key=settings.get("api_key"),
        headers=tuple((settings.get("headers") or {}).items()),
        first_seconds=silence or FIRST_SECONDS,
        silent_seconds=silence or SILENT_SECONDS,
        total_seconds=max(total, silence or 0),
    )
    return OpenAICompatible(
        upstream,
        extra_body=settings.get("extra_body"),
        context_window=settings.get("context_window"),
        defaults={"max_tokens": max_tokens} if max_tokens else None,
        send=send,
    )
