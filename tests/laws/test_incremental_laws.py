"""Laws 2 and 4: incremental = full, for every split of the log, in any order of arrival, with duplicates."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from checking import Answer, expected_answers, expected_stays, kept_stays, recorded_answers_of, replayed
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oracle import DAY, ENGINES, HOUR, Oracle, definitions, event, load, make_engine, shop

from ethogram.engines import moving, opening
from ethogram.engines.answers import Evaluator
from ethogram.identity.recording import record, take_back
from ethogram.identity.rules import Rules
from ethogram.language.tree import Definitions
from ethogram.membership.reading import members
from ethogram.membership.refresh import refresh
from ethogram.model.event import Event, Moment
from ethogram.model.settings import Settings
from ethogram.store import LINK_ROWS, Store
from ethogram.store import links as link_rows

T0 = 1_700_000_000_000_000
SETTINGS = Settings(timezone="Europe/London")
TEXT = """
behaviors:
  view: Viewed
  purchase: { event: Ordered, where: total > 0, unless: { event: Cancelled, same: order } }
traits:
  spend: sum(purchase.total)
  last_purchase: last(purchase)
segments:
  recent: { when: "did(purchase, last=5d)" }
  lapsed: { when: "lapsed(purchase, after=6d)" }
  quiet: { when: "not did(any, last=3d)" }
  twice: { when: "count(purchase) >= 2 and spend > 10" }
  funnel: { when: "sequence(view, purchase, within=2d)" }
  waited: { when: "sequence(view, not purchase, within=1d)" }
  month: { when: "did(purchase, this=month)" }
  came_back: { when: "entered(recent, last=4d)" }
segmentations:
  level:
    groups:
      high: "count(purchase, last=7d) >= 2"
      some: did(any, last=7d)
      none: otherwise
