"""The code for Electron and Tauri in docs/desktop.md, run as it stands there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.program import ROOT
from tests.snippets import block

NODE = """

(async () => {
  const quillium = startQuillium(process.argv[2], process.argv[3]);
  const ready = await quillium.ready;
  const health = await (await fetch(`${ready.url}/health`)).json();
  const tokens = await quillium.ask("tokens");
  const page = await quillium.ask("page_url");
  const status = await quillium.stop();
  const missing = await startQuillium("/nowhere/quillium", process.argv[3]).ready.catch(e => e.code);
  const refused = await startQuillium(process.argv[2], "/dev/null").ready.catch(e => e.message);
  console.log(JSON.stringify({ ready, health, tokens, page, status, missing, refused }));
})();
"""
# Stands for Electron: its window loads the address that it is given, and is then closed.
ELECTRON = """
const { EventEmitter } = require("node:events");
const app = new EventEmitter();
app.whenReady = async () => {};
app.getPath = () => process.env.USER_DATA;
app.quit = () => {
  let isPrevented = false;
  app.emit("before-quit", { preventDefault() { isPrevented = true; } });
  console.log(isPrevented ? "waits" : "ends");
};
class BrowserWindow {
  async loadURL(url) {
    console.log((await fetch(url)).status, url.includes("/#code="));
    app.quit();
  }
}
process.resourcesPath = process.env.RESOURCES;
module.exports = { app, BrowserWindow };
"""
RUST = """
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let mut quillium = start_quillium(&arguments[1], &arguments[2]).unwrap();
    let ready = quillium.ready.clone();
    let tokens = quillium.ask("tokens").unwrap();
    let page = quillium.ask("page_url").unwrap();
    assert!(quillium.child.try_wait().unwrap().is_none());
    let status = quillium.stop().unwrap().code().unwrap();
    let refused = start_quillium(&arguments[1], "/dev/null").err().unwrap();
    println!("{{\\"ready\\": {ready}, \\"tokens\\": {tokens}, \\"page\\": {page}, \\"status\\": {status},");
    println!("\\"refused\\": \\"{refused}\\"}}");
}
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Stands for the built folder's program."""
    path = tmp_path / "quillium"
    command = f'"{sys.executable}" "{ROOT / "quillium.py"}" --no-discovery --log-level=ERROR'
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(0o755)
    return path


def run(*command: str | Path) -> dict[str, object]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    report: dict[str, object] = json.loads(done.stdout)
    assert report["ready"]["event"] == "ready"  # type: ignore[index]
    assert report["tokens"]["event"] == "tokens"  # type: ignore[index]
    assert "/#code=" in report["page"]["page_url"]  # type: ignore[index]
    assert report["status"] == 0
    return report


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_electron(program: Path, tmp_path: Path) -> None:
    script = tmp_path / "main.cjs"
    script.write_text(block("docs/desktop.md", "const { spawn }").text + NODE)
    report = run("node", script, program, tmp_path / "data")
    assert report["health"]["status"] == "ok"  # type: ignore[index]
    assert report["missing"] == "ENOENT"
    assert report["refused"] == "Quillium ended with status 2"


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_the_main_process_of_electron(program: Path, tmp_path: Path) -> None:
    electron = tmp_path / "node_modules" / "electron" / "index.js"
    electron.parent.mkdir(parents=True)
    electron.write_text(ELECTRON)
    resources = tmp_path / "resources"
    (resources / "quillium").mkdir(parents=True)
    program.rename(resources / "quillium" / "quillium")
    script = tmp_path / "main.cjs"
    script.write_text(
        block("docs/desktop.md", "const { spawn }").text
        + block("docs/desktop.md", "const { app, BrowserWindow }").text
    )
    folders = {"USER_DATA": str(tmp_path / "user"), "RESOURCES": str(resources)}
    done = subprocess.run(
        ["node", script],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, **folders},
    )
    assert done.stdout.splitlines() == ["200 true", "waits", "ends"], done.stderr
    assert (tmp_path / "user" / "quillium" / "quillium.db").exists()


@pytest.mark.skipif(shutil.which("rustc") is None, reason="needs rustc")
def test_tauri(program: Path, tmp_path: Path) -> None:
    source = tmp_path / "main.rs"
    source.write_text(block("docs/desktop.md", "use std::io").text + RUST)
    subprocess.run(
        ["rustc", "-o", tmp_path / "main", source], check=True, timeout=100, capture_output=True
    )
    report = run(tmp_path / "main", program, tmp_path / "data")
    assert "status: 2" in str(report["refused"])
