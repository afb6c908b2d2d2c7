"""What the parser makes of expressions, and what it says about mistakes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ethogram.language.parser import parse_expression, parse_filter, parse_path
from ethogram.language.printer import print_expression
from ethogram.language.tree import (
    AccountTrait,
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
from ethogram.language.walk import walk
from ethogram.model.errors import DefinitionError


def number(digits: str) -> Number:
    return Number(Decimal(digits))


A, B, C = Name("a"), Name("b"), Name("c")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("12", number("12")),
        ("3.5", number("3.5")),
        ("10%", Percent(Decimal(10))),
        ("-5", Negate(number("5"))),
        (r'"a \"b\" \\ \n \u0000 é"', Text('a "b" \\ \n \0 é')),
        ("true", Flag(True)),
        ('date("2026-11-01")', Date("2026-11-01")),
        ('date("2026-11-01 18:30+02:00")', Date("2026-11-01 18:30+02:00")),
        ("everyone", Everyone()),
        ("is_identified", Call("is_identified")),
        ("orders", Name("orders")),
        ("usage_level.intensive", Group("usage_level", "intensive")),
        ("customer.address.city", CustomerTrait(("address", "city"))),
        ("customer.`zip code`", CustomerTrait(("zip code",))),
        ("account.plan", AccountTrait(("plan",))),
        ("a and b or c", Or((And((A, B)), C))),
        ("a and b and c", And((A, B, C))),
        ("(a and b) and c", And((And((A, B)), C))),
        ("a and (b or c)", And((A, Or((B, C))))),
        ("not a and b", And((Not(A), B))),
        ("not not a", Not(Not(A))),
        ("a != b", Not(Compare("==", A, B))),
        ("a not in [1, -2]", Not(Compare("in", A, Items((number("1"), Negate(number("2"))))))),
        ("a is known", Known(A)),
        ("a is not known", Not(Known(A))),
        ("a contains b", Compare("contains", A, B)),
        ("a between 1 and 2 and b", And((Between(A, number("1"), number("2")), B))),
        ("a - b - c", Arithmetic("-", Arithmetic("-", A, B), C)),
        ("a - (b - c)", Arithmetic("-", A, Arithmetic("-", B, C))),
        ("a + b * -c", Arithmetic("+", A, Arithmetic("*", B, Negate(C)))),
        ("now() - 6mo", Arithmetic("-", Call("now"), Duration(6, "mo"))),
        ("did(any)", Call("did", (Events("any"),))),
        ('did("Order Completed")', Call("did", (Events("Order Completed", raw=True),))),
        ('did("any")', Call("did", (Events("any", raw=True),))),
        ("sum(purchase.`unit price`)", Call("sum", (Events("purchase", path=("unit price",)),))),
        ("active_periods(any, week)", Call("active_periods", (Events("any"), Word("week")))),
        (
            "did(a, ago=[90d, 30d])",
            Call("did", (Events("a"),), (Option("ago", Items((Duration(90, "d"), Duration(30, "d")))),)),
        ),
        (
            "sequence(a, not b, c, same=x.y)",
            Call("sequence", (Events("a"), Not(Events("b")), Events("c")), (Option("same", Property(("x", "y"))),)),
        ),
        ("entered(usage_level.much, last=7d)",
         Call("entered", (Group("usage_level", "much"),), (Option("last", Duration(7, "d")),))),
    ],
)  # fmt: skip
def test_trees(text: str, tree: Expression) -> None:
    assert parse_expression(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("total > me.average_order", Compare(">", Property(("total",)), Me("average_order"))),
        ("gift and address.city is known", And((Property(("gift",)), Known(Property(("address", "city")))))),
        ("elem(tags, value == 1)", Elem(("tags",), Compare("==", Property(("value",)), number("1")))),
        ("count > 1", Compare(">", Property(("count",)), number("1"))),
        ("`me` == `and`", Compare("==", Property(("me",)), Property(("and",)))),
        ("last == last", Compare("==", Property(("last",)), Property(("last",)))),
        ("is_identified", Property(("is_identified",))),
    ],
)
def test_filters(text: str, tree: Expression) -> None:
    assert parse_filter(text) == tree


def test_names_of_functions_and_options_stay_free() -> None:
    """`last=` is a keyword only before a single `=`; a function's name only before `(`."""
    where = Compare("==", Property(("last",)), number("1"))
    total = Call("sum", (Events("count", where=where, path=("sum",)),), (Option("last", Duration(7, "d")),))
    assert parse_expression("sum(count[last == 1].sum, last=7d) == last") == Compare(
        "==", total, Name("last")
    )


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("((a) and ((b)))", "a and b"),
        ("not (a == b)", "a != b"),
        ("not (a in [1])", "a not in [1]"),
        ("not (a is known)", "a is not known"),
        ("not (a < b)", "not a < b"),
        ("(a or b) and c", "(a or b) and c"),
        ("a == (b == c)", "a == (b == c)"),
        ("(a + b) * c", "(a + b) * c"),
        ("a + (b * c)", "a + b * c"),
        ("-(a + b)", "-(a + b)"),
        ("did( x ,last = 7d )", "did(x, last=7d)"),
        ("1.500 + 0010", "1.5 + 10"),
        ("customer.`a` == 1", "customer.a == 1"),
        ("`true` and `a b`", "`true` and `a b`"),
    ],
)
def test_printing(text: str, printed: str) -> None:
    assert print_expression(parse_expression(text)) == printed


