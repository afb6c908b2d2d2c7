"""Events from the lake put on tapes: whole buckets encoded anew, or what came since added to what is there.

To add events of a customer, their rows, old and new in order, are written past the end of the tape's rows and the customer's
span is set to them; where they were nobody looks any more. A tape that is full is written anew without such rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ethogram.engines.arrivals import SEQUENCE, Note, earliest, shortened
from ethogram.engines.excerpts import excerpt
from ethogram.engines.homes import Foreign, Homes
from ethogram.engines.merging import Merge, merged, ranges, tied
from ethogram.engines.rosters import added_to, keys_of, positions_of
from ethogram.engines.spec import Seen
from ethogram.engines.tapefiles import Arrays, Filler, Shapes, make_file, one_array, write_arrays
from ethogram.engines.tapes import Encoded, encode
from ethogram.engines.tapeset import Kept, TapeSet, code_of
from ethogram.kernel.layout import NEVER
from ethogram.store import LakeFile
from ethogram.store.paths import join_path

Integers = NDArray[np.int64]
BASE_COLUMNS = ("customer", "identified", "kind", "event", "time", "message_id", "source", "t_removed")
AT_ONCE = 1 << 19
"""New rows are encoded together up to about so many, so that memory stays bounded."""
SPARE = 4096
"""Rows; and half as many as a tape has."""


# --- reading ------------------------------------------------------------------------------------------------------------


def _nothing() -> pa.Table:
    types = {"identified": pa.bool_(), "time": pa.timestamp("us"), "t_removed": pa.list_(pa.string())}
    return pa.table({name: pa.array([], types.get(name, pa.string())) for name in BASE_COLUMNS})


def lake_columns(tapes: TapeSet) -> list[str]:
    """What tapes are made of."""
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
    return [*BASE_COLUMNS, *sorted(found)]


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

    def part(self, rows: slice, given: slice) -> _Rows:
        begins = [int(lengths[: rows.start].sum()) for lengths in self.lengths]
        lengths = tuple(some[rows] for some in self.lengths)
        values = zip(self.values, begins, lengths, strict=True)
        return _Rows(
            self.time[rows],
            self.code[rows],
            self.flat[:, rows],
            lengths,
            tuple(some[begin : begin + int(own.sum())] for some, begin, own in values),
            self.given[given],
        )


def _rows(tapes: TapeSet, encoded: Encoded, code: Integers) -> _Rows:
    flat = [encoded.flat[key] for key in tapes.flat]
    lists = [encoded.ragged[key] for key in tapes.ragged]
    return _Rows(
        encoded.time,
        code,
        np.stack(flat) if flat else np.zeros((0, len(code)), np.int64),
        tuple(np.diff(one.offset) for one in lists),
        tuple(one.values for one in lists),
        encoded.given,
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
    kept, arrays = tapes.buckets[bucket], tapes.arrays(bucket)
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


def write_part(tapes: TapeSet, bucket: int, kind: str, **arrays: NDArray[np.generic]) -> None:
    name = f"{bucket}-{tapes.new_name(kind)}"
    write_arrays(tapes.folder / name, arrays)
    tapes.buckets[bucket].names[kind] = name


def write_spans(tapes: TapeSet, bucket: int, spans: Integers) -> None:
    write_part(tapes, bucket, "spans", spans=spans)
    tapes.moved = tapes.moved[tapes.moved[:, 0] != bucket]


# --- a bucket anew ------------------------------------------------------------------------------------------------------


def encode_anew(homes: Homes, bucket: int, tapes: TapeSet, known: Seen, foreign: Foreign) -> bool:
    """False where there are more different codes than a tape can hold."""
    _forget(tapes, bucket)
    files = homes.files[bucket].values()
    tables = homes.bucket(bucket, lake_columns(tapes), foreign)
    table = pa.concat_tables(tables, promote_options="permissive") if tables else _nothing()
    kept = tapes.buckets.setdefault(bucket, Kept())
    roster = tapes.roster(bucket)
    customers, number = _numbered(table["customer"])
    positions = positions_of(customers, roster, tapes.keys(bucket))
    fresh = positions < 0
    positions[fresh] = len(roster) + np.arange(int(fresh.sum()))
    roster = pa.concat_arrays([roster, customers.filter(pa.array(fresh))])
    behind = pa.array(homes.left_behind(bucket), pa.string())
    roster = pa.concat_arrays([roster, behind.filter(pc.invert(pc.is_in(behind, value_set=roster)))])
    encoded = _encode(table, positions[number], len(roster), tapes, known)
    code = code_of(tapes, encoded)
    if code is None:
        return False
    _make_tape(tapes, bucket, _rows(tapes, encoded, code))
    write_spans(tapes, bucket, _spans(encoded.offset))
    write_part(tapes, bucket, "people", births=encoded.births, given_spans=_spans(encoded.given_offset))
    keys = keys_of(roster)
    write_part(tapes, bucket, "keys", hashes=keys.hashes, places=keys.places)
    tapes.enlisted(bucket, roster)
    kept.customers = len(roster)
    kept.files = {file.id: file.rows for file in files}
    kept.noted = homes.newest(bucket)
    tapes.map(bucket)
    return True


def _forget(tapes: TapeSet, bucket: int) -> None:
    """Its events are no longer counted."""
    if tapes.is_open(bucket):
        arrays = tapes.arrays(bucket)
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
    homes: Homes,
    tapes: TapeSet,
    arriving: Iterable[Arriving],
    held: Mapping[int, list[LakeFile]],
    known: Seen,
) -> Iterator[int | None]:
    """Adds rows to tapes that have those of the files `held`; yields how many buckets' new files are done, or None and nothing more
    where there are more different codes than a tape can hold."""
    done = 0
    notes = []
    for some in arriving:
        lot = _gathered(homes, tapes, some)
        if lot is not None:
            encoded = _encode(lot.table, lot.customer, lot.size, tapes, known)
            notes.append(_noted(lot, some.sequences))
            own = [(tapes.arrays(bucket), lot.position[who]) for bucket, who in lot.parts()]
            old = excerpt(own, lot.edges.tolist(), len(tapes.flat))
            lot, encoded = _with_ties(homes, tapes, lot, encoded, old, held, known)
            code = code_of(tapes, encoded)
            if code is None:
                yield None
                return
            _add(tapes, lot, encoded, code, old)
        for bucket, new in some.files.items():
            tapes.buckets[bucket].files |= {file.id: file.rows for file in new}
            held[bucket].extend(new)
        done += len(some.files)
        yield done
    if notes:
        _note(tapes, np.concatenate(notes))


@dataclass(frozen=True, slots=True)
class Arriving:
    """Rows to take in, with the sequence of each; `files` by bucket are whole with them. Rows of one file after those of another
    of a bucket before, unless `is_mixed`."""

    table: pa.Table
    sequences: Integers
    files: Mapping[int, Sequence[LakeFile]]
    is_mixed: bool


def arriving(
    homes: Homes,
    tapes: TapeSet,
    files: Mapping[int, Sequence[LakeFile]],
    others: frozenset[str],
    stale: Sequence[int],
) -> Iterator[Arriving]:
    """The rows of new files by bucket, but for those of `others` and of those who live in buckets that are made anew."""
    for some in _batches(tapes, files):
        every = [file for own in some.values() for file in own]
        tables = [homes.read(file, lake_columns(tapes)) for file in every]
        table = pa.concat_tables(tables, promote_options="permissive")
        sequences = np.repeat([file.sequence for file in every], [one.num_rows for one in tables])
        if not homes.is_plain:
            kept = _stays(homes, table, others, stale)
            table, sequences = table.filter(pa.array(kept)), sequences[kept]
        yield Arriving(table, sequences, some, not homes.is_plain)


def _stays(homes: Homes, table: pa.Table, others: frozenset[str], stale: Sequence[int]) -> NDArray[np.bool_]:
    customers, number = _numbered(table["customer"])
    is_other = pc.is_in(customers, value_set=pa.array(sorted(others), pa.string()))
    gone = is_other.to_numpy(zero_copy_only=False) | np.isin(homes.of(customers), stale)
    return ~gone[number]


def _batches(
    tapes: TapeSet, files: Mapping[int, Sequence[LakeFile]]
) -> Iterator[dict[int, Sequence[LakeFile]]]:
    """Buckets that are no more than `AT_ONCE` together: the new rows, and about as many old ones as their customers have."""
    batch: dict[int, Sequence[LakeFile]] = {}
    rows = 0
    for bucket in sorted(files):
        kept, new = tapes.buckets[bucket], sum(file.rows for file in files[bucket])
        more = new + min(kept.rows, new * kept.rows // max(1, kept.customers))
        if batch and rows + more > AT_ONCE:
            yield batch
            batch, rows = {}, 0
        batch[bucket] = files[bucket]
        rows += more
    if batch:
        yield batch


def _gathered(homes: Homes, tapes: TapeSet, some: Arriving) -> _Lot | None:
    """None where there are no rows."""
    if not some.table.num_rows:
        return None
    customers, number = _numbered(some.table["customer"])
    if some.is_mixed:
        home = homes.of(customers)
        order = np.argsort(home, kind="stable")
        customers, home, number = customers.take(pa.array(order)), home[order], np.argsort(order)[number]
    else:
        home = np.zeros(len(customers), np.int64)
        sizes = {bucket: sum(file.rows for file in own) for bucket, own in some.files.items()}
        home[number] = np.repeat(list(sizes), list(sizes.values()))
    buckets = tuple(np.unique(home).tolist())
    edges = np.searchsorted(home, [*buckets, buckets[-1] + 1])
    position = np.zeros(len(customers), np.int64)
    fresh = []
    for place, bucket in enumerate(buckets):
        some_customers = customers.slice(edges[place], edges[place + 1] - edges[place])
        own = positions_of(some_customers, tapes.roster(bucket), tapes.keys(bucket))
        is_new = own < 0
        own[is_new] = tapes.buckets[bucket].customers + np.arange(int(is_new.sum()))
        position[edges[place] : edges[place + 1]] = own
        fresh.append(some_customers.filter(pa.array(is_new)))
    order = np.lexsort((position, home))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return _Lot(some.table, rank[number], buckets, edges.astype(np.int64), position[order], tuple(fresh))


def _noted(lot: _Lot, sequences: Integers) -> Integers:
    """Who had new events, for whoever asks later: rows of a note."""
    time = pc.cast(lot.table["time"], pa.int64()).to_numpy(zero_copy_only=False)
    sequence, who, first = earliest(sequences, lot.customer, time, lot.size)
    home = np.repeat(lot.buckets, np.diff(lot.edges))
    return np.stack([sequence, home[who], lot.position[who], first], axis=1)


def _note(tapes: TapeSet, rows: Integers) -> None:
    name = tapes.new_name("arrivals")
    with (tapes.folder / name).open("wb") as file:
        np.save(file, rows)
    kept, forgotten = shortened([*tapes.notes, Note(name, int(rows[:, SEQUENCE].max()), len(rows))])
    tapes.notes = kept
    if forgotten:
        for one in tapes.buckets.values():
            one.noted = max(one.noted, forgotten)


# --- ties ---------------------------------------------------------------------------------------------------------------


def _with_ties(
    homes: Homes,
    tapes: TapeSet,
    lot: _Lot,
    encoded: Encoded,
    old: Arrays,
    held: Mapping[int, Sequence[LakeFile]],
    known: Seen,
) -> tuple[_Lot, Encoded]:
    """With the old events of moments at which a customer has old and new ones: message ids order these, which tapes lack."""
    customers, moments = _tied_moments(encoded, old)
    if not len(customers):
        return lot, encoded
    tables, owners = [lot.table], [lot.customer]
    for bucket, who in lot.parts():
        own = slice(*np.searchsorted(customers, [who.start, who.stop]))
        if own.start < own.stop:
            names = tapes.roster(bucket).take(pa.array(lot.position[customers[own]]))
            found, places = homes.events_at(held, bucket, names, moments[own], lake_columns(tapes))
            tables += found
            owners += [customers[own][place] for place in places]
    table = pa.concat_tables(tables, promote_options="permissive")
    lot = replace(lot, table=table, customer=np.concatenate(owners))
    return lot, _encode(lot.table, lot.customer, lot.size, tapes, known)


def _tied_moments(encoded: Encoded, old: Arrays) -> tuple[Integers, Integers]:
    owners, moments = [], []
    for offset, time, spans, before in (
        (encoded.offset, encoded.time, old["spans"], old["time"]),
        (encoded.given_offset, encoded.given[:, 0], old["given_spans"], old["given"][:, 0]),
    ):
        is_tied = tied(spans, before, offset, time)
        owners.append(np.repeat(np.arange(len(spans)), np.diff(offset))[is_tied])
        moments.append(time[is_tied])
    pairs = np.unique(np.stack([np.concatenate(owners), np.concatenate(moments)], axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]


# --- adding to a tape ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Placed:
    """Where on a tape the events of customers at `positions` now are, and the given traits of those at `having`."""

    positions: Integers
    spans: Integers
    having: Integers
    given_spans: Integers
    is_new_tape: bool


def _add(tapes: TapeSet, lot: _Lot, encoded: Encoded, code: Integers, old: Arrays) -> None:
    """`old` are the rows that the lot's customers have."""
    new = _rows(tapes, encoded, code)
    events, givens = encoded.offset, encoded.given_offset
    having = np.flatnonzero(np.diff(givens))
    given_spans, given_offset = old["given_spans"][having], np.append(givens[having], givens[-1])
    rows, ends, given_ends = _merged(old, new, old["spans"], given_spans, events, given_offset)
    for place, (bucket, who) in enumerate(lot.parts()):
        some = slice(*np.searchsorted(having, [who.start, who.stop]).tolist())
        own, own_given = ends[who.start : who.stop + 1], given_ends[some.start : some.stop + 1]
        part, positions = rows.part(_slice(own), _slice(own_given)), lot.position[who]
        if _fits(tapes, bucket, part):
            first, first_given = _append(tapes, bucket, part)
            spans, own_spans = _spans(own - own[0] + first), _spans(own_given - own_given[0] + first_given)
            placed = _Placed(positions, spans, positions[having[some] - who.start], own_spans, False)
        else:
            offset, offset_given = events[who.start : who.stop + 1], givens[who.start : who.stop + 1]
            fresh = new.part(_slice(offset), _slice(offset_given))
            size = tapes.buckets[bucket].customers + len(lot.fresh[place])
            at = np.searchsorted(positions, np.arange(size + 1))
            placed = _rewrite(
                tapes, bucket, fresh, (offset - offset[0])[at], (offset_given - offset_given[0])[at]
            )
        _settle(tapes, bucket, placed, positions, encoded.births[who], lot.fresh[place])


