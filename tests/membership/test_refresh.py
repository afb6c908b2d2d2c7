from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from checking import Answer, expected_answers, expected_stays, kept_stays, recorded_answers_of, recorded_of
from oracle import DAY, ENGINES, HOUR, Oracle, definitions, event, load, make_engine, shop

from ethogram.engines.answers import Evaluator
from ethogram.language.tree import Definitions
from ethogram.membership.record import ANSWERS, last_refresh
from ethogram.membership.refresh import RefreshReport, refresh
from ethogram.model.errors import DataError
from ethogram.model.event import Moment
from ethogram.model.settings import Settings
from ethogram.store import Change, Store

SETTINGS = Settings()
T = 1_700_000_000_000_000

BUYERS = """
segments:
  buyers: { when: 'did("Ordered", last=10d)' }
segmentations:
  level:
    groups:
      often: 'count("Ordered", last=10d) >= 2'
      once: 'did("Ordered", last=10d)'
      never: otherwise
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with shop(tmp_path) as found:
        yield found


@pytest.fixture(params=ENGINES, autouse=True)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test runs with the interpreter and with the kernel."""
    monkeypatch.setattr(sys.modules[__name__], "KIND", request.param)
    return str(request.param)


KIND = ""


def run(
    store: Store, text: str | Definitions, as_of: Moment | None = None, **options: object
) -> RefreshReport:
    meant = definitions(text) if isinstance(text, str) else text
    return refresh(store, make_engine(KIND, store, meant, SETTINGS), meant, SETTINGS, as_of=as_of, **options)  # type: ignore[arg-type]


def feed(store: Store, after: int = 0) -> list[tuple[str, str, str, str, str, Moment | None]]:
    rows: tuple[Change, ...] = store.memory.changes(after=after)
    return [(c.customer, c.definition, c.change, c.from_group, c.to_group, c.at) for c in rows]


def stays(store: Store, name: str) -> set[tuple[str, str, Moment | None, Moment | None]]:
    return {(i.customer, i.group, i.entered_at, i.left_at) for i in store.memory.intervals(definition=name)}


def answers(store: Store, name: str) -> dict[str, Answer]:
    return {customer: found for (one, customer), found in recorded_answers_of(store).items() if one == name}


def test_without_events_there_is_nothing_to_say(store: Store) -> None:
    with pytest.raises(DataError, match="E_NO_EVENTS"):
        run(store, BUYERS)


def test_now_is_the_moment_of_the_newest_event(store: Store) -> None:
    load(store, [event("ann", T, "Ordered", "1"), event("bob", T + DAY, "Viewed", "2")])
    assert run(store, BUYERS).as_of == T + DAY


def test_first_refresh_records_answers_and_no_moves(store: Store) -> None:
    load(store, [event("ann", T, "Ordered", "1"), event("bob", T, "Viewed", "2")])
    report = run(store, BUYERS, T + DAY)
    assert (report.mode, report.customers, report.evaluated) == ("full", 2, 2)
    assert (report.entered, report.left, report.moved) == (0, 0, 0)
    assert answers(store, "buyers") == {"ann": "", "bob": None}
    assert answers(store, "level") == {"ann": "once", "bob": "never"}
    assert (feed(store), kept_stays(store)) == ([], set())


def test_e05_leaves_by_passage_of_time_with_the_exact_moment(store: Store) -> None:
    load(store, [event("ann", T, "Ordered", "1"), event("bob", T + 12 * DAY, "Viewed", "2")])
    run(store, BUYERS, T + DAY)
    report = run(store, BUYERS, T + 40 * DAY, publish=False)
    assert feed(store) == [
        ("ann", "buyers", "left", "", "", T + 10 * DAY),
        ("ann", "level", "moved", "once", "never", T + 10 * DAY),
        ("bob", "level", "entered", "", "never", T + 12 * DAY),
    ]
    assert stays(store, "buyers") == {("ann", "", None, T + 10 * DAY)}
    assert stays(store, "level") == {
        ("ann", "once", None, T + 10 * DAY),
        ("ann", "never", T + 10 * DAY, None),
        ("bob", "never", T + 12 * DAY, None),
    }
    assert (report.entered, report.left, report.moved, report.mode) == (1, 1, 1, "incremental")


