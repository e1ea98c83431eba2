"""Join the modules of `static/client` to `static/quillium.js`, the one file that front ends copy.

`python packaging/client.py` writes it; a test fails when it differs from its sources.
"""

from __future__ import annotations

import re
from pathlib import Path

STATIC = Path(__file__).parent.parent / "static"
TARGET = STATIC / "quillium.js"
# Each needs only those before it; the last one begins with the module's documentation.
MODULES = ["errors", "tabs", "http", "session", "calls", "records", "line", "queue", "quillium"]
NOTE = "// Joined from static/client/*.js by packaging/client.py: edit those.\n"


def joined() -> str:
    """Return the text of the joined module."""
    texts = {name: (STATIC / "client" / f"{name}.js").read_text() for name in MODULES}
    head, _, body = texts["quillium"].partition("*/\n")
    parts = [_without_imports(texts[name]).replace("\nexport ", "\n") for name in MODULES[:-1]]
    main = _without_imports(body).replace("export {QuilliumError};\n\n", "")
    return "\n\n".join([f"{head}*/\n{NOTE}", *(part.strip("\n") for part in parts)]) + (
        f"\n\n{main.strip()}\n\nexport {{QuilliumError}};\n"
    )


def _without_imports(text: str) -> str:
    text = re.sub(r'^import .* from "\./\w+\.js";\n', "", text, flags=re.MULTILINE)
    return re.sub(r'import\("\./\w+\.js"\)\.', "", text)  # of types, in comments


if __name__ == "__main__":
    TARGET.write_text(joined())
