"""A file is deleted only after the last reader that names it has ended."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from ethogram.model.event import Event
from ethogram.store import Record, Snapshot, Store, shred

READER = """
import sys, pathlib
from ethogram.store import Store
store = Store.open(pathlib.Path(sys.argv[1]))
snapshot = store.snapshot()
print(len(snapshot.files), flush=True)
for line in sys.stdin:
    print(sum(store.read(file).num_rows for file in snapshot.files), flush=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store.open(tmp_path, create=True, buckets=1)
    for number in range(6):
        with store.writing("load") as tx:
            tx.append(shred([Record("c", Event(number, "x", str(number)))]))
    return store


def parquet_files(store: Store) -> int:
    return len(list(store.lake.folder.glob("*.parquet")))


def is_readable(store: Store, snapshot: Snapshot) -> bool:
    return sum(store.read(file).num_rows for file in snapshot.files) == 6


def test_files_outlive_compaction_while_somebody_reads(store: Store) -> None:
    early, second = store.snapshot(), store.snapshot()
    store.compact(min_files=2)
    late = store.snapshot()
    assert parquet_files(store) == 7
    early.close()
    with store.writer():
        assert parquet_files(store) == 7
    assert is_readable(store, second) and is_readable(store, late)
    second.close()
    with store.writer():
        assert parquet_files(store) == 1
    assert is_readable(store, late)
    assert store.doctor().retired_files == 0
    late.close()


def test_a_forgotten_snapshot_holds_nothing(store: Store) -> None:
    snapshot = store.snapshot()
    del snapshot
    gc.collect()
    store.compact(min_files=2)
    assert parquet_files(store) == 1


def test_another_process_reads_on_and_its_end_lets_go(store: Store) -> None:
    command = [sys.executable, "-c", READER, str(store.project)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdin and reader.stdout
        assert reader.stdout.readline() == "6\n"
        store.compact(min_files=2)
        assert parquet_files(store) == 7
        print("read", file=reader.stdin, flush=True)
        assert reader.stdout.readline() == "6\n"
        reader.kill()
        reader.wait()
        with store.writer():
            assert parquet_files(store) == 1
    assert list(store.readers_folder.iterdir()) == []
