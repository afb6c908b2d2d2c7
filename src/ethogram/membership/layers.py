"""The answers of the last refresh, kept between refreshes in files that are never changed.

A *layer* is one file: a base holds everybody, the layers above it hold the customers that later refreshes evaluated. The
ledger's row of a refresh names its layers, so that a refresh takes effect by that row alone. Layers are derived: they can
be made again from the definitions and the events.

File: magic, arrays aligned to 64 bytes, a footer in JSON that says where each array lies, the footer's checksum and length,
magic. Arrays are memory-mapped on reading.
"""

from __future__ import annotations

import json
import math
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypedDict, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ethogram.engines.answers import NEVER, BucketAnswers, Evaluator, Positions
from ethogram.membership.bits import Flags, Words, column, turned, unpacked
from ethogram.model.errors import EnvironmentFault
from ethogram.store.disk import TEMPORARY, Disk

_MAGIC: Final = b"ETHOLAY2"
_PORTION: Final = 1 << 22
_ARRAYS: Final = ("positions", "known", "words", "groups", "due", "starts", "names")


@dataclass(frozen=True, slots=True)
class Columns:
    """What the rows of a layer mean: segments, and segmentations with their groups, in order."""

    segments: tuple[str, ...]
    segmentations: tuple[tuple[str, tuple[str, ...]], ...]

    def groups(self, segmentation: str) -> tuple[str, ...]:
        return dict(self.segmentations)[segmentation]


def columns_of(engine: Evaluator) -> Columns:
    segmentations = tuple((name, tuple(engine.group_names(name))) for name in engine.segmentations)
    return Columns(tuple(engine.segments), segmentations)


@dataclass(frozen=True, slots=True)
class Slice:
    """Answers of some customers: `flags` (segments, n), `groups` (segmentations, n) with -1 for none."""

    known: NDArray[np.bool_]
    flags: Flags
    groups: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Rows:
    """The same with a row for each customer: `words` of `segments` bits, `groups` (n, segmentations)."""

    known: NDArray[np.bool_]
    words: Words
    groups: NDArray[np.int16]
    segments: int

    def as_slice(self) -> Slice:
        return Slice(self.known, unpacked(self.words, self.segments).T, self.groups.T)


def rows_of(answers: BucketAnswers) -> Rows:
    words = turned(answers.bits, len(answers.positions))
    return Rows(answers.known, words, np.ascontiguousarray(answers.groups.T), len(answers.bits))


