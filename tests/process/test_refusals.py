"""A failed start prints one line, no traceback, and exits with 2 (contract, section 9)."""

from __future__ import annotations

import ast
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.program import ROOT, read_line

SCRIPT = str(ROOT / "quillium.py")
QUIET = ("--port=0", "--bcrypt-cost=4", "--no-discovery")


def run(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "timeout": 30}
    command = [sys.executable, SCRIPT, *arguments]
    return subprocess.run(command, check=False, **{**options, **more})


def refusal(*arguments: str, **more: Any) -> str:
    """The one line that a start or a command which fails prints on stderr."""
    done = run(*arguments, **more)
    assert (done.returncode, done.stdout or "") == (2, ""), done.stderr
    assert done.stderr.startswith("quillium: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_a_start_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        where = (f"--data-dir={tmp_path / 'some' / 'where'}", "--host=127.0.0.1")
        assert "in use" in refusal(*where, f"--port={port}")
    assert list(tmp_path.iterdir()) == []


# What is typed


def test_an_unknown_command() -> None:
    assert refusal("frob") == "quillium: unknown command 'frob' (see --help)\n"
    assert refusal("user", "frob") == "quillium: unknown command 'user frob' (see --help)\n"


def test_what_is_typed_can_not_forge_a_line() -> None:
    line = refusal("--port=1\nquillium: ready\x1b[2J")
    assert "1\\nquillium" in line
    assert refusal("check", "x\nall is well\x1b[2J").count("\n") == 1
    assert refusal(b"--\xff\xfe".decode(errors="surrogateescape"))


# The data folder


def needs(data: Path, *flags: str) -> str:
    return refusal(*QUIET, f"--data-dir={data}", *flags)


def test_homes_that_are_unknown() -> None:
    assert "expected a path without ~" in refusal("--data-dir=~nosuch/x")
    assert "expected a path without ~" in refusal("check", "--data-dir=~nosuch/x")
    line = refusal(*QUIET, env={**os.environ, "QUILLIUM_DATA_DIR": "~nosuch/x"})
    assert line.startswith("quillium: QUILLIUM_DATA_DIR: expected a path without ~")


def test_paths_that_are_too_long(tmp_path: Path) -> None:
    for path in (Path("/") / Path(*["a"] * 3000), tmp_path / ("a" * 300)):
        assert "File name too long" in needs(path)
        assert "File name too long" in refusal("check", f"--data-dir={path}")


def test_a_folder_that_is_deep_enough_to_have_no_room_for_files(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["b" * 200] * 19)
    folder.mkdir(parents=True)
    try:
        assert needs(folder)
    finally:
        shutil.rmtree(tmp_path / ("b" * 200))


@pytest.mark.parametrize("name", ["quillium.db", "quillium.lock", "signing.key", "server.json"])
@pytest.mark.parametrize("kind", ["folder", "dangling", "loop"])
def test_files_that_are_something_else(launch: Any, tmp_path: Path, name: str, kind: str) -> None:
    """It serves where that does not matter, and leaves alone what is not its own."""
    path = tmp_path / name
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(path if kind == "loop" else "/nowhere/at/all")
    process = launch("--port=0", f"--data-dir={tmp_path}")
    line = read_line(process, process.stderr)
    if "listening on" in line:
        assert name in {"server.json", "signing.key"}  # these are made anew at need
        return
    assert line.startswith("quillium: ")
    assert process.wait(15) == 2
    assert process.stderr.read() == ""
    assert path.is_dir() if kind == "folder" else path.is_symlink()


@pytest.mark.parametrize("is_there", [True, False], ids=["valid", "dangling"])
def test_a_database_that_is_a_link(start: Any, tmp_path: Path, is_there: bool) -> None:
    """Its target may be on a disk that is not mounted: nothing may be created there."""
    data, target = tmp_path / "data", tmp_path / "elsewhere.db"
    if is_there:
        start().stop()
        (data / "quillium.db").rename(target)
    else:
        data.mkdir()
    (data / "quillium.db").symlink_to(target)
    before = target.read_bytes() if is_there else None
    assert "is a symbolic link; link the whole folder instead" in needs(data)
    assert (target.read_bytes() if target.exists() else None) == before


def test_a_log_file_that_can_not_be_written(tmp_path: Path) -> None:
    line = needs(tmp_path / "data", f"--log-file={tmp_path}")
    assert line == f"quillium: the log file {tmp_path} can't be written: Is a directory\n"


def test_a_current_folder_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()

    def leave() -> None:
        os.chdir(gone)
        gone.rmdir()

    assert "expected an absolute path" in refusal("--data-dir=data", preexec_fn=leave)


# The user


needs_root = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="needs root, to become another user"
)


