"""Dimensions of images from their headers, and that damaged headers are harmless."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.image_size import dimensions

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480)
GIF = b"GIF89a" + struct.pack("<HH", 640, 480)
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(9)  # a segment to skip
    + b"\xff\xff\xc4\x00\x04ab"  # a fill byte, and a table whose marker lies among the frames'
    + b"\xff\xc2\x00\x11\x08" + struct.pack(">HH", 480, 640)
)  # fmt: skip
LOSSY = b"RIFF\0\0\0\0WEBPVP8 " + bytes(10) + struct.pack("<HH", 640 | 0x4000, 480)
LOSSLESS = b"RIFF\0\0\0\0WEBPVP8L" + bytes(5) + struct.pack("<I", 639 | 479 << 14) + bytes(5)
EXTENDED = b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + b"\x7f\x02\x00" + b"\xdf\x01\x00"
HEADERS = {"PNG": PNG, "GIF": GIF, "JPEG": JPEG, "VP8": LOSSY, "VP8L": LOSSLESS, "VP8X": EXTENDED}


@pytest.mark.parametrize("name", HEADERS)
def test_dimensions(name: str) -> None:
    header = HEADERS[name]
    assert dimensions(header) == (640, 480)
    assert dimensions(header + bytes(1000)) == (640, 480)
    for length in range(len(header) - 6):
        assert dimensions(header[:length]) is None


def test_headers_that_are_damaged() -> None:
    assert dimensions(b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 0, 480)) is None
    assert dimensions(b"\xff\xd8" + bytes(100)) is None
    assert dimensions(b"\xff\xd8" + b"\xff\xd0" * 100) is None
    assert dimensions(b"RIFF\0\0\0\0WEBPVP9 " + bytes(20)) is None
    assert dimensions(b"BM" + bytes(100)) is None


@given(st.sampled_from([*HEADERS.values()]), st.binary(max_size=64), st.integers(0, 40))
def test_any_header(header: bytes, noise: bytes, place: int) -> None:
    found = dimensions(header[:place] + noise)
    assert found is None or (found[0] >= 0 and found[1] >= 0)
