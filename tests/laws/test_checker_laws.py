"""What the check claims holds in every history; what it accepts can be said in English."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from expressions import VOCABULARY, expressions
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.language.agreement import Scope
from ethogram.language.checker import check_expression
from ethogram.language.files import definitions_from_text
from ethogram.language.implication import covered, implies
from ethogram.language.meaning import World, value
from ethogram.language.parser import parse_expression
from ethogram.language.ranges import Fixed, form_of, opposite
from ethogram.language.sentences import sentence
from ethogram.language.tree import And, Compare, Expression, Items, Not, Number, Or
from ethogram.language.types import Types, type_of
from ethogram.language.walk import walk
from ethogram.model.event import Event, Value
from ethogram.model.settings import Settings

DAY = 86_400_000_000
NOW = 20_000 * DAY + DAY // 2
SETTINGS = Settings(country="GB")

SHOP = definitions_from_text(
    """
behaviors:
  buy: Order
  paid: { event: Order, where: total > 0 }
  view: View
traits:
  buys: count(buy)
segments:
  buyer: did(buy)
"""
)
SHOP_SCOPE = Scope(SHOP, SETTINGS, None, Types(SHOP))

# --- conditions about which something can be inferred ---------------------------------------------------------------

_VALUES = (
    "count(buy)",
    "buys",
    "count(buy, last=7d)",
    "count(buy, last=4w)",
    "count(buy, last=1mo)",
    "count(buy, last=1y)",
    "count(buy[total > 1])",
    "count(buy[total > 1], last=7d)",
    "count_distinct(buy.sku)",
    "count_distinct(buy.sku, last=7d)",
    "max_count_by(buy.sku)",
    "max_sum_by(buy.total, by=sku)",
    "max_sum_by(paid.total, by=sku)",
    "active_days(buy)",
    "active_days(buy, last=2d)",
    "sum(buy.total)",
    "sum(paid.total)",
    "avg(buy.total)",
    "min(paid.total)",
    "share(buy[total > 1])",
    "days_since(last(buy))",
    "days_until(first(buy))",
    "bin(count(buy), 1, 3)",
    "days_since(nth(buy, 2))",
    "nth(buy, 2) - first(buy)",
    'gap(buy, "min")',
    'gap(buy, "cv")',
    "streak(buy, day)",
    "trend(buy, last=7d)",
    "customer.score",
)
_FIXED = (
    "did(buy)",
    "did(buy, last=7d)",
    "did(buy, last=30d)",
    "did(buy[total > 1])",
    "buyer",
    'customer.country == "UK"',
    'customer.country in ["UK", "IE"]',
    'first(buy.sku) == "a"',
    'last(buy.sku) in ["a", "b"]',
    'last(buy.sku) == "b"',
    "everyone",
    "customer.score is known",
)

_compared = st.builds(
    lambda text, operator, number: parse_expression(f"{text} {operator} {number}"),
    st.sampled_from(_VALUES),
    st.sampled_from(("==", "!=", "<", "<=", ">", ">=")),
    st.sampled_from(("-1", "0", "0.5", "1", "2", "3", "7")),
)
_between = st.builds(
    lambda text, low, high: parse_expression(f"{text} between {low} and {high}"),
    st.sampled_from(_VALUES),
    st.sampled_from(("-1", "0", "1", "2")),
    st.sampled_from(("1", "2", "3")),
)
_atoms = _compared | _between | st.sampled_from(_FIXED).map(parse_expression)


def _joined(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.builds(And, several) | st.builds(Or, several) | st.builds(Not, inner)


conditions = st.recursive(_atoms, _joined, max_leaves=5)

# --- histories ------------------------------------------------------------------------------------------------------

_totals = st.sampled_from(
    (None, "free", Decimal(-1), Decimal(0), Decimal("0.5"), Decimal(1), Decimal(2), Decimal(7))
)
_skus = st.sampled_from((None, "a", "b"))
_ages = st.sampled_from((0, 1, 36, 47, 48, 49, 167, 168, 169, 300, 671, 672, 720, 745, 9000)).map(
    lambda hours: hours * DAY // 24
)


@st.composite
def _events(draw: st.DrawFn) -> Event:
    properties: dict[str, Value] = {"total": draw(_totals), "sku": draw(_skus)}
    known = {name: found for name, found in properties.items() if found is not None}
    name = draw(st.sampled_from(("Order", "View")))
    return Event(NOW - draw(_ages), name, str(draw(st.integers(0, 9**6))), "test", properties=known)


_given = st.builds(
    lambda score, country, tags: Event(
        NOW - 400 * DAY, "", "given", "test", "identify",
        traits={name: found for name, found in (("score", score), ("country", country or tags)) if found is not None},
    ),
    st.sampled_from((None, Decimal(0), Decimal(1), Decimal(3), (Decimal(0), Decimal(7)))),
    st.sampled_from((None, "UK", "IE", "FR")),
    st.sampled_from((None, ("UK", "FR"))),
)  # fmt: skip
histories = st.lists(
    st.builds(lambda birth, events: (birth, *events), _given, st.lists(_events(), max_size=6)),
    min_size=4,
    max_size=8,
)


def _answers(expression: Expression, people: Sequence[tuple[Event, ...]]) -> list[bool]:
    world = World(SETTINGS, SHOP, {str(index): events for index, events in enumerate(people)})
    return [value(world, expression, str(index), NOW) is True for index in range(len(people))]


def test_the_opposite_of_more_than_the_least_is_the_least() -> None:
    some, none = (parse_expression(f"share(buy[total > 1]) {operator} 0") for operator in (">", "=="))
    unknown_too = opposite(form_of(some, SHOP_SCOPE), SHOP_SCOPE)
    assert implies(form_of(none, SHOP_SCOPE), unknown_too) and not isinstance(unknown_too, Fixed)


@settings(max_examples=200, deadline=None)
@given(conditions, conditions, histories)
def test_what_is_inferred_is_true(
    one: Expression, other: Expression, people: Sequence[tuple[Event, ...]]
) -> None:
    first, second = form_of(one, SHOP_SCOPE), form_of(other, SHOP_SCOPE)
    left, right = _answers(one, people), _answers(other, people)
    if isinstance(first, Fixed):
        assert left == [first.holds] * len(people)
    if implies(first, second):
        assert all(after or not before for before, after in zip(left, right, strict=True))
    if implies(first, opposite(second, SHOP_SCOPE)):
        assert not any(before and after for before, after in zip(left, right, strict=True))
    if implies(opposite(first, SHOP_SCOPE), second):
        assert all(before or after for before, after in zip(left, right, strict=True))


@settings(max_examples=120, deadline=None)
@given(st.lists(_atoms, min_size=2, max_size=4), _atoms | st.just(parse_expression("everyone")), histories)
def test_an_unreachable_group_is_empty(
    earlier: list[Expression], group: Expression, people: Sequence[tuple[Event, ...]]
) -> None:
    forms = [form_of(condition, SHOP_SCOPE) for condition in earlier]
    if covered(form_of(group, SHOP_SCOPE), forms, SHOP_SCOPE):
        taken = [any(answers) for answers in zip(*(_answers(one, people) for one in earlier), strict=True)]
        wanted = _answers(group, people)
        assert all(before or not after for before, after in zip(taken, wanted, strict=True))


@settings(max_examples=120, deadline=None)
@given(conditions, histories)
def test_conditions_said_to_hold_for_all_or_nobody_do(
    condition: Expression, people: Sequence[tuple[Event, ...]]
) -> None:
    for finding in check_expression(condition, SHOP, SETTINGS):
        assert not finding.is_error
        nodes = [node for node in walk(condition) if isinstance(node, Compare) and node.span == finding.span]
        for node in nodes:
            if finding.code == "W_NEVER" and finding.message == "this can hold for nobody":
                assert not any(_answers(node, people))
            if finding.code == "W_ALWAYS" and finding.message == "this holds for everyone":
                assert all(_answers(node, people))


# --- everything that is well typed ----------------------------------------------------------------------------------


def _has_empty_hours(expression: Expression) -> bool:
    pairs = [node.items for node in walk(expression) if isinstance(node, Items) and len(node.items) == 2]
    return any(
        isinstance(start, Number) and isinstance(end, Number) and start.value % 24 == end.value % 24
        for start, end in pairs
    )


@settings(max_examples=120, deadline=None)
@given(expressions("condition", population=True))
def test_what_is_well_typed_is_accepted(expression: Expression) -> None:
    errors = [finding for finding in check_expression(expression, VOCABULARY, SETTINGS) if finding.is_error]
    if not _has_empty_hours(expression):
        assert not errors, "\n".join(map(str, errors))


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(("condition", "number", "text", "moment", "set")).flatmap(
        lambda kind: st.tuples(st.just(kind), expressions(kind))
    )
)
def test_types_and_sentences(drawn: tuple[str, Expression]) -> None:
    kind, expression = drawn
    expected = "flag" if kind == "condition" else kind
    assert type_of(expression, VOCABULARY) in (expected, "any")
    said = sentence(expression, VOCABULARY, SETTINGS)
    assert said.endswith(".") and said[0].isupper() | said[0].isdigit() | (said[0] in "'\"-")
    assert not any(word in said for word in ("Events(", "None", "Call(", "  ", "_("))
