"""The files of recordings (contract, section 11)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant import AttachedFile, PromptMessage, recordings
from assistant.events import End
from assistant.recordings import UnusableRecording
from core.errors import ModelUnavailable
from tests.assistant.talk import (
    events,
    hello,
    recorded,
    replaying,
)


async def test_images_are_recorded_as_hashes(tmp_path: Path) -> None:
    file = tmp_path / "talk.jsonl"
    image = AttachedFile("a.png", "image/png", 3000, b"\x89PNG\r\n\x1a\n" + b"1" * 2992)
    other = image._replace(content=b"\x89PNG\r\n\x1a\n" + b"2" * 2992)
    look = [PromptMessage("user", "Look", (image,))]
    first = await recorded(file, hello, lambda provider: events(provider.reply(look, "m")))
    assert len(file.read_text()) < 2000
    again = await events(replaying(file).reply(look, "m"))
    assert [type(event) for event in again] == [type(event) for event in first]
    assert isinstance(again[-1], End)
    with pytest.raises(ModelUnavailable, match="sha256"):
        await anext(replaying(file).reply([PromptMessage("user", "Look", (other,))], "m"))


HEADER = '{"format": "quillium-recording", "version": 1}\n'
FINE = {"provider": "x", "path": "/y", "request": {"model": "m"}, "error": ["model_timeout", "?"]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is not a recording."),
        ("\x00\xff\n", "is not a recording"),
        ("[]\n", "is not a recording"),
        ('{"users": []}\n', "is not a recording"),
        (HEADER.replace("1", "2"), "was recorded by a newer version of Quillium."),
        (HEADER.strip(), "is cut off: its last line has no end. Delete that line."),
        (f"{HEADER}{json.dumps(FINE)}", "is cut off"),
        (f"{HEADER}{json.dumps(FINE)}\n{{\n", "is damaged: line 3 is not a recorded request."),
        (f"{HEADER}{{}}\n", "is damaged: line 2"),
        (HEADER + json.dumps({**FINE, "error": ["not_found", ""]}) + "\n", "is damaged"),
        (HEADER + json.dumps({**FINE, "error": None}) + "\n", "is damaged"),
        (HEADER + json.dumps({**FINE, "request": []}) + "\n", "is damaged"),
        (HEADER + json.dumps({**FINE, "events": [["a", "b"]]}) + "\n", "is damaged"),
        (HEADER + json.dumps({**FINE, "more": 1}) + "\n", "is damaged"),
    ],
)
def test_other_files(tmp_path: Path, content: str, reason: str) -> None:
    file = tmp_path / "other.jsonl"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(UnusableRecording) as raised:
        recordings.read(file)
    assert reason in str(raised.value)
    if content:
        with pytest.raises(UnusableRecording), recordings.opened(file):
            pass
        assert file.read_bytes() == content.encode("latin-1")  # it is untouched
