"""`/control`: where commands of the server's owner reach it while it runs.

They hold the key that lies in the data folder, 0600, as long as the server serves.
"""

from __future__ import annotations

import hmac

from core.errors import Unauthorized
from web.base import BaseHandler
from web.operations import Access


class Control(BaseHandler):
    is_counted = False

    def identify(self, access: Access) -> None:
        """Only who holds the key. Raises `Unauthorized`."""
        key = self.application.settings["control_key"]
        given = self.credential() or ""
        if not key or not hmac.compare_digest(given.encode(), key.encode()):
            raise Unauthorized("This is for commands of the server's owner.")

    async def post(self) -> None:
        users = await self.services.administration.run(**self.json_body())
        self.respond({"users": [user.public() for user in users]})
