"""The bill of materials and the licences of a bundle, in CycloneDX 1.6 and as one text file.

`build.py` calls `write`. What a bundle contains is read from the tables of contents that
PyInstaller leaves in its work folder, so that nothing has to be listed by hand: packages from
site-packages, the Python runtime, libraries of the build machine, and the page's libraries.
"""

from __future__ import annotations

import ast
import hashlib
import json
import platform
import sqlite3
import ssl
import sys
import sysconfig
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VENDORED = ROOT / "static" / "vendor"
SBOM, LICENCES = "sbom.cdx.json", "licences.txt"
_TABLES = ("PYZ-00.toc", "COLLECT-00.toc", "PKG-00.toc")
_LICENCE_NAMES = ("licen", "copying", "notice", "author")

Component = dict[str, Any]


def write(bundle: Path, work: Path, version: str) -> list[str]:
    """Write both files into the bundle; return the components without the text of a licence."""
    packages, libraries = contents(sources(work))
    page = json.loads((VENDORED / "vendor.json").read_text(encoding="utf-8"))
    components = [
        *(package_component(package) for package in packages),
        *runtime_components(),
        *(file_component(path) for path in libraries),
        *page_components(page),
    ]
    text = json.dumps(document(version, components), indent=2, ensure_ascii=False)
    (bundle / SBOM).write_text(f"{text}\n", encoding="utf-8")
    texts = {"Quillium": [(ROOT / "LICENSE").read_text(encoding="utf-8")], **runtime_licence()}
    texts |= {f"{p.name} {p.version}": licence_texts(p) for p in packages}
    for entry in page:
        name = f"{entry['library']} {entry['version']}"
        texts[name] = [(VENDORED / entry["licence_file"]).read_text(encoding="utf-8")]
    parts = [f"{'=' * 80}\n{name}\n{'=' * 80}\n\n" + "\n".join(texts[name]) for name in texts]
    (bundle / LICENCES).write_text("\n\n".join(parts), encoding="utf-8")
    return [name for name, found in texts.items() if not found]


def document(version: str, components: list[Component]) -> dict[str, Any]:
    """Return the bill of materials. It has no time and no serial number, so builds are equal."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "quillium",
                "name": "quillium",
                "version": version,
                "licenses": [{"license": {"id": "MIT"}}],
            },
            "properties": [{"name": "platform", "value": sysconfig.get_platform()}],
        },
        "components": sorted(components, key=lambda component: str(component["bom-ref"])),
    }


def sources(work: Path) -> set[Path]:
    """Return the files that PyInstaller put into a bundle, by its tables of contents."""
    found: set[Path] = set()
    for table in _TABLES:
        for path in work.rglob(table):
            found |= set(_paths(ast.literal_eval(path.read_text(encoding="utf-8"))))
    return found


def _paths(table: Any) -> Iterable[Path]:
    """Yield the sources of the entries (name, source, kind), which may be nested in lists."""
    if isinstance(table, tuple) and len(table) == 3 and isinstance(table[1], str):
        yield Path(table[1])
    elif isinstance(table, (tuple, list)):
        for entry in table:
            yield from _paths(entry)


def contents(files: set[Path]) -> tuple[list[metadata.Distribution], list[Path]]:
    """Return the packages that own at least one file, and the shared libraries of nobody."""
    owners: dict[Path, metadata.Distribution] = {}
    for package in metadata.distributions():
        for file in package.files or ():
            owners[Path(str(package.locate_file(file))).resolve()] = package
    packages = {owners[path.resolve()].name: owners[path.resolve()] for path in files
                if path.resolve() in owners}  # fmt: skip
    packages.pop("quillium", None)
    standard = Path(sysconfig.get_path("stdlib")).resolve()
    libraries = [
        path
        for path in files
        if (".so" in path.name or path.suffix in {".dll", ".dylib"})
        and path.resolve() not in owners
        and not path.resolve().is_relative_to(standard)
        and "python" not in path.name.lower()
    ]
    return sorted(packages.values(), key=lambda package: package.name.lower()), sorted(libraries)


def package_component(package: metadata.Distribution) -> Component:
    name = package.name.lower().replace("_", "-")
    purl = f"pkg:pypi/{name}@{package.version}"
    component: Component = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": package.version,
        "purl": purl,
    }
    licence = licence_of(package)
    return {**component, "licenses": [licence]} if licence else component


def licence_of(package: metadata.Distribution) -> dict[str, Any] | None:
    """Return the licence that a package declares, in the form of CycloneDX."""
    about: dict[str, Any] = package.metadata.json
    if about.get("license_expression"):
        return {"expression": about["license_expression"]}
    name = str(about.get("license", "")).strip()
    if not name or "\n" in name:  # some packages put the whole text there
        kinds = [kind for kind in about.get("classifier", []) if kind.startswith("License ::")]
        name = kinds[0].rpartition(" :: ")[2] if kinds else ""
    return {"license": {"name": name}} if name else None


def licence_texts(package: metadata.Distribution) -> list[str]:
    found = []
    for file in package.files or ():
        is_metadata = any(part.endswith(".dist-info") for part in file.parts)
        if is_metadata and file.name.lower().startswith(_LICENCE_NAMES):
            path = Path(str(package.locate_file(file)))
            found.append(path.read_text(encoding="utf-8", errors="replace"))
    return found


def runtime_components() -> list[Component]:
    """Return the Python runtime and the libraries that its standard library is built with."""
    versions = {
        "cpython": (platform.python_version(), "PSF-2.0"),
        "sqlite": (sqlite3.sqlite_version, "blessing"),
        "openssl": (ssl.OPENSSL_VERSION.split()[1], "Apache-2.0"),
    }
    return [
        {
            "type": "library",
            "bom-ref": f"pkg:generic/{name}@{version}",
            "name": name,
            "version": version,
            "purl": f"pkg:generic/{name}@{version}",
            "licenses": [{"license": {"id": licence}}],
        }
        for name, (version, licence) in versions.items()
    ]


def runtime_licence() -> dict[str, list[str]]:
    name = f"Python {platform.python_version()}"
    for folder in (sysconfig.get_path("stdlib"), sys.base_prefix):
        path = Path(folder) / "LICENSE.txt"
        if path.is_file():
            return {name: [path.read_text(encoding="utf-8")]}
    return {name: []}


def file_component(path: Path) -> Component:
    """Return a library of the build machine, which has no version of its own to report."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {
        "type": "file",
        "bom-ref": f"file:{path.name}",
        "name": path.name,
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }


def page_components(record: list[dict[str, str]]) -> list[Component]:
    """Return the libraries of the page, each with the hashes of its vendored files."""
    components: dict[str, Component] = {}
    for entry in record:
        purl = f"pkg:npm/{entry['library'].replace('@', '%40')}@{entry['version']}"
        component = components.setdefault(
            purl,
            {
                "type": "library",
                "bom-ref": purl,
                "name": entry["library"],
                "version": entry["version"],
                "purl": purl,
                "licenses": [_declared(entry["licence"])],
                "components": [],
            },
        )
        component["components"].append(
            {
                "type": "file",
                "bom-ref": f"{purl}#{entry['file']}",
                "name": f"static/vendor/{entry['file']}",
                "hashes": [{"alg": "SHA-256", "content": entry["sha256"]}],
            }
        )
    return list(components.values())


def _declared(licence: str) -> dict[str, Any]:
    is_expression = " " in licence
    return {"expression": licence} if is_expression else {"license": {"id": licence}}
