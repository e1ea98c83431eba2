"""Closing Markdown that a stopped reply left open, and escaping a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from core.markdown import closed, escaped


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("", ""),
        ("plain", ""),
        ("```py\nx = 1\n```", ""),
        ("```py\nx = 1", "\n```"),
        ("```py\nx = 1\n", "\n```"),
        ("```", "\n```"),
        ("~~~~\n~~~\n```", "\n~~~~"),
        ("````\n```\n", "\n````"),
        ("```a`b\ninline", ""),
        ("1. a\n\n   ```\n   x", "\n   ```"),
        ("- ```\n  x", "\n  ```"),
        ("> ```\n> x", "\n> ```"),
        ("```\n$$\n<!--\n```", ""),
        ("$$\nx", "\n$$"),
        ("$$\nx\n$$", ""),
        ("$$x$$", ""),
        ("\\[\nx", "\n\\]"),
        ("<!-- a", "\n-->"),
        ("<!-- a -->", ""),
        ("<details>\n<summary>x</summary>\n\ny", "\n</details>"),
        ("<details>\n\n```\ny", "\n```\n</details>"),
        ("<details>\ny\n</details>", ""),
        ("<pre>\ny", "\n</pre>"),
        ("text <div> text", ""),
    ],
)
def test_what_is_left_open_is_closed(text: str, end: str) -> None:
    assert closed(text) == text.removesuffix("\n") * (end != "") + text * (end == "") + end
    assert closed(closed(text)) == closed(text)


PIECES = ["```", "~~~", "````py", "\n", "x", "> ", "- ", "  ", "\n\n", "$$", "`"]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_no_fence_takes_in_the_next_message(text: str) -> None:
    """Whatever a message holds at the left edge, the heading that follows is a heading."""
    if any(line[:1] in "> -" for line in text.splitlines() if line):
        return  # those end with what they are in
    tokens = MarkdownIt("commonmark").parse(f"{closed(text)}\n\n# next\n")
    assert [token.type for token in tokens[-3:]] == ["heading_open", "inline", "heading_close"]


@given(st.text(alphabet="a1 \n\t`*_[]()<>#|~$&;!-+.=:/\\é", max_size=12))
def test_an_escaped_text_is_displayed_literally(text: str) -> None:
    line = " ".join(text.split())
    heading, inline, _ = MarkdownIt().parse(f"# {escaped(text)}")
    assert (heading.tag, inline.map) == ("h1", [0, 1])
    assert "".join(token.content for token in inline.children or ()) == line
    assert {token.type for token in inline.children or ()} <= {"text", "text_special"}
