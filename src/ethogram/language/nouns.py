"""Values, moments, windows and events as English nouns; conditions on one event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from ethogram.language.phrases import (
    COMPARED,
    ago_window,
    date_text,
    hours_window,
    in_the_last,
    lasting,
    listed,
    literal_text,
    months_window,
    unit_window,
    weekdays_window,
)
from ethogram.language.selections import written
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
    Option,
    Or,
    Percent,
    Property,
    Text,
    Word,
)


def plain(name: str) -> str:
    """A name as words.

    >>> plain("cart_abandoners")
    'cart abandoners'
    """
    return name.replace("_", " ").strip() or name


@dataclass(frozen=True, slots=True)
class Nouns:
    """`say_clause` says a condition as a relative clause, for values that are made of conditions."""

    definitions: Definitions
    say_clause: Callable[[Expression], str]

    def title(self, name: str) -> str:
        found = self.definitions.find(name)
        return (found.title if found else "") or plain(name)

    def group(self, segmentation: str, group: str) -> str:
        found = self.definitions.segmentations.get(segmentation)
        titles = {one.name: one.title for one in found.groups} if found else {}
        return f"'{titles.get(group) or plain(group)}' of '{self.title(segmentation)}'"

    def segment(self, node: Expression) -> str:
        match node:
            case Name(name):
                return f"'{self.title(name)}'"
            case Group(segmentation, group):
                return f"the group {self.group(segmentation, group)}"
            case _:
                return "it"

    def length(self, node: Call, name: str) -> str:
        value = node.option(name)
        return lasting(value) if isinstance(value, Duration) else ""

    def among(self, node: Call) -> str:
        among = node.option("among")
        return f" among {self.segment(among)}" if among is not None else ""

    # --- values -----------------------------------------------------------------------------------------------------

    def with_article(self, node: Expression) -> str:
        noun = self.noun(node)
        return noun if literal_text(node) is not None or isinstance(node, Date) else f"the {noun}"

    def value(self, node: Expression) -> str:
        """A value beside a comparison: `3`, `their average order`."""
        literal = literal_text(node)
        if literal is not None:
            return literal
        if isinstance(node, Date) or (isinstance(node, Call) and node.function == "now"):
            return self.moment(node)
        return f"their {self.noun(node)}"

    def noun(self, node: Expression) -> str:
        """A value as a noun without its article."""
        match node:
            case Number() | Percent() | Text() | Duration() | Items() | Word():
                return literal_text(node) or ""
            case Date(text):
                return date_text(text)
            case Name(name) | Me(name):
                return f"'{self.title(name)}'"
            case CustomerTrait(path) | Property(path):
                return plain(written(path))
            case AccountTrait(path):
                return f"account's {plain(written(path))}"
            case Events():
                return self.measure(node)
            case Arithmetic(operator, left, right):
                if isinstance(right, Duration):
                    return self.moment(node)
                word = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}[operator]
                return f"{self.noun(left)} {word} {self.noun(right)}"
            case Negate(item):
                return literal_text(node) or f"negative of {self.noun(item)}"
            case Call():
                return self._call_noun(node)
            case (
                Flag() | Group() | Everyone() | Elem() | And() | Or() | Not() | Compare() | Between() | Known()
            ):  # fmt: skip
                return f"being one of those {self.say_clause(node)}"
            case _:
                assert_never(node)

    def _call_noun(self, node: Call) -> str:
        arguments = node.arguments
        match node.function, arguments:
            case "count", (Events() as events,):
                return f"number of {self.events_in(events, node.options)}"
            case "first" | "last" as which, (Events(path=()) as events,):
                return f"{which} {self.events_in(events, node.options)}"
            case "nth", (Events(path=()) as events, place):
                return f"{_ordinal(self.value(place))} {self.events_in(events, node.options)}"
            case "nth", (Events() as events, place):
                return f"{_ordinal(self.value(place))} {self.measure(events, node.options)}"
            case "share", (Events() as events,):
                return f"share of {self.events_in(events, node.options)}"
            case "active_days", (Events() as events,):
                return f"number of days with {self.events_in(events, node.options)}"
            case "active_periods" | "streak" as function, (Events() as events, Word(unit)):
                if function == "streak":
                    return f"number of {unit}s in a row with {self.events_in(events, node.options)}"
                return f"number of {unit}s with {self.events_in(events, node.options)}"
            case "gap", (Events() as events, Text(which)):
                what = self.events_in(events, node.options)
                if which == "cv":
                    return f"variation of the days between two {what} (standard deviation / mean)"
                return f"{_GAPS.get(which, which)} number of days between two {what}"
            case "max_sum_by", (Events() as events,):
                by = node.option("by")
                one = plain(written(by.path)) if isinstance(by, Property) else ""
                return f"largest sum of {self.measure(events, node.options)} for one {one}"
            case "trend", (Events() as events,):
                window = node.option("last")
                length = lasting(window) if isinstance(window, Duration) else ""
                what = f"sum of {self.measure(events)}" if events.path else f"number of {self.events(events)}"
                return f"trend of the {what} (the last {length} divided by the {length} before)"
            case function, (Events() as events,) if function in _MEASURES:
                return f"{_MEASURES[function]} {self.measure(events, node.options)}"
            case "days_since" | "hours_since" | "days_until" as function, (moment,):
                unit = "hours" if function == "hours_since" else "days"
                return f"number of {unit} {'until' if function == 'days_until' else 'since'} {self.moment(moment)}"
            case "age", (moment,):
                return f"age in years since {self.moment(moment)}"
            case "now", _:
                return "present moment"
            case function, (ranked, *rest) if function in ("rank", "ntile", "zscore", "bin"):
                return self._ranking(node, ranked, rest)
            case "time_in", (segment,):
                return f"number of days in {self.segment(segment)}"
            case "bucket", (Text(salt),):
                return f'place in the draw "{salt}"'
            case "coalesce", values:
                return ", or else ".join(self.noun(value) for value in values)
            case "lower", (text,):
                return f"{self.noun(text)} in small letters"
            case "if", (condition, one, other):
                return f"{self.value(one)} for those {self.say_clause(condition)} and otherwise {self.value(other)}"
            case "sum_members" | "count_members" as function, (inner,):
                what = (
                    f"sum of {self.noun(inner)}"
                    if function == "sum_members"
                    else f"members {self.say_clause(inner)}"
                )
                return f"account's {what}"
            case _:
                return f"being one of those {self.say_clause(node)}"

    def _ranking(self, node: Call, ranked: Expression, rest: list[Expression]) -> str:
        what, among = self.noun(ranked), self.among(node) or " among everyone"
        match node.function:
            case "rank":
                return f"rank by {what}{among} (0 to 1)"
            case "ntile":
                return f"place from 1 to {self.value(rest[0]) if rest else ''} by {what}{among}"
            case "zscore":
                return f"distance of the {what} from the average{among}, in standard deviations"
            case _:
                return f"step of the {what} (at {listed((self.value(edge) for edge in rest), 'and')})"

    # --- moments, windows, events -----------------------------------------------------------------------------------

    def moment(self, node: Expression) -> str:
        match node:
            case Call("now"):
                return "now"
            case Date(text) | Text(text):
                return date_text(text)
            case Arithmetic("-", Call("now"), Duration() as duration):
                return f"{lasting(duration)} ago"
            case Arithmetic(operator, start, Duration() as duration):
                return f"{lasting(duration)} {'after' if operator == '+' else 'before'} {self.moment(start)}"
            case _:
                return self.value(node)

    def windows(self, options: tuple[Option, ...]) -> str:
        """All windows, with a space before each."""
        return "".join(f" {phrase}" for option in options if (phrase := self._window(option)))

    def _window(self, option: Option) -> str:
        match option.name, option.value:
            case "last", Duration() as duration:
                return in_the_last(duration)
            case "ago", value:
                return ago_window(value)
            case "since", moment:
                return f"since {self.moment(moment)}"
            case "until", moment:
                return f"before {self.moment(moment)}"
            case "this" | "previous" as name, Word(unit):
                return unit_window(name, unit)
            case "hours", value:
                return hours_window(value)
            case "weekdays", value:
                return weekdays_window(value)
            case "months", value:
                return months_window(value)
            case "holiday", Text(holiday):
                return "on a public holiday" if holiday == "any" else f"on {holiday}"
            case "clock", _:
                return "by their own clock"
            case _:
                return ""

    def events(self, events: Events) -> str:
        """`'Purchase' where total is more than 100`."""
        return self.events_in(events, ())

    def events_in(self, events: Events, options: tuple[Option, ...], how_often: str = "") -> str:
        """`'Purchase' twice in the last 7 days where total is more than 100`."""
        if events.source == "any" and not events.raw:
            name = "anything"
        elif events.raw or events.source not in self.definitions.behaviors:
            name = f"'{events.source}'"
        else:
            name = f"'{_behavior_title(self.definitions.behaviors[events.source])}'"
        where = f" where {self.row(events.where)}" if events.where is not None else ""
        return f"{name}{how_often}{self.windows(options)}{where}"

    def measure(self, events: Events, options: tuple[Option, ...] = ()) -> str:
        bare = Events(events.source, events.raw, events.where)
        return f"{plain(written(events.path))} of {self.events_in(bare, options)}"

    # --- inside a filter --------------------------------------------------------------------------------------------

    def row(self, node: Expression, *, negated: bool = False) -> str:
        """A condition on one event: `total is more than 100 and coupon is known`."""
        is_not = "is not" if negated else "is"
        match node:
            case And(items) | Or(items):
                word = "and" if isinstance(node, And) != negated else "or"
                parts = [self.row(item, negated=negated) for item in items]
                nested = [isinstance(item, And | Or) and type(item) is not type(node) for item in items]
                shown = [f"({part})" if inner else part for part, inner in zip(parts, nested, strict=True)]
                return f" {word} ".join(shown)
            case Not(item):
                return self.row(item, negated=not negated)
            case Known(item):
                return f"{self.noun(item)} {is_not} known"
            case Compare("in", left, right):
                return f"{self.noun(left)} is {'none of' if negated else 'one of'} {self.value(right)}"
            case Compare("contains", left, right):
                return f"{self.noun(left)} {'does not contain' if negated else 'contains'} {self.row_value(right)}"
            case Compare("==", left, right):
                return f"{self.noun(left)} {is_not} {self.row_value(right)}"
            case Compare(operator, left, right):
                return f"{self.row_value(left)} {is_not} {COMPARED[operator]} {self.row_value(right)}"
            case Between(item, low, high):
                return f"{self.noun(item)} {is_not} between {self.row_value(low)} and {self.row_value(high)}"
            case Elem(path, where):
                return f"{'no' if negated else 'some'} element of {written(path)} has: {self.row(where)}"
            case _:
                return f"{self.noun(node)} {is_not} yes"

    def row_value(self, node: Expression) -> str:
        """Properties are the event's, traits the customer's."""
        return self.value(node) if isinstance(node, Me) else self.noun(node)


_MEASURES = {
    "sum": "sum of",
    "avg": "average",
    "min": "smallest",
    "max": "largest",
    "median": "median",
    "count_distinct": "number of different values of",
    "max_count_by": "largest count of one",
    "values": "values of",
    "first": "first",
    "last": "latest",
    "most_frequent": "most frequent",
}


_GAPS = {"mean": "average", "median": "typical", "min": "shortest", "max": "longest", "last": "latest"}


def _behavior_title(behavior: Behavior) -> str:
    if behavior.title:
        return behavior.title
    is_plain = (
        len(behavior.events) == 1 and behavior.where is None and not behavior.each and behavior.unless is None
    )
    return behavior.events[0] if is_plain else plain(behavior.name)


def _ordinal(number: str) -> str:
    endings = {"1": "st", "2": "nd", "3": "rd"}
    teens = number[-2:] in ("11", "12", "13")
    return f"{number}{'th' if teens else endings.get(number[-1:], 'th')}"
