"""The security log: one line for each event that an administrator may want to investigate.

Lines contain the client address, account id and request id, never a secret. The format is stable,
because tools such as fail2ban parse it (docs/operations.md).
"""

from __future__ import annotations

import logging

from core.logs import fields
from core.records import Client

log = logging.getLogger("quillium.security")


def record(event: str, client: Client, user_id: str | None = None, **details: str) -> None:
    """Log an event such as `login_failed`. Events caused by commands have no client address."""
    data = {
        "event": event,
        "address": client.address or "-",
        "user_id": user_id or "-",
        "request_id": client.request_id or "-",
        **details,
    }
    text = " ".join(f"{name}={value}" for name, value in data.items() if name != "event")
    log.info("%s %s", event, text, extra=fields(**data))
