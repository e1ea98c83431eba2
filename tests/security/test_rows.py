"""Each row of the table in docs/security.md names tests, and these tests exist."""

from __future__ import annotations

import re

from tests.program import ROOT


def test_each_row_has_its_test() -> None:
    withstood = (ROOT / "docs" / "security.md").read_text().partition("## Defences")[2]
    rows = re.findall(r"^\| (?!attack|fault).*\|$", withstood.partition("## Effect on")[0], re.M)
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    named: set[str] = set()
    for row in rows:
        tests = set(re.findall(r"`(test_\w+)`", row))
        assert tests, row
        assert tests <= there, row
        named |= tests
    own = {
        name
        for file in (ROOT / "tests" / "security").glob("test_the_*.py")
        for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    assert own - named == {"test_an_origin_that_is_allowed"}
