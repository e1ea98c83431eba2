"""Bundle `static/client` into `static/quillium.js`, the single file that front ends copy.

Run `python packaging/client.py`; a test fails if the bundle is out of date.
"""

from __future__ import annotations

import re
from pathlib import Path

STATIC = Path(__file__).parent.parent / "static"
TARGET = STATIC / "quillium.js"
# In dependency order; the last one starts with the module's documentation.
MODULES = ["errors", "tabs", "http", "session", "calls", "records", "socket", "queue", "quillium"]
NOTE = "// Joined from static/client/*.js by packaging/client.py: edit those.\n"


def joined() -> str:
    """Return the text of the bundle."""
    texts = {name: (STATIC / "client" / f"{name}.js").read_text() for name in MODULES}
    head, _, body = texts["quillium"].partition("*/\n")
    parts = [_without_imports(texts[name]).replace("\nexport ", "\n") for name in MODULES[:-1]]
    main = _without_imports(body).replace("export {QuilliumError};\n\n", "")
    return "\n\n".join([f"{head}*/\n{NOTE}", *(part.strip("\n") for part in parts)]) + (
        f"\n\n{main.strip()}\n\nexport {{QuilliumError}};\n"
    )


def _without_imports(text: str) -> str:
    text = re.sub(r'^import .* from "\./\w+\.js";\n', "", text, flags=re.MULTILINE)
    return re.sub(r'import\("\./\w+\.js"\)\.', "", text)  # type imports, in comments


if __name__ == "__main__":
    TARGET.write_text(joined())
