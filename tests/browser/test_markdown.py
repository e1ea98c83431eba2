"""Markdown rendering: against a reference renderer, while streaming, and hostile input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, Page

from tests.browser.conftest import needs_chromium
from tests.browser.markdown_cases import BEYOND_REFERENCE, LIKE_REFERENCE
from tests.program import Program

pytestmark = needs_chromium

REFERENCE = MarkdownIt("commonmark", {"breaks": True, "html": False}).enable(
    ["table", "strikethrough"]
)

# `shown(text)` and `expected(html)` give what is seen in one form: without the page's own wrappers,
# with the source of formulas, and with the one paragraph of a list's item without its `p`.
TOOLS = """async () => {
  const {MarkdownView} = await import("/static/page/markdown/view.js");
  const {drawn} = await import("/static/page/markdown/morph.js");
  const escaped = text => text.replace(/[&<>]/g, c => ({"&": "&amp;", "<": "&lt;", ">": "&gt;"}[c]));
  const kept = {A: ["href"], OL: ["start"], TD: ["align"], TH: ["align"], DIV: ["align"]};
  const BLOCKS = /^(ADDRESS|BLOCKQUOTE|DETAILS|DIV|H[1-6]|HR|LI|OL|P|PRE|SECTION|SUMMARY|TABLE|TBODY|TD|TH|THEAD|TR|UL)$/;
  const isBlock = node => node?.nodeType === 1 && BLOCKS.test(node.nodeName);
  const isSpace = node => node.nodeType === 3 && !node.data.trim()
    && (isBlock(node.previousSibling) || isBlock(node.nextSibling) || !node.parentNode.matches("p, li, td, th, summary"));
  const all = node => [...node.childNodes].filter(child => !isSpace(child)).map(form).join("");
  const trimmed = text => text.replace(/\\s*\\n\\s*/g, "\\n").replace(/<br>\\n/g, "<br>").trim();
  function form(node) {
    if (node.nodeType === 3) return escaped(node.data.replace(/\\s+/g, " "));
    const name = node.nodeName.toLowerCase();
    if (node.matches("section, .code-block, .scroll")) return all(node);
    if (node.matches(".code-bar")) return "";
    if (node.matches(".math")) return `<math>${escaped(drawn.get(node).source)}</math>`;
    if (node.matches("sup.footnote-reference")) return `<sup>${node.textContent}</sup>`;
    if (name === "pre") {
      const language = /language-(\\S+)/.exec(node.firstElementChild?.className ?? "")?.[1];
      return `<pre>${language ? `${language}|` : ""}${escaped(node.textContent)}</pre>`;
    }
    if (name === "input") return `<input${node.checked ? " checked" : ""} disabled>`;
    if (/^(p|tbody)$/.test(name) && !node.textContent && !node.children.length) return "";
    let inner = all(node);
    if (name === "li") {
      const paragraphs = [...node.children].filter(child => child.nodeName === "P" && !child.matches(".formula"));
      if (paragraphs.length === 1 && paragraphs[0] === node.firstElementChild) {
        const rest = [...node.childNodes].filter(child => child !== paragraphs[0] && !isSpace(child));
        inner = all(paragraphs[0]).trim() + rest.map(form).join("");
      }
    }
    if (isBlock(node)) inner = inner.replace(/^ | $/g, "").replace(/ (?=<(?:[ou]l|p|pre|table|blockquote)\\b)/g, "");
    inner = inner.replace(/<br> /g, "<br>");
    const style = node.getAttribute("style")?.replace("text-align:", "");
    if (style) node.setAttribute("align", style);
    const attributes = (kept[node.nodeName] ?? []).filter(key => node.hasAttribute(key))
      .map(key => ` ${key}="${escaped(node.getAttribute(key))}"`).join("");
    const isVoid = ["br", "hr", "wbr"].includes(name);
    return `<${name}${attributes}>${isVoid ? "" : `${inner}</${name}>`}`;
  }
  const make = () => {
    const root = Object.assign(document.createElement("div"), {className: "prose"});
    document.body.append(root);
    return {root, view: new MarkdownView(root)};
  };
  window.rendered = (text, isOpen = false) => {
    const {root, view} = make();
    view.update(text, isOpen);
    view.flush();
    root.remove();
    return root;
  };
  window.shown = (text, isOpen) => all(rendered(text, isOpen));
  window.expected = html => {
    const root = document.createElement("div");
    root.innerHTML = html;
    return all(root);
  };
  // The text grows; what was final stays the same nodes, and each state is as if it had come at once.
  window.grown = (text, cuts) => {
    const {root, view} = make();
    const wrong = [];
    let before = "";
    for (const cut of cuts) {
      const kept = [...root.children].slice(0, -3);
      view.update(text.slice(0, cut), true);
      view.flush();
      if (kept.some((node, place) => root.children[place] !== node)) wrong.push(`replaced at ${cut}`);
      const once = shown(text.slice(0, cut), true);
      if (all(root) !== once) wrong.push([cut, all(root), once]);
    }
    view.update(text, false);
    view.flush();
    if (all(root) !== shown(text)) wrong.push(["end", all(root), shown(text)]);
    root.remove();
    return wrong;
  };
}"""


@pytest.fixture(scope="module")
def page(browser: Browser, served: Program) -> Iterator[Page]:
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(served.url)
    opened.evaluate(TOOLS)
    yield opened
    context.close()


@pytest.mark.parametrize("text", LIKE_REFERENCE)
def test_it_is_read_as_by_the_reference_renderer(page: Page, text: str) -> None:
    reference = page.evaluate("html => expected(html)", REFERENCE.render(text))
    assert page.evaluate("text => shown(text)", text) == reference


@pytest.mark.parametrize(("text", "expected"), BEYOND_REFERENCE)
def test_it_is_read_as_people_mean_it(page: Page, text: str, expected: str) -> None:
    assert page.evaluate("text => shown(text)", text) == expected


def test_the_table_is_long_enough() -> None:
    assert len(LIKE_REFERENCE) >= 60
    assert len(BEYOND_REFERENCE) >= 40


PIECES = [
    *("a", " b", "\n", "\n\n", "- ", "1. ", "2. item", "\n- item", "\n  - nested", "    code", "* x *"),
    *("```", "\n```py\nx = 1\n", "\n```\n", "~~~", "> ", "\n> quote", "# ", "**", "*", "_", "`", "~~"),
    *("| a | b |\n|---|---|\n", "| 1 | 2 |\n", "|", "---", "\n===\n", "[x]", "[x]: https://a.example\n"),
    *("[^1]", "\n[^1]: note", "$", "$$", "\n$$\n", "\\(", "\\)", "\n\\[\n", "\\]", "<b>", "</b>", "<br>"),
    *("\n<details>\n", "\n</details>\n", "<summary>s</summary>", "https://a.example", "\r\n", "\t", "正文"),
]  # fmt: skip


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=25),
    seed=st.lists(st.integers(0, 400), min_size=1, max_size=12),
)
def test_a_text_that_grows_is_the_same_as_one_that_comes_at_once(
    page: Page, pieces: list[str], seed: list[int]
) -> None:
    text = "".join(pieces)
    cuts = sorted({cut % (len(text) + 1) for cut in seed})
    wrong = page.evaluate("([text, cuts]) => grown(text, cuts)", [text, cuts])
    assert wrong == [], repr((text, cuts))


@pytest.mark.parametrize("text", [text for text, _ in BEYOND_REFERENCE] + LIKE_REFERENCE)
def test_each_case_grows_character_by_character(page: Page, text: str) -> None:
    cuts = list(range(len(text) + 1))
    wrong = page.evaluate("([text, cuts]) => grown(text, cuts)", [text, cuts])
    assert wrong == [], repr((text, cuts))


def tree(page: Page, text: str, script: str) -> Any:
    return page.evaluate(f"text => (root => {script})(rendered(text))", text)


def test_what_must_survive_the_sanitizer(page: Page) -> None:
    text = "7. seven\n\n- [x] done\n\n|a|b|c|\n|:--|:-:|--:|\n|1|2|3|\n\n```py\nx\n```\n\n$x$"
    assert tree(page, text, "root.querySelector('ol').start") == 7
    assert tree(page, text, "root.querySelector('input').type") == "checkbox"
    assert tree(page, text, "root.querySelector('input').disabled") is True
    cells = "[...root.querySelectorAll('td')].map(cell => cell.align)"
    assert tree(page, text, cells) == ["left", "center", "right"]
    assert tree(page, text, "root.querySelector('code').className") == "language-py"
    assert tree(page, "שלום\n\n- a\n- ב", "[...root.querySelectorAll('[dir=auto]')].length") == 3


def test_formulas_become_mathml(page: Page) -> None:
    drawn = """([text, wanted]) => new Promise((resolve, reject) => {
      const root = rendered(text);
      const look = left => {
        const all = [...root.querySelectorAll("math")];
        if (all.length === wanted) resolve(all.map(math => math.outerHTML));
        else if (left) setTimeout(look, 20, left - 1);
        else reject(new Error(root.innerHTML));
      };
      look(400);
    })"""
    text = "$x^2$ \\(\\frac{1}{2}\\)\n\n$$\\begin{pmatrix}a & b\\\\c & d\\end{pmatrix}$$\n\n\\[\\color{red}x\\]"
    found = page.evaluate(drawn, [text, 4])
    assert "<msup>" in found[0]
    assert "<mfrac>" in found[1]
    assert found[2].count("<mtd") == 4
    assert 'display="block"' in found[2]
    assert "color: rgb(255, 0, 0)" in found[3]
    hostile = r"$\href{javascript:alert(1)}{x}$ $\unknown{x}$ $\includegraphics{https://x}$ $y$"
    assert "javascript" not in "".join(page.evaluate(drawn, [hostile, 1]))


# Texts that take some parsers quadratic time or more than that; the last take the longest.
SLOW = {
    "quotes": ">" * 50_000, "emphasis": "_a_" * 30_000, "brackets": "[" * 19_900,
    "images": "![" * 9_900, "stars": "*a_ " * 4_900, "links": "[a](" * 4_900, "html": "<b>" * 6_000,
    "comments": "<!-- " * 3_900, "dollars": "$a " * 6_600, "formulas": "\\(" * 9_900,
    "address": "a." * 40_000 + "@", "parentheses": "https://a" + ")" * 19_000, "www": "www." * 4_900,
    "ticks": "".join("`" * count + " " for count in range(1, 190)), "notes": "[^a" * 6_600,
    "nested": "".join("  " * depth + "- a\n" for depth in range(200)),
    "definitions": "".join(f"[a{number}]: x\n" for number in range(3_000)),
    "fences": "```markdown\n" * 3_000, "blocks": "$$\n" * 5_000, "divs": "<div>\n\n" * 3_000,
    "details": "<details>\n\n" * 2_000, "items": "1. a **b** `c`\n" * 6_000,
    "rows": "|a|b|\n|-|-|\n" + "|1|2|\n" * 3_000, "lines": "a\n" * 9_900,
}  # fmt: skip


@pytest.mark.parametrize("name", SLOW)
def test_no_text_takes_long(page: Page, name: str) -> None:
    """Each takes half a second at most here; a quadratic one would exceed the time-out."""
    page.set_default_timeout(20_000)
    length = page.evaluate("text => rendered(text).textContent.length", SLOW[name])
    assert length > 0 or name in {"definitions"}
