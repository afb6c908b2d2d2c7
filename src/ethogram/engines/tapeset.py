"""All tapes of a project for one set of needs, kept in a folder, each bucket in one memory-mapped file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from numpy.typing import NDArray

from ethogram.engines.dictionary import Dictionary
from ethogram.engines.spec import ColumnKey, Needs, Seen
from ethogram.engines.tapes import FEW_VALUES, LARGEST_CODE, BucketTape, Names, encode_bucket
from ethogram.store import LakeFile, Snapshot, Store
from ethogram.store.paths import join_path

FORMAT = 2
ALIGNED = 64
MANY_CODES = 16_384
BASE_COLUMNS = ("customer", "identified", "kind", "event", "time", "message_id", "source", "t_removed")
Progress = Callable[[int, int], None]
Arrays = dict[str, Any]


@dataclass(slots=True)
class TapeSet:
    """`codes` are the different combinations of event name and coded columns, one row each."""

    folder: Path
    needs: Needs
    traits: tuple[ColumnKey, ...]
    flat: tuple[ColumnKey, ...]
    ragged: tuple[ColumnKey, ...]
    coded: tuple[ColumnKey, ...]
    names: Names
    texts: Dictionary
    codes: list[tuple[int, ...]]
    counts: NDArray[np.int64]
    files: dict[int, list[int]] = field(default_factory=dict)
    generation: str = ""
    newest: int = 0
    _open: dict[int, tuple[Arrays, pa.StringArray]] = field(default_factory=dict)

    def bucket(self, number: int) -> tuple[Arrays, pa.StringArray]:
        """The bucket's arrays, mapped from its file, and its customers by position."""
        if number not in self._open:
            self._open[number] = (
                _map_arrays(self.folder / f"{number}.tape"),
                _read_roster(self.folder, number),
            )
        return self._open[number]

    def release(self, number: int) -> None:
        self._open.pop(number, None)


def open_tapes(
    store: Store, snapshot: Snapshot, needs: Needs, known: Seen, progress: Progress | None = None
) -> TapeSet:
    """The project's tapes, complete to the snapshot; encoded again only for buckets whose files changed."""
    folder = store.folder / "tapes"
    tapes = _load(folder, known)
    if tapes is not None and tapes.needs.covers(needs) and _knows(tapes, known):
        wanted = tapes.needs
    else:
        wanted = tapes.needs.joined(needs) if tapes is not None else needs
        tapes = None
    files = _by_bucket(snapshot.files, store.buckets)
    if tapes is not None and tapes.files == files:
        return tapes
    return _build(store, snapshot, folder, files, wanted, known, tapes, progress)


def _by_bucket(files: Iterable[LakeFile], buckets: int) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {bucket: [] for bucket in range(buckets)}
    for file in files:
        found[file.bucket].append(file.id)
    return {bucket: sorted(ids) for bucket, ids in found.items()}


def _knows(tapes: TapeSet, known: Seen) -> bool:
    """Nothing was loaded since that needs another column for the same property."""
    columns = {key for key in tapes.needs.columns if key.type != "length"}
    lists = {key for key in columns if known.is_list(key)}
    return lists == set(tapes.ragged) and _trait_keys(tapes.needs, known) == tapes.traits


def _trait_keys(needs: Needs, known: Seen) -> tuple[ColumnKey, ...]:
    types = (
        (path, type_) for path in needs.traits for type_, is_list in known.traits.get(path, ()) if not is_list
    )
    return tuple(sorted({ColumnKey(path, type_) for path, type_ in types}))


# --- building -----------------------------------------------------------------------------------------------------------


def _build(
    store: Store,
    snapshot: Snapshot,
    folder: Path,
    files: dict[int, list[int]],
    needs: Needs,
    known: Seen,
    before: TapeSet | None,
    progress: Progress | None,
) -> TapeSet:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    by_id = {file.id: file for file in snapshot.files}
    tapes = before if before is not None else _fresh(folder, needs, known)
    stale = [bucket for bucket, ids in files.items() if tapes.files.get(bucket) != ids]
    (folder / "meta.json").unlink(missing_ok=True)
    for done, bucket in enumerate(stale):
        encoded = _encode(store, [by_id[number] for number in files[bucket]], bucket, tapes, known)
        if not _write(tapes, bucket, encoded):
            tapes = _fresh(folder, needs, known, tapes.coded[:-1])
            return _build(store, snapshot, folder, files, needs, known, tapes, progress)
        tapes.files[bucket] = files[bucket]
        if progress:
            progress(done + 1, len(stale))
    tapes.newest = max((file.sequence for file in by_id.values()), default=0)
    _save(tapes)
    return tapes


