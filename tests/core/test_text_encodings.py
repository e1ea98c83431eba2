"""Text in any encoding becomes readable, also where the file is cut in a character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text_encodings import decoded

TEXTS = {
    "German": "Die Größe der Tür überrascht: fünf Meter, schön weiß gestrichen.",
    "French": "L'été dernier, le garçon était très fâché à cause du gâteau.",
    "Polish": "Chciałbym zamówić dużą kawę z mlekiem, a później pójdziemy się przejść.",
    "Greek": "Η γρήγορη αλεπού πηδάει πάνω από το τεμπέλικο σκυλί.",
    "Russian": "Съешь же ещё этих мягких французских булок да выпей чаю.",
    "Japanese": "これは日本語の文章です。とても読みやすいと思います。",
    "Chinese": "这是一个用中文写的句子，我们在这里说的是他的生活和工作。",
    "Traditional": "這是一個用中文寫的句子，我們在這裡說的是他的生活和工作。",
    "Korean": "이것은 한국어로 쓴 문장이고 우리는 그것을 읽을 수 있습니다.",
}


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        *((name, encoding) for name in TEXTS for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32")),
        ("German", "latin-1"), ("French", "cp1252"), ("Polish", "cp1250"), ("Greek", "cp1253"),
        ("Russian", "cp1251"), ("Russian", "koi8_r"), ("Japanese", "shift_jis"),
        ("Japanese", "euc_jp"), ("Chinese", "gb18030"), ("Traditional", "big5"),
        ("Korean", "euc_kr"),
    ],
)  # fmt: skip
def test_encodings(name: str, encoding: str) -> None:
    content = TEXTS[name].encode(encoding)
    assert decoded(content) == TEXTS[name]
    if not encoding.startswith("utf"):
        return
    cut = decoded(content[:-1], is_whole=False)
    assert TEXTS[name].startswith(cut)
    assert len(cut) >= len(TEXTS[name]) - 1


def test_big_endian_marks() -> None:
    assert decoded(b"\xfe\xff" + "Grüße".encode("utf-16-be")) == "Grüße"
    assert decoded(b"\0\0\xfe\xff" + "Grüße".encode("utf-32-be")) == "Grüße"


def test_what_can_not_be_read() -> None:
    assert decoded(b"\xff\xfea") == "\ufffd"
    assert decoded(b"one\r\ntwo\x00") == "one\ntwo"
    assert decoded(b"\x81 is in none of them") == "\ufffd is in none of them"


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes(content: bytes, is_whole: bool) -> None:
    text = decoded(content, is_whole=is_whole)
    assert "\x00" not in text
    text.encode()  # no lone surrogate
