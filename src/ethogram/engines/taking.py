"""Events from the lake put on tapes: whole buckets encoded anew, or what came since added to what is there.

To add events of a customer, their rows, old and new in order, are written past the end of the tape's rows and the customer's
span is set to them; where they were nobody looks any more. A tape that is full is written anew without such rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ethogram.engines.arrivals import Note, earliest, shortened
from ethogram.engines.merging import Merge, merged, ranges, tied
from ethogram.engines.rosters import added_to, keys_of, positions_of
from ethogram.engines.spec import Seen
from ethogram.engines.tapefiles import Filler, Shapes, make_file, one_array, write_arrays
from ethogram.engines.tapes import Encoded, encode
from ethogram.engines.tapeset import Kept, TapeSet, code_of
from ethogram.kernel.layout import NEVER
from ethogram.store import LakeFile, Store
from ethogram.store.paths import join_path

Integers = NDArray[np.int64]
BASE_COLUMNS = ("customer", "identified", "kind", "event", "time", "message_id", "source", "t_removed")
AT_ONCE = 1 << 19
"""New rows are encoded together up to about so many, so that memory stays bounded."""
SPARE = 4096
"""Rows; and half as many as a tape has."""


# --- reading ------------------------------------------------------------------------------------------------------------


def _read(store: Store, files: Sequence[LakeFile], tapes: TapeSet) -> list[pa.Table]:
    columns = [*BASE_COLUMNS, *_lake_columns(tapes)]
    return [store.read(file, columns) for file in files]


def _nothing() -> pa.Table:
    types = {"identified": pa.bool_(), "time": pa.timestamp("us"), "t_removed": pa.list_(pa.string())}
    return pa.table({name: pa.array([], types.get(name, pa.string())) for name in BASE_COLUMNS})


def _lake_columns(tapes: TapeSet) -> list[str]:
    found: set[str] = set()
    inner = {each for _, each in tapes.needs.each}
    for key in tapes.needs.columns:
        paths = [key.path, *(each + key.path for each in inner), *(inner if key.path == ("value",) else ())]
        for path in paths:
            if key.type == "length":
                found.add(f"pl:{join_path(path)}")
            else:
                found |= {f"p:{join_path(path)}:{type_}{end}" for type_ in "ntf" for end in ("", "[]")}
    found |= {f"t:{join_path(key.path)}:{key.type}" for key in tapes.traits}
    return sorted(found)


def _encode(table: pa.Table, position: Integers, size: int, tapes: TapeSet, known: Seen) -> Encoded:
    return encode(table, position, size, tapes.needs, known, tapes.names, tapes.texts, tapes.traits)


def _numbered(column: pa.ChunkedArray) -> tuple[pa.StringArray, Integers]:
    """The different texts, and the number of each row's."""
    encoded = one_array(pc.dictionary_encode(one_array(column)))
    return encoded.dictionary.cast(pa.string()), encoded.indices.to_numpy(zero_copy_only=False).astype(
        np.int64
    )


