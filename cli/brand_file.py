"""The file of `--brand`: read and checked once, at the start (contract, section 9)."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import schemas
from core import brand, documents, image_size
from core.brand import Accent, Brand, Icon
from core.errors import InvalidRequest
from core.options import ConfigError

_MAX_FILE_BYTES = 64 << 10
_MAX_ICON_BYTES = 256 << 10
_SVG = "http://www.w3.org/2000/svg svg"  # namespace and name of the root element


def read(file: Path) -> Brand:
    """Return the brand that a file describes. Raises `ConfigError`, which names the value."""
    try:
        document = documents.parse(_content(file, _MAX_FILE_BYTES), what="file")
        chosen = schemas.accept("brand_file", document)
        accent = Accent(**chosen["accent"]) if "accent" in chosen else None
        if accent is not None:
            brand.check_accent(accent)
        return Brand(
            name=chosen["name"],
            icon=_icon(file.parent, chosen["icon"]) if "icon" in chosen else None,
            accent=accent,
            welcome=chosen.get("welcome"),
            hidden=tuple(sorted({*chosen.get("hidden", ())})),
        )
    except InvalidRequest as error:
        raise ConfigError(f"--brand {file}: {error.details}") from None


def _icon(folder: Path, name: str) -> Icon:
    """Return the icon with its type, which its bytes decide."""
    root = os.path.realpath(folder)
    path = Path(os.path.realpath(folder / name))
    if not path.is_relative_to(root):
        raise InvalidRequest(f"icon: {name} is outside of the folder of the brand file")
    try:
        content = _content(path, _MAX_ICON_BYTES)
    except InvalidRequest as error:
        raise InvalidRequest(f"icon: {name}: {error.details}") from None
    size = image_size.dimensions(content)
    if content.startswith(b"\x89PNG") and size is not None:
        return Icon(content, "image/png", "{}x{}".format(*size))
    if _is_svg(content):
        return Icon(content, "image/svg+xml", "any")
    raise InvalidRequest(f"icon: {name} is neither a PNG nor a well-formed SVG without entities")


def _content(file: Path, max_bytes: int) -> bytes:
    """Read a small file. Raises `InvalidRequest`; never waits, as for the writer of a pipe."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise InvalidRequest("is not a file")
        with file.open("rb") as opened:
            content = opened.read(max_bytes + 1)
    except OSError as error:
        raise InvalidRequest(error.strerror or "can't be read") from None
    if len(content) > max_bytes:
        raise InvalidRequest(f"is larger than {max_bytes >> 10} KiB")
    return content


def _is_svg(content: bytes) -> bool:
    """Return whether a browser can show the SVG. Entities may be a bomb, and icons need none."""
    from xml.parsers import expat

    elements: list[str] = []
    entities: list[str] = []
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, _: elements.append(name)
    parser.EntityDeclHandler = lambda name, *_: entities.append(name)
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError):  # also of an unknown encoding
        return False
    return elements[:1] == [_SVG] and not entities
