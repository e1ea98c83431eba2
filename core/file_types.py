"""Detect the media type of a file from its bytes, never from its name (contract, section 6)."""

from __future__ import annotations

TEXT = "text/plain"
BINARY = "application/octet-stream"
IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})

HEAD_BYTES = 64  # of a file; all signatures are within them

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
)
# UTF-16 and UTF-32 text has NULs; its byte order mark tells it apart from binary data.
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
# Control characters that text has in any 8-bit encoding: \b \t \n \v \f \r, Ctrl-Z and ESC.
_CONTROLS_OF_TEXT = b"\x08\t\n\x0b\x0c\r\x1a\x1b"
_OF_BINARY = bytes({*range(32), 127} - {*_CONTROLS_OF_TEXT})


class TypeDetector:
    """Detects the type of a file that arrives in parts. It keeps only the first bytes."""

    def __init__(self) -> None:
        self._head = b""
        self._has_binary = False

    def add(self, chunk: bytes) -> None:
        """Take the next bytes of the file."""
        if len(self._head) < HEAD_BYTES:
            self._head += chunk[: HEAD_BYTES - len(self._head)]
        if not self._has_binary:
            self._has_binary = len(chunk.translate(None, _OF_BINARY)) < len(chunk)

    def content_type(self) -> str:
        """Return the media type of all bytes so far.

        Everything that is text is `text/plain`, also HTML and SVG, so that no browser runs it.
        """
        for signature, content_type in _SIGNATURES:
            if self._head.startswith(signature):
                return content_type
        if self._head[:4] == b"RIFF" and self._head[8:12] == b"WEBP":
            return "image/webp"
        if not self._has_binary or self._head.startswith(_BYTE_ORDER_MARKS):
            return TEXT
        return BINARY