def test_e05_only_those_whose_time_has_come_are_evaluated(store: Store) -> None:
    load(store, [event("ann", T, "Ordered", "1"), event("bob", T + 9 * DAY, "Ordered", "2")])
    run(store, BUYERS, T + 9 * DAY)
    assert run(store, BUYERS, T + 10 * DAY - 1, publish=False).evaluated == 0
    assert run(store, BUYERS, T + 10 * DAY, publish=False).evaluated == 1
    assert answers(store, "buyers") == {"ann": None, "bob": ""}


def test_e06_time_does_not_go_back_in_the_record(store: Store) -> None:
    load(store, [event("ann", T, "Ordered", "1")])
    run(store, BUYERS, T + DAY)
    with pytest.raises(DataError, match="E_AS_OF_PAST") as failure:
        run(store, BUYERS, T + DAY - HOUR)
    assert "--as-of" in failure.value.hint
    assert run(store, BUYERS).as_of == T + DAY
    assert feed(store) == []


def test_e07_out_of_order_funnel_enters_once(store: Store) -> None:
    funnel = 'segments:\n  funnel: { when: \'sequence("view", "buy", within=1d)\' }'
    load(store, [event("ann", T + 2 * HOUR, "buy", "2"), event("ann", T - DAY, "other", "0")])
    run(store, funnel, T + 3 * HOUR)
    load(store, [event("ann", T + 4 * HOUR, "other", "3")])
    run(store, funnel, T + 5 * HOUR)
    assert feed(store) == []
    load(store, [event("ann", T + HOUR, "view", "1")])
    run(store, funnel, T + 5 * HOUR)
    run(store, funnel, T + 6 * HOUR)
    # it became true before the record began, so nobody can say since when it was recorded
    assert feed(store) == [("ann", "funnel", "entered", "", "", None)]


def test_e07_late_event_within_the_record_enters_at_its_own_time(store: Store) -> None:
    funnel = 'segments:\n  funnel: { when: \'sequence("view", "buy", within=1d)\' }'
    load(store, [event("ann", T, "other", "0")])
    run(store, funnel, T)
    load(store, [event("ann", T + 2 * HOUR, "buy", "2")])
    run(store, funnel, T + 5 * HOUR)
    load(store, [event("ann", T + HOUR, "view", "1")])
    run(store, funnel, T + 6 * HOUR)
    assert feed(store) == [("ann", "funnel", "entered", "", "", T + 2 * HOUR)]
    assert stays(store, "funnel") == {("ann", "", T + 2 * HOUR, None)}


def test_late_event_corrects_stays_and_the_feed_gets_the_net_change_alone(store: Store) -> None:
    load(store, [event("ann", T, "Viewed", "0")])
    run(store, BUYERS, T)
    load(store, [event("ann", T + 20 * DAY, "Ordered", "2")])
    run(store, BUYERS, T + 25 * DAY)
    before = feed(store)
    load(store, [event("ann", T + 5 * DAY, "Ordered", "1")])
    run(store, BUYERS, T + 25 * DAY)
    assert feed(store) == before
    assert stays(store, "buyers") == {
        ("ann", "", T + 5 * DAY, T + 15 * DAY),
        ("ann", "", T + 20 * DAY, None),
    }


def test_enter_and_leave_between_two_refreshes_is_in_the_stays_and_not_in_the_feed(store: Store) -> None:
    load(store, [event("ann", T, "Viewed", "0")])
    run(store, BUYERS, T)
    load(store, [event("ann", T + DAY, "Ordered", "1")])
    run(store, BUYERS, T + 30 * DAY)
    assert [row for row in feed(store) if row[1] == "buyers"] == []
    assert stays(store, "buyers") == {("ann", "", T + DAY, T + 11 * DAY)}


