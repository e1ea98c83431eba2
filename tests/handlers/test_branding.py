"""The brand: as JSON, as an icon, and in the page's files (contract, section 9)."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest

from core.brand import Accent, Brand, Icon
from tests.conftest import Client

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HOSTILE = '</title></script><script>"&amp;'
ACME = Brand(
    HOSTILE,
    Icon(SVG, "image/svg+xml", "any"),
    Accent("#0b6b4f", "#7fd9b5"),
    "Hello, {name}",
    ("suggestions",),
)


@pytest.fixture
def acme(anyone: Client, app: Any) -> Client:
    app.settings["brand"] = ACME
    return anyone


async def test_without_a_brand(anyone: Client, app: Any) -> None:
    assert (await anyone("GET /brand")).body == {
        "name": "Quillium",
        "icon": "/brand/icon",
        "accent": {"light": "#3a46c2", "dark": "#a5b1ff"},
        "welcome": None,
        "hidden": [],
    }
    icon = await anyone("GET /brand/icon")
    assert icon.headers["Content-Type"] == "image/svg+xml"
    static = app.settings["static_folder"]
    assert icon.raw == (static / "quill.svg").read_bytes()
    assert (await anyone("GET /")).raw == (static / "index.html").read_bytes()
    manifest = await anyone("GET /static/manifest.webmanifest")
    assert manifest.raw == (static / "manifest.webmanifest").read_bytes()
    favicon = await anyone("GET /favicon.ico")
    assert favicon.raw == (static / "icons" / "favicon.ico").read_bytes()


async def test_a_brand(acme: Client) -> None:
    answer = await acme("GET /brand")
    assert answer.body == {
        "name": HOSTILE,
        "icon": "/brand/icon",
        "accent": {"light": "#0b6b4f", "dark": "#7fd9b5"},
        "welcome": "Hello, {name}",
        "hidden": ["suggestions"],
    }


@pytest.mark.flags("--base-path=/q")
async def test_the_icons_path_includes_the_base_path(anyone: Client) -> None:
    answer = await anyone("GET /brand")
    assert answer.body["icon"] == "/q/brand/icon"


@pytest.mark.parametrize("path", ["/brand/icon", "/favicon.ico"])
async def test_an_icon_that_is_opened_as_a_page_does_nothing(acme: Client, path: str) -> None:
    icon = await acme(f"GET {path}")
    assert icon.raw == SVG
    assert icon.headers["Content-Type"] == "image/svg+xml"
    assert icon.headers["X-Content-Type-Options"] == "nosniff"
    assert icon.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none';")
    assert "script" not in icon.headers["Content-Security-Policy"]
    again = await acme(f"GET {path}", headers={"If-None-Match": icon.headers["Etag"]})
    assert again.status == 304
    assert (await acme(f"HEAD {path}")).raw == b""


async def test_the_page(acme: Client) -> None:
    answer = await acme("GET /")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    text = answer.raw.decode()
    title = re.search("<title>(.*)</title>", text)
    assert title
    assert unescape(title[1]) == HOSTILE
    data = re.findall(r'<script type="application/json" id="brand">(.*?)</script>', text)
    assert [json.loads(one) for one in data] == [
        {
            "name": HOSTILE,
            "icon": "brand/icon",
            "welcome": "Hello, {name}",
            "hidden": ["suggestions"],
        }
    ]
    assert "Quillium" not in text
    assert text.count("<script") == 3  # nothing that the name begins
    links = re.findall(r'<link rel="(?:icon|apple-touch-icon)" href="([^"]*)"', text)
    assert links == ["brand/icon", "brand/icon"]
    colors = re.findall(
        r'"theme-color" content="(#\w+)" media="\(prefers-color-scheme: (\w+)', text
    )
    assert colors == [("#0b6b4f", "light"), ("#7fd9b5", "dark")]
    assert (await acme("GET /static/index.html")).raw == answer.raw
    again = await acme("GET /", headers={"If-None-Match": answer.headers["Etag"]})
    assert again.status == 304


async def test_the_manifest(acme: Client) -> None:
    answer = await acme("GET /static/manifest.webmanifest")
    assert answer.headers["Content-Type"] == "application/manifest+json"
    manifest = json.loads(answer.raw)
    assert manifest["name"] == manifest["short_name"] == HOSTILE
    assert manifest["icons"] == [{"src": "../brand/icon", "sizes": "any", "type": "image/svg+xml"}]
    assert manifest["theme_color"] == "#0b6b4f"
    assert manifest["start_url"] == "../"


async def test_the_styles(acme: Client, app: Any) -> None:
    branded = await acme("GET /static/bundle/page.css")
    app.settings["brand"] = Brand("Acme")
    plain = await acme("GET /static/bundle/page.css")
    assert branded.raw.startswith(plain.raw)
    assert b"--accent:#0b6b4f" in branded.raw[len(plain.raw) :]
    assert branded.headers["Etag"] != plain.headers["Etag"]


async def test_a_brand_of_a_name_alone(anyone: Client, app: Any) -> None:
    before = (await anyone("GET /")).raw.decode()
    app.settings["brand"] = Brand("Acme")
    text = (await anyone("GET /")).raw.decode()
    assert "<title>Acme</title>" in text
    kept = re.findall(r"<link rel=.*", before)
    assert re.findall(r"<link rel=.*", text) == kept
    assert re.findall(r'"theme-color".*', text) == re.findall(r'"theme-color".*', before)
