"""The pages and their static files (contract, section 9)."""

from __future__ import annotations

import asyncio
import posixpath
from functools import lru_cache
from pathlib import Path
from typing import Any

from tornado.web import HTTPError, StaticFileHandler

from core.brand import Brand
from handlers import branding, bundle
from web import headers
from web.base import BaseHandler
from web.compression import PreparedBody

COMPRESSED = (".css", ".html", ".js", ".json", ".md", ".svg", ".ts", ".webmanifest")
# The only files that are served. Python's own table depends on the Python version, and on Windows
# on the registry.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ts": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


def type_of(path: Path) -> str | None:
    """Return the media type of a file by its extension; None if it is not to be served."""
    return TYPES.get(path.suffix)


@lru_cache(maxsize=256)
def _compressed(file: Path, changed: int) -> PreparedBody:
    """Return a file. `changed` is its modification time, which makes it part of the cache key."""
    return PreparedBody(file.read_bytes())


@lru_cache(maxsize=4)
def _joined(name: str, static: Path, changed: int, brand: Brand) -> PreparedBody:
    """Return a bundle; `changed` is the latest modification time of its sources."""
    if name.endswith(".js"):
        return PreparedBody(bundle.joined_script(static).encode())
    return PreparedBody(branding.styles(bundle.joined_styles(static), brand).encode())


def _is_of_gallery(path: str) -> bool:
    """Return whether a file below `static` belongs to the gallery, which only test backends have.

    Some file systems ignore case, and all of them empty and dotted folders.
    """
    return posixpath.normpath(path.replace("\\", "/")).casefold().startswith("page/gallery")


class Static(BaseHandler, StaticFileHandler):
    """Serves the files below `static`, compressed if the client accepts it."""

    is_counted = False

    def initialize(self, **given: Any) -> None:  # type: ignore[override]
        BaseHandler.initialize(self, **given)
        StaticFileHandler.initialize(self, str(self.application.settings["static_folder"]))

    def parse_url_path(self, url_path: str) -> str:
        if "\0" in url_path:
            raise HTTPError(404)  # not a valid file name, for which Tornado would respond with 500
        return super().parse_url_path(url_path)

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        path = super().validate_absolute_path(root, absolute_path)
        if path is not None and not Path(path).resolve().is_relative_to(Path(root).resolve()):
            # A symbolic link to outside `static`; Tornado before 6.6, for Python 3.10, follows it.
            raise HTTPError(404)
        if path is not None and type_of(Path(path)) is None:
            raise HTTPError(404)  # such as a script that makes the files
        return path

    def set_extra_headers(self, path: str) -> None:
        kind = headers.GALLERY if _is_of_gallery(path) else headers.PAGE
        self.set_fixed_headers(kind if path.endswith(".html") else headers.STATIC)
        # Files are revalidated on each use, which gets a 304. Fonts are kept for a day: if a reload
        # revalidates the preloaded one, Chromium does not count it as used, and warns.
        self.set_header("Cache-Control", "max-age=86400" if path.endswith(".woff2") else "no-cache")
        if path.endswith(COMPRESSED):
            self.add_header("Vary", "Accept-Encoding")

    def compute_etag(self) -> str | None:  # type: ignore[override]
        if "Etag" in self._headers:
            return self._headers["Etag"]
        # Not Tornado's cached hash, which goes stale when a file is edited while the server runs.
        return f'"{self.get_content_version(str(self.absolute_path))}"'

    def get_content_type(self) -> str:
        return type_of(Path(str(self.absolute_path))) or ""

    async def get(self, path: str, include_body: bool = True) -> None:
        if _is_of_gallery(path) and not self.services.config.dev:
            raise HTTPError(404)
        body = await self._prepared(path)
        if body is None:
            await super().get(path, include_body)
            return
        self.set_extra_headers(path)
        self.set_header("Content-Type", type_of(Path(path)) or "")
        self.respond_prepared(body)

    async def _prepared(self, path: str) -> PreparedBody | None:
        """Return a bundle or a compressible file; None for a file to send unchanged."""
        root, brand = Path(self.root).resolve(), self.application.settings["brand"]
        if path in bundle.JOINED:
            return await asyncio.to_thread(_joined, path, root, bundle.changed(root), brand)
        if branding.is_branded(path, brand):
            file = root / path
            return branding.branded(path, file, file.stat().st_mtime_ns, brand)
        if not self.accepts_gzip or not path.endswith(COMPRESSED):
            return None
        file = Path(root, self.parse_url_path(path)).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            return None  # Tornado rejects it
        return await asyncio.to_thread(_compressed, file, file.stat().st_mtime_ns)

    async def head(self, *args: str) -> None:
        await self.get(args[0], include_body=False)


class Base(BaseHandler):
    """The base path without a slash: redirects to the page, whose links are relative."""

    is_counted = False

    def get(self) -> None:
        self.clear_header("Content-Type")
        query = f"?{self.request.query}" if self.request.query else ""
        self.redirect(f"{self.base_path}/{query}", status=307)


class Page(Static):
    """The page at `/`."""

    file = "index.html"

    async def get(self, include_body: bool = True) -> None:  # type: ignore[override]
        await super().get(self.file, include_body)

    async def head(self, *args: str) -> None:
        await self.get(include_body=False)


class Docs(Page):
    """The API reference at `/docs`, where requests can be tried out."""

    file = "docs/index.html"


class Dev(Page):
    """The page of a test backend at `/dev`."""

    file = "dev/index.html"


class Favicon(Page):
    """`/favicon.ico`, which some clients request regardless of the page's icon links."""

    file = "icons/favicon.ico"

    async def get(self, include_body: bool = True) -> None:  # type: ignore[override]
        if self.application.settings["brand"].icon is None:
            await super().get(include_body)
        else:
            branding.respond_icon(self)
