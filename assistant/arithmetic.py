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
    r"[\s¿¡]*(?:(?:please|and|so|ok|what's|what is|how much is|calculate|compute|solve|work out"
    r"|bitte|und|was ist|was sind|was ergibt|wie viel (?:ist|sind|ergibt)|wieviel (?:ist|sind)|rechne"
    r"|berechne|et|combien (?:font|fait|vaut)|calcule[rz]?|y|cuánto (?:es|son)|cuanto (?:es|son)"
    r"|calcula|el|le|die|das|the)(?!\w)[\s,:¿]*|(?:请|计算|算一下|算)[\s:：]*)*"
    r"(?P<expression>.*?)(?:是多少|等于多少|等于几|等于|得多少)?[\s=?.!？。！]*\Z",
    re.IGNORECASE | re.DOTALL,
)
_PERCENT = r"(\d+(?:\.\d+)?)\s*(?:%|％|percent|per cent|prozent|pour cent|por ciento)"
_PERCENT_OF = re.compile(rf"{_PERCENT}\s+(?:of|von|de|del|des)\s+", re.IGNORECASE)
_OF_PERCENT = re.compile(rf"(\d+(?:\.\d+)?)\s*的\s*{_PERCENT}", re.IGNORECASE)
_OPERATIONS = tuple(
    (re.compile(rf"(?<![\w])(?:{words})(?![\w])|(?:{signs})", re.IGNORECASE), operation)
    for operation, words, signs in (
        ("^2", "squared|(?:zum )?quadrat|au carré|al cuadrado", "的平方"),
        ("^", "to the power of|hoch|puissance|elevado a", "的次方"),
        (
            "/",
            "divided by|over|(?:geteilt )?durch|divisé par|sur|dividido (?:por|entre)|entre",
            "除以",
        ),
        ("*", "times|multiplied by|mal|fois|multiplié par|por|multiplicado por", "乘以|乘"),
        ("+", "plus|más|mas", "加"),
        ("-", "minus|moins|menos", "减"),
    )
)
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "^": "\0"})
_EXPRESSION = re.compile(r"[\d.()+\-*/\s]+\Z")

_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def calculate(text: str, *, has_decimal_comma: bool = False) -> str | None:
    """Return the calculation that a text asks for, such as `2 + 2 = 4`; None for no calculation.

    With `has_decimal_comma`, `1.250,5` is a number. Raises `ZeroDivisionError`.
    """
    match = _QUESTION.match(text[: _MAX_CHARACTERS + 1])
    if match is None or len(text) > _MAX_CHARACTERS:
        return None
    asked = match["expression"].strip()
    if not any(character.isdigit() for character in asked):
        return None  # the usual case
    tree = _parsed(_with_points(asked) if has_decimal_comma else asked)
    if tree is None:
        return None
    try:
        result = _written(_value(tree))
    except (OverflowError, ValueError):
        return None
    return f"{asked} = {result.replace('.', ',') if has_decimal_comma else result}"


def _with_points(asked: str) -> str:
    """Return an expression with decimal points instead of commas, and without points between."""
    grouped = re.sub(r"(?<=\d)[.\u00a0\u202f](?=\d{3}(?!\d))", "", asked)
    return re.sub(r"(?<=\d),(?=\d)", ".", grouped)


def _parsed(asked: str) -> ast.expr | None:
    """Return the tree of an expression with at least one operation."""
    if "**" in asked or "//" in asked:
        return None
    plain = _OF_PERCENT.sub(r"\2/100*\1", _PERCENT_OF.sub(r"\1/100*", asked))
    for pattern, operation in _OPERATIONS:
        plain = pattern.sub(f" {operation} ", plain)
    plain = _THOUSANDS.sub(lambda number: number[0].replace(",", ""), plain)
    plain = re.sub(r"(?<=[\d)\s])[xX](?=[\d(\s])", "*", plain).translate(_SIGNS)
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
