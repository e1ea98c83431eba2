"""Vendor the page's libraries: `python static/vendor/vendor.py`, with npm on the machine.

To upgrade a library, change its version in `LIBRARIES` and run this again. `vendor.json` records
for each file the library, its version, its licence and the SHA-256 of the vendored file; a test
compares them. Nothing is downloaded when Quillium is installed or runs.

Some libraries come without a small ES module. Those are bundled with their dependencies and
minified by esbuild, without the parts that `REPLACED` replaces.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
RECORD = HERE / "vendor.json"
ESBUILD = "esbuild@0.28.2"


class Library(NamedTuple):
    package: str
    version: str
    path: str  # of the ES module within the package
    file: str  # its name here
    licence: str = "LICENSE"
    notice: str | None = None  # Apache-2.0, section 4 (d)
    bundled: tuple[str, ...] | None = None  # dependencies that the bundle contains


LIBRARIES = (
    Library("preact", "11.2.0", "dist/preact.mjs", "preact.js"),
    Library("preact", "11.2.0", "hooks/dist/hooks.mjs", "preact-hooks.js"),
    Library("@preact/signals-core", "1.14.5", "dist/signals-core.mjs", "signals-core.js"),
    Library("@preact/signals", "2.11.4", "dist/signals.mjs", "signals.js"),
    Library("htm", "3.1.1", "dist/htm.mjs", "htm.js"),
    Library(
        "markdown-it", "15.0.3", "dist/markdown-it.mjs", "markdown-it.js",
        bundled=("mdurl", "uc.micro"),
    ),
    Library("temml", "0.13.5", "dist/temml.min.js", "temml.js"),
    Library("dompurify", "3.4.18", "dist/purify.es.mjs", "purify.js", bundled=()),
    Library("@highlightjs/cdn-assets", "11.12.0", "es/highlight.min.js", "highlight.js"),
    # For `/docs` alone
    Library("swagger-ui-dist", "5.35.0", "swagger-ui-bundle.js", "swagger-ui.js", notice="NOTICE"),
    Library("swagger-ui-dist", "5.35.0", "swagger-ui.css", "swagger-ui.css", notice="NOTICE"),
)  # fmt: skip

# What browsers do themselves, and the page's own rule for links. Saves 22 KiB compressed.
REPLACED = {
    "entities": """export const decodeHTMLStrict = text => {
  const field = document.createElement("textarea");
  field.innerHTML = text;
  // As in HTML, "&notit;" would be a sign and the rest of the word.
  return field.value.length > 1 && field.value.endsWith(";") ? text : field.value;
};""",
    "linkify-it": "export class LinkifyIt {}",
    "punycode.js": "export default {toASCII: host => host, toUnicode: host => host};",
}

# Scripts that set a global, as modules.
EXPORTS = {"temml.js": "export default temml;\n"}

# Browsers resolve no bare names, and an inline import map would need an exception in the CSP.
MODULES = {
    "preact": "./preact.js",
    "preact/hooks": "./preact-hooks.js",
    "@preact/signals-core": "./signals-core.js",
}


def adapted(source: str) -> str:
    """The module with its imports rewritten, and without the name of a map that isn't here."""
    for name, file in MODULES.items():
        source = source.replace(f'from"{name}"', f'from"{file}"')
    return re.sub(r"\n?(//|/\*)# sourceMappingURL=\S*( ?\*/)?\s*$", "\n", source)


def bundled(library: Library, folder: Path) -> tuple[str, list[str]]:
    """Bundle and minify a library with npm and esbuild.

    Return the module, and the licences of the dependencies that it contains.
    """
    assert library.bundled is not None
    npm = ["npm", "install", "--silent", "--no-save", "--prefix", str(folder)]
    subprocess.run([*npm, f"{library.package}@{library.version}", ESBUILD], check=True)
    modules = folder / "node_modules"
    aliases = []
    for name, source in REPLACED.items():
        stub = folder / f"{name}.mjs"
        stub.write_text(source)
        aliases.append(f"--alias:{name}={stub}")
    entry = str(modules / library.package / library.path)
    esbuild = [str(modules / ".bin" / "esbuild"), "--bundle", "--minify", "--format=esm"]
    run = subprocess.run([*esbuild, *aliases, entry], check=True, capture_output=True, text=True)
    licences = [
        f"\n\n{name}\n\n{next((modules / name).glob('LICENSE*')).read_text()}"
        for name in library.bundled
    ]
    return run.stdout, licences


def brought(library: Library, folder: Path) -> dict[str, str]:
    """Write the library's file and its licence; return the row of the record."""
    wanted = f"{library.package}@{library.version}"
    pack = ["npm", "pack", "--silent", "--pack-destination", str(folder), wanted]
    archive = subprocess.run(pack, check=True, capture_output=True, text=True).stdout.strip()
    with tarfile.open(folder / archive) as package:

        def text(path: str) -> str:
            member = package.extractfile(f"package/{path}")
            assert member is not None
            return member.read().decode()

        module, licences = text(library.path), [text(library.licence)]
        if library.bundled is not None:
            module, others = bundled(library, folder)
            licences += others
        module = adapted(module) + EXPORTS.get(library.file, "")
        about = json.loads(text("package.json"))
        licence_file = f"{Path(library.file).stem}.LICENSE.txt"
        notice = f"\n\n{text(library.notice)}" if library.notice else ""
        (HERE / licence_file).write_text("".join(licences) + notice)
    (HERE / library.file).write_text(module)
    return {
        "file": library.file,
        "library": library.package,
        "version": library.version,
        "licence": about["license"],
        "licence_file": licence_file,
        "sha256": hashlib.sha256(module.encode()).hexdigest(),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = [brought(library, Path(folder)) for library in LIBRARIES]
    RECORD.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
