"""Links and owners in the ledger: each once, of one state, and a ledger of an older format becomes one of this."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pyarrow as pa
import pytest

from ethogram.model.event import Event
from ethogram.store import LINK_ROWS, Part, Record, Store, shred
from ethogram.store import schema as formats
from ethogram.store.persons import OWNED


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path, create=True, buckets=4)


def link(kind: str, customer: str, value: str, time: int, *, known: bool = True) -> tuple[object, ...]:
    return kind, customer, value, known, time, "web", f"m{time}"


def links(*rows: tuple[object, ...]) -> pa.Table:
    return pa.table([pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), LINK_ROWS, strict=True)], schema=LINK_ROWS)  # fmt: skip


def owners(*rows: tuple[str, str, int | None]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [(), (), ()]
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, OWNED, strict=True)], schema=OWNED)  # fmt: skip


def test_a_link_is_kept_once_as_it_was_first_seen(store: Store) -> None:
    with store.writing() as tx:
        assert (
            len(tx.links.add(links(link("email", "a", "x", 7, known=False), link("email", "b", "x", 9)))) == 2
        )
    with store.writing() as tx:
        assert tx.links.add(links(link("email", "b", "x", 9))) == []
        assert tx.links.add(links(link("email", "a", "x", 3))) == [("email", "a", "x")]
        assert tx.links.add(links(link("email", "a", "x", 8, known=False))) == []
    first, _ = store.persons.links(["a", "b"])
    assert (first.time, first.message_id, first.is_known, first.cut) == (3, "m3", True, None)


def test_what_hangs_together_is_found_and_nothing_else(store: Store) -> None:
    with store.writing() as tx:
        tx.links.add(
            links(
                link("email", "a", "x", 1),
                link("email", "b", "x", 1),
                link("phone", "c", "x", 1),
                link("anonymous", "b", "k", 1),
                link("alias", "k", "l", 1),
            )
        )
        near, ids = tx.links.around([("email", "a", "x")])
        assert sorted(ids) == ["a", "b", "k", "l"]
        assert sorted(near["value"].to_pylist()) == ["k", "l", "x", "x"]
        assert tx.links.cut([2]) == [("email", "b", "x")]
        assert sorted(tx.links.around([("email", "b", "x")])[1]) == ["a", "b", "k", "l"]  # both ends of it
        assert sorted(tx.links.around([("email", "a", "x")])[1] or ()) == ["a"]
        assert tx.links.cut([2], is_restored=True) == [("email", "b", "x")]
        assert sorted(tx.links.around([("email", "a", "x")])[1]) == ["a", "b", "k", "l"]


def test_owners_are_of_a_sequence(store: Store) -> None:
    for index, owned in enumerate(
        [owners(("k", "u", None)), owners(("k", "u", 5), ("l", "u", None)), owners()]
    ):
        with store.writing() as tx:
            tx.links.settle(["k", "l"] if index else None, owned)
    persons = store.persons
    assert [persons.owner("k", sequence) for sequence in range(4)] == ["k", "u", "k", "k"]
    assert persons.parts(["u", "k"], 1) == {"u": (Part("u"), Part("k")), "k": ()}
    assert persons.parts(["u", "k"], 2) == {
        "u": (Part("u"), Part("k", until=5), Part("l")),
        "k": (Part("k", since=5),),
    }
    assert persons.parts(["u", "k"], 3) == {"u": (Part("u"),), "k": (Part("k"),)}
    assert persons.moved(1, 2) == ["k", "l", "u"]
    assert persons.moved(3, 9) == []


def test_histories_are_those_of_all_ids(store: Store) -> None:
    rows = [("u", 1), ("k", 2), ("k", 6), ("l", 0)]
    with store.writing("load") as tx:
        tx.append(shred(Record(who, Event(time, "Seen", f"{who}{time}", "web")) for who, time in rows))
        tx.links.settle(None, owners(("k", "u", 5), ("l", "u", None)))
    with store.snapshot() as snapshot:
        found = store.histories(["u", "k", "l"], snapshot)
    assert {who: [event.message_id for event in events] for who, events in found.items()} == {
        "u": ["l0", "u1", "k2"],
        "k": ["k6"],
    }


@pytest.mark.parametrize("has_events", [False, True])
def test_a_ledger_of_format_2_is_brought_up_to_date(tmp_path: Path, has_events: bool) -> None:
    with Store.open(tmp_path, create=True) as store, store.writing("load") as tx:
        if has_events:
            tx.append(shred([Record("u", Event(1, "Seen", "m", "web"))]))
        tx.put("key", "value")
    with sqlite3.connect(tmp_path / ".ethogram" / "ledger.db") as ledger:
        for table in ("links", "owners"):
            ledger.execute(f"DROP TABLE {table}")
        ledger.execute("PRAGMA user_version = 2")
    with Store.open(tmp_path) as store:
        assert store.memory.setting("key") == "value"
        assert (store.memory.setting("links") is not None) == has_events
        assert not store.persons.any()
        assert store.ledger._format() == formats.FORMAT == 3
