"""Sizes over time, who moved where, and the feed of changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ethogram.engines.answers import Evaluator
from ethogram.membership.layers import columns_of
from ethogram.membership.reading import find, unknown
from ethogram.membership.stays import OUT
from ethogram.model.event import Moment
from ethogram.store import Store


@dataclass(frozen=True, slots=True)
class VersionMark:
    """From here on the record follows another version of the definition; `text` is as it was written."""

    at: Moment
    version: int
    text: str


@dataclass(frozen=True, slots=True)
class History:
    """Sizes at moments, by group ("" for a segment), all under today's definition; `marks` say when it was edited."""

    name: str
    moments: tuple[Moment, ...]
    sizes: Mapping[str, tuple[int, ...]]
    marks: tuple[VersionMark, ...]


def history(store: Store, engine: Evaluator, name: str, moments: Sequence[Moment]) -> History:
    """Of a segment, a group, or all groups of a segmentation."""
    return histories(store, engine, (name,), moments)[0]


def histories(
    store: Store, engine: Evaluator, names: Sequence[str], moments: Sequence[Moment]
) -> tuple[History, ...]:
    """Of several, for which everybody is asked once."""
    columns = columns_of(engine)
    found = [(name, *find(columns, name)) for name in names]
    sizes = engine.sizes(moments)
    moment_of = dict(store.ledger.rows("SELECT id, as_of FROM refreshes"))
    told = []
    for name, definition, group in found:
        is_segment = definition in columns.segments
        wanted = ("",) if is_segment else ((group,) if group else columns.groups(definition))
        own = {one: tuple(sizes[f"{definition}.{one}" if one else definition].tolist()) for one in wanted}
        marks = tuple(
            VersionMark(int(moment_of[version.since_refresh] or 0), version.version, version.text)
            for version in store.memory.definition_versions(definition)
            if version.version > 1
        )
        told.append(History(name, tuple(moments), own, marks))
    return tuple(told)


@dataclass(frozen=True, slots=True)
class Flow:
    """`counts[i][j]` customers were in `groups[i]` at the start and are in `groups[j]` at the end.

    The last group, without a name, is of those not known at the time.
    """

    segmentation: str
    start: Moment
    end: Moment
    groups: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


def flow(engine: Evaluator, segmentation: str, start: Moment, end: Moment) -> Flow:
    """Who moved from which group to which, under today's definition."""
    if segmentation not in engine.segmentations:
        raise unknown(segmentation, list(engine.segmentations), "segmentation")
    row = list(engine.segmentations).index(segmentation)
    groups = (*engine.group_names(segmentation), "")
    size = len(groups)
    counts = np.zeros(size * size, dtype=np.int64)
    for before, after in zip(engine.evaluate(start, traits=()), engine.evaluate(end, traits=()), strict=True):
        pair = [np.where(one.groups[row] == OUT, size - 1, one.groups[row]) for one in (before, after)]
        counts += np.bincount(pair[0].astype(np.int64) * size + pair[1], minlength=size * size)
    counts[-1] = 0
    rows = tuple(tuple(line) for line in counts.reshape(size, size).tolist())
    return Flow(segmentation, start, end, groups, rows)


_FEED = pa.schema(
    [
        ("seq", pa.int64()),
        ("customer", pa.string()),
        ("definition", pa.string()),
        ("change", pa.string()),
        ("from_group", pa.string()),
        ("to_group", pa.string()),
        ("at", pa.timestamp("us", "UTC")),
        ("refresh", pa.int64()),
        ("version", pa.int64()),
    ]
)


def changes(
    store: Store, after: int = 0, *, name: str = "", customer: str = "", limit: int = 100_000
) -> pa.Table:
    """The feed behind a `seq`, oldest first.

    `at` is null where it is not known when the answer changed: the definition was edited, or the events are from before
    the record. Groups are empty for segments.
    """
    rows = store.memory.changes(after=after, limit=limit, definition=name or None, customer=customer or None)
    cells = [_cells([getattr(row, field.name) for row in rows], field.type) for field in _FEED]
    return pa.table(cells, schema=_FEED)


def _cells(values: list[object], kind: pa.DataType) -> pa.Array:
    return pa.array(values, pa.int64()).cast(kind) if pa.types.is_timestamp(kind) else pa.array(values, kind)
