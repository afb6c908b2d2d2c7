"""Dedup: the key is (source, message id), the first content wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethogram.model.event import Event
from ethogram.store import Record, Sifted, Store, shred


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path, create=True, buckets=4)


def event(message: str, total: float = 1, *, source: str = "shop", customer: str = "") -> Record:
    return Record(customer or f"c{message}", Event(1, "Order", message, source, properties={"total": total}))


def verdicts(sifted: Sifted) -> str:
    pairs = zip(sifted.repeated, sifted.conflicting, strict=True)
    return "".join("r" if repeated else "c" if conflicting else "." for repeated, conflicting in pairs)


def load(store: Store, *records: Record) -> str:
    with store.writing("load") as tx:
        sifted = tx.sift(shred(records))
        tx.append(sifted.fresh)
    return verdicts(sifted)


def test_inside_a_batch(store: Store) -> None:
    assert load(store, event("1"), event("2"), event("1"), event("2", 5), event("1", 2)) == "..rcc"
    assert store.events()[0].count == 2


def test_against_what_is_stored(store: Store) -> None:
    assert load(store, event("1"), event("2")) == ".."
    assert (
        load(store, event("2"), event("1", 9), event("3"), event("1"), event("1", customer="other"))
        == "rc.rc"
    )
    assert load(store, event("3"), event("2", 2)) == "rc"


def test_sources_do_not_know_each_other(store: Store) -> None:
    assert load(store, event("1", source="shop"), event("1", source="app", total=3)) == ".."
    assert load(store, event("1", source="app", total=3), event("1", source="web")) == "r."
    assert load(store, event("1", source="app"), event("1", source="shop")) == "cr"


def test_against_what_the_same_transaction_added(store: Store) -> None:
    with store.writing("load") as tx:
        for _ in range(3):
            sifted = tx.sift(shred([event("1"), event("2")]))
            tx.append(sifted.fresh)
        assert verdicts(sifted) == "rr"
        tx._flush()
        assert verdicts(tx.sift(shred([event("1"), event("3"), event("2", 7)]))) == "r.c"
    assert store.events()[0].count == 2


def test_after_compaction(store: Store) -> None:
    for message in "12345678":
        load(store, event(message, customer="c"), event(message, customer="c", source="app"))
    assert store.compact(min_files=2) == 7
    assert load(store, event("4", customer="c"), event("5", 3, customer="c"), event("9")) == "rc."


def test_c08_a_file_loaded_twice_adds_nothing(store: Store) -> None:
    records = [event(str(number), number / 3) for number in range(500)]
    assert load(store, *records) == "." * 500
    assert load(store, *reversed(records)) == "r" * 500
    assert store.events()[0].count == 500
