"""Small, plausible mistakes in production code: one changed expression or statement each."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("assistant", "cli", "core", "handlers", "schemas", "services", "storage", "web")

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
}


@dataclass(frozen=True)
class Mutant:
    """`path` is relative to the root; the text from `start` to `end` (offsets) is replaced."""

    path: str
    line: int
    start: int
    end: int
    before: str
    after: str

    def apply(self, source: str) -> str:
        return source[: self.start] + self.after + source[self.end :]

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.before!r} -> {self.after!r}"


def sample(seed: int, count: int) -> list[Mutant]:
    """`count` mutants of all production code, always the same for the same seed and code."""
    every = [
        mutant
        for room in ROOMS
        for path in sorted((ROOT / room).glob("*.py"))
        for mutant in of(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
    ]
    return random.Random(seed).sample(every, min(count, len(every)))


def of(source: str, path: str) -> Iterator[Mutant]:
    """All mutants of a module."""
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def offset(line: int, column: int) -> int:
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    for node in _mutable(ast.parse(source)):
        after = _changed(node)
        if after is None:
            continue
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = offset(node.lineno, node.col_offset)
        end = offset(node.end_lineno, node.end_col_offset)
        yield Mutant(path, node.lineno, start, end, source[start:end], after)


def _mutable(tree: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """Nodes in which a change is a change of behaviour: no annotations, docstrings or logging."""
    for child in ast.iter_child_nodes(tree):
        if _is_without_behaviour(child):
            continue
        if isinstance(child, ast.expr | ast.stmt):
            yield child
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in child.body:
                if not _is_without_behaviour(statement):
                    yield statement
                    yield from _mutable(statement)
            continue
        if isinstance(child, ast.AnnAssign):
            if child.value is not None:
                yield child.value
                yield from _mutable(child.value)
            continue
        yield from _mutable(child)


def _is_without_behaviour(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert | ast.Import | ast.ImportFrom | ast.JoinedStr | ast.arg):
        return True
    if not isinstance(node, ast.Expr):
        return False
    called = node.value.func if isinstance(node.value, ast.Call) else None
    is_logged = isinstance(called, ast.Attribute) and ast.unparse(called.value) == "log"
    return is_logged or isinstance(node.value, ast.Constant)


def _changed(node: ast.expr | ast.stmt) -> str | None:
    """The text in the node's place; None where no change is defined."""
    match node:
        case ast.Compare(left, [operator], [right]):
            other = _COMPARISONS[type(operator)]()
            return f"({ast.unparse(ast.Compare(left, [other], [right]))})"
        case ast.BoolOp(operator, values):
            other_operator = ast.Or() if isinstance(operator, ast.And) else ast.And()
            return f"({ast.unparse(ast.BoolOp(other_operator, values))})"
        case ast.UnaryOp(ast.Not(), operand):
            return f"({ast.unparse(operand)})"
        case ast.BinOp(left, operator, right) if type(operator) in _ARITHMETIC:
            if any(isinstance(side, ast.JoinedStr | ast.Constant) for side in (left, right)):
                return None  # mostly text
            return f"({ast.unparse(ast.BinOp(left, _ARITHMETIC[type(operator)](), right))})"
        case ast.Constant(bool() as value):
            return str(not value)
        case ast.Constant(int() as value):
            return str(value + 1)
        case ast.Return(value) if value is not None and not isinstance(value, ast.Constant):
            return "return None"
        case ast.Expr(ast.Call() | ast.Await()):
            return "pass"
        case ast.Raise():
            return "pass"
    return None
