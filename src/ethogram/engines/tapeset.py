"""All tapes of a project for one set of needs, kept in a folder, and what is known of them beside their rows.

`meta.json` names all files of one state and replaces that of the state before in one step. A file that it names is never
changed but for rows of a tape past those it tells of; so whoever has a state open keeps it, and what a writer that did not
finish leaves behind is not seen. Only the order in which a disk keeps things is not certain: after a restart of the
machine tapes that were added to without being synced are made anew.
"""

from __future__ import annotations

import json
import mmap
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ethogram.engines.arrivals import Note
from ethogram.engines.dictionary import Dictionary
from ethogram.engines.distinct import different, hashes
from ethogram.engines.rosters import Keys
from ethogram.engines.spec import ColumnKey, Needs, Seen
from ethogram.engines.tapefiles import Arrays as Arrays
from ethogram.engines.tapefiles import map_arrays, map_texts, mapped, sync_file, write_texts
from ethogram.engines.tapes import FEW_VALUES, LARGEST_CODE, Encoded, Names
from ethogram.store.lease import boot_id

FORMAT = 5
MANY_CODES = 16_384
MOVING = 8
"""Up to one customer in so many has another span than the file of spans says, before that is written anew."""
MAPPED = ("tape", "spans", "people")
Integers = NDArray[np.int64]


@dataclass(slots=True)
class Kept:
    """One bucket: the lake files that are on its tape with their rows, how much of the tape is filled, its files.

    `noted` is the sequence after which all arrivals are noted.
    """

    files: dict[int, int] = field(default_factory=dict)
    rows: int = 0
    values: int = 0
    givens: int = 0
    customers: int = 0
    noted: int = 0
    names: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class TapeSet:
    """`codes` are the different combinations of event name and coded columns, one row each: the columns that are not on the
    tapes themselves. `counts` say how many events have each. `sequence` is that of the ledger when the newest events were taken in,
    `source` the text of `meta.json` that said all this.
    Rows of `moved` (bucket, position, first, past) say where customers' spans are other than in the files, the last of them counts."""

    folder: Path
    needs: Needs
    traits: tuple[ColumnKey, ...]
    flat: tuple[ColumnKey, ...]
    ragged: tuple[ColumnKey, ...]
    coded: tuple[ColumnKey, ...]
    names: Names
    texts: Dictionary
    codes: Integers
    counts: NDArray[np.int64]
    generation: str
    source: str = ""
    sequence: int = 0
    version: int = 0
    buckets: dict[int, Kept] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    moved: Integers = field(default_factory=lambda: np.zeros((0, 4), np.int64))
    saved: dict[str, tuple[str, int]] = field(default_factory=dict)
    _open: dict[int, Arrays] = field(default_factory=dict)
    _mapped: dict[int, mmap.mmap] = field(default_factory=dict)
    _rosters: dict[int, pa.StringArray] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[ColumnKey, ...]:
        return (*self.coded, *self.flat, *self.ragged)

    @property
    def files(self) -> dict[int, list[int]]:
        return {bucket: sorted(kept.files) for bucket, kept in self.buckets.items()}

    def arrays(self, number: int) -> Arrays:
        """The bucket's arrays, mapped from its files."""
        return self._open[number]

    def is_open(self, number: int) -> bool:
        return number in self._open

    def roster(self, number: int) -> pa.StringArray:
        """The bucket's customers by position."""
        if number not in self._rosters:
            kept = self.buckets[number]
            whole = map_texts(self.folder / kept.names["roster"]) if kept.names else pa.array([], pa.string())
            self._rosters[number] = whole.slice(0, kept.customers)
        return self._rosters[number]

    def keys(self, number: int) -> Keys:
        kept = self.buckets[number]
        if not kept.names:
            return Keys(np.zeros(0, np.uint64), np.zeros(0, np.int64))
        arrays = map_arrays(self.folder / kept.names["keys"])
        return Keys(arrays["hashes"], arrays["places"])

    def map(self, number: int, changed: Iterable[str] = MAPPED) -> None:
        """The bucket's files as they now are."""
        arrays = self._open.setdefault(number, {})
        for kind in changed:
            found, file = mapped(self.folder / self.buckets[number].names[kind])
            arrays.update(found)
            if kind == "tape":
                self._mapped[number] = file
            if kind == "spans":
                own = self.moved[self.moved[:, 0] == number]
                arrays["spans"][own[:, 1]] = own[:, 2:]  # in this process alone

    def rest(self, number: int) -> None:
        """Lets go of the memory that shows the tape. It is shown again when it is looked at."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._mapped[number].madvise(mmap.MADV_DONTNEED)

    def can_move(self, number: int, more: int) -> bool:
        """Whether few customers have other spans than the bucket's file says."""
        return (self.moved[:, 0] == number).sum() + more <= self.buckets[number].customers // MOVING

    def move(self, number: int, positions: Integers, spans: Integers) -> None:
        """Gives these customers other spans."""
        bucket = np.full((len(positions), 1), number)
        self.moved = np.concatenate([self.moved, np.hstack([bucket, positions[:, None], spans])])
        self._open[number]["spans"][positions] = spans

    def enlisted(self, number: int, roster: pa.StringArray) -> None:
        """The roster with further customers at its end. Its file may say more than is true yet."""
        name = f"{number}-{self.generation}.roster"
        part = self.folder / f"{name}.part"
        write_texts(part, roster)
        part.replace(self.folder / name)
        self.buckets[number].names["roster"] = name
        self._rosters[number] = roster

    def new_name(self, kind: str) -> str:
        return f"{self.version + 1}.{kind}"


