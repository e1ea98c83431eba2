"""Bundles of the page's modules and styles, which reduce eighty requests to two.

The source files are also served unchanged. A bundle is built on the first request and again after
each change, so there is no build step to forget.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from handlers import minify

ENTRY = "page/main.js"
STYLES = (
    "scales",
    "elements",
    "layout",
    "conversation",
    "attachments",
    "dialogs",
    "settings",
    "devices",
)  # in this order
JOINED = ("bundle/page.js", "bundle/page.css")  # paths below `static`
LATER = ("converters.js", "vendor/highlight.js", "vendor/temml.js")  # loaded on demand

_FROM = r'\s*from\s*"(?P<path>\.[^"]+)"|\s*"(?P<bare>\.[^"]+)")\s*;?'
_IMPORT = re.compile(
    r"(?:^|(?<=;))import(?:\s*(?P<what>\{[^}]*\}|\*\s*as\s+[\w$]+|[\w$]+(?:\s*,\s*\{[^}]*\})?)"
    + _FROM,
    re.MULTILINE,
)
_EXPORT_FROM = re.compile(r'export\s*\{(?P<names>[^}]*)\}\s*from\s*"(?P<path>\.[^"]+)"\s*;?')
_EXPORT_LIST = re.compile(r"export\s*\{(?P<names>[^}]*)\}\s*;?")
_EXPORT_NAME = re.compile(
    r"^export (?P<kind>const|class|function\*?|async function) (?P<name>[\w$]+)", re.MULTILINE
)
_EXPORT_DEFAULT = re.compile(r"export default\s*")


def joined_script(static: Path) -> str:
    """Return one module that is equivalent to `page/main.js` with all of its imports.

    Each module becomes a function, and its exports become properties of an object. This requires
    modules without circular imports, and exports that are never reassigned; a test checks both.
    """
    parts = []
    order = list(modules(static))
    for number, name in enumerate(order):
        source = (static / name).read_text(encoding="utf-8")
        block = _as_block(source, name, number, order)
        if not name.startswith("vendor/"):
            block = minify.script(block).strip()
        # A function scopes a module's variables. The entry uses `await`, so it gets a plain block.
        is_entry = name == ENTRY
        wrapped = f"{{\n{block}\n}}" if is_entry else f"(() => {{\n{block}\n}})();"
        parts.append(f"const m{number} = {{}};\n{wrapped}")
    table = ", ".join(f'"{name}": m{number}' for number, name in enumerate(order))
    return "\n".join([*parts, f"export const modules = {{{table}}};\n"])


def joined_styles(static: Path) -> str:
    """Return the page's style sheets, concatenated and minified."""
    files = (static / "page" / "styles" / f"{name}.css" for name in STYLES)
    source = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return minify.styles(source).replace('url("../../', 'url("../')  # the bundle lies one folder up


def changed(static: Path) -> int:
    """Return the latest modification time of the sources, in nanoseconds."""
    files = [*static.glob("*.js"), *static.glob("vendor/*.js"), *static.glob("client/*.js")]
    files += [*static.glob("page/**/*.js"), *static.glob("page/styles/*.css")]
    return max(file.stat().st_mtime_ns for file in files)


def modules(static: Path) -> Iterator[str]:
    """Return the page's initial modules, as paths below `static`, in dependency order."""
    seen: set[str] = set()

    def visit(name: str) -> Iterator[str]:
        if name in seen:
            return
        seen.add(name)
        source = (static / name).read_text(encoding="utf-8")
        for pattern in (_IMPORT, _EXPORT_FROM):
            for found in pattern.finditer(source):
                groups = found.groupdict()
                yield from visit(_resolved(name, groups["path"] or groups["bare"]))
        yield name

    yield from visit(ENTRY)


def _resolved(name: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))


def _as_block(source: str, name: str, number: int, order: list[str]) -> str:
    exports: list[str] = []

    def module(path: str) -> str:
        return f"m{order.index(_resolved(name, path))}"

    def imported(found: re.Match[str]) -> str:
        if found["bare"]:
            return ""
        return "".join(
            f"const {names} = {module(found['path'])};" for names in _bindings(found["what"])
        )

    def exported_from(found: re.Match[str]) -> str:
        other = module(found["path"])
        exports.extend(f"{new}: {other}.{old}" for old, new in _names(found["names"]))
        return ""

    def exported_list(found: re.Match[str]) -> str:
        exports.extend(f"{new}: {old}" for old, new in _names(found["names"]))
        return ""

    def exported_name(found: re.Match[str]) -> str:
        exports.append(found["name"])
        return f"{found['kind']} {found['name']}"

    changes: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
        (_IMPORT, imported),
        (_EXPORT_FROM, exported_from),
        (_EXPORT_LIST, exported_list),
        (_EXPORT_NAME, exported_name),
        (_EXPORT_DEFAULT, lambda _: f"m{number}.default = "),
    )
    for pattern, change in changes:
        source = pattern.sub(change, source)
    source = source.replace("import.meta.url", f'new URL("../{name}", import.meta.url)')
    for later in LATER:
        path = posixpath.relpath(later, posixpath.dirname(name))
        source = source.replace(f'import("{path}")', f'import("../{later}")')
    return f"{source}\nObject.assign(m{number}, {{{', '.join(exports)}}});"


def _names(text: str) -> list[tuple[str, str]]:
    """Parse the pairs of `a as b, c`."""
    parts = [part.split(" as ") for part in text.split(",") if part.strip()]
    return [(part[0].strip(), part[-1].strip()) for part in parts]


def _bindings(what: str) -> Iterator[str]:
    """Return the left-hand side of the assignments that replace an import."""
    if what.startswith("*"):
        yield what.split()[-1]
        return
    default, brace, names = what.partition("{")
    if default.strip(" ,"):
        yield f"{{default: {default.strip(' ,')}}}"
    if brace:
        pairs = _names(names.rstrip("}"))
        yield "{" + ", ".join(f"{old}: {new}" for old, new in pairs) + "}"
