"""Configuration of the documentation site: README, `docs/` and the changelog, with Sphinx.

    python -m sphinx -W -c packaging/site . build/site

Needs the `dev` extra. The site needs no network and no server: open `build/site/index.html`.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent.parent

project = "Quillium"
(version,) = re.findall(r'^__version__ = "(.+)"$', (ROOT / "quillium.py").read_text(), re.MULTILINE)
release = version

extensions = ["myst_parser"]
root_doc = "README"
include_patterns = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/*.md"]
exclude_patterns = [".*", "build", "dist", "clients", "static", "tests"]
myst_heading_anchors = 4  # the same as on GitHub

html_theme = "furo"
html_title = f"Quillium {version}"
html_copy_source = False
html_use_index = False
html_show_copyright = False
html_show_sphinx = False
html_show_search_summary = False  # a page that was opened as a file can't read other pages

# The order of the pages; a page that is missing here is an error.
CHAPTERS = {
    "Start": ["install", "demo", "frontend", "desktop"],
    "Use": ["page", "models", "openai", "testing"],
    "API": ["api", "realtime", "contract"],
    "Operate": ["settings", "operations", "scaling", "durability", "security"],
    "Understand": ["design", "performance", "glossary"],
}
PROJECT = ["../CONTRIBUTING", "../CHANGELOG"]
REDIRECT = (
    '<!DOCTYPE html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=README.html">'
)


def add_chapters(_: Sphinx, page: str, source: list[str]) -> None:
    """Append the table of contents to the first page, where it would disturb on GitHub."""
    if page != root_doc:
        return
    for caption, pages in {**CHAPTERS, "Project": PROJECT}.items():
        lines = [f"docs/{name}".replace("docs/../", "") for name in pages]
        source[0] += "\n".join(
            ["", "```{toctree}", ":hidden:", f":caption: {caption}", *lines, "```", ""]
        )


def complete(app: Sphinx, error: Exception | None) -> None:
    """Add what Sphinx doesn't: the images of the README's HTML, and the usual first page."""
    if error is None:
        images = ROOT / "docs" / "images"
        shutil.copytree(images, Path(app.outdir, "docs", "images"), dirs_exist_ok=True)
        Path(app.outdir, "index.html").write_text(REDIRECT)


def setup(app: Sphinx) -> None:
    app.connect("source-read", add_chapters)
    app.connect("build-finished", complete)