def fresh_tapes(
    folder: Path,
    needs: Needs,
    known: Seen,
    before: TapeSet | None,
    coded: tuple[ColumnKey, ...] | None = None,
) -> TapeSet:
    """Nothing but the rosters of the tapes before."""
    columns = sorted(needs.columns)
    ragged = tuple(key for key in columns if key.type != "length" and known.is_list(key))
    flat = tuple(key for key in columns if key not in ragged)
    candidates = tuple(key for key in flat if key.type in ("t", "f")) if coded is None else coded
    kept = {} if before is None else before.buckets
    return TapeSet(
        folder=folder,
        needs=needs,
        traits=trait_keys(needs, known),
        flat=flat,
        ragged=ragged,
        coded=candidates,
        names=Names(),
        texts=Dictionary(),
        codes=np.zeros((0, 1 + len(candidates)), np.int64),
        counts=np.zeros(0, np.int64),
        generation=secrets.token_hex(8) if before is None else before.generation,
        version=0 if before is None else before.version,
        buckets={
            number: Kept(names=dict(one.names), customers=one.customers) for number, one in kept.items()
        },
    )


def knows(tapes: TapeSet, known: Seen) -> bool:
    """Nothing was loaded since that needs another column for the same property."""
    columns = {key for key in tapes.needs.columns if key.type != "length"}
    lists = {key for key in columns if known.is_list(key)}
    return lists == set(tapes.ragged) and trait_keys(tapes.needs, known) == tapes.traits


def trait_keys(needs: Needs, known: Seen) -> tuple[ColumnKey, ...]:
    types = (
        (path, type_) for path in needs.traits for type_, is_list in known.traits.get(path, ()) if not is_list
    )
    return tuple(sorted({ColumnKey(path, type_) for path, type_ in types}))


# --- codes --------------------------------------------------------------------------------------------------------------


def code_of(tapes: TapeSet, rows: Encoded) -> NDArray[np.int64] | None:
    """Each row's code; None where there are more different codes than a tape can hold."""
    if not len(tapes.codes) and len(rows.time):
        tapes.coded = _worth_coding(rows, tapes.coded)
        tapes.flat = tuple(key for key in tapes.flat if key not in tapes.coded)
        tapes.codes = np.zeros((0, 1 + len(tapes.coded)), np.int64)
    columns = [rows.name.astype(np.int64), *(rows.flat[key] for key in tapes.coded)]
    first, dense = different(columns)
    numbers = _numbers(tapes, np.stack([column[first] for column in columns], axis=1))
    if len(tapes.codes) > LARGEST_CODE:
        return None
    tapes.counts = np.concatenate([tapes.counts, np.zeros(len(tapes.codes) - len(tapes.counts), np.int64)])
    code = numbers[dense]
    tapes.counts += np.bincount(code, minlength=len(tapes.codes))
    return code


def _numbers(tapes: TapeSet, wanted: Integers) -> NDArray[np.int64]:
    """The codes of different combinations, those that are new added."""
    known = hashes(list(tapes.codes.T))
    order = np.argsort(known, kind="stable")
    at = np.searchsorted(known[order], hashes(list(wanted.T)))
    numbers = np.append(order, -1)[at]
    is_new = (numbers < 0) | (tapes.codes[numbers] != wanted).any(axis=1) if len(order) else numbers < 0
    if is_new.any():
        listed = {code: number for number, code in enumerate(map(tuple, tapes.codes.tolist()))}
        more = [listed.setdefault(code, len(listed)) for code in map(tuple, wanted[is_new].tolist())]
        numbers[is_new] = more
        tapes.codes = np.array(list(listed), np.int64).reshape(len(listed), wanted.shape[1])
    return numbers


def _worth_coding(rows: Encoded, candidates: Sequence[ColumnKey]) -> tuple[ColumnKey, ...]:
    """The columns with few values, as long as the combinations stay few."""
    sizes = {key: len(np.unique(rows.flat[key])) for key in candidates}
    chosen: list[ColumnKey] = []
    combined = rows.name.astype(np.int64)
    for key in sorted(candidates, key=lambda key: (sizes[key], key)):
        if sizes[key] > FEW_VALUES:
            break
        _, dense = np.unique(rows.flat[key], return_inverse=True)
        different, following = np.unique(combined * (sizes[key] + 1) + dense, return_inverse=True)
        if len(different) > MANY_CODES:
            break
        combined = following.astype(np.int64)
        chosen.append(key)
    return tuple(chosen)


# --- the folder ---------------------------------------------------------------------------------------------------------


