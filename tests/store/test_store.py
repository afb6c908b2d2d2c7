from __future__ import annotations

import stat
from pathlib import Path

import pyarrow as pa
import pytest

import ethogram.store.writing as writing
from ethogram.model.errors import DataError, EnvironmentFault
from ethogram.model.event import Event
from ethogram.store import LoadRecord, Property, Record, Snapshot, Store, bucket_of, shred
from ethogram.store.schema import FORMAT


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path, create=True, buckets=4)


def orders(start: int, count: int, **properties: object) -> pa.Table:
    return shred(
        Record(
            f"c{n % 7}",
            Event(n * 10, "Order", f"m{n:05d}", "shop", properties={"total": n / 4, **properties}),
        )
        for n in range(start, start + count)
    )


def append(store: Store, *tables: pa.Table) -> None:
    with store.writing("load") as tx:
        for table in tables:
            tx.append(table)


def rows(store: Store, snapshot: Snapshot) -> list[str]:
    return sorted(m for file in snapshot.files for m in store.read(file)["message_id"].to_pylist())


def test_events_lie_sorted_in_their_buckets(store: Store) -> None:
    append(store, orders(0, 100), orders(100, 50, country="FR"))
    with store.snapshot() as snapshot:
        assert snapshot.sequence == store.sequence == 1
        for file in snapshot.files:
            table = store.read(file, ["customer", "time", "message_id", "source", "p:country:t", "nothing"])
            assert table.column_names == ["customer", "time", "message_id", "source", "p:country:t"]
            assert {bucket_of(customer, 4) for customer in table["customer"].to_pylist()} == {file.bucket}
            keys = [tuple(row.values()) for row in table.select(range(4)).to_pylist()]
            assert keys == sorted(keys)
            assert (file.rows, file.source, file.sequence) == (len(keys), "shop", 1)
            times = table["time"].cast(pa.int64()).to_pylist()
            assert (file.min_time, file.max_time) == (min(times), max(times))
        assert len(rows(store, snapshot)) == 150


def test_a_long_load_makes_files_as_it_goes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "BATCH_ROWS", 40)
    append(store, *(orders(start, 10) for start in range(0, 100, 10)))
    with store.snapshot() as snapshot:
        assert len(rows(store, snapshot)) == 100
        assert max(sum(f.bucket == bucket for f in snapshot.files) for bucket in range(4)) == 3
        assert {file.sequence for file in snapshot.files} == {1}


def test_nothing_appears_before_the_end_nor_after_a_failure(store: Store) -> None:
    append(store, orders(0, 10))
    with pytest.raises(RuntimeError), store.writing("load") as tx:
        tx.append(orders(10, 10))
        tx._flush()
        tx.put("key", "value")
        assert len(store.events()) == 1 and store.memory.setting("key") is None
        raise RuntimeError
    assert store.sequence == 1
    assert store.events()[0].count == 10
    assert store.memory.setting("key") is None
    assert store.doctor().orphans == ()


def test_an_empty_transaction_is_none(store: Store) -> None:
    with store.writing("nothing"):
        pass
    assert store.sequence == 0


def test_histories_are_the_events_as_they_came(store: Store) -> None:
    shapes: list[dict[str, object]] = [
        {"products": [{"sku": "a", "price": 2}, {"sku": "b"}], "a.b": "x"},
        {"total": 3, "gift": True, "note": None},
        {},
    ]
    records = [
        Record(
            customer, Event(9 - n, "Order", f"{customer}{n}", "shop", properties=shape, traits={"plan": None})
        )  # type: ignore[arg-type]
        for n, shape in enumerate(shapes)
        for customer in ("u1", "u2")
    ]
    append(store, shred(records[:3]))
    append(store, shred(records[3:]))
    with store.snapshot() as snapshot:
        found = store.histories(["u2", "nobody", "u1", "u2"], snapshot)
    assert list(found) == ["u2", "u1"]
    for customer, events in found.items():
        mine = [record.settled().event for record in records if record.customer == customer]
        assert events == tuple(sorted(mine, key=lambda event: event.time))


def test_histories_of_a_later_snapshot_have_more(store: Store) -> None:
    append(store, orders(0, 7))
    with store.snapshot() as early:
        append(store, orders(7, 7))
        with store.snapshot() as late:
            assert len(store.histories(["c1"], early)["c1"]) == 1
            assert len(store.histories(["c1"], late)["c1"]) == 2


