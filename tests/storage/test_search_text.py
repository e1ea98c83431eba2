"""Splitting text into words, the same way for messages and queries."""

from __future__ import annotations

import sqlite3

import pytest

from storage import search_text


def finds(text: str, query: str) -> bool:
    """Whether SQLite finds every word of the query in the text."""
    connection = sqlite3.connect(":memory:")
    search_text.register(connection)
    connection.execute(
        "CREATE VIRTUAL TABLE texts USING fts5 (content, tokenize='unicode61 remove_diacritics 0')"
    )
    connection.execute("INSERT INTO texts VALUES (searchable(?))", (text,))
    words = search_text.words(query)
    matches = [
        connection.execute(
            "SELECT 1 FROM texts WHERE texts MATCH ?",
            (word.exact() if word.is_letter else word.beginning(),),
        ).fetchone()
        for word in words
    ]
    connection.close()
    return bool(words) and all(matches)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        # capitals, accents, compatibility forms
        ("Die Straße in Köln", "strasse"), ("GROẞBUCHSTABEN", "grossbuchstaben"), ("straße", "STRASSE"),
        ("Wrocław", "wroclaw"), ("đường", "duong"), ("blåbærsyltetøy", "blabaersyltetoy"),
        ("ё-моё", "е-мое"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("İstanbul", "istanbul"), ("Ångström", "angstrom"),
        ("ｆｕｌｌｗｉｄｔｈ", "fullwidth"), ("ＡＢＣ１２３", "abc123"), ("ﬁle", "file"), ("Ｃ＋＋", "c++"),
        ("e\u0301cole", "ÉCOLE"), ("soft\u00adhyphen", "softhyphen"),
        # vowel marks
        ("الْكِتَابُ", "كتاب"), ("والكتاب", "كتاب"), ("مُحَمَّد", "محمد"), ("أحمد", "احمد"), ("مـــرحبا", "مرحبا"),
        ("שָׁלוֹם", "שלום"),
        # scripts without spaces, and marks that are letters
        ("東京都庁", "京都"), ("我爱北京天安门", "天安门"), ("カタカナ", "カタ"), ("ｶﾀｶﾅ", "カタカナ"), ("が", "が"),
        ("ผมชอบกินข้าวผัดกุ้ง", "กิน"), ("ຂ້ອຍມັກເຂົ້າໜຽວ", "ເຂົ້າ"), ("မြန်မာစာ", "မာ"), ("ភាសាខ្មែរ", "ខ្មែរ"),
        ("हिन्दी में", "हिन्दी"), ("한글 문서", "\u1112\u1161\u11ab\u1100\u1173\u11af"), ("한국어를", "한국어"),
        # identifiers, versions, signs
        ("readTimeoutMillis", "Timeout"), ("readTimeoutMillis", "readtimeout"), ("useEffectOnce", "effect"),
        ("HTTPServer2", "server"), ("HTTPServer2", "httpserver2"), ("max_tokens_per_minute", "tokens"),
        ("v1.25.3", "1.25"), ("v1.25.3", "v1.25.3"), ("192.168.0.17", "192.168"), ("mp3", "mp3"),
        ("C++ templates", "C++"), ("C++17 rules", "c++"), ("C++/CLI", "c++"), ("g++ -O2", "g++"), ("i++", "i++"),
        ("use C#, please", "c#"), ("I like C#.", "C#"), ("F# is", "f#"), ("F#m", "f#"), ("A+ and B", "a+"),
        (".NET 9", ".net"), (".NET 9", "net"), ("ASP.NET core", ".net"), ("node.js", "node.js"), ("node.js", ".js"),
        ("e-mail@example.org", "example.org"), ("rock'n'roll", "rock'n'roll"), ("rock’n’roll", "rock'n'roll"),
        ("Wi-Fi", "wi-fi"), ("AT&T", "at&t"), ("#hashtag", "#hashtag"), ("foo/bar.py", "bar.py"),
        # symbols
        ("👩‍🚀 launch", "👩‍🚀"), ("☀️ sun", "☀"), ("👍🏽", "👍"), ("🇩🇪", "🇩🇪"),
    ],
)  # fmt: skip
def test_it_is_found(text: str, query: str) -> None:
    assert finds(text, query)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("a cat and a cup", "C#"), ("concatenate", "cat#"), ("see page", "e."), ("plain c code", "c++"),
        ("c code", "c#"), ("cc", "c++"), ("nets", ".net"), ("dotnet", ".net"), ("か", "が"), ("กน", "กิน"),
        ("concatenation", "cat"), ("😀", "😁"), ("v1.2", "1.3"), ("plus", "+"), ("nothing", "…"), ("京東", "東京"),
    ],
)  # fmt: skip
def test_it_is_not_found(text: str, query: str) -> None:
    assert not finds(text, query)


@pytest.mark.parametrize(
    "text", ["plain words, and more.", "It's 2024; ok? (yes)", "snake_case x-y"]
)
def test_plain_english_is_left_to_sqlite_which_splits_it_alike(text: str) -> None:
    assert search_text.searchable(text) == text
    assert all(finds(text, word) for word in text.split())


def test_the_end_of_a_long_text_is_found_as_whole_words() -> None:
    long = "readTimeoutMillis " + "word " * 5_000 + "Straße 東京都庁 useEffectOnce 一期一会"
    for query in ("timeout", "strasse", "京都", "useEffectOnce", "useeffectonce", "期一"):
        assert finds(long, query)
    assert not finds(long, "effect")  # parts are split in the beginning alone


def test_data_is_one_word() -> None:
    data = "aB3" * 100
    assert search_text.searchable(f"x1 {data}").split() == [
        "x",
        "1",
        data.lower(),
        "\U000f0000",
        "x1",
    ]


@pytest.mark.parametrize("word", ["word ", "漢", "é ", "😀"])
def test_what_is_indexed_of_a_text_is_bounded(word: str) -> None:
    size = len(word.encode())
    text = word * (2 * search_text.MAX_BYTES // size)
    assert search_text.searchable(text) == search_text.searchable(
        word * (search_text.MAX_BYTES // size) + word[: search_text.MAX_BYTES % size]
    )
    enough = word * (search_text.MAX_BYTES // size // 2) + " last"
    assert search_text.searchable(enough).endswith("last")
