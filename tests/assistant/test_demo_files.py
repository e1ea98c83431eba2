"""`quillium-demo` describes the files that it was given, in the language of the conversation."""

from __future__ import annotations

import base64

import pytest

from assistant import AttachedFile, PromptMessage
from assistant.demo import Demo
from assistant.demo_conversation import LANGUAGES
from assistant.demo_files import describe
from assistant.events import Text
from assistant.pdf import PdfText
from tests.core.test_image_size import PNG

ENGLISH, GERMAN = LANGUAGES[0], LANGUAGES[1]
IMAGE = AttachedFile("photo.png", "image/png", 1_234_567, PNG)
NOTES = AttachedFile("notes.txt", "text/plain", 22, b"the  quick brown\nfox\r\n ")


def test_descriptions() -> None:
    assert describe(IMAGE, ENGLISH) == (
        "You sent `photo.png`: an image (PNG, 1.2 MB) of 640 × 480 pixels."
    )
    assert "(PNG, 1,2 MB) mit 640 × 480 Pixeln" in describe(IMAGE, GERMAN)
    assert describe(NOTES, ENGLISH) == (
        "You sent `notes.txt`: a text (22 B) that begins “the quick brown fox”"
    )
    paper = AttachedFile("a`b.pdf", "application/pdf", 20_480, b"%PDF-1.7")
    assert describe(paper, ENGLISH) == (
        "You sent `a'b.pdf`: a file of 20 KB (PDF), which I can't read."
    )
    said = describe(paper._replace(text=PdfText("Hello\nworld")), ENGLISH)
    assert said == "You sent `a'b.pdf`: a PDF file (20 KB) that begins “Hello world”"
    unread = paper._replace(text=PdfText(problem="it is encrypted."))
    assert describe(unread, ENGLISH) == describe(paper, ENGLISH)
    damaged = AttachedFile("photo.png", "image/png", 1_500, b"\x89PNG")
    assert describe(damaged, ENGLISH) == "You sent `photo.png`: an image (PNG, 1.5 KB)."


def test_a_long_text_is_cut() -> None:
    long = AttachedFile("long.txt", "text/plain", 10_000_000, b"word " * 20_000)
    said = describe(long, ENGLISH)
    assert said.endswith("word…”")
    assert len(said) < 140


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_each_language(language: object) -> None:
    paper = AttachedFile("a.pdf", "application/pdf", 20_480, b"", PdfText("Hello"))
    for file in (IMAGE, NOTES, paper):
        assert file.name in describe(file, language)  # type: ignore[arg-type]


async def said(*messages: PromptMessage) -> str:
    reply = Demo().reply(messages, "quillium-demo")
    return "".join([event.text async for event in reply if isinstance(event, Text)])


async def test_a_reply_describes_all_files() -> None:
    both = PromptMessage("user", "What is this?", (IMAGE, NOTES))
    assert await said(both) == f"{describe(IMAGE, ENGLISH)}\n\n{describe(NOTES, ENGLISH)}"
    german = PromptMessage("user", "Was ist das?", (IMAGE,))
    assert await said(german) == describe(IMAGE, GERMAN)
    assert "words" in await said(PromptMessage("user", "/lorem x", (IMAGE,)))  # a command


async def test_images_of_the_openai_api() -> None:
    def chat(url: str) -> dict[str, object]:
        content = [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": url}},
        ]
        return {"messages": [{"role": "user", "content": content}]}

    async def answer(url: str) -> str:
        events = Demo().complete(chat(url), "quillium-demo")
        return "".join([event.text async for event in events if isinstance(event, Text)])

    seen = await answer("data:image/png;base64," + base64.b64encode(PNG).decode())
    assert seen == "You sent `image_url`: an image (PNG, 24 B) of 640 × 480 pixels."
    for url in ("https://example.com/a.png", "data:image/png;base64,%%%", "data:,"):
        assert "You asked" in await answer(url)
