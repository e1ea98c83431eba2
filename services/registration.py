"""Who may create an account (contract, section 4)."""

from __future__ import annotations

import hmac
from typing import Any

from core.errors import Forbidden, RegistrationClosed
from services.settings import Settings
from storage import users
from storage.database import Database


class Registration:
    """Return whether registration is open: the admin decides, and a sidecar never allows it.

    On a network, the first person to register would become the admin. So the first account needs
    the setup code that the server printed when it started.
    """

    def __init__(self, db: Database, settings: Settings, *, has_owner: bool) -> None:
        self._db = db
        self._settings = settings
        self._has_owner = has_owner
        self._setup_code: str | None = None

    def require_setup_code(self, code: str) -> None:
        """Require this code for registration until an account exists."""
        self._setup_code = code

    def check(self, setup_code: str | None) -> None:
        """Raise `RegistrationClosed`, or `Forbidden` if a required setup code is not given."""
        if not self._is_open:
            raise RegistrationClosed("Ask an administrator of this server for an account.")
        if not self._needs_setup_code:
            return
        given = (setup_code or "").strip().encode()
        if not hmac.compare_digest(given, (self._setup_code or "").encode()):
            raise Forbidden(
                "The first account of this server needs the setup_code that the server printed when"
                " it started."
            )

    def state(self) -> dict[str, Any]:
        """Return the registration state that a sign-in page needs."""
        return {
            "is_open": self._is_open,
            "is_first": not self._db.read(users.exist),
            "needs_setup_code": self._needs_setup_code,
        }

    @property
    def _is_open(self) -> bool:
        return not self._has_owner and self._settings.admin()["allow_registration"]

    @property
    def _needs_setup_code(self) -> bool:
        return self._setup_code is not None and not self._db.read(users.exist)
