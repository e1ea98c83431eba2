"""Fixtures for proxies."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.packaging.proxies import NAME


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a certificate."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "1", "-subj", f"/CN={NAME}"]
    command += ["-addext", "subjectAltName=DNS:*.example.com"]
    command += ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "certificate.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return tmp_path
