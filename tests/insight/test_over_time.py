"""Funnel, metrics and retention on a real shop, against pandas; chains of any steps against the language's `sequence`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import Result

import ethogram
from ethogram.app.workbench import Workbench
from ethogram.insight.passages import Passages, ways
from ethogram.insight.retention import Cohort, Retention
from ethogram.language.parser import parse_expression
from ethogram.language.tree import CalendarUnit
from tests.command_line import run

DEMO = Path(ethogram.__file__).parent / "demo" / "data" / "online-retail.parquet"
NOW = pd.Timestamp("2011-12-09 12:50:00", tz="Europe/London")
DAY = 86_400_000_000


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    lines = pd.read_parquet(DEMO)
    lines = lines[(lines.Quantity > 0) & (lines.UnitPrice > 0) & lines.CustomerID.notna()]
    lines = lines.assign(total=(lines.Quantity * lines.UnitPrice).astype(float))
    return (
        lines.groupby(["CustomerID", "InvoiceNo"])
        .agg(time=("InvoiceDate", "min"), total=("total", "sum"))
        .reset_index()
    )


# --- chains -------------------------------------------------------------------------------------------------------------


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[list[tuple[int, int]]], int | None]:
    """Of a few customers, for each step (moment, row of the event): moments often tie, an event may be several steps."""
    steps = draw(st.integers(2, 4))
    people = []
    for _ in range(draw(st.integers(1, 3))):
        moments = sorted(draw(st.lists(st.integers(0, 12), max_size=9)))
        people.append([(moment, draw(st.integers(0, 2**steps - 1))) for moment in moments])
    return people, draw(st.none() | st.integers(0, 12)), steps  # type: ignore[return-value]


def by_search(events: list[tuple[int, int]], steps: int, within: int | None) -> int:
    """The most steps, trying every chain of different neighbors in no certain order of ties."""
    best = 0

    def go(step: int, last: int, start: int) -> None:
        nonlocal best
        best = max(best, step)
        if step == steps:
            return
        for place, (moment, kinds) in enumerate(events):
            is_later = last < 0 or (moment >= events[last][0] and place != last)
            is_near = last < 0 or within is None or moment - start <= within
            if kinds >> step & 1 and is_later and is_near:
                go(step + 1, place, moment if last < 0 else start)

    go(0, -1, 0)
    return best


@given(histories())
@settings(max_examples=300, deadline=None)
def test_the_longest_chain_is_found(case: Any) -> None:
    people, within, steps = case
    rows = [
        [(customer, moment, 100 * customer + place) for customer, events in enumerate(people)
         for place, (moment, kinds) in enumerate(events) if kinds >> step & 1]
        for step in range(steps)
    ]  # fmt: skip
    columns = [np.array(some, np.int64).reshape(-1, 3).T for some in rows]
    passages = [Passages(c, t, r) for c, t, r in columns]
    found = ways(passages, len(people), within)
    assert found.reached.tolist() == [by_search(events, steps, within) for events in people]
    for customer, reached in enumerate(found.reached.tolist()):
        at = found.at[customer, :reached]
        assert (np.diff(at) >= 0).all()
        assert within is None or not reached or at[-1] - at[0] <= within


@pytest.mark.parametrize("within", ["60d", "7d"])
def test_a_funnel_counts_what_sequence_counts(demo: tuple[Path, Result], within: str) -> None:
    project = ethogram.open(demo[0])
    steps = ("purchase", "purchase[total > 500]", "cancellation")
    found = project.funnel(*steps, within=within)
    wanted = [project.count(f"sequence({', '.join(steps[:n])}, within={within})").size for n in (2, 3)]
    assert [step.came for step in found.steps[1:]] == wanted
    assert found.steps[0].came == project.count("did(purchase)").size


# --- retention and metrics on real data ---------------------------------------------------------------------------------


def test_cohorts_are_called_as_people_do() -> None:
    cohort = Cohort(date(2011, 4, 1), 1, (1,))
    units: tuple[CalendarUnit, ...] = ("day", "week", "month", "quarter", "year")
    named = [Retention("e", unit, 0, (cohort,), ()).period(cohort) for unit in units]
    assert named == ["1 Apr 2011", "1 Apr 2011", "Apr 2011", "Apr 2011", "2011"]


def test_retention_is_that_of_pandas(demo: tuple[Path, Result], orders: pd.DataFrame) -> None:
    month = orders.time.dt.to_period("M")
    first = month.groupby(orders.CustomerID).transform("min")
    distance = (month.astype("int64") - first.astype("int64")).rename("distance")
    table = orders.groupby([first.rename("first"), distance]).CustomerID.nunique()
    found = ethogram.open(demo[0]).retention()
    assert [cohort.size for cohort in found.cohorts] == [
        int(table[(cohort.start.strftime("%Y-%m"), 0)]) for cohort in found.cohorts
    ]
    assert len(found.cohorts) == 12  # December 2011 is not over
    for cohort in found.cohorts:
        for number, came in enumerate(cohort.returned):
            assert came == table.get((pd.Period(cohort.start, "M"), number), 0)
    curve = found.curves[0].shares[1]
    assert curve is not None
    could = sum(cohort.size for cohort in found.cohorts if len(cohort.returned) > 1)
    came = sum(cohort.returned[1] for cohort in found.cohorts if len(cohort.returned) > 1)
    assert curve.value == came / could


def test_metrics_are_those_of_pandas(demo: tuple[Path, Result], orders: pd.DataFrame) -> None:
    lines = {line["metric"]: line for line in ethogram.open(demo[0]).metrics().to_pylist()}
    edges = [NOW.tz_convert("UTC") - pd.Timedelta(days=30 * back) for back in range(4)]
    orders = orders.assign(time=orders.time.dt.tz_localize("Europe/London"))
    now, then, before = (
        orders[(orders.time > edges[back + 1]) & (orders.time <= edges[back])] for back in range(3)
    )
    for when, some, earlier in (("now", now, then), ("then", then, before)):
        buyers = set(some.CustomerID)
        past = orders[orders.time <= some.time.max()].groupby("CustomerID")
        of = {name: line[when]["value"] for name, line in lines.items()}
        assert of["buyers"] == len(buyers)
        assert of["orders"] == len(some)
        assert of["revenue"] == pytest.approx(some.total.sum(), abs=0.01)
        assert of["average_order"] == pytest.approx(some.total.mean())
        assert of["retention"] == pytest.approx(
            len(buyers & set(earlier.CustomerID)) / earlier.CustomerID.nunique()
        )
        assert of["repeat_rate"] == pytest.approx((past.size().reindex(sorted(buyers)) >= 2).mean())
        assert of["value_to_date"] == pytest.approx(past.total.sum().mean())  # fmt: skip
    assert lines["revenue"]["change"]["value"] == pytest.approx(now.total.sum() / then.total.sum() - 1)
    assert "margin" not in lines


def test_groups_of_metrics_divide_everyone(demo: tuple[Path, Result]) -> None:
    lines = ethogram.open(demo[0]).metrics("orders", "revenue", by="life_stage").to_pylist()
    for metric in ("orders", "revenue"):
        values = {line["group"]: line["now"]["value"] for line in lines if line["metric"] == metric}
        whole = values.pop("everyone")
        assert sum(values.values()) == pytest.approx(whole)


def test_stages_are_passed_from_the_last_group_on(demo: tuple[Path, Result]) -> None:
    found = ethogram.open(demo[0]).funnel("life_stage")
    assert [step.name for step in found.steps] == ["lost", "slipping", "active", "returning", "new"]
    assert all(one.came >= other.came for one, other in zip(found.steps, found.steps[1:], strict=False))


def test_a_segment_is_a_step_by_when_it_was_entered(demo: tuple[Path, Result]) -> None:
    project = ethogram.open(demo[0])
    found = project.funnel("purchase", "repeat_customers")
    assert found.steps[1].came == project.count("count(purchase) >= 2").size


# --- carts, on a shop of our own ----------------------------------------------------------------------------------------

SETTINGS = """\
name = "shop"
timezone = "UTC"

