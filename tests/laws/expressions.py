"""Random well-typed expressions over a small fixed vocabulary, for property tests.

`expressions("condition")` draws trees that `check` accepts against `VOCABULARY`: every name exists, every type fits, and nothing is
used that the language refuses (arithmetic over elapsed time, a sequence that begins with `not`). Population functions look at everybody
and so are drawn only with `population=True`.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal, TypeAlias, TypeVar

from hypothesis import strategies as st

from ethogram.language.calls import GAPS
from ethogram.language.files import definitions_from_text
from ethogram.language.tree import (
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
    Option,
    Or,
    Percent,
    Property,
    Text,
    Word,
)

Kind: TypeAlias = Literal["condition", "number", "text", "moment", "set", "filter"]
T = TypeVar("T")

VOCABULARY = definitions_from_text(
    """
behaviors:
  view: Product Viewed
  cart_add: Product Added
  purchase:
    event: Order Completed
    where: total > 0
    unless: { event: Order Cancelled, same: order_id }
  bought: { event: Order Completed, each: products }
  contact: { event: [Ticket Opened, Chat Started] }
  mail_sent: { event: Email Delivered, by: company }
traits:
  orders: count(purchase)
  average_order: avg(purchase.total)
  favorite: most_frequent(bought.category)
  last_purchase: last(purchase)
segments:
  buyers: did(purchase, last=90d)
  quiet: lapsed(any, after=30d)
segmentations:
  usage_level:
    groups:
      regular: active_days(any, last=28d) >= 3
      occasional: did(any, last=28d)
      inactive: otherwise
lists:
  staff: { customers: [ann, bob] }