def test_the_catalog_knows_what_was_loaded(store: Store) -> None:
    append(store, orders(0, 4), orders(4, 2, tags=["x"], total="free"))
    append(
        store,
        shred(
            [Record("c1", Event(3, "", "i", kind="identify", traits={"home": {"zip": "1"}, "plan": None}))]
        ),
    )
    append(store, shred([Record("c1", Event(7, "Order", "p", kind="page", properties={"tags": [None]}))]))
    assert [(e.kind, e.name, e.count, e.first, e.last) for e in store.events()] == [
        ("track", "Order", 6, 0, 50),
        ("identify", "", 1, 3, 3),
        ("page", "Order", 1, 7, 7),
    ]
    assert store.properties("Order") == (
        Property("track", "Order", ("tags",), "t", True, 2),
        Property("track", "Order", ("total",), "n", False, 4),
        Property("track", "Order", ("total",), "t", False, 2),
    )
    assert store.properties("Refund") == ()
    assert [(t.path, t.type, t.count) for t in store.traits()] == [(("home", "zip"), "t", 1)]


def test_an_event_table_with_wrong_columns_is_refused(store: Store) -> None:
    table = orders(0, 2)
    wrong = [
        table.drop_columns(["message_id"]),
        table.set_column(0, "customer", pa.array([None, "x"])),
        table.append_column("total", table["time"]),
    ]
    for each in wrong:
        with pytest.raises(DataError) as caught:
            append(store, each)
        assert caught.value.code == "E_EVENT_TABLE"
    assert store.sequence == 0


def test_a_store_is_only_made_when_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        Store.open(tmp_path)
    assert caught.value.code == "E_NO_STORE"
    assert not list(tmp_path.iterdir())
    Store.open(tmp_path, create=True, buckets=5).close()
    with Store.open(tmp_path, create=True, buckets=9) as store:
        assert store.buckets == 5


def test_personal_data_is_readable_by_the_owner_alone(store: Store) -> None:
    append(store, orders(0, 20))
    with store.writer(), store.snapshot():
        for path in store.folder.rglob("*"):
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a19_a_newer_format_is_refused_by_name(store: Store, tmp_path: Path) -> None:
    append(store, orders(0, 3))
    with store.ledger.transaction() as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    store.close()
    before = {path.name: path.read_bytes() for path in store.folder.iterdir() if path.is_file()}
    with pytest.raises(EnvironmentFault) as caught:
        Store.open(tmp_path)
    assert caught.value.code == "E_FORMAT_NEWER"
    assert f"format {FORMAT + 1}" in caught.value.message
    assert before["ledger.db"] == (store.folder / "ledger.db").read_bytes()


def test_the_log_is_a_chain(store: Store) -> None:
    from ethogram.store.head import START, chained, read_head

    append(store, orders(0, 3))
    with store.writing("load") as tx:
        tx.record_load(LoadRecord("shop", "f", "h", "m", 0, 1, 3, 0, 3, 3, 0, 0))
    previous = START
    for sequence, kind, at, summary, digest in store.ledger.rows("SELECT * FROM log ORDER BY sequence"):
        assert chained(previous, sequence, kind, at, summary) == digest
        previous = digest
    head = read_head(store.head_path)
    assert head is not None and (head.sequence, head.hash) == (2, previous)


def test_compaction_keeps_the_rows(store: Store) -> None:
    for start in range(0, 60, 10):
        append(store, orders(start, 10, **({"country": "FR"} if start % 20 else {"gift": True})))
    with store.snapshot() as snapshot:
        before = store.histories([f"c{n}" for n in range(7)], snapshot)
    assert store.compact(min_files=7) == 0
    assert store.compact(min_files=3) > 0
    with store.snapshot() as snapshot:
        assert len(snapshot.files) == len({file.bucket for file in snapshot.files})
        assert store.histories([f"c{n}" for n in range(7)], snapshot) == before
    assert store.events()[0].count == 60
    assert store.compact() == 0
    names = {path.name for path in store.lake.folder.iterdir()}
    assert names == {file.path.name for file in snapshot.files}


def test_doctor_states_the_facts(store: Store) -> None:
    append(store, orders(0, 50))
    (store.lake.folder / "b000-unfinished.parquet.tmp").write_bytes(b"half")
    (store.folder / "writer.lock").write_text(
        '{"pid": 1, "host": "h", "boot": "b", "since": "2026-01-01T00:00:00"}'
    )
    with store.snapshot():
        facts = store.doctor()
    assert (facts.events, facts.buckets, facts.format, facts.sequence) == (50, 4, FORMAT, 1)
    assert facts.orphans == ("b000-unfinished.parquet.tmp",)
    assert "pid 1 on host h" in facts.stale_writer and facts.writer == ""
    assert facts.damaged == () and facts.readers >= 1
    with store.writer():
        facts = store.doctor()
        assert facts.writer and not facts.stale_writer and facts.orphans == ()
