"""Random well-typed definitions on the vocabulary of `histories`: every function, every window, every operator.

`definition_sets()` gives traits, segments and segmentations that refer to one another; `conditions()` a single condition.
What `check` refuses is not made: arithmetic with elapsed time under a comparison, membership functions on populations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from hypothesis import strategies as st

from ethogram.language.calls import GAPS
from ethogram.language.functions import FUNCTIONS, Takes
from ethogram.language.meaning.moments import is_moving
from ethogram.language.tree import (
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    CustomerTrait,
    Date,
    Definitions,
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
    Option,
    Or,
    Percent,
    Property,
    Segment,
    Segmentation,
    SegmentationGroup,
    Text,
    Trait,
    Word,
)
from tests.laws.histories import ACTIONS, DURATIONS, SALTS, SELECTIONS, TEXTS, UNITS, vocabulary

Type = Literal["flag", "number", "text", "moment", "set"]
Draw = st.DrawFn


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be referred to. `followed` are segments and groups whose moments of change are known."""

    definitions: Definitions
    types: dict[str, Type]
    followed: tuple[Expression, ...] = ()
    population: bool = True
    membership: bool = True
    depth: int = 3

    def inside(self) -> Scope:
        return replace(self, depth=self.depth - 1)

    def traits(self, kind: Type) -> list[str]:
        return [name for name, found in self.types.items() if found == kind]


def scope(
    definitions: Definitions | None = None, *, population: bool = True, membership: bool = True
) -> Scope:
    return Scope(definitions or vocabulary(), {}, (), population, membership)


# --- literals -------------------------------------------------------------------------------------------------------


def _number(draw: Draw) -> Expression:
    text = draw(st.sampled_from(["0", "1", "2", "3", "10", "0.5", "0.000001", "100", "-1", "10%"]))
    if text.endswith("%"):
        return Percent(Decimal(text[:-1]))
    return Negate(Number(Decimal(text[1:]))) if text.startswith("-") else Number(Decimal(text))


def _text(draw: Draw) -> Expression:
    return Text(draw(st.sampled_from(TEXTS)))


def _date(draw: Draw) -> Expression:
    return Date(
        draw(
            st.sampled_from(
                ["2025-03-09", "2025-03-09 02:30", "2025-11-02 01:30", "2024-02-29", "2025-06-01T12:00:00Z"]
            )
        )
    )


def _duration(draw: Draw) -> Expression:
    return draw(st.sampled_from(DURATIONS))


def _unit(draw: Draw) -> Expression:
    return Word(draw(st.sampled_from(UNITS)))


# --- selections and filters -----------------------------------------------------------------------------------------

NUMERIC = (("total",), ("quantity",), ("products", "price"), ("address", "zip"), ("price",), ("value",))
TEXTUAL = (
    ("category",),
    ("coupon",),
    ("products", "category"),
    ("tags",),
    ("address", "city"),
    ("value",),
    ("gift",),
)


def selection(draw: Draw, scope: Scope) -> Events:
    name = draw(st.sampled_from((*SELECTIONS, "any", *ACTIONS)))
    where = row_condition(draw, scope.inside()) if scope.depth > 0 and draw(st.integers(0, 2)) == 0 else None
    return Events(name, name in ACTIONS, where)


def measure(draw: Draw, scope: Scope, paths: Sequence[tuple[str, ...]]) -> Events:
    found = selection(draw, scope)
    if draw(st.booleans()):
        found = replace(found, source=draw(st.sampled_from(["purchase", "bought", "view", "any"])), raw=False)
    return replace(found, path=draw(st.sampled_from(paths)))


