"""Beside the API: health, metrics and the API's description (contract, section 9)."""

from __future__ import annotations

from core.errors import NotFound
from services import metrics
from web.base import BaseHandler


class Health(BaseHandler):
    is_counted = False

    async def get(self) -> None:
        writable = await self.services.db.is_writable()
        self.respond(
            {
                "status": "ok" if writable else "degraded",
                "version": self.services.version,
                "database": "connected" if writable else "unavailable",
                "uptime": round(self.services.uptime(), 3),
            },
            status=200 if writable else 503,
        )


class Metrics(BaseHandler):
    """For Prometheus, which sends an admin's API key; not there without `--metrics`."""

    is_counted = False

    def get(self) -> None:
        if self.services.prometheus is None:
            raise NotFound("page: start with --metrics to have it")
        self.set_header("Content-Type", metrics.CONTENT_TYPE)
        self.write(self.services.prometheus.text())


class OpenAPI(BaseHandler):
    """The description of the API, made of `routes` and `schemas` when it is first asked for."""

    def get(self) -> None:
        self.write(self.application.settings["openapi"](self.services.version))
