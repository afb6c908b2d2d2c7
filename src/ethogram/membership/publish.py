"""Tables for other tools: who is in what now, and everyone's traits, as Parquet files.

They are written when the refresh has taken effect, one file a bucket, and only where something changed; each takes the place of
the old one at once. A process that dies in between leaves files of both refreshes, each of which says which one it shows; the
next refresh that publishes writes all of them again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ethogram.engines.answers import Evaluator
from ethogram.language.tree import Definitions
from ethogram.membership.layers import Recorded
from ethogram.membership.stays import OUT
from ethogram.membership.versions import meaning_hashes
from ethogram.model.event import Moment
from ethogram.model.settings import Settings
from ethogram.store import Store

PUBLISHED: Final = "published"
MEMBERSHIPS: Final = "memberships"
TRAITS: Final = "traits"
"""Folders of one Parquet file a bucket: `published/memberships/*.parquet` is the whole table."""
STATE: Final = "shown.json"
"""Written last: which refresh the tables show."""

_MEMBERSHIPS: Final = pa.schema(
    [
        pa.field("customer", pa.string(), nullable=False),
        pa.field("segment", pa.dictionary(pa.int32(), pa.string())),
        pa.field("segmentation", pa.dictionary(pa.int32(), pa.string())),
        pa.field("group", pa.dictionary(pa.int32(), pa.string())),
        pa.field("since", pa.timestamp("us", "UTC")),
    ]
)


@dataclass(frozen=True, slots=True)
class OpenStays:
    """Stays that go on now and whose beginning is known: `entered_at` by customer, for each definition and group."""

    rows: Mapping[tuple[str, str], tuple[pa.StringArray, NDArray[np.int64]]]

    def since(self, definition: str, group: str, roster: pa.StringArray) -> pa.Array:
        """When each customer of a roster came in, null where unknown."""
        since = np.zeros(len(roster), dtype=np.int64)
        unknown = np.ones(len(roster), dtype=np.bool_)
        customers, entered = self.rows.get((definition, group), (None, None))
        if customers is not None and entered is not None:
            places = pc.index_in(customers, value_set=roster)
            here = places.is_valid().to_numpy(zero_copy_only=False)
            found = places.drop_null().to_numpy()
            since[found], unknown[found] = entered[here], False
        return pa.array(since, pa.int64(), mask=unknown).cast(pa.timestamp("us", "UTC"))


Progress: TypeAlias = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Shown:
    """What published tables show: which refresh, of which moment, and the hash of every trait's definition."""

    refresh: int
    as_of: Moment
    traits: Mapping[str, str]


def traits_of(definitions: Definitions, settings: Settings, engine: Evaluator) -> dict[str, str]:
    hashes = meaning_hashes(definitions, settings)
    return {name: hashes.get(name, "") for name in engine.traits}


def publish(
    store: Store,
    engine: Evaluator,
    of_traits: Callable[[], Evaluator],
    recorded: Recorded,
    now: Shown,
    touched: frozenset[int] | None,
    progress: Progress,
) -> None:
    """Brings the tables from the last refresh to this one, which touched these buckets (None: all).

    `of_traits` is asked for an engine that answers traits, if any have to be written. What was not published with the last refresh is written whole. Traits that change with every moment, or with everybody
    else, take an evaluation of everybody; so do traits that were edited.
    """
    folder = store.folder / PUBLISHED
    every = frozenset(range(engine.buckets))
    last = _read_shown(folder / STATE)
    is_next = last is not None and last.refresh == now.refresh - 1
    homes = touched if touched is not None and is_next else every
    fickle = (engine.restless | engine.refitted) & frozenset(engine.traits)
    still = (
        last is not None
        and last.traits == now.traits
        and (not fickle or (last.as_of == now.as_of and not homes))
    )
    store.disk.reached("publish.before-traits")
    _publish_traits(folder / TRAITS, of_traits, now, homes if still else every, progress)
    store.disk.reached("publish.before-memberships")
    stays = read_open_stays(store) if homes else OpenStays({})
    for done, bucket in enumerate(sorted(homes)):
        progress("Publishing", done, len(homes))
        _publish_bucket(folder / MEMBERSHIPS, recorded, bucket, stays, now)
    progress("Publishing", len(homes), len(homes))
    store.disk.write_file(folder / STATE, json.dumps(asdict(now)).encode(), point="publish")