def row_condition(draw: Draw, scope: Scope) -> Expression:
    kinds = ["number", "text", "known", "flag", "moment", "in", "contains", "elem", "me", "between", "if"]
    if scope.depth > 0:
        kinds += ["and", "or", "not"]
    match draw(st.sampled_from(kinds)):
        case "and" | "or" as kind:
            parts = (row_condition(draw, scope.inside()), row_condition(draw, scope.inside()))
            return And(parts) if kind == "and" else Or(parts)
        case "not":
            return Not(row_condition(draw, scope.inside()))
        case "number":
            return Compare(_order(draw), _row_number(draw, scope), _number(draw))
        case "text":
            left: Expression = Property(draw(st.sampled_from(TEXTUAL)))
            left = draw(st.sampled_from([left, Call("lower", (left,)), Call("coalesce", (left, Text("x")))]))
            return Compare(_order(draw), left, _text(draw))
        case "known":
            return Known(Property(draw(st.sampled_from((*NUMERIC, *TEXTUAL)))))
        case "flag":
            gift = Property(("gift",))
            return draw(
                st.sampled_from([gift, Compare("==", gift, Flag(True)), Compare("==", gift, Flag(False))])
            )
        case "moment":
            return Compare(_order(draw), Property(("due",)), _date(draw))
        case "in":
            return Compare(
                "in",
                Property(draw(st.sampled_from(TEXTUAL))),
                Items((_text(draw), _text(draw), _number(draw))),
            )
        case "contains":
            return Compare("contains", Property(draw(st.sampled_from(TEXTUAL))), _text(draw))
        case "between":
            return Between(_row_number(draw, scope), _number(draw), _number(draw))
        case "if":
            chosen = Call("if", (Property(("gift",)), Property(("total",)), Number(Decimal(2))))
            return Compare(_order(draw), chosen, _number(draw))
        case "elem":
            plain = Compare(
                _order(draw), Property(("value",)), draw(st.sampled_from([Text("x"), Number(Decimal(1))]))
            )
            shoes = And(
                (
                    Compare("==", Property(("category",)), Text("Shoes")),
                    Compare(_order(draw), Property(("price",)), _number(draw)),
                )
            )
            return draw(
                st.sampled_from(
                    [Elem(("tags",), plain), Elem(("products",), shoes), Elem(("products",), Not(shoes))]
                )
            )
        case _:
            names = [name for name in scope.traits("number") if not _moves(scope, name)]
            if not names:
                return Known(Property(("total",)))
            return Compare(
                _order(draw), Property(draw(st.sampled_from(NUMERIC))), Me(draw(st.sampled_from(names)))
            )


def _row_number(draw: Draw, scope: Scope) -> Expression:
    one: Expression = Property(draw(st.sampled_from(NUMERIC)))
    if draw(st.integers(0, 3)):
        return one
    return Arithmetic(draw(st.sampled_from(["+", "-", "*", "/"])), one, _number(draw))


def _order(draw: Draw) -> Literal["==", "<", "<=", ">", ">="]:
    return draw(st.sampled_from(["==", "<", "<=", ">", ">="]))


def _moves(scope: Scope, name: str) -> bool:
    return is_moving(scope.definitions, Name(name))


def _by(draw: Draw) -> Option:
    """A property whose values are told apart."""
    return Option("by", Property(draw(st.sampled_from((*NUMERIC, *TEXTUAL)))))


# --- windows --------------------------------------------------------------------------------------------------------


def windows(draw: Draw, scope: Scope) -> tuple[Option, ...]:
    count = draw(st.sampled_from([0, 1, 1, 1, 2]))
    names = st.sampled_from(
        [
            "last",
            "last",
            "ago",
            "since",
            "until",
            "this",
            "previous",
            "hours",
            "weekdays",
            "months",
            "holiday",
        ]
    )
    options = [_window(draw, scope, name) for name in dict.fromkeys(draw(names) for _ in range(count))]
    if any(option.name in ("hours", "weekdays", "months", "holiday") for option in options) and draw(
        st.booleans()
    ):
        options.append(Option("clock", Word("customer")))
    return tuple(options)


def _window(draw: Draw, scope: Scope, name: str) -> Option:
    match name:
        case "last":
            return Option(name, _duration(draw))
        case "ago":
            pairs = [(3, 2), (5, 3), (6, 5), (7, 3), (8, 7), (9, 8), (9, 6)]
            older, newer = draw(st.sampled_from(pairs))
            return Option(name, Items((DURATIONS[older], DURATIONS[newer])))
        case "since" | "until":
            return Option(name, moment(draw, scope.inside()))
        case "this" | "previous":
            return Option(name, _unit(draw))
        case "hours":
            opens, closes = draw(st.sampled_from([(22, 6), (0, 24), (9, 17), (1, 2), (2, 3), (23, 0)]))
            return Option(name, Items((Number(Decimal(opens)), Number(Decimal(closes)))))
        case "weekdays":
            return Option(name, Items((Text("sat"), Text("sun")) if draw(st.booleans()) else (Text("wed"),)))
        case "months":
            return Option(name, Items((Number(Decimal(3)), Number(Decimal(11)))))
        case _:
            return Option("holiday", Text(draw(st.sampled_from(["any", "Christmas Day", "New Year's Day"]))))