def test_an_edit_changes_membership_by_definition(store: Store) -> None:
    text = "segments:\n  buyers: {{ when: 'count(\"Ordered\") >= {}' }}"
    load(
        store,
        [event("ann", T, "Ordered", "1"), event("bob", T, "Ordered", "2"), event("bob", T, "Ordered", "3")],
    )
    load(store, [event("cem", T, "Viewed", "4")])
    run(store, text.format(1), T)
    load(store, [event("cem", T + HOUR, "Ordered", "5"), event("cem", T + 2 * HOUR, "Ordered", "6")])
    run(store, text.format(1), T + DAY)
    seq = store.memory.changes()[-1].seq
    report = run(store, text.format(2), T + 2 * DAY)
    assert report.edits.edited == {"buyers"}
    assert feed(store, seq) == [("ann", "buyers", "left", "", "", None)]
    # who stays in, stays in since then
    assert stays(store, "buyers") == {("ann", "", None, T + 2 * DAY), ("cem", "", T + HOUR, None)}
    run(store, text.format(1), T + 3 * DAY)
    assert ("ann", "", T + 3 * DAY, None) in stays(store, "buyers")
    assert [v.version for v in store.memory.definition_versions("buyers")] == [1, 2, 3]


def test_late_events_do_not_touch_what_an_earlier_version_recorded(store: Store) -> None:
    text = "segments:\n  buyers: {{ when: 'count(\"Ordered\") >= {}' }}"
    load(store, [event("ann", T, "Viewed", "1"), event("bob", T, "Viewed", "2")])
    run(store, text.format(1), T)
    load(store, [event("ann", T + DAY, "Ordered", "3")])
    run(store, text.format(1), T + 2 * DAY)
    run(store, text.format(2), T + 3 * DAY)
    load(store, [event("ann", T + HOUR, "Ordered", "4"), event("bob", T + HOUR, "Ordered", "5")])
    run(store, text.format(2), T + 4 * DAY)
    # under the second version ann is in from its beginning; the first one's record stays
    assert stays(store, "buyers") == {("ann", "", T + DAY, None)}
    assert answers(store, "buyers") == {"ann": "", "bob": None}


def test_a_new_definition_begins_without_moves_and_a_removed_one_is_forgotten(store: Store) -> None:
    load(store, [event("ann", T, "Ordered", "1")])
    run(store, BUYERS, T)
    more = BUYERS.replace("segments:", "segments:\n  people: { when: everyone }", 1)
    assert run(store, more, T + 20 * DAY).edits.new == {"people"}
    assert answers(store, "people") == {"ann": ""}
    assert stays(store, "people") == set()
    assert stays(store, "buyers") == {("ann", "", None, T + 10 * DAY)}
    only = "segments:\n  people: { when: everyone }"
    assert run(store, only, T + 21 * DAY).edits.removed == {"buyers", "level"}
    assert stays(store, "buyers") == set()
    assert run(store, BUYERS, T + 22 * DAY).edits.new == {"buyers", "level"}
    assert answers(store, "buyers") == {"ann": None}


def test_a_list_that_changes_is_an_edit(store: Store) -> None:
    meant = definitions(
        "lists:\n  staff: { customers: [ann] }\nsegments:\n  team: { when: 'in_list(\"staff\")' }"
    )
    load(store, [event("ann", T, "Ordered", "1"), event("bob", T, "Ordered", "2")])
    for people in ({"ann"}, {"ann", "bob"}):
        lists = {"staff": frozenset(people)}
        engine = make_engine(KIND, store, meant, SETTINGS, lists)
        report = refresh(store, engine, meant, SETTINGS, lists=lists, as_of=T)
    assert report.edits.edited == {"team"}
    assert feed(store) == [("bob", "team", "entered", "", "", None)]


def test_population_functions_change_at_the_refresh(store: Store) -> None:
    best = 'traits:\n  orders: count("Ordered")\nsegments:\n  best: { when: "top(orders, 1)" }'
    load(store, [event("ann", T, "Ordered", "1"), event("bob", T, "Viewed", "2")])
    run(store, best, T)
    load(store, [event("bob", T + HOUR, "Ordered", "3"), event("bob", T + 2 * HOUR, "Ordered", "4")])
    report = run(store, best, T + DAY, publish=False)
    assert feed(store) == [
        ("ann", "best", "left", "", "", T + DAY),
        ("bob", "best", "entered", "", "", T + DAY),
    ]
    assert report.evaluated == 2
    assert stays(store, "best") == {("ann", "", None, T + DAY), ("bob", "", T + DAY, None)}


def test_future_events_wait_for_their_time(store: Store) -> None:
    load(store, [event("ann", T, "Viewed", "1"), event("ann", T + DAY, "Ordered", "2")])
    run(store, BUYERS, T + HOUR)
    assert answers(store, "buyers") == {"ann": None}
    run(store, BUYERS, T + 2 * DAY, publish=False)
    assert feed(store)[0] == ("ann", "buyers", "entered", "", "", T + DAY)


