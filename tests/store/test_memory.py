"""What loads and refreshes recorded is read back as it was given."""

from __future__ import annotations

import random
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from ethogram.store import Change, DefinitionVersion, Interval, LoadRecord, RefreshRecord, RejectedRow, Store
from ethogram.store.pages import PAGE_ROWS


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path, create=True)


def test_loads_and_rejected_rows(store: Store) -> None:
    record = LoadRecord(
        "orders",
        "a.csv",
        "hash",
        "mapping",
        10,
        20,
        read=9,
        unreadable=1,
        rows=8,
        accepted=5,
        duplicates=1,
        rejected=2,
    )
    bad = RejectedRow("orders", "a.csv", 3, 7, "total", "E_NUMBER", "not a number", '{"total":"abc"}')
    worse = replace(bad, line=None, column=None, field="", code="E_CSV")
    with store.writing("load") as tx:
        load = tx.record_load(record)
        tx.reject(load, [bad, worse])
        other = tx.record_load(replace(record, source="refunds"))
    assert store.memory.loads("orders") == (replace(record, id=load, sequence=1),)
    assert [each.id for each in store.memory.loads()] == [load, other]
    found = list(store.memory.rejected("orders"))
    assert found == [replace(bad, load=load, id=found[0].id), replace(worse, load=load, id=found[1].id)]
    assert list(store.memory.rejected("refunds")) == []
    assert store.memory.rejected_counts() == {("orders", "E_CSV"): 1, ("orders", "E_NUMBER"): 1}
    with store.writing("replay") as tx:
        tx.mark_replayed([found[0].id])
    assert [row.code for row in store.memory.rejected()] == ["E_CSV"]
    assert stat.S_IMODE(store.ledger.path.stat().st_mode) == 0o600


def test_many_rejected_rows_come_page_by_page(store: Store) -> None:
    row = RejectedRow("s", "f", 1, None, "", "E_CSV", "broken", "{}")
    with store.writing("load") as tx:
        tx.reject(1, (replace(row, line=line) for line in range(25_000)))
    assert [row.line for row in store.memory.rejected("s")] == list(range(25_000))


def test_a_refresh_is_recorded_with_all_that_follows_from_it(store: Store) -> None:
    version = DefinitionVersion("vip", "segment", 1, "abc", "when: count(order) > 3")
    with store.writing("refresh") as tx:
        refresh = tx.record_refresh(RefreshRecord(100, 7, "full", 1, 2, {"entered": 2}, "state/1"))
        tx.record_definition(replace(version, since_refresh=refresh))
        changes = [
            Change("u1", "vip", "entered", "", "", 90, refresh, 1),
            Change("u2", "value", "moved", "low", "high", None, refresh, 1),
        ]
        assert tx.append_changes(changes) == 2
        tx.add_intervals([Interval("vip", "", "u1", 90, None), Interval("value", "low", "u2", None, 95)])
    assert store.memory.refreshes() == (RefreshRecord(100, 7, "full", 1, 2, {"entered": 2}, "state/1", id=1),)
    assert store.memory.definition_versions("vip") == (replace(version, since_refresh=1),)
    assert store.memory.changes() == tuple(replace(c, seq=n) for n, c in enumerate(changes, 1))
    assert store.memory.changes(after=1, customer="u2")[0].to_group == "high"
    assert store.memory.changes(definition="vip", refresh=1, limit=5)[0].customer == "u1"
    assert [interval.customer for interval in store.memory.intervals(at=92)] == ["u2", "u1"]
    assert [interval.customer for interval in store.memory.intervals(at=89)] == ["u2"]
    assert [interval.customer for interval in store.memory.intervals(at=95)] == ["u1"]


def test_intervals_close_and_are_corrected(store: Store) -> None:
    with store.writing("refresh") as tx:
        tx.add_intervals(Interval("vip", "", f"u{n}", n, None) for n in range(4))
    with store.writing("refresh") as tx:
        tx.end_intervals([("vip", "", "u1", 50), ("vip", "", "always", 50)])
        tx.add_intervals([Interval("vip", "", "u1", 60, None)])
        tx.replace_intervals("vip", [Interval("vip", "", "u2", 1, 2)], customers=["u2", "u3"])
    found = [(i.customer, i.entered_at, i.left_at) for i in store.memory.intervals(definition="vip")]
    assert found == [("always", None, 50), ("u0", 0, None), ("u1", 1, 50), ("u1", 60, None), ("u2", 1, 2)]
    assert store.memory.intervals(customer="u1", at=55) == ()
    with store.writing("refresh") as tx:
        tx.replace_intervals("vip", [])
    assert store.memory.intervals() == ()


def test_stays_read_the_same_however_many_pages_were_merged(store: Store) -> None:
    chance = random.Random(0)
    kept: dict[tuple[str, str], list[tuple[int | None, int | None]]] = {}
    for moment in range(150):
        name, who = chance.choice("ab"), f"u{chance.randrange(8)}"
        stays = kept.setdefault((name, who), [])
        with store.writing("refresh") as tx:
            if chance.random() < 0.05:
                tx.replace_intervals(name, [])
                kept = {key: rows for key, rows in kept.items() if key[0] != name}
            elif chance.random() < 0.1:
                tx.replace_intervals(name, [Interval(name, "", who, 0, None)], [who])
                kept[name, who] = [(0, None)]
            elif stays and stays[-1][1] is None:
                tx.end_intervals([(name, "", who, moment)])
                stays[-1] = (stays[-1][0], moment)
            elif chance.random() < 0.2 and not stays:
                tx.end_intervals([(name, "", who, moment)])
                stays.append((None, moment))
            else:
                tx.add_intervals([Interval(name, "", who, moment, None)])
                stays.append((moment, None))
        found: dict[tuple[str, str], list[tuple[int | None, int | None]]] = {}
        for one in store.memory.intervals():
            found.setdefault((one.definition, one.customer), []).append((one.entered_at, one.left_at))
        assert found == {key: rows for key, rows in kept.items() if rows}
    assert store.ledger.rows("SELECT count(*) FROM stay_pages") < [(9,)]
    assert {one.customer for one in store.memory.intervals(customer="u3", definition="a")} <= {"u3"}


def test_the_feed_is_read_over_pages_from_any_place(store: Store) -> None:
    for refresh in (1, 2):
        with store.writing("refresh") as tx:
            many = range(PAGE_ROWS + 10)
            tx.append_changes(Change(f"u{n % 7}", "vip", "entered", "", "", n, refresh, 1) for n in many)
    size = PAGE_ROWS + 10
    assert [c.seq for c in store.memory.changes(after=PAGE_ROWS - 2, limit=5)] == list(
        range(PAGE_ROWS - 1, PAGE_ROWS + 4)
    )
    assert [(c.seq, c.at) for c in store.memory.changes(after=size, limit=2)] == [
        (size + 1, 0),
        (size + 2, 1),
    ]
    assert len(store.memory.changes(refresh=2, limit=10**6)) == size
    assert {c.customer for c in store.memory.changes(customer="u3", limit=10**6)} == {"u3"}


def test_a_customer_is_in_a_segment_once_at_a_time(store: Store) -> None:
    with pytest.raises(ValueError, match="once at a time"), store.writing("refresh") as tx:
        tx.put("a", "1")
        tx.add_intervals([Interval("vip", "", "u1", 1, None), Interval("vip", "", "u1", 2, None)])
    assert store.memory.setting("a") is None and store.memory.intervals() == ()


def test_settings(store: Store) -> None:
    for value in ("1", "2", None):
        with store.writing("settings") as tx:
            tx.put("key", value)
        assert store.memory.setting("key") == value
