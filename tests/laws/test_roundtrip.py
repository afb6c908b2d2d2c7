"""Law 6: parse(print(d)) = d; text, YAML, Python and JSON give equal trees."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import assert_never

import pytest
from expressions import VOCABULARY, expressions
from hypothesis import given
from hypothesis import strategies as st

from ethogram.language import builder, tree
from ethogram.language.builder import Term
from ethogram.language.files import definitions_from_text, gather
from ethogram.language.jsonform import from_json, to_json
from ethogram.language.parser import parse_expression, parse_filter
from ethogram.language.printer import print_expression
from ethogram.language.tree import Expression
from ethogram.language.writer import print_definition, write_definitions

KINDS = ("condition", "number", "text", "moment", "set")

anything = st.sampled_from(KINDS).flatmap(lambda kind: expressions(kind, population=True, depth=2))
filters = expressions("filter", depth=3)

names = st.text(min_size=1, max_size=12)
paths = st.lists(names, min_size=1, max_size=3).map(tuple)
"""Any characters at all."""


@given(anything)
def test_text_law_06(expression: Expression) -> None:
    assert parse_expression(print_expression(expression)) == expression


@given(filters)
def test_filter_law_06(where: Expression) -> None:
    assert parse_filter(print_expression(where)) == where


@given(anything)
def test_printing_again_changes_nothing(expression: Expression) -> None:
    text = print_expression(expression)
    assert print_expression(parse_expression(text)) == text


@given(anything)
def test_json_law_06(expression: Expression) -> None:
    assert from_json(json.loads(json.dumps(to_json(expression)))) == expression


@given(filters)
def test_json_of_filters_law_06(where: Expression) -> None:
    assert from_json(json.loads(json.dumps(to_json(where))), inside_filter=True) == where


@given(anything)
def test_python_law_06(expression: Expression) -> None:
    assert built(expression).node == expression


@given(filters)
def test_python_filters_law_06(where: Expression) -> None:
    assert built(where).node == where


@given(names, names, paths, st.text(), st.booleans())
def test_any_names_and_texts_survive(
    source: str, group: str, path: tuple[str, ...], text: str, raw: bool
) -> None:
    where = tree.Compare("==", tree.Property(path), tree.Text(text))
    nested = tree.And((where, tree.Elem(path, where), tree.Compare("<", tree.Property(path), tree.Me(group))))
    counted = tree.Call("sum", (tree.Events(source, raw, nested, path),))
    both = tree.Or(
        (
            tree.Compare("==", counted, tree.CustomerTrait(path)),
            tree.Compare("==", tree.Name(source), tree.AccountTrait(path)),
            tree.Group(source, group),
            tree.Call("sequence", (tree.Events(source, raw), tree.Not(tree.Events(group))), ()),
        )
    )
    printed = print_expression(both)
    assert parse_expression(printed) == both
    assert from_json(json.loads(json.dumps(to_json(both)))) == both
    loaded = definitions_from_text(write_definitions(gather([tree.Segment("s", both)])))
    assert loaded.segments["s"].when == both


# --- YAML -----------------------------------------------------------------------------------------------------------

written = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40)
event_names = written.filter(bool)
values = st.recursive(
    st.none() | st.booleans() | written | st.decimals(-1000, 1000, places=3),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(written, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def test_cases(
    draw: st.DrawFn, expect: st.SearchStrategy[bool | str | Decimal | None]
) -> tree.DefinitionTest:
    event = st.builds(
        tree.TestEvent,
        st.builds(tree.Duration, st.integers(0, 99), st.sampled_from(("s", "h", "d", "mo"))),
        event_names,
        st.dictionaries(written.filter(lambda key: key not in ("ago", "do")), values, max_size=3),
    )
    at = draw(st.sampled_from(("", "2026-01-15", "2026-01-15 12:00")))
    return tree.DefinitionTest(draw(event_names), tuple(draw(st.lists(event, max_size=2))), draw(expect), at)


test_cases.__test__ = False  # type: ignore[attr-defined]


@st.composite
def definition(draw: st.DrawFn, name: str) -> tree.Definition:
    kind = draw(st.sampled_from(("behavior", "trait", "segment", "segmentation", "list")))
    titles = {"title": draw(written), "description": draw(written)}
    owners = {"purpose": draw(written), "owner": draw(written)}
    conditions = expressions("condition", depth=1)
    match kind:
        case "behavior":
            unless = st.none() | st.builds(tree.Unless, event_names, paths)
            return tree.Behavior(
                name,
                tuple(draw(st.lists(event_names, min_size=1, max_size=3))),
                draw(st.none() | expressions("filter", depth=2)),
                draw(st.just(()) | paths),
                draw(unless),
                draw(st.booleans()),
                **titles,
            )
        case "trait":
            expect = st.none() | st.booleans() | written | st.decimals(-99, 99, places=2)
            tests = tuple(draw(st.lists(test_cases(expect), max_size=2)))
            return tree.Trait(name, draw(expressions("number", depth=2)), **titles, tests=tests)
        case "segment":
            tests = tuple(draw(st.lists(test_cases(st.booleans()), max_size=2)))
            return tree.Segment(
                name, draw(expressions("condition", depth=2)), **titles, **owners, tests=tests
            )
        case "segmentation":
            group = st.builds(tree.SegmentationGroup, st.just("one"), conditions, written)
            groups = (draw(group), tree.SegmentationGroup("rest", None, draw(written)))
            tests = tuple(draw(st.lists(test_cases(st.sampled_from(("one", "rest"))), max_size=2)))
            return tree.Segmentation(name, groups, **titles, **owners, tests=tests)
        case _:
            if draw(st.booleans()):
                return tree.PeopleList(name, "lists/a b.csv", (), titles["title"])
            return tree.PeopleList(name, "", tuple(draw(st.lists(event_names, max_size=3))), titles["title"])


@given(st.data())
def test_yaml_law_06(data: st.DataObject) -> None:
    definitions = gather(data.draw(definition(name)) for name in ("a", "b"))
    assert definitions_from_text(write_definitions(definitions)) == definitions


@pytest.mark.parametrize("name", ["purchase", "bought", "orders", "buyers", "usage_level", "staff"])
def test_a_printed_definition_loads(name: str) -> None:
    found = VOCABULARY.find(name)
    assert found is not None
    assert definitions_from_text(print_definition(found)).find(name) == found


# --- Python ---------------------------------------------------------------------------------------------------------


def built(node: Expression) -> Term:
    """The same expression by way of the builder's functions and operators."""
    match node:
        case tree.Number(value):
            return Term(builder.expression(value))
        case tree.Percent(value):
            return builder.percent(value)
        case tree.Text(value) | tree.Flag(value):
            return Term(builder.expression(value))
        case tree.Date(value):
            return builder.moment(value)
        case tree.Duration(amount, unit):
            return builder.duration(f"{amount}{unit}")
        case tree.Items(items):
            return Term(builder.expression([built(item) for item in items]))
        case tree.Word():
            return Term(node)
        case tree.Name(name):
            return builder.name(name)
        case tree.Group(segmentation, group):
            return builder.name(segmentation)[group]
        case tree.CustomerTrait(path):
            return walked(builder.customer[path[0]], path)
        case tree.AccountTrait(path):
            return walked(builder.account[path[0]], path)
        case tree.Property(path):
            return walked(builder.prop[path[0]], path)
        case tree.Everyone():
            return builder.everyone
        case tree.Events():
            return built_events(node)
        case tree.Me(trait):
            return builder.me[trait]
        case tree.Elem(path, where):
            return builder.elem(".".join(path), built(where))
        case tree.And(items):
            return builder.all_of(*(built(item) for item in items))
        case tree.Or(items):
            return builder.any_of(*(built(item) for item in items))
        case tree.Not(item):
            return ~built(item)
        case tree.Compare():
            return built_comparison(node)
        case tree.Between(item, low, high):
            return built(item).between(built(low), built(high))
        case tree.Known(item):
            return built(item).is_known()
        case tree.Arithmetic():
            return built_arithmetic(node)
        case tree.Negate(item):
            return -built(item)
        case tree.Call("is_identified"):
            return builder.is_identified
        case tree.Call(function, arguments, options):
            call = getattr(builder, function)
            return call(*map(built, arguments), **{option.name: built(option.value) for option in options})
        case _:
            assert_never(node)


def built_events(node: tree.Events) -> Term:
    term = builder.event(node.source) if node.raw else builder.behavior(node.source)
    if node.where is not None:
        term = term[built(node.where)]
    return walked(term, ("", *node.path))


def walked(term: Term, path: tuple[str, ...]) -> Term:
    for name in path[1:]:
        term = term[name]
    return term


def built_comparison(node: tree.Compare) -> Term:
    left, right = built(node.left), built(node.right)
    match node.operator:
        case "==":
            return left == right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case ">=":
            return left >= right
        case "contains":
            return left.contains(right)
        case "in":
            assert isinstance(node.right, tree.Items)
            return left.is_in(*(built(item) for item in node.right.items))


def built_arithmetic(node: tree.Arithmetic) -> Term:
    left, right = built(node.left), built(node.right)
    match node.operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right