# --- values ---------------------------------------------------------------------------------------------------------


def number(draw: Draw, scope: Scope) -> Expression:
    """A number that stands still between its moments of change."""
    if scope.depth <= 0:
        return draw(
            st.sampled_from([_number(draw), Call("count", (Events("purchase"),)), CustomerTrait(("points",))])
        )
    kinds = [
        "measure",
        "measure",
        "measure",
        "measure",
        "count",
        "count",
        "periods",
        "gap",
        "share",
        "trend",
        "given",
        "arithmetic",
        "choice",
        "age",
        "bin",
    ]
    kinds += ["between moments", "bucket", "nth", "largest sum"]
    if any(not _moves(scope, name) for name in scope.traits("number")):
        kinds += ["trait"]
    if scope.population:
        kinds += ["population"]
    match draw(st.sampled_from(kinds)):
        case "measure":
            functions = [
                "sum",
                "avg",
                "min",
                "max",
                "median",
                "count_distinct",
                "max_count_by",
                "first",
                "last",
                "most_frequent",
            ]
            return Call(
                draw(st.sampled_from(functions)), (measure(draw, scope, NUMERIC),), windows(draw, scope)
            )
        case "largest sum":
            options = (_by(draw), *windows(draw, scope))
            return Call("max_sum_by", (measure(draw, scope, NUMERIC),), options)
        case "nth":
            place = Number(Decimal(draw(st.integers(1, 3))))
            return Call("nth", (measure(draw, scope, NUMERIC), place), windows(draw, scope))
        case "count":
            return Call(
                draw(st.sampled_from(["count", "active_days"])),
                (selection(draw, scope),),
                windows(draw, scope),
            )
        case "periods":
            function = draw(st.sampled_from(["active_periods", "streak"]))
            return Call(function, (selection(draw, scope), _unit(draw)), windows(draw, scope))
        case "gap":
            which = Text(draw(st.sampled_from(GAPS)))
            return Call("gap", (selection(draw, scope), which), windows(draw, scope))
        case "share":
            filtered = replace(selection(draw, scope), where=row_condition(draw, scope.inside()))
            return Call("share", (filtered,), windows(draw, scope))
        case "trend":
            subject = draw(st.sampled_from([selection, lambda d, s: measure(d, s, NUMERIC)]))
            return Call("trend", (subject(draw, scope),), (Option("last", _duration(draw)),))
        case "given":
            return CustomerTrait(("points",))
        case "arithmetic":
            operator = draw(st.sampled_from(["+", "-", "*", "/"]))
            return Arithmetic(operator, number(draw, scope.inside()), number(draw, scope.inside()))
        case "choice":
            one, other = number(draw, scope.inside()), number(draw, scope.inside())
            condition = flag(draw, replace(scope.inside(), depth=0))
            return draw(
                st.sampled_from([Call("coalesce", (one, other)), Call("if", (condition, one, other))])
            )
        case "age":
            return Call("age", (CustomerTrait(("birthday",)),))
        case "bin":
            item = draw(st.sampled_from([number(draw, scope.inside()), elapsed(draw, scope.inside())]))
            return Call("bin", (item, Number(Decimal(0)), Number(Decimal(2)), Number(Decimal(30))))
        case "between moments":
            return Arithmetic("-", still_moment(draw, scope.inside()), still_moment(draw, scope.inside()))
        case "bucket":
            return Call("bucket", (Text(draw(st.sampled_from(SALTS))),))
        case "trait":
            return Name(
                draw(st.sampled_from([name for name in scope.traits("number") if not _moves(scope, name)]))
            )
        case _:
            return population(draw, scope)


def population(draw: Draw, scope: Scope) -> Expression:
    among = draw(st.sampled_from([(), (), *(((Option("among", one)),) for one in scope.followed)]))
    subject = draw(st.sampled_from([number, elapsed]))(draw, replace(scope.inside(), population=False))
    match draw(st.sampled_from(["rank", "ntile", "zscore"])):
        case "ntile":
            return Call("ntile", (subject, Number(Decimal(draw(st.integers(1, 5))))), among)
        case function:
            return Call(function, (subject,), among)


