"""Compressed bodies."""

from __future__ import annotations

import gzip
import threading
from typing import Any

import pytest

from web import compression


@pytest.mark.parametrize("count", [0, 1, 20_000, 200_000])
async def test_a_body_survives(count: int) -> None:
    assert gzip.decompress(await compression.compressed(b"quill" * count)) == b"quill" * count


async def test_a_large_body_is_compressed_in_a_thread(monkeypatch: Any) -> None:
    threads = []
    monkeypatch.setattr(
        gzip, "compress", lambda *_, **__: threads.append(threading.current_thread())
    )
    await compression.compressed(bytes(compression._AT_ONCE_BYTES))
    await compression.compressed(bytes(compression._AT_ONCE_BYTES + 1))
    here = threading.current_thread()
    assert [thread is here for thread in threads] == [True, False]


def test_a_prepared_body_has_a_tag_for_each_form() -> None:
    prepared = compression.PreparedBody(b"quill")
    assert gzip.decompress(prepared.compressed) == b"quill"
    tags = {prepared.etag(is_compressed=small) for small in (True, False)}
    assert len(tags) == 2
    assert prepared.etag(is_compressed=True) != compression.PreparedBody(b"ink").etag(
        is_compressed=True
    )
