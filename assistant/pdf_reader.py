"""The program that reads one PDF file: the file from stdin, its text to stdout.

It runs in a process of its own (`assistant.pdf`), so it imports nothing of Quillium. A PDF file can
keep a reader busy for hours or fill the memory, and this process has limits of both.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pypdf import PdfReader

MEMORY_BYTES = 768 << 20  # of address space; Windows has no such limit
READING_SECONDS = 10  # then the pages that were read are enough
CHARACTERS = 1 << 20  # as much text as a prompt takes

# Exit statuses. Any other one, or a signal, means that the file is damaged or too complex.
ENCRYPTED = 3
WITHOUT_TEXT = 4
CUT = 5  # stdout has the beginning of the text


def main() -> int:
    """Return the exit status."""
    _limit()
    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    logging.disable()  # it has a line for every fault in a file
    reader = PdfReader(io.BytesIO(sys.stdin.buffer.read()))
    try:
        if reader.is_encrypted and not reader.decrypt(""):  # many need no password to be read
            return ENCRYPTED
    except DependencyError:  # AES, for which pypdf needs another package
        return ENCRYPTED
    pages, is_whole = _read(reader)
    texts = [(number, text) for number, text in enumerate(pages, start=1) if text]
    if len(pages) > 1:
        text = "\n\n".join(f"[Page {number}]\n{text}" for number, text in texts)
    else:
        text = "".join(text for _, text in texts)
    sys.stdout.buffer.write(text[:CHARACTERS].encode("utf-8", "replace"))
    sys.stdout.buffer.flush()
    if not text:
        return WITHOUT_TEXT
    return 0 if is_whole and len(text) <= CHARACTERS else CUT


def _read(reader: PdfReader) -> tuple[list[str], bool]:
    """Return the texts of the pages, and whether these are all pages."""
    until = time.monotonic() + READING_SECONDS
    texts: list[str] = []
    length = 0
    for page in reader.pages:
        if length > CHARACTERS or time.monotonic() > until:
            return texts, False
        try:
            text = page.extract_text().strip()
        except MemoryError:
            raise
        except Exception:  # of one page; the others may be sound
            text = ""
        texts.append(text)
        length += len(text)
    return texts, True


def _limit() -> None:
    """Limit this process's memory, and let every other one go first."""
    if sys.platform != "win32":
        import resource

        os.nice(10)
        with contextlib.suppress(OSError, ValueError):  # macOS may refuse it
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


if __name__ == "__main__":
    sys.exit(main())
