"""What loads and refreshes recorded is read back as it was given."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from ethogram.model.errors import EnvironmentFault
from ethogram.store import Change, DefinitionVersion, Interval, LoadRecord, RefreshRecord, RejectedRow, Store


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
        tx.close_intervals([("vip", "", "u1", 50), ("vip", "", "nobody", 50)])
        tx.add_intervals([Interval("vip", "", "u1", 60, None)])
        tx.replace_intervals("vip", [Interval("vip", "", "u2", 1, 2)], customers=["u2", "u3"])
    found = [(i.customer, i.entered_at, i.left_at) for i in store.memory.intervals(definition="vip")]
    assert found == [("u0", 0, None), ("u1", 1, 50), ("u1", 60, None), ("u2", 1, 2)]
    assert store.memory.intervals(customer="u1", at=55) == ()
    with store.writing("refresh") as tx:
        tx.replace_intervals("vip", [])
    assert store.memory.intervals() == ()


def test_a_customer_is_in_a_segment_once_at_a_time(store: Store) -> None:
    with pytest.raises(EnvironmentFault), store.writing("refresh") as tx:
        tx.put("a", "1")
        tx.add_intervals([Interval("vip", "", "u1", 1, None), Interval("vip", "", "u1", 2, None)])
    assert store.memory.setting("a") is None and store.memory.intervals() == ()


def test_settings(store: Store) -> None:
    for value in ("1", "2", None):
        with store.writing("settings") as tx:
            tx.put("key", value)
        assert store.memory.setting("key") == value
