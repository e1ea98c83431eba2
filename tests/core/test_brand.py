"""The contrast of a brand's colours, and the styles that follow from them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.brand import (
    NEEDED_CONTRAST,
    QUILLIUM_ACCENT,
    THEMES,
    Accent,
    check_accent,
    contrast,
    mixture,
    styles,
)
from core.errors import InvalidRequest

SCALES = Path(__file__).parent.parent.parent / "static" / "page" / "styles" / "scales.css"
ON_ACCENT = {"light": "#ffffff", "dark": "#12131a"}


def scale(name: str) -> dict[str, str]:
    """The colours of a theme of the page."""
    start = "color-scheme: light;" if name == "light" else 'data-theme="dark"] {'
    text = SCALES.read_text().partition(start)[2].partition("}")[0]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", text))


@pytest.mark.parametrize("name", THEMES)
def test_the_themes_are_the_pages(name: str) -> None:
    colors, theme = scale(name), THEMES[name]
    assert theme.paper == colors["paper"]
    assert theme.grounds == (colors["paper"], colors["paper-2"], colors["raised"])
    assert getattr(QUILLIUM_ACCENT, name) == colors["accent"]
    assert ON_ACCENT[name] == colors["on-accent"]


def test_contrast() -> None:
    """The examples of WCAG's own tools."""
    assert contrast("#000000", "#ffffff") == contrast("#ffffff", "#000000") == 21
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.542, abs=0.001)
    assert contrast("#123456", "#123456") == 1


def test_mixture() -> None:
    assert mixture("#000000", "#ffffff", 0.5) == "#808080"
    assert mixture("#102030", "#405060", 0) == "#102030"
    assert mixture("#102030", "#405060", 1) == "#405060"


@pytest.mark.parametrize(
    ("name", "color"),
    [
        ("light", "#777777"),
        ("dark", "#777777"),
        ("light", "#0ea5e9"),
        ("light", "#ffffff"),
        ("dark", "#0b6b4f"),
        ("dark", "#000000"),
    ],
)
def test_a_color_that_can_not_be_read(name: str, color: str) -> None:
    """The error says what was measured, and a colour that would do."""
    with pytest.raises(InvalidRequest) as raised:
        check_accent(QUILLIUM_ACCENT._replace(**{name: color}))
    found = re.fullmatch(
        rf"accent\.{name}: {color} has a contrast of ([\d.]+):1 against the ground (#\w+),"
        r" expected at least 4\.5:1; (#\w+) has ([\d.]+):1",
        raised.value.details,
    )
    assert found is not None, raised.value.details
    assert 0 <= contrast(color, found[2]) - float(found[1]) < 0.01
    assert float(found[1]) < NEEDED_CONTRAST <= float(found[4])
    check_accent(QUILLIUM_ACCENT._replace(**{name: found[3]}))


@pytest.mark.parametrize("hue", ["#3a46c2", "#b0261c", "#0b6b4f", "#7a4a00", "#000000"])
def test_everything_can_be_read_with_any_accent_that_is_accepted(hue: str) -> None:
    accent = Accent(hue, mixture(hue, "#ffffff", 0.7))
    check_accent(accent)
    light, dark, system = re.findall(r"\[data-theme[^{]*\{([^}]*)\}", styles(accent))
    assert dark == system
    for name, declarations in {"light": light, "dark": dark}.items():
        made = dict(part.removeprefix("--").split(":") for part in declarations.split(";"))
        assert set(made) == {"accent", "accent-soft", "bubble", "focus"} < set(scale(name))
        ink = scale(name)["ink"]
        assert contrast(made["accent"], ON_ACCENT[name]) >= NEEDED_CONTRAST
        assert contrast(made["accent-soft"], made["accent"]) >= NEEDED_CONTRAST
        assert contrast(made["accent-soft"], ink) >= NEEDED_CONTRAST
        assert contrast(made["bubble"], ink) >= NEEDED_CONTRAST


@pytest.mark.parametrize("name", THEMES)
def test_the_pages_own_colors(name: str) -> None:
    """What a user wrote or chose stands out, and so does what has the focus."""
    colors = scale(name)
    for ground in ("paper", "paper-2", "paper-3", "raised", "bubble", "accent-soft"):
        assert contrast(colors["ink"], colors[ground]) >= NEEDED_CONTRAST
    for ground in ("paper", "paper-2", "paper-3", "raised"):
        assert contrast(colors["ink-2"], colors[ground]) >= NEEDED_CONTRAST
        assert contrast(colors["focus"], colors[ground]) >= 3
    assert contrast(colors["accent"], colors["accent-soft"]) >= NEEDED_CONTRAST
    for ground in ("paper", "paper-2"):
        assert contrast(colors["bubble"], colors[ground]) >= 1.3


def test_the_tint_of_a_pale_accent_is_weaker() -> None:
    strong, pale = styles(Accent("#3a46c2", "#a5b1ff")), styles(Accent("#0a75a5", "#a5b1ff"))
    soft = [re.search(r"--accent-soft:(#\w+)", text) for text in (strong, pale)]
    assert soft[0]
    assert soft[1]
    paper = THEMES["light"].paper
    assert contrast(soft[0][1], paper) > contrast(soft[1][1], paper)
    assert contrast("#0a75a5", soft[1][1]) >= NEEDED_CONTRAST
