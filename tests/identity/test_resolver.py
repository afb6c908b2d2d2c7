"""Law 8, and who is one person under the rules."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from link_worlds import RULES, Link, Told, link_sets, resolved

from ethogram.identity import joining
from ethogram.identity.rules import LIMITS, Rules


@settings(max_examples=400, deadline=None)
@given(links=link_sets(), rules=RULES)
def test_persons_are_what_the_rules_say(links: list[Link], rules: Rules) -> None:
    states, owners = resolved(links, rules)
    told = Told(links, rules)
    assert states == told.states
    assert owners == told.owners


@settings(max_examples=200, deadline=None)
@given(links=link_sets(), rules=RULES, chance=st.randoms(use_true_random=False))
def test_law_8_the_order_of_links_does_not_matter(
    links: list[Link], rules: Rules, chance: random.Random
) -> None:
    mixed = chance.sample(links, len(links))
    assert resolved(mixed, rules) == resolved(links, rules)


@settings(max_examples=200, deadline=None)
@given(links=link_sets(), rules=RULES, data=st.data())
def test_law_8_what_hangs_together_is_all_that_counts(
    links: list[Link], rules: Rules, data: st.DataObject
) -> None:
    """So that a new link is resolved with its neighbors alone, and one taken back leaves the others as they would be."""
    whole_states, whole_owners = resolved(links, rules)
    states, owners = {}, {}
    for part in _parts(links):
        own = resolved(part, rules)
        states |= own[0]
        owners |= own[1]
    assert (states, owners) == (whole_states, whole_owners)


def _parts(links: list[Link]) -> list[list[Link]]:
    parts: list[tuple[set[tuple[str, str]], list[Link]]] = []
    for link in links:
        nodes, own = {("id", link.customer), Told.node(link)}, [link]
        for part in [part for part in parts if part[0] & nodes]:
            nodes |= part[0]
            own += part[1]
            parts.remove(part)
        parts.append((nodes, own))
    return [own for _, own in parts]


@settings(max_examples=50, deadline=None)
@given(links=link_sets(), rules=RULES)
def test_the_compiled_loop_joins_alike(links: list[Link], rules: Rules) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joining, "MANY", 0)
        compiled = resolved(links, rules)
    assert compiled == resolved(links, rules)


def alias(customer: str, other: str, at: int = 0) -> Link:
    return Link("alias", customer, other, True, at)


def test_f01_circles_chains_and_any_order() -> None:
    circle = [alias("a", "b"), alias("b", "c"), alias("c", "a"), alias("a", "a")]
    _, owners = resolved(circle)
    assert owners == {"b": ("a", None), "c": ("a", None)}

    chain = [alias(f"n{number:05}", f"n{number + 1:05}") for number in range(10_000)]
    began = time.process_time()
    _, owners = resolved(chain)
    print(f"10,000 aliases in a chain: {time.process_time() - began:.2f} CPU-s")
    assert len(owners) == 10_000 and set(owners.values()) == {("n00000", None)}

    chance = random.Random(1)
    some = [Link("email", f"u{chance.randrange(900)}", f"{chance.randrange(700)}@x.org", False, chance.randrange(99)) for _ in range(1000)]  # fmt: skip
    links = list({link.key: link for link in some}.values())
    assert resolved(chance.sample(links, len(links))) == resolved(links)


def test_f02_a_kiosk_merges_nobody() -> None:
    kiosk = [Link("device", f"u{number:05}", "kiosk", True, number) for number in range(50_000)]
    states, owners = resolved(kiosk)
    assert owners == {}
    assert list(states.values()).count("shared") == 49_999


def test_f04_the_first_keeps_what_was_before_the_second() -> None:
    links = [Link("anonymous", "u1", "cookie", True, 30), Link("anonymous", "u2", "cookie", True, 50)]
    states, owners = resolved(links)
    assert owners == {"cookie": ("u1", 50)}
    assert states["anonymous", "u2", "cookie"] == "shared"


def test_two_cookies_meet_in_an_address_and_then_in_a_customer() -> None:
    links = [Link("email", "a2", "x@y.z", False, 1), Link("email", "a1", "x@y.z", False, 2)]
    assert resolved(links)[1] == {"a2": ("a1", None)}
    links.append(Link("email", "u7", "x@y.z", True, 3))
    assert resolved(links)[1] == {"a1": ("u7", None), "a2": ("u7", None)}


def test_an_address_makes_two_customers_one_only_where_the_project_says_so() -> None:
    links = [Link("email", "shop-1", "x@y.z", True, 1), Link("email", "support-9", "x@y.z", True, 2)]
    assert resolved(links)[1] == {}
    assert resolved(links, Rules({**LIMITS, "customer": 2}))[1] == {"support-9": ("shop-1", None)}


def test_the_sixth_address_is_not_used_and_the_five_stay() -> None:
    links = [Link("email", "u1", f"{number}@x.org", True, number) for number in range(6)]
    links += [Link("email", f"a{number}", f"{number}@x.org", False, 9) for number in range(6)]
    states, owners = resolved(links)
    assert states["email", "u1", "5@x.org"] == "limit"
    assert owners == {f"a{number}": ("u1", None) for number in range(5)}
