"""The bill of materials is valid CycloneDX and comes from what PyInstaller put into a bundle."""

from __future__ import annotations

import json
import runpy
import sys
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from tests.program import ROOT

sbom: dict[str, Any] = runpy.run_path(str(ROOT / "packaging" / "sbom.py"))


def validate(document: Any) -> None:
    """Check a document against the schema of CycloneDX 1.6."""
    folder = resources.files("cyclonedx.schema") / "_res"
    registry: Registry[Any] = Registry()
    for name in ("bom-1.6", "spdx", "jsf-0.82"):
        file = f"{name}.SNAPSHOT.schema.json"
        schema = json.loads((folder / file).read_text())
        resource = Resource.from_contents(schema)
        # The schemas cite each other by the names of the files.
        registry = registry.with_resource(f"http://cyclonedx.org/schema/{file}", resource)
        if name == "bom-1.6":
            main = schema
    jsonschema.Draft7Validator(main, registry=registry).validate(document)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """What PyInstaller leaves behind, with one module, one extension and one library."""
    import bcrypt
    import tornado.web

    library = tmp_path / "libother.so.1"
    library.write_bytes(b"a library of the system")
    modules = [("tornado.web", tornado.web.__file__, "PYMODULE"), ("x", "-", "PYMODULE")]
    files = [
        ("bcrypt/_bcrypt.so", next(Path(bcrypt.__file__).parent.glob("_bcrypt*")), "EXTENSION"),
        ("libother.so.1", library, "BINARY"),
        ("json", json.__file__, "PYMODULE"),
    ]
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "PYZ-00.toc").write_text(repr((str(folder / "PYZ-00.pyz"), modules)))
    entries = [(name, str(path), kind) for name, path, kind in files]
    (folder / "COLLECT-00.toc").write_text(repr((["a"], entries)))
    return folder


def test_a_bundle_is_described(work: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    assert sbom["write"](bundle, work, "1.2.3") == []
    document = json.loads((bundle / sbom["SBOM"]).read_text())
    validate(document)
    named = {component["bom-ref"] for component in document["components"]}
    tornado = f"pkg:pypi/tornado@{metadata.version('tornado')}"
    bcrypt = f"pkg:pypi/bcrypt@{metadata.version('bcrypt')}"
    assert {name for name in named if name.startswith("pkg:pypi/")} == {tornado, bcrypt}
    assert "file:libother.so.1" in named
    assert f"pkg:generic/cpython@{sys.version.split()[0]}" in named
    vendored = json.loads((ROOT / "static" / "vendor" / "vendor.json").read_text())
    libraries = {entry["library"] for entry in vendored}
    assert len([name for name in named if name.startswith("pkg:npm/")]) == len(libraries)
    texts = (bundle / sbom["LICENCES"]).read_text()
    for heading in ("Quillium", f"tornado {metadata.version('tornado')}", "dompurify 3."):
        assert f"\n{heading}" in texts
    assert "Permission is hereby granted" in texts


def test_a_licence_without_a_text_is_told(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sbom["write"].__globals__, "licence_texts", lambda package: [])
    named = sbom["write"](tmp_path, work, "1.2.3")
    assert [name.split()[0] for name in named] == ["bcrypt", "tornado"]


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({"license_expression": "MIT OR Apache-2.0"}, {"expression": "MIT OR Apache-2.0"}),
        ({"license": "BSD"}, {"license": {"name": "BSD"}}),
        ({"license": "Line\nLine", "classifier": ["License :: OSI Approved :: MIT License"]},
         {"license": {"name": "MIT License"}}),
        ({"classifier": ["Topic :: X"]}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_the_licence_that_a_package_declares(about: dict[str, Any], expected: Any) -> None:
    class Package:
        class metadata:
            json = about

    assert sbom["licence_of"](Package) == expected
