"""The times between events, at every scale: the kernel agrees to the last digit."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from ethogram.engines.engine import Engine
from ethogram.language.calls import GAPS
from ethogram.language.meaning import World
from ethogram.language.parser import parse_expression
from ethogram.language.tree import Definitions, Trait
from ethogram.model.event import Event
from ethogram.model.settings import Settings
from tests.laws.histories import Case
from tests.parity.kernel_world import add, stored
from tests.parity.test_kernel_parity import check_answers, examples

NOW = 1_700_000_000_000_000
YEAR = 365 * 86_400_000_000
ASKED = {f"gap_{which}": Trait(f"gap_{which}", parse_expression(f'gap(any, "{which}")')) for which in GAPS}
SIZES = st.one_of(st.integers(0, 3), st.integers(0, 10**7), st.integers(0, YEAR), st.just(2_000_000))


def history(gaps: list[int]) -> tuple[Event, ...]:
    """Events with these times between them, the last one now."""
    times = accumulate(gaps, initial=NOW - sum(gaps))
    return tuple(Event(time, "A", f"m{number}") for number, time in enumerate(times))


@examples(25)
@given(st.lists(st.lists(SIZES, max_size=25), min_size=1, max_size=40))
def test_gaps_of_many_sizes(rows: list[list[int]]) -> None:
    histories = {f"c{number}": history(gaps) for number, gaps in enumerate(rows)}
    check_answers(Case(World(Settings(), Definitions(traits=ASKED), histories), NOW))


@examples(10)
@given(st.lists(st.integers(1, 2_000_000), min_size=1, max_size=40))
def test_variations_at_halves_of_a_millionth(distances: list[int]) -> None:
    """Two gaps m - d and m + d vary by d / m."""
    mean = 2_000_000
    histories = {f"c{d}": history([mean - d, mean + d]) for d in distances}
    with localcontext(rounding=ROUND_HALF_EVEN):
        expected = {f"c{d}": (Decimal(d) / mean).quantize(Decimal("1e-6")) for d in distances}
    asked = {"cv": parse_expression('gap(any, "cv")')}
    with stored(histories, buckets=1) as store:
        engine = Engine(store, Definitions(), Settings(), names=(), extra=asked)
        ((_, column),) = engine.values(NOW, "cv")
        assert dict(zip(engine.roster(0).to_pylist(), column.to_pylist(), strict=True)) == expected


def test_gaps_of_a_long_life_with_bursts() -> None:
    """Sums of squares far beyond 64 bits, and a variation that is not small."""
    bursts = [0] * 30_000 + [20 * YEAR] + [1] * 20_000
    histories = {"ada": history(bursts), "bob": history([20 * YEAR] * 40)}
    with stored({}, buckets=1) as store:
        add(store, histories)
        engine = Engine(store, Definitions(traits=ASKED), Settings())
        (answers,) = engine.evaluate(NOW)
        place = engine.roster(0).to_pylist().index("ada")
        found = {name: column[place].as_py() for name, column in answers.traits.items()}
    size, total = len(bursts), sum(bursts)
    with localcontext(prec=80):
        squares = sum(gap * gap for gap in bursts)
        variation = (Decimal(size * squares) / total**2 - 1).sqrt()
        mean = Decimal(total) / size / 86_400_000_000
        assert found == {
            "gap_mean": mean.quantize(Decimal("1e-6"), ROUND_HALF_EVEN),
            "gap_median": 0,
            "gap_min": 0,
            "gap_max": 20 * 365,
            "gap_last": 0,
            "gap_cv": variation.quantize(Decimal("1e-6"), ROUND_HALF_EVEN),
        }