def test_positions_of_other_rosters_mean_the_same_people(store: Store) -> None:
    meant = definitions(BUYERS)
    for day, customer in enumerate("abcdefgh"):
        load(store, [event(customer, T + day * DAY, "Ordered", str(day))])
        engine = Oracle(store, meant, SETTINGS, generation=day)
        refresh(store, engine, meant, SETTINGS, as_of=T + day * DAY, publish=False)
        assert recorded_answers_of(store) == expected_answers(engine, T + day * DAY)
    assert kept_stays(store) == expected_stays(engine, {"buyers": T, "level": T}, T + 7 * DAY)


def test_lost_answers_are_made_again(store: Store) -> None:
    load(store, [event("ann", T, "Ordered", "1"), event("bob", T, "Viewed", "2")])
    run(store, BUYERS, T)
    for path in (store.folder / ANSWERS).iterdir():
        path.unlink()
    run(store, BUYERS, T + 10 * DAY, publish=False)
    assert feed(store) == [
        ("ann", "buyers", "left", "", "", T + 10 * DAY),
        ("ann", "level", "moved", "once", "never", T + 10 * DAY),
    ]


def test_many_small_refreshes_end_up_in_one_base(store: Store) -> None:
    load(store, [event(f"c{n}", T, "Ordered", str(n)) for n in range(40)])
    run(store, BUYERS, T)
    for day in range(1, 13):
        load(store, [event(f"c{day}", T + day * DAY, "Ordered", f"n{day}")])
        run(store, BUYERS, T + day * DAY, publish=False)
        assert len(list((store.folder / ANSWERS).iterdir())) <= 20
    meant = definitions(BUYERS)
    assert recorded_answers_of(store) == expected_answers(Oracle(store, meant, SETTINGS), T + 12 * DAY)
    assert any(layer.path.name.endswith("-base.layer") for layer in recorded_of(store).layers)


def test_full_gives_the_same_record(store: Store) -> None:
    load(store, [event("ann", T + n * 7 * DAY, "Ordered", str(n)) for n in range(5)])
    run(store, BUYERS, T)
    for day in (9, 20, 33, 50):
        run(store, BUYERS, T + day * DAY, publish=False)
    before, lines = kept_stays(store), feed(store)
    report = run(store, BUYERS, T + 50 * DAY, full=True)
    assert (kept_stays(store), feed(store)) == (before, lines)
    assert (report.mode, report.evaluated) == ("full", 1)


def test_published_tables_tell_who_and_since_when(store: Store) -> None:
    text = BUYERS + 'traits:\n  orders: count("Ordered")\n  latest: last("Ordered")\n'
    load(store, [event("ann", T, "Ordered", "1"), event("bob", T, "Viewed", "2")])
    run(store, text, T)
    load(store, [event("bob", T + HOUR, "Ordered", "3")])
    run(store, text, T + DAY, publish=True)
    rows = pq.read_table(store.folder / "published" / "memberships").to_pylist()
    entered = datetime.fromtimestamp((T + HOUR) / 1e6, UTC)
    assert sorted(rows, key=lambda row: (row["customer"], row["segment"] or "")) == [
        {"customer": "ann", "segment": None, "segmentation": "level", "group": "once", "since": None},
        {"customer": "ann", "segment": "buyers", "segmentation": None, "group": None, "since": None},
        {"customer": "bob", "segment": None, "segmentation": "level", "group": "once", "since": entered},
        {"customer": "bob", "segment": "buyers", "segmentation": None, "group": None, "since": entered},
    ]
    traits = pq.read_table(store.folder / "published" / "traits").sort_by("customer").to_pylist()
    assert [(row["customer"], int(row["orders"])) for row in traits] == [("ann", 1), ("bob", 1)]


def test_a_refresh_says_what_it_is_complete_to(store: Store) -> None:
    load(store, [event("ann", T, "Ordered", "1")])
    report = run(store, BUYERS, T)
    refresh_ = last_refresh(store)
    assert refresh_ and refresh_.sequence == report.sequence == store.sequence - 1
    assert report.as_json()["definitions"] == {"new": ["buyers", "level"], "edited": [], "removed": []}