def test_every_node_knows_its_place() -> None:
    text = 'did(purchase[total > 1 and coupon in ["a"]], last=7d) and\n  -orders + 1 != 2'
    lines = text.split("\n")
    for node in walk(parse_expression(text, file="f.yml", line=7, column=5)):
        assert node.span is not None
        assert node.span.file == "f.yml"
        assert node.span.line in (7, 8)
        offset = 5 if node.span.line == 7 else 1
        line = lines[node.span.line - 7]
        written = line[node.span.column - offset :][: node.span.length]
        if isinstance(node, Property | Name):
            assert written == print_expression(node)
    assert written


def wrong(text: str) -> DefinitionError:
    with pytest.raises(DefinitionError) as caught:
        parse_expression(text)
    assert caught.value.span is not None
    return caught.value


@pytest.mark.parametrize(
    ("text", "code", "column", "said"),
    [
        ("", "E_SYNTAX", 1, "expression ends here"),
        ("a and", "E_SYNTAX", 6, "missing after 'and'"),
        ("and a", "E_SYNTAX", 1, "missing before 'and'"),
        ("a b", "E_SYNTAX", 3, "unexpected 'b'"),
        ("(a", "E_SYNTAX", 1, "')' is missing"),
        ("a)", "E_SYNTAX", 2, "closes nothing"),
        ("a = 1", "E_SYNTAX", 3, "=="),
        ("a && b", "E_SYNTAX", 3, "Write: and"),
        ("a AND b", "E_SYNTAX", 3, "Write it small"),
        ("a <> 1", "E_SYNTAX", 3, "!="),
        ("a ≥ 1", "E_SYNTAX", 3, "Write >="),
        ("a == 'x'", "E_SYNTAX", 6, "double quotes"),
        ("a == “x”", "E_SYNTAX", 6, "straight double quotes"),
        ('a == "x', "E_SYNTAX", 6, "not closed"),
        (r'a == "\q"', "E_SYNTAX", 7, "not an escape"),
        (r'a == "\ud800"', "E_SYNTAX", 7, "half a character"),
        ("a # b", "E_SYNTAX", 3, "starts no comment"),
        ("a < b < c", "E_CHAIN", 7, "cannot be chained"),
        ("a == b in [1]", "E_CHAIN", 8, "cannot be chained"),
        ("a in 1", "E_SYNTAX", 6, "a list after 'in'"),
        ("a in []", "E_SYNTAX", 6, "empty list"),
        ("a in [b]", "E_SYNTAX", 7, 'Text needs quotes: "b"'),
        ("a not contains b", "E_SYNTAX", 3, "not (x contains"),
        ("a is null", "E_SYNTAX", 6, "'known'"),
        ("a between 1, 2", "E_SYNTAX", 12, "'and'"),
        ("[1] == a", "E_SYNTAX", 1, "after 'in'"),
        ("1,000 < a", "E_SYNTAX", 2, "thousands"),
        ("1_000", "E_NUMBER", 1, "not a number"),
        ("1e3", "E_NUMBER", 1, "exponent"),
        ("0.1234567", "E_NUMBER", 1, "6 digits"),
        ("9223372036854.775808", "E_NUMBER_OVERFLOW", 1, "go up to"),
        (".5", "E_SYNTAX", 1, "0.5"),
        ('date("2024-02-30") < now()', "E_DATE", 1, "not a date"),
        ('date("1.2.2024") < now()', "E_DATE", 1, "YYYY-MM-DD"),
        ('date("0001-01-01") < now()', "E_DATE", 1, "between the years"),
        ("did(a, last=5m)", "E_UNIT", 13, "minutes (min) or months (mo)?"),
        ("did(a, last=5)", "E_SYNTAX", 13, "Add a unit"),
        ("did(a, last=-5d)", "E_SYNTAX", 13, "cannot be negative"),
        ("did(a, last=1.5h)", "E_UNIT", 13, "whole number"),
        ("did(a, last=5days)", "E_UNIT", 13, "not a unit"),
        ("did(a, last=99999999y)", "E_DURATION", 13, "1000 years"),
        ("did(a, ago=[5d])", "E_SYNTAX", 12, "two durations"),
        ("did(a, this=weeks)", "E_SYNTAX", 13, "Did you mean 'week'?"),
        ("did(a, lst=5d)", "E_UNKNOWN_OPTION", 8, "Did you mean 'last='?"),
        ("did(a, last=5d, last=6d)", "E_ARGUMENTS", 17, "twice"),
        ("did(last=5d, a)", "E_SYNTAX", 14, "after everything else"),
        ("did(a, b)", "E_ARGUMENTS", 8, "one too many"),
        ("did()", "E_ARGUMENTS", 1, "here is none"),
        ("did(a.b)", "E_ARGUMENTS", 5, "not the property 'b'"),
        ("sum(a)", "E_ARGUMENTS", 5, "for example a.total"),
        ("lapsed(a)", "E_ARGUMENTS", 1, "needs after="),
        ("did(a and b)", "E_SYNTAX", 7, "did(a) and did(b)"),
        ("did(count(a))", "E_SYNTAX", 5, "not 'count(…)'"),
        ("did(a[])", "E_SYNTAX", 6, "empty filter"),
        ("did(a[b][c])", "E_SYNTAX", 9, "one [ ]"),
        ("sum(a.b[c])", "E_SYNTAX", 8, "before the property"),
        ("did(a[count(b) > 1])", "E_SYNTAX", 7, "cannot stand inside a filter"),
        ("did(a[customer.x == 1])", "E_SYNTAX", 7, "me.that_trait"),
        ("did(a[me == 1])", "E_SYNTAX", 7, "me.average_order"),
        ("cuont(a)", "E_UNKNOWN_FUNCTION", 1, "Did you mean 'count'?"),
        ("elem(a, b)", "E_SYNTAX", 1, "only inside a filter"),
        ("a[b > 1]", "E_SYNTAX", 2, "did(a)"),
        ("a.b.c", "E_SYNTAX", 4, "inside a function"),
        ('"A".b > 1', "E_SYNTAX", 4, 'did("A")'),
        ("any", "E_SYNTAX", 1, "did(any)"),
        ("me.a", "E_SYNTAX", 1, "only inside a filter"),
        ("customer == 1", "E_SYNTAX", 1, "customer.country"),
        ("entered(did(a), last=7d)", "E_SYNTAX", 9, "name of a segment"),
        ("sequence(a, b, strict=1)", "E_SYNTAX", 23, "true or false"),
        ("gap(a)", "E_ARGUMENTS", 1, 'gap(purchase, "text")'),
        ("``", "E_SYNTAX", 1, "empty"),
    ],
)  # fmt: skip
def test_mistakes(text: str, code: str, column: int, said: str) -> None:
    error = wrong(text)
    assert (error.code, error.column) == (code, column), str(error)
    assert said in str(error)


