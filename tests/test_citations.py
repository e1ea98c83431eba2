"""Everything that code and docs cite exists: sections, paths, links, module names."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
] or [path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in path.parts]
SOURCES = [
    path
    for path in TRACKED
    if path.suffix in {".py", ".js", ".json", ".css", ".html"}
    and "vendor" not in path.parts
    and path != Path(__file__)
]
PAGES = [path for path in TRACKED if path.suffix == ".md"]

_SECTIONS = re.compile(r"[Cc]ontract,?\s+sections?\s+([0-9][0-9,\s]*(?:(?:and|to)\s+[0-9]+)?)")
_SECURITY = re.compile(r"docs/security\.md,\s+\"([^\"]+)\"")
_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")
_PATH = re.compile(r"`((?:[a-z_.]+/)+[a-z_*<>]*(?:\.[a-z]+)?)`")
_MADE_AT_RUN_TIME = ("dist/", "build/", ".venv/", "/")


def headings(page: Path) -> set[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return {line.lstrip("#").strip() for line in text.splitlines() if line.startswith("#")}


def anchor(heading: str) -> str:
    """The fragment that GitHub gives a heading."""
    kept = re.sub(r"[^\w\s-]", "", heading.replace("`", "").lower())
    return kept.strip().replace(" ", "-")


@pytest.mark.parametrize("path", [*SOURCES, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_cited_sections_exist(path: Path) -> None:
    contract = {heading.partition(".")[0] for heading in headings(ROOT / "docs/contract.md")}
    security = headings(ROOT / "docs/security.md")
    text = re.sub(r"\s*\n\s*(?:#|\*|//)?\s*", " ", path.read_text())
    for cited in _SECTIONS.findall(text):
        for number in re.findall(r"[0-9]+", cited):
            assert number in contract, f"contract, section {number}"
    for cited in _SECURITY.findall(text):
        assert cited in security, f"docs/security.md has no section {cited!r}"
    assert not re.search(r"\b(?:DESIGN|SECURITY|CONTRACT|FINDINGS)\b(?:\.md)?,? [\"s]", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for groups in _LINK.findall(page.read_text()):
        target, _, fragment = "".join(groups).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = page.parent / target if target else page
        assert file.exists(), target
        if fragment and file.suffix == ".md":
            assert fragment in {anchor(heading) for heading in headings(file)}, fragment


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_mentioned_paths_exist(page: Path) -> None:
    if page.name == "CHANGELOG.md":
        return  # it speaks of what was, too
    for mentioned in _PATH.findall(page.read_text()):
        if mentioned.startswith(_MADE_AT_RUN_TIME) or "<" in mentioned:
            continue
        room = mentioned.split("/")[0]
        if not (ROOT / room).exists():
            continue  # a route, a media type, somebody else's path
        assert list(ROOT.glob(mentioned.rstrip("/"))), mentioned


ASVS_STATUSES = {"met", "by design", "partly", "not met"}


def asvs_rows() -> list[tuple[str, str, str, str]]:
    text = (ROOT / "docs" / "security.md").read_text().partition("## OWASP ASVS")[2]
    found = re.findall(r"^\| (\d+\.\d+\.\d+) \| (.+?) \| (.+?) \| (.+?) \|$", text, re.M)
    assert len(found) == len(re.findall(r"^\| \d", text, re.M))
    return [(str(id), str(what), str(status), str(why)) for id, what, status, why in found]


def test_each_requirement_is_met_by_a_test_or_has_a_reason() -> None:
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    listed = asvs_rows()
    numbers = [tuple(map(int, id.split("."))) for id, *_ in listed]
    assert numbers == sorted(set(numbers))
    for id, _, status, why in listed:
        assert status in ASVS_STATUSES, id
        named = set(re.findall(r"`(test_\w+)`", why))
        assert named <= there, (id, named - there)
        if status == "met":
            assert named, f"{id} names no test"
        else:
            words = re.sub(r"`test_\w+`", "", why)
            assert len(words.split()) >= 3, f"{id} has no reason"
    assert len([row for row in listed if row[2] == "met"]) >= 60
