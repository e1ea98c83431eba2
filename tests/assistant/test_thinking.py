"""Separating reasoning that is written into the text of a reply."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from assistant.events import Reasoning, Text
from assistant.thinking import ThinkTagSplitter


def split(pieces: Iterable[str]) -> tuple[str, str]:
    """Return the reasoning and the answer of a text that comes in these pieces."""
    splitter, thought, said = ThinkTagSplitter(), "", ""
    fed = [event for piece in pieces for event in splitter.feed(piece)]
    for event in (*fed, *splitter.end()):
        if isinstance(event, Reasoning):
            thought += event.text
        else:
            said += event.text
    return thought, said


@pytest.mark.parametrize(
    ("text", "thought", "said"),
    [
        ("Hello", "", "Hello"),
        ("  Hello ", "", "  Hello "),
        ("<think>\nHm, no\n</think>\n\nHello", "Hm, no", "Hello"),
        ("\n<thinking>Hm</thinking>Hello", "Hm", "Hello"),
        ("<thought>Hm</thought>Hello", "Hm", "Hello"),
        ("[THINK]Hm[/THINK]Hello", "Hm", "Hello"),
        ("<think>Hm</think><think>Ha</think>Hello", "HmHa", "Hello"),
        ("<think></think>Hello", "", "Hello"),
        ("<think>Hm</thinking> Ha</think>Hello", "Hm</thinking> Ha", "Hello"),
        ("<think>Never closed \n", "Never closed", ""),
        ("<think>Hm</thin", "Hm</thin", ""),
        ("Use <think>x</think>", "", "Use <think>x</think>"),
        ("<think>Hm</think>A <think>b</think>", "Hm", "A <think>b</think>"),
        ("<thin", "", "<thin"),
        ("<b>Hello", "", "<b>Hello"),
        (" \n", "", ""),
    ],
)
def test_split_at_any_place(text: str, thought: str, said: str) -> None:
    assert split([text]) == (thought, said)
    assert split(text) == (thought, said)
    for at in range(1, len(text)):
        assert split((text[:at], text[at:])) == (thought, said)


def test_what_is_certain_is_passed_on_at_once() -> None:
    splitter = ThinkTagSplitter()
    assert list(splitter.feed("<thi")) == []
    assert list(splitter.feed("nk> Hm, a<")) == [Reasoning("Hm, a")]
    assert list(splitter.feed("b ")) == [Reasoning("<b")]
    assert list(splitter.feed("c</think>")) == [Reasoning(" c")]
    assert list(splitter.feed(" Hi")) == [Text("Hi")]
    assert list(splitter.feed(" <think>")) == [Text(" <think>")]
    assert list(splitter.end()) == []
