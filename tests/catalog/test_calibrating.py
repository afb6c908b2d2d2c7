"""Statistics for thresholds, on histories made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ethogram.catalog.calibrating import calibrate, sizes_of
from ethogram.catalog.entry import FromData, Parameter, Statistic
from ethogram.engines.engine import Engine
from ethogram.language.files import definitions_from_text
from ethogram.language.tree import Definitions
from ethogram.model.event import Event, Moment
from ethogram.model.settings import Settings
from tests.parity.kernel_world import stored

DAY = 86_400_000_000
START = 20_000 * DAY
NOW = START + 400 * DAY
DEFINITIONS = definitions_from_text("""
behaviors:
  purchase: { event: Order Completed, where: total > 0 }
  click: Clicked
segments:
  fresh: { when: 'did(purchase, last=10d)' }
segmentations:
  stage:
    groups:
      far: count(purchase) >= 2
      near: did(purchase)
      none: otherwise
""")


def bought(customer: str, *days: int, total: int = 5) -> list[Event]:
    return [
        Event(
            START + day * DAY,
            "Order Completed",
            f"{customer}{day}{total}",
            customer,
            properties={"total": Decimal(total)},
        )
        for day in days
    ]


HISTORIES: dict[str, tuple[Event, ...]] = {
    # everybody orders after 10 days again, every second one a third time 30 days later
    f"c{number}": tuple(bought(f"c{number}", *([0, 10, 40] if number % 2 else [0, 10])))
    for number in range(40)
}
HISTORIES["refused"] = tuple(bought("refused", 1, 2, 3, 4, total=0))


def found(
    statistic: Statistic, of: str, *, at: float = 0.5, most: int = 1, default: str = "30d"
) -> tuple[str, int]:
    parameter = Parameter("x", default, "", FromData(statistic, of, at, most, "so it is"))
    with stored(HISTORIES) as store:

        def engine_for(definitions: Definitions, names: Sequence[str]) -> Engine:
            return Engine(store, definitions, Settings(timezone="UTC"), names=names)

        answer = calibrate({"x": (parameter, of)}, DEFINITIONS, engine_for, START, Moment(NOW), "1 May")["x"]
    return answer.value, answer.observations


def test_gaps_are_those_between_neighbors_that_pass_the_filter() -> None:
    assert found("gaps", "purchase", at=0.5) == ("10d", 60)
    assert found("gaps", "purchase", at=0.9) == ("30d", 60)
    assert found("gaps", "purchase[total > 9]") == ("", 0)


def test_a_number_of_days_is_written_like_the_default() -> None:
    assert found("gaps", "purchase", default="30") == ("10", 60)


def test_values_are_those_of_customers_who_have_one() -> None:
    assert found("values", "count(purchase)", default="3", at=0.25) == ("2", 40)
    assert found("values", "sum(purchase.total)", default="3", at=1.0) == ("15", 40)
    assert found("values", "nth(purchase, 2) - first(purchase)", at=0.9) == ("10d", 40)
    assert found("cuts", "count(purchase)", default="", most=4) == ("2, 2.5, 3", 40)


def test_ratio_divides_sums() -> None:
    value, _ = found("ratio", "count(purchase) / (2 * count(purchase))", default="0.1")
    assert value == "0.5"


def test_stays_are_those_that_ended_by_moving_on() -> None:
    assert found("stays", "stage.near") == ("10d", 40)
    assert found("stays", "stage.far") == ("", 0)
    assert found("stays", "fresh")[0] == "20d"  # two orders 10 days apart: one stay of 20 days


def test_sizes_are_of_segments_and_groups() -> None:
    with stored(HISTORIES) as store:
        sizes, customers = sizes_of(
            DEFINITIONS,
            ["fresh", "stage"],
            lambda definitions, names: Engine(store, definitions, Settings(timezone="UTC"), names=names),
            Moment(START + 45 * DAY),
        )
    assert sizes == {"fresh": 20, "stage.far": 40, "stage.near": 0, "stage.none": 1} and customers == 41


def test_the_most_frequent_numbers_are_written_as_people_write_them() -> None:
    values, observations = found("most_frequent", "count(purchase)", most=2, default="1|2")
    assert (values, observations) == ("2|3", 41)
