"""Snippets: the excerpt of a message that a search result shows."""

from __future__ import annotations

import pytest

from storage.snippets import BEGIN, END, MAX_CHARACTERS, snippet


@pytest.mark.parametrize(
    ("content", "query", "shown"),
    [
        ("Die Straße in Köln", "strasse koln", "Die [Straße] in [Köln]"),
        ("We use C++ here", "c++", "We use [C++] here"),
        ("readTimeoutMillis", "timeout", "read[Timeout]Millis"),
        ("我爱北京天安门", "北京", "我爱[北京]天安门"),
        ("👩‍🚀 launch", "👩‍🚀", "[👩‍🚀] launch"),
        ("cat concatenate", "cat", "[cat] concatenate"),
        ("e\u0301cole", "ecole", "[e\u0301cole]"),
        (
            "\u1112\u1161\u11ab\u1100\u1173\u11af x",
            "한글",
            "[\u1112\u1161\u11ab\u1100\u1173\u11af] x",
        ),
        ("don’t stop", "don't", "[don’t] stop"),
        ("no hit", "other", "no hit"),
        ("line\n\n  two", "two", "line [two]"),
    ],
)
def test_snippets_mark_what_was_found(content: str, query: str, shown: str) -> None:
    assert snippet(content, query).replace(BEGIN, "[").replace(END, "]") == shown


def test_a_snippet_of_a_long_message_shows_the_hit() -> None:
    content = "word " * 500 + "needle" + " word" * 500
    found = snippet(content, "needle")
    assert f"{BEGIN}needle{END}" in found
    assert found.startswith("…word")
    assert found.endswith("…")
    assert len(found) <= MAX_CHARACTERS + 4


def test_markers_in_a_message_are_not_hits() -> None:
    assert snippet(f"a {BEGIN}fake{END} hit", "hit") == f"a fake {BEGIN}hit{END}"