""",
    "vocabulary.yml",
)

EVENT_NAMES = (
    "Product Viewed",
    "Product Added",
    "Order Completed",
    "Order Cancelled",
    "Ticket Opened",
    "Email Delivered",
)
SELECTIONS = ("view", "cart_add", "purchase", "contact", "mail_sent", "any")

NUMBERS = (("total",), ("quantity",))
TEXTS = (("coupon",), ("order_id",), ("address", "city"), ("unit code",))
FLAGS = (("gift",),)
LIST_NUMBERS = (("products", "price"),)
LIST_TEXTS = (("products", "category"), ("tags",))
"""Properties that the events of the vocabulary may carry, by type."""

WORDS = ("", "a", "b", "SAVE10", "Shoes", "Hats", "London", 'say "x"', "back\\slash", "ünï")
UNITS = ("day", "week", "month", "quarter", "year")


def expressions(kind: Kind, *, population: bool = False, depth: int = 3) -> st.SearchStrategy[Expression]:
    """Trees of the kind; `depth` bounds how deep operators and filters nest."""
    return _TREES[population].of(kind, depth)


# --- literals -------------------------------------------------------------------------------------------------------

numbers = st.builds(
    Number, st.decimals(min_value=0, max_value=1000, places=2, allow_nan=False, allow_infinity=False)
)
whole_numbers = st.builds(Number, st.integers(0, 12).map(Decimal))
texts = st.sampled_from(WORDS).map(Text)
dates = st.sampled_from(
    ("2025-01-01", "2025-03-30", "2024-02-29", "2025-10-26 01:30", "2025-06-01 12:00:00Z")
).map(Date)
unit_words = st.sampled_from(UNITS).map(Word)

_LENGTHS = {"s": 600, "min": 300, "h": 72, "d": 120, "w": 20, "mo": 18, "y": 3}
durations = st.sampled_from(tuple(_LENGTHS)).flatmap(
    lambda unit: st.integers(1, _LENGTHS[unit]).map(lambda amount: Duration(amount, unit))  # type: ignore[arg-type]
)
fixed_durations = st.sampled_from(("h", "d", "w")).flatmap(
    lambda unit: st.integers(1, _LENGTHS[unit]).map(lambda amount: Duration(amount, unit))  # type: ignore[arg-type]
)
day_durations = st.integers(1, 40).map(lambda amount: Duration(amount, "d"))


@st.composite
def spans_of_time(draw: st.DrawFn) -> Items:
    """`[90d, 30d]`, the longer first."""
    first = draw(durations.filter(lambda duration: duration.amount > 1))
    shorter = draw(st.integers(1, first.amount - 1))
    return Items((first, Duration(shorter, first.unit)))


def _items(strategy: st.SearchStrategy[Expression], most: int = 3) -> st.SearchStrategy[Expression]:
    return st.lists(strategy, min_size=1, max_size=most).map(lambda found: Items(tuple(found)))


_HOURS = (
    st.tuples(st.integers(0, 24), st.integers(0, 24))
    .filter(lambda found: found == (0, 24) or found[0] % 24 != found[1] % 24)
    .map(lambda found: [Number(Decimal(hour)) for hour in found])
)
"""Windows that are not empty."""


class _Trees:
    """Strategies are made once for each depth: making them anew at each use would take exponentially long."""

    def __init__(self, population: bool) -> None:
        self.population = population
        self.made: dict[tuple[object, ...], st.SearchStrategy[Any]] = {}

    def once(self, key: tuple[object, ...], make: Callable[[], st.SearchStrategy[T]]) -> st.SearchStrategy[T]:
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]

    def of(self, kind: Kind, depth: int) -> st.SearchStrategy[Expression]:
        makers = {
            "condition": self._conditions,
            "number": self._numbers,
            "text": self._texts,
            "moment": self._moments,
            "set": self._sets,
            "filter": self._filters,
        }
        return self.once((kind, depth), lambda: makers[kind](depth))

    # --- selections ------------------------------------------------------------------------------------------------

    def selections(self, depth: int, *, filtered: bool = False) -> st.SearchStrategy[Events]:
        return self.once(("selection", depth, filtered), lambda: self._selections(depth, filtered))

    def _selections(self, depth: int, filtered: bool) -> st.SearchStrategy[Events]:
        where = self.of("filter", depth - 1) if depth > 0 else st.just(Known(Property(("total",))))
        wheres = where if filtered else st.none() | where
        named = st.builds(Events, st.sampled_from(SELECTIONS), st.just(False), wheres)
        raw = st.builds(Events, st.sampled_from(EVENT_NAMES), st.just(True), wheres)
        return named | raw

    def measures(self, depth: int, *paths: tuple[str, ...]) -> st.SearchStrategy[Events]:
        def with_path(events: Events, path: tuple[str, ...]) -> Events:
            return Events(events.source, events.raw, events.where, path)

        return st.builds(with_path, self.selections(depth), st.sampled_from(paths))

    def windows(self, depth: int) -> st.SearchStrategy[tuple[Option, ...]]:
        return self.once(("windows", depth), lambda: self._windows(depth))

    def _windows(self, depth: int) -> st.SearchStrategy[tuple[Option, ...]]:
        window = st.one_of(
            st.builds(Option, st.just("last"), durations),
            st.builds(Option, st.just("ago"), spans_of_time()),
            st.builds(Option, st.sampled_from(("since", "until")), self.window_moments(depth - 1)),
            st.builds(Option, st.sampled_from(("this", "previous")), unit_words),
            st.builds(Option, st.just("hours"), _HOURS.map(lambda found: Items(tuple(found)))),
            st.just(Option("holiday", Text("any"))),
            st.builds(Option, st.just("weekdays"), _items(st.sampled_from(("mon", "sat", "sun")).map(Text))),
            st.builds(
                Option,
                st.just("months"),
                _items(st.integers(1, 12).map(lambda month: Number(Decimal(month)))),
            ),
        )
        several = st.lists(window, max_size=2, unique_by=lambda option: option.name).map(tuple)
        return st.builds(_with_clock, several, st.booleans())

    def window_moments(self, depth: int) -> st.SearchStrategy[Expression]:
        back = durations.map(lambda duration: Arithmetic("-", Call("now"), duration))
        return back | self.of("moment", max(depth, 0))

    def event_call(
        self, functions: str | tuple[str, ...], depth: int, *arguments: st.SearchStrategy[Expression]
    ) -> st.SearchStrategy[Expression]:
        names = st.sampled_from((functions,) if isinstance(functions, str) else functions)
        return st.builds(Call, names, st.tuples(*arguments), self.windows(depth))

    # --- values ----------------------------------------------------------------------------------------------------

    def _numbers(self, depth: int) -> st.SearchStrategy[Expression]:
        amounts = self.measures(depth, *NUMBERS, *LIST_NUMBERS)
        anything = self.measures(depth, *NUMBERS, *TEXTS, *FLAGS, *LIST_TEXTS)
        single = self.measures(depth, *NUMBERS)
        leaves = [
            numbers,
            st.builds(Negate, numbers),
            st.sampled_from(
                (Name("orders"), Name("average_order"), CustomerTrait(("score",)), Percent(Decimal("12.5")))
            ),
            *[self.event_call("count", depth, self.selections(depth))] * 3,
            *[self.event_call(("sum", "avg", "min", "max", "median"), depth, amounts)] * 3,
            self.event_call(("count_distinct", "max_count_by"), depth, anything),
            st.builds(
                lambda events, by, options: Call(
                    "max_sum_by", (events,), (Option("by", Property(by)), *options)
                ),
                amounts,
                st.sampled_from((*NUMBERS, *TEXTS, *FLAGS, *LIST_TEXTS)),
                self.windows(depth),
            ),
            self.event_call(("first", "last", "most_frequent"), depth, single),
            self.event_call("nth", depth, single, st.integers(1, 4).map(lambda n: Number(Decimal(n)))),
            self.event_call("share", depth, self.selections(depth, filtered=True)),
            self.event_call("active_days", depth, self.selections(depth)),
            self.event_call(("active_periods", "streak"), depth, self.selections(depth), unit_words),
            self.event_call("gap", depth, self.selections(depth), st.sampled_from(GAPS).map(Text)),
            st.builds(
                lambda events, length: Call("trend", (events,), (Option("last", length),)),
                self.selections(depth) | amounts,
                durations,
            ),
            st.just(Call("bucket", (Text("salt"),))),
        ]
        if depth <= 0:
            return st.one_of(leaves)
        inner = self.of("number", depth - 1)
        return st.one_of(
            *leaves,
            st.builds(Arithmetic, st.sampled_from("+-*/"), inner, inner),  # type: ignore[arg-type]
            st.builds(Negate, inner),
            st.builds(lambda x: Call("bin", (x, *(Number(Decimal(edge)) for edge in (1, 5, 20)))), inner),
            *self._choices(depth, inner),
            *([self._ranks(inner)] if self.population else []),
        )

    def _ranks(self, inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        among = st.sampled_from(((), (Option("among", Name("buyers")),)))
        return st.one_of(
            st.builds(
                lambda name, x, options: Call(name, (x,), options),
                st.sampled_from(("rank", "zscore")),
                inner,
                among,
            ),
            st.builds(lambda x, options: Call("ntile", (x, Number(Decimal(5))), options), inner, among),
        )

    def _choices(
        self, depth: int, inner: st.SearchStrategy[Expression]
    ) -> list[st.SearchStrategy[Expression]]:
        """coalesce and if, of two values of one type."""
        return [
            st.builds(lambda a, b: Call("coalesce", (a, b)), inner, inner),
            st.builds(lambda c, a, b: Call("if", (c, a, b)), self.of("condition", depth - 1), inner, inner),
        ]

    def _texts(self, depth: int) -> st.SearchStrategy[Expression]:
        measures = self.measures(depth, *TEXTS)
        leaves = [
            texts,
            st.sampled_from(
                (Name("favorite"), CustomerTrait(("country",)), CustomerTrait(("address", "city")))
            ),
            self.event_call(("first", "last", "most_frequent"), depth, measures),
            self.event_call("nth", depth, measures, st.integers(1, 4).map(lambda n: Number(Decimal(n)))),
        ]
        if depth <= 0:
            return st.one_of(leaves)
        inner = self.of("text", depth - 1)
        return st.one_of(
            *leaves, st.builds(lambda a: Call("lower", (a,)), inner), *self._choices(depth, inner)
        )

    def _moments(self, depth: int) -> st.SearchStrategy[Expression]:
        leaves = [dates, st.just(Name("last_purchase"))]
        if depth <= 0:
            return st.one_of(leaves)
        found = self.event_call(("first", "last"), depth - 1, self.selections(depth - 1))
        places = st.integers(1, 4).map(lambda n: Number(Decimal(n)))
        counted = self.event_call("nth", depth - 1, self.selections(depth - 1), places)
        shifted = st.builds(Arithmetic, st.sampled_from("+-"), self.of("moment", depth - 1), durations)  # type: ignore[arg-type]
        return st.one_of(*leaves, found, counted, shifted)

    def _sets(self, depth: int) -> st.SearchStrategy[Expression]:
        return self.event_call("values", depth, self.measures(depth, *TEXTS, *LIST_TEXTS))

    # --- conditions ------------------------------------------------------------------------------------------------

    def _conditions(self, depth: int) -> st.SearchStrategy[Expression]:
        leaves = [
            st.sampled_from(
                (
                    Everyone(),
                    Name("buyers"),
                    Name("quiet"),
                    Group("usage_level", "regular"),
                    CustomerTrait(("subscribed",)),
                    Call("is_identified"),
                    Call("in_list", (Text("staff"),)),
                    Compare("==", Name("usage_level"), Text("occasional")),
                )
            ),
            *[self.event_call("did", depth, self.selections(depth))] * 3,
            self._life(depth),
            self._membership(),
            self._sequences(depth),
            self._anniversaries(),
        ]
        if depth <= 0:
            return st.one_of(leaves)
        inner = self.of("condition", depth - 1)
        several = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.one_of(
            *leaves,
            self._comparisons(depth - 1),
            st.builds(Not, inner),
            st.builds(And, several),
            st.builds(Or, several),
            *([self._tops(depth - 1)] if self.population else []),
        )

    def _tops(self, depth: int) -> st.SearchStrategy[Expression]:
        many = st.sampled_from((Number(Decimal(2)), Percent(Decimal(25))))
        return st.builds(lambda x, n: Call("top", (x, n)), self.of("number", depth), many)

    def _life(self, depth: int) -> st.SearchStrategy[Expression]:
        events = self.selections(depth)
        return st.one_of(
            st.builds(lambda e, d: Call("first_time", (e,), (Option("last", d),)), events, durations),
            st.builds(lambda e, d: Call("lapsed", (e,), (Option("after", d),)), events, durations),
            st.builds(
                lambda e, gap, last: Call("resumed", (e,), (Option("gap", gap), Option("last", last))),
                events,
                durations,
                durations,
            ),
            st.builds(_recurring, events, unit_words, st.integers(1, 3), st.integers(0, 3)),
        )

    def _membership(self) -> st.SearchStrategy[Expression]:
        segments = st.sampled_from((Name("buyers"), Name("quiet"), Group("usage_level", "regular")))
        back = durations.map(lambda duration: Arithmetic("-", Call("now"), duration))
        changed = st.sampled_from(("entered", "left"))
        return st.one_of(
            st.builds(lambda s, at: Call("was_in", (s,), (Option("at", at),)), segments, back | dates),
            st.builds(
                lambda name, s, d: Call(name, (s,), (Option("last", d),)), changed, segments, durations
            ),
            st.builds(lambda s, n: Compare(">", Call("time_in", (s,)), n), segments, whole_numbers),
        )

    @st.composite
    def _sequence(draw: st.DrawFn, self: _Trees, depth: int) -> Expression:  # noqa: N805
        steps: list[Expression] = [draw(self.selections(depth))]
        for _ in range(draw(st.integers(1, 3))):
            step = draw(self.selections(depth))
            without = not isinstance(steps[-1], Not) and draw(st.booleans())
            steps.append(Not(step) if without else step)
        if len([step for step in steps if isinstance(step, Events)]) < 2:
            steps.append(draw(self.selections(depth)))
        options = []
        if isinstance(steps[-1], Not) or draw(st.booleans()):
            options.append(Option("within", draw(fixed_durations)))
        options += draw(
            st.lists(
                st.one_of(
                    st.builds(Option, st.just("gap"), fixed_durations),
                    st.just(Option("strict", Flag(True))),
                    st.builds(Option, st.just("same"), st.sampled_from((*TEXTS, *NUMBERS)).map(Property)),
                    st.builds(Option, st.just("last"), durations),
                ),
                max_size=2,
                unique_by=lambda option: option.name,
            )
        )
        return Call("sequence", tuple(steps), tuple(options))

    def _sequences(self, depth: int) -> st.SearchStrategy[Expression]:
        return self._sequence(depth - 1)

    def _anniversaries(self) -> st.SearchStrategy[Expression]:
        days = day_durations.map(lambda duration: (Option("within", duration),))
        moment = st.sampled_from((CustomerTrait(("birthday",)), Name("last_purchase")))
        return st.builds(lambda m, options: Call("anniversary", (m,), options), moment, st.just(()) | days)

    def _comparisons(self, depth: int) -> st.SearchStrategy[Expression]:
        a_number, a_text = self.of("number", depth), self.of("text", depth)
        any_value = a_number | a_text | self.of("moment", depth)
        elapsed = st.builds(
            lambda name, m: Call(name, (m,)),
            st.sampled_from(("days_since", "hours_since", "days_until")),
            self.of("moment", depth) | st.just(CustomerTrait(("signed_up",))),
        )
        age = st.just(Call("age", (CustomerTrait(("birthday",)),)))
        orders = st.sampled_from(("==", "<", "<=", ">", ">="))
        return st.one_of(
            st.builds(Compare, orders, a_number, a_number),  # type: ignore[arg-type]
            st.builds(Compare, orders, a_text, a_text),  # type: ignore[arg-type]
            st.builds(Compare, orders, self.of("moment", depth), self.of("moment", depth)),  # type: ignore[arg-type]
            st.builds(Compare, orders, elapsed | age, whole_numbers),  # type: ignore[arg-type]
            st.builds(Between, a_number, numbers, numbers),
            st.builds(Between, elapsed, whole_numbers, whole_numbers),
            st.builds(Compare, st.just("in"), a_text, _items(texts)),  # type: ignore[arg-type]
            st.builds(Compare, st.just("in"), a_number, _items(numbers | st.builds(Negate, numbers))),  # type: ignore[arg-type]
            st.builds(Compare, st.just("contains"), self.of("set", depth) | a_text, texts),  # type: ignore[arg-type]
            st.builds(Known, any_value),
        )

    # --- filters ---------------------------------------------------------------------------------------------------

    def _filters(self, depth: int) -> st.SearchStrategy[Expression]:
        leaves = [self._row_comparisons(), st.sampled_from(FLAGS).map(Property)]
        if depth <= 0:
            return st.one_of(leaves)
        inner = self.of("filter", depth - 1)
        several = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.one_of(
            *leaves, self._elems(), st.builds(Not, inner), st.builds(And, several), st.builds(Or, several)
        )

    def _row_comparisons(self) -> st.SearchStrategy[Expression]:
        a_number = st.sampled_from((*NUMBERS, *LIST_NUMBERS)).map(Property)
        a_text = st.sampled_from((*TEXTS, *LIST_TEXTS)).map(Property)
        sum_of = st.builds(
            Arithmetic, st.sampled_from("+-*/"), st.sampled_from(NUMBERS).map(Property), numbers
        )  # type: ignore[arg-type]
        orders = st.sampled_from(("==", "<", "<=", ">", ">="))
        return st.one_of(
            st.builds(Compare, orders, a_number | sum_of, numbers),  # type: ignore[arg-type]
            st.builds(Compare, orders, a_number, st.sampled_from((Me("orders"), Me("average_order")))),  # type: ignore[arg-type]
            st.builds(Compare, st.just("=="), a_text, texts | st.just(Me("favorite"))),  # type: ignore[arg-type]
            st.builds(Compare, st.just("contains"), a_text, texts),  # type: ignore[arg-type]
            st.builds(Compare, st.just("in"), a_text, _items(texts)),  # type: ignore[arg-type]
            st.builds(Compare, st.just("in"), a_number, _items(numbers)),  # type: ignore[arg-type]
            st.builds(lambda a, b: Compare("==", Call("lower", (a,)), b), a_text, texts),
            st.builds(Between, a_number, numbers, numbers),
            st.builds(Known, a_number | a_text),
        )

    def _elems(self) -> st.SearchStrategy[Expression]:
        price = st.builds(Compare, st.sampled_from(("<", ">=")), st.just(Property(("price",))), numbers)  # type: ignore[arg-type]
        category = st.builds(lambda text: Compare("==", Property(("category",)), text), texts)
        both = st.builds(lambda a, b: And((a, b)), price, category)
        plain = st.builds(lambda text: Elem(("tags",), Compare("==", Property(("value",)), text)), texts)
        return st.builds(Elem, st.just(("products",)), price | category | both) | plain


def _with_clock(options: tuple[Option, ...], by_customer: bool) -> tuple[Option, ...]:
    is_clocked = any(option.name in ("hours", "weekdays", "months", "holiday") for option in options)
    return (*options, Option("clock", Word("customer"))) if is_clocked and by_customer else options


def _recurring(events: Events, unit: Word, least: int, more: int) -> Call:
    options = (
        Option("every", unit),
        Option("at_least", Number(Decimal(least))),
        Option("of", Number(Decimal(least + more))),
    )
    return Call("recurring", (events,), options)


_TREES = {population: _Trees(population) for population in (False, True)}
