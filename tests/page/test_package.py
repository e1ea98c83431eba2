"""The package in clients/javascript: packed, installed into a project, and used by its tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.program import ROOT
from tests.snippets import NODE, TSC, block

pytestmark = pytest.mark.skipif(
    NODE is None or shutil.which("npm") is None, reason="needs node and npm"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has installed the package."""
    folder = tmp_path_factory.mktemp("project")
    for source in ("clients/javascript", "static"):
        shutil.copytree(ROOT / source, folder / "repository" / source)
    npm(folder / "repository" / "clients" / "javascript", "pack", f"--pack-destination={folder}")
    (folder / "package.json").write_text('{"type": "module"}')
    (package,) = folder.glob("quillium-*.tgz")
    npm(folder, "install", "--offline", "--no-audit", "--no-fund", str(package))
    return folder


def npm(folder: Path, *arguments: str) -> None:
    command = ["npm", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr


def test_a_projects_tests(project: Path) -> None:
    shutil.copy(ROOT / "tests" / "clients" / "testing.test.mjs", project)
    command = json.dumps([sys.executable, str(ROOT / "quillium.py")])
    done = subprocess.run(
        [NODE or "", "--test", "testing.test.mjs"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "QUILLIUM_COMMAND": command},
    )
    assert done.returncode == 0, done.stdout
    assert "pass 13" in done.stdout


def test_the_documented_module(project: Path) -> None:
    text = block("docs/testing.md", "import {startQuillium}").text
    (project / "documented.mjs").write_text(text)
    command = project / "bin" / "quillium"  # as if it were installed
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "quillium.py"}" "$@"\n')
    command.chmod(0o755)
    done = subprocess.run(
        [NODE or "", "documented.mjs"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("http://127.0.0.1:")


def test_the_files_of_the_package(project: Path) -> None:
    installed = project / "node_modules" / "quillium"
    names = {"package.json", "quillium.js", "quillium.d.ts", "testing.js", "testing.d.ts"}
    assert {path.name for path in installed.iterdir()} == names
    assert (installed / "quillium.js").read_bytes() == (ROOT / "static/quillium.js").read_bytes()


@pytest.mark.skipif(TSC is None, reason="needs TypeScript")
def test_its_types(project: Path) -> None:
    (project / "types.ts").write_text(
        'import {startQuillium, type QuilliumServer} from "quillium/testing";\n'
        'import {Quillium} from "quillium";\n'
        "const server: QuilliumServer = await startQuillium({seed: {users: []}});\n"
        'await server.rules({match: {path: "/chats"}, respond: {status: 503}});\n'
        "const entries = await server.journal();\n"
        "export const paths: (string | undefined)[] = entries.map(entry => entry.path);\n"
        "export const quillium = new Quillium({base: server.base});\n"
    )
    options = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2022"]
    done = subprocess.run(
        [TSC or "", *options, "types.ts"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout
