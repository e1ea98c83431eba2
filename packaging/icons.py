"""Draw the icons in `static/icons` from `static/quill.svg`: `python packaging/icons.py`.

Requires Debian's chromium and the `test` extra. The icons have the page's background colour and a
margin around the quill, so that systems can crop them to any shape.
"""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

STATIC = Path(__file__).parent.parent / "static"
ICONS = STATIC / "icons"
PAPER = "#fbfaf7"  # --paper of scales.css
SIZES = {"touch": 180, "icon-192": 192, "icon-512": 512}  # pixels
FAVICON = 32


def drawn(page: Page, size: int, *, is_filled: bool) -> bytes:
    """Return a square PNG with `size` pixels on each side."""
    page.set_viewport_size({"width": size, "height": size})
    padding = round(size * (0.18 if is_filled else 0.02))
    background = PAPER if is_filled else "transparent"
    svg = (STATIC / "quill.svg").read_text().replace("<svg ", '<svg width="100%" height="100%" ')
    page.set_content(
        f'<body style="margin:0; box-sizing:border-box; height:100vh; background:{background};'
        f' padding:{padding}px">{svg}</body>'
    )
    return page.screenshot(omit_background=not is_filled)


def as_ico(png: bytes, size: int) -> bytes:
    """Return an .ico file that contains one PNG."""
    header = struct.pack("<HHH", 0, 1, 1)
    entry = struct.pack("<BBBBHHII", size, size, 0, 0, 1, 32, len(png), len(header) + 16)
    return header + entry + png


def main() -> None:
    ICONS.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        for name, size in SIZES.items():
            (ICONS / f"{name}.png").write_bytes(drawn(page, size, is_filled=True))
        favicon = as_ico(drawn(page, FAVICON, is_filled=False), FAVICON)
        (ICONS / "favicon.ico").write_bytes(favicon)
        browser.close()


if __name__ == "__main__":
    main()