def elapsed(draw: Draw, scope: Scope) -> Expression:
    """Time since a moment, or in a segment: a number that changes all the time."""
    if scope.membership and scope.followed and draw(st.integers(0, 3)) == 0:
        return Call("time_in", (draw(st.sampled_from(scope.followed)),))
    function = draw(st.sampled_from(["days_since", "hours_since", "days_until"]))
    return Call(function, (still_moment(draw, scope),))


def text(draw: Draw, scope: Scope) -> Expression:
    if scope.depth <= 0:
        return draw(st.sampled_from([_text(draw), CustomerTrait(("country",))]))
    kinds = ["measure", "given", "lower", "choice"]
    kinds += ["trait"] if scope.traits("text") else []
    match draw(st.sampled_from(kinds)):
        case "measure":
            function = draw(st.sampled_from(["first", "last", "most_frequent"]))
            return Call(function, (measure(draw, scope, TEXTUAL),), windows(draw, scope))
        case "given":
            return CustomerTrait(draw(st.sampled_from([("country",), ("address", "city")])))
        case "lower":
            return Call("lower", (text(draw, scope.inside()),))
        case "choice":
            return Call("coalesce", (text(draw, scope.inside()), _text(draw)))
        case _:
            return Name(draw(st.sampled_from(scope.traits("text"))))


def moment(draw: Draw, scope: Scope) -> Expression:
    """A moment, standing or moving with now()."""
    if draw(st.integers(0, 3)):
        return still_moment(draw, scope)
    return draw(st.sampled_from([Call("now"), Arithmetic("-", Call("now"), _duration(draw))]))


def still_moment(draw: Draw, scope: Scope) -> Expression:
    kinds = ["first", "last", "last", "nth", "date", "given", "due"]
    kinds += ["step", "choice"] if scope.depth > 0 else []
    kinds += ["trait"] if scope.traits("moment") else []
    match draw(st.sampled_from(kinds)):
        case "first" | "last" as function:
            return Call(function, (selection(draw, scope),), windows(draw, scope) if scope.depth > 0 else ())
        case "nth":
            place = Number(Decimal(draw(st.integers(1, 3))))
            chosen = (selection(draw, scope), place)
            return Call("nth", chosen, windows(draw, scope) if scope.depth > 0 else ())
        case "date":
            return _date(draw)
        case "given":
            return CustomerTrait(("birthday",))
        case "due":
            return Call("last", (Events("purchase", path=("due",)),))
        case "step":
            operator = draw(st.sampled_from(["+", "-"]))
            return Arithmetic(operator, Call("last", (selection(draw, scope.inside()),)), _duration(draw))
        case "choice":
            return Call("coalesce", (Call("last", (Events("add"),)), Call("first", (Events("any"),))))
        case _:
            return Name(draw(st.sampled_from(scope.traits("moment"))))


# --- conditions -----------------------------------------------------------------------------------------------------


def flag(draw: Draw, scope: Scope) -> Expression:
    if scope.depth <= 0:
        return Call("did", (selection(draw, scope),), windows(draw, scope))
    kinds = [
        *(
            "and",
            "or",
            "not",
            "did",
            "did",
            "number",
            "elapsed",
            "elapsed",
            "text",
            "moment",
            "between",
            "known",
            "in",
        ),
        *(
            "contains",
            "given",
            "sequence",
            "sequence",
            "first_time",
            "lapsed",
            "resumed",
            "recurring",
            "anniversary",
        ),
        *("in_list", "identified", "everyone", "now"),
    ]
    kinds += ["segment", "group"] if scope.definitions.segments and scope.definitions.segmentations else []
    kinds += ["top"] if scope.population else []
    kinds += ["was_in", "entered", "left"] if scope.membership and scope.followed else []
    return _CONDITIONS[draw(st.sampled_from(kinds))](draw, scope)


def _both(draw: Draw, scope: Scope) -> tuple[Expression, Expression]:
    return (flag(draw, scope.inside()), flag(draw, scope.inside()))


def _between(draw: Draw, scope: Scope) -> Expression:
    item = draw(st.sampled_from([number, elapsed]))(draw, scope)
    return Between(item, _number(draw), _number(draw))