@contextmanager
def building(folder: Path) -> Iterator[None]:
    """One at a time makes or changes tapes; others wait. The system lets go of the lock of a process that ends."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("ab") as file:
        flock(file, LOCK_EX)
        yield


def save(tapes: TapeSet, *, is_synced: bool) -> None:
    """Makes this state the one to be found."""
    tapes.version += 1
    _save_part(tapes, "texts", len(tapes.texts))
    _save_part(tapes, "codes", len(tapes.codes))
    for kind, array in (("counts", tapes.counts), ("moved", tapes.moved)):
        tapes.saved[kind] = f"{tapes.version}.{kind}", 0
        with (tapes.folder / tapes.saved[kind][0]).open("wb") as file:
            np.save(file, array)
    is_synced = is_synced or not boot_id()
    if is_synced:
        for name in _named(tapes):
            sync_file(tapes.folder / name)
    part = tapes.folder / "meta.part"
    part.write_text(json.dumps(_meta(tapes, "" if is_synced else boot_id())))
    if is_synced:
        sync_file(part)
    part.replace(tapes.folder / "meta.json")
    _tidy(tapes)


def _save_part(tapes: TapeSet, kind: str, size: int) -> None:
    """Texts and codes only become more."""
    if tapes.saved.get(kind, ("", -1))[1] == size:
        return
    name = f"{tapes.version}.{kind}"
    tapes.saved[kind] = name, size
    if kind == "texts":
        write_texts(tapes.folder / name, pa.array(tapes.texts.texts, pa.string()))
    else:
        with (tapes.folder / name).open("wb") as file:
            np.save(file, tapes.codes)


def _named(tapes: TapeSet) -> set[str]:
    names = {name for kept in tapes.buckets.values() for name in kept.names.values()}
    return names | {name for name, _ in tapes.saved.values()} | {note.name for note in tapes.notes}


def _tidy(tapes: TapeSet) -> None:
    """Removes what earlier states named and what unfinished ones left; whoever has it open keeps it."""
    known = _named(tapes) | {"meta.json", "lock"}
    for path in tapes.folder.iterdir():
        if path.name not in known:
            with suppress(OSError):
                path.unlink()


def _meta(tapes: TapeSet, boot: str) -> dict[str, Any]:
    keys = (*tapes.flat, *tapes.ragged, *tapes.coded, *tapes.traits)
    needs = tapes.needs
    return {
        "format": FORMAT,
        "boot": boot,
        "generation": tapes.generation,
        "sequence": tapes.sequence,
        "version": tapes.version,
        "keys": [[list(key.path), key.type] for key in keys],
        "sizes": [len(tapes.flat), len(tapes.ragged), len(tapes.coded), len(tapes.traits)],
        "names": [[name, list(each)] for name, each in tapes.names.known],
        "needs": {
            "names": None if needs.names is None else sorted(needs.names),
            "columns": [[list(key.path), key.type] for key in sorted(needs.columns)],
            "each": [[name, list(each)] for name, each in sorted(needs.each)],
            "traits": [list(path) for path in sorted(needs.traits)],
        },
        "saved": tapes.saved,
        "notes": [[note.name, note.newest, note.rows] for note in tapes.notes],
        "buckets": {
            number: [list(kept.files.items()), kept.rows, kept.values, kept.givens, kept.customers,
                     kept.noted, kept.names]
            for number, kept in tapes.buckets.items()
        },
    }  # fmt: skip


def load(folder: Path, before: TapeSet | None = None) -> TapeSet | None:
    """None where there are none, or they are of another format, damaged, or not certain to be whole. Those loaded before
    where they are still the newest."""
    path, seen = folder / "meta.json", ""
    while True:
        try:
            text = path.read_text()
            if text == seen:
                return None
            if before is not None and before.source == text:
                return before
            seen = text
            return _loaded(folder, text)
        except FileNotFoundError:
            if not path.exists():
                return None  # else the next state may have come, and files of this one gone
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
            return None


def _loaded(folder: Path, text: str) -> TapeSet | None:
    meta = json.loads(text)
    if meta["format"] != FORMAT or meta["boot"] not in ("", boot_id()):
        return None
    keys = iter(ColumnKey(tuple(path), type_) for path, type_ in meta["keys"])
    flat, ragged, coded, traits = (tuple(next(keys) for _ in range(size)) for size in meta["sizes"])
    needs = meta["needs"]
    saved = {kind: (name, size) for kind, (name, size) in meta["saved"].items()}
    tapes = TapeSet(
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
        texts=Dictionary(map_texts(folder / saved["texts"][0]).to_pylist()),
        codes=np.load(folder / saved["codes"][0]),
        counts=np.load(folder / saved["counts"][0]),
        generation=meta["generation"],
        source=text,
        sequence=meta["sequence"],
        version=meta["version"],
        notes=[Note(*one) for one in meta["notes"]],
        moved=np.load(folder / saved["moved"][0]),
        saved=saved,
    )
    for number, (files, *facts) in meta["buckets"].items():
        tapes.buckets[int(number)] = Kept(dict(files), *facts)
        tapes.map(int(number))
    return tapes
