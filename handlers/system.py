"""Beside the API: health, its description, and the pages (contract, section 9)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tornado.web import HTTPError, StaticFileHandler

from core.errors import NotFound
from services import metrics
from web.base import BaseHandler

PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


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


class Static(BaseHandler, StaticFileHandler):
    """Files of `static`, and nothing that lies outside of it."""

    is_counted = False

    def initialize(self, **given: Any) -> None:  # type: ignore[override]
        BaseHandler.initialize(self, **given)
        StaticFileHandler.initialize(self, str(self.application.settings["static_folder"]))

    def parse_url_path(self, url_path: str) -> str:
        if "\0" in url_path:
            raise HTTPError(404)  # no file system takes it, and Tornado would answer 500
        return super().parse_url_path(url_path)

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        path = super().validate_absolute_path(root, absolute_path)
        if path is not None and not Path(path).resolve().is_relative_to(Path(root).resolve()):
            # A symbolic link that leads out; Tornado before 6.6, for Python 3.10, follows it.
            raise HTTPError(404)
        return path

    def set_extra_headers(self, path: str) -> None:
        for name, value in PAGE_HEADERS.items():
            self.set_header(name, value)
        self.set_header("Cache-Control", "no-cache")  # asks again, and is told 304

    def compute_etag(self) -> str | None:  # type: ignore[override]
        # Not Tornado's, which remembers it: a file that is edited while this runs would stay old.
        return f'"{self.get_content_version(str(self.absolute_path))}"'

    async def head(self, *args: str) -> None:
        await StaticFileHandler.get(self, args[0], include_body=False)


class Page(Static):
    """The page at `/`."""

    file = "index.html"

    async def get(self, include_body: bool = True) -> None:  # type: ignore[override]
        await StaticFileHandler.get(self, self.file, include_body)

    async def head(self, *args: str) -> None:
        await self.get(include_body=False)


class Docs(Page):
    """The API to read and try, at `/docs`."""

    file = "docs/index.html"
