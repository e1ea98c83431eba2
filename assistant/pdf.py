"""Read the text of PDF files with pypdf, if the extra `pdf` is installed.

Each file is read by a process of its own (`assistant.pdf_reader`), with limits of time and memory:
there are PDF files that keep any reader busy for hours.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import NamedTuple

from assistant import pdf_reader

PDF = "application/pdf"

_DEADLINE_SECONDS = 2.0 * pdf_reader.READING_SECONDS  # also for a page that takes longer by itself
_PROBLEMS = {
    pdf_reader.ENCRYPTED: "it is encrypted. Save it without a password first.",
    pdf_reader.WITHOUT_TEXT: "it has no text, only images. Send its pages as images.",
}
_DAMAGED = "it is damaged or too complex. Save it again as PDF, or send it as text."
NOT_INSTALLED = "this server doesn't read PDF files. Send it as text or as an image."


class PdfText(NamedTuple):
    """The text of a file, or else the `problem`: the end of a sentence, and what to do."""

    text: str = ""
    is_whole: bool = True
    problem: str = ""

    def cut(self, characters: int) -> PdfText:
        """Return at most this much of the text."""
        if len(self.text) <= characters:
            return self
        if not characters:
            return PdfText(problem="the files of this conversation are too long. Send fewer.")
        return PdfText(self.text[:characters], is_whole=False)


def is_available() -> bool:
    """Return whether PDF files can be read. A frozen program can't start Python for it."""
    return not getattr(sys, "frozen", False) and importlib.util.find_spec("pypdf") is not None


def _reader_environment() -> dict[str, str]:
    """Return an environment in which Python finds pypdf.

    If this program is one file (shiv), the packages are not where another process looks for them.
    """
    found = importlib.util.find_spec("pypdf")
    folder = Path(found.origin).parent.parent if found and found.origin else Path()
    return {**os.environ, "PYTHONPATH": str(folder)}


async def read(content: bytes) -> PdfText:
    """Return the text of a PDF file; at most `pdf_reader.CHARACTERS`, and never an error."""
    if not is_available():
        return PdfText(problem=NOT_INSTALLED)
    reader = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # the modules beside the program are not for it
        str(Path(pdf_reader.__file__)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_reader_environment(),
    )
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            output, _ = await reader.communicate(content)
    except TimeoutError:
        return PdfText(problem=_DAMAGED)
    finally:
        with contextlib.suppress(ProcessLookupError):  # it has ended
            reader.kill()
    if reader.returncode not in (0, pdf_reader.CUT):
        return PdfText(problem=_PROBLEMS.get(reader.returncode or 0, _DAMAGED))
    return PdfText(output.decode().replace("\x00", ""), is_whole=reader.returncode == 0)
