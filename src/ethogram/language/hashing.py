"""The identity of a definition: a hash of what it means.

Titles, owners, tests, places, file and order do not matter, nor do the names of what is referred to: every reference counts
as what it stands for. Settings count only where the meaning depends on them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import TypeAlias, assert_never

from ethogram.language.files import gather
from ethogram.language.functions import FUNCTIONS, Takes
from ethogram.language.literals import date_problem
from ethogram.language.names import dependencies, evaluation_order, require
from ethogram.language.printer import print_number
from ethogram.language.tree import (
    AccountTrait,
    And,
    Arithmetic,
    Behavior,
    Between,
    Call,
    Compare,
    CustomerTrait,
    Date,
    Definition,
    Definitions,
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
    PeopleList,
    Percent,
    Property,
    Segment,
    Segmentation,
    Text,
    Trait,
    Word,
)
from ethogram.language.walk import walk
from ethogram.model.settings import Settings

Form: TypeAlias = "str | int | bool | None | list[Form]"
"""A canonical form: nested lists, equal for equal meaning."""

_CALENDAR_FUNCTIONS = frozenset(
    {"active_days", "active_periods", "streak", "recurring", "anniversary", "age"}
)
_CALENDAR_OPTIONS = frozenset({"this", "previous", "hours", "weekdays", "months", "holiday"})


def definition_hash(definitions: Definitions, name: str, settings: Settings) -> str:
    """64 hexadecimal digits. Raises DefinitionError when the name does not exist or refers to itself."""
    needed = [require(definitions, name)]
    found = {name}
    for definition in needed:
        new = [other for other in dependencies(definitions, definition.name) if other not in found]
        found.update(new)
        needed += [require(definitions, other) for other in new]
    return _Meaning(definitions, settings, gather(needed)).hashes[name]


def definition_hashes(definitions: Definitions, settings: Settings) -> dict[str, str]:
    """The hash of every definition, in one go."""
    return _Meaning(definitions, settings, definitions).hashes


class _Meaning:
    """Definitions are hashed in an order in which what a name refers to is known before it."""

    def __init__(self, definitions: Definitions, settings: Settings, wanted: Definitions) -> None:
        self.definitions = definitions
        self.settings = settings
        self.hashes: dict[str, str] = {}
        for name in evaluation_order(wanted):
            form = self.definition(require(definitions, name))
            self.hashes[name] = sha256(_text(form).encode()).hexdigest()

    # --- definitions ------------------------------------------------------------------------------------------------

    def definition(self, definition: Definition) -> Form:
        match definition:
            case Behavior():
                return self._behavior(definition)
            case Trait(value=value):
                return ["trait", self._whole(value)]
            case Segment(when=when):
                return ["segment", self._whole(when)]
            case Segmentation(groups=groups):
                named: list[Form] = [
                    [group.name, None if group.when is None else self._whole(group.when)] for group in groups
                ]
                return ["segmentation", named]
            case PeopleList():
                return ["list", definition.file, _names(definition.customers)]
            case _:
                assert_never(definition)

    def _behavior(self, behavior: Behavior) -> Form:
        unless = behavior.unless
        return [
            "behavior",
            _names(behavior.events),
            None if behavior.where is None else self._whole(behavior.where),
            list(behavior.each),
            None if unless is None else [unless.event, list(unless.same)],
            behavior.by_company,
        ]

    def _whole(self, expression: Expression) -> Form:
        """An expression with the settings it depends on."""
        return [self.form(expression), self._settings(expression)]

    def _settings(self, expression: Expression) -> Form:
        nodes = tuple(walk(expression))
        local = any(_is_local(node) for node in nodes)
        weeks = any(isinstance(node, Word) and node.value == "week" for node in nodes)
        holidays = any(isinstance(node, Call) and node.option("holiday") is not None for node in nodes)
        return [
            self.settings.timezone if local else None,
            self.settings.week_starts if weeks else None,
            self.settings.country if holidays else None,
        ]

    def reference(self, name: str) -> Form:
        """What a name stands for; an unknown name stands for itself."""
        return self.hashes.get(name) or ["unknown", name]

    # --- expressions ------------------------------------------------------------------------------------------------

    def form(self, node: Expression) -> Form:
        match node:
            case Number(value):
                return ["number", print_number(value)]
            case Percent(value):
                return ["percent", print_number(value)]
            case Text(value):
                return ["text", value]
            case Flag(value):
                return ["flag", value]
            case Date(value):
                return ["date", datetime.fromisoformat(value).isoformat()]
            case Duration(amount, unit):
                return ["duration", amount, unit]
            case Word(value):
                return ["word", value]
            case Items(items):
                return ["items", *self._forms(items)]
            case Name(name):
                return ["name", self.reference(name)]
            case Group(segmentation, group):
                return ["group", self.reference(segmentation), group]
            case CustomerTrait(path):
                return ["customer", *path]
            case AccountTrait(path):
                return ["account", *path]
            case Everyone():
                return ["everyone"]
            case Events():
                return self._events(node)
            case Property(path):
                return ["property", *path]
            case Me(trait):
                return ["me", self.reference(trait)]
            case Elem(path, where):
                return ["elem", list(path), self.form(where)]
            case And(items):
                return ["and", *_sorted(self._forms(_flat(items, And)))]
            case Or(items):
                return ["or", *_sorted(self._forms(_flat(items, Or)))]
            case Not(item):
                return ["not", self.form(item)]
            case Compare("in", left, Items(items)):
                return ["in", self.form(left), *_sorted(self._forms(items))]
            case Compare(operator, left, right):
                return [operator, self.form(left), self.form(right)]
            case Between(item, low, high):
                return ["between", self.form(item), self.form(low), self.form(high)]
            case Known(item):
                return ["known", self.form(item)]
            case Arithmetic(operator, left, right):
                return [operator, self.form(left), self.form(right)]
            case Negate(item):
                return ["negate", self.form(item)]
            case Call():
                return self._call(node)
            case _:
                assert_never(node)

    def _forms(self, nodes: Iterable[Expression]) -> list[Form]:
        return [self.form(node) for node in nodes]

    def _events(self, node: Events) -> Form:
        where = None if node.where is None else self.form(node.where)
        return ["events", self._selected(node), where, list(node.path)]

    def _selected(self, node: Events) -> Form:
        if node.raw:
            return ["raw", node.source]
        if node.source == "any":
            return self._any()
        return self.reference(node.source)

    def _any(self) -> Form:
        """`any` means something else when another behavior is marked `by: company`."""
        company = (b for b in self.definitions.behaviors.values() if b.by_company)
        return ["any", *_names({event for behavior in company for event in behavior.events})]

    def _call(self, node: Call) -> Form:
        options = sorted((option.name, _text(self.form(option.value))) for option in node.options)
        named: list[Form] = [[name, value] for name, value in options]
        return ["call", node.function, self._forms(node.arguments), named, self._implied(node)]

    def _implied(self, node: Call) -> Form:
        """What a call means beyond its words."""
        if node.function == "sequence" and node.option("strict") == Flag(True):
            return self._any()
        if node.function == "in_list" and node.arguments and isinstance(node.arguments[0], Text):
            return self.reference(node.arguments[0].value)
        return None


def _text(form: Form) -> str:
    return json.dumps(form, separators=(",", ":"))


def _names(names: Iterable[str]) -> list[Form]:
    return [*sorted(set(names))]


def _sorted(forms: list[Form]) -> list[Form]:
    """Without order and repetition."""
    return list({_text(form): form for form in sorted(forms, key=_text)}.values())


def _flat(items: tuple[Expression, ...], kind: type[And] | type[Or]) -> list[Expression]:
    return [
        inner for item in items for inner in (_flat(item.items, kind) if isinstance(item, kind) else [item])
    ]


# --- where the local calendar comes in ------------------------------------------------------------------------------


def _is_local(node: Expression) -> bool:
    """Whether the node's meaning depends on the project's timezone; rather yes than no."""
    match node:
        case Duration(unit="mo" | "y"):
            return True
        case Date(value) | Text(value):
            return _is_naive(value)
        case Call(function=function, options=options):
            if function in _CALENDAR_FUNCTIONS or any(option.name in _CALENDAR_OPTIONS for option in options):
                return True
            return any(takes == "moment" and _may_be_naive(value) for takes, value in _parameters(node))
        case Compare(_, left, right):
            return _are_naive_and_moment(left, right)
        case Between(item, low, high):
            return _are_naive_and_moment(item, low) or _are_naive_and_moment(item, high)
        case Arithmetic(_, left, right):
            return isinstance(right, Duration) and _may_be_naive(left)
        case _:
            return False


def _parameters(node: Call) -> list[tuple[Takes | None, Expression]]:
    signature = FUNCTIONS.get(node.function)
    if signature is None:
        return []
    arguments: list[tuple[Takes | None, Expression]] = list(
        zip(signature.parameters, node.arguments, strict=False)
    )
    return arguments + [(signature.option(option.name), option.value) for option in node.options]


def _is_naive(text: str) -> bool:
    return not date_problem(text) and datetime.fromisoformat(text).tzinfo is None


def _may_be_naive(node: Expression) -> bool:
    """Whether the value may be text without an offset, received from outside."""
    return any(
        isinstance(inner, CustomerTrait | AccountTrait | Property | Me | Name)
        or (isinstance(inner, Events) and bool(inner.path))
        for inner in walk(node)
    )


def _are_naive_and_moment(left: Expression, right: Expression) -> bool:
    return (_may_be_naive(left) and _is_moment(right)) or (_may_be_naive(right) and _is_moment(left))


def _is_moment(node: Expression) -> bool:
    match node:
        case Date() | Name() | Call("now") | Call("first" | "last" | "nth"):
            return True
        case Arithmetic(_, left, right):
            return isinstance(right, Duration) or _is_moment(left)
        case _:
            return False
