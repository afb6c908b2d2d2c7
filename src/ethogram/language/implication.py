"""When one condition implies another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from ethogram.language.agreement import Scope
from ethogram.language.options import is_longer
from ethogram.language.ranges import (
    INFINITY,
    AllOf,
    AnyOf,
    Fixed,
    Form,
    InRange,
    OneOf,
    Opposite,
    Range,
    domain_of,
    opposite,
)
from ethogram.language.tree import Call, Duration, Events, Expression

_GROWING = frozenset({"count", "count_distinct", "max_count_by", "active_days"})
"""Functions that a longer window or a weaker filter never makes smaller."""


def implies(one: Form, other: Form) -> bool:
    """Whether `other` holds wherever `one` does; False also where that is not known."""
    match one, other:
        case (Fixed(False), _) | (_, Fixed(True)):
            return True
        case AnyOf(items), _:
            return all(implies(item, other) for item in items)
        case _, AllOf(items):
            return all(implies(one, item) for item in items)
        case AllOf(items), _:
            return any(implies(item, other) for item in items) or _any_of(one, other)
        case _, AnyOf():
            return _any_of(one, other)
        case InRange(), InRange():
            return _range_implies(one, other)
        case OneOf(), OneOf():
            return one.key == other.key and one.texts <= other.texts
        case InRange(), Opposite(InRange(key, wanted, missing, True)):
            same = one.single and one.key == key and not (one.missing and missing)
            return same and one.range.meets(wanted).is_empty
        case OneOf(), Opposite(OneOf(key, texts, True)):
            return one.single and one.key == key and not one.texts & texts
        case Opposite(negated), Opposite(other_negated):
            return implies(other_negated, negated)
        case _:
            return one == other


def _any_of(one: Form, other: Form) -> bool:
    return isinstance(other, AnyOf) and any(implies(one, item) for item in other.items)


def _range_implies(one: InRange, other: InRange) -> bool:
    if one.missing and not other.missing:
        return False
    if one.key == other.key:
        return other.range.holds_all_of(one.range)
    if other.range.high == INFINITY and not one.missing and _is_never_more(one.key, other.key):
        return other.range.holds_all_of(Range(low=one.range.low, low_open=one.range.low_open))
    if other.range.low <= 0 and one.range.high < INFINITY and _is_never_more(other.key, one.key):
        return other.range.holds_all_of(Range(Decimal(0), one.range.high, high_open=one.range.high_open))
    return False


def _is_never_more(small: Expression, large: Expression) -> bool:
    """Whether the same count over a part of the window, or of the events."""
    match small, large:
        case Call(function, (Events() as few, *rest)), Call(same, (Events() as many, *others)):
            if function != same or function not in _GROWING or rest != others:
                return False
            return _is_part(few, many) and _is_shorter(small, large)
        case _:
            return False


def _is_part(few: Events, many: Events) -> bool:
    same = (few.source, few.raw, few.path) == (many.source, many.raw, many.path)
    return same and (many.where is None or few.where == many.where)


def _is_shorter(small: Call, large: Call) -> bool:
    """Whether every option of `large` is one of `small`, the same or a longer `last=`."""
    for option in large.options:
        narrow = small.option(option.name)
        if narrow is None:
            return False
        if narrow == option.value:
            continue
        if (
            option.name != "last"
            or not isinstance(narrow, Duration)
            or not isinstance(option.value, Duration)
        ):
            return False
        if not is_longer(option.value, narrow):
            return False
    return True


# --- together -------------------------------------------------------------------------------------------------------


class Taken:
    """Whom a row of conditions takes, one or all of them together."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.forms: list[Form] = []
        self.everyone = False
        self.ranges: dict[Expression, list[InRange]] = {}
        self.texts: dict[Expression, set[str]] = {}

    def add(self, form: Form) -> None:
        against = opposite(form, self.scope)
        self.everyone = (
            self.everyone or form == Fixed(True) or any(implies(against, one) for one in self.forms)
        )
        self.forms.append(form)
        for part in _alternatives(form):
            if isinstance(part, InRange) and part.single:
                self.ranges.setdefault(part.key, []).append(part)
                self.everyone = self.everyone or self._takes_range(part.key, Fixed(True))
            elif isinstance(part, OneOf):
                self.texts.setdefault(part.key, set()).update(part.texts)

    def covers(self, form: Form) -> bool:
        """Whether everyone for whom `form` holds is taken; False also where that is not known."""
        if self.everyone or any(implies(form, one) for one in self.forms):
            return True
        for part in _conjoined(form):
            if isinstance(part, OneOf) and part.single and part.texts <= self.texts.get(part.key, set()):
                return True
            if isinstance(part, InRange) and part.key in self.ranges and self._takes_range(part.key, form):
                return True
        return False

    def _takes_range(self, key: Expression, form: Form) -> bool:
        """Whether the intervals of this value hold all that `form` leaves of it."""
        tests, domain = self.ranges[key], domain_of(key, self.scope)
        asked, can_miss = domain.range, domain.can_miss
        for part in _conjoined(form):
            if isinstance(part, InRange) and part.key == key and part.single:
                asked, can_miss = asked.meets(part.range), can_miss and part.missing
        if can_miss and not any(test.missing for test in tests):
            return False
        return _union_covers((test.range for test in tests), asked, whole=domain.whole)


def covered(form: Form, earlier: Sequence[Form], scope: Scope) -> bool:
    """Whether everyone for whom `form` holds is taken by the earlier conditions."""
    taken = Taken(scope)
    for one in earlier:
        taken.add(one)
    return taken.covers(form)


def _alternatives(form: Form) -> Iterator[Form]:
    if isinstance(form, AnyOf):
        for item in form.items:
            yield from _alternatives(item)
    else:
        yield form


def _conjoined(form: Form) -> Iterator[Form]:
    if isinstance(form, AllOf):
        for item in form.items:
            yield from _conjoined(item)
    else:
        yield form


def _union_covers(ranges: Iterable[Range], asked: Range, *, whole: bool) -> bool:
    """Whether these ranges together hold all of `asked`."""
    rest = asked.whole() if whole else asked
    for part in sorted(ranges, key=lambda one: (one.low, one.low_open)):
        if rest.is_empty:
            return True
        begins = part.low < rest.low or (part.low == rest.low and (rest.low_open or not part.low_open))
        if not begins:
            return False
        if part.high > rest.low or (part.high == rest.low and not part.high_open):
            rest = Range(part.high, rest.high, not part.high_open, rest.high_open)
            rest = rest.whole() if whole else rest
            if part.high == INFINITY:
                return True
    return rest.is_empty