def _append(tapes: TapeSet, bucket: int, rows: _Rows) -> tuple[int, int]:
    """Where the rows and the given traits begin."""
    kept = tapes.buckets[bucket]
    first_given = kept.givens
    with Filler(tapes.folder / kept.names["tape"]) as file:
        first = _put(file, rows, kept)
    arrays = tapes.arrays(bucket)
    if len(rows.time) and arrays["time"][kept.rows - 1] != rows.time[-1]:
        tapes.map(bucket)  # the system does not show what is written to who has the file mapped
    return first, first_given


def _rewrite(tapes: TapeSet, bucket: int, new: _Rows, offset: Integers, given_offset: Integers) -> _Placed:
    """Onto a tape without the rows that are nobody's any more; the offsets are of everyone."""
    arrays, everyone = tapes.arrays(bucket), np.arange(len(offset) - 1)
    spans, given_spans = (_grown(arrays[name], len(everyone), 0) for name in ("spans", "given_spans"))
    rows, ends, given_ends = _merged(arrays, new, spans, given_spans, offset, given_offset)
    _make_tape(tapes, bucket, rows)
    return _Placed(everyone, _spans(ends), everyone, _spans(given_ends), True)


def _settle(
    tapes: TapeSet,
    bucket: int,
    placed: _Placed,
    positions: Integers,
    births: Integers,
    fresh: pa.StringArray,
) -> None:
    """Writes what belongs to the tape; `births` are those of customers at `positions`, `fresh` come after all others."""
    kept, arrays = tapes.buckets[bucket], tapes.arrays(bucket)
    size = kept.customers + len(fresh)
    grown = _grown(arrays["births"], size, NEVER)
    earlier = np.minimum(grown[positions], births)
    changed = ["tape"] if placed.is_new_tape else []
    if placed.is_new_tape or len(fresh) or not tapes.can_move(bucket, len(placed.positions)):
        spans = _grown(arrays["spans"], size, 0)
        spans[placed.positions] = placed.spans
        write_spans(tapes, bucket, spans)
        changed.append("spans")
    else:
        tapes.move(bucket, placed.positions, placed.spans)
    if len(fresh) or len(placed.having) or (earlier < grown[positions]).any():
        given_spans = _grown(arrays["given_spans"], size, 0)
        grown[positions], given_spans[placed.having] = earlier, placed.given_spans
        write_part(tapes, bucket, "people", births=grown, given_spans=given_spans)
        changed.append("people")
    if len(fresh):
        keys = added_to(tapes.keys(bucket), fresh)
        write_part(tapes, bucket, "keys", hashes=keys.hashes, places=keys.places)
        tapes.enlisted(bucket, pa.concat_arrays([tapes.roster(bucket), fresh]))
        kept.customers = size
    tapes.map(bucket, changed)


def _slice(offset: Integers) -> slice:
    return slice(int(offset[0]), int(offset[-1]))


def _grown(table: Integers, size: int, filling: int) -> Integers:
    """A copy with further rows."""
    grown = np.full((size, table.shape[1]), filling, np.int64)
    grown[: len(table)] = table
    return grown


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
