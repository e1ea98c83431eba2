"""The JavaScript that the documentation prints."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.program import ROOT

NODE = shutil.which("node")
TSC = shutil.which("tsc", path=f"{os.environ['PATH']}:{ROOT}/.venv/node_modules/.bin")


@dataclass(frozen=True)
class Snippet:
    """A block of a page, and the number of the line where it begins."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page.stem}:{self.line}"

    @property
    def script(self) -> str:
        """The JavaScript of it, for HTML that of its module."""
        found = re.search(r'<script type="module">\n(.*?)</script>', self.text, re.DOTALL)
        return found[1] if found else self.text


def snippets() -> list[Snippet]:
    found = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = page.read_text()
        for block in re.finditer(r"^```(js|html|ts)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            line = text.count("\n", 0, block.start()) + 1
            found.append(Snippet(page, line, block[1], block[2]))
    return found
