"""Which base paths are accepted."""

from __future__ import annotations

import pytest

from core import base_path


@pytest.mark.parametrize(
    ("value", "parsed"),
    [
        ("", ""),
        ("/", ""),
        ("/quillium", "/quillium"),
        (" /quillium/ ", "/quillium"),
        ("/a/b-c_d.e~f", "/a/b-c_d.e~f"),
        ("/.well-known", "/.well-known"),
    ],
)
def test_accepted(value: str, parsed: str) -> None:
    assert base_path.parse(value) == parsed


@pytest.mark.parametrize(
    "value",
    ["quillium", "//evil.example", "/a//b", "/a/../b", "/..", "/./a", "/a?b", "/a#b", "/a%2fb", "/ä",
     "/a b", "/a\r\nb", 'C:/"', "http://x/a", "/" + "a" * 101, "/a" * 11],
)  # fmt: skip
def test_refused(value: str) -> None:
    with pytest.raises(ValueError, match="a path such as /quillium"):
        base_path.parse(value)
