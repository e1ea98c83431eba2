"""`quillium-demo` describes the files that it was given: kind, size, dimensions, first words."""

from __future__ import annotations

from assistant import AttachedFile
from assistant.demo_language import Language
from core import graphemes
from core.file_types import IMAGES, TEXT
from core.image_size import dimensions
from core.text_encodings import decoded

_QUOTED_CHARACTERS = 80
_READ_BYTES = 1 << 16


def describe(file: AttachedFile, language: Language) -> str:
    """Return a sentence about a file."""
    phrases = language.phrases
    kind = file.content_type.partition("/")[2].upper()
    facts = {"name": file.name.replace("`", "'"), "kind": kind, "size": _size(file.size, language)}
    if file.content_type in IMAGES:
        found = dimensions(file.content)
        if found is None:
            return phrases["file_image"].format(**facts)
        return phrases["file_pixels"].format(width=found[0], height=found[1], **facts)
    text = _text(file)
    if text:
        line = " ".join(text.split())
        quote = line
        if len(line) > _QUOTED_CHARACTERS:
            quote = graphemes.cut(line, _QUOTED_CHARACTERS - 1).rstrip() + "…"
        phrase = phrases["file_text" if file.text is None else "file_pdf"]
        return phrase.format(quote=quote, **facts)
    return phrases["file_other"].format(**facts)


def _text(file: AttachedFile) -> str:
    """Return the beginning of a file's text; empty if it has none."""
    if file.text is not None:
        return file.text.text[:_READ_BYTES]
    if file.content_type != TEXT:
        return ""
    read = file.content[:_READ_BYTES]
    return decoded(read, is_whole=len(read) == file.size)


def _size(size: int, language: Language) -> str:
    """Return a size such as `1.5 MB`, with the language's decimal separator."""
    value, unit = float(size), "B"
    for larger in ("KB", "MB"):
        if value >= 1000:
            value, unit = value / 1000, larger
    text = f"{value:.0f}" if value >= 10 or unit == "B" else f"{value:.1f}"
    return f"{text.replace('.', ',') if language.has_decimal_comma else text} {unit}"
