"""`/control`: the endpoint for commands of the server's owner while the server runs.

Commands authenticate with a key that the running server keeps in the data folder, mode 0600.
"""

from __future__ import annotations

from web import guards
from web.base import BaseHandler


class Control(BaseHandler):
    guards = guards.CONTROL
    is_counted = False

    async def post(self) -> None:
        self.respond(await self.services.administration.run(**self.json_body()))
