"""Types are detected from content: no name and no header can make a file something else."""

from __future__ import annotations

import pytest

from core.file_types import BINARY, HEAD_BYTES, TEXT, TypeDetector

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


def detected(*chunks: bytes) -> str:
    detector = TypeDetector()
    for chunk in chunks:
        detector.add(chunk)
    return detector.content_type()


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (b"GIF89a\x01\x00", "image/gif"),
        (b"GIF87a\x01\x00", "image/gif"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", BINARY),
        (b"%PDF-1.7\n\x00", "application/pdf"),
        (b"PK\x03\x04\x14\x00", "application/zip"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", TEXT),
        (b"<!doctype html><script>alert(1)</script>", TEXT),
        (b"GIF89a=1;/*" + b"\x00" * 9 + b"*/alert(1)", "image/gif"),  # JavaScript as well
        ("Grüße aus Köln".encode(), TEXT),
        ("Grüße aus Köln".encode("latin-1"), TEXT),
        ("日本語".encode("shift_jis"), TEXT),
        ("Привет".encode("koi8-r"), TEXT),
        ("Hello".encode("utf-16"), TEXT),
        ("Hello".encode("utf-32"), TEXT),
        ("Hello".encode("utf-16-be"), BINARY),  # without a byte order mark
        (b"\x1b[31mred\x1b[0m\r\n\tdone\x0c", TEXT),
        (b"\x7fELF\x02\x01\x01\x00", BINARY),
        (b"", TEXT),
    ],
)
def test_types(content: bytes, content_type: str) -> None:
    assert detected(content) == content_type
    assert detected(*(bytes([byte]) for byte in content)) == content_type


def test_binary_data_far_behind_text_is_noticed() -> None:
    assert detected(b"text\n" * 100_000, b"\x00") == BINARY


def test_only_the_first_bytes_are_kept() -> None:
    detector = TypeDetector()
    detector.add(PNG + b"\xff" * 1_000_000)
    assert len(detector._head) == HEAD_BYTES
