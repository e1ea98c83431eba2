"""The pages and static files: compression, revalidation and path traversal."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from handlers import pages
from tests.conftest import ROOT, Client
from tests.handlers.raw import raw


def test_types_do_not_depend_on_the_system() -> None:
    assert pages.type_of(Path("a.js")) == "text/javascript; charset=utf-8"
    assert pages.type_of(Path("a.woff2")) == "font/woff2"
    assert pages.type_of(Path("a.py")) is None
    assert all(pages.type_of(Path(f"a{ending}")) for ending in pages.COMPRESSED)


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/static/quillium.js", "text/javascript; charset=utf-8"),
        ("/static/quillium.d.ts", "text/plain; charset=utf-8"),
        ("/static/bundle/page.css", "text/css; charset=utf-8"),
        ("/static/page/languages/en.json", "application/json; charset=utf-8"),
        ("/static/vendor/preact.LICENSE.txt", "text/plain; charset=utf-8"),
        ("/static/quill.svg", "image/svg+xml"),
    ],
)
async def test_a_type_does_not_depend_on_compression(
    anyone: Client, path: str, expected: str, accepted: str
) -> None:
    answer = await anyone(f"GET {path}", headers={"Accept-Encoding": accepted})
    assert answer.headers["Content-Type"] == expected


async def test_each_page_has_its_file(anyone: Client) -> None:
    for path, file in {"/": "index.html", "/docs": "docs/index.html"}.items():
        page = await anyone(f"GET {path}")
        assert page.raw == (await anyone(f"GET /static/{file}")).raw
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Cache-Control"] == "no-cache"
        assert (await anyone(f"HEAD {path}")).raw == b""


async def test_a_preloaded_font_is_cached(anyone: Client) -> None:
    """Chromium warns that a preload was for nothing if it had to revalidate the font."""
    answer = await anyone("GET /static/fonts/geist-latin.woff2")
    assert answer.headers["Cache-Control"] == "max-age=86400"


async def test_the_page(anyone: Client) -> None:
    answer = await anyone("GET /")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert b'"static/bundle/page.js"' in answer.raw
    again = await anyone("GET /", headers={"If-None-Match": answer.headers["Etag"]})
    assert again.status == 304
    css = await anyone("GET /static/page/styles/scales.css")
    assert css.headers["Content-Type"].startswith("text/css")
    assert (await anyone("HEAD /static/page/styles/scales.css")).raw == b""


async def test_files_are_compressed_where_that_is_accepted(base_url: str) -> None:
    async def get(path: str, *headers: str, method: str = "GET") -> Any:
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers]
        return await raw(base_url, "\r\n".join([*lines, "", ""]).encode())

    for path in ("/static/quillium.js", "/static/bundle/page.js", "/static/bundle/page.css", "/"):
        _, headers, plain = await get(path)
        assert "content-encoding" not in headers
        assert "Accept-Encoding" in headers["vary"]
        gzipped = "Accept-Encoding: br, gzip;q=0.5"
        status, small, body = await get(path, gzipped, "Range: bytes=0-9")
        assert "200" in status
        assert small["content-encoding"] == "gzip"
        assert gzip.decompress(body) == plain
        assert small["etag"] != headers["etag"]
        assert "304" in (await get(path, gzipped, f"If-None-Match: {small['etag']}"))[0]
        for refused in ("gzip;q=0", "identity", "gzip; q=0.0, br"):
            assert "content-encoding" not in (await get(path, f"Accept-Encoding: {refused}"))[1]
    assert "content-encoding" not in (await get("/static/icons/touch.png", gzipped))[1]
    assert "404" in (await get("/static/bundle/other.js", gzipped))[0]
    assert "404" in (await get("/static/..%2fsetup.cfg", gzipped))[0]


async def test_the_icon_and_the_manifest(anyone: Client) -> None:
    icon = await anyone("GET /favicon.ico")
    assert icon.status == 200, icon.raw
    assert icon.raw[:4] == b"\0\0\1\0"
    manifest = await anyone("GET /static/manifest.webmanifest")
    assert manifest.headers["Content-Type"] == "application/manifest+json"
    described = json.loads(manifest.raw)
    for entry in described["icons"]:
        assert (await anyone(f"GET /static/{entry['src']}")).status == 200
    assert described["start_url"] == described["scope"] == "../"  # relative: it may be mounted


@pytest.mark.parametrize("file", ["index.html", "docs/index.html"])
def test_links_of_the_pages_are_relative(file: str) -> None:
    """Below a base path, an absolute link would lead elsewhere."""
    links = re.findall(r'(?:src|href)="([^"]*)"', (ROOT / "static" / file).read_text())
    assert len(links) > 3
    assert not [link for link in links if link.startswith("/") or ":" in link]


async def test_a_joined_file_follows_its_sources(anyone: Client, app: Any, tmp_path: Any) -> None:
    folder = tmp_path / "static"
    shutil.copytree(app.settings["static_folder"], folder)
    app.settings["static_folder"] = folder
    before = await anyone("GET /static/bundle/page.css")
    with (folder / "page" / "styles" / "dialogs.css").open("a") as file:
        file.write(".added { color: red }\n")
    after = await anyone("GET /static/bundle/page.css")
    assert b".added{color:red}" in after.raw
    assert after.headers["Etag"] != before.headers["Etag"]


@pytest.mark.parametrize(
    "path",
    ["vendor/vendor.py", "../setup.cfg", "..%2fsetup.cfg", "%2e%2e/setup.cfg", "%2e%2e%2fsetup.cfg", "%00", "a%00.css",
     "/etc/passwd", "%2fetc%2fpasswd", "", ".", "nothing.css", "..\\setup.cfg", "%5c..%5c"],
)  # fmt: skip
async def test_nothing_outside_of_static_is_read(base_url: str, path: str) -> None:
    request = f"GET /static/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    status, _, body = await raw(base_url, request.encode())
    assert "404" in status, status
    assert b'"not_found"' in body


async def test_a_file_that_changes_is_told_from_what_it_was(
    anyone: Client, app: Any, tmp_path: Any
) -> None:
    app.settings["static_folder"] = tmp_path
    (tmp_path / "page.css").write_text("one")
    held = {"If-None-Match": (await anyone("GET /static/page.css")).headers["Etag"]}
    assert (await anyone("GET /static/page.css", headers=held)).status == 304
    (tmp_path / "page.css").write_text("two")
    assert (await anyone("GET /static/page.css", headers=held)).raw == b"two"


async def test_a_link_out_of_static_is_not_followed(
    anyone: Client, app: Any, tmp_path: Any
) -> None:
    folder = tmp_path / "static"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "inside.txt").write_text("inside")
    app.settings["static_folder"] = folder
    assert (await anyone("GET /static/inside.txt")).raw == b"inside"
    assert (await anyone("GET /static/link.txt")).error == "404 not_found"


GALLERY = ["page/gallery.html", "page/gallery/frame.html", "page/gallery/states.js"]


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
@pytest.mark.parametrize(
    "path",
    [*GALLERY, "page/GALLERY.html", "page/./gallery.html", "page//gallery.html",
     "page/x/../gallery.html", "page%2fgallery.html", "page\\gallery.html"],
)  # fmt: skip
async def test_the_gallery_is_not_there_without_dev(
    base_url: str, path: str, accepted: str
) -> None:
    request = (
        f"GET /static/{path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: {accepted}\r\n\r\n"
    )
    status, _, body = await raw(base_url, request.encode())
    assert "404" in status, status
    assert b'"not_found"' in body


async def test_the_gallery_is_not_there_where_case_makes_no_difference(
    anyone: Client, app: Any, tmp_path: Path
) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "GALLERY.html").write_text("what macOS and Windows take for gallery.html")
    (tmp_path / "page" / "other.html").write_text("other")
    app.settings["static_folder"] = tmp_path
    assert (await anyone("GET /static/page/other.html")).status == 200
    assert (await anyone("GET /static/page/GALLERY.html")).error == "404 not_found"


@pytest.mark.flags("--dev")
@pytest.mark.parametrize("path", GALLERY)
async def test_the_gallery_may_frame_itself(anyone: Client, path: str) -> None:
    answer = await anyone(f"GET /static/{path}")
    assert answer.status == 200
    policy = answer.headers["Content-Security-Policy"]
    is_page = path.endswith(".html")
    assert ("frame-src 'self'; frame-ancestors 'self'" in policy) is is_page
    assert "default-src 'none'; script-src 'self'" in policy
    page = await anyone("GET /")
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