# --- rows of a tape -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows as they lie on a tape: `flat` a column a row; of each ragged column the length of each row's list and all values;
    `given` as on the tape."""

    time: Integers
    code: Integers
    flat: Integers
    lengths: tuple[Integers, ...]
    values: tuple[Integers, ...]
    given: Integers


def _rows(tapes: TapeSet, encoded: Encoded, code: Integers, rows: slice, given: slice) -> _Rows:
    flat = [encoded.flat[key][rows] for key in tapes.flat]
    lists = [encoded.ragged[key] for key in tapes.ragged]
    offsets = [one.offset[rows.start : rows.stop + 1] for one in lists]
    return _Rows(
        encoded.time[rows],
        code[rows],
        np.stack(flat) if flat else np.zeros((0, rows.stop - rows.start), np.int64),
        tuple(np.diff(offset) for offset in offsets),
        tuple(one.values[offset[0] : offset[-1]] for one, offset in zip(lists, offsets, strict=True)),
        encoded.given[given],
    )


def _put(file: Filler, rows: _Rows, kept: Kept) -> int:
    """Past what is there; the first row's place.

    A row's list ends where the next row's begins: so that rows that were there keep theirs, one row is left out.
    """
    first, size = kept.rows, len(rows.time)
    if rows.lengths:
        first += first > 0
        offsets, begin = [], kept.values
        for lengths, values in zip(rows.lengths, rows.values, strict=True):
            offsets.append(np.concatenate([[0], np.cumsum(lengths)]) + begin)
            file.put("ragged_value", values, begin)
            begin += len(values)
        file.put_columns("ragged_offset", np.stack(offsets), first)
        kept.values = begin
    file.put("time", rows.time, first)
    file.put("code", rows.code, first)
    file.put_columns("flat", rows.flat, first)
    file.put("given", rows.given, kept.givens)
    kept.rows = first + size
    kept.givens += len(rows.given)
    return first


def _room(rows: _Rows) -> Shapes:
    size, values, given = len(rows.time), sum(map(len, rows.values)), len(rows.given)
    size, values, given = (some + some // 2 + SPARE for some in (size, values, given))
    return {
        "time": (np.int64, (size,)),
        "code": (np.uint16, (size,)),
        "flat": (np.int64, (len(rows.flat), size)),
        "ragged_offset": (np.int64, (len(rows.lengths), size + 1)),
        "ragged_value": (np.int64, (values if rows.lengths else 0,)),
        "given": (np.int64, (given, 3)),
    }


def _fits(tapes: TapeSet, bucket: int, rows: _Rows) -> bool:
    kept, (arrays, _) = tapes.buckets[bucket], tapes.bucket(bucket)
    return (
        len(arrays["flat"]) == len(tapes.flat)
        and kept.rows + 1 + len(rows.time) <= len(arrays["time"])
        and kept.givens + len(rows.given) <= len(arrays["given"])
        and kept.values + sum(map(len, rows.values)) <= max(len(arrays["ragged_value"]), not rows.values)
    )


def _make_tape(tapes: TapeSet, bucket: int, rows: _Rows) -> None:
    """A tape that holds these rows and nothing else."""
    kept = tapes.buckets[bucket]
    kept.names["tape"] = f"{bucket}-{tapes.new_name('tape')}"
    kept.rows = kept.values = kept.givens = 0
    make_file(tapes.folder / kept.names["tape"], _room(rows))
    with Filler(tapes.folder / kept.names["tape"]) as file:
        _put(file, rows, kept)


def _write(tapes: TapeSet, bucket: int, kind: str, **arrays: NDArray[np.generic]) -> None:
    name = f"{bucket}-{tapes.new_name(kind)}"
    write_arrays(tapes.folder / name, arrays)
    tapes.buckets[bucket].names[kind] = name


# --- a bucket anew ------------------------------------------------------------------------------------------------------


def encode_anew(store: Store, files: Sequence[LakeFile], bucket: int, tapes: TapeSet, known: Seen) -> bool:
    """False where there are more different codes than a tape can hold."""
    _forget(tapes, bucket)
    tables = _read(store, files, tapes)
    table = pa.concat_tables(tables, promote_options="permissive") if tables else _nothing()
    kept = tapes.buckets.setdefault(bucket, Kept())
    roster = tapes.roster(bucket)
    customers, number = _numbered(table["customer"])
    positions = positions_of(customers, roster, tapes.keys(bucket))
    fresh = positions < 0
    positions[fresh] = len(roster) + np.arange(int(fresh.sum()))
    roster = pa.concat_arrays([roster, customers.filter(pa.array(fresh))])
    encoded = _encode(table, positions[number], len(roster), tapes, known)
    code = code_of(tapes, encoded)
    if code is None:
        return False
    _make_tape(tapes, bucket, _rows(tapes, encoded, code, slice(0, len(code)), slice(0, len(encoded.given))))
    _write(tapes, bucket, "spans", spans=_spans(encoded.offset))
    _write(tapes, bucket, "people", births=encoded.births, given_spans=_spans(encoded.given_offset))
    keys = keys_of(roster)
    _write(tapes, bucket, "keys", hashes=keys.hashes, places=keys.places)
    tapes.enlisted(bucket, roster)
    kept.customers = len(roster)
    kept.files = {file.id: file.rows for file in files}
    kept.noted = max((file.sequence for file in files), default=0)
    tapes.map(bucket)
    return True


def _forget(tapes: TapeSet, bucket: int) -> None:
    """Its events are no longer counted."""
    if tapes.is_open(bucket):
        arrays, _ = tapes.bucket(bucket)
        spans = arrays["spans"]
        codes = arrays["code"][ranges(spans[:, 0], spans[:, 1] - spans[:, 0])]
        tapes.counts -= np.bincount(codes, minlength=len(tapes.counts))


def _spans(offset: Integers) -> Integers:
    """Rows (first, past) of neighboring offsets."""
    return np.stack([offset[:-1], offset[1:]], axis=1)


# --- what came since ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Lot:
    """New lake rows of several buckets. Their customers are numbered by bucket and position: those of the bucket in place b are
    `edges[b] : edges[b + 1]`, `position` says where they are on its tape, `fresh[b]` are those that it does not have yet."""

    table: pa.Table
    customer: Integers
    buckets: tuple[int, ...]
    edges: Integers
    position: Integers
    fresh: tuple[pa.StringArray, ...]

    @property
    def size(self) -> int:
        return len(self.position)

    def parts(self) -> Iterator[tuple[int, slice]]:
        for place, bucket in enumerate(self.buckets):
            yield bucket, slice(int(self.edges[place]), int(self.edges[place + 1]))


def take_in(
    store: Store,
    tapes: TapeSet,
    files: Mapping[int, Sequence[LakeFile]],
    held: Mapping[int, Sequence[LakeFile]],
    known: Seen,
) -> Iterator[int | None]:
    """Adds the rows of new files by bucket, where those of the files `held` are; yields how many buckets are done, or None and nothing more where there are more
    different codes than a tape can hold."""
    done = 0
    for some in _batches(files):
        lot, sequences = _gathered(store, tapes, some)
        encoded = _encode(lot.table, lot.customer, lot.size, tapes, known)
        _note(tapes, lot, sequences)
        lot, encoded = _with_ties(store, tapes, lot, encoded, held, known)
        code = code_of(tapes, encoded)
        if code is None:
            yield None
            return
        for place, (bucket, who) in enumerate(lot.parts()):
            _add(tapes, bucket, lot.position[who], lot.fresh[place], encoded, code, who)
            tapes.buckets[bucket].files |= {file.id: file.rows for file in some[bucket]}
        done += len(some)
        yield done


def _batches(files: Mapping[int, Sequence[LakeFile]]) -> Iterator[dict[int, Sequence[LakeFile]]]:
    batch: dict[int, Sequence[LakeFile]] = {}
    rows = 0
    for bucket in sorted(files):
        more = sum(file.rows for file in files[bucket])
        if batch and rows + more > AT_ONCE:
            yield batch
            batch, rows = {}, 0
        batch[bucket] = files[bucket]
        rows += more
    if batch:
        yield batch


def _gathered(store: Store, tapes: TapeSet, files: Mapping[int, Sequence[LakeFile]]) -> tuple[_Lot, Integers]:
    every = [file for some in files.values() for file in some]
    table = pa.concat_tables(_read(store, every, tapes), promote_options="permissive")
    sizes = [file.rows for file in every]
    customers, number = _numbered(table["customer"])
    home = np.zeros(len(customers), np.int64)
    home[number] = np.repeat([file.bucket for file in every], sizes)
    buckets = tuple(files)
    edges = np.searchsorted(home, [*buckets, buckets[-1] + 1])
    position = np.zeros(len(customers), np.int64)
    fresh = []
    for place, bucket in enumerate(buckets):
        some = customers.slice(edges[place], edges[place + 1] - edges[place])
        own = positions_of(some, tapes.roster(bucket), tapes.keys(bucket))
        is_new = own < 0
        own[is_new] = tapes.buckets[bucket].customers + np.arange(int(is_new.sum()))
        position[edges[place] : edges[place + 1]] = own
        fresh.append(some.filter(pa.array(is_new)))
    order = np.lexsort((position, home))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    lot = _Lot(table, rank[number], buckets, edges.astype(np.int64), position[order], tuple(fresh))
    return lot, np.repeat([file.sequence for file in every], sizes)


def _note(tapes: TapeSet, lot: _Lot, sequences: Integers) -> None:
    """Who had new events, for whoever asks later."""
    time = pc.cast(lot.table["time"], pa.int64()).to_numpy(zero_copy_only=False)
    sequence, who, first = earliest(sequences, lot.customer, time, lot.size)
    home = np.repeat(lot.buckets, np.diff(lot.edges))
    rows = np.stack([sequence, home[who], lot.position[who], first], axis=1)
    name = f"{lot.buckets[0]}-{tapes.new_name('arrivals')}"
    with (tapes.folder / name).open("wb") as file:
        np.save(file, rows)
    kept, forgotten = shortened([*tapes.notes, Note(name, int(sequence.max()), len(rows))])
    tapes.notes = kept
    if forgotten:
        for one in tapes.buckets.values():
            one.noted = max(one.noted, forgotten)


# --- ties ---------------------------------------------------------------------------------------------------------------


def _with_ties(
    store: Store,
    tapes: TapeSet,
    lot: _Lot,
    encoded: Encoded,
    held: Mapping[int, Sequence[LakeFile]],
    known: Seen,
) -> tuple[_Lot, Encoded]:
    """With the old events of moments at which a customer has old and new ones: message ids order these, which tapes lack."""
    tables, owners = [lot.table], [lot.customer]
    for bucket, who in lot.parts():
        customers, moments = _tied_moments(tapes, bucket, lot.position[who], encoded, who)
        if len(customers):
            names = tapes.roster(bucket).take(pa.array(lot.position[who][customers]))
            table, place = _events_at(store, tapes, held[bucket], names, moments)
            tables.append(table)
            owners.append(customers[place] + who.start)
    if len(tables) == 1:
        return lot, encoded
    table = pa.concat_tables(tables, promote_options="permissive")
    lot = replace(lot, table=table, customer=np.concatenate(owners))
    return lot, _encode(lot.table, lot.customer, lot.size, tapes, known)


def _tied_moments(
    tapes: TapeSet, bucket: int, positions: Integers, encoded: Encoded, who: slice
) -> tuple[Integers, Integers]:
    arrays, _ = tapes.bucket(bucket)
    owners, moments = [], []
    for offset, time, spans, old in (
        (encoded.offset, encoded.time, arrays["spans"], arrays["time"]),
        (encoded.given_offset, encoded.given[:, 0], arrays["given_spans"], arrays["given"][:, 0]),
    ):
        own = offset[who.start : who.stop + 1]
        new = time[own[0] : own[-1]]
        is_tied = tied(_spans_of(spans, positions), old, own - own[0], new)
        owners.append(np.repeat(np.arange(len(positions)), np.diff(own))[is_tied])
        moments.append(new[is_tied])
    pairs = np.unique(np.stack([np.concatenate(owners), np.concatenate(moments)], axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _events_at(
    store: Store,
    tapes: TapeSet,
    files: Sequence[LakeFile],
    names: pa.StringArray,
    moments: Integers,
) -> tuple[pa.Table, Integers]:
    """The events of these customers at these moments in files of one bucket, and which of the pairs each is of."""
    wanted = pa.table(
        {"customer": names, "time": pa.array(moments, pa.timestamp("us")), "pair": np.arange(len(moments))}
    )
    tables, places = [_nothing()], [np.zeros(0, np.int64)]
    for file in files:
        inside = (moments >= file.min_time) & (moments <= file.max_time)
        if not inside.any():
            continue
        some = names.filter(pa.array(inside)).unique()
        for table in store.read_customers(file, some.to_pylist(), [*BASE_COLUMNS, *_lake_columns(tapes)]):
            keys = table.select(["customer", "time"]).append_column(
                "row", pa.array(np.arange(table.num_rows))
            )
            found = keys.join(wanted, ["customer", "time"], join_type="inner", use_threads=False).sort_by(
                "row"
            )
            tables.append(table.take(found["row"]))
            places.append(found["pair"].to_numpy())
    return pa.concat_tables(tables, promote_options="permissive"), np.concatenate(places)


# --- adding to a tape ---------------------------------------------------------------------------------------------------


def _add(
    tapes: TapeSet,
    bucket: int,
    positions: Integers,
    fresh: pa.StringArray,
    encoded: Encoded,
    code: Integers,
    who: slice,
) -> None:
    kept = tapes.buckets[bucket]
    arrays, roster = tapes.bucket(bucket)
    size = kept.customers + len(fresh)
    spans, given_spans, births = arrays["spans"], arrays["given_spans"], arrays["births"]
    events, givens = encoded.offset[who.start : who.stop + 1], encoded.given_offset[who.start : who.stop + 1]
    new = _rows(tapes, encoded, code, _slice(events), _slice(givens))
    changed = ["spans"]
    having = np.flatnonzero(np.diff(givens))
    chosen, chosen_given = positions, positions[having]
    offset, given_offset = events - events[0], np.append(givens[having], givens[-1]) - givens[0]
    rows, ends, given_ends = _merged(
        arrays, new, _spans_of(spans, chosen), _spans_of(given_spans, chosen_given), offset, given_offset
    )
    if _fits(tapes, bucket, rows):
        is_whole, begin_given = False, kept.givens
        with Filler(tapes.folder / kept.names["tape"]) as file:
            begin = _put(file, rows, kept)
    else:
        chosen = chosen_given = np.arange(size)
        offset = offset[np.searchsorted(positions, np.arange(size + 1))]
        given_offset = (givens - givens[0])[np.searchsorted(positions, np.arange(size + 1))]
        old = _spans_of(spans, chosen), _spans_of(given_spans, chosen)
        rows, ends, given_ends = _merged(arrays, new, *old, offset, given_offset)
        _make_tape(tapes, bucket, rows)
        is_whole, begin, begin_given = True, 0, 0
        changed.append("tape")
    spans = _grown(spans, size, 0)
    spans[chosen] = _spans(ends + begin)
    _write(tapes, bucket, "spans", spans=spans)
    if len(fresh) or len(having) or is_whole or (encoded.births[who] < births[positions]).any():
        births, given_spans = _grown(births, size, NEVER), _grown(given_spans, size, 0)
        births[positions] = np.minimum(births[positions], encoded.births[who])
        given_spans[chosen_given] = _spans(given_ends + begin_given)
        _write(tapes, bucket, "people", births=births, given_spans=given_spans)
        changed.append("people")
    if len(fresh):
        keys = added_to(tapes.keys(bucket), fresh)
        _write(tapes, bucket, "keys", hashes=keys.hashes, places=keys.places)
        tapes.enlisted(bucket, pa.concat_arrays([roster, fresh]))
        kept.customers = size
    tapes.map(bucket, changed)
    if not is_whole and len(rows.time) and tapes.bucket(bucket)[0]["time"][kept.rows - 1] != rows.time[-1]:
        tapes.map(bucket)  # the system does not show what is written to who has the file mapped


def _slice(offset: Integers) -> slice:
    return slice(int(offset[0]), int(offset[-1]))


def _grown(table: Integers, size: int, filling: int) -> Integers:
    """A copy with further rows."""
    grown = np.full((size, table.shape[1]), filling, np.int64)
    grown[: len(table)] = table
    return grown


def _spans_of(spans: Integers, positions: Integers) -> Integers:
    """Empty for customers that are not there yet."""
    found = np.zeros((len(positions), 2), np.int64)
    there = positions < len(spans)
    found[there] = spans[positions[there]]
    return found


def _merged(
    arrays: Mapping[str, Integers],
    new: _Rows,
    spans: Integers,
    given_spans: Integers,
    offset: Integers,
    given_offset: Integers,
) -> tuple[_Rows, Integers, Integers]:
    """The old and new rows of some customers, and where each customer's end."""
    merge = merged(spans, arrays["time"], offset, new.time)
    flat = np.empty((len(new.flat), len(merge)), np.int64)
    for column, values in enumerate(new.flat):
        flat[column] = merge.of(arrays["flat"][column], values)
    lengths, values = [], []
    for column, (own_lengths, own_values) in enumerate(zip(new.lengths, new.values, strict=True)):
        whole = _merged_lists(
            arrays["ragged_offset"][column], arrays["ragged_value"], merge, own_lengths, own_values
        )
        lengths.append(whole[0])
        values.append(whole[1])
    given = merged(given_spans, arrays["given"][:, 0], given_offset, new.given[:, 0])
    rows = _Rows(
        merge.of(arrays["time"], new.time),
        merge.of(arrays["code"], new.code),
        flat,
        tuple(lengths),
        tuple(values),
        given.of(arrays["given"], new.given),
    )
    return rows, merge.offset, given.offset


def _merged_lists(
    offset: Integers, value: Integers, merge: Merge, lengths: Integers, values: Integers
) -> tuple[Integers, Integers]:
    begin = offset[merge.old]
    own = offset[merge.old + 1] - begin
    all_lengths = np.empty(len(merge), np.int64)
    all_lengths[merge.old_at], all_lengths[merge.new_at] = own, lengths
    ends = np.cumsum(all_lengths)
    found = np.empty(int(ends[-1]) if len(ends) else 0, np.int64)
    found[ranges((ends - all_lengths)[merge.old_at], own)] = value[ranges(begin, own)]
    found[ranges((ends - all_lengths)[merge.new_at], lengths)] = values
    return all_lengths, found
