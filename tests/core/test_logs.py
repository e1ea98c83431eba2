"""Log destinations, and protection against log injection."""

from __future__ import annotations

import json
import logging
import os
import stat
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import logs
from core.options import ConfigError

log = logging.getLogger("quillium.test")


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging as it was before the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def record(message: str, **fields: object) -> logging.LogRecord:
    record = logging.makeLogRecord({"msg": message, "name": "quillium", "levelname": "INFO"})
    vars(record).update(logs.fields(**fields))
    return record


def test_a_file_has_the_lines_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "log"
    before = os.umask(0)
    try:
        with logs.Log("INFO", "auto", path):
            log.info("first\nsecond", extra=logs.fields(status=200))
            log.debug("left out")
    finally:
        os.umask(before)
    (line,) = path.read_text().splitlines()
    assert json.loads(line)["message"] == "first\nsecond"
    assert json.loads(line)["status"] == 200
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with logs.Log("INFO", "text", path):
        log.info("it is appended")
    assert path.read_text().splitlines()[1].endswith(" INFO quillium.test: it is appended")


def test_a_file_is_rotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_FILE_SIZE", 1000)
    monkeypatch.setattr(logs, "MAX_WRITE", 300)
    path = tmp_path / "log"
    with logs.Log("INFO", "text", path):
        for number in range(100):
            log.info("%d %s", number, "x" * 100)
    files = sorted(file.name for file in tmp_path.iterdir())
    assert files == ["log", *(f"log.{n}" for n in range(1, logs.OLD_FILES + 1))]
    assert all(file.stat().st_size <= 1000 for file in tmp_path.iterdir())
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in tmp_path.iterdir())
    assert " 99 xxx" in path.read_text()


def test_lines_are_written_many_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Waking the writing thread for each line would cost a request more than its answer."""
    written: list[str] = []
    first, go_on = threading.Event(), threading.Event()

    def write(self: object, lines: str) -> None:
        written.append(lines)
        first.set()
        assert go_on.wait(20)

    monkeypatch.setattr(logs._File, "write", write)
    monkeypatch.setattr(logs, "MAX_WRITE", 1000)
    with logs.Log("INFO", "text", tmp_path / "log"):
        log.info("first")  # at once
        assert first.wait(20)
        for number in range(20):
            log.info("%d %s", number, "x" * 200)
        go_on.set()
    assert "\n".join(written).count("x" * 200) == 20
    assert [len(lines.splitlines()) for lines in written] == [1] + [3] * 6 + [2]


def test_a_file_that_can_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the log file .* can't be written: Is a directory"):
        logs.Log("INFO", "auto", tmp_path).__enter__()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_loses_lines_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    with logs.Log("INFO", "auto", Path("/dev/full")):
        log.info("lost")
    assert capsys.readouterr().err == ""


def test_no_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    """A windowed program has none."""
    monkeypatch.setattr(sys, "stderr", None)
    with logs.Log("INFO", "auto"):
        log.info("said to nobody")


def test_what_is_logged_later_goes_to_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with logs.Log("INFO", "auto", tmp_path / "log"):
        log.warning("within")
    log.warning("later")
    assert "within" not in (shown := capsys.readouterr().err)
    assert "later" in shown


def test_a_stderr_that_nobody_reads_blocks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_CLOSE_SECONDS", 0.01)
    monkeypatch.setattr(logs, "MAX_QUEUED", 100)
    read_end, write_end = os.pipe()
    with open(write_end, "w") as pipe:
        monkeypatch.setattr(sys, "stderr", pipe)
        with logs.Log("INFO", "auto"):
            for _ in range(2000):
                log.info("x" * 100)
        os.close(read_end)  # so that its write fails, and it can end


def test_text_can_not_forge_a_line() -> None:
    line = logs.TextFormatter().format(record("a\nb\r\x1b[2J\u2028c\ud800"))
    assert line.endswith(r"a\nb\r\x1b[2J\u2028c\ud800")
    assert "\n" not in line


def test_text_has_the_time_with_its_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    made = record("a")
    made.created = 1_790_000_000.25
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        line = logs.TextFormatter().format(made)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert line.startswith("2026-09-21 19:58:20.250+05:45 INFO quillium: a")


def test_json_has_fields_and_exceptions() -> None:
    try:
        raise ValueError("wrong")
    except ValueError:
        failed = record("failed", route="/chats")
        failed.exc_info = sys.exc_info()
    line = json.loads(logs.JsonFormatter().format(failed))
    assert (line["message"], line["route"], line["level"]) == ("failed", "/chats", "INFO")
    assert line["exception"].endswith("ValueError: wrong")
