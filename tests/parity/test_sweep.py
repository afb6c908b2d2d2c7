"""Sizes over time: the sweep and the answers moment by moment say the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ethogram.engines.engine import Engine
from ethogram.engines.sweeping import sweepable
from ethogram.language.files import definitions_from_text
from ethogram.language.meaning import World, members
from ethogram.model.errors import DataError, Unsupported
from ethogram.model.event import Event, Moment, Value
from ethogram.model.settings import Settings
from tests.laws.definition_sets import definition_sets
from tests.laws.histories import worlds
from tests.parity.kernel_world import engine_of, stored

DAY = 86_400_000_000
HOUR = DAY // 24
START = 1_740_000_000_000_000
DEFINITIONS = """
behaviors: {a: A, b: B}
segments:
  any_a: did(a, last=7d)
  quiet: not did(a, last=3d) and count(b, last=10d) >= 2
  big: sum(a.x, last=20d) >= 30
  various: max(b.x, last=5d) >= 7 or count_distinct(a.c) >= 2
  small: min(a.x, last=6d) < 2
  active: active_days(a, last=9d) >= 3
  recent: days_since(last(a, last=9d)) <= 2
  long_known: days_since(first(b)) > 4.5
  gone: any_a and not recent
  funnel: sequence(a, b, within=2d)
  few: count(a[x > 3 and c == "p"], last=4d) < 2
segmentations:
  heat:
    groups:
      hot: count(any, last=5d) >= 4
      warm: did(any, last=5d)
      cold: otherwise
"""


def one_by_one(engine: Engine, moments: list[Moment]) -> dict[str, list[int]]:
    """A single moment is never swept."""
    answers = [engine.sizes([moment]) for moment in moments]
    return {name: [int(answer[name][0]) for answer in answers] for name in answers[0]}


def test_the_sweep_says_what_the_days_say() -> None:
    random = Random(5)

    def event(number: int) -> Event:
        on_a_day = random.random() < 0.2
        time = START + (random.randrange(60) * DAY if on_a_day else random.randrange(60 * DAY))
        properties: dict[str, Value] = {"x": Decimal(random.randrange(10)), "c": random.choice("pqrs")}
        return Event(time, random.choice("AB"), f"m{number}", properties=properties)

    histories = {
        f"u{number}": tuple(event(k) for k in range(random.randrange(1, 14))) for number in range(40)
    }
    world = World(Settings(), definitions_from_text(DEFINITIONS), histories)
    moments = [START + day * DAY for day in range(-2, 70)]
    with stored(histories) as store:
        engine = engine_of(store, world)
        runner = engine._answering(engine._memberships())
        swept = {runner.plan.outputs[output].name for output in sweepable(runner)}
        assert "funnel" not in swept and {"quiet", "various", "active", "gone", "heat.hot"} <= swept
        found = {name: sizes.tolist() for name, sizes in engine.sizes(moments).items()}
        assert found == one_by_one(engine, moments)


WIDE = """
behaviors:
  a: A
  b: B
  kept: {event: A, unless: {event: C, same: k}}
segments:
  many: count(a, last=10d) >= 3
  some: count(a, last=12d) >= 2 and count(a, last=12d) < 5
  one: count(b, last=5d) == 1
  few: count(b, last=9d) <= 2
  in_debt: sum(a.y, last=20d) < -3
  even: sum(a.y, last=15d) == 0
  not_rich: sum(b.y, last=8d) <= 4
  earned: sum(b.x, last=13d) >= 12
  low: max(b.x, last=5d) < 4
  mid: max(a.x, last=9d) >= 3 and max(a.x, last=9d) <= 6
  high: min(b.x, last=9d) >= 3
  deep: min(b.y) < -2
  other: max(b[x > 2].y, last=30d) >= 2
  kinds: count_distinct(a.c, last=8d) >= 2
  kind: count_distinct(a.c, last=8d) == 1
  weeks: active_periods(a, week, last=40d) >= 3
  days: active_days(b, last=36h) >= 2
  month: count(a, last=1mo) >= 3
  year: did(b, last=1y) and not did(b, last=2mo)
  this_week: count(b, this=week) >= 1
  before: did(a, previous=month)
  earlier: count(a, ago=[20d, 10d]) >= 2
  gone_by: sum(b.x, ago=[9d, 36h]) >= 5
  spring: count(a, since="2025-03-05") >= 2
  winter: did(b, until="2025-03-05") and not did(b, since="2025-03-05")
  mornings: count(a, hours=[6, 12], last=20d) >= 2
  weekends: did(b, weekdays=["sat", "sun"], last=10d)
  ranges: count(a[x > 3 and y < 2], last=20d) >= 1
  under: did(a[x < 3], last=6d)
  exactly: count(a[x == 3], last=30d) >= 1
  within: sum(a[x between 2 and 7].x, last=25d) >= 9
  late: days_since(last(b, last=30d)) > 3
  lately: days_since(last(a)) <= 2.5
  old: days_since(first(b)) >= 7
  fresh: days_since(first(a, last=20d)) < 6
  hours: hours_since(last(a, last=3d)) <= 30
  absolute: last(a) >= "2025-03-10" and first(b) < "2025-03-06"
  nested: (any_of or low) and not (kinds and (one or late))
  any_of: many or one or kinds
  undone: count(kept, last=20d) >= 2
  never: did(b, last=3d) and count(b, last=30d) == 0
  all_of_them: count(a) >= 0
  nothing: sum(a.missing, last=3d) >= 1 or max(a.missing) > 2