def _fresh(folder: Path, needs: Needs, known: Seen, coded: tuple[ColumnKey, ...] | None = None) -> TapeSet:
    columns = sorted(needs.columns)
    ragged = tuple(key for key in columns if key.type != "length" and known.is_list(key))
    flat = tuple(key for key in columns if key not in ragged)
    candidates = tuple(key for key in flat if key.type in ("t", "f")) if coded is None else coded
    (folder / "meta.json").unlink(missing_ok=True)
    roster_lost = not (folder / "0.roster").exists()
    generation = hashlib.sha256(
        str(folder.stat().st_mtime_ns if folder.exists() else 0).encode()
    ).hexdigest()[:16]
    if not roster_lost and (folder / "generation").exists():
        generation = (folder / "generation").read_text()
    else:
        (folder / "generation").write_text(generation)
    return TapeSet(
        folder=folder,
        needs=needs,
        traits=_trait_keys(needs, known),
        flat=flat,
        ragged=ragged,
        coded=candidates,
        names=Names(),
        texts=Dictionary(),
        codes=[],
        counts=np.zeros(0, np.int64),
        generation=generation,
    )


def _encode(store: Store, files: Sequence[LakeFile], bucket: int, tapes: TapeSet, known: Seen) -> BucketTape:
    columns = [*BASE_COLUMNS, *_lake_columns(tapes, known)]
    tables = [store.read(file, columns) for file in files]
    table = pa.concat_tables(tables, promote_options="permissive") if tables else _nothing()
    return encode_bucket(
        table, _read_roster(tapes.folder, bucket), tapes.needs, known, tapes.names, tapes.texts, tapes.traits
    )


def _nothing() -> pa.Table:
    types = {"identified": pa.bool_(), "time": pa.timestamp("us"), "t_removed": pa.list_(pa.string())}
    return pa.table({name: pa.array([], types.get(name, pa.string())) for name in BASE_COLUMNS})


def _lake_columns(tapes: TapeSet, known: Seen) -> list[str]:
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


def _write(tapes: TapeSet, bucket: int, tape: BucketTape) -> bool:
    """False where there are more different codes than a tape can hold."""
    if not tapes.codes and len(tape.time):
        tapes.coded = _worth_coding(tape, tapes.coded)
    code = _codes(tapes, tape)
    if code is None:
        return False
    tapes.counts = np.bincount(code, minlength=len(tapes.codes)) + _grown(tapes.counts, len(tapes.codes))
    flat = [tape.flat[key] for key in tapes.flat]
    offset, begin = [], 0
    for key in tapes.ragged:
        offset.append(tape.ragged[key].offset + begin)
        begin += len(tape.ragged[key].values)
    values = [tape.ragged[key].values for key in tapes.ragged]
    size = len(tape.time)
    arrays: Arrays = {
        "spans": _spans(tape.offset),
        "time": tape.time,
        "code": code.astype(np.uint16),
        "flat": np.stack(flat) if flat else np.zeros((0, size), np.int64),
        "ragged_offset": np.stack(offset) if offset else np.zeros((0, size + 1), np.int64),
        "ragged_value": np.concatenate(values) if values else np.zeros(0, np.int64),
        "births": tape.births,
        "given_spans": _spans(tape.given_offset),
        "given": tape.given,
    }
    tapes.release(bucket)
    _write_arrays(tapes.folder / f"{bucket}.tape", arrays)
    _write_roster(tapes.folder, bucket, tape.customers)
    return True