"""
DEFINITIONS = definitions(TEXT)
CUSTOMERS = ("ann", "bob", "cem", "dee", "eve")


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, Event]]:
    count = draw(st.integers(1, 14))
    found = []
    for index in range(count):
        customer = draw(st.sampled_from(CUSTOMERS))
        time = T0 + draw(st.integers(0, 20 * 24)) * HOUR + draw(st.sampled_from([0, 0, 1]))
        name = draw(st.sampled_from(["Viewed", "Ordered", "Ordered", "Cancelled"]))
        found.append(
            event(
                customer,
                time,
                name,
                f"m{index}",
                total=draw(st.integers(0, 20)),
                order=draw(st.integers(1, 2)),
            )
        )
    return found


PLANS = st.tuples(
    histories(), st.integers(0, 10**6), st.lists(st.integers(0, 9 * 24), min_size=1, max_size=4)
)
"""Events; a seed; hours between refreshes."""

FEW = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking with the interpreter would take minutes
)


def batches(
    events: list[tuple[str, Event]], count: int, chance: random.Random
) -> list[list[tuple[str, Event]]]:
    """In any order, a third of them told twice."""
    told = events + chance.sample(events, len(events) // 3)
    chance.shuffle(told)
    edges = sorted(chance.randrange(len(told) + 1) for _ in range(count - 1))
    return [told[start:end] for start, end in zip([0, *edges], [*edges, len(told)], strict=True)]


def evaluator(kind: str, store: Store, meant: Definitions, chance: random.Random) -> Evaluator:
    if kind == "interpreter":
        return Oracle(store, meant, SETTINGS, generation=chance.choice([0, 0, 1]))
    return make_engine(kind, store, meant, SETTINGS)


def narrow_engine(kind: str, store: Store, meant: Definitions, names: Sequence[str]) -> Evaluator:
    return make_engine(kind, store, meant, SETTINGS, names=names)


def in_something(answers: Mapping[tuple[str, str], Answer]) -> dict[tuple[str, str], Answer]:
    return {key: answer for key, answer in answers.items() if answer is not None}


@pytest.mark.parametrize("kind", ENGINES)
@FEW
@given(plan=PLANS, is_full_last=st.booleans())
def test_incremental_is_full(
    kind: str, plan: tuple[list[tuple[str, Event]], int, list[int]], is_full_last: bool
) -> None:
    """Law 2, answers and stays; and the feed leads from the first answers to the last."""
    events, seed, waits = plan
    chance = random.Random(seed)
    with TemporaryDirectory() as folder, shop(Path(folder)) as store:
        as_of: Moment = T0 + chance.randrange(0, 10) * DAY
        begins = as_of
        first: dict[tuple[str, str], Answer] = {}
        for step, batch in enumerate(batches(events, len(waits) + 1, chance)):
            load(store, batch)
            as_of += waits[step - 1] * HOUR if step else 0
            oracle = Oracle(store, DEFINITIONS, SETTINGS)
            full = step == len(waits) and is_full_last
            publish = chance.random() < 0.2
            engine = evaluator(kind, store, DEFINITIONS, chance)
            refresh(store, engine, DEFINITIONS, SETTINGS, as_of=as_of, publish=publish, full=full)
            answers = expected_answers(oracle, as_of)
            assert in_something(recorded_answers_of(store)) == in_something(answers)
            names = dict.fromkeys((*oracle.segments, *oracle.segmentations), begins)
            assert kept_stays(store) == expected_stays(oracle, names, as_of)
            first = answers if step == 0 else first
            assert in_something(replayed(store, first, 0)) == in_something(answers)


@pytest.mark.parametrize("kind", ENGINES)
@FEW
@given(plan=PLANS)
def test_d08_random_stream_with_edits(
    kind: str, plan: tuple[list[tuple[str, Event]], int, list[int]]
) -> None:
    """After every batch, with definitions edited between, the record says what a recomputation says."""
    events, seed, waits = plan
    chance = random.Random(seed)
    with TemporaryDirectory() as folder, shop(Path(folder)) as store:
        as_of: Moment = T0 + chance.randrange(0, 10) * DAY
        first: dict[tuple[str, str], Answer] = {}
        meant = DEFINITIONS
        for step, batch in enumerate(batches(events, len(waits) + 1, chance)):
            load(store, batch)
            as_of += waits[step - 1] * HOUR if step else 0
            if chance.random() < 0.5:
                meant = definitions(TEXT.replace("last=5d", f"last={chance.randrange(3, 8)}d"))
            engine = evaluator(kind, store, meant, chance)
            narrow = partial(narrow_engine, kind, store) if chance.random() < 0.7 else None
            refresh(store, engine, meant, SETTINGS, as_of=as_of, engine_for=narrow)
            answers = expected_answers(Oracle(store, meant, SETTINGS), as_of)
            assert in_something(recorded_answers_of(store)) == in_something(answers)
            first = answers if step == 0 else first
            assert in_something(replayed(store, first, 0)) == in_something(answers)
            stays = kept_stays(store)
            assert all(entered is None or left is None or entered < left for *_, entered, left in stays)
            going_on = {(name, who): group for name, group, who, _, left in stays if left is None}
            assert all(answers[key] == group for key, group in going_on.items())


@pytest.mark.parametrize("kind", ENGINES)
@FEW
@given(plan=PLANS)
def test_answers_of_the_past_are_what_would_have_been_said(
    kind: str, plan: tuple[list[tuple[str, Event]], int, list[int]]
) -> None:
    """Law 4: as of t today = in full at t on the events up to t; and the sizes over time agree with it."""
    events, seed, waits = plan
    chance = random.Random(seed)
    moments = [T0 + hours * HOUR for hours in np.cumsum(waits).tolist()]
    with TemporaryDirectory() as folder, shop(Path(folder)) as store:
        load(store, events)
        engine = evaluator(kind, store, DEFINITIONS, chance)
        sizes = engine.sizes(moments)
        for place, moment in enumerate(moments):
            with TemporaryDirectory() as other, shop(Path(other)) as then:
                load(then, [(who, one) for who, one in events if one.time <= moment])
                said = expected_answers(Oracle(then, DEFINITIONS, SETTINGS), moment)
            for name in (*engine.segments, *(f"level.{group}" for group in engine.group_names("level"))):
                definition, _, group = name.partition(".")
                inside = {who for (one, who), answer in said.items() if one == definition and answer == group}
                assert set(members(store, engine, name, as_of=moment)["customer"].to_pylist()) == inside
                assert sizes[name][place] == len(inside)


LINKS = st.lists(
    st.tuples(
        st.sampled_from(["alias", "email", "anonymous"]),
        st.sampled_from(CUSTOMERS),
        st.sampled_from([*CUSTOMERS, "fay"]),
        st.booleans(),
        st.integers(0, 20 * 24),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda link: link[:3],
)


def link(store: Store, rows: Sequence[tuple[str, str, str, bool, int]], chance: random.Random) -> None:
    """Some links are found, and sometimes one is taken back or used again."""
    found = [
        {"kind": kind, "customer": who, "value": value, "is_known": known or kind == "anonymous",
         "time": T0 + at * HOUR, "source": "test", "message_id": f"{kind} {at}"}
        for kind, who, value, known, at in rows
    ]  # fmt: skip
    with store.writing("link") as writing:
        record(store, writing, Rules(), pa.Table.from_pylist(found, schema=LINK_ROWS))
        numbers = [chance.randrange(1, 7)] if chance.random() < 0.3 else []
        take_back(store, writing, Rules(), numbers, is_restored=chance.random() < 0.4)


@pytest.mark.parametrize("kind", ENGINES)
@FEW
@given(plan=PLANS, links=LINKS, is_full_last=st.booleans())
def test_incremental_is_full_where_customers_become_one(
    kind: str,
    plan: tuple[list[tuple[str, Event]], int, list[int]],
    links: list[tuple[str, str, str, bool, int]],
    is_full_last: bool,
) -> None:
    """Law 2 with merges, with cookies that two customers share, and with links taken back, at any time between refreshes."""
    events, seed, waits = plan
    chance = random.Random(seed)
    with TemporaryDirectory() as folder, shop(Path(folder)) as store, pytest.MonkeyPatch.context() as patch:
        patch.setattr(moving, "MANY_MOVED", chance.choice([0, 8]))
        patch.setattr(opening, "MANY_MOVED", moving.MANY_MOVED)
        patch.setattr(link_rows, "MANY", chance.choice([1, 10_000]))
        as_of: Moment = T0 + chance.randrange(0, 10) * DAY
        begins = as_of
        first: dict[tuple[str, str], Answer] = {}
        steps = len(waits) + 1
        for step, batch in enumerate(batches(events, steps, chance)):
            found = [one for number, one in enumerate(links) if number % steps == step]
            for work in chance.sample(
                [lambda b=batch: load(store, b), lambda f=found: link(store, f, chance)], 2
            ):
                work()
                if kind == "kernel" and chance.random() < 0.3:
                    evaluator(kind, store, DEFINITIONS, chance)
            if chance.random() < 0.1:
                rmtree(store.folder / "tapes", ignore_errors=True)
            if kind == "kernel" and chance.random() < 0.2:
                store.compact(min_files=2)
            as_of += waits[step - 1] * HOUR if step else 0
            oracle = Oracle(store, DEFINITIONS, SETTINGS)
            full = step == len(waits) and is_full_last
            engine = evaluator(kind, store, DEFINITIONS, chance)
            refresh(store, engine, DEFINITIONS, SETTINGS, as_of=as_of, full=full)
            answers = expected_answers(oracle, as_of)
            assert in_something(recorded_answers_of(store)) == in_something(answers)
            names = dict.fromkeys((*oracle.segments, *oracle.segmentations), begins)
            assert kept_stays(store) == expected_stays(oracle, names, as_of)
            first = answers if step == 0 else first
            assert in_something(replayed(store, first, 0)) == in_something(answers)
        moments = [begins + days * DAY for days in range(-3, 12, 3)]
        told, swept = oracle.sizes(moments), engine.sizes(moments)
        assert {name: sizes.tolist() for name, sizes in swept.items()} == {
            name: sizes.tolist() for name, sizes in told.items()
        }
