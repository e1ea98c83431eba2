"""Exports of other products, converted for an import: recognised by content, branches kept."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

import schemas
from tests.program import ROOT
from tests.snippets import NODE

pytestmark = pytest.mark.skipif(NODE is None, reason="needs node")

EXPORTS = Path(__file__).with_name("exports")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)
SCRIPT = """
import {chatsOf, UnknownFormat} from "CONVERTERS";
import {readFileSync} from "node:fs";
import {basename} from "node:path";

const files = process.argv.slice(1).map(path => new File([readFileSync(path)], basename(path)));
try {
  const chats = [];
  for await (const chat of chatsOf(files, {model: "m"})) chats.push(chat);
  console.log(JSON.stringify(chats));
} catch (error) {
  if (!(error instanceof UnknownFormat)) throw error;
  console.log(JSON.stringify(`unknown: ${error.message}`));
}
"""


def converted(*files: Path) -> Any:
    """Return what the module makes of files; all documents are valid imports."""
    script = SCRIPT.replace("CONVERTERS", (ROOT / "static" / "converters.js").as_uri())
    done = subprocess.run(
        [NODE or "", "--input-type=module", "--eval", script, *map(str, files)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    chats = json.loads(done.stdout)
    for chat in chats if isinstance(chats, list) else []:
        schemas.validate("chat_import", chat["document"])
    return chats


def outline(chat: dict[str, Any]) -> list[tuple[str, str | None, str]]:
    """Return id, parent and content of each message."""
    said = chat["document"]["messages"]
    return [(line["id"], line["parent_id"], line["content"]) for line in said]


def test_chatgpt() -> None:
    herons, letter = converted(EXPORTS / "chatgpt.json")
    about = herons["document"]["chat"]
    assert about == {
        "client_id": "chatgpt-6632a1c0-1111-8002-9999-0123456789ab",
        "title": "Herons in the reeds",
        "model": "m",
        "created_at": "2024-05-01T12:00:00.250Z",
        "updated_at": "2024-05-01T12:15:00.750Z",
        "is_pinned": True,
        "is_archived": False,
        "leaf_id": "a3",
    }
    assert outline(herons) == [
        ("u1", None, "What is a heron?"),
        ("a1", "u1", "A long-legged bird."),
        ("a2", "u1", "A wading bird."),
        ("u2", "a2", "Is this one?"),
        ("a3", "u2", "Yes, it is."),
    ]
    second = herons["document"]["messages"][2]
    assert second["model"] == "o3"
    assert second["reasoning"] == "Looking it up\nA wading bird of the family Ardeidae."
    assert herons["leftOut"] == 1  # the picture, which is only in the ZIP
    assert letter["document"]["chat"]["title"] == "Draft of a letter to Bob"
    assert letter["document"]["chat"]["is_archived"] is True
    assert outline(letter) == [  # the path that was shown comes last
        ("y1", None, "Draft of a letter to Bob"),
        ("y2", "y1", "Dear Bob \ufffd"),
        ("x1", None, "Draft of a letter to\nAda"),
        ("x2", "x1", "Dear Ada"),
    ]
    assert letter["document"]["chat"]["leaf_id"] == "x2"


def test_a_zip_of_chatgpt_has_its_pictures(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(EXPORTS / "chatgpt.json", "conversations.json")
        archive.writestr("user.json", '{"id": "user-1", "email": "ada@example.com"}')
        archive.writestr("message_feedback.json", "[]")
        archive.writestr("chat.html", "<html>")
        archive.writestr("dalle/file-Reeds1-reeds.png", PNG, zipfile.ZIP_STORED)
    herons, _ = converted(path)
    assert herons["leftOut"] == 0
    assert [file["name"] for file in herons["document"]["files"]] == ["file-Reeds1-reeds.png"]
    assert herons["document"]["messages"][3]["attachments"] == ["file-Reeds1"]


def test_several_files_of_an_export(tmp_path: Path) -> None:
    for number, chat in enumerate(json.loads((EXPORTS / "chatgpt.json").read_text())):
        (tmp_path / f"conversations-{number:03}.json").write_text(json.dumps([chat]))
    chats = converted(*sorted(tmp_path.glob("*.json")))
    assert [(chat["number"], chat["total"]) for chat in chats] == [(1, 2), (2, 2)]


def test_claude() -> None:
    tea, older, empty = converted(EXPORTS / "claude.json")
    assert outline(tea) == [
        ("m-1", None, "Summarise this."),
        ("m-2", "m-1", "It is about green tea."),
    ]
    assert tea["document"]["messages"][1]["reasoning"] == "It is about tea."
    assert [file["name"] for file in tea["document"]["files"]] == ["tea.txt"]
    assert tea["leftOut"] == 1  # cup.png
    assert tea["document"]["chat"]["client_id"] == "claude-0b1f7d5e-aaaa-4bbb-8ccc-000000000001"
    assert older["document"]["chat"]["title"] == "Older exports have no content"
    assert outline(older)[1] == ("n-2", "n-1", "Right.")
    assert empty["document"]["messages"] == []
    assert empty["document"]["chat"]["title"] == "Empty"


def test_open_webui() -> None:
    (bread,) = converted(EXPORTS / "openwebui.json")
    assert [(id, parent) for id, parent, _ in outline(bread)] == [
        ("q1", None),
        ("r1", "q1"),
        ("r2", "q1"),
        ("q2", "r2"),
        ("r3", "q2"),
    ]
    reply = bread["document"]["messages"][2]
    assert (reply["content"], reply["reasoning"]) == (
        "About two hours.",
        "Dough rises.\nIt depends.",
    )
    assert bread["document"]["chat"]["system_prompt"] == "Be brief."
    assert bread["document"]["chat"]["is_pinned"] is True
    assert bread["leftOut"] == 1


def test_librechat(tmp_path: Path) -> None:
    (rivers,) = converted(EXPORTS / "librechat.json")
    assert outline(rivers) == [
        ("l1", None, "Longest river?"),
        ("l2", "l1", "The Amazon."),
        ("l3", "l1", "The Nile."),
    ]
    assert rivers["document"]["chat"]["leaf_id"] == "l3"
    assert rivers["document"]["chat"]["system_prompt"] == "Answer as a geographer."
    assert rivers["document"]["messages"][2]["reasoning"] == "Measured how?"
    flat = json.loads((EXPORTS / "librechat.json").read_text())
    question, *_ = flat["messages"]
    flat["messages"] = [question, *question.pop("children")]
    path = tmp_path / "flat.json"
    path.write_text(json.dumps(flat))
    assert outline(converted(path)[0]) == outline(rivers)


def test_own_exports(tmp_path: Path) -> None:
    chat = {"id": "chat_1", "title": "Own", "model": "m"}
    export = {"format": "quillium-chat", "version": 1, "chat": chat, "messages": []}
    path = tmp_path / "quillium-chats.ndjson"
    path.write_text(f"{json.dumps(export)}\n{json.dumps(export)}\n")
    chats = converted(path)
    assert [one["document"]["chat"]["client_id"] for one in chats] == ["export-chat_1"] * 2


@pytest.mark.parametrize("length", [1, 20_000])
def test_a_long_chat(tmp_path: Path, length: int) -> None:
    mapping = {
        f"n{number}": {
            "id": f"n{number}",
            "parent": f"n{number - 1}" if number else None,
            "children": [f"n{number + 1}"],
            "message": {
                "author": {"role": ("user", "assistant")[number % 2]},
                "content": {"content_type": "text", "parts": [f"{number}"]},
            },
        }
        for number in range(length)
    }
    path = tmp_path / "long.json"
    path.write_text(json.dumps([{"id": "1", "mapping": mapping, "current_node": f"n{length - 1}"}]))
    (chat,) = converted(path)
    assert [content for _, _, content in outline(chat)] == [f"{n}" for n in range(length)]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"3",
        b'{"format": "other"}',
        b"PK\x03\x04 no zip",
        b"\x00\xff\xfe",
    ],
)
def test_what_is_no_export(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    assert converted(path) == "unknown: file.json"


def test_a_damaged_tree_ends(tmp_path: Path) -> None:
    """Messages that answer each other, a parent that is missing, and two that are the same."""
    text = {"content_type": "text", "parts": ["x"]}
    message = {"author": {"role": "user"}, "content": text}
    mapping = {
        "a": {"id": "a", "parent": "b", "children": ["b"], "message": message},
        "b": {"id": "b", "parent": "a", "children": ["a"], "message": message},
        "c": {"id": "c", "parent": "gone", "children": ["c"], "message": message},
        "d": {"id": "c", "parent": None, "children": [], "message": {"author": None}},
    }
    path = tmp_path / "damaged.json"
    path.write_text(json.dumps({"id": "1", "mapping": mapping, "current_node": "a"}))
    (chat,) = converted(path)
    assert outline(chat) == [("c", None, "x")]
