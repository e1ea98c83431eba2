"""Signals and stop requests (tests/process/test_endings.py sends them to real processes)."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator

import pytest

from cli import stopping
from cli.stopping import Interrupted, Stopping


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Signals as they were before the test."""
    before = {number: signal.getsignal(number) for number in stopping._SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


async def install() -> Stopping:
    stops = Stopping()
    stops.install()
    return stops


async def test_the_first_signal_asks_for_a_stop_and_the_second_would_kill() -> None:
    stops = await install()
    assert not stops.is_requested()
    os.kill(os.getpid(), signal.SIGHUP)
    await stops.wait()
    assert stops.is_requested()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


async def test_an_ignored_hangup_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    await install()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


async def test_a_request_is_no_first_signal() -> None:
    """Electron closes stdin and then sends SIGTERM: that must not cut the drain."""
    stops = await install()
    thread = threading.Thread(target=stops.request)
    thread.start()
    thread.join()
    await stops.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL  # the next one


def spin() -> None:
    """Block the event loop, as a start does, until an exception comes."""
    for _ in range(3000):
        threading.Event().wait(0.01)
    raise AssertionError("never interrupted")


@pytest.mark.parametrize("way", ["signal", "request"])
async def test_a_start_is_interrupted(way: str) -> None:
    stops = await install()

    def stop() -> None:
        if way == "signal":
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            stops.request()

    timer = threading.Timer(0.02, stop)
    timer.start()
    with pytest.raises(Interrupted), stops.interruptible():
        spin()
    timer.join()
    await stops.wait()
    expected = way == "signal"
    assert (signal.getsignal(signal.SIGTERM) is signal.SIG_DFL) is expected


async def test_a_request_before_the_start_interrupts_it() -> None:
    stops = await install()
    stops.request()
    with pytest.raises(Interrupted), stops.interruptible():
        raise AssertionError("begun")


async def test_after_the_start_nothing_is_raised() -> None:
    stops = await install()
    with stops.interruptible():
        pass
    stops.request()
    await asyncio.wait_for(stops.wait(), 3)
