"""Names of files can't leave their folder, reorder the text around them, or end a header."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.file_names import MAX_CHARACTERS, cleaned, content_disposition


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("notes.txt", "notes.txt"),
        ("../../etc/passwd", "passwd"),
        (r"C:\Users\ada\photo.png", "photo.png"),
        ("..", "file"),
        (".", "file"),
        ("", "file"),
        ("/", "file"),
        ("  \t ", "file"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("a\u2066b\u200ec\ufeffd.txt", "abcd.txt"),
        ("line\r\nX-Evil: 1\u2028.txt", "lineX-Evil: 1.txt"),
        ("a\x00\x1b[31m.txt", "a[31m.txt"),
        ("👩‍👩‍👧.png", "👩‍👩‍👧.png"),
        ("Übung.md", "Übung.md"),
        ("U\u0308bung.md", "Übung.md"),
        (".env", ".env"),
    ],
)
def test_cleaned(name: str, expected: str) -> None:
    assert cleaned(name) == expected


def test_a_long_name_keeps_its_ending() -> None:
    assert cleaned("x" * 500 + ".png") == "x" * (MAX_CHARACTERS - 4) + ".png"
    assert cleaned("." + "x" * 500) == "." + "x" * (MAX_CHARACTERS - 1)
    assert cleaned("a." + "x" * 500) == "a." + "x" * (MAX_CHARACTERS - 2)


def test_content_disposition() -> None:
    assert content_disposition("notes.txt") == (
        "attachment; filename=\"notes.txt\"; filename*=UTF-8''notes.txt"
    )
    assert content_disposition('a"b\\c;ü.txt') == (
        "attachment; filename=\"a_b_c;_.txt\"; filename*=UTF-8''a%22b%5Cc%3B%C3%BC.txt"
    )


@given(st.text())
def test_any_name(name: str) -> None:
    clean = cleaned(name)
    assert 0 < len(clean) <= MAX_CHARACTERS
    assert cleaned(clean) == clean
    assert content_disposition(clean).isascii()
    assert content_disposition(clean).isprintable()
