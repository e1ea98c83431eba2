"""Every command and snippet of the documentation is run by a test, or says why not."""

from __future__ import annotations

import ast
import configparser
import json
import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import schemas
from cli import arguments
from core.options import ConfigError
from tests.program import ROOT
from tests.snippets import COMPILED, PAGES, Snippet, block, blocks

BLOCKS = [snippet for page in PAGES for snippet in blocks(page)]
_FENCE = re.compile(r"^ *```", re.MULTILINE)
_COMMAND = re.compile(
    r"^(?:\S*python3? )?(?:dist/quillium/)?quillium(?:\.py)?((?: .*)?)$", re.DOTALL
)
_PROGRAM = re.compile(r"`(?:\S*/)?python3? (-m [\w.]+|(?!quillium)[\w/]+\.py)([^`\n]*)`")


@cache
def claims() -> frozenset[tuple[str, str]]:
    """The arguments of all calls of `block` in tests."""
    found = set()
    for file in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name("block"),
                    args=[ast.Constant(str(page)), ast.Constant(str(beginning))],
                ):
                    found.add((page, beginning))
    return frozenset(found)


@pytest.mark.parametrize("snippet", BLOCKS, ids=lambda snippet: snippet.name)
def test_a_block_is_run_or_says_why_not(snippet: Snippet) -> None:
    page = str(snippet.page.relative_to(ROOT))
    is_claimed = snippet.language in COMPILED or any(
        claimed == page and snippet.text.startswith(beginning) for claimed, beginning in claims()
    )
    if snippet.not_run:
        assert len(snippet.not_run.split()) >= 3, "this is no reason"
    else:
        assert is_claimed, (
            "no test runs it: call `block` of tests/snippets.py in one, or write"
            " <!-- not run: reason --> before it"
        )


@pytest.mark.parametrize("snippet", BLOCKS, ids=lambda snippet: snippet.name)
def test_a_command_can_be_pasted(snippet: Snippet) -> None:
    """Into the shell of macOS too, which takes comments for arguments, and without `python`."""
    if snippet.language == "sh":
        assert not re.search(r"(^|\s)#(\s|$)", snippet.text)
        assert not re.search(r"^python ", snippet.text, re.MULTILINE)


def test_no_block_is_overlooked() -> None:
    for page in PAGES:
        fences = len(_FENCE.findall(page.read_text(encoding="utf-8")))
        assert fences == 2 * len(blocks(page)), page.name
    assert all(snippet.language for snippet in BLOCKS), "`text` is the language of other blocks"


def command_lines() -> list[tuple[str, str]]:
    """All commands of ours, in blocks and within sentences, and where they are."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        prose = re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.DOTALL | re.MULTILINE)
        codes = re.findall(r"`([^`]+)`", prose)
        for snippet in blocks(page):
            if snippet.language == "sh":
                codes += re.split(r"&&|\n|\| ", snippet.text.replace("\\\n", " "))
        for code in codes:
            words = re.sub(r"^(?:sudo |[A-Z_]+=\S* )+", "", " ".join(code.split()))
            if match := _COMMAND.match(words):
                found.append((page.name, match[1]))
    return found


def problem(given: list[str]) -> str:
    """Why the program would refuse a command line, or an empty text."""
    if given == ["--help"]:
        return ""
    try:
        arguments.parse(given, {}, "1")
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("page", "line"), sorted(set(command_lines())))
def test_the_program_understands_its_commands(page: str, line: str) -> None:
    said = problem(shlex.split(line, comments=True))
    # A sentence may name a command without its arguments.
    assert not said or said.startswith("the following arguments are required"), said


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_programs_of_the_repository_and_their_flags_exist(page: Path) -> None:
    for program, rest in _PROGRAM.findall(page.read_text(encoding="utf-8")):
        path = program.removeprefix("-m ")
        if path != program:
            path = path.replace(".", "/")
            path += "/__main__.py" if (ROOT / path).is_dir() else ".py"
        if (ROOT / path.partition("/")[0]).exists():  # or else of another project
            source = (ROOT / path).read_text(encoding="utf-8")
            for flag in re.findall(r"--[\w-]+", rest):
                assert flag in source, (program, flag)


def parsed(snippet: Snippet) -> Any:
    return json.loads(snippet.text)


def test_json() -> None:
    for snippet in BLOCKS:
        if snippet.language == "json":
            parsed(snippet)
    schemas.validate("error", parsed(block("docs/contract.md", '{"error"')))
    schemas.validate("seed", parsed(block("docs/testing.md", "{")))


def test_the_jail_of_fail2ban() -> None:
    jail = configparser.ConfigParser()
    jail.read_string(block("docs/operations.md", "[quillium]").text)
    assert (ROOT / "packaging" / "fail2ban" / f"{jail['quillium']['filter']}.conf").exists()
