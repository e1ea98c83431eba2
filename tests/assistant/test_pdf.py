"""Text of PDF files: read by a process of its own, with a sentence for what can't be read."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from typing import Any

import pytest

from assistant import pdf
from assistant.pdf import PdfText
from tests.assistant.pdf_files import encrypted
from tests.assistant.pdf_files import pdf as made


async def test_files_and_problems() -> None:
    assert await pdf.read(made(b"Hello")) == PdfText("Hello")
    assert "without a password" in (await pdf.read(encrypted(made(b"x"), "secret"))).problem
    assert "Send its pages as images" in (await pdf.read(made())).problem
    assert "damaged" in (await pdf.read(b"%PDF-1.7 and nothing else")).problem
    long = await pdf.read(made(b"A" * (1 << 20), b"x"))
    assert not long.is_whole
    assert not long.problem


async def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert await pdf.read(made(b"Hello")) == PdfText(problem=pdf.NOT_INSTALLED)


async def test_not_in_a_frozen_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert not pdf.is_available()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[asyncio.subprocess.Process]:
    """The processes that were started, each of which reads for ever."""
    processes: list[asyncio.subprocess.Process] = []
    start = asyncio.create_subprocess_exec

    async def started(program: str, *_: str, **options: Any) -> asyncio.subprocess.Process:
        endless = "import time\nwhile True: time.sleep(60)"
        processes.append(await start(program, "-c", endless, **options))
        return processes[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", started)
    return processes


async def test_a_file_that_takes_too_long(
    started: list[asyncio.subprocess.Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "_DEADLINE_SECONDS", 0.01)
    assert "too complex" in (await pdf.read(made(b"Hello"))).problem
    assert await started[0].wait() != 0


async def test_a_reply_that_is_stopped_ends_the_process(
    started: list[asyncio.subprocess.Process],
) -> None:
    reading = asyncio.ensure_future(pdf.read(made(b"Hello")))
    while not started:
        await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await started[0].wait() != 0


def test_cutting() -> None:
    text = PdfText("abc")
    assert text.cut(3) is text
    assert text.cut(2) == PdfText("ab", is_whole=False)
    assert text.cut(0).problem
    assert PdfText(problem="none").cut(0) == PdfText(problem="none")
