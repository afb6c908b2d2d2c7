"""Conditions on events, evaluated for many rows at once: for every code once, or for every event of a tape.

An expression's values are a relation `Many` of (row, value): none where missing, several where a path goes through a list.
A comparison holds for a row if any combination of values meets it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ethogram.engines.dictionary import Dictionary
from ethogram.engines.rounding import rounded
from ethogram.engines.spec import ColumnKey
from ethogram.engines.tapes import Ragged
from ethogram.kernel.layout import NULL
from ethogram.language.instants import moment_of_text
from ethogram.language.plan import ValueType
from ethogram.language.tree import (
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    Comparison,
    Date,
    Elem,
    Everyone,
    Expression,
    Flag,
    Items,
    Known,
    Negate,
    Not,
    Number,
    Operator,
    Or,
    Path,
    Percent,
    Property,
    Text,
)
from ethogram.model.errors import DataError, Unsupported

Integers = NDArray[np.int64]
Truth = NDArray[np.bool_]
TYPES: dict[str, ValueType] = {"n": "number", "t": "text", "f": "flag"}
MILLION = 1_000_000
FEW = 16
LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Many:
    """Values of one type with the rows they belong to, in order of rows."""

    type: ValueType
    row: Integers
    value: Integers


@dataclass(frozen=True, slots=True)
class Table:
    """Rows to evaluate conditions on: `size` rows, flat columns (NULL missing) and ragged ones.

    `kept` remembers relations where many conditions are evaluated on few rows.
    """

    size: int
    flat: Mapping[ColumnKey, Integers]
    ragged: Mapping[ColumnKey, Ragged]
    texts: Dictionary
    zone: ZoneInfo
    kept: dict[Path, list[Many]] | None = None

    def holds(self, node: Expression) -> Truth:
        """One truth value a row; a condition on something missing does not hold."""
        match node:
            case And():
                return np.all([self.holds(item) for item in node.items], axis=0)
            case Or():
                return self._or([self.holds(item) for item in node.items])
            case Not():
                return ~self.holds(node.item)
            case Everyone():
                return np.ones(self.size, np.bool_)
            case Known():
                return self._any([many.row for many in self.many(node.item)])
            case Compare(operator="in", right=Items() as items):
                return self.one_of(node.left, items.items)
            case Compare():
                return self.compare(node.operator, node.left, node.right)
            case Between():
                return self.between(node)
            case Elem():
                return self.elements(node)
            case _:
                return self._any(
                    [many.row[many.value == 1] for many in self.many(node) if many.type == "flag"]
                )

    def _any(self, rows: list[Integers]) -> Truth:
        truth = np.zeros(self.size, np.bool_)
        for some in rows:
            truth[some] = True
        return truth

    def _or(self, truths: list[Truth]) -> Truth:
        return np.any(truths, axis=0) if truths else np.zeros(self.size, np.bool_)

    # --- values ---------------------------------------------------------------------------------------------------

    def many(self, node: Expression) -> list[Many]:
        """All values, one relation for each type that occurs."""
        match node:
            case Number():
                return [self._constant("number", int(node.value * MILLION))]
            case Percent():
                return [self._constant("number", int((node.value / 100 * MILLION).to_integral_value()))]
            case Text():
                return [self._constant("text", self.texts.number(node.value))]
            case Flag():
                return [self._constant("flag", int(node.value))]
            case Date():
                moment = moment_of_text(node.value, self.zone)
                return [] if moment is None else [self._constant("moment", moment)]
            case Property():
                return self.property(node.path)
            case Arithmetic():
                return self.arithmetic(node.operator, node.left, node.right)
            case Negate():
                return [
                    Many("number", one.row, -one.value)
                    for one in self.many(node.item)
                    if one.type == "number"
                ]
            case Call(function="lower"):
                lowered = [one for one in self.many(node.arguments[0]) if one.type == "text"]
                return [Many("text", one.row, self.texts.map(one.value, self._lower)) for one in lowered]
            case Call(function="coalesce"):
                return self.coalesce(node)
            case Call(function="if"):
                condition = self.holds(node.arguments[0])
                yes, no = self.many(node.arguments[1]), self.many(node.arguments[2])
                return [_where(one, condition) for one in yes] + [_where(one, ~condition) for one in no]
            case And() | Or() | Not() | Compare() | Between() | Known() | Elem() | Everyone():
                return [Many("flag", np.arange(self.size), self.holds(node).astype(np.int64))]
            case _:
                raise Unsupported("E_UNSUPPORTED", "this cannot stand inside a filter", span=node.span)

    def _lower(self, text: str) -> int:
        return self.texts.number(text.lower())

    def _constant(self, type_: ValueType, value: int) -> Many:
        return Many(type_, np.arange(self.size), np.full(self.size, value, np.int64))

    def property(self, path: Path) -> list[Many]:
        if self.kept is None:
            return self._property(path)
        if path not in self.kept:
            self.kept[path] = self._property(path)
        return self.kept[path]

    def _property(self, path: Path) -> list[Many]:
        found = []
        for type_ in TYPES:
            key = ColumnKey(path, type_)
            if key in self.flat:
                row = np.flatnonzero(self.flat[key] != NULL)
                found.append(Many(TYPES[type_], row, self.flat[key][row]))
            elif key in self.ragged:
                ragged = self.ragged[key]
                row = np.repeat(np.arange(self.size), np.diff(ragged.offset))
                known = ragged.values != NULL
                found.append(Many(TYPES[type_], row[known], ragged.values[known]))
        return found

    def coalesce(self, node: Call) -> list[Many]:
        left = np.ones(self.size, np.bool_)
        found: list[Many] = []
        for argument in node.arguments:
            some = [_where(one, left) for one in self.many(argument)]
            found += some
            left = left & ~self._any([one.row for one in some])
        return found

    def arithmetic(self, operator: Operator, left: Expression, right: Expression) -> list[Many]:
        found = []
        for one in self.many(left):
            for other in self.many(right):
                if one.type == other.type == "number":
                    row, a, b = _pairs(one, other)
                    row, value = _calculated(operator, row, a, b)
                    found.append(Many("number", row, value))
        return found

    # --- comparisons ----------------------------------------------------------------------------------------------

    def compare(self, operator: Comparison, left: Expression, right: Expression) -> Truth:
        values, limit = self.many(left), self._literal(right)
        if limit is not None and all(one.type != "moment" for one in values):
            return self._any([self._met_by_all(operator, one, *limit) for one in values])
        return self._any([self._met(operator, one, other) for one in values for other in self.many(right)])

    def one_of(self, left: Expression, items: Sequence[Expression]) -> Truth:
        literals = [self._literal(item) for item in items]
        values = self.many(left)
        if None in literals or any(one.type == "moment" for one in values):
            return self._or([self.compare("==", left, item) for item in items])
        hits = []
        for one in values:
            wanted = [each[1] for each in literals if each is not None and each[0] == one.type]
            met = np.zeros(len(one.value), np.bool_)
            if len(wanted) > FEW:
                met = np.isin(one.value, wanted)
            else:
                for value in wanted:
                    met |= one.value == value
            hits.append(one.row[met])
        return self._any(hits)

    def _literal(self, node: Expression) -> tuple[ValueType, int] | None:
        """The one value of a text, number or flag literal."""
        match node:
            case Text():
                return "text", self.texts.number(node.value)
            case Number():
                return "number", int((node.value * MILLION).to_integral_value())
            case Flag():
                return "flag", int(node.value)
            case _:
                return None

    def _met_by_all(self, operator: Comparison, one: Many, type_: ValueType, limit: int) -> Integers:
        """Rows with a value that meets the comparison with a literal."""
        if one.type != type_ or (type_ == "flag" and operator != "=="):
            return np.zeros(0, np.int64)
        if operator == "contains":
            part = self.texts.texts[limit]
            found = self.texts.map(one.value, lambda text: part in text) if type_ == "text" else one.value * 0
            return one.row[found == 1]
        if type_ == "text" and operator != "==":
            other = self.texts.texts[limit]
            order = self.texts.map(one.value, lambda text: (text > other) - (text < other))
            return one.row[_COMPARE[operator](order, np.zeros(1, np.int64))]
        return one.row[_COMPARE[operator](one.value, np.full(1, limit, np.int64))]

    def _met(self, operator: Comparison, one: Many, other: Many) -> Integers:
        """Rows in which some pair of values meets the comparison."""
        if {one.type, other.type} == {"text", "moment"}:
            one, other = self._as_moments(one), self._as_moments(other)
        if one.type != other.type or (one.type == "flag" and operator != "=="):
            return np.zeros(0, np.int64)
        row, a, b = _pairs(one, other)
        if operator == "contains":
            return row[self._contains(a, b)] if one.type == "text" else np.zeros(0, np.int64)
        if one.type == "text" and operator != "==":
            a, b = self._ranked(a, b)
        return row[_COMPARE[operator](a, b)]

    def _as_moments(self, many: Many) -> Many:
        if many.type != "text":
            return many
        value = self.texts.map(many.value, self._moment)
        known = value != NULL
        return Many("moment", many.row[known], value[known])

    def _moment(self, text: str) -> int:
        moment = moment_of_text(text, self.zone)
        return NULL if moment is None else moment

    def _contains(self, whole: Integers, part: Integers) -> Truth:
        pairs, inverse = np.unique(np.stack([whole, part]), axis=1, return_inverse=True)
        texts = self.texts.texts
        found = np.array([texts[b] in texts[a] for a, b in pairs.T.tolist()], np.bool_)
        return found[inverse.ravel()] if len(found) else np.zeros(0, np.bool_)

    def _ranked(self, a: Integers, b: Integers) -> tuple[Integers, Integers]:
        different, inverse = np.unique(np.concatenate([a, b]), return_inverse=True)
        order = sorted(range(len(different)), key=lambda k: self.texts.texts[different[k]])
        rank = np.empty(len(different), np.int64)
        rank[order] = np.arange(len(different))
        ranks = rank[inverse] if len(rank) else inverse
        return ranks[: len(a)], ranks[len(a) :]

    def between(self, node: Between) -> Truth:
        """The same value lies between both ends."""
        found = []
        for one in self.many(node.item):
            values = Table(len(one.row), {}, {}, self.texts, self.zone)
            above = np.zeros(len(one.row), np.bool_)
            below = np.zeros(len(one.row), np.bool_)
            single = Many(one.type, np.arange(len(one.row)), one.value)
            for low in self.many(node.low):
                above[values._met(">=", single, _follow(low, one.row))] = True
            for high in self.many(node.high):
                below[values._met("<=", single, _follow(high, one.row))] = True
            found.append(one.row[above & below])
        return self._any(found)

    def elements(self, node: Elem) -> Truth:
        """Some one element meets the whole condition."""
        length = self.flat.get(ColumnKey(node.path, "length"))
        if length is None:
            return np.zeros(self.size, np.bool_)
        counts = np.maximum(length, 0)
        base = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        flat: dict[ColumnKey, Integers] = {}
        for key, ragged in self.ragged.items():
            if key.path[: len(node.path)] != node.path:
                continue
            inner = key.path[len(node.path) :] or ("value",)
            own = np.diff(ragged.offset)
            row = np.repeat(np.arange(self.size), own)
            within = np.arange(len(row)) - np.repeat(ragged.offset[:-1], own)
            fits = within < counts[row]
            column = np.full(int(base[-1]), NULL, np.int64)
            column[base[row[fits]] + within[fits]] = ragged.values[fits]
            flat[ColumnKey(inner, key.type)] = column
        inside = Table(int(base[-1]), flat, {}, self.texts, self.zone)
        row = np.repeat(np.arange(self.size), counts)
        return self._any([row[inside.holds(node.where)]])


_COMPARE: dict[Comparison, Callable[[Integers, Integers], Truth]] = {
    "==": np.equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def _where(many: Many, condition: Truth) -> Many:
    kept = condition[many.row]
    return Many(many.type, many.row[kept], many.value[kept])


def _pairs(one: Many, other: Many) -> tuple[Integers, Integers, Integers]:
    """Every combination of values within a row."""
    first = np.searchsorted(other.row, one.row, "left")
    past = np.searchsorted(other.row, one.row, "right")
    counts = past - first
    left = np.repeat(np.arange(len(one.row)), counts)
    within = np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts)
    right = np.repeat(first, counts) + within
    return one.row[left], one.value[left], other.value[right]


def _follow(many: Many, rows: Integers) -> Many:
    """The values of the rows listed, numbered by place in that list."""
    first = np.searchsorted(many.row, rows, "left")
    counts = np.searchsorted(many.row, rows, "right") - first
    place = np.repeat(np.arange(len(rows)), counts)
    within = np.arange(len(place)) - np.repeat(np.cumsum(counts) - counts, counts)
    return Many(many.type, place, many.value[np.repeat(first, counts) + within])


def _calculated(operator: Operator, row: Integers, a: Integers, b: Integers) -> tuple[Integers, Integers]:
    """Exact: on whole numbers of any size, rounded half to even."""
    one, other = a.astype(object), b.astype(object)
    if operator == "/":
        known = b != 0
        row, one, other = row[known], one[known], other[known]
    match operator:
        case "+":
            exact = one + other
        case "-":
            exact = one - other
        case "*":
            exact = np.array([rounded(x * y, MILLION) for x, y in zip(one, other, strict=True)], object)
        case _:
            exact = np.array([rounded(x * MILLION, y) for x, y in zip(one, other, strict=True)], object)
    if any(abs(value) > LARGEST for value in exact):
        raise DataError(
            "E_NUMBER_OVERFLOW",
            "a number grows beyond 9,223,372,036,854.775807",
            hint="divide the property by a thousand where it is loaded",
        )
    return row, exact.astype(np.int64)


def limits_of(condition: Expression) -> tuple[Path, int, int] | None:
    """A condition on one number against constants as (property, lowest, highest) millionths, both included."""
    match condition:
        case Compare(operator=operator, left=Property(path), right=right) if operator in (
            "==",
            "<",
            "<=",
            ">",
            ">=",
        ):
            limit = _literal(right)
            if limit is None:
                return None
            low = {"==": limit, ">": limit + 1, ">=": limit}.get(operator, -LARGEST)
            return path, low, {"==": limit, "<": limit - 1, "<=": limit}.get(operator, LARGEST)
        case Between(item=Property(path), low=low, high=high):
            bottom, top = _literal(low), _literal(high)
            return None if bottom is None or top is None else (path, bottom, top)
        case _:
            return None


def _literal(node: Expression) -> int | None:
    match node:
        case Number(value):
            return int((value * MILLION).to_integral_value())
        case Negate(item=Number(value)):
            return -int((Decimal(value) * MILLION).to_integral_value())
        case _:
            return None