# --- as little as possible ------------------------------------------------------------------------------------------


def engine_for(store: Store, asked: list[list[str]]) -> Callable[[Definitions, Sequence[str]], Evaluator]:
    def make(meant: Definitions, names: Sequence[str]) -> Evaluator:
        asked.append(list(names))
        return make_engine(KIND, store, meant, SETTINGS, names=names)

    return make


def test_p07_an_edit_evaluates_what_was_edited_alone(store: Store) -> None:
    text = BUYERS + 'traits:\n  orders: count("Ordered")\n'
    load(store, [event(f"c{n}", T + (n % 5) * DAY, "Ordered", str(n)) for n in range(30)])
    load(store, [event(f"c{n}", T + n * HOUR, "Viewed", f"v{n}") for n in range(20)])
    run(store, text, T + 5 * DAY)
    load(store, [event("c3", T + 6 * DAY, "Ordered", "x"), event("new", T + 6 * DAY, "Ordered", "y")])
    edits = (
        ("lapsed: { when: 'lapsed(\"Ordered\", after=2d)' }", "new", {"lapsed"}),
        ("lapsed: { when: 'lapsed(\"Ordered\", after=8d)' }", "edited", {"lapsed"}),
        ("other: { when: 'did(\"Viewed\")' }", "new", {"other"}),
    )
    asked: list[list[str]] = []
    for day, (line, kind, names) in enumerate(edits, 7):
        meant = definitions(text.replace("segments:\n", f"segments:\n  {line}\n", 1))
        before = recorded_answers_of(store)
        report = run(store, meant, T + day * DAY, engine_for=engine_for(store, asked))
        assert getattr(report.edits, kind) == names and asked[-1] == sorted(names)
        oracle = Oracle(store, meant, SETTINGS)
        assert recorded_answers_of(store) == expected_answers(oracle, T + day * DAY)
        lines = [c for c in store.memory.changes() if c.refresh == day - 5]
        assert all(c.at is None for c in lines if c.definition in report.edits.edited)
        assert not [c for c in lines if c.definition in report.edits.new]
        changed = {
            key
            for key, now in recorded_answers_of(store).items()
            if key in before and now != before[key] and key[0] not in report.edits.new
        }
        assert {(c.definition, c.customer) for c in lines if (c.definition, c.customer) in before} == changed
    begins = {"buyers": T + 5 * DAY, "level": T + 5 * DAY, "other": T + 9 * DAY}
    assert kept_stays(store) == expected_stays(oracle, begins, T + 9 * DAY)
    load(store, [event("c7", T + 9 * DAY + HOUR, "Viewed", "z")])
    run(store, meant, T + 20 * DAY, engine_for=engine_for(store, asked))
    assert len(asked) == len(edits)
    oracle = Oracle(store, meant, SETTINGS)
    assert recorded_answers_of(store) == expected_answers(oracle, T + 20 * DAY)
    assert kept_stays(store) == expected_stays(oracle, begins, T + 20 * DAY)


def test_p07_groups_that_are_edited_keep_their_people(store: Store) -> None:
    more = BUYERS.replace(
        "often: 'count(\"Ordered\", last=10d) >= 2'", "frequent: 'count(\"Ordered\", last=10d) >= 2'"
    )
    more = more.replace("segments:\n", "segments:\n  viewers: { when: 'did(\"Viewed\")' }\n", 1)
    load(store, [event(f"c{n % 6}", T + n * HOUR, "Ordered", str(n)) for n in range(9)])
    load(store, [event("c9", T, "Viewed", "v")])
    run(store, more.replace("frequent", "often"), T + DAY)
    asked: list[list[str]] = []
    run(store, more, T + 2 * DAY, engine_for=engine_for(store, asked))
    assert asked == [["level"]]
    assert recorded_answers_of(store) == expected_answers(
        Oracle(store, definitions(more), SETTINGS), T + 2 * DAY
    )
    moved = {(c.customer, c.from_group, c.to_group, c.at) for c in store.memory.changes()}
    assert moved == {(who, "often", "frequent", None) for who in ("c0", "c1", "c2")}
    assert ("c0", "often", None, T + 2 * DAY) in stays(store, "level")


