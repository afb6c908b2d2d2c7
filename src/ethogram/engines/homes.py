"""Whose the events of the lake are, and on which bucket's tape.

Files lie in the bucket of the id under which events came; a tape's bucket is that of the person. So a tape leaves out rows of its
bucket's files that are somebody's who lives elsewhere, and takes rows of foreign ids from the files of their buckets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from shutil import rmtree

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ethogram.store import LakeFile, Part, Store, bucket_of, buckets_of

Integers = NDArray[np.int64]
Files = Mapping[int, Mapping[int, LakeFile]]


class Homes:
    """As of one sequence and its files, by bucket and number."""

    def __init__(self, store: Store, sequence: int, files: Files) -> None:
        self.store, self.sequence, self.files = store, sequence, files
        self.is_plain = not store.persons.any()
        """Whether every id stands for itself."""
        self._moved: dict[int, dict[int, list[str]]] = {}

    @cached_property
    def _owned(self) -> pa.Table:
        return self.store.persons.owned(self.sequence)

    def left_behind(self, bucket: int) -> list[str]:
        """Who of a bucket became somebody else's since the last refresh: the record is still to see them leave."""
        refreshes = () if self.is_plain else self.store.memory.refreshes()
        return self.moved_since(refreshes[0].sequence).get(bucket, []) if refreshes else []

    def newest(self, bucket: int) -> int:
        """The sequence of the newest events on a bucket's tape, or of later ones."""
        files = self.files[bucket].values() if self.is_plain else self._every()
        return max((file.sequence for file in files), default=0)

    def _every(self) -> Iterator[LakeFile]:
        for files in self.files.values():
            yield from files.values()

    def moved_since(self, sequence: int) -> dict[int, list[str]]:
        """Everybody whose ids are others than at a sequence, by bucket."""
        if sequence not in self._moved:
            moved: dict[int, list[str]] = {}
            for person in [] if self.is_plain else self.store.persons.moved(sequence, self.sequence):
                moved.setdefault(bucket_of(person, self.store.buckets), []).append(person)
            self._moved[sequence] = moved
        return self._moved[sequence]

    def read(self, file: LakeFile, columns: Sequence[str]) -> pa.Table:
        """A file's rows with whose they are as `customer`; `id` is under which id they came."""
        return self._named(self.store.read(file, columns))

    def _named(self, events: pa.Table, owned: pa.Table | None = None) -> pa.Table:
        if self.is_plain:
            return events
        named = self.store.persons.named(events, self.sequence, owned)
        return named if named is events else named.append_column("id", events["customer"])

    def of(self, customers: pa.StringArray) -> Integers:
        """In which buckets they live."""
        return buckets_of(customers, self.store.buckets)

    def by_home(self, events: pa.Table) -> dict[int, pa.Table]:
        """Rows that say whose they are, by bucket."""
        codes = events["customer"].combine_chunks().dictionary_encode()
        home = self.of(codes.dictionary)[codes.indices.to_numpy()]
        return {int(bucket): events.filter(pa.array(home == bucket)) for bucket in np.unique(home)}

    # --- whole buckets ---

    @contextmanager
    def foreign(self, buckets: Sequence[int], columns: Sequence[str], folder: Path) -> Iterator[Foreign]:
        """Rows of ids that live in these buckets and came in others, sorted out once, in files while it lasts."""
        found = Foreign(folder / "foreign")
        if not buckets or self.is_plain:
            yield found
            return
        rmtree(found.folder, ignore_errors=True)  # of somebody who did not finish
        found.folder.mkdir(mode=0o700)
        for bucket, files in self.files.items():
            for file in files.values():
                for home, rows in self._elsewhere(file, bucket, columns).items():
                    if home in buckets:
                        found.add(home, rows)
        try:
            yield found
        finally:
            rmtree(found.folder, ignore_errors=True)

    def _elsewhere(self, file: LakeFile, bucket: int, columns: Sequence[str]) -> dict[int, pa.Table]:
        events = self.store.read(file, columns)
        some = events.filter(pc.is_in(events["customer"], value_set=self._owned["customer"]))
        if not some.num_rows:
            return {}
        found = self.by_home(self._named(some, self._owned))
        found.pop(bucket, None)
        return found

    def bucket(self, bucket: int, columns: Sequence[str], foreign: Foreign) -> list[pa.Table]:
        """All rows of those who live in a bucket."""
        tables = [self.store.read(file, columns) for file in self.files[bucket].values()]
        if self.is_plain:
            return tables
        named = (self._named(table, self._owned) for table in tables if table.num_rows)
        own = (self.by_home(table).get(bucket) for table in named)
        return [*(table for table in own if table is not None), *foreign.tables(bucket)]

    # --- some persons ---

    def parts(self, persons: Sequence[str]) -> dict[str, tuple[Part, ...]]:
        return self.store.persons.parts(persons, self.sequence)

    def histories(self, persons: Sequence[str], columns: Sequence[str]) -> list[pa.Table]:
        """All rows of some persons."""
        ids: dict[int, set[str]] = {}
        for parts in self.parts(persons).values():
            for part in parts:
                ids.setdefault(bucket_of(part.customer, self.store.buckets), set()).add(part.customer)
        wanted = pa.array(persons, pa.string())
        found = []
        for bucket, some in ids.items():
            for file in self.files[bucket].values():
                for table in self.store.read_customers(file, sorted(some), columns):
                    named = self._named(table)
                    found.append(named.filter(pc.is_in(named["customer"], value_set=wanted)))
        return found

    def events_at(
        self,
        files: Mapping[int, Sequence[LakeFile]],
        bucket: int,
        persons: pa.StringArray,
        moments: Integers,
        columns: Sequence[str],
    ) -> tuple[list[pa.Table], list[Integers]]:
        """The events of persons of a bucket at moments in these files, and which of the pairs each is of."""
        tables, places = [], []
        every = {bucket: (persons, np.arange(len(moments)))}
        for home, (ids, pairs) in (every if self.is_plain else self._pairs(persons, moments)).items():
            wanted = pa.table(
                {"customer": ids, "time": pa.array(moments[pairs], pa.timestamp("us")), "pair": pairs}
            )
            for file in files[home]:
                inside = (moments[pairs] >= file.min_time) & (moments[pairs] <= file.max_time)
                if not inside.any():
                    continue
                some = ids.filter(pa.array(inside)).unique()
                for table in self.store.read_customers(file, some.to_pylist(), columns):
                    keys = table.select(["customer", "time"]).append_column(
                        "row", pa.array(np.arange(table.num_rows))
                    )
                    found = keys.join(wanted, ["customer", "time"], join_type="inner", use_threads=False)
                    found = found.sort_by("row")
                    tables.append(table.take(found["row"]))
                    places.append(found["pair"].to_numpy())
        return tables, places

    def _pairs(
        self, persons: pa.StringArray, moments: Integers
    ) -> dict[int, tuple[pa.StringArray, Integers]]:
        """By bucket the ids whose events at the moments are these persons', and which pairs they are of."""
        names = persons.to_pylist()
        parts = self.parts(names)
        found: dict[int, list[tuple[str, int]]] = {}
        for pair, (name, moment) in enumerate(zip(names, moments.tolist(), strict=True)):
            for part in parts[name]:
                if part.holds(moment):
                    home = bucket_of(part.customer, self.store.buckets)
                    found.setdefault(home, []).append((part.customer, pair))
        return {
            home: (pa.array([name for name, _ in some]), np.array([pair for _, pair in some]))
            for home, some in found.items()
        }


class Foreign:
    """Rows by the bucket where they belong, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[int, list[Path]] = {}

    def add(self, bucket: int, rows: pa.Table) -> None:
        files = self._files.setdefault(bucket, [])
        path = self.folder / f"{bucket}-{len(files)}.arrow"
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
            writer.write_table(rows)
        files.append(path)

    def tables(self, bucket: int) -> list[pa.Table]:
        return [pa.ipc.open_file(pa.memory_map(str(path))).read_all() for path in self._files.get(bucket, ())]
