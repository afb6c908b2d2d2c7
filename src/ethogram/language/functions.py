"""The functions of the language: what each takes, which options it knows, what it gives.

This table is all that parser, printer, checker and builder know of a function. What a function means is in `meaning`, how
it runs in the compiler; a new function is one row here, one meaning, one lowering and one page of specification.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Takes: TypeAlias = Literal[
    "events",  # a selection: purchase[total > 10]
    "measure",  # a property of a selection: purchase.total
    "events or measure",
    "step",  # a selection or `not` a selection (sequence)
    "number",
    "number or percent",  # top(x, 10) or top(x, 10%)
    "text",
    "flag",
    "moment",  # a moment, or ISO 8601 text
    "value",  # of any type
    "duration",
    "durations",  # [90d, 30d]
    "unit",  # day week month quarter year
    "segment",  # a segment, a group of a segmentation, or a segmentation's group
    "numbers",  # [22, 6]
    "texts",  # ["sat", "sun"]
    "word",  # clock=customer
    "property",  # same=cart_id, by=brand
]

Gives: TypeAlias = Literal["flag", "number", "text", "moment", "set", "of the property", "of the argument"]
"""`first(e)` gives a moment, `first(e.p)` the property's own type: "of the property" covers both."""


@dataclass(frozen=True, slots=True)
class Signature:
    """`repeats` says that the last parameter may be given again and again; `refused` why it cannot be used yet."""

    name: str
    group: str
    parameters: tuple[Takes, ...]
    gives: Gives
    options: tuple[tuple[str, Takes], ...] = ()
    required: tuple[str, ...] = ()
    repeats: bool = False
    windows: bool = False
    refused: str = ""

    def option(self, name: str) -> Takes | None:
        known = dict(self.options) | (dict(WINDOWS) if self.windows else {})
        return known.get(name)

    @property
    def option_names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.options) + (
            tuple(name for name, _ in WINDOWS) if self.windows else ()
        )


WINDOWS: tuple[tuple[str, Takes], ...] = (
    ("last", "duration"),
    ("ago", "durations"),
    ("since", "moment"),
    ("until", "moment"),
    ("this", "unit"),
    ("previous", "unit"),
    ("hours", "numbers"),
    ("weekdays", "texts"),
    ("months", "numbers"),
    ("holiday", "text"),
    ("clock", "word"),
)
"""Windows are options of every event function; several are intersected."""


def _events(name: str, gives: Gives, *parameters: Takes) -> Signature:
    return Signature(name, "events", parameters, gives, windows=True)


_ACCOUNTS = "accounts are not resolved yet"
_CONSENT = "consent is not recorded yet"

_ALL: tuple[Signature, ...] = (
    _events("did", "flag", "events"),
    _events("count", "number", "events"),
    _events("sum", "number", "measure"),
    _events("avg", "number", "measure"),
    _events("min", "number", "measure"),
    _events("max", "number", "measure"),
    _events("median", "number", "measure"),
    _events("count_distinct", "number", "measure"),
    _events("max_count_by", "number", "measure"),
    Signature("max_sum_by", "events", ("measure",), "number", (("by", "property"),), ("by",), windows=True),
    _events("values", "set", "measure"),
    _events("first", "of the property", "events or measure"),
    _events("last", "of the property", "events or measure"),
    _events("nth", "of the property", "events or measure", "number"),
    _events("most_frequent", "of the property", "measure"),
    _events("share", "number", "events"),
    _events("active_days", "number", "events"),
    _events("active_periods", "number", "events", "unit"),
    _events("streak", "number", "events", "unit"),
    _events("gap", "number", "events", "text"),
    Signature("days_since", "time", ("moment",), "number"),
    Signature("hours_since", "time", ("moment",), "number"),
    Signature("days_until", "time", ("moment",), "number"),
    Signature("anniversary", "time", ("moment",), "flag", (("within", "duration"),)),
    Signature("age", "time", ("moment",), "number"),
    Signature("now", "time", (), "moment"),
    Signature(
        "sequence",
        "order",
        ("step", "step"),
        "flag",
        (
            ("within", "duration"),
            ("gap", "duration"),
            ("strict", "flag"),
            ("same", "property"),
            ("last", "duration"),
        ),
        repeats=True,
    ),
    Signature("first_time", "life", ("events",), "flag", (("last", "duration"),), ("last",)),
    Signature("lapsed", "life", ("events",), "flag", (("after", "duration"),), ("after",)),
    Signature(
        "resumed", "life", ("events",), "flag", (("gap", "duration"), ("last", "duration")), ("gap", "last")
    ),
    Signature(
        "recurring",
        "life",
        ("events",),
        "flag",
        (("every", "unit"), ("at_least", "number"), ("of", "number")),
        ("every", "at_least", "of"),
    ),
    Signature("trend", "life", ("events or measure",), "number", (("last", "duration"),), ("last",)),
    Signature("rank", "population", ("number",), "number", (("among", "segment"),)),
    Signature("ntile", "population", ("number", "number"), "number", (("among", "segment"),)),
    Signature("top", "population", ("number", "number or percent"), "flag", (("among", "segment"),)),
    Signature("zscore", "population", ("number",), "number", (("among", "segment"),)),
    Signature("bin", "population", ("number", "number"), "number", repeats=True),
    Signature("in_list", "membership", ("text",), "flag"),
    Signature("was_in", "membership", ("segment",), "flag", (("at", "moment"),), ("at",)),
    Signature("entered", "membership", ("segment",), "flag", (("last", "duration"),), ("last",)),
    Signature("left", "membership", ("segment",), "flag", (("last", "duration"),), ("last",)),
    Signature("time_in", "membership", ("segment",), "number"),
    Signature("any_member", "account", ("flag",), "flag", refused=_ACCOUNTS),
    Signature("all_members", "account", ("flag",), "flag", refused=_ACCOUNTS),
    Signature("sum_members", "account", ("number",), "number", refused=_ACCOUNTS),
    Signature("count_members", "account", ("flag",), "number", refused=_ACCOUNTS),
    Signature("bucket", "other", ("text",), "number"),
    Signature("is_identified", "other", (), "flag"),
    Signature("consented", "other", ("text",), "flag", refused=_CONSENT),
    Signature("reachable", "other", ("text",), "flag", refused=_CONSENT),
    Signature("coalesce", "other", ("value", "value"), "of the argument", repeats=True),
    Signature("lower", "other", ("text",), "text"),
    Signature("if", "other", ("flag", "value", "value"), "of the argument"),
)

FUNCTIONS: dict[str, Signature] = {signature.name: signature for signature in _ALL}

ROW_FUNCTIONS = frozenset({"coalesce", "lower", "if"})
"""Functions that may stand inside a filter."""

WITHOUT_PARENTHESES = frozenset({"is_identified"})
"""Functions written as a bare word."""
