"""The tests that definitions carry."""

from __future__ import annotations

from ethogram.language.files import definitions_from_text
from ethogram.language.trials import TrialResult, run_tests
from ethogram.model.settings import Settings

BEHAVIORS = """
behaviors:
  cart_add: Product Added
  purchase: { event: Order Completed, where: total > 0 }
  bought: { event: Order Completed, each: products }
"""


def run(text: str, timezone: str = "UTC") -> tuple[TrialResult, ...]:
    return run_tests(definitions_from_text(BEHAVIORS + text), Settings(timezone=timezone))


ABANDONERS = """
segments:
  abandoners:
    when: did(cart_add, last=7d) and not did(purchase, since=last(cart_add))
    tests:
      - { name: T, events: E, expect: X }
"""


def abandoners(events: str, expect: str) -> TrialResult:
    return run(ABANDONERS.replace("E,", f"{events},").replace("X", expect))[0]


def test_passing() -> None:
    result = abandoners("[{ ago: 2d, do: cart_add }, { ago: 1d, do: purchase, total: 20 }]", "out")
    assert (result.passed, result.expected, result.found, result.why) == (True, "out", "out", ())
    assert str(result) == "definitions.yml:11:9: abandoners: T: passed"


def test_a_failure_says_expected_found_and_why() -> None:
    result = abandoners("[{ ago: 2d, do: cart_add }, { ago: 1d, do: purchase, total: 0 }]", "out")
    assert str(result) == (
        "definitions.yml:11:9: abandoners: T: expected out, found in\n"
        "   did(cart_add, last=7d): true (1 event)\n"
        "   did(purchase, since=last(cart_add)): false\n"
        "     last(cart_add): 2026-01-13 12:00 (1 event)"
    )


def test_a_slip_of_the_pen_does_not_pass() -> None:
    result = abandoners("[{ ago: 2d, do: cart_ad }]", "out")
    assert not result.passed
    assert result.why == (
        "no behavior is called 'cart_ad', and no definition names such an event. Did you mean 'cart_add'?",
    )


def test_a_customer_without_events_is_known() -> None:
    assert abandoners("[]", "out").passed
    assert abandoners("[]", "in").why[0] == "did(cart_add, last=7d): false"


def test_traits_of_every_type() -> None:
    results = run(
        """
traits:
  spend: { value: sum(purchase.total), tests: [{ name: a, events: [{ ago: 1d, do: purchase, total: 2.50 }], expect: 2.5 }, { name: b, events: [], expect: 0 }] }
  mean: { value: avg(purchase.total), tests: [{ name: a, events: [], expect: missing }] }
  favorite: { value: most_frequent(bought.category), tests: [{ name: a, events: [{ ago: 1d, do: bought, category: Hats }], expect: Hats }] }
  latest: { value: last(purchase), tests: [{ name: a, events: [{ ago: 1d, do: purchase, total: 2 }], expect: "2026-01-14 12:00" }] }
  paid: { value: did(purchase), tests: [{ name: a, events: [{ ago: 1d, do: purchase, total: 2 }], expect: true }] }
  city: { value: customer.city, tests: [{ name: a, events: [{ ago: 1d, do: identify, city: Cork }], expect: Cork }] }
""",
        "Europe/Dublin",
    )
    assert [str(result) for result in results if not result.passed] == []
    assert len(results) == 7


def test_groups_and_moments() -> None:
    results = run(
        """
segmentations:
  season:
    groups:
      winter: did(purchase, months=[1])
      other: otherwise
    tests:
      - { name: january, events: [{ ago: 1d, do: purchase, total: 1 }], expect: winter }
      - { name: july, at: "2026-07-15 12:00", events: [{ ago: 1d, do: purchase, total: 1 }], expect: winter }
"""
    )
    assert [result.passed for result in results] == [True, False]
    assert results[1].found == "other"
    assert results[1].why == ("winter: false", "  did(purchase, months=[1]): false", "other: everyone else")


def test_what_cannot_be_answered_fails_with_its_reason() -> None:
    result = run(
        """
segments:
  agreed: { when: 'consented("mail")', tests: [{ name: a, events: [], expect: in }] }
"""
    )[0]
    assert not result.passed
    assert result.found == "no answer"
