"""Events as columns, on their way into files: pieces of one kind of event each, put together and ordered by time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ethogram.simulate.traces import EVENTS, SOURCES, schema

Times: TypeAlias = NDArray[np.int64]
People: TypeAlias = NDArray[np.int64]
Column: TypeAlias = "pa.Array | NDArray[np.generic]"


@dataclass(frozen=True, slots=True)
class Coded:
    """Texts by their place in a list; -1 is none."""

    places: NDArray[np.integer]
    texts: Sequence[str]

    def array(self) -> pa.Array:
        return pa.array(self.texts, pa.string()).take(pa.array(self.places, mask=self.places < 0))


class Pieces:
    """The events of some customers, by source; people are numbers. `carried` says which properties each event had."""

    def __init__(self) -> None:
        self.found: dict[str, list[pa.Table]] = {source: [] for source in SOURCES}
        self.carried: dict[str, set[str]] = {}

    def add(self, event: str, people: People, times: Times, **columns: Column | Coded) -> None:
        source, known = EVENTS[event]
        assert set(columns) <= set(known), (event, columns.keys())
        size = len(people)
        if not size:
            return
        there: dict[str, pa.Array] = {
            "customer": pa.array(people),
            "time": pa.array(times),
            "event": pa.array([event]).take(pa.array(np.zeros(size, np.int8))),
        }
        for name, kind in SOURCES[source].items():
            given = columns.get(name)
            if given is None:
                there[name] = pa.nulls(size, kind)
            elif isinstance(given, Coded):
                there[name] = given.array()
            else:
                there[name] = pa.array(given).cast(kind)
        self.found[source].append(pa.table(there))
        carried = {name for name in SOURCES[source] if there[name].null_count < size}
        self.carried.setdefault(event, set()).update(carried)

    def add_rows(self, person: int, rows: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
        """The events of one customer, as rows."""
        for source, listed in rows.items():
            kinds = {"customer": pa.int64(), "time": pa.int64(), "event": pa.string(), **SOURCES[source]}
            whole = [{"customer": person, **row} for row in listed]
            for row in listed:
                self.carried.setdefault(str(row["event"]), set()).update(row.keys() & SOURCES[source].keys())
            self.found[source].append(pa.Table.from_pylist(whole, pa.schema(kinds)))

    def table(self, source: str, names: pa.Array, first: int) -> pa.Table:
        """All events of a source by time, then customer; message ids begin at `first`."""
        kinds = {"customer": pa.int64(), "time": pa.int64(), "event": pa.string(), **SOURCES[source]}
        if not self.found[source]:
            return schema(source).empty_table()
        whole = pa.concat_tables(self.found[source]).combine_chunks()
        whole = whole.select(list(kinds))
        times, people = (whole[name].to_numpy() for name in ("time", "customer"))
        order = np.lexsort((np.arange(len(times)), people, times))
        whole = whole.take(pa.array(order))
        ids = pc.binary_join_element_wise(
            pa.scalar(f"{source[0]}"),
            pa.array(np.arange(first, first + len(order))).cast(pa.string()),
            pa.scalar(""),
        )
        columns = {
            "message_id": ids,
            "customer": names.take(whole["customer"]),
            "time": whole["time"].cast(pa.timestamp("us", "UTC")),
        }
        rest = {name: whole[name] for name in whole.column_names if name not in ("customer", "time")}
        return pa.table({**columns, **rest}).cast(schema(source))
