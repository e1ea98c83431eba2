"""Windows console handling, as far as it can be tested on another system."""

from __future__ import annotations

import threading

import pytest

from cli.console import ConsoleHandler, drain_on_console_close
from cli.stopping import Stopping


class Asked(Stopping):
    """Notes that a stop was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.was_asked = threading.Event()

    def request(self) -> None:
        self.was_asked.set()


@pytest.mark.parametrize("event", [2, 5, 6], ids=["close", "logoff", "shutdown"])
def test_it_returns_when_the_server_has_ended(event: int) -> None:
    stopping = Asked()
    handler = ConsoleHandler(stopping)
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(handler(event)))
    thread.start()
    assert stopping.was_asked.wait(10)
    assert thread.is_alive()
    handler.has_ended.set()
    thread.join(10)
    assert results == [True]


@pytest.mark.parametrize("event", [0, 1], ids=["Ctrl-C", "Ctrl-Break"])
def test_signals_are_left_to_python(event: int) -> None:
    stopping = Asked()
    assert ConsoleHandler(stopping)(event) is False
    assert not stopping.was_asked.is_set()


def test_elsewhere_there_is_nothing_to_do() -> None:
    with drain_on_console_close(Asked()):
        pass