def _known(draw: Draw, scope: Scope) -> Expression:
    return Known(draw(st.sampled_from([number, text, still_moment, elapsed]))(draw, scope.inside()))


def _in(draw: Draw, scope: Scope) -> Expression:
    return Compare("in", text(draw, scope), Items((_text(draw), _text(draw))))


def _contains(draw: Draw, scope: Scope) -> Expression:
    values = Call("values", (measure(draw, scope, TEXTUAL),), windows(draw, scope))
    return Compare("contains", draw(st.sampled_from([values, text(draw, scope)])), _text(draw))


def sequence(draw: Draw, scope: Scope) -> Expression:
    steps: list[Expression] = [selection(draw, scope) for _ in range(draw(st.integers(2, 3)))]
    within = draw(st.sampled_from([None, *DURATIONS]))
    options = [Option("within", within)] if within else []
    if draw(st.integers(0, 2)) == 0:
        steps.insert(draw(st.integers(1, len(steps) - (0 if within else 1))), Not(selection(draw, scope)))
    if draw(st.integers(0, 3)) == 0:
        options.append(Option("gap", _duration(draw)))
    if draw(st.integers(0, 3)) == 0:
        options.append(Option("strict", Flag(draw(st.booleans()))))
    if draw(st.integers(0, 3)) == 0:
        options.append(
            Option("same", Property(draw(st.sampled_from([("order_id",), ("category",), ("tags",)]))))
        )
    if draw(st.integers(0, 3)) == 0:
        options.append(Option("last", _duration(draw)))
    return Call("sequence", tuple(steps), tuple(options))


def _life(draw: Draw, scope: Scope, function: str, *options: str) -> Expression:
    return Call(function, (selection(draw, scope),), tuple(Option(name, _duration(draw)) for name in options))


def _recurring(draw: Draw, scope: Scope) -> Expression:
    of = draw(st.integers(1, 4))
    at_least = draw(st.integers(1, of))
    return Call(
        "recurring",
        (selection(draw, scope),),
        (
            Option("every", _unit(draw)),
            Option("at_least", Number(Decimal(at_least))),
            Option("of", Number(Decimal(of))),
        ),
    )


def _anniversary(draw: Draw, scope: Scope) -> Expression:
    within = draw(st.sampled_from([(), (Option("within", DURATIONS[5]),), (Option("within", DURATIONS[4]),)]))
    return Call("anniversary", (still_moment(draw, scope.inside()),), within)


def _top(draw: Draw, scope: Scope) -> Expression:
    limit = draw(
        st.sampled_from([Number(Decimal(1)), Number(Decimal(2)), Percent(Decimal(10)), Percent(Decimal(50))])
    )
    return Call("top", (number(draw, replace(scope.inside(), population=False)), limit))


def _was_in(draw: Draw, scope: Scope) -> Expression:
    return Call(
        "was_in", (draw(st.sampled_from(scope.followed)),), (Option("at", moment(draw, scope.inside())),)
    )


def _turned(draw: Draw, scope: Scope, function: str) -> Expression:
    return Call(function, (draw(st.sampled_from(scope.followed)),), (Option("last", _duration(draw)),))


def _group(draw: Draw, scope: Scope) -> Expression:
    segmentation = draw(st.sampled_from([*scope.definitions.segmentations.values()]))
    group = draw(st.sampled_from([group.name for group in segmentation.groups]))
    named = Compare("==", Name(segmentation.name), Text(group))
    return draw(st.sampled_from([Group(segmentation.name, group), named]))


