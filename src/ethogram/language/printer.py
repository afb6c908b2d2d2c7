"""Syntax tree to expression text, with as few parentheses as possible.

`parse_expression(print_expression(tree)) == tree` for every tree that the parser can make.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import assert_never

from ethogram.language.functions import WITHOUT_PARENTHESES
from ethogram.language.lexer import KEYWORDS
from ethogram.language.parser import RESERVED
from ethogram.language.tree import (
    AccountTrait,
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    CustomerTrait,
    Date,
    Duration,
    Elem,
    Events,
    Everyone,
    Expression,
    Flag,
    Group,
    Items,
    Known,
    Me,
    Name,
    Negate,
    Not,
    Number,
    Or,
    Path,
    Percent,
    Property,
    Text,
    Word,
)

_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _SIGN, _OPERAND = range(8)
"""How tightly a node binds, from loosest to tightest."""

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_FILTER_WORDS = KEYWORDS | {"me", "customer", "account"}
_UNPRINTABLE = re.compile(
    r'[\\"`]|[^\x20-\x7e\xa1-\u1fff\u2030-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]'
)
_NAMED_ESCAPES = {"\n": r"\n", "\t": r"\t", "\r": r"\r", "\\": r"\\"}


def print_expression(expression: Expression) -> str:
    return _print(expression, _OR)


def print_lines(expression: Expression) -> list[str]:
    """The same text in lines that are joined by single spaces: one for each part of an outer `and` or `or`."""
    match expression:
        case And(items):
            return _joined_lines(items, "and", _NOT)
        case Or(items):
            return _joined_lines(items, "or", _AND)
        case _:
            return [print_expression(expression)]


def _joined_lines(items: tuple[Expression, ...], word: str, tightness: int) -> list[str]:
    printed = [_print(item, tightness) for item in items]
    return [printed[0], *(f"{word} {item}" for item in printed[1:])]


def print_number(value: Decimal) -> str:
    """Plain digits: no exponent, no zeros at the end.

    >>> print_number(Decimal("1E+2")), print_number(Decimal("2.50"))
    ('100', '2.5')
    """
    digits = format(value, "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def print_text(value: str) -> str:
    return f'"{_escaped(value, chr(34))}"'


def print_path(path: Path) -> str:
    """`address.city`; unusual names stand in backquotes."""
    return ".".join(print_name(name) for name in path)


def print_name(name: str, reserved: frozenset[str] = frozenset()) -> str:
    is_plain = _IDENTIFIER.fullmatch(name) and name not in reserved
    return name if is_plain else f"`{_escaped(name, '`')}`"


def _escaped(value: str, quote: str) -> str:
    def escape(match: re.Match[str]) -> str:
        character = match[0]
        if character in '"`':
            return f"\\{character}" if character == quote else character
        return _NAMED_ESCAPES.get(character) or f"\\u{ord(character):04x}"

    return _UNPRINTABLE.sub(escape, value)


def _print(node: Expression, tightness: int) -> str:
    text, own = _bound(node)
    return text if own >= tightness else f"({text})"


def _bound(node: Expression) -> tuple[str, int]:
    """The text of a node, and how tightly it binds."""
    match node:
        case Or(items):
            return " or ".join(_print(item, _AND) for item in items), _OR
        case And(items):
            return " and ".join(_print(item, _NOT) for item in items), _AND
        case Not(item):
            return _negated(item)
        case Compare(operator, left, right):
            return _infix(operator, left, right), _COMPARISON
        case Between(item, low, high):
            return f"{_print(item, _SUM)} between {_print(low, _SUM)} and {_print(high, _SUM)}", _COMPARISON
        case Known(item):
            return f"{_print(item, _SUM)} is known", _COMPARISON
        case Arithmetic(operator, left, right):
            own = _SUM if operator in "+-" else _PRODUCT
            return f"{_print(left, own)} {operator} {_print(right, own + 1)}", own
        case Negate(item):
            return f"-{_print(item, _SIGN)}", _SIGN
        case _:
            return _operand(node), _OPERAND


def _negated(item: Expression) -> tuple[str, int]:
    match item:
        case Compare("==", left, right):
            return _infix("!=", left, right), _COMPARISON
        case Compare("in", left, right):
            return _infix("not in", left, right), _COMPARISON
        case Known(inner):
            return f"{_print(inner, _SUM)} is not known", _COMPARISON
        case _:
            return f"not {_print(item, _NOT)}", _NOT


def _infix(operator: str, left: Expression, right: Expression) -> str:
    return f"{_print(left, _SUM)} {operator} {_print(right, _SUM)}"


def _operand(node: Expression) -> str:
    match node:
        case Number(value):
            return print_number(value)
        case Percent(value):
            return f"{print_number(value)}%"
        case Text(value):
            return print_text(value)
        case Flag(value):
            return "true" if value else "false"
        case Date(value):
            return f"date({print_text(value)})"
        case Duration(amount, unit):
            return f"{amount}{unit}"
        case Word(value):
            return value
        case Items(items):
            return f"[{', '.join(print_expression(item) for item in items)}]"
        case Name(name):
            return print_name(name, RESERVED)
        case Group(segmentation, group):
            return f"{print_name(segmentation, RESERVED)}.{print_name(group)}"
        case CustomerTrait(path):
            return f"customer.{print_path(path)}"
        case AccountTrait(path):
            return f"account.{print_path(path)}"
        case Everyone():
            return "everyone"
        case Events():
            return _events(node)
        case Property(path):
            return ".".join([print_name(path[0], _FILTER_WORDS), *(print_name(name) for name in path[1:])])
        case Me(trait):
            return f"me.{print_name(trait)}"
        case Elem(path, where):
            return f"elem({print_path(path)}, {print_expression(where)})"
        case Call():
            return _call(node)
        case And() | Or() | Not() | Compare() | Between() | Known() | Arithmetic() | Negate():
            raise AssertionError("operators are printed by _bound")
        case _:
            assert_never(node)


def _events(node: Events) -> str:
    source = print_text(node.source) if node.raw else print_name(node.source, KEYWORDS)
    where = f"[{print_expression(node.where)}]" if node.where is not None else ""
    path = f".{print_path(node.path)}" if node.path else ""
    return source + where + path


def _call(node: Call) -> str:
    if node.function in WITHOUT_PARENTHESES:
        return node.function
    arguments = [print_expression(argument) for argument in node.arguments]
    options = [f"{option.name}={print_expression(option.value)}" for option in node.options]
    return f"{node.function}({', '.join(arguments + options)})"
