"""The locks agree with `setup.cfg`, with each other, and name no address."""

from __future__ import annotations

import configparser
import json
import re
import runpy
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.program import ROOT

lock = runpy.run_path(str(ROOT / "packaging" / "lock.py"))
FOLDER = ROOT / lock["FOLDER"]
RENEW = "run: python packaging/lock.py"

_PIN = re.compile(r"^([a-z0-9.-]+)(?:\[[a-z,]+\])?==([^ ;]+)(?: ; (.+?))?(?: \\)?$")


class Pin(NamedTuple):
    version: Version
    marker: str | None
    hashes: int


def pins(name: str) -> dict[str, list[Pin]]:
    """The versions of each package; more than one if systems or Pythons need different ones."""
    found: dict[str, list[Pin]] = {}
    package = ""
    for line in (FOLDER / name).read_text().splitlines():
        if match := _PIN.match(line):
            package = match[1]
            found.setdefault(package, []).append(Pin(Version(match[2]), match[3], 0))
        elif re.match(r"    --hash=sha256:[0-9a-f]{64}", line):
            last = found[package][-1]
            found[package][-1] = last._replace(hashes=last.hashes + 1)
        else:
            assert line.lstrip().startswith("#"), line
    return found


def required(extras: tuple[str, ...]) -> list[Requirement]:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    texts = [config["options"]["install_requires"]]
    texts += [config["options.extras_require"][extra] for extra in extras]
    lines = [line for text in texts for line in text.splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", lock["LOCKS"])
def test_a_lock_is_in_step_with_setup_cfg(name: str) -> None:
    locked = pins(name)
    wanted = required(lock["LOCKS"][name])
    for requirement in wanted:
        versions = locked.get(normal(requirement.name))
        assert versions, f"{requirement.name} is not in {name}: {RENEW}"
        for pin in versions:
            assert requirement.specifier.contains(pin.version), f"{requirement}: {RENEW}"
    text = (FOLDER / name).read_text()
    blocks = re.split(r"\n(?=[a-z])", text)
    direct = {block.split("==")[0].split("[")[0] for block in blocks if "(setup.cfg)" in block}
    assert direct == {normal(requirement.name) for requirement in wanted}, RENEW


@pytest.mark.parametrize("name", [*lock["LOCKS"], *lock["PROGRAMS"]])
def test_each_pin_has_hashes_and_no_address(name: str) -> None:
    assert all(pin.hashes for versions in pins(name).values() for pin in versions)
    text = (FOLDER / name).read_text()
    assert "://" not in text
    assert "index-url" not in text


def test_the_extras_of_the_first_lock_are_all() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert sorted(config["options.extras_require"]) == sorted(lock["LOCKS"]["ci.txt"])
    assert config["options"]["python_requires"] == f">={lock['OLDEST_PYTHON']}"


@pytest.mark.parametrize("name", [name for name in lock["LOCKS"] if name != "ci.txt"])
def test_what_ships_is_what_was_tested(name: str) -> None:
    tested = pins("ci.txt")
    for package, versions in pins(name).items():
        assert {pin.version for pin in versions} <= {pin.version for pin in tested[package]}


def test_ci_installs_nothing_without_a_hash() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    lines = [line for line in script.splitlines() if re.search(r"(pip|npm)\S* (install|ci)", line)]
    assert len(lines) == 5
    for line in lines:
        is_hashed = "--require-hashes -r packaging/locks/" in line or "npm ci" in line
        assert is_hashed or "--no-deps --no-build-isolation -e ." in line, line


def test_the_lock_of_typescript_names_no_address() -> None:
    text = (FOLDER / "typescript" / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    assert all(found["integrity"] for name, found in packages.items() if name)
    assert "resolved" not in text