"""
NOT_SWEPT = {"undone", "spring", "winter", "absolute", "in_debt", "deep"}
NEW_YORK = Settings(timezone="America/New_York")


def wide_world(seed: int) -> World:
    random = Random(seed)

    def event(number: int) -> Event:
        time = START + random.choice((random.randrange(45) * DAY, random.randrange(45 * DAY)))
        amounts = {"x": Decimal(random.randrange(9)), "y": Decimal(random.randrange(-4, 5))}
        properties: dict[str, Value] = {n: value for n, value in amounts.items() if random.random() < 0.9}
        more: dict[str, Value] = (
            {"c": random.choice("pqrs"), "k": random.choice("mn")} if random.random() < 0.8 else {}
        )
        return Event(time, random.choice("AAABBBC"), f"m{number}", properties=properties | more)

    sizes = [*(random.randrange(1, 20) for _ in range(11)), 140]
    histories = {f"u{k}": tuple(event(number) for number in range(size)) for k, size in enumerate(sizes)}
    return World(NEW_YORK, definitions_from_text(WIDE), histories)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_every_form_has_the_sizes_that_are_meant(seed: int) -> None:
    world = wide_world(seed)
    zone = ZoneInfo(NEW_YORK.timezone)
    first = datetime(2025, 2, 18, tzinfo=zone)
    midnights = [round((first + timedelta(days=day)).timestamp()) * 1_000_000 for day in range(56)]
    hours = [START + hour * HOUR for hour in range(-30, 48 * 24, 4)]
    apart = [START - 300 * DAY, START + 1, *(START + k * k * HOUR for k in range(1, 36)), START + 500 * DAY]
    with stored(world.histories) as store:
        engine = engine_of(store, world)
        runner = engine._answering(engine._memberships())
        answered = {runner.plan.outputs[output].name for output in sweepable(runner)}
        assert set(world.definitions.segments) - answered == NOT_SWEPT
        for moments in (midnights, apart):
            found = {name: sizes.tolist() for name, sizes in engine.sizes(moments).items()}
            assert found == one_by_one(engine, moments)
            for place in range(0, len(moments), 5):
                meant = {name: len(members(world, name, moments[place])) for name in found}
                assert {name: sizes[place] for name, sizes in found.items()} == meant
        assert len(hours) > 255
        swept = [name for name in engine.segments if name not in NOT_SWEPT]
        with_hours = Engine(store, world.definitions, world.settings, names=swept)
        found = {name: sizes.tolist() for name, sizes in with_hours.sizes(hours).items()}
        assert found == one_by_one(with_hours, hours)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_random_definitions_have_the_same_sizes_both_ways(data: st.DataObject) -> None:
    case = data.draw(worlds(data.draw(definition_sets(size=2))))
    moments = [case.as_of - back * DAY for back in (400, 90, 31, 7, 1, 0)]
    with stored(case.world.histories) as store:
        try:
            engine = engine_of(store, case.world)
            found = {name: sizes.tolist() for name, sizes in engine.sizes(moments).items()}
        except Unsupported:
            return
        except DataError as overflow:
            assert overflow.code == "E_NUMBER_OVERFLOW"
            return
        assert found == one_by_one(engine, moments)
