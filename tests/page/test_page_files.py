"""Static checks of the page's files for mistakes that a browser would not report."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import runpy
from pathlib import Path

import pytest

from handlers import bundle
from tests.program import ROOT

STATIC = ROOT / "static"
PAGE = STATIC / "page"
VENDOR = STATIC / "vendor"
LANGUAGES = {
    file.stem: json.loads(file.read_text()) for file in sorted((PAGE / "languages").glob("*.json"))
}
# What the page at `/` may load; `/docs`, `/dev` and the gallery have their own, and the client's sources are joined.
LOADED = [
    file
    for file in sorted([*STATIC.rglob("*.js"), *STATIC.rglob("*.css")])
    if file.parent.name not in {"docs", "dev", "client", "gallery"} and file.stem != "swagger-ui"
]
LOADED += [STATIC / "client" / "records.js", STATIC / "client" / "tabs.js"]
FONTS = STATIC / "fonts"
MAX_BYTES = 240 * 1024  # of all script and style, gzipped, and of the font
PLURALS = {"one", "other"}
client = runpy.run_path(str(ROOT / "packaging" / "client.py"))  # `packaging` is also a library


def modules() -> list[Path]:
    """The page's own."""
    own = [file for file in sorted(PAGE.rglob("*.js")) if file.parent.name != "gallery"]
    return [STATIC / "quillium.js", STATIC / "theme.js", *own]


def base(key: str) -> str:
    """A key without the form of its number."""
    stem, _, last = key.rpartition(".")
    return stem if last in PLURALS else key


def test_all_languages_say_the_same() -> None:
    assert list(LANGUAGES) == ["de", "en", "es", "fr", "zh"]
    spoken = (PAGE / "state" / "words.js").read_text()
    assert set(re.findall(r'\b([a-z]{2}): "', spoken.partition("LANGUAGES = {")[2])) == {*LANGUAGES}
    keys = {base(key) for key in LANGUAGES["en"]}
    for language, words in LANGUAGES.items():
        assert {base(key) for key in words} == keys, language
        assert all(text.strip() for text in words.values()), language
        one_and_other = [key for key in words if key.endswith(".one")]
        assert all(key[:-3] + "other" in words for key in one_and_other), language


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_put_into_words_is_the_same(language: str) -> None:
    def places(words: dict[str, str], key: str) -> set[str]:
        text = words.get(key, words.get(f"{key}.other", ""))
        return set(re.findall(r"\{(\w+)\}", text))

    for key in {base(key) for key in LANGUAGES["en"]}:
        assert places(LANGUAGES[language], key) == places(LANGUAGES["en"], key), key


def test_the_typography_of_each_language() -> None:
    """Quotation marks, apostrophes and spaces are those of a printed text."""
    for language, words in LANGUAGES.items():
        for key, text in words.items():
            assert not set("\"'") & set(text), f"{language} {key}"
            assert "..." not in text, f"{language} {key}"
    for key, text in LANGUAGES["fr"].items():
        assert not re.search(r" [:;!?»%]|« |«\w|\w[;!?»%]", text), key  # but a no-break space
    for key, text in LANGUAGES["de"].items():
        assert not re.search(r"[“”][^„]*[“”]", text), key
        assert not re.search(r"\d%", text), key


def test_every_key_is_used_and_every_key_that_is_used_is_there() -> None:
    source = "\n".join(file.read_text() for file in modules())
    named = set(re.findall(r'"([a-z]+\.[a-z_0-9.]+)"', source))
    # Such as t(`error.${code}`): any key with that beginning may be meant.
    begun = {
        text.partition("${")[0] for text in re.findall(r"`([a-z]+\.[^`\s]*\$\{[^`]*)`", source)
    }
    ended = set(re.findall(r"`\$\{\w+\}(\.[a-z_.]+)`", source))  # such as t(`${which}.lead`)
    keys = {base(key) for key in LANGUAGES["en"]}
    unused = {
        key
        for key in keys - named
        if not key.startswith(tuple(begun)) and not key.endswith(tuple(ended))
    }
    assert unused == set()
    called = set(re.findall(r'\bt\(\s*"([^"]+)"', source))
    assert called - keys == set()
    for beginning in begun:
        assert any(key.startswith(beginning) for key in keys), beginning