def _spans(offset: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows (first, past) of neighboring offsets."""
    return np.stack([offset[:-1], offset[1:]], axis=1)


def _grown(counts: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    return np.concatenate([counts, np.zeros(size - len(counts), np.int64)])


def _worth_coding(tape: BucketTape, candidates: Sequence[ColumnKey]) -> tuple[ColumnKey, ...]:
    """The columns with few values, as long as the combinations stay few."""
    sizes = {key: len(np.unique(tape.flat[key])) for key in candidates}
    chosen: list[ColumnKey] = []
    combined = tape.name.astype(np.int64)
    for key in sorted(candidates, key=lambda key: (sizes[key], key)):
        if sizes[key] > FEW_VALUES:
            break
        _, dense = np.unique(tape.flat[key], return_inverse=True)
        different, following = np.unique(combined * (sizes[key] + 1) + dense, return_inverse=True)
        if len(different) > MANY_CODES:
            break
        combined = following.astype(np.int64)
        chosen.append(key)
    return tuple(chosen)


def _codes(tapes: TapeSet, tape: BucketTape) -> NDArray[np.int64] | None:
    combined = tape.name.astype(np.int64)
    columns = [combined]
    for key in tapes.coded:
        different, dense = np.unique(tape.flat[key], return_inverse=True)
        combined = np.unique(combined * (len(different) + 1) + dense, return_inverse=True)[1].astype(np.int64)
        columns.append(tape.flat[key])
    _, first, dense = np.unique(combined, return_index=True, return_inverse=True)
    known = {code: number for number, code in enumerate(tapes.codes)}
    numbers = np.zeros(len(first), np.int64)
    for place, row in enumerate(first.tolist()):
        code = tuple(int(column[row]) for column in columns)
        if code not in known:
            known[code] = len(tapes.codes)
            tapes.codes.append(code)
        numbers[place] = known[code]
    if len(tapes.codes) > LARGEST_CODE:
        return None
    return numbers[dense] if len(numbers) else np.zeros(0, np.int64)


# --- files --------------------------------------------------------------------------------------------------------------


def _write_arrays(path: Path, arrays: Arrays) -> None:
    header, at = {}, 0
    for name, array in arrays.items():
        header[name] = {"type": array.dtype.str, "shape": list(array.shape), "at": at}
        at += -(-array.nbytes // ALIGNED) * ALIGNED
    text = json.dumps(header).encode()
    start = -(-(len(text) + 16) // ALIGNED) * ALIGNED
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + start.to_bytes(8, "little") + text)
        for name, array in arrays.items():
            file.seek(start + header[name]["at"])
            file.write(np.ascontiguousarray(array).tobytes())
        file.truncate(max(start + at, file.tell()))
    part.replace(path)


def _map_arrays(path: Path) -> Arrays:
    with path.open("rb") as file:
        length, start = (int.from_bytes(file.read(8), "little") for _ in range(2))
        header = json.loads(file.read(length))
    whole = np.memmap(path, np.uint8, mode="c")
    arrays: Arrays = {}
    for name, one in header.items():
        kind = np.dtype(one["type"])
        size = int(np.prod(one["shape"])) * kind.itemsize
        begin = start + one["at"]
        arrays[name] = whole[begin : begin + size].view(kind).reshape(one["shape"]).view(np.ndarray)
    return arrays


def _roster_path(folder: Path, bucket: int) -> Path:
    return folder / f"{bucket}.roster"


def _read_roster(folder: Path, bucket: int) -> pa.StringArray:
    path = _roster_path(folder, bucket)
    if not path.exists():
        return pa.array([], pa.string())
    with pa.memory_map(str(path)) as source:
        column = pyarrow.ipc.open_file(source).read_all()["customer"]
    whole = column.combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole


def _write_roster(folder: Path, bucket: int, customers: pa.StringArray) -> None:
    path = _roster_path(folder, bucket)
    part = path.with_suffix(".part")
    table = pa.table({"customer": customers})
    with pa.OSFile(str(part), "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    part.replace(path)


def _save(tapes: TapeSet) -> None:
    tapes.texts.save(tapes.folder / "texts.parquet")
    np.save(tapes.folder / "counts.npy", tapes.counts)
    keys = [[list(key.path), key.type] for key in (*tapes.flat, *tapes.ragged, *tapes.coded, *tapes.traits)]
    meta = {
        "format": FORMAT,
        "keys": keys,
        "sizes": [len(tapes.flat), len(tapes.ragged), len(tapes.coded), len(tapes.traits)],
        "names": [[name, list(each)] for name, each in tapes.names.known],
        "codes": tapes.codes,
        "needs": {
            "names": None if tapes.needs.names is None else sorted(tapes.needs.names),
            "columns": [[list(key.path), key.type] for key in sorted(tapes.needs.columns)],
            "each": [[name, list(each)] for name, each in sorted(tapes.needs.each)],
            "traits": [list(path) for path in sorted(tapes.needs.traits)],
        },
        "files": tapes.files,
        "generation": tapes.generation,
        "newest": tapes.newest,
    }
    part = tapes.folder / "meta.part"
    part.write_text(json.dumps(meta))
    part.replace(tapes.folder / "meta.json")


def _load(folder: Path, known: Seen) -> TapeSet | None:
    """None where there are none, or they were written in another format or are damaged."""
    try:
        meta = json.loads((folder / "meta.json").read_text())
        if meta["format"] != FORMAT:
            return None
        keys = iter(ColumnKey(tuple(path), type_) for path, type_ in meta["keys"])
        flat, ragged, coded, traits = (tuple(next(keys) for _ in range(size)) for size in meta["sizes"])
        needs = meta["needs"]
        return TapeSet(
            folder=folder,
            needs=Needs(
                None if needs["names"] is None else frozenset(needs["names"]),
                frozenset(ColumnKey(tuple(path), type_) for path, type_ in needs["columns"]),
                frozenset((name, tuple(each)) for name, each in needs["each"]),
                frozenset(tuple(path) for path in needs["traits"]),
            ),
            traits=traits,
            flat=flat,
            ragged=ragged,
            coded=coded,
            names=Names([(name, tuple(each)) for name, each in meta["names"]]),
            texts=Dictionary.load(folder / "texts.parquet"),
            codes=[tuple(code) for code in meta["codes"]],
            counts=np.load(folder / "counts.npy"),
            files={int(bucket): ids for bucket, ids in meta["files"].items()},
            generation=meta["generation"],
            newest=meta["newest"],
        )
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        return None
