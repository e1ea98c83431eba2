"""The brand: as JSON, as an icon, and rendered into the page's own files (contract, section 9).

The page gets its brand with its first bytes, so that nothing on it moves or changes its colour.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from core import brand as brands
from core.brand import QUILLIUM, QUILLIUM_ACCENT, Brand, Icon
from web import headers
from web.base import BaseHandler
from web.compression import PreparedBody

ICON = "brand/icon"  # relative to the page
PAGE, MANIFEST = "index.html", "manifest.webmanifest"  # paths below `static`


class GetBrand(BaseHandler):
    """The brand as JSON, for front ends of one's own."""

    def get(self) -> None:
        brand: Brand = self.application.settings["brand"]
        accent = brand.accent or QUILLIUM_ACCENT
        self.respond(
            {
                "name": brand.name,
                "icon": f"{self.base_path}/{ICON}",
                "accent": accent._asdict(),
                "welcome": brand.welcome,
                "hidden": list(brand.hidden),
            }
        )


class GetIcon(BaseHandler):
    """The icon. An SVG may contain scripts, which neither an `img` nor this policy runs."""

    is_counted = False

    def get(self) -> None:
        respond_icon(self)

    def compute_etag(self) -> str | None:  # type: ignore[override]
        return self._headers.get("Etag")


def respond_icon(handler: BaseHandler) -> None:
    """Send the brand's icon, by default the quill."""
    icon = handler.application.settings["brand"].icon
    if icon is None:
        quill = Path(handler.application.settings["static_folder"], "quill.svg")
        icon = Icon(quill.read_bytes(), "image/svg+xml", "any")
    handler.set_fixed_headers(headers.ICON)
    handler.set_header("Cache-Control", "no-cache")  # the browser revalidates, and gets a 304
    handler.set_header("Content-Type", icon.content_type)
    handler.respond_prepared(_prepared(icon.content))


@lru_cache(maxsize=2)
def _prepared(content: bytes) -> PreparedBody:
    return PreparedBody(content)


@lru_cache(maxsize=8)
def branded(name: str, file: Path, changed: int, brand: Brand) -> PreparedBody:
    """Return the page or its manifest with a brand.

    `changed` is the modification time of the file, which makes it part of the cache key.
    """
    text = file.read_text(encoding="utf-8")
    return PreparedBody((page if name == PAGE else manifest)(text, brand).encode())


def page(text: str, brand: Brand) -> str:
    """Return the page with the title, the icon, the colours and the data of a brand."""
    name = escape(brand.name)
    text = text.replace("Quillium", name)
    if brand.icon is not None:
        icons = (
            f'<link rel="icon" href="{ICON}" type="{brand.icon.content_type}">\n'
            f'  <link rel="apple-touch-icon" href="{ICON}">'
        )
        text = re.sub(
            r'<link rel="icon".*<link rel="apple-touch-icon"[^>]*>', icons, text, flags=re.S
        )
    if brand.accent is not None:
        for theme, color in brand.accent._asdict().items():
            scheme = f'media="(prefers-color-scheme: {theme})"'
            text = re.sub(rf'content="#\w+" ({re.escape(scheme)})', rf'content="{color}" \1', text)
    data = f'<script type="application/json" id="brand">{_data(brand)}</script>'
    return text.replace("</title>", f"</title>\n  {data}", 1)


def _data(brand: Brand) -> str:
    """Return what the page's modules need, as JSON that can't end its `script` element."""
    data: dict[str, Any] = {"name": brand.name, "welcome": brand.welcome, "hidden": brand.hidden}
    if brand.icon is not None:
        data["icon"] = ICON
    return json.dumps(data).replace("<", "\\u003c")


def manifest(text: str, brand: Brand) -> str:
    """Return the web app manifest of a brand."""
    document = json.loads(text)
    document.update(name=brand.name, short_name=brand.name)
    if brand.icon is not None:
        icon = brand.icon
        document["icons"] = [{"src": f"../{ICON}", "sizes": icon.sizes, "type": icon.content_type}]
    if brand.accent is not None:
        document["theme_color"] = brand.accent.light
    return json.dumps(document, ensure_ascii=False, indent=2)


def styles(text: str, brand: Brand) -> str:
    """Return the page's styles with the accent of a brand."""
    return text + brands.styles(brand.accent) if brand.accent else text


def is_branded(name: str, brand: Brand) -> bool:
    """Return whether a file below `static` differs from the stored one."""
    return brand != QUILLIUM and name in {PAGE, MANIFEST}
