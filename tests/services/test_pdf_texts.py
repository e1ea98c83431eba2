"""The texts of attached PDF files: read once, one file of an account at a time, and kept."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from assistant import pdf
from assistant.pdf import PdfText
from core.records import File
from services import pdf_texts
from services.pdf_texts import PdfTexts
from tests.assistant.pdf_files import pdf as made
from tests.conftest import Client


async def uploaded(ada: Client, content: bytes) -> File:
    return File(**(await ada("POST /files", content)).body)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The contents of the files that were read."""
    contents: list[bytes] = []

    async def read(content: bytes) -> PdfText:
        contents.append(content)
        await asyncio.sleep(0)
        return PdfText("x" * 100)

    monkeypatch.setattr(pdf, "read", read)
    return contents


async def test_only_pdf_files_are_read(ada: Client, rooms: Any) -> None:
    paper = await uploaded(ada, made(b"Hello"))
    notes = await uploaded(ada, b"Hello")
    assert await PdfTexts(rooms.db).of([paper, notes]) == {paper: PdfText("Hello")}


async def test_a_file_is_read_once(ada: Client, rooms: Any, read: list[bytes]) -> None:
    content = made(b"x" * 300_000)  # of several pieces
    paper = await uploaded(ada, content)
    texts = PdfTexts(rooms.db)
    await asyncio.gather(texts.of([paper]), texts.of([paper]))
    await texts.of([paper])
    assert read == [content]


async def test_texts_that_were_not_used_are_dropped(
    ada: Client, rooms: Any, read: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    papers = [await uploaded(ada, made(b"%d" % n)) for n in range(3)]
    monkeypatch.setattr(pdf_texts, "KEPT_CHARACTERS", 2 * (1024 + 100))
    texts = PdfTexts(rooms.db)
    for paper in (papers[0], papers[1], papers[0], papers[2], papers[0], papers[1]):
        await texts.of([paper])
    assert read == [made(b"%d" % n) for n in (0, 1, 2, 1)]
