"""The queue of an event stream: it delays no other client, and reports silence."""

from __future__ import annotations

from services.frames import Frame
from services.watchers import MAX_QUEUED_BYTES, Watcher


async def test_a_client_that_does_not_read_gets_no_more() -> None:
    watcher = Watcher()
    for _ in range(20):
        watcher.put(Frame("typing", {"delta": "x" * (MAX_QUEUED_BYTES // 10)}))
    seen = [frame async for frame in watcher.frames(silence=10)]
    assert 10 <= len(seen) <= 11


async def test_silence_is_reported() -> None:
    watcher, last = Watcher(), Frame("message", {})
    heard = []
    async for frame in watcher.frames(silence=0.001):
        heard.append(frame)
        if frame is None:
            watcher.put(last)
            watcher.end()
    assert heard[-1] is last
    assert heard[0] is None