def as_nobody_known(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it as a uid without a passwd entry, and without HOME, as containers do."""
    tmp_path.chmod(0o777)
    environment = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_DATA_HOME")}
    script = (
        "import os, sys\n"
        f"sys.argv[1:] = {list(arguments)!r}\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "import quillium, cli.main, cli.serve, cli.commands, platformdirs\n"
        "import platformdirs.unix, services.demonstration\n"
        "os.setgroups([]); os.setgid(54321); os.setuid(54321)\n"
        "sys.exit(quillium.main())\n"
    )
    return subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
        env={**environment, "TMPDIR": str(tmp_path)},
    )


@needs_root
def test_a_user_without_home(tmp_path: Path) -> None:
    done = as_nobody_known(tmp_path, *QUIET)
    expected = "quillium: this user has no home folder: name a data folder with --data-dir\n"
    assert (done.returncode, done.stderr) == (2, expected)


@needs_root
def test_a_demo_needs_no_home(tmp_path: Path) -> None:
    done = as_nobody_known(tmp_path, "--demo", "--port=0", "--log-file=/nowhere/x")
    assert done.stderr == (
        "quillium: the log file /nowhere/x can't be written: No such file or directory\n"
    )  # and nothing about a home


# The streams


def test_an_error_without_stderr_is_told_on_stdout() -> None:
    """A windowed program on Windows has neither, and ends with status 2 alone."""
    done = run("--port=bad", preexec_fn=lambda: os.close(2))
    assert done.returncode == 2
    assert done.stdout.startswith("quillium: --port: expected a whole number")
    assert done.stdout.count("\n") == 1


def closed(*descriptors: int) -> Callable[[], None]:
    def close() -> None:
        for descriptor in descriptors:
            os.close(descriptor)

    return close


@pytest.mark.parametrize("descriptors", [(2,), (0, 2), (1, 2), (0, 1, 2)])
def test_it_serves_without_stderr(
    launch: Any, tmp_path: Path, descriptors: tuple[int, ...]
) -> None:
    """And nothing that it opens instead gets the number 2, which every error is written to."""
    log = tmp_path / "log"
    process = launch(
        "--port=0",
        f"--data-dir={tmp_path / 'data'}",
        f"--log-file={log}",
        preexec_fn=closed(*descriptors),
    )
    for _ in range(1500):
        if log.exists() and "listening on" in log.read_text():
            break
        assert process.poll() is None
        time.sleep(0.01)
    else:
        raise AssertionError("it does not serve")
    if sys.platform == "linux":
        for descriptor in descriptors:
            assert os.readlink(f"/proc/{process.pid}/fd/{descriptor}") == os.devnull
    process.terminate()
    assert process.wait(15) == 0


def test_a_sidecar_without_stdout(tmp_path: Path) -> None:
    done = run(
        "--sidecar",
        f"--data-dir={tmp_path / 'data'}",
        stdin=subprocess.PIPE,
        preexec_fn=lambda: os.close(1),
    )
    assert done.returncode == 2
    assert done.stderr == "quillium: --sidecar needs stdout, which is closed\n"
    assert not (tmp_path / "data").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_can_not_be_written(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    for arguments in (["--help"], ["--version"], ["--demo", *QUIET]):
        with Path("/dev/full").open("w") as full:
            line = refusal(*arguments, "--log-level=ERROR", stdout=full, env=environment)
        assert line == "quillium: stdout can't be written: No space left on device\n"


# The Python


def test_the_front_door_parses_on_any_python() -> None:
    ast.parse(Path(SCRIPT).read_text(), feature_version=(3, 4))


@pytest.mark.parametrize("name", ["python2.7", "python3.6", "python3.8", "python3.9", "python3.10"])
def test_an_old_python(name: str) -> None:
    python = shutil.which(name)
    if python is None:
        pytest.skip(f"there is no {name}")
    done = subprocess.run([python, SCRIPT], check=False, capture_output=True, text=True, timeout=30)
    if "pyenv: " in done.stderr:
        pytest.skip(f"there is no {name}")
    assert done.returncode == 2
    assert done.stderr.startswith("quillium: Python 3.11 or later is needed, and this is ")


def test_an_older_version_of_this_python() -> None:
    script = (
        "import runpy, sys\n"
        "sys.version_info = (3, 6, 9)\n"
        f"runpy.run_path({SCRIPT!r}, run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 2
    assert done.stderr.startswith("quillium: Python 3.11 or later is needed, and this is ")


@pytest.mark.parametrize("arguments", [[], ["--demo"], ["check"], ["--data-dir=/nowhere/x"]])
def test_packages_that_are_missing(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-E", SCRIPT, *arguments],  # without site-packages
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("quillium: the Python package ")
    assert " can't be imported. Run: " in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_extra_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util\n"
        "find = importlib.util.find_spec\n"
        "lacking = {'prometheus_client', 'xllamacpp'}\n"
        "importlib.util.find_spec = lambda n, p=None: None if n in lacking else find(n, p)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    line = refusal(*QUIET, "--metrics", f"--data-dir={tmp_path}", env=environment)
    assert line.startswith("quillium: the metrics extra is not installed. Run: ")
    model = f"--local-model={SCRIPT}"
    line = refusal(*QUIET, model, f"--data-dir={tmp_path}", env=environment)
    assert line.startswith("quillium: the local extra is not installed. Run: ")
