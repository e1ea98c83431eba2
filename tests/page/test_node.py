"""`static/quillium.js` in Node and during server-side rendering."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.program import ROOT, Program
from tests.snippets import NODE

pytestmark = pytest.mark.skipif(NODE is None, reason="needs node")


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    started = Program(tmp_path / "data")
    yield started
    started.process.kill()
    started.process.communicate()


def run(folder: Path, script: str) -> Any:
    """What a script that imports the client prints; it has to end by itself."""
    shutil.copy(ROOT / "static" / "quillium.js", folder / "quillium.mjs")
    (folder / "script.mjs").write_text(
        'import {Quillium, QuilliumError} from "./quillium.mjs";\n' + script
    )
    version = subprocess.run([NODE or "", "--version"], capture_output=True, text=True).stdout
    flags = ["--experimental-websocket"] if version.startswith(("v20.", "v21.")) else []
    done = subprocess.run(
        [NODE or "", *flags, "script.mjs"], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_session_under_node(tmp_path: Path, program: Program) -> None:
    seen = run(
        tmp_path,
        """
        const base = "URL/api/v1";
        const quillium = new Quillium({base});
        const replied = new Promise(resolve => quillium.addEventListener("message",
          ({detail}) => detail.sender === "assistant" && resolve(detail.content)));
        await quillium.register("ada@example.com", "a good password", "Ada");
        quillium.connect();
        const {stored} = quillium.begin("My name is Ada", {title: "From Node"});
        const message = await stored;
        await quillium.say(message.chat_id, "What is my name?");
        const reply = await replied;
        const first = await quillium.call("GET", "/chats?limit=1");
        await quillium.call("POST", "/chats", {});
        const page = await quillium.call("GET", (await quillium.call("GET", "/chats?limit=1")).pagination.next);
        quillium.destroy();
        console.log(JSON.stringify([reply, first.data[0].title, page.data[0].id === message.chat_id]));
        """.replace("URL", program.url),
    )
    assert seen == ["Nice to meet you, Ada! I will remember your name.", "From Node", True]


def test_files_under_node(tmp_path: Path, program: Program) -> None:
    seen = run(
        tmp_path,
        """
        const quillium = new Quillium({base: "URL/api/v1"});
        const shares = [];
        quillium.addEventListener("upload", ({detail}) => shares.push(detail.share));
        await quillium.register("ada@example.com", "a good password", "Ada");
        quillium.connect();
        const notes = await quillium.upload(new Blob(["hello"]), {name: "notes.txt"});
        const files = [notes, new File(["x".repeat(300_000)], "../long.txt")];
        const {stored, id} = quillium.begin("Look", {}, {files});
        const waiting = quillium.outbox[0].files.length;
        const first = await stored;
        const second = await quillium.say(first.chat_id, "Again", {files: [notes]});
        const back = await quillium.call("GET", `/files/${notes.id}`, undefined, {as: "text"});
        const empty = await quillium.upload(new Blob([])).catch(error => error.code);
        const refused = new Promise(resolve => quillium.addEventListener("refused",
          ({detail: {files, error}}) => resolve([files.length, error.code])));
        await quillium.say(first.chat_id, "Empty", {files: [new Blob([])]}).catch(() => {});
        const given = await refused;
        quillium.destroy();
        console.log(JSON.stringify({
          names: first.attachments.map(file => file.name), again: second.attachments[0].id === notes.id,
          waiting, back, empty, given}));
        """.replace("URL", program.url),
    )
    assert seen == {
        "names": ["notes.txt", "long.txt"],
        "again": True,
        "waiting": 2,
        "back": "hello",
        "empty": "invalid_request",
        "given": [1, "invalid_request"],
    }


def test_it_is_made_while_a_page_is_rendered(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
        const quillium = new Quillium();
        const failed = await quillium.call("GET", "/chats").catch(error => error.name);
        console.log(JSON.stringify([quillium.isSignedIn, quillium.account, quillium.outbox, failed]));
        """,
    )
    assert seen == [False, None, [], "TypeError"]


def test_tokens_are_kept_where_the_application_wants(tmp_path: Path, program: Program) -> None:
    token = program.register()
    program.call("PUT", "/api/v1/settings/admin", {"rate_limit_per_minute": 0}, token)
    key = program.call("POST", "/api/v1/users/api-key", {"name": "x"}, token)["api_key"]
    seen = run(
        tmp_path,
        """
        const items = new Map();
        const storage = {getItem: key => items.get(key) ?? null,
          setItem: (key, value) => items.set(key, value), removeItem: key => items.delete(key)};
        const sent = [];
        const quillium = new Quillium({base: "URL/api/v1", storage, name: "mine",
          headers: () => ({"X-All": "1"}),
          fetch: (address, request) => (sent.push(request.headers), fetch(address, request))});
        await quillium.useTokens({access_token: "KEY"});
        const {id} = await quillium.call("GET", "/users/me", undefined, {headers: {"X-One": "2"}});
        const kept = [...items.keys()];
        quillium.connect();
        const {stored} = quillium.begin("Hello");
        const {content} = await stored;
        const refused = [];
        for (const path of ["https://evil.example/api/v1/chats", "http://127.0.0.1:1/api/v1/chats",
          "//evil.example/chats", "chats", "URL.evil.example/api/v1/chats"])
          refused.push(await quillium.call("GET", path).catch(error => error.name));
        const last = sent.at(-1);
        const paths = ["/chats", "/api/v1/chats", "/v1/chats", "/below/api/v1/chats", "URL/api/v1/chats"];
        const found = await Promise.all(paths.map(path => quillium.call("GET", path).then(() => 1)));
        quillium.destroy();
        const after = await quillium.say("chat_1", "x").catch(error => error.code);
        console.log(JSON.stringify({isSame: id === quillium.account, kept, content, refused, after, found,
          own: sent.some(headers => headers["X-One"] === "2" && headers["X-All"] === "1")}));
        """.replace("URL", program.url).replace("KEY", key),
    )
    assert seen == {
        "isSame": True,
        "kept": ["mine"],
        "content": "Hello",
        "refused": ["TypeError"] * 5,
        "after": "destroyed",
        "found": [1] * 5,
        "own": True,
    }


def test_an_api_key_that_is_revoked_ends_the_session(tmp_path: Path, program: Program) -> None:
    token = program.register()
    made = program.call("POST", "/api/v1/users/api-key", {"name": "x"}, token)
    seen = run(
        tmp_path,
        """
        const quillium = new Quillium({base: "URL/api/v1"});
        await quillium.useTokens({access_token: "KEY"});
        const ended = new Promise(resolve => quillium.addEventListener("session",
          ({detail}) => detail === false && resolve(quillium.hasEnded)));
        quillium.connect();
        await fetch("URL/api/v1/users/api-key/ID",
          {method: "DELETE", headers: {Authorization: "Bearer TOKEN"}});
        const hasEnded = await ended;
        quillium.destroy();
        console.log(JSON.stringify([hasEnded, quillium.isSignedIn]));
        """.replace("URL", program.url)
        .replace("KEY", made["api_key"])
        .replace("ID", made["id"])
        .replace("TOKEN", token),
    )
    assert seen == [True, False]
