"""Minifying: what a script or a style sheet means stays, what only readers need goes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from handlers import bundle, minify
from tests.program import ROOT


@pytest.mark.parametrize(
    ("source", "smaller"),
    [
        ("const a = 1; // why\nconst b = 2;", "const a=1;const b=2;"),
        ("/** Doc. */\nlet a = 1\nlet b = 2", "let a=1\nlet b=2"),
        ("return a + +b - -c;", "return a+ +b- -c;"),
        ("x = 'a // b' + \"/* c */\";", "x='a // b'+\"/* c */\";"),
        ("y = /[/*]\\/\"/g.test(z) / 2 / w;", 'y=/[/*]\\/"/g.test(z)/2/w;'),
        ("return /a b/;", "return/a b/;"),
        ("`a  ${ b  +  `c  ${d}` }  e`", "`a  ${b+`c  ${d}`}  e`"),
        ("html`<p>\n      ${ x ? html`\n  <b> y </b>` : 1 }\n   </p>`",
         "html`<p>\n${x?html`\n<b> y </b>`:1}\n</p>`"),
        ("`${ {a: \"}\"}.a }  x`", '`${{a:"}"}.a}  x`'),
        ("class A { #b = 1; c() { return #b in this; } }",
         "class A{#b=1;c(){return #b in this;}}"),
        ("if (a)\n  b()\n(c)", "if(a)\nb()\n(c)"),
        ("a = `\\`  \\${b}`  ;", "a=`\\`  \\${b}`;"),
    ],
)  # fmt: skip
def test_scripts(source: str, smaller: str) -> None:
    assert minify.script(source) == smaller + "\n"


def test_styles() -> None:
    source = """/* why */
    a:hover,  b > c { color : var(--x); content: "{ ; }  "; }
    @media (max-width: 50rem) { .d .e { margin: 0  auto; } }
    """
    assert minify.styles(source) == (
        'a:hover,b > c{color :var(--x);content:"{ ; }  "}'
        "@media (max-width:50rem){.d .e{margin:0 auto}}\n"
    )


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_every_module_of_the_page_stays_valid(tmp_path: Path) -> None:
    script = tmp_path / "page.mjs"
    script.write_text(bundle.joined_script(ROOT / "static"))
    run = subprocess.run(["node", "--check", script], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
