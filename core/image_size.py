"""Read an image's dimensions from its header: PNG, JPEG, GIF and WebP. Nothing is decoded."""

from __future__ import annotations

_NO_LENGTH = {0x01, *range(0xD0, 0xDA)}  # JPEG markers without a segment
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # JPEG markers of a frame header


def dimensions(content: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels; None if the header is damaged, cut off or unknown.

    The beginning of a file is enough. Damaged data is never an error.
    """
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        return _pair(content, 16, 4, "big")
    if content.startswith((b"GIF87a", b"GIF89a")):
        return _pair(content, 6, 2, "little")
    if content.startswith(b"\xff\xd8"):
        return _of_jpeg(content)
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return _of_webp(content)
    return None


def _pair(content: bytes, start: int, size: int, order: str) -> tuple[int, int] | None:
    if len(content) < start + 2 * size:
        return None
    big = order == "big"
    first, second = content[start : start + size], content[start + size : start + 2 * size]
    width, height = (int.from_bytes(part, "big" if big else "little") for part in (first, second))
    return (width, height) if width and height else None


def _of_jpeg(content: bytes) -> tuple[int, int] | None:
    """Skip segments until the frame header, which has the height first."""
    place = 2
    while place + 4 <= len(content):
        if content[place] != 0xFF:
            return None
        marker = content[place + 1]
        if marker == 0xFF or marker in _NO_LENGTH:
            place += 1 if marker == 0xFF else 2
        elif marker in _FRAMES:
            found = _pair(content, place + 5, 2, "big")
            return found and (found[1], found[0])
        else:
            place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    return None


def _of_webp(content: bytes) -> tuple[int, int] | None:
    if len(content) < 30:
        return None
    match content[12:16]:
        case b"VP8 ":
            found = _pair(content, 26, 2, "little")
            return found and (found[0] & 0x3FFF, found[1] & 0x3FFF)
        case b"VP8L":
            bits = int.from_bytes(content[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            width, height = content[24:27], content[27:30]
            return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1
    return None
