"""Sequences where it is close: several events at one moment, items beside their events, limits met to the microsecond."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

from ethogram.language.meaning import World
from ethogram.language.parser import parse_expression
from ethogram.language.tree import Segment
from ethogram.model.event import Event
from ethogram.model.settings import Settings
from tests.laws.histories import Case, vocabulary
from tests.parity.kernel_world import engine_of, stored
from tests.parity.test_kernel_parity import check_answers, kernel_answers

HOUR = 3_600_000_000
NOW = 1_741_600_000_000_000
ORDER = {"order_id": "o1", "products": ({"category": "red"}, {"category": "x"}), "tags": ("a",)}
SELECTIONS = (
    "view",
    "add",
    "bought",
    "tagged",
    "mail",
    '"C"',
    'any[category == "red"]',
    "contact",
    "view[total > 1]",
    "any",
    '"Order Completed"',
)


def asked(questions: Sequence[str], histories: dict[str, tuple[Event, ...]], zone: str = "UTC") -> Case:
    segments = {f"s{k}": Segment(f"s{k}", parse_expression(text)) for k, text in enumerate(questions)}
    return Case(World(Settings(timezone=zone), replace(vocabulary(), segments=segments), histories), NOW)


BEGIN = NOW - 9 * HOUR
HISTORY = (
    Event(BEGIN, "Order Completed", "1", properties=ORDER),
    Event(BEGIN + HOUR // 2, "Email Delivered", "2"),
    Event(BEGIN + HOUR, "C", "3"),
)
CLOSE_CALLS = {
    'sequence(bought, "Order Completed", strict=true)': True,  # an element stands for its event
    "sequence(bought, bought, strict=true, same=order_id)": True,
    'sequence(bought, mail, "C", strict=true)': True,
    'sequence(bought, "C", strict=true)': True,  # mail is no event of `any`
    "sequence(bought, bought, bought)": False,
    'sequence("Order Completed", not bought, "C")': False,
    'sequence(tagged, not bought, "C")': False,  # an element of another list is another event
    "sequence(tagged, not bought, within=1h)": False,
    "sequence(contact, not view, within=1h, strict=true)": True,  # nothing is between one event
    "sequence(bought, mail, not contact, within=1h)": False,
    "sequence(bought, mail, not contact, within=59min)": True,
    "sequence(bought, mail, not add, within=1h, gap=30min)": True,
    "sequence(bought, mail, not add, within=1h, gap=29min)": False,
    "sequence(bought, contact, gap=30min, within=1h)": False,
    "sequence(bought, mail, contact, gap=30min, within=1h)": True,
    "sequence(bought, mail, contact, gap=30min, within=59min)": False,
}


def test_close_calls() -> None:
    case = asked([*CLOSE_CALLS], {"ada": HISTORY})
    check_answers(case)
    with stored(case.world.histories) as store:
        found = kernel_answers(engine_of(store, case.world), NOW)
    assert {text: found["ada", f"s{k}"] for k, text in enumerate(CLOSE_CALLS)} == CLOSE_CALLS


def _sequence(random: Random) -> str:
    steps = random.choices(random.sample(SELECTIONS, random.randint(1, 4)), k=random.randint(1, 4))
    for _ in range(random.choice([0, 1, 1, 2])):
        steps.insert(random.randint(1, len(steps)), "not " + random.choice(SELECTIONS))
    if len(steps) == 1:
        steps.append("not view")
    durations = ["1d", "2d", "3h", "1mo", "5d", "1h"]
    options = [f"within={random.choice(durations)}"] if "not" in steps[-1] or random.random() < 0.5 else []
    options += [f"gap={random.choice(durations)}"] if random.random() < 0.35 else []
    options += ["strict=true"] if random.random() < 0.3 else []
    options += [f"same={random.choice(['order_id', 'category'])}"] if random.random() < 0.3 else []
    return f"sequence({', '.join([*steps, *options])})"


def _history(random: Random) -> tuple[Event, ...]:
    names = ("A", "A", "B", "C", "D", "Email Delivered", "Order Completed", "Order Completed")
    grid, span = random.choice([HOUR, 6 * HOUR, 24 * HOUR]), random.choice([6, 12, 40])
    products = [{"category": "red"}, {"order_id": "o1"}, {"order_id": "o2"}]
    return tuple(
        Event(
            NOW - random.randint(-1, span) * grid,
            random.choice(names),
            f"m{number}",
            properties={
                "order_id": random.choice(["o1", "o2", None]),
                "category": random.choice(["red", "x", None]),
                "total": Decimal(random.randint(0, 3)),
                "products": tuple(random.choices(products, k=random.randint(0, 2))),
                "tags": tuple(random.choices("ab", k=random.choice([0, 0, 1, 2]))),
            },
        )
        for number in range(random.randint(1, 9))
    )


@pytest.mark.parametrize("seed", range(4))
def test_many_ties(seed: int) -> None:
    random = Random(seed)
    histories = {f"c{k}": _history(random) for k in range(40)}
    questions = [_sequence(random) for _ in range(40)]
    check_answers(asked(questions, histories, random.choice(["UTC", "America/New_York"])))