def test_the_libraries_are_as_they_were_brought() -> None:
    record = json.loads((VENDOR / "vendor.json").read_text())
    known = {"vendor.json", "vendor.py"}
    for row in record:
        content = (VENDOR / row["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"], row["file"]
        assert row["licence"] in {"MIT", "Apache-2.0", "BSD-3-Clause", "(MPL-2.0 OR Apache-2.0)"}
        assert (VENDOR / row["licence_file"]).stat().st_size > 500
        assert f'"{row["library"]}", "{row["version"]}"' in (VENDOR / "vendor.py").read_text()
        known |= {row["file"], row["licence_file"]}
    assert {file.name for file in VENDOR.iterdir() if file.is_file()} == known


def test_what_is_loaded_is_small() -> None:
    assert len(LOADED) > 40
    texts = [bundle.joined_script(STATIC), bundle.joined_styles(STATIC)]
    texts += [(STATIC / name).read_text() for name in bundle.LATER]
    fonts = [file.stat().st_size for file in FONTS.glob("*.woff2")]
    assert len(fonts) == 2
    assert sum(len(gzip.compress(text.encode(), 6)) for text in texts) + sum(fonts) < MAX_BYTES


def test_every_token_of_the_scales_is_used() -> None:
    styles = "".join(file.read_text() for file in (PAGE / "styles").glob("*.css"))
    defined = set(re.findall(r"(--[\w-]+): ", (PAGE / "styles" / "scales.css").read_text()))
    assert len(defined) > 40
    assert {name for name in defined if f"var({name})" not in styles} == set()


def test_the_font_is_as_it_was_made() -> None:
    record = json.loads((FONTS / "fonts.json").read_text())
    for row in record:
        assert hashlib.sha256((FONTS / row["file"]).read_bytes()).hexdigest() == row["sha256"]
        assert f'"{row["package"]}", "{row["version"]}"' in (FONTS / "fonts.py").read_text()
    assert "SIL Open Font License" in (FONTS / "geist.LICENSE.txt").read_text()
    named = re.findall(
        r'url\("\.\./\.\./fonts/([^"]+)"', (PAGE / "styles" / "scales.css").read_text()
    )
    assert sorted(named) == sorted(row["file"] for row in record)


def test_every_module_is_joined() -> None:
    joined = list(bundle.modules(STATIC))
    expected = {file.relative_to(STATIC).as_posix() for file in LOADED if file.suffix == ".js"}
    assert set(joined) == expected - {
        "theme.js",
        *bundle.LATER,
    }  # a script each, and those loaded later
    styles = {file.stem for file in (PAGE / "styles").glob("*.css")}
    assert styles == set(bundle.STYLES)


def test_modules_can_be_joined() -> None:
    """No circle of imports, no export that is assigned again, and no other form of either."""
    order = list(bundle.modules(STATIC))
    for place, name in enumerate(order):
        source = (STATIC / name).read_text()
        for path in re.findall(r'(?:from|import) ?"(\.[^"]+)"', source):
            other = ((STATIC / name).parent / path).resolve().relative_to(STATIC.resolve())
            assert order.index(other.as_posix()) < place, name
        assert "export let" not in source
        assert "export var" not in source
    script = bundle.joined_script(STATIC)
    assert re.findall(r"^(?:import|export) (?!const modules)", script, re.MULTILINE) == []
    assert re.findall(r'import\("([^"]+)"\)', script) == [f"../{name}" for name in bundle.LATER]


def test_the_client_is_joined_from_its_modules() -> None:
    assert client["TARGET"].read_text() == client["joined"](), "run: python packaging/client.py"
    assert {file.stem for file in (STATIC / "client").glob("*.js")} == {*client["MODULES"]}


def test_every_import_leads_to_a_file() -> None:
    for file in modules():
        for name in re.findall(r'(?:from|import) ?\(?"(\.[^"]+)"', file.read_text()):
            assert (file.parent / name).is_file(), f"{file.name}: {name}"


def test_the_dark_colours_are_the_same_twice() -> None:
    text = (PAGE / "styles" / "scales.css").read_text()
    chosen, system = re.findall(r'data-theme="(?:dark|system)"\] \{(.*?)\}', text, re.DOTALL)
    assert chosen.split() == system.split()
    assert "--accent" in chosen


def test_styles_take_colours_from_one_place() -> None:
    for file in (PAGE / "styles").glob("*.css"):
        if file.name != "scales.css":
            assert re.findall(r"#[0-9a-f]{3,8}\b|\brgb", file.read_text()) == [], file.name


def test_the_page_names_no_other_host() -> None:
    for file in [STATIC / "index.html", *modules(), *(PAGE / "styles").glob("*.css")]:
        hosts = set(re.findall(r"(?:https?:)?//([a-z0-9-]+\.[a-z.]+|localhost)", file.read_text()))
        assert hosts <= {"localhost", "example.com"}, file.name  # in comments
