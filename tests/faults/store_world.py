"""A small world for faults of the store: a workload that other processes run, and what must hold afterwards.

Run as a program: `python store_world.py VERB PROJECT [NUMBER]`; it prints `done` when the verb was acknowledged.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from ethogram.model.errors import EthogramError
from ethogram.model.event import Event
from ethogram.store import (
    Change,
    DefinitionVersion,
    Disk,
    Interval,
    LoadRecord,
    Record,
    RefreshRecord,
    RejectedRow,
    Store,
    shred,
)
from ethogram.store.disk import FAILPOINT

BATCH = 30
KILLED = -9


def batch(number: int) -> pa.Table:
    """The events of one file; the same at every call."""
    return shred(
        Record(
            f"c{n % 11}",
            Event(
                n * 1000,
                "Order",
                f"m{n:06d}",
                "shop",
                properties={"total": n / 4, "items": [{"sku": f"s{n % 5}"}]},
            ),
        )
        for n in range(number * BATCH, (number + 1) * BATCH)
    )


def open_store(project: Path, disk: Disk | None = None) -> Store:
    return Store.open(project, create=True, buckets=2, disk=disk)


# --- the workload ---------------------------------------------------------------------------------------------------


def load(store: Store, number: int) -> None:
    events = batch(number)
    with store.writing("load") as tx:
        sifted = tx.sift(events)
        tx.append(sifted.fresh)
        fresh, rows = sifted.fresh.num_rows, events.num_rows
        record = tx.record_load(
            LoadRecord("shop", f"{number}.csv", "h", "m", 0, 1, rows, 0, rows, fresh, rows - fresh, 0)
        )
        tx.reject(record, [RejectedRow("shop", f"{number}.csv", 1, None, "", "E_CSV", "broken", "{}")])


def compact(store: Store, number: int) -> None:
    store.compact(min_files=2)


def refresh(store: Store, number: int) -> None:
    with store.writing("refresh") as tx:
        made = tx.record_refresh(RefreshRecord(number, store.sequence, "full", 0, 1, {"entered": 5}))
        tx.record_definition(DefinitionVersion("vip", "segment", number, "h", "text", made))
        tx.append_changes(Change(f"c{n}", "vip", "entered", "", "", n, made, number) for n in range(5))
        tx.replace_intervals("vip", [Interval("vip", "", f"c{n}", number, None) for n in range(5)])


VERBS: dict[str, Callable[[Store, int], None]] = {"load": load, "compact": compact, "refresh": refresh}


def crash(verb: str, project: Path, number: int = 0, *, failpoint: str = "") -> int:
    """The exit code of the verb in a process of its own, which kills itself at the failpoint."""
    return forked(_work, verb, project, number, failpoint)


def forked(act: Callable[..., None], *arguments: object) -> int:
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["ethogram.store", "pyarrow.parquet", "duckdb", "pandas"])
    process = forks.Process(target=act, args=arguments)
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def _work(verb: str, project: Path, number: int, failpoint: str) -> None:
    os.environ[FAILPOINT] = failpoint
    with open_store(project) as store:
        VERBS[verb](store, number)


def run(verb: str, project: Path, number: int = 0) -> subprocess.CompletedProcess[str]:
    """The verb in a program of its own."""
    command = [sys.executable, __file__, verb, str(project), str(number)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


# --- what must hold -------------------------------------------------------------------------------------------------


def stored(store: Store) -> dict[str, tuple[str, int, Decimal]]:
    """message id -> customer, time, total of all that a reader sees. Fails on an id that is there twice."""
    found: dict[str, tuple[str, int, Decimal]] = {}
    with store.snapshot() as snapshot:
        for file in snapshot.files:
            table = store.read(file, ["message_id", "customer", "time", "p:total:n"])
            times = table["time"].cast(pa.int64()).to_pylist()
            columns = [table[name].to_pylist() for name in ("message_id", "customer", "p:total:n")]
            for message, customer, total, time in zip(*columns, times, strict=True):
                assert message not in found, "an event is there twice"
                found[message] = (customer, time, total)
    return found


def expected(numbers: list[int]) -> dict[str, tuple[str, int, Decimal]]:
    events = range(0)
    found = {}
    for number in numbers:
        events = range(number * BATCH, (number + 1) * BATCH)
        found |= {f"m{n:06d}": (f"c{n % 11}", n * 1000, Decimal(n) / 4) for n in events}
    return found


def assert_sound(store: Store, numbers: list[int]) -> None:
    """Exactly these batches are stored, the ledger agrees with itself, and nothing lies about that it does not name."""
    assert stored(store) == expected(numbers)
    assert sum(event.count for event in store.events()) == BATCH * len(numbers)
    loads = store.memory.loads()
    assert sum(record.accepted for record in loads) == BATCH * len(numbers)
    assert sum(store.memory.rejected_counts().values()) == len(loads)
    assert len(store.memory.changes()) == 5 * len(store.memory.refreshes(limit=100))
    assert store.ledger.rows("PRAGMA integrity_check") == [("ok",)]
    with store.writer():
        assert {path.name for path in store.lake.folder.iterdir()} == {
            name for (name,) in store.ledger.rows("SELECT name FROM files")
        }


def main() -> None:
    verb, project, number = sys.argv[1:]
    try:
        with open_store(Path(project)) as store:
            VERBS[verb](store, int(number))
            print("done", flush=True)
    except EthogramError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
