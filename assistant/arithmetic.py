"""Arithmetic for `quillium-demo`: a whole expression is calculated exactly, or not at all."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from fractions import Fraction

_MAX_CHARACTERS = 200
_MAX_EXPONENT = 100
_MAX_BITS = 400  # of numerator and denominator: some 120 digits
_DECIMALS = 10

_QUESTION = re.compile(
    r"\s*(?:(?:please|and|so|ok|what's|what is|how much is|calculate|compute|solve|work out)\b"
    r"[\s,:]*)*(?P<expression>.*?)[\s=?.!]*\Z",
    re.IGNORECASE | re.DOTALL,
)
_PERCENT_OF = re.compile(r"(\d+(?:\.\d+)?)\s*(?:%|percent|per cent)\s+of\s+", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "^": "\0"})
_EXPRESSION = re.compile(r"[\d.()+\-*/\s]+\Z")

_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def calculate(text: str) -> str | None:
    """Return the calculation that a text asks for, such as `2 + 2 = 4`; None for no calculation."""
    match = _QUESTION.match(text[: _MAX_CHARACTERS + 1])
    if match is None or len(text) > _MAX_CHARACTERS:
        return None
    asked = match["expression"].strip()
    tree = _parsed(asked)
    if tree is None:
        return None
    try:
        return f"{asked} = {_written(_value(tree))}"
    except ZeroDivisionError:
        return "Nothing can be divided by zero."
    except (OverflowError, ValueError):
        return None


def _parsed(asked: str) -> ast.expr | None:
    """Return the tree of an expression with at least one operation."""
    plain = _PERCENT_OF.sub(r"\1/100*", asked)
    plain = _THOUSANDS.sub(lambda number: number[0].replace(",", ""), plain)
    plain = re.sub(r"(?<=[\d)\s])[xX](?=[\d(\s])", "*", plain).translate(_SIGNS)
    if "**" in plain or "//" in plain:
        return None
    if not _EXPRESSION.match(plain.replace("\0", "*")):
        return None
    try:
        tree = ast.parse(plain.replace("\0", "**").strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # also numbers such as 01, which stand in dates
    return tree if isinstance(tree, ast.BinOp) else None


def _value(node: ast.expr) -> Fraction:
    """Raises `ZeroDivisionError`, and `OverflowError` where the result is too large to show."""
    match node:
        case ast.Constant(int() | float()):
            return Fraction(str(node.value))
        case ast.UnaryOp(ast.USub(), operand):
            return -_value(operand)
        case ast.UnaryOp(ast.UAdd(), operand):
            return _value(operand)
        case ast.BinOp(left, ast.Pow(), right):
            result = _power(_value(left), _value(right))
        case ast.BinOp(left, kind, right) if type(kind) in _OPERATORS:
            result = _OPERATORS[type(kind)](_value(left), _value(right))
        case _:
            raise ValueError("not arithmetic")
    if max(result.numerator.bit_length(), result.denominator.bit_length()) > _MAX_BITS:
        raise OverflowError
    return result


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1 or abs(exponent) > _MAX_EXPONENT:
        raise OverflowError
    return Fraction(base ** int(exponent))


def _written(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    rounded = round(value, _DECIMALS)
    sign, digits = ("-", -rounded) if rounded < 0 else ("", rounded)
    whole, rest = divmod(digits.numerator * 10**_DECIMALS // digits.denominator, 10**_DECIMALS)
    decimals = f"{rest:0{_DECIMALS}d}".rstrip("0")
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"
