"""Of the past of a segment only as much is looked at as is asked for, which is never too little."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.engines.engine import Engine
from ethogram.engines.pasts import DAY, Past, pasts
from ethogram.language.files import definitions_from_text
from ethogram.language.meaning import World
from ethogram.language.tree import Definitions
from ethogram.model.event import Event
from ethogram.model.settings import Settings
from tests.parity.kernel_world import kernel_answers, kernel_moves, meant_answers, meant_moves, stored
from tests.parity.test_kernel_parity import examples

SETTINGS = Settings(timezone="Europe/Berlin")
SHARED = """\
behaviors:
  bought: bought
  seen: seen
segmentations:
  stage:
    groups:
      buyer: did(bought, last=6d)
      busy: count(seen, last=4d) >= 2
      away: otherwise
"""
ASKED = {
    "time_in(stage.busy) > 3": Past(3 * DAY, members=True),
    "3 >= time_in(stage.away)": Past(3 * DAY, members=True),
    "time_in(stage.buyer) > 2 and time_in(stage.buyer) < 5": Past(5 * DAY, members=True),
    "time_in(stage.away) > 40": Past(40 * DAY, members=True),
    "time_in(stage.busy) > count(seen)": Past(None, members=True),
    "first(bought) is known and time_in(stage.away) == 7": Past(7 * DAY, members=True),
    "entered(stage.busy, last=2d)": Past(2 * DAY, members=False),
    "left(stage.buyer, last=1mo)": Past(32 * DAY, members=False),
    "was_in(stage.busy, at=now() - 5d)": Past(5 * DAY, members=False),
    "was_in(stage.away, at=now() - 1mo)": Past(32 * DAY, members=False),
    "was_in(stage.away, at=last(bought))": Past(None, members=False),
    "entered(stage.away, last=2d) and time_in(stage.away) > 1": Past(2 * DAY, members=False),
    "bucket(\"salt\") < 0.5 or not left(stage.away, last=3d)": Past(3 * DAY, members=False),
}  # fmt: skip
START = 1_774_566_000_000_000
"""Two days before the clocks of Berlin go forward."""


def definitions_of(expression: str) -> Definitions:
    return definitions_from_text(f"{SHARED}segments:\n  asked: '{expression}'\n")


@st.composite
def histories(draw: st.DrawFn) -> Mapping[str, tuple[Event, ...]]:
    """Half days of two months, so that windows and stays end at the same moments."""
    times = st.lists(
        st.tuples(st.integers(0, 120), st.sampled_from(["bought", "seen"])), min_size=1, max_size=9
    )
    found = {}
    for customer in draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)):
        happened = sorted(draw(times))
        found[customer] = tuple(
            Event(START + half * DAY // 2, name, str(number)) for number, (half, name) in enumerate(happened)
        )
    return found


@pytest.mark.parametrize("expression", ASKED)
def test_as_much_as_is_asked_for(expression: str) -> None:
    with stored({"a": (Event(START, "bought", "1"), Event(START, "seen", "2"))}) as store:
        engine = Engine(store, definitions_of(expression), SETTINGS)
    assert pasts(engine.runner.plan) == (ASKED[expression],)


@pytest.mark.parametrize("expression", ASKED)
def test_pasts_are_those_of_the_meaning(expression: str) -> None:
    definitions = definitions_of(expression)
    moments = st.integers(0, 320)

    @examples(12)
    @given(histories(), moments, moments)
    def holds(people: Mapping[str, tuple[Event, ...]], one: int, other: int) -> None:
        world = World(SETTINGS, definitions, people)
        start, end = (START + quarter * DAY // 4 for quarter in sorted((one, other)))
        with stored(people) as store:
            engine = Engine(store, definitions, SETTINGS)
            for moment in (start, end, end + 1):
                assert kernel_answers(engine, moment) == meant_answers(world, moment)
            assert kernel_moves(engine, start, end) == meant_moves(world, start, end)

    holds()
