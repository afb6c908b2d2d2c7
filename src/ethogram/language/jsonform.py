"""Syntax tree to plain JSON and back, without loss.

Every node is an object whose "node" names its kind. Numbers are texts ("12.5"), since JSON's own are not exact. Places in files
are left out. What comes back from JSON is checked: only trees that the language can write are accepted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias, TypeVar, assert_never, get_args

from ethogram.language.literals import LARGEST
from ethogram.language.parser import parse_expression, parse_filter
from ethogram.language.printer import print_expression, print_number
from ethogram.language.tree import (
    AccountTrait,
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    Comparison,
    CustomerTrait,
    Date,
    Duration,
    DurationUnit,
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
    Operator,
    Option,
    Or,
    Path,
    Percent,
    Property,
    Text,
    Word,
)
from ethogram.language.walk import MAX_DEPTH
from ethogram.model.errors import DefinitionError

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"
T = TypeVar("T", bound=str)


def to_json(node: Expression) -> dict[str, Json]:
    """A plain object for json.dumps."""
    match node:
        case Number(value):
            return {"node": "number", "value": print_number(value)}
        case Percent(value):
            return {"node": "percent", "value": print_number(value)}
        case Text(value):
            return {"node": "text", "value": value}
        case Flag(value):
            return {"node": "flag", "value": value}
        case Date(value):
            return {"node": "date", "value": value}
        case Duration(amount, unit):
            return {"node": "duration", "amount": amount, "unit": unit}
        case Items(items):
            return {"node": "items", "items": _all_to_json(items)}
        case Word(value):
            return {"node": "word", "value": value}
        case Name(name):
            return {"node": "name", "name": name}
        case Group(segmentation, group):
            return {"node": "group", "segmentation": segmentation, "group": group}
        case CustomerTrait(path):
            return {"node": "customer_trait", "path": list(path)}
        case AccountTrait(path):
            return {"node": "account_trait", "path": list(path)}
        case Everyone():
            return {"node": "everyone"}
        case Events(source, raw, where, path):
            filtered = to_json(where) if where is not None else None
            return {"node": "events", "source": source, "raw": raw, "where": filtered, "path": list(path)}
        case Property(path):
            return {"node": "property", "path": list(path)}
        case Me(trait):
            return {"node": "me", "trait": trait}
        case Elem(path, where):
            return {"node": "elem", "path": list(path), "where": to_json(where)}
        case And(items):
            return {"node": "and", "items": _all_to_json(items)}
        case Or(items):
            return {"node": "or", "items": _all_to_json(items)}
        case Not(item):
            return {"node": "not", "item": to_json(item)}
        case Compare(operator, left, right):
            return {"node": "compare", "operator": operator, "left": to_json(left), "right": to_json(right)}
        case Between(item, low, high):
            return {"node": "between", "item": to_json(item), "low": to_json(low), "high": to_json(high)}
        case Known(item):
            return {"node": "known", "item": to_json(item)}
        case Arithmetic(sign, left, right):
            return {"node": "arithmetic", "operator": sign, "left": to_json(left), "right": to_json(right)}
        case Negate(item):
            return {"node": "negate", "item": to_json(item)}
        case Call(function, arguments, options):
            named: list[Json] = [{"name": option.name, "value": to_json(option.value)} for option in options]
            return {
                "node": "call",
                "function": function,
                "arguments": _all_to_json(arguments),
                "options": named,
            }
        case _:
            assert_never(node)


def _all_to_json(nodes: tuple[Expression, ...]) -> list[Json]:
    return [to_json(node) for node in nodes]


def from_json(value: object, *, inside_filter: bool = False) -> Expression:
    """The tree of a JSON object, or of a filter's.

    Raises DefinitionError whose `field` is the JSON pointer of what is wrong.
    """
    tree = _node(value, "", 0)
    _require_writable(tree, inside_filter=inside_filter)
    return tree


def _require_writable(tree: Expression, *, inside_filter: bool) -> None:
    text = print_expression(tree)
    parse = parse_filter if inside_filter else parse_expression
    if parse(text) != tree:
        raise _error("", f"this tree cannot be written in the language; it would read: {text}")


def _node(value: object, pointer: str, depth: int) -> Expression:
    if depth >= MAX_DEPTH:
        raise _error(pointer, f"nested too deeply (less than {MAX_DEPTH} levels are possible)")
    fields = _Object(value, pointer, depth)
    node = _build(fields, fields.text("node"))
    fields.require_nothing_else()
    return node


def _build(fields: _Object, kind: str) -> Expression:
    match kind:
        case "number":
            return Number(fields.number("value"))
        case "percent":
            return Percent(fields.number("value"))
        case "text":
            return Text(fields.text("value"))
        case "flag":
            return Flag(fields.flag("value"))
        case "date":
            return Date(fields.text("value"))
        case "duration":
            return Duration(fields.whole("amount"), fields.one_of("unit", get_args(DurationUnit)))
        case "items":
            return Items(fields.nodes("items", 1))
        case "word":
            return Word(fields.text("value"))
        case "name":
            return Name(fields.text("name"))
        case "group":
            return Group(fields.text("segmentation"), fields.text("group"))
        case "customer_trait":
            return CustomerTrait(fields.path("path", 1))
        case "account_trait":
            return AccountTrait(fields.path("path", 1))
        case "everyone":
            return Everyone()
        case "events":
            where = fields.node("where") if fields.has("where") else None
            return Events(fields.text("source"), fields.flag("raw"), where, fields.path("path", 0))
        case "property":
            return Property(fields.path("path", 1))
        case "me":
            return Me(fields.text("trait"))
        case "elem":
            return Elem(fields.path("path", 1), fields.node("where"))
        case "and":
            return And(fields.nodes("items", 2))
        case "or":
            return Or(fields.nodes("items", 2))
        case "not":
            return Not(fields.node("item"))
        case "compare":
            operator: Comparison = fields.one_of("operator", get_args(Comparison))
            return Compare(operator, fields.node("left"), fields.node("right"))
        case "between":
            return Between(fields.node("item"), fields.node("low"), fields.node("high"))
        case "known":
            return Known(fields.node("item"))
        case "arithmetic":
            sign: Operator = fields.one_of("operator", get_args(Operator))
            return Arithmetic(sign, fields.node("left"), fields.node("right"))
        case "negate":
            return Negate(fields.node("item"))
        case "call":
            return Call(fields.text("function"), fields.nodes("arguments", 0), fields.options("options"))
        case _:
            raise _error(f"{fields.pointer}/node", f"there is no node called '{kind}'")


class _Object:
    """A JSON object that knows its pointer; every field is read once, with its type."""

    def __init__(self, value: object, pointer: str, depth: int) -> None:
        if not isinstance(value, Mapping):
            raise _error(pointer, f"an object is expected, this is {_name_of(value)}")
        self.value = value
        self.pointer = pointer
        self.depth = depth
        self.read: set[str] = set()

    def has(self, key: str) -> bool:
        self.read.add(key)
        return self.value.get(key) is not None

    def get(self, key: str) -> object:
        self.read.add(key)
        if key not in self.value:
            raise _error(self.pointer, f"the key '{key}' is missing")
        found: object = self.value[key]
        return found

    def text(self, key: str) -> str:
        found = self.get(key)
        if isinstance(found, str):
            return found
        raise self._wrong(key, "a text", found)

    def flag(self, key: str) -> bool:
        found = self.get(key)
        if isinstance(found, bool):
            return found
        raise self._wrong(key, "true or false", found)

    def whole(self, key: str) -> int:
        found = self.get(key)
        if isinstance(found, int) and not isinstance(found, bool) and found >= 0:
            return found
        raise self._wrong(key, "a whole number", found)

    def number(self, key: str) -> Decimal:
        found = self.text(key)
        if re.fullmatch(r"[0-9]{1,19}(\.[0-9]{1,6})?", found) and Decimal(found) <= LARGEST:
            return Decimal(found)
        raise _error(
            f"{self.pointer}/{key}", f"'{found}' is not a number in plain digits with at most six places"
        )

    def one_of(self, key: str, known: tuple[T, ...]) -> T:
        found = self.text(key)
        for candidate in known:
            if candidate == found:
                return candidate
        raise _error(f"{self.pointer}/{key}", f"'{found}' is not one of {', '.join(known)}")

    def path(self, key: str, least: int) -> Path:
        return tuple(_text_at(item, pointer) for item, pointer in self._items(key, least))

    def node(self, key: str) -> Expression:
        return _node(self.get(key), f"{self.pointer}/{key}", self.depth + 1)

    def nodes(self, key: str, least: int) -> tuple[Expression, ...]:
        return tuple(_node(item, pointer, self.depth + 1) for item, pointer in self._items(key, least))

    def options(self, key: str) -> tuple[Option, ...]:
        return tuple(_option(item, pointer, self.depth) for item, pointer in self._items(key, 0))

    def require_nothing_else(self) -> None:
        for key in self.value:
            if key not in self.read:
                raise _error(
                    f"{self.pointer}/{_escape(key)}", f"unknown key; there are {', '.join(sorted(self.read))}"
                )

    def _items(self, key: str, least: int) -> list[tuple[object, str]]:
        found = self.get(key)
        if not isinstance(found, list | tuple):
            raise self._wrong(key, "a list", found)
        if len(found) < least:
            raise _error(f"{self.pointer}/{key}", f"at least {least} items are needed")
        return [(item, f"{self.pointer}/{key}/{index}") for index, item in enumerate(found)]

    def _wrong(self, key: str, expected: str, found: object) -> DefinitionError:
        return _error(f"{self.pointer}/{key}", f"{expected} is expected, this is {_name_of(found)}")


def _option(value: object, pointer: str, depth: int) -> Option:
    fields = _Object(value, pointer, depth)
    option = Option(fields.text("name"), fields.node("value"))
    fields.require_nothing_else()
    return option


def _text_at(value: object, pointer: str) -> str:
    if isinstance(value, str) and value:
        return value
    raise _error(pointer, f"a text is expected, this is {_name_of(value)}")


def _escape(key: object) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")


def _name_of(value: object) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return "null" if value is None else names.get(type(value), "something else")


def _error(pointer: str, message: str) -> DefinitionError:
    return DefinitionError("E_JSON", f"{pointer or '/'}: {message}", field=pointer or "/")
