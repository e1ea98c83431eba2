"""Attached files in prompts: fenced text, image parts, words, and clear errors."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from assistant import AttachedFile, PromptMessage, context
from assistant.attached import is_about_images, parts, spelled_out, without_images
from assistant.events import Text
from assistant.openai_compatible import OpenAICompatible
from assistant.pdf import PdfText
from assistant.upstream import Upstream
from core.errors import ModelRefused
from tests.assistant.upstream import Caller, Script, upstream

IMAGE = AttachedFile("a.png", "image/png", 4, b"\x89PNG")
URL = "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()
LARGE = AttachedFile("large.png", "image/png", 9_000_000, b"\x89PNG")
PAPER = AttachedFile("paper.pdf", "application/pdf", 4, b"%PDF")
# What servers say when a model can't see.
REFUSALS = {
    "llama.cpp": (500, {"error": {"message": "image input is not supported - hint: if this is "
                                  "unexpected, you may need to provide the mmproj"}}),
    "OpenAI": (400, {"error": {"message": "Invalid content type. image_url is only supported by "
                               "certain models.", "code": None}}),
    "vLLM": (400, {"message": "m is not a multimodal model"}),
    "DeepSeek": (422, {"detail": "unknown variant `image_url`, expected `text`"}),
    "Groq": (400, {"error": {"message": "'messages.0' : content must be a string"}}),
    "LM Studio": (400, {"error": "Model does not support images."}),
    "OpenRouter": (404, {"error": {"message": "No endpoints found that support image input"}}),
}  # fmt: skip


def text(content: str, name: str = "notes.txt", size: int | None = None) -> AttachedFile:
    data = content.encode()
    return AttachedFile(name, "text/plain", size or len(data), data)


def user(*files: AttachedFile, content: str = "Look") -> PromptMessage:
    return PromptMessage("user", content, files)


REPLY = PromptMessage("assistant", "I see.")


def test_text_is_fenced() -> None:
    (message,) = spelled_out([user(text("print(1)\n", "a.py"))])
    assert message == PromptMessage("user", "Look\n\nFile a.py:\n\n```py\nprint(1)\n```")
    (message,) = spelled_out([user(text("a\n```\n````\nb", "README"))])
    assert message.content.endswith("`````\na\n```\n````\nb\n`````")
    (message,) = spelled_out([user(text("begin", size=10))])
    assert "File notes.txt (its beginning):" in message.content


def test_the_text_of_a_pdf_file_is_fenced() -> None:
    (message,) = spelled_out([user(PAPER._replace(text=PdfText("On ```\n")))])
    assert message == PromptMessage("user", "Look\n\nFile paper.pdf:\n\n````\nOn ```\n````")
    (message,) = spelled_out([user(PAPER._replace(text=PdfText("On", is_whole=False)))])
    assert "File paper.pdf (its beginning):" in message.content


def test_whole_images_stay() -> None:
    messages = [user(IMAGE), REPLY, user(IMAGE, text("x"))]
    spelled = spelled_out(messages)
    assert [message.files for message in spelled] == [(IMAGE,), (), (IMAGE,)]
    assert context.tokens(spelled[0]) > 1000


@pytest.mark.parametrize(
    ("file", "details"),
    [
        (LARGE, "large.png is too large for a model."),
        (PAPER, "paper.pdf can't be read by a model."),
        (PAPER._replace(text=PdfText(problem="it is encrypted.")), "by a model: it is encrypted."),
        (AttachedFile("gone.txt", "text/plain", 5, b""), "gone.txt can't be read"),
    ],
)
def test_what_no_model_takes(file: AttachedFile, details: str) -> None:
    for asked in ([user(file)], [REPLY, user(file), user()]):
        with pytest.raises(ModelRefused, match=details):
            spelled_out(asked)
    earlier, *_ = spelled_out([user(file), REPLY, user()])
    named = f"[The user attached {file.name} ({file.content_type}), which is not shown.]"
    assert earlier == PromptMessage("user", f"Look\n\n{named}")


def test_parts() -> None:
    assert parts("Look", []) == "Look"
    sent = context.as_sent([user(IMAGE), user(IMAGE, content="Again")])
    image = {"type": "image_url", "image_url": {"url": URL}}
    words = {"type": "text", "text": "Look\n\nAgain"}
    assert sent == [{"role": "user", "content": [words, image, image]}]


def test_refusals_that_are_not_about_images() -> None:
    assert not is_about_images([user()], "images are not supported")
    assert not is_about_images([user(IMAGE)], "no credit")
    with pytest.raises(ModelRefused, match="m can't use images"):
        without_images([user(IMAGE)], "m", "")


async def ask(script: Script, *messages: PromptMessage) -> str:
    async with upstream(script) as base_url:
        reply = OpenAICompatible(Upstream("Mine", base_url)).reply(messages, "m")
        return "".join([event.text async for event in reply if isinstance(event, Text)])


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_model_that_does_not_see(name: str) -> None:
    status, document = REFUSALS[name]
    bodies: list[Any] = []

    async def script(caller: Caller) -> None:
        bodies.append(caller.body)
        if URL in json.dumps(caller.body):
            await caller.respond(f"{status} No", json.dumps(document).encode())
            return
        await caller.begin()
        await caller.event(content="I can't see it.")
        await caller.done()

    with pytest.raises(ModelRefused, match="m can't use images"):
        await ask(script, user(IMAGE))
    assert len(bodies) == 1
    # An image of an earlier message doesn't make the chat useless.
    assert await ask(script, user(IMAGE), REPLY, user(content="Hello")) == "I can't see it."
    assert bodies[-1]["messages"][0]["content"].startswith("Look\n\n[The user attached a.png")


async def test_a_model_that_sees() -> None:
    bodies: list[Any] = []

    async def script(caller: Caller) -> None:
        bodies.append(caller.body)
        await caller.begin()
        await caller.event(content="A quill.")
        await caller.done()

    assert await ask(script, user(IMAGE, text("x = 1", "a.py"))) == "A quill."
    words, image = bodies[0]["messages"][0]["content"]
    assert words["text"] == "Look\n\nFile a.py:\n\n```py\nx = 1\n```"
    assert image["image_url"]["url"] == URL
