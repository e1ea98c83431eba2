"""Closed or broken standard streams (tests/process/test_refusals.py closes real ones)."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from cli import streams
from core.options import ConfigError


class Broken(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def test_an_error_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    streams.report("no\nline \x1b[2J is forged \ud800", frozenset())
    assert capsys.readouterr().err == "quillium: no\\nline \\x1b[2J is forged \\ud800\n"


def test_without_stderr_it_is_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    streams.report("wrong", frozenset({"stderr"}))
    assert capsys.readouterr() == ("quillium: wrong\n", "")


def test_a_broken_stderr_is_no_further_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Broken())
    streams.report("wrong", frozenset())


def test_a_broken_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Broken())
    with pytest.raises(ConfigError, match="stdout can't be written: Broken pipe"):
        streams.print_line("ready")


def test_a_terminal_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that is under way is drained by SIGHUP, and not broken off by an error."""
    monkeypatch.setattr(sys, "stderr", Broken())
    streams.notify("Press Ctrl-C to stop.")


def test_nothing_is_missing() -> None:
    assert streams.open_missing() == frozenset()
    assert streams.flush_output() is None


def test_an_error_names_its_file() -> None:
    assert streams.describe(OSError(28, "No space left on device")) == "No space left on device"
    with pytest.raises(FileNotFoundError) as missing:
        Path("/nowhere").read_bytes()
    assert streams.describe(missing.value) == "No such file or directory: /nowhere"
    assert streams.describe(OSError("odd")) == "odd"
