"""Rows of the OWASP ASVS table in docs/security.md that no attack of the other files covers.

tests/test_citations.py resolves the citations of the table.
"""

from __future__ import annotations

import ast
import math
import re
from pathlib import Path

import pytest

from core import ids
from core.options import OPTIONS
from services import api_keys, sign_in_codes
from storage import signing_key
from tests.program import ROOT
from tests.security.conftest import Target
from tests.test_architecture import FILES

PAGE = ROOT / "static" / "page"
SCRIPTS = sorted([*PAGE.rglob("*.js"), *(ROOT / "static" / "client").glob("*.js")])


def test_a_password_is_hashed_at_cost_12_unless_told_otherwise() -> None:
    (cost,) = [option for option in OPTIONS if option.name == "bcrypt_cost"]
    assert int(cost.default) >= 12


def test_secrets_have_at_least_128_bits() -> None:
    each = math.log2(len(ids.ALPHABET))
    assert sign_in_codes._CODE_CHARACTERS * each >= 128
    assert 8 * signing_key._BYTES >= 256
    source = (ROOT / "services" / "api_keys.py").read_text()
    assert int(re.findall(r"KEY_PREFIX \+ ids\.random_text\((\d+)\)", source)[0]) * each >= 128
    assert api_keys.KEY_PREFIX == "qk_"
    sessions = (ROOT / "services" / "sessions.py").read_text()
    assert all(int(n) * each >= 128 for n in re.findall(r"random_text\((\d+)\)", sessions))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_nothing_is_evaluated_and_no_shell_is_used(path: Path) -> None:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            assert name not in {"eval", "exec", "compile", "os.system", "os.popen"}, name
            assert not any(keyword.arg == "shell" for keyword in node.keywords), name
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = {alias.name for alias in node.names} | {getattr(node, "module", "")}
            assert not names & {"pickle", "marshal", "shelve", "yaml", "xml"}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_the_page_evaluates_nothing_and_trusts_no_other_window(path: Path) -> None:
    text = re.sub(r"/\*.*?\*/|//.*", "", path.read_text(), flags=re.DOTALL)
    for forbidden in ("eval(", "new Function", "document.write", "insertAdjacentHTML"):
        assert forbidden not in text
    assert not re.search(r"(window|self|globalThis|[^.\w])addEventListener\(\"message\"", text)
    if path.name == "code.js":  # highlight.js escapes what it marks up
        text = text.replace("innerHTML = value", "")
    assert not re.search(r"\.(inner|outer)HTML\s*=", text)


def test_passwords_are_hidden_and_managers_may_fill_them_in() -> None:
    fields = re.findall(
        r"<\$\{Field\}[^>]*?name=\"(?:\w+_)?password\".*?/>",
        "".join(path.read_text() for path in (PAGE / "views").glob("*.js")).replace("=>", ""),
        re.DOTALL,
    )
    assert len(fields) >= 3
    for field in fields:
        assert 'type="password"' in field
        assert re.search(r'autocomplete=("(new|current)-password"|\$)', field)
        assert "onpaste" not in field.lower()


def test_data_is_not_kept_in_caches(target: Target) -> None:
    for path in ("/api/v1/users/me", "/api/v1/chats", "/api/v1/no", "/openai/v1/models"):
        answer = target.ask("GET", path, token=target.admin)
        assert answer.headers["cache-control"] == "no-store"


def test_no_version_of_a_component_is_told(target: Target) -> None:
    answer = target.ask("GET", "/api/v1/no")
    assert answer.headers["server"] == "Quillium"
    assert not re.search(rb"(?i)tornado|python|sqlite", answer.raw)
