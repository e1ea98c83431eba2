"""Bring the page's libraries: `python static/vendor/vendor.py`, with npm on the machine.

To take a newer one, change its version in `LIBRARIES` and run this again. What was brought is
written down in `vendor.json`: of each file the library, its version, its licence and the SHA-256
of the file as it lies here. The tests compare; nothing is brought when the program is installed
or runs.
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


class Library(NamedTuple):
    package: str
    version: str
    path: str  # of the ES module within the package
    file: str  # its name here
    licence: str = "LICENSE"
    notice: str | None = None  # Apache-2.0, section 4 (d)


LIBRARIES = (
    Library("preact", "11.2.0", "dist/preact.mjs", "preact.js"),
    Library("preact", "11.2.0", "hooks/dist/hooks.mjs", "preact-hooks.js"),
    Library("@preact/signals-core", "1.14.5", "dist/signals-core.mjs", "signals-core.js"),
    Library("@preact/signals", "2.11.4", "dist/signals.mjs", "signals.js"),
    Library("htm", "3.1.1", "dist/htm.mjs", "htm.js"),
    Library("marked", "18.2.1", "lib/marked.esm.js", "marked.js"),
    Library("dompurify", "3.4.18", "dist/purify.es.mjs", "purify.js"),
    Library("@highlightjs/cdn-assets", "11.12.0", "es/highlight.min.js", "highlight.js"),
    # For `/docs` alone
    Library("swagger-ui-dist", "5.35.0", "swagger-ui-bundle.js", "swagger-ui.js", notice="NOTICE"),
    Library("swagger-ui-dist", "5.35.0", "swagger-ui.css", "swagger-ui.css", notice="NOTICE"),
)

# Browsers know no bare names, and an inline import map would need a hole in the policy (CSP).
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


def brought(library: Library, folder: Path) -> dict[str, str]:
    """Put the library's file and its licence here; the row of the record."""
    wanted = f"{library.package}@{library.version}"
    pack = ["npm", "pack", "--silent", "--pack-destination", str(folder), wanted]
    archive = subprocess.run(pack, check=True, capture_output=True, text=True).stdout.strip()
    with tarfile.open(folder / archive) as package:

        def text(path: str) -> str:
            member = package.extractfile(f"package/{path}")
            assert member is not None
            return member.read().decode()

        module = adapted(text(library.path))
        about = json.loads(text("package.json"))
        licence_file = f"{Path(library.file).stem}.LICENSE.txt"
        notice = f"\n\n{text(library.notice)}" if library.notice else ""
        (HERE / licence_file).write_text(text(library.licence) + notice)
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
