"""`/control`: where commands of the server's owner reach it while it runs.

They send the key that lies in the data folder, mode 0600, as long as the server runs.
"""

from __future__ import annotations

from web import guards
from web.base import BaseHandler


class Control(BaseHandler):
    guards = guards.CONTROL
    is_counted = False

    async def post(self) -> None:
        self.respond(await self.services.administration.run(**self.json_body()))
