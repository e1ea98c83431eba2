"""The file of `--brand`: what is read, and files that are missing, broken or hostile."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest

from cli import brand_file
from core.brand import Accent, Brand
from core.options import ConfigError
from tests.snippets import block

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><script>alert(1)</script></svg>'
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 64, 32)
LONG = "é" * 41


def written(folder: Path, document: Any, **icons: bytes) -> Path:
    for name, content in icons.items():
        (folder / name.replace("_", ".")).write_bytes(content)
    file = folder / "brand.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    return file


def refused(file: Path) -> str:
    with pytest.raises(ConfigError) as raised:
        brand_file.read(file)
    message = str(raised.value)
    assert "\n" not in message
    assert message.startswith(f"--brand {file}: ")
    return message.partition(f"{file}: ")[2]


def test_a_brand(tmp_path: Path) -> None:
    document = {
        "name": " شركة أكمي 👩‍💻 ",
        "icon": "icon.svg",
        "accent": {"light": "#0B6B4F", "dark": "#7fd9b5"},
        "welcome": "Hi, {name}",
        "hidden": ["suggestions", "sign_up", "sign_up"],
    }
    brand = brand_file.read(written(tmp_path, document, icon_svg=SVG))
    assert brand.name == "شركة أكمي 👩‍💻"
    assert brand.icon is not None
    assert (brand.icon.content, brand.icon.content_type) == (SVG, "image/svg+xml")
    assert brand.accent == Accent("#0B6B4F", "#7fd9b5")
    assert (brand.welcome, brand.hidden) == ("Hi, {name}", ("sign_up", "suggestions"))


def test_a_name_is_enough(tmp_path: Path) -> None:
    assert brand_file.read(written(tmp_path, {"name": "Acme"})) == Brand("Acme")


def test_an_icon_is_what_its_bytes_say(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.svg").write_bytes(PNG)
    icon = brand_file.read(written(tmp_path, {"name": "A", "icon": "images/a.svg"})).icon
    assert icon is not None
    assert (icon.content_type, icon.sizes) == ("image/png", "64x32")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("", "The file is empty"),
        ("{", "The file is not valid JSON"),
        ("[]", "must be a JSON object"),
        ("\ufeff{}", "byte order mark"),
        ('{"name": "A", "name": "B"}', "same key twice"),
        ('{"a":' * 1000 + "1" + "}" * 1000, "levels deep"),
        ({}, "name: is required"),
        ({"name": "A", "colour": 1}, "'colour': unknown field"),
        ({"name": " "}, "name: 0 characters"),
        ({"name": LONG}, "name: 41 characters, at most 40"),
        ({"name": 1}, "name: a number, expected a string"),
        *(
            ({"name": f"a{mark}b"}, "name: expected the product's name: 1 to 40 characters")
            for mark in "\u202e\u2066\u200f\u200b\n\x1b\x85\u2028"
        ),
        ({"name": "A", "welcome": "a\u202eb"}, "welcome: expected"),
        ({"name": "A", "welcome": "a" * 201}, "welcome: 201 characters"),
        ({"name": "A", "hidden": ["composer"]}, "hidden.0: expected one of shortcuts"),
        ({"name": "A", "accent": {"light": "#3a46c2"}}, "accent.dark: is required"),
        ({"name": "A", "accent": {"light": "red", "dark": "#fff"}}, "accent.dark: expected a colour"),
        ({"name": "A", "accent": {"light": "#3a46c2;", "dark": "#a5b1ff"}}, "accent.light: expected"),
        ({"name": "A", "accent": {"light": "#3a46c2\n", "dark": "#a5b1ff"}}, "accent.light: expected"),
        (
            {"name": "A", "accent": {"light": "#ffd700", "dark": "#a5b1ff"}},
            "accent.light: #ffd700 has a contrast of 1.2",
        ),
        ({"name": "A", "icon": "none.svg"}, "icon: none.svg: No such file or directory"),
        ({"name": "A", "icon": "icon.gif"}, "icon: expected the path of an SVG or PNG"),
        ({"name": "A", "icon": "../icon.svg"}, "icon: ../icon.svg is outside"),
        ({"name": "A", "icon": "/etc/icon.svg"}, "icon: /etc/icon.svg is outside"),
        ({"name": "A", "icon": "brand.json/x.svg"}, "icon: brand.json/x.svg: Not a directory"),
    ],
)  # fmt: skip
def test_a_file_that_is_refused(tmp_path: Path, document: Any, expected: str) -> None:
    assert expected in refused(written(tmp_path, document))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a" + bytes(20),
        b"<svg",
        b"<svg/>",  # of no namespace, which browsers don't show
        b"<html xmlns='http://www.w3.org/1999/xhtml'/>",
        b'<?xml version="1.0" encoding="none"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        b'<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
        b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
        b'<svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
    ],
)
def test_an_icon_that_is_none(tmp_path: Path, content: bytes) -> None:
    file = written(tmp_path, {"name": "A", "icon": "icon.svg"}, icon_svg=content)
    assert refused(file) == "icon: icon.svg is neither a PNG nor a well-formed SVG without entities"


def test_large_files(tmp_path: Path) -> None:
    large = SVG.replace(b"</svg>", b" " * (256 << 10) + b"</svg>")
    file = written(tmp_path, {"name": "A", "icon": "icon.svg"}, icon_svg=large)
    assert refused(file) == "icon: icon.svg: is larger than 256 KiB"
    assert refused(written(tmp_path, " " * (64 << 10) + "{}")) == "is larger than 64 KiB"


def test_what_is_no_file(tmp_path: Path) -> None:
    assert refused(tmp_path) == "is not a file"
    assert refused(tmp_path / "none.json") == "No such file or directory"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")  # nobody ever writes into it
        assert refused(tmp_path / "pipe") == "is not a file"


def test_a_link_out_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "brand"
    folder.mkdir()
    (tmp_path / "secret.svg").write_bytes(SVG)
    (folder / "icon.svg").symlink_to(tmp_path / "secret.svg")
    (folder / "loop.svg").symlink_to(folder / "loop.svg")
    assert "outside" in refused(written(folder, {"name": "A", "icon": "icon.svg"}))
    assert refused(written(folder, {"name": "A", "icon": "loop.svg"})).startswith(
        "icon: loop.svg: "
    )


def test_the_documented_file(tmp_path: Path) -> None:
    """What docs/desktop.md shows is accepted as it stands there."""
    shown = block("docs/desktop.md", '{\n  "name": "Acme Chat"').text
    brand = brand_file.read(written(tmp_path, shown, acme_svg=SVG))
    assert brand.icon is not None
    assert brand.accent is not None
    assert brand.welcome is not None
    assert set(brand.hidden) == {"sign_up", "suggestions", "shortcuts"}
