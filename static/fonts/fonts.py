"""Make the page's font: `python static/fonts/fonts.py`, with npm, fonttools and brotli installed.

The page is set in Geist (SIL Open Font License), of which it needs a tenth: Latin letters
in two files, of which most visitors load the first, one axis, and kerning. `fonts.json` records
the source and the SHA-256 of each file; a test compares them. Other scripts use system fonts.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

HERE = Path(__file__).parent
PACKAGE, VERSION = "@fontsource-variable/geist", "5.3.0"
WEIGHTS = (400, 650)

ASCII = range(0x20, 0x7F)
LATIN_1 = range(0xA0, 0x100)
EXTENDED_A = range(0x100, 0x180)
SIGNS = "ŒœŸ–—‘’‚“”„†‡•…‰‹›€™←↑→↓−≈≠≤≥⌘⇧\u202f"

# The file here, the file in the package, its characters, and its layout features
FILES = (
    ("geist-latin.woff2", "geist-latin-wght-normal.woff2",
     [*ASCII, *LATIN_1, *map(ord, SIGNS)], ["kern"]),
    ("geist-latin-ext.woff2", "geist-latin-ext-wght-normal.woff2", list(EXTENDED_A), []),
)  # fmt: skip


def small(source: Path, target: Path, characters: list[int], features: list[str]) -> None:
    """Write the part of a font that the page needs."""
    font = TTFont(source)
    options = subset.Options()
    options.layout_features = features
    options.hinting = False
    options.name_IDs = [0, 1, 2, 13, 14]  # with its copyright and licence
    options.notdef_outline = True
    options.drop_tables += ["STAT", "MVAR"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    font = instancer.instantiateVariableFont(font, {"wght": WEIGHTS})
    font["head"].modified = font["head"].created  # the same bytes each time
    font.recalcTimestamp = False
    font.flavor = "woff2"
    font.save(target)


def main() -> None:
    record = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pack = ["npm", "pack", "--silent", "--pack-destination", name, f"{PACKAGE}@{VERSION}"]
        archive = subprocess.run(pack, check=True, capture_output=True, text=True).stdout.strip()
        with tarfile.open(folder / archive) as package:
            package.extractall(folder, filter="data")
        files = folder / "package"
        (HERE / "geist.LICENSE.txt").write_bytes((files / "LICENSE").read_bytes())
        for target, source, characters, features in FILES:
            small(files / "files" / source, HERE / target, characters, features)
            digest = hashlib.sha256((HERE / target).read_bytes()).hexdigest()
            record.append({"file": target, "package": PACKAGE, "version": VERSION,
                           "licence": "OFL-1.1", "sha256": digest})  # fmt: skip
    (HERE / "fonts.json").write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