_CONDITIONS: dict[str, Callable[[Draw, Scope], Expression]] = {
    "and": lambda draw, scope: And(_both(draw, scope)),
    "or": lambda draw, scope: Or(_both(draw, scope)),
    "not": lambda draw, scope: Not(flag(draw, scope.inside())),
    "did": lambda draw, scope: Call("did", (selection(draw, scope),), windows(draw, scope)),
    "number": lambda draw, scope: Compare(_order(draw), number(draw, scope), _number(draw)),
    "elapsed": lambda draw, scope: Compare(_order(draw), elapsed(draw, scope), _number(draw)),
    "text": lambda draw, scope: Compare(_order(draw), text(draw, scope), _text(draw)),
    "moment": lambda draw, scope: Compare(_order(draw), still_moment(draw, scope), still_moment(draw, scope)),
    "now": lambda draw, scope: Compare(_order(draw), moment(draw, scope), still_moment(draw, scope)),
    "between": _between,
    "known": _known,
    "in": _in,
    "contains": _contains,
    "given": lambda draw, scope: CustomerTrait(("subscribed",)),
    "sequence": sequence,
    "first_time": lambda draw, scope: _life(draw, scope, "first_time", "last"),
    "lapsed": lambda draw, scope: _life(draw, scope, "lapsed", "after"),
    "resumed": lambda draw, scope: _life(draw, scope, "resumed", "gap", "last"),
    "recurring": _recurring,
    "anniversary": _anniversary,
    "in_list": lambda draw, scope: Call("in_list", (Text(draw(st.sampled_from(["staff", "nobody"]))),)),
    "identified": lambda draw, scope: Call("is_identified"),
    "everyone": lambda draw, scope: Everyone(),
    "segment": lambda draw, scope: Name(draw(st.sampled_from([*scope.definitions.segments]))),
    "group": _group,
    "top": _top,
    "was_in": _was_in,
    "entered": lambda draw, scope: _turned(draw, scope, "entered"),
    "left": lambda draw, scope: _turned(draw, scope, "left"),
}


@st.composite
def conditions(draw: st.DrawFn, population: bool = True) -> Expression:
    """One condition on the vocabulary alone."""
    return flag(draw, scope(population=population))


# --- one function at a time -----------------------------------------------------------------------------------------

TEXT_MEASURES = ("count_distinct", "max_count_by", "values", "first", "last", "nth", "most_frequent")


@st.composite
def calls_of(draw: st.DrawFn, function: str, definitions: Definitions | None = None) -> Expression:
    """A call of one function, with arguments and options of every kind; `definitions` has a segment `s0` for those that need one."""
    signature = FUNCTIONS[function]
    here = replace(scope(definitions, population=False), depth=2, followed=(Name("s0"),))
    if function == "sequence":
        return sequence(draw, here)
    if function == "recurring":
        return _recurring(draw, here)
    paths = (*NUMERIC, *TEXTUAL) if function in TEXT_MEASURES else NUMERIC
    arguments = tuple(
        _argument(draw, here, function, takes, index, paths)
        for index, takes in enumerate(signature.parameters)
    )
    options = [Option(name, _duration(draw)) for name in signature.required if name not in ("at", "by")]
    if function == "max_sum_by":
        options = [_by(draw)]
    if function == "was_in":
        options = [Option("at", moment(draw, here))]
    if function == "anniversary" and draw(st.booleans()):
        options = [Option("within", DURATIONS[draw(st.sampled_from([3, 4, 5]))])]
    if signature.option("among") and draw(st.booleans()):
        options = [Option("among", Name("s0"))]
    return Call(function, arguments, (*options, *(windows(draw, here) if signature.windows else ())))


def _argument(
    draw: Draw, scope: Scope, function: str, takes: Takes, index: int, paths: Sequence[tuple[str, ...]]
) -> Expression:
    match function, takes, index:
        case "share", _, _:
            return replace(selection(draw, scope), where=row_condition(draw, scope.inside()))
        case "gap", "text", _:
            return Text(draw(st.sampled_from(GAPS)))
        case "bucket" | "in_list", _, _:
            return Text(draw(st.sampled_from(SALTS if function == "bucket" else ["staff", "nobody"])))
        case "nth" | "ntile" | "top" | "bin", _, 1:
            return Number(Decimal(draw(st.integers(1, 3))))
        case _, "events" | "step", _:
            return selection(draw, scope)
        case "first" | "last" | "nth" | "trend", "events or measure", _ if draw(st.booleans()):
            return selection(draw, scope)
        case _, "measure" | "events or measure", _:
            return measure(draw, scope, paths)
        case _, "number" | "value", _:
            return (
                draw(st.sampled_from([number, number, elapsed]))(draw, scope)
                if function != "if"
                else number(draw, scope)
            )
        case _, "moment", _:
            return still_moment(draw, scope)
        case _, "text", _:
            return text(draw, scope)
        case _, "flag", _:
            return flag(draw, scope)
        case _, "unit", _:
            return _unit(draw)
        case _, "segment", _:
            return Name("s0")
    raise AssertionError(function, takes)


