"""Rule 13: a definition's identity is a hash of its meaning."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ethogram.language.files import definitions_from_text
from ethogram.language.hashing import definition_hash, definition_hashes
from ethogram.model.errors import DefinitionError
from ethogram.model.settings import Settings

HERE = Settings(timezone="Europe/London", country="GB")
BEHAVIORS = "behaviors:\n  purchase: Order Completed\n  view: Product Viewed\n  mail: { event: Email Delivered, by: company }\n"


def hashed(text: str, name: str = "s", settings: Settings = HERE) -> str:
    return definition_hash(definitions_from_text(BEHAVIORS + text), name, settings)


def segment(expression: str, settings: Settings = HERE) -> str:
    return hashed(f"segments:\n  s: '{expression}'\n", settings=settings)


def test_it_is_sha256() -> None:
    assert len(segment("did(purchase)")) == 64


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("did(purchase) and did(view)", "did(view) and did(purchase)"),
        ("did(purchase) and (did(view) and everyone)", "everyone and did(view) and did(purchase)"),
        ("did(purchase) or did(purchase) or did(view)", "did(purchase) or did(view)"),
        ("count(purchase) != 1", "not (count(purchase) == 1)"),
        ("count(purchase) > 1.50", "count(purchase) > 1.5"),
        ("did(purchase, last=7d, hours=[1, 2])", "did(purchase, hours=[1, 2], last=7d)"),
        ("count(purchase) in [1, 2]", "count(purchase) in [2, 1, 2]"),
        ('last(purchase) > date("2026-01-02")', 'last(purchase) > date("2026-01-02 00:00")'),
    ],
)
def test_equal_meaning_has_equal_hashes(one: str, other: str) -> None:
    assert segment(one) == segment(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("did(purchase, last=7d)", "did(purchase, last=8d)"),
        ("did(purchase, last=7d)", "did(purchase, last=168h)"),
        ("did(purchase)", "did(view)"),
        ("count(purchase) > 1", "count(purchase) >= 1"),
        ("sequence(purchase, view)", "sequence(view, purchase)"),
        ("top(count(view), 10)", "top(count(view), 10%)"),
        ("did(purchase, hours=[6, 22])", "did(purchase, hours=[22, 6])"),
        ('customer.a == "1"', "customer.a == 1"),
    ],
)
def test_other_meaning_has_another_hash(one: str, other: str) -> None:
    assert segment(one) != segment(other)


def test_titles_tests_and_names_do_not_count() -> None:
    short = hashed("segments:\n  s: did(purchase)\n")
    long = hashed(
        "segments:\n  t:\n    title: T\n    when: did(purchase)\n    tests: [{ name: n, expect: out }]\n", "t"
    )
    assert short == long


def test_order_and_place_of_definitions_do_not_count() -> None:
    one = hashed("traits:\n  n: count(purchase)\nsegments:\n  s: n > 1\n")
    other = hashed("segments:\n  x: did(view)\n  s: n > 1\ntraits:\n  n: count(purchase)\n")
    assert one == other


def test_everything_it_refers_to_counts() -> None:
    text = "traits:\n  n: count(purchase, last={0}d)\nsegments:\n  t: n > 1\n  s: t and everyone\n"
    assert hashed(text.format(7)) != hashed(text.format(8))


def test_a_renamed_reference_means_the_same() -> None:
    text = "traits:\n  {0}: count(purchase)\nsegments:\n  s: {0} > 1\n"
    assert hashed(text.format("n")) == hashed(text.format("orders"))


def test_a_list_counts() -> None:
    text = 'lists:\n  staff: {{ customers: [{0}] }}\nsegments:\n  s: in_list("staff")\n'
    assert hashed(text.format("a, b")) == hashed(text.format("b, a")) != hashed(text.format("a"))


def test_any_depends_on_what_the_company_does() -> None:
    more = "  call: { event: Phone Call, by: company }\nsegments:\n  s: did(any)\n"
    assert hashed(more) != segment("did(any)")


@pytest.mark.parametrize(
    "expression",
    [
        "did(purchase, last=1mo)",
        "did(purchase, this=day)",
        "active_days(purchase) > 1",
        "age(customer.birthday) > 18",
        'last(purchase) > date("2026-01-01")',
        "days_since(customer.signed_up) > 3",
        "customer.signed_up > last(purchase)",
        "did(purchase, since=customer.signed_up)",
        'last(purchase) > "2026-01-01"',
    ],
)
def test_the_timezone_counts_where_the_calendar_does(expression: str) -> None:
    assert segment(expression) != segment(expression, replace(HERE, timezone="Asia/Tokyo"))


@pytest.mark.parametrize(
    "expression",
    [
        "did(purchase, last=30d)",
        "days_since(last(purchase)) > 3",
        'last(purchase) > date("2026-01-01 00:00Z")',
    ],
)
def test_the_timezone_does_not_count_elsewhere(expression: str) -> None:
    assert segment(expression) == segment(expression, replace(HERE, timezone="Asia/Tokyo"))


def test_week_starts_counts_for_weeks_only() -> None:
    sunday = replace(HERE, week_starts=6)
    assert segment("did(purchase, this=week)") != segment("did(purchase, this=week)", sunday)
    assert segment("did(purchase, this=month)") == segment("did(purchase, this=month)", sunday)


def test_the_country_counts_for_holidays_only() -> None:
    france = replace(HERE, country="FR")
    assert segment('did(purchase, holiday="any")') != segment('did(purchase, holiday="any")', france)
    assert segment("did(purchase, this=month)") == segment("did(purchase, this=month)", france)


def test_a_circle_is_named() -> None:
    with pytest.raises(DefinitionError, match="a -> b -> a"):
        hashed("segments:\n  a: b\n  b: a\n  s: a\n")


def test_all_at_once_gives_the_same() -> None:
    definitions = definitions_from_text(BEHAVIORS + "traits:\n  n: count(purchase)\nsegments:\n  s: n > 1\n")
    hashes = definition_hashes(definitions, HERE)
    assert hashes == {
        name: definition_hash(definitions, name, HERE) for name in ("purchase", "view", "mail", "n", "s")
    }


def test_a_long_chain_of_names() -> None:
    chain = "".join(f"  t{n}: t{n + 1} + 1\n" for n in range(2000))
    assert len(hashed(f"traits:\n{chain}  t2000: count(purchase)\n", "t0")) == 64


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(DefinitionError) as caught:
        hashed("", "nobody")
    assert caught.value.code == "E_UNKNOWN_NAME"
