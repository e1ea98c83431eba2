"""The brand: how the page presents itself (contract, section 9).

A brand's accent is used for text and for the ground below text, so it is checked against WCAG 2.2,
success criteria 1.4.3 and 1.4.11, in both themes. The other tints follow from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from core.errors import InvalidRequest

NEEDED_CONTRAST = 4.5  # of text; more than the 3 that anything showing a state needs
_MAX_SOFT, _BUBBLE = 0.12, 0.2  # shares of a mixture


class Theme(NamedTuple):
    """What surrounds the accent in a theme of `static/page/styles/scales.css`."""

    paper: str
    grounds: tuple[str, ...]  # all grounds of links and other text in the accent


THEMES = {
    "light": Theme("#fdfcf9", ("#fdfcf9", "#f4f1ea", "#ffffff")),
    "dark": Theme("#15161c", ("#15161c", "#1b1d25", "#1f212a")),
}


@dataclass(frozen=True)
class Icon:
    """An image; `sizes` is that of a web app manifest: `any`, or such as `512x512`."""

    content: bytes
    content_type: str
    sizes: str


class Accent(NamedTuple):
    """A colour for each theme, such as `#3a46c2`."""

    light: str
    dark: str


@dataclass(frozen=True)
class Brand:
    """A name, and what else differs from the page's own look. By default nothing does."""

    name: str = "Quillium"
    icon: Icon | None = field(default=None, repr=False)
    accent: Accent | None = None
    welcome: str | None = None
    hidden: tuple[str, ...] = ()


QUILLIUM = Brand()
QUILLIUM_ACCENT = Accent("#3a46c2", "#a5b1ff")


def check_accent(accent: Accent) -> None:
    """Raise `InvalidRequest` if a colour can't be read; the details name one that can be."""
    for name, color in accent._asdict().items():
        theme = THEMES[name]
        found, ground = min((contrast(color, ground), ground) for ground in theme.grounds)
        if found < NEEDED_CONTRAST:
            better = _readable(color, theme, "#000000" if name == "light" else "#ffffff")
            reached = min(contrast(better, ground) for ground in theme.grounds)
            raise InvalidRequest(
                f"accent.{name}: {color} has a contrast of {_floor(found)}:1 against the ground"
                f" {ground}, expected at least {NEEDED_CONTRAST}:1; {better} has"
                f" {_floor(reached)}:1"
            )


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def styles(accent: Accent) -> str:
    """Return the style rules that replace the accent of both themes."""
    light, dark = (_declarations(name, color) for name, color in accent._asdict().items())
    # As specific as the rules of `scales.css`, which they follow.
    return (
        f":root[data-theme]{{{light}}}"
        f':root[data-theme="dark"]{{{dark}}}'
        f'@media (prefers-color-scheme:dark){{:root[data-theme="system"]{{{dark}}}}}'
    )


def _declarations(name: str, color: str) -> str:
    theme = THEMES[name]
    return ";".join(
        (
            f"--accent:{color}",
            f"--accent-soft:{_soft(color, theme)}",
            f"--bubble:{mixture(theme.paper, color, _BUBBLE)}",
            f"--focus:{color}",
        )
    )


def _soft(color: str, theme: Theme) -> str:
    """Return the strongest tint of the paper on which the accent can still be read."""
    for percent in range(round(100 * _MAX_SOFT), 0, -1):
        tint = mixture(theme.paper, color, percent / 100)
        if contrast(color, tint) >= NEEDED_CONTRAST:
            return tint
    return theme.paper


def _readable(color: str, theme: Theme, towards: str) -> str:
    """Return the nearest mixture with black or white that can be read on all grounds."""
    for percent in range(1, 100):
        mixed = mixture(color, towards, percent / 100)
        if all(contrast(mixed, ground) >= NEEDED_CONTRAST for ground in theme.grounds):
            return mixed
    return towards


def mixture(one: str, other: str, share: float) -> str:
    """Return `one` with a share, from 0 to 1, of `other` in it."""
    pairs = zip(_channels(one), _channels(other))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _channels(color: str) -> list[int]:
    return [int(color[place : place + 2], 16) for place in (1, 3, 5)]


def _luminance(color: str) -> float:
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in _channels(color))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _floor(ratio: float) -> str:
    """Format a ratio so that one which is too low never looks as if it were enough."""
    return f"{math.floor(100 * ratio) / 100:.2f}"
