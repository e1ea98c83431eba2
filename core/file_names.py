"""Names of uploaded files: display names only, which never become a path on the server."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

MAX_CHARACTERS = 200
_UNNAMED = "file"
# Besides control characters: marks that reorder or break a line, so that `exe.gpj` can't be
# displayed as `jpg.exe`. Joiners within emoji stay.
_REMOVED = re.compile("[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_NOT_IN_QUOTES = re.compile(r"[^ !#-\[\]-~]")  # RFC 9110, section 5.6.4


def cleaned(name: str) -> str:
    """Return a name without folders, control characters and marks that change its direction.

    It is in NFC and has at most `MAX_CHARACTERS`; a long name keeps its ending.
    """
    name = _REMOVED.sub("", re.split(r"[/\\]", name)[-1])
    visible = "".join(c for c in name if unicodedata.category(c) not in {"Cc", "Cs"})
    name = unicodedata.normalize("NFC", visible).strip()
    if len(name) > MAX_CHARACTERS:
        stem, dot, ending = name.rpartition(".")
        ending = dot + ending if stem and len(ending) < 20 else ""
        name = name[: MAX_CHARACTERS - len(ending)] + ending
    return _UNNAMED if name in {"", ".", ".."} else name


def content_disposition(name: str) -> str:
    """Return the `Content-Disposition` of a download (RFC 6266), with a fallback in ASCII."""
    plain = _NOT_IN_QUOTES.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
