"""The security log: one line for each event that an administrator may have to look into.

Lines name the client address, the account and the request, never a secret. Their form is stable:
fail2ban and others read it (docs/operations.md).
"""

from __future__ import annotations

import logging

from core.logs import fields
from core.records import Client

log = logging.getLogger("quillium.security")


def record(event: str, client: Client, user_id: str | None = None, **details: str) -> None:
    """Write an event such as `login_failed`. An event that a command caused has no address."""
    told = {
        "event": event,
        "address": client.address or "-",
        "user_id": user_id or "-",
        "request_id": client.request_id or "-",
        **details,
    }
    text = " ".join(f"{name}={value}" for name, value in told.items() if name != "event")
    log.info("%s %s", event, text, extra=fields(**told))
