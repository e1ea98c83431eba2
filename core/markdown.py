"""Markdown that may be cut off anywhere, as in a stopped reply."""

from __future__ import annotations

import re

_FENCE = re.compile(
    r"^(?P<before>(?:[ \t>]|[-*+][ \t]+|\d{1,9}[.)][ \t]+)*)(?P<mark>`{3,}|~{3,})(?P<info>.*)$"
)
# HTML blocks that continue past a blank line, and their end conditions (CommonMark 0.31, 4.6).
_HTML = re.compile(
    r"^ {0,3}<(?:(?P<comment>!--)|(?P<tag>pre|script|style|textarea|details|div)\b)", re.I
)
_PUNCTUATION = re.compile(r"[\\`*_\[\]<>#|~$&]")


def escaped(text: str) -> str:
    """Return a text as one line of Markdown that is displayed literally."""
    return _PUNCTUATION.sub(r"\\\g<0>", " ".join(text.split()))


def closed(text: str) -> str:
    """Return the text followed by lines that close its open blocks.

    Closes a fenced code block, a display formula and an HTML block, any of which would otherwise
    include the text after it.
    """
    endings: list[str] = []
    fence: re.Match[str] | None = None
    math = ""
    for line in text.splitlines():
        if fence is not None:
            if _closes(line, fence):
                fence = None
            continue
        found = _FENCE.match(line)
        if found and not ("`" in found["mark"] and "`" in found["info"]):
            fence, math = found, ""  # many renderers know no formulas, and formulas no fences
            continue
        if math:
            math = "" if line.rstrip().endswith(math) else math
            continue
        stripped = line.strip()
        for opening, closing in (("$$", "$$"), ("\\[", "\\]")):
            if stripped.startswith(opening) and closing not in stripped[2:]:
                math = closing
        _note_html(line, endings)
    if fence is not None:
        before = re.sub(r"[^ \t>]", " ", fence["before"])
        endings.append(before + fence["mark"])
    elif math:
        endings.append(math)
    if not endings:
        return text
    return "\n".join([text.removesuffix("\n"), *reversed(endings)])


def _closes(line: str, fence: re.Match[str]) -> bool:
    mark = fence["mark"]
    prefix = " \t>" if ">" in fence["before"] else " \t"
    stripped = line.lstrip(prefix).rstrip(" \t")
    return len(stripped) >= len(mark) and set(stripped) == {mark[0]}


def _note_html(line: str, endings: list[str]) -> None:
    """Update the stack of open blocks, outermost first."""
    found = _HTML.match(line)
    if found:
        endings.append("-->" if found["comment"] else f"</{found['tag'].lower()}>")
    while endings and endings[-1] in line.lower():
        endings.pop()
