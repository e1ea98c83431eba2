"""Progress line (tests/process/test_maintenance.py has one on a real terminal)."""

from __future__ import annotations

import io
import threading

import pytest

from core import progress
from core.progress import Progress


class Terminal(io.StringIO):
    """A terminal that remembers what was drawn; `drawn` is set by a line with these words."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.drawn = threading.Event()
        self._words = words

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self._words in text:
            self.drawn.set()
        return super().write(text)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(progress, "_REDRAW_SECONDS", 0.001)


@pytest.mark.parametrize(("share", "shown"), [(0.5, "copying: 50%"), (None, "copying: 0 s")])
def test_a_terminal_sees_it_and_it_is_erased(share: float | None, shown: str) -> None:
    terminal = Terminal(shown)
    with Progress(terminal) as shows:
        shows("copying", share)
        assert terminal.drawn.wait(10)
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_nothing_is_drawn_but_on_a_terminal() -> None:
    stream = io.StringIO()
    with Progress(stream) as shows:
        shows("copying", 0.5)
    assert stream.getvalue() == ""


def test_short_work_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 60.0)
    terminal = Terminal("copying")
    with Progress(terminal) as shows:
        shows("copying", 0.5)
    assert terminal.getvalue() == ""


def test_a_terminal_that_goes_away() -> None:
    class Gone(Terminal):
        def write(self, text: str) -> int:
            self.drawn.set()
            raise OSError("gone")

    terminal = Gone("")
    with Progress(terminal) as shows:
        shows("copying", 0.5)
        assert terminal.drawn.wait(10)
