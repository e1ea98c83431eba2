"""Health, metrics and the OpenAPI document, outside the API prefixes (contract, section 9)."""

from __future__ import annotations

from core.errors import NotFound
from services import metrics
from web.base import BaseHandler


class Health(BaseHandler):
    is_counted = False

    async def get(self) -> None:
        writable = await self.services.health.is_writable()
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
    """Metrics for Prometheus, which sends an admin's API key; 404 if they are disabled."""

    is_counted = False

    def get(self) -> None:
        if self.services.prometheus is None:
            raise NotFound("page: this server was started without metrics")
        self.set_header("Content-Type", metrics.CONTENT_TYPE)
        self.write(self.services.prometheus.text())


class OpenAPI(BaseHandler):
    """The OpenAPI document, generated on the first request."""

    def get(self) -> None:
        self.set_header("Cache-Control", "no-cache")  # the client revalidates, and gets a 304
        prepared = self.application.settings["openapi"]
        self.respond_prepared(prepared(self.services.version, self.base_path))

    def compute_etag(self) -> str | None:  # type: ignore[override]
        return self._headers.get("Etag")
