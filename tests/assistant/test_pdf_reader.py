"""The program that reads one PDF file, and its limits."""

from __future__ import annotations

import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from assistant import pdf_reader
from tests.assistant.pdf_files import encrypted, pdf


def read(file: bytes) -> tuple[int, str]:
    """Return the program's exit status and its output."""
    command = [sys.executable, "-P", str(Path(pdf_reader.__file__))]
    done = subprocess.run(command, input=file, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout.decode()


def test_the_text_of_pages() -> None:
    assert read(pdf(b"Hello")) == (0, "Hello")
    assert read(pdf(b"one", b"", b"three")) == (0, "[Page 1]\none\n\n[Page 3]\nthree")


def test_a_file_that_needs_no_password_to_be_read() -> None:
    assert read(encrypted(pdf(b"for all"), "")) == (0, "for all")
    assert read(encrypted(pdf(b"for some"), "secret")) == (pdf_reader.ENCRYPTED, "")


@pytest.mark.parametrize("file", [pdf(), pdf(b""), pdf(b"  ")])
def test_a_file_without_text(file: bytes) -> None:
    assert read(file) == (pdf_reader.WITHOUT_TEXT, "")


@pytest.mark.parametrize(
    "file", [b"%PDF-1.4", b"%PDF-1.4\n%%EOF", pdf(b"x")[:200], b"\x00" * 10_000]
)
def test_a_damaged_file(file: bytes) -> None:
    status, text = read(file)
    assert not text
    assert status not in (0, pdf_reader.CUT)


def test_a_long_text_is_cut() -> None:
    status, text = read(pdf(b"A" * pdf_reader.CHARACTERS, b"never read", b"nor this"))
    assert status == pdf_reader.CUT
    assert text == "[Page 1]\n" + "A" * (pdf_reader.CHARACTERS - len("[Page 1]\n"))


def test_a_file_that_unpacks_to_gigabytes() -> None:
    packed = zlib.compress(zlib.compress(bytes(1 << 30), 9), 9)
    head = b"<< /Filter [/FlateDecode /FlateDecode] /Length %d >>" % len(packed)
    status, text = read(pdf(stream=b"%s\nstream\n%s\nendstream" % (head, packed)))
    assert not text
    assert status not in (0, pdf_reader.CUT)
