"""The code blocks of the documentation.

Every block is run or checked by a test, which finds it with `block`, or is preceded by a comment
that says why not. `tests/test_snippets.py` enforces it.
"""

from __future__ import annotations

import os
import re
import shutil
import textwrap
from dataclasses import dataclass
from pathlib import Path

from tests.program import ROOT

NODE = shutil.which("node")
TSC = shutil.which("tsc", path=f"{os.environ['PATH']}:{ROOT}/.venv/node_modules/.bin")

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
# tests/page/test_types.py compiles every block of these languages.
COMPILED = {"js", "html", "ts"}

_BLOCK = re.compile(r"^( *)```([\w-]*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_NOT_RUN = re.compile(r"<!-- not run: (.+?) -->\s*\Z", re.DOTALL)


@dataclass(frozen=True)
class Snippet:
    """A block of a page, and the number of the line where it begins."""

    page: Path
    line: int
    language: str
    text: str
    not_run: str  # the reason, or empty

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def script(self) -> str:
        """The JavaScript of it, for HTML that of its module."""
        found = re.search(r'<script type="module">\n(.*?)</script>', self.text, re.DOTALL)
        return found[1] if found else self.text


def blocks(page: Path) -> list[Snippet]:
    """All blocks of a page."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _BLOCK.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        reason = _NOT_RUN.search(text, 0, match.start())
        code = textwrap.dedent(match[3])
        found.append(Snippet(page, line, match[2], code, reason[1] if reason else ""))
    return found


def snippets() -> list[Snippet]:
    """The blocks of JavaScript that are run."""
    found = [snippet for page in PAGES for snippet in blocks(page)]
    return [snippet for snippet in found if snippet.language in COMPILED and not snippet.not_run]


def block(page: str, beginning: str) -> Snippet:
    """Return the one block of a page that begins like this. The caller runs or checks it."""
    found = [each for each in blocks(ROOT / page) if each.text.startswith(beginning)]
    assert len(found) == 1, f"{page} has {len(found)} blocks that begin with {beginning!r}"
    return found[0]