def no_rows(columns: Columns, count: int) -> Rows:
    """Customers that are unknown and in nothing."""
    return Rows(
        np.zeros(count, dtype=np.bool_),
        np.zeros((count, -(-len(columns.segments) // 64)), dtype=np.uint64),
        np.full((count, len(columns.segmentations)), -1, dtype=np.int16),
        len(columns.segments),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """One bucket of one layer; `positions` ascending, none for a part of everybody in the order of the roster."""

    positions: Positions
    known: NDArray[np.uint8]
    words: Words
    groups: NDArray[np.int16]
    due: NDArray[np.int64]
    starts: NDArray[np.int32]
    names: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.known)

    @property
    def is_everybody(self) -> bool:
        return len(self.positions) < len(self.known)

    @property
    def end(self) -> int:
        """The position behind the last one."""
        if self.is_everybody:
            return len(self.known)
        return int(self.positions[-1]) + 1 if len(self.positions) else 0

    @property
    def places(self) -> Positions:
        return np.arange(len(self.known)) if self.is_everybody else self.positions

    @property
    def target(self) -> Positions | slice:
        """Where the rows belong among those of all positions."""
        return slice(0, len(self.known)) if self.is_everybody else self.positions

    def find(self, positions: Positions) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which of these positions are in it, and the rows of those."""
        if self.is_everybody:
            here = np.flatnonzero(positions < len(self.known))
            return here, positions[here]
        rows = np.searchsorted(self.positions, positions)
        rows[rows == len(self.positions)] = 0
        here = np.flatnonzero(self.positions[rows] == positions) if len(self.positions) else rows[:0]
        return here, rows[here]

    def customers(self) -> pa.StringArray:
        return pa.StringArray.from_buffers(
            len(self),
            pa.py_buffer(np.ascontiguousarray(self.starts)),
            pa.py_buffer(np.ascontiguousarray(self.names)),
        )


class LayerWriter:
    """Writes a layer bucket by bucket; it is complete, and on disk, when the context ends without an error."""

    def __init__(self, disk: Disk, path: Path, columns: Columns, generation: str, *, is_base: bool) -> None:
        self._disk = disk
        self.path = path
        self._written = path.with_name(path.name + TEMPORARY)
        self._footer: dict[str, object] = {
            "segments": columns.segments,
            "segmentations": columns.segmentations,
            "generation": generation,
            "base": is_base,
        }
        self._buckets: dict[str, object] = {}
        self._end = 0
        self._waiting: list[bytes | memoryview] = []
        self._done = 0
        self.rows = 0

    def __enter__(self) -> Self:
        self._disk.refuse_if_broken()
        self._disk.make_folder(self.path.parent)
        self._file = self._disk.open(self._written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self._write(_MAGIC)
        return self

    def add(
        self, bucket: int, positions: Positions, customers: pa.StringArray, rows: Rows, due: NDArray[np.int64]
    ) -> None:
        starts, names = _text_buffers(customers)
        is_everybody = len(positions) > 0 and int(positions[-1]) == len(positions) - 1
        kept = positions[:0] if is_everybody else positions
        part = _Part(kept, rows.known.view(np.uint8), rows.words, rows.groups, due, starts, names)
        self._buckets[str(bucket)] = {name: self._place(getattr(part, name)) for name in _ARRAYS}
        self.rows += len(positions)
        self._disk.reached("layer.half-written")

    def _place(self, array: NDArray[np.generic]) -> tuple[int, str, tuple[int, ...]]:
        self._write(bytes(-self._end % 64))
        place = (self._end, array.dtype.str, array.shape)
        if array.size:
            self._write(np.ascontiguousarray(array).data.cast("B"))
        return place

    def _write(self, data: bytes | memoryview) -> None:
        self._waiting.append(data)
        self._end += len(data)
        if self._end - self._done > _PORTION:
            self._flush()

    def _flush(self) -> None:
        """Small arrays are written together."""
        self._disk.write(self._file, b"".join(self._waiting), self._written)
        self._waiting, self._done = [], self._end

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                footer = json.dumps(self._footer | {"buckets": self._buckets, "rows": self.rows}).encode()
                self._write(footer)
                self._write(np.array([zlib.crc32(footer), len(footer)], dtype="<u8").tobytes() + _MAGIC)
                self._flush()
                self._disk.reached("layer.before-fsync")
                self._disk.fsync(self._file, self._written)
        finally:
            os.close(self._file)
        if kind is None:
            self._disk.reached("layer.before-rename")
            self._disk.rename(self._written, self.path)
            self._disk.sync_folder(self.path.parent)
            self._disk.reached("layer.after-rename")
        else:
            self._disk.unlink(self._written)


class _Footer(TypedDict):
    segments: list[str]
    segmentations: list[tuple[str, list[str]]]
    generation: str
    base: bool
    rows: int
    buckets: dict[str, dict[str, tuple[int, str, list[int]]]]


class Layer:
    """One layer, memory-mapped. Raises `EnvironmentFault` E_STATE_DAMAGED for a file that is missing or not whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._bytes = np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray)
            footer = self._read_footer()
        except (OSError, ValueError) as error:
            raise EnvironmentFault(
                "E_STATE_DAMAGED",
                f"{path.name}, the record of the last refresh's answers, is missing or damaged",
                hint="`ethogram refresh --full` makes it again",
                file=str(path),
            ) from error
        groups = tuple((name, tuple(names)) for name, names in footer["segmentations"])
        self.columns = Columns(tuple(footer["segments"]), groups)
        self.generation = footer["generation"]
        self.is_base = footer["base"]
        self.rows = footer["rows"]
        self._buckets = footer["buckets"]
        self._parts: dict[int, _Part] = {}

    def _read_footer(self) -> _Footer:
        tail = self._bytes[-24:].tobytes()
        checksum, length = (int(number) for number in np.frombuffer(tail[:16], dtype="<u8"))
        if tail[16:] != _MAGIC or length > len(self._bytes):
            raise ValueError("no footer")
        text = self._bytes[-24 - length : -24].tobytes()
        if zlib.crc32(text) != checksum:
            raise ValueError("footer damaged")
        return cast(_Footer, json.loads(text))

    @property
    def buckets(self) -> tuple[int, ...]:
        return tuple(int(name) for name in self._buckets)

    def part(self, bucket: int) -> _Part | None:
        arrays = self._buckets.get(str(bucket))
        if arrays is None:
            return None
        if bucket not in self._parts:
            self._parts[bucket] = _Part(**{name: self._array(*place) for name, place in arrays.items()})
        return self._parts[bucket]

    def _array(self, offset: int, dtype: str, shape: Sequence[int]) -> NDArray[Any]:
        kind = np.dtype(dtype)
        size = math.prod(shape) * kind.itemsize
        return self._bytes[offset : offset + size].view(kind).reshape(shape)


class Recorded:
    """The answers of the last refresh: a base and the layers above it, read as one."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = tuple(layers)
        self.columns = layers[-1].columns
        self.generation = layers[-1].generation

    @property
    def layers(self) -> tuple[Layer, ...]:
        return self._layers

    @property
    def above(self) -> int:
        """Rows in layers above the base."""
        return sum(layer.rows for layer in self._layers[1:])

    def _parts(self, bucket: int) -> Iterator[_Part]:
        """From the oldest layer to the newest."""
        for layer in self._layers:
            part = layer.part(bucket)
            if part is not None and len(part):
                yield part

    def count(self, bucket: int) -> int:
        """How many positions of the bucket's roster are covered."""
        return max((part.end for part in self._parts(bucket)), default=0)

    def positions(self, bucket: int) -> Positions:
        """Those that any layer has."""
        parts = tuple(self._parts(bucket))
        if not parts or any(part.end == len(part) == self.count(bucket) for part in parts):
            return np.arange(self.count(bucket), dtype=np.int64)
        return np.unique(np.concatenate([part.places for part in parts]))

    def due(self, bucket: int) -> NDArray[np.int64]:
        """The due of every position covered."""
        due = np.full(self.count(bucket), NEVER, dtype=np.int64)
        for part in self._parts(bucket):
            due[part.target] = part.due
        return due

    def rows(self, bucket: int, positions: Positions) -> Rows:
        """The recorded answers at `positions`; those not covered are unknown and in nothing."""
        found = no_rows(self.columns, len(positions))
        for part in self._parts(bucket):
            here, rows = part.find(positions)
            found.known[here] = part.known[rows] != 0
            found.words[here] = part.words[rows]
            found.groups[here] = part.groups[rows]
        return found

    def at(self, bucket: int, positions: Positions) -> Slice:
        return self.rows(bucket, positions).as_slice()

    def everyone(self, bucket: int) -> Slice:
        return self.at(bucket, np.arange(self.count(bucket), dtype=np.int64))

    def flag_of(self, bucket: int, segment: int) -> NDArray[np.bool_]:
        """One segment's members, one boolean a position covered."""
        flags = np.zeros(self.count(bucket), dtype=np.bool_)
        for part in self._parts(bucket):
            flags[part.target] = column(part.words, segment)
        return flags

    def group_of(self, bucket: int, segmentation: int) -> NDArray[np.int16]:
        """One segmentation's groups, one index a position covered, -1 for none."""
        groups = np.full(self.count(bucket), -1, dtype=np.int16)
        for part in self._parts(bucket):
            groups[part.target] = part.groups[:, segmentation]
        return groups

    def known(self, bucket: int) -> NDArray[np.bool_]:
        known = np.zeros(self.count(bucket), dtype=np.bool_)
        for part in self._parts(bucket):
            known[part.target] = part.known != 0
        return known

    def customers(self, bucket: int) -> pa.StringArray:
        """The customer at every position covered."""
        parts = tuple(self._parts(bucket))
        if not parts:
            return pa.array([], pa.string())
        if len(parts) == 1:
            return parts[0].customers()
        source = np.zeros(self.count(bucket), dtype=np.int64)
        start = 0
        for part in parts:
            source[part.target] = np.arange(start, start + len(part))
            start += len(part)
        return pa.concat_arrays([part.customers() for part in parts]).take(pa.array(source))


def _text_buffers(texts: pa.StringArray) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Offsets and bytes of an array of texts without nulls."""
    if len(texts) == 0:
        return np.zeros(1, dtype=np.int32), np.zeros(0, dtype=np.uint8)
    whole = pa.concat_arrays([texts])
    _, starts, data = whole.buffers()
    offsets = np.frombuffer(starts, dtype=np.int32)[whole.offset : whole.offset + len(whole) + 1]
    bytes_ = np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, dtype=np.uint8)
    return offsets - offsets[0], bytes_[offsets[0] : offsets[-1]]