@st.composite
def definitions_with(draw: st.DrawFn, function: str) -> Definitions:
    """A segment `s0`, and a trait `t0` that is a call of the function."""
    found = _with_segment(scope(), Segment("s0", flag(draw, replace(scope(population=False), depth=2))))
    return _with_trait(found, "t0", "number", draw(calls_of(function, found.definitions))).definitions


# --- sets -----------------------------------------------------------------------------------------------------------


@st.composite
def definition_sets(
    draw: st.DrawFn, *, population: bool = True, membership: bool = True, size: int = 3
) -> Definitions:
    """Traits t0…, segments s0…, segmentations g0…, each of which may refer to those before it.

    With `population` or `membership` false, none of those functions occurs.
    """
    found = scope(population=population, membership=membership)
    for index in range(draw(st.integers(0, size))):
        kind: Type = draw(st.sampled_from(["number", "number", "text", "moment", "set", "flag"]))
        found = _with_trait(found, f"t{index}", kind, _trait(draw, found, kind))
    for index in range(draw(st.integers(1, size))):
        found = _with_segment(found, Segment(f"s{index}", flag(draw, found)))
        if index == 0 and draw(st.booleans()):
            groups = tuple(SegmentationGroup(f"a{number}", flag(draw, found)) for number in range(2))
            found = _with_segmentation(found, Segmentation("g0", (*groups, SegmentationGroup("rest", None))))
    return found.definitions


def _trait(draw: Draw, scope: Scope, kind: Type) -> Expression:
    match kind:
        case "number":
            return draw(st.sampled_from([number, number, number, elapsed]))(draw, scope)
        case "text":
            return text(draw, scope)
        case "moment":
            return still_moment(draw, scope)
        case "flag":
            return flag(draw, scope)
        case "set":
            return Call("values", (measure(draw, scope, (*TEXTUAL, *NUMERIC)),), windows(draw, scope))


def _with_trait(scope: Scope, name: str, kind: Type, value: Expression) -> Scope:
    definitions = replace(scope.definitions, traits={**scope.definitions.traits, name: Trait(name, value)})
    return replace(scope, definitions=definitions, types={**scope.types, name: kind})


def _with_segment(scope: Scope, segment: Segment) -> Scope:
    definitions = replace(scope.definitions, segments={**scope.definitions.segments, segment.name: segment})
    followed = (Name(segment.name),) if is_followed(definitions, segment.when) else ()
    return replace(scope, definitions=definitions, followed=(*scope.followed, *followed))


def _with_segmentation(scope: Scope, made: Segmentation) -> Scope:
    definitions = replace(
        scope.definitions, segmentations={**scope.definitions.segmentations, made.name: made}
    )
    followed = all(is_followed(definitions, group.when) for group in made.groups if group.when is not None)
    groups = tuple(Group(made.name, group.name) for group in made.groups) if followed else ()
    return replace(scope, definitions=definitions, followed=(*scope.followed, *groups))


def is_followed(definitions: Definitions, node: object) -> bool:
    """Whether no population function is in it, nor in what it refers to."""
    match node:
        case Call("rank" | "ntile" | "top" | "zscore"):
            return False
        case Name(name) | Me(name) | Group(name):
            return all(is_followed(definitions, part) for part in _parts_of(definitions, name))
        case tuple():
            return all(is_followed(definitions, part) for part in node)
        case Call(_, arguments, options):
            return is_followed(definitions, arguments) and all(
                is_followed(definitions, o.value) for o in options
            )
        case And(items) | Or(items) | Items(items):
            return is_followed(definitions, items)
        case Not(item) | Known(item) | Negate(item):
            return is_followed(definitions, item)
        case Compare(_, left, right) | Arithmetic(_, left, right):
            return is_followed(definitions, (left, right))
        case Between(item, low, high):
            return is_followed(definitions, (item, low, high))
        case Events(_, _, where):
            return is_followed(definitions, where)
        case _:
            return True


def _parts_of(definitions: Definitions, name: str) -> list[Expression]:
    if name in definitions.traits:
        return [definitions.traits[name].value]
    if name in definitions.segments:
        return [definitions.segments[name].when]
    return [group.when for group in definitions.segmentations[name].groups if group.when is not None]