def test_d04_ten_thousand_conditions() -> None:
    text = " and ".join(f"count(a) > {n}" for n in range(10_000))
    tree = parse_expression(text)
    assert isinstance(tree, And)
    assert len(tree.items) == 10_000
    assert print_expression(tree) == text


@pytest.mark.parametrize(
    "text",
    [
        "(" * 50 + "a" + ")" * 50,
        "not " * 50 + "a",
        "-" * 50 + "1 > 0",
        "1" + " + 1" * 50 + " > 0",
        "coalesce(" * 50 + "a" + ", 1)" * 50 + " > 0",
        "(" * 100_000,
        "not " * 100_000,
    ],
)
def test_d04_depth_50(text: str) -> None:
    error = wrong(text)
    assert error.code == "E_DEPTH"
    assert len(str(error)) < 1000


def test_nearly_50_deep_is_fine() -> None:
    text = "not " * 48 + "a"
    assert print_expression(parse_expression(text)) == text


def test_d04_negative_window() -> None:
    assert "cannot be negative" in str(wrong("did(a, last=-7d)"))


def test_d04_negative_numbers_are_no_mistake() -> None:
    assert print_expression(parse_expression("count(a) >= -1")) == "count(a) >= -1"


NAMES = ["\"; COPY (select 1) TO '/tmp/p'; --", 'a" OR "1"="1', "$.*", "a.b", "`", "\\", "\0", "*"]


@pytest.mark.parametrize("name", NAMES)
def test_d02_names_are_taken_literally(name: str) -> None:
    tree = Compare(
        "==",
        Call("sum", (Events(name, raw=True, where=Known(Property((name,))), path=(name, name)),)),
        CustomerTrait((name,)),
    )
    assert parse_expression(print_expression(tree)) == tree


VALUES = ["x'; DROP TABLE events; --", "\\'", "' OR 1=1", "%", "_", "\\", "\0", '"', "\n", "\u2028"]


@pytest.mark.parametrize("value", VALUES)
def test_d01_values_are_taken_literally(value: str) -> None:
    tree = Compare("==", CustomerTrait(("a",)), Text(value))
    assert parse_expression(print_expression(tree)) == tree


def test_paths() -> None:
    assert parse_path("address.`zip code`.x") == ("address", "zip code", "x")
    with pytest.raises(DefinitionError):
        parse_path("a.")
    with pytest.raises(DefinitionError):
        parse_path("a b")
