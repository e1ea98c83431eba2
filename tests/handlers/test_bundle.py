"""Joining modules: in the order of their imports, each in its own scope."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from handlers import bundle


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """The smallest page: an entry that imports two modules, one of which imports the other."""
    files = {
        "page/main.js": 'import { two as second } from "./two.js";\n'
        'import * as one from "./parts/one.js";\nsecond(one);\n',
        "page/two.js": '// why\nimport { one } from "./parts/one.js";\n'
        "export function two() { return one; }\n",
        "page/parts/one.js": "/* a\n   comment */\nexport const one = 1; // stays\n",
        "page/unused.js": "export const unused = 1;\n",
    }
    for name in bundle.STYLES:
        files[f"page/styles/{name}.css"] = f"/* {name} */\n.{name} {{ }}\n"
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def test_a_module_comes_after_those_that_it_imports_and_once(static: Path) -> None:
    assert list(bundle.modules(static)) == ["page/parts/one.js", "page/two.js", "page/main.js"]


def test_the_joined_script(static: Path) -> None:
    assert bundle.joined_script(static) == (
        "const m0 = {};\n"
        "(() => {\nconst one=1;Object.assign(m0,{one});\n})();\n"
        "const m1 = {};\n"
        "(() => {\nconst{one:one}=m0;function two(){return one;}\n"
        "Object.assign(m1,{two});\n})();\n"
        "const m2 = {};\n"
        "{\nconst{two:second}=m1;const one=m0;second(one);Object.assign(m2,{});\n}\n"
        'export const modules = {"page/parts/one.js": m0, "page/two.js": m1, "page/main.js": m2};\n'
    )


@pytest.mark.parametrize(
    ("source", "joined"),
    [
        ('import one from "./parts/one.js";', "const{default:one}=m0;"),
        ('import "./parts/one.js";', ""),
        ('export { one as two } from "./parts/one.js";', "Object.assign(m1,{two:m0.one});"),
        ('import { one } from "./parts/one.js";\nexport { one };', "{one:one});"),
        ('import "./parts/one.js";\nexport default 7;', "m1.default=7;"),
        (
            'import "./parts/one.js";\nnew URL("x", import.meta.url);',
            'new URL("x",new URL("../page/main.js",import.meta.url));',
        ),
        (
            'import "./parts/one.js";\nimport("../vendor/temml.js");',
            'import("../vendor/temml.js");',
        ),
    ],
)
def test_each_form_of_import_and_export(static: Path, source: str, joined: str) -> None:
    (static / "page" / "main.js").write_text(source)
    script = bundle.joined_script(static)
    assert joined in script
    assert 'from "' not in script


def test_styles_are_joined_in_their_order(static: Path) -> None:
    expected = "".join(f".{name}{{}}" for name in bundle.STYLES) + "\n"
    assert bundle.joined_styles(static) == expected


@pytest.mark.parametrize("name", ["page/parts/one.js", "page/styles/devices.css"])
def test_a_source_that_changes_is_noticed(static: Path, name: str) -> None:
    before = bundle.changed(static)
    os.utime(static / name, ns=(before + 1, before + 1))
    assert bundle.changed(static) == before + 1