[sources.log]
files = "log.csv"
customer = "customer"
time = "at"
message_id = "id"
event = "event"
properties = { total = "total" }
"""


def write_shop(folder: Path, rows: list[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ethogram.toml").write_text(SETTINGS)
    (folder / "definitions").mkdir()
    (folder / "definitions" / "all.yml").write_text("segments:\n  active: did(any, last=30d)\n")
    (folder / "log.csv").write_text("\n".join(["customer,at,event,id,total", *rows]) + "\n")
    assert run("load", "--project", folder).exit_code == 0
    return folder


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [
        "a,2026-03-02,Product Viewed,1,", "a,2026-03-03,Product Added,2,", "a,2026-03-04,Order Completed,3,20",
        "b,2026-03-02,Product Added,4,", "b,2026-03-20,Product Added,5,",
        "c,2026-03-05,Order Completed,6,30", "c,2026-03-06,Product Added,7,",
        "d,2026-02-10,Product Added,8,", "d,2026-03-05,Order Completed,9,10",
        "e,2026-03-28,Product Viewed,10,",
    ]  # fmt: skip
    return write_shop(tmp_path_factory.mktemp("carts") / "shop", rows)


def test_without_steps_the_way_is_that_of_a_shop(shop: Path) -> None:
    found = ethogram.open(shop).funnel()
    assert [(step.name, step.came) for step in found.steps] == [
        ("view", 2),
        ("cart_add", 1),
        ("purchase", 1),
    ]
    assert (found.steps[0].stopped, found.steps[1].stopped) == (1, 0)
    took = found.steps[1].took
    assert took is not None and took.median == 1.0


def test_a_cart_is_left_when_no_order_follows_in_the_period(shop: Path) -> None:
    lines = {line["metric"]: line for line in ethogram.open(shop).metrics().to_pylist()}
    assert lines["cart_abandonment"]["now"]["value"] == 2 / 3  # of a, b and c, b and c
    assert lines["cart_abandonment"]["then"]["value"] == 1  # d bought later than the period
    assert lines["conversion"]["now"]["value"] == 3 / 5


def test_what_happens_as_a_period_begins_is_of_the_one_before(tmp_path: Path) -> None:
    rows = [
        "a,2026-03-01,Order Completed,1,20",
        "a,2026-03-31,Order Completed,2,5",
        "b,2026-03-01,Order Completed,3,7",
    ]
    lines = {
        line["metric"]: line
        for line in ethogram.open(write_shop(tmp_path / "shop", rows)).metrics().to_pylist()
    }
    figures = {
        name: (line["now"] and line["now"]["value"], line["then"] and line["then"]["value"])
        for name, line in lines.items()
    }
    assert figures["orders"] == (1, 2)
    assert figures["repeat_rate"] == (1, 0)
    assert figures["value_to_date"] == (16, 13.5)


# --- odd projects, and mistakes -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["one customer", "one event name", "one day"])
def odd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    rows = {
        "one customer": ["a,2026-03-02,Order Completed,1,9"],
        "one event name": [f"c{n % 3},2026-0{1 + n % 5}-02,Visited,{n}," for n in range(9)],
        "one day": [f"c{n},2026-03-02,Order Completed,{n},5" for n in range(9)],
    }[request.param]
    yield write_shop(tmp_path_factory.mktemp("odd") / "shop", rows)


@pytest.mark.parametrize("verb", [["metrics"], ["retention"], ["funnel", "any", "any"], ["metrics", "--by", "active"],
                                  ["retention", "any", "--every", "day", "--by", "active"]])  # fmt: skip
def test_little_data_is_no_trouble(odd: Path, verb: list[str]) -> None:
    for arguments in (verb, [*verb, "--json"]):
        done = run(*arguments, "--project", odd)
        assert done.exit_code == 0, done.output
    json.loads(done.stdout)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["funnel", "purchase"], "E_FUNNEL_STEPS"),
        (["funnel", "purchase", "life_stage"], "E_FUNNEL_STEPS"),
        (["funnel", "purchase", "purchas"], "purchase"),
        (["funnel", "purchase", "purchase", "--within", "1mo"], "30d"),
        (["metrics", "revenu"], "revenue"),
        (["metrics", "cart_abandonment"], "cart_add"),
        (["metrics", "--period", "12"], "E_"),
        (["metrics", "--by", "life_stag"], "life_stage"),
        (["retention", "--every", "moon"], "month"),
    ],
)
def test_mistakes_are_told(demo: tuple[Path, Result], arguments: list[str], said: str) -> None:
    done = run(*arguments, "--project", demo[0])
    assert done.exit_code == 2
    assert said in done.output


def test_what_depends_on_the_customer_is_refused_by_name(demo: tuple[Path, Result]) -> None:
    done = run("retention", "purchase[total > me.spend]", "--project", demo[0])
    assert done.exit_code == 2 and "me." in done.output


def test_an_event_undone_later_does_not_count(demo: tuple[Path, Result]) -> None:
    """`unless` is seen as of the moment asked about."""
    from ethogram.insight.passages import of_events
    from ethogram.language.tree import Unless

    with Workbench(demo[0]) as bench:
        definitions = bench.sound_definitions()
        undone = replace(definitions.behaviors["purchase"], unless=Unless("Order Cancelled", ("units",)))
        edited = replace(definitions, behaviors={**definitions.behaviors, "purchase": undone})
        engine = bench.engine(edited, (), {"count": parse_expression("count(purchase)")})
        for back in (0, 60 * DAY):
            as_of = bench.newest() - back
            counted = sum(
                sum(filter(None, column.to_pylist())) for _, column in engine.values(as_of, "count")
            )
            assert counted == len(of_events(engine, "count", as_of)) > 0