def test_p04_population_functions_do_not_have_the_others_evaluated(store: Store) -> None:
    text = BUYERS.replace("segments:\n", 'segments:\n  best: { when: "top(orders, 2)" }\n', 1)
    meant = definitions('traits:\n  orders: count("Ordered")\n' + text)
    load(store, [event(f"c{n}", T + n * HOUR, "Ordered", f"{n}-{k}") for n in range(5) for k in range(n)])
    run(store, meant, T + DAY)
    asked: list[list[str]] = []
    for day in range(2, 5):
        load(store, [event("c0", T + day * DAY, "Ordered", f"d{day}-{k}") for k in range(2)])
        run(store, meant, T + day * DAY, engine_for=engine_for(store, asked))
        oracle = Oracle(store, meant, SETTINGS)
        assert recorded_answers_of(store) == expected_answers(oracle, T + day * DAY)
    assert asked == [["best"]] * 3
    assert {(c.customer, c.at) for c in store.memory.changes(definition="best")} == {
        ("c0", T + 3 * DAY),
        ("c3", T + 3 * DAY),
    }


def published_rows(store: Store, table: str) -> list[dict[str, object]]:
    return sorted(pq.read_table(store.folder / "published" / table).to_pylist(), key=str)


def said_of(store: Store, table: str) -> list[bytes]:
    paths = sorted((store.folder / "published" / table).iterdir())
    return [pq.read_schema(path).metadata[b"ethogram"] for path in paths]


def test_published_tables_are_written_again_where_something_changed(store: Store) -> None:
    text = BUYERS + 'traits:\n  orders: count("Ordered")\n'
    load(store, [event(f"c{n}", T, "Ordered", str(n)) for n in range(12)])
    run(store, text, T + DAY, publish=True)
    load(store, [event("c3", T + 2 * DAY, "Ordered", "x")])
    run(store, text, T + 2 * DAY, publish=True)
    assert sorted(said_of(store, "memberships")) == [b"refresh 1", b"refresh 2"]
    incremental = [published_rows(store, table) for table in ("memberships", "traits")]
    run(store, text, T + 2 * DAY)
    run(store, text, T + 2 * DAY, publish=True)  # the third was not published, so all is written
    assert said_of(store, "memberships") == [b"refresh 4"] * 2
    assert [published_rows(store, table) for table in ("memberships", "traits")] == incremental


def test_published_traits_change_with_time_and_with_their_definitions(store: Store) -> None:
    text = BUYERS + 'traits:\n  orders: count("Ordered")\n  age: days_since(last("Ordered"))\n'
    load(store, [event(f"c{n}", T, "Ordered", str(n)) for n in range(12)])
    for day in (1, 2):
        run(store, text, T + day * DAY, publish=True)
        assert {row["age"] for row in published_rows(store, "traits")} == {day}
    assert said_of(store, "memberships") == [b"refresh 1"] * 2
    run(store, text.replace('count("Ordered")\n', 'count("Ordered") + 1\n'), T + 2 * DAY, publish=True)
    assert {row["orders"] for row in published_rows(store, "traits")} == {2}


def test_compaction_touches_nobody_that_the_last_refresh_has_seen(store: Store) -> None:
    for n in range(6):
        load(store, [event(f"c{k}", T + n * HOUR, "Ordered", f"{n}-{k}") for k in range(8)])
    run(store, BUYERS, T + DAY)
    load(store, [event("c2", T + 2 * DAY, "Ordered", "x")])
    load(store, [event("c2", T + 2 * DAY - HOUR, "Ordered", "y")])
    assert store.compact(min_files=2) > 0
    last = last_refresh(store)
    assert last
    engine = make_engine(KIND, store, definitions(BUYERS), SETTINGS)
    touched = {
        (engine.roster(bucket)[int(place)].as_py(), int(time))
        for bucket, (places, times) in engine.touched(last.sequence).items()
        for place, time in zip(places, times, strict=True)
    }
    assert touched == {("c2", T + 2 * DAY - HOUR)}
    assert run(store, BUYERS, T + 2 * DAY).evaluated == 1
    assert store.compact(min_files=2) > 0
    assert run(store, BUYERS, T + 2 * DAY).evaluated == 0
    meant = definitions(BUYERS)
    assert recorded_answers_of(store) == expected_answers(Oracle(store, meant, SETTINGS), T + 2 * DAY)