def _read_shown(path: Path) -> Shown | None:
    """None where nothing was published, or nothing is known of it."""
    try:
        found = json.loads(path.read_bytes())
        return Shown(int(found["refresh"]), int(found["as_of"]), dict(found["traits"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _part(folder: Path, bucket: int) -> Path:
    return folder / f"bucket-{bucket:03}.parquet"


def _publish_traits(
    folder: Path,
    of_traits: Callable[[], Evaluator],
    now: Shown,
    buckets: frozenset[int],
    progress: Progress,
) -> None:
    """Everyone's traits, in the buckets told, as the answers come by."""
    if not now.traits or not buckets:
        return
    folder.mkdir(parents=True, exist_ok=True)
    engine = of_traits()
    asked = {bucket: np.arange(len(engine.roster(bucket)), dtype=np.int64) for bucket in sorted(buckets)}
    whole = None if len(buckets) == engine.buckets else asked
    for done, answers in enumerate(engine.evaluate(now.as_of, whole, tuple(now.traits))):
        progress("Publishing traits", done, len(buckets))
        customers = engine.roster(answers.bucket).take(pa.array(answers.positions))
        table = pa.table({"customer": customers, **answers.traits}).filter(pa.array(answers.known))
        _write(_part(folder, answers.bucket), table.replace_schema_metadata(_label(now)))


def _write(target: Path, table: pa.Table) -> None:
    pq.write_table(table, _writing(target), compression="zstd")
    _writing(target).replace(target)


def _label(now: Shown) -> dict[str, str]:
    """What a published file says of itself."""
    return {"ethogram": f"refresh {now.refresh}"}


def _publish_bucket(folder: Path, recorded: Recorded, bucket: int, stays: OpenStays, now: Shown) -> None:
    """One row for each segment a customer is in, and one for each of their groups."""
    folder.mkdir(parents=True, exist_ok=True)
    target = _part(folder, bucket)
    schema = _MEMBERSHIPS.with_metadata(_label(now))
    with pq.ParquetWriter(_writing(target), schema, compression="zstd") as writer:
        for tables in _in_portions(_bucket_rows(recorded, bucket, stays)):
            writer.write_table(pa.concat_tables(tables).unify_dictionaries().cast(schema))
    _writing(target).replace(target)


_PORTION = 1 << 18


def _in_portions(tables: Iterator[pa.Table]) -> Iterator[list[pa.Table]]:
    portion: list[pa.Table] = []
    rows = 0
    for table in tables:
        portion.append(table)
        rows += table.num_rows
        if rows >= _PORTION:
            yield portion
            portion, rows = [], 0
    if portion:
        yield portion


def _bucket_rows(recorded: Recorded, bucket: int, stays: OpenStays) -> Iterator[pa.Table]:
    roster = recorded.customers(bucket)
    for index, segment in enumerate(recorded.columns.segments):
        inside = np.flatnonzero(recorded.flag_of(bucket, index))
        if len(inside):
            yield _rows(roster, inside, stays.since(segment, "", roster), segment=segment)
    for index, (segmentation, names) in enumerate(recorded.columns.segmentations):
        groups = recorded.group_of(bucket, index)
        for group in np.unique(groups[groups != OUT]).tolist():
            inside = np.flatnonzero(groups == group)
            since = stays.since(segmentation, names[group], roster)
            yield _rows(roster, inside, since, segmentation=segmentation, group=names[group])


def _rows(
    roster: pa.StringArray,
    inside: NDArray[np.int64],
    since: pa.Array,
    *,
    segment: str | None = None,
    segmentation: str | None = None,
    group: str | None = None,
) -> pa.Table:
    places = pa.array(inside)
    names = [_repeated(name, len(inside)) for name in (segment, segmentation, group)]
    return pa.table([roster.take(places), *names, since.take(places)], schema=_MEMBERSHIPS)


def _repeated(name: str | None, count: int) -> pa.DictionaryArray:
    if name is None:
        return pa.nulls(count, pa.dictionary(pa.int32(), pa.string()))
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, dtype=np.int32)), pa.array([name]))


def _writing(path: Path) -> Path:
    return path.with_suffix(".writing")


def read_open_stays(store: Store) -> OpenStays:
    """All stays that go on now and whose beginning is known."""
    table = store.memory.stays()
    table = table.filter(pc.and_(table["left_at"].is_null(), table["entered_at"].is_valid()))
    found: dict[tuple[str, str], tuple[pa.StringArray, NDArray[np.int64]]] = {}
    table = table.set_column(1, "definition", table["definition"].cast(pa.string()))
    table = table.set_column(2, "group", table["group"].cast(pa.string()))
    table = table.sort_by([("definition", "ascending"), ("group", "ascending")]).combine_chunks()
    if not len(table):
        return OpenStays({})
    names, groups = (pa.concat_arrays(table[name].chunks) for name in ("definition", "group"))
    edges = np.flatnonzero(_changes(names) | _changes(groups)).tolist()
    for start, end in pairwise([*edges, len(table)]):
        some = table.slice(start, end - start)
        customers = pa.concat_arrays(some["customer"].chunks)
        found[names[start].as_py(), groups[start].as_py()] = customers, some["entered_at"].to_numpy()
    return OpenStays(found)


def _changes(texts: pa.StringArray) -> NDArray[np.bool_]:
    """Where a text differs from the one before."""
    codes = texts.dictionary_encode().indices.to_numpy()
    return np.concatenate([[True], codes[1:] != codes[:-1]])
