"""Attached files in prompts: text becomes part of the message, images stay for models that see.

What can't be sent is named in words in earlier messages, and is an error in those that the reply
answers (contract, section 8).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from assistant import AttachedFile, PromptMessage
from core.errors import ModelRefused
from core.file_types import IMAGES, TEXT
from core.text_encodings import decoded

_TICKS = re.compile(r"`{3,}")
_ENDING = re.compile(r"\.([A-Za-z0-9+#]{1,10})\Z")
_REFUSED = re.compile(
    r"image|vision|multi-?modal|mmproj|content must be a string|expected a string|content part"
    r"|unknown variant|input_type|valid string",
    re.I,
)


class _Spelled(NamedTuple):
    text: str  # what is added to the message
    images: tuple[AttachedFile, ...]


def spelled_out(messages: Sequence[PromptMessage]) -> list[PromptMessage]:
    """Return the messages with text files as fenced text; only whole images stay attached.

    Raises `ModelRefused` if a file of the messages to answer can't be sent to any model.
    """
    unanswered = _unanswered(messages)
    return [
        _with(message, _spell(message.files, is_required=number >= unanswered))
        for number, message in enumerate(messages)
    ]


def without_images(messages: Sequence[PromptMessage], model: str, why: str) -> list[PromptMessage]:
    """Return the messages with images in words, for a model that refused them.

    Raises `ModelRefused` if one of the messages to answer has an image.
    """
    if any(message.files for message in messages[_unanswered(messages) :]):
        raise ModelRefused(
            f"{model} can't use images. Choose a model that can, or send the message without them."
            f" {why}"
        )
    return [
        _with(message, _Spelled("".join(map(_named, message.files)), ())) for message in messages
    ]


def is_about_images(messages: Sequence[PromptMessage], failure: str) -> bool:
    """Return whether a server refused a prompt because of its images."""
    return any(message.files for message in messages) and bool(_REFUSED.search(failure))


def parts(text: str, images: Sequence[AttachedFile]) -> str | list[dict[str, Any]]:
    """Return a message's content in OpenAI's format; a string if there are no images."""
    if not images:
        return text
    sent: list[dict[str, Any]] = [{"type": "text", "text": text}]
    for image in images:
        data = base64.b64encode(image.content).decode()
        url = f"data:{image.content_type};base64,{data}"
        sent.append({"type": "image_url", "image_url": {"url": url}})
    return sent


def _unanswered(messages: Sequence[PromptMessage]) -> int:
    """Return the index of the first message after the last reply."""
    roles = [message.role for message in messages]
    return len(roles) - roles[::-1].index("assistant") if "assistant" in roles else 0


def _with(message: PromptMessage, spelled: _Spelled) -> PromptMessage:
    if not message.files:
        return message
    return message._replace(content=message.content + spelled.text, files=spelled.images)


def _spell(files: Sequence[AttachedFile], *, is_required: bool) -> _Spelled:
    texts: list[str] = []
    images: list[AttachedFile] = []
    for file in files:
        if file.text is not None and file.text.text:
            texts.append(_fenced(file.name, file.text.text, "", is_whole=file.text.is_whole))
        elif file.content_type == TEXT and file.content:
            ending = _ENDING.search(file.name)
            text = decoded(file.content, is_whole=file.is_whole)
            language = ending[1].lower() if ending else ""
            texts.append(_fenced(file.name, text, language, is_whole=file.is_whole))
        elif file.content_type in IMAGES and file.is_whole:
            images.append(file)
        elif is_required:
            raise ModelRefused(_reason(file))
        else:
            texts.append(_named(file))
    return _Spelled("".join(texts), tuple(images))


def _reason(file: AttachedFile) -> str:
    if file.content_type in IMAGES:
        return f"{file.name} is too large for a model. Send fewer or smaller images."
    if file.text is not None:
        return f"{file.name} can't be read by a model: {file.text.problem}"
    return (
        f"{file.name} can't be read by a model. Send it as text or as an image;"
        f" {file.content_type} is not supported."
    )


def _fenced(name: str, text: str, language: str, *, is_whole: bool) -> str:
    """Return a file's text in a fence that nothing in it can close."""
    ticks = "`" * max([3, *(len(run) + 1 for run in _TICKS.findall(text))])
    cut = "" if is_whole else " (its beginning)"
    return f"\n\nFile {name}{cut}:\n\n{ticks}{language}\n{text.rstrip()}\n{ticks}"


def _named(file: AttachedFile) -> str:
    return f"\n\n[The user attached {file.name} ({file.content_type}), which is not shown.]"
