"""The mutation sampler: deterministic; each mutant changes one thing and compiles."""

from __future__ import annotations

import ast

import pytest

from tests.mutation.mutants import ROOT, of, sample


@pytest.mark.parametrize(
    ("source", "after"),
    [
        ("x = a == b", "x = (a != b)"),
        ("x = a < b", "x = (a <= b)"),
        ("x = a and b", "x = (a or b)"),
        ("x = not a", "x = (a)"),
        ("x = a + b", "x = (a - b)"),
        ("x = True", "x = False"),
        ("x: int = 1", "x: int = 2"),
        ("def f():\n    return a", "def f():\n    return None"),
        ("def f():\n    raise a", "def f():\n    pass"),
        ("f(a)", "pass"),
        ("é = a == b", "é = (a != b)"),
    ],
)
def test_one_thing_changes(source: str, after: str) -> None:
    assert after in [mutant.apply(source) for mutant in of(source, "m.py")]


@pytest.mark.parametrize(
    "source", ['"""Text."""', 'log.info("x")', "import a", "assert a", "def f(a: int): ..."]
)
def test_what_has_no_behaviour_stays(source: str) -> None:
    assert list(of(source, "m.py")) == []


def test_a_seed_gives_the_same_mutants_that_compile() -> None:
    mutants = sample(7, 50)
    assert mutants == sample(7, 50)
    assert mutants != sample(8, 50)
    for mutant in mutants:
        source = (ROOT / mutant.path).read_text()
        assert mutant.apply(source) != source
        ast.parse(mutant.apply(source))
