"""More windows, more operations and longer histories than the kernel takes at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random

import numpy as np
import pytest

from ethogram.engines.dispatch import MOST_AGES, Operation, operation_lists
from ethogram.kernel.layout import ABREAST, PENDING, PRESENT, STEP
from ethogram.language.files import definitions_from_text
from ethogram.language.meaning import World
from ethogram.language.parser import parse_expression
from ethogram.language.tree import Segment, Trait
from ethogram.model.event import Event, Value
from ethogram.model.settings import Settings
from tests.laws.histories import Case
from tests.parity.kernel_world import engine_of, kernel_moves, meant_moves, stored
from tests.parity.test_kernel_parity import check_answers

DAY = 86_400_000_000
NOW = 1_741_600_000_000_000
BEHAVIORS = definitions_from_text("behaviors: { view: View, buy: Buy, mail: Mail }")
MEASURES = (
    "count(view, {})",
    "sum(buy.total, {})",
    "min(buy.total, {})",
    "max(buy[total > 3].total, {})",
    "avg(buy.total, {})",
    "first(buy.total, {})",
    "last(buy[total <= 5].total, {})",
    "active_days(any, {})",
    "count_distinct(any.channel, {})",
    'days_since(last(view[channel == "web"], {}))',
    "days_since(first(any, {}))",
    "median(buy.total, {})",
)
LENGTHS = (*range(1, 2 * MOST_AGES + 3), 60, 400)
CONDITIONS = (
    "not did(mail, last=3d)",
    "did(buy[total > 5], last=9d) or count(view, last=20d) > 2",
    "count(view, last=4d) >= 2 and count(view, last=4d) <= 5",
    "days_since(last(buy)) > 3",
    "did(view, this=month)",
    "sequence(view, buy[total > 4], within=2d)",
    'sequence(view, buy[channel == "web" and total > 4], mail, within=9d)',
    "sequence(view, buy[hour(time) < 12], mail)",
)


def history(seed: int, size: int, *, since: int = 90, until: int = NOW) -> tuple[Event, ...]:
    random = Random(seed)
    events = []
    for number in range(size):
        properties: dict[str, Value] = {"channel": random.choice(("web", "app", "store"))}
        if random.random() < 0.8:
            properties["total"] = Decimal(random.randint(-2, 9))
        name, time = random.choice(("View", "Buy", "Buy", "Mail")), until - random.randrange(since * DAY)
        events.append(Event(time, name, f"{number}", properties=properties))
    return tuple(events)


def world_of(
    traits: Sequence[str], conditions: Sequence[str], histories: Mapping[str, tuple[Event, ...]]
) -> World:
    definitions = replace(
        BEHAVIORS,
        traits={f"t{k}": Trait(f"t{k}", parse_expression(text)) for k, text in enumerate(traits)},
        segments={f"s{k}": Segment(f"s{k}", parse_expression(text)) for k, text in enumerate(conditions)},
    )
    return World(Settings(timezone="Europe/Vienna"), definitions, histories)


@pytest.mark.parametrize("measure", MEASURES)
def test_more_windows_than_ages(measure: str) -> None:
    windows = [f"last={days}d" for days in LENGTHS]
    if "days_since" not in measure:
        windows.append('until="2025-03-01"')
    traits = [measure.format(window) for window in windows]
    conditions = [f"{text} > 2" for text in traits]
    edges = tuple(
        Event(NOW - days * DAY + late, "Buy", f"{days} {late}", properties={"total": Decimal(days)})
        for days in LENGTHS
        for late in (0, 1)
    )
    people = {"ada": history(1, 60), "bob": history(2, 5), "cy": (), "eve": edges}
    check_answers(Case(world_of(traits, conditions, people), NOW))


def test_more_operations_than_are_taken_at_once() -> None:
    traits = [one.format(f"last={days}d") for one in MEASURES for days in (5, 30, 120)]
    size = 2 * PENDING // 10
    people = {"ada": history(3, size), "bob": history(4, 3), "cy": history(5, size // 2)}
    check_answers(Case(world_of(traits, CONDITIONS[:-1], people), NOW - DAY))


def test_a_list_longer_than_what_is_taken_at_once() -> None:
    traits = [f"count(any[total > {k % 9}], last={1 + k}d)" for k in range(PENDING + 5)]
    check_answers(Case(world_of((), [f"{one} >= 2" for one in traits], {"ada": history(6, 9)}), NOW))


def test_steps_with_and_without_conditions_of_their_own() -> None:
    asked = [
        "sequence(view, mail[channel == me.where], buy, within=20d)",
        "sequence(view, not mail[channel == me.where], buy, within=9d)",
    ]
    people = {f"c{seed}": history(seed, 12, since=20) for seed in range(12)}
    world = world_of((), asked, people)
    where = {"where": Trait("where", parse_expression("last(view.channel)"))}
    check_answers(Case(replace(world, definitions=replace(world.definitions, traits=where)), NOW))


@pytest.mark.parametrize("seed", range(4))
def test_followed_sequences_in_windows_with_events_at_one_moment(seed: int) -> None:
    random = Random(seed)
    steps = ("view", "buy[total > 4]", "mail", 'buy[channel == "web"]', "any")
    asked = [
        f"sequence({', '.join(random.choices(steps, k=random.randint(2, 4)))}, {bounds})"
        for bounds in ("within=1d", "within=9d", "within=5h, last=10d", "last=20d", "within=2d, last=30d")
        for _ in range(6)
    ]
    grain = DAY // 2
    people = {
        f"c{k}": tuple(replace(one, time=one.time // grain * grain) for one in history(k, 25, since=40))
        for k in range(10)
    }
    check_answers(Case(world_of((), asked, people), NOW))


def test_before_1970() -> None:
    people = {f"c{seed}": history(seed, 12, until=DAY) for seed in range(4)}
    traits = [one.format("last=30d") for one in MEASURES]
    for as_of in (-40 * DAY, -1, 0, DAY // 2):
        check_answers(Case(world_of(traits, (), people), as_of))


def test_without_any_number() -> None:
    traits = ["count(view, last=30d)", "active_days(any)", "days_since(last(buy))"]
    people = {
        name: tuple(Event(one.time, one.name, one.message_id) for one in history(seed, 9))
        for seed, name in enumerate("abc")
    }
    check_answers(Case(world_of(traits, ["count(view, last=9d) >= 1"], people), NOW))


@pytest.mark.parametrize("condition", CONDITIONS[:-1])
def test_moments_of_change(condition: str) -> None:
    people = {f"c{seed}": history(seed, 9, since=40) for seed in range(4)}
    world = world_of((), [condition], people)
    start, end = NOW - 30 * DAY, NOW + 30 * DAY
    with stored(people) as store:
        assert kernel_moves(engine_of(store, world), start, end) == meant_moves(world, start, end)


@pytest.mark.parametrize("windows", [0, 1, MOST_AGES, MOST_AGES + 1, 100])
def test_lists_say_how_many_operations_may_have_an_event_of_an_age(windows: int) -> None:
    random = np.random.default_rng(windows)
    orders = random.integers(1, max(2, windows + 1), 3 * windows)
    selections = [np.flatnonzero(random.random(20) < 0.5) for _ in range(max(1, windows))]
    operations = [
        Operation(atom, 0, atom % len(selections), atom % 7 > 0, -int(order))
        for atom, order in enumerate(orders)
    ]
    forms = [STEP if one.plain and one.atom % 3 == 0 else PRESENT for one in operations]
    plain = {one.order for one, form in zip(operations, forms, strict=True) if one.plain and form == PRESENT}
    lists = operation_lists(operations, selections, forms, [0] * len(operations), 1, 20)
    ages = sorted(operations[one].order for one in lists.ages)
    assert len(ages) <= MOST_AGES and set(ages) <= plain
    assert lists.coarse == (len(plain) > len(ages))
    assert not ages or ages[0] == min(plain)
    for code in range(20):
        own = [k for k, one in enumerate(operations) if code in selections[one.selection]]
        begin = lists.lists[0, code]
        few, others, steps = lists.operations[begin : begin + 3]
        listed = lists.operations[begin + 3 : begin + 3 + few + others + steps].tolist()
        assert sorted(listed) == own
        assert all(operations[k].plain and forms[k] == PRESENT for k in listed[:few])
        followed = listed[few + others :]
        assert followed == sorted(
            (k for k in own if forms[k] == STEP), key=lambda k: (operations[k].order, k)
        )
        for age in range(len(ages) + 1):
            held = lists.operations[begin - len(ages) + age]
            missing = [k for k in listed[held:few] if age == len(ages) or operations[k].order < ages[age]]
            assert not missing
        assert begin + 3 + ABREAST <= len(lists.operations)
