"""The documentation site: each link leads somewhere, and nothing is loaded from another host."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.packaging.site import build
from tests.snippets import PAGES

# What a browser follows or loads; a link that a reader may click is none of them.
LOADED = {"src", "srcset", "action", "poster", "data"}


class Parsed(HTMLParser):
    """The ids of a page, where its links lead, and what it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.add(value or "")
            elif name in LOADED or (name == "href" and tag == "link"):
                self.loaded.append(value or "")
            elif name == "href":
                self.links.append(value or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build(folder)
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Parsed]:
    return {path: Parsed(path) for path in site.rglob("*.html")}


def test_each_page_is_there(site: Path, pages: dict[Path, Parsed]) -> None:
    names = {path.stem for path in pages}
    assert {page.stem for page in PAGES} <= names
    titles = (site / "searchindex.js").read_text(encoding="utf-8")
    assert "Durability guarantees" in titles


def test_each_link_leads_somewhere(site: Path, pages: dict[Path, Parsed]) -> None:
    for path, page in pages.items():
        for link in [*page.links, *page.loaded]:
            if re.match(r"https?://|mailto:|data:", link):
                continue
            target, _, fragment = unquote(link.partition("?")[0]).partition("#")
            file = (path.parent / target).resolve() if target else path
            assert file.is_relative_to(site), (path.name, link)
            assert file.is_file(), (path.name, link)
            if fragment and file in pages:
                assert fragment in pages[file].ids, (path.name, link)


def test_nothing_is_loaded_from_another_host(site: Path, pages: dict[Path, Parsed]) -> None:
    for path, page in pages.items():
        assert not [link for link in page.loaded if "//" in link], path.name
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert not re.search(r"url\(['\"]?(https?:)?//|@import ['\"]?(https?:)?//", text), sheet
