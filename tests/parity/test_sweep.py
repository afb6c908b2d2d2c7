"""Sizes over time: the sweep and the answers moment by moment say the same."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ethogram.engines.engine import Engine
from ethogram.engines.sweeping import sweepable
from ethogram.language.files import definitions_from_text
from ethogram.language.meaning import World
from ethogram.model.errors import DataError, Unsupported
from ethogram.model.event import Event, Moment
from ethogram.model.settings import Settings
from tests.laws.definition_sets import definition_sets
from tests.laws.histories import worlds
from tests.parity.kernel_world import engine_of, stored

DAY = 86_400_000_000
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
        properties = {"x": Decimal(random.randrange(10)), "c": random.choice("pqrs")}
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
