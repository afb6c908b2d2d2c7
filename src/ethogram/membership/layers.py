"""The answers of the last refresh, kept between refreshes in files that are never changed.

A *layer* is one file: a base holds everybody, the layers above it hold the customers that later refreshes evaluated. The
ledger's row of a refresh names its layers, so that a refresh takes effect by that row alone. Layers are derived: they can
be made again from the definitions and the events.

File: magic, arrays aligned to 64 bytes, a footer in JSON that says where each array lies, the footer's checksum and length,
magic. Arrays are memory-mapped on reading.
"""

from __future__ import annotations

import json
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

from ethogram.engines.answers import NEVER, Evaluator, Positions
from ethogram.membership.bits import Bits, Flags, picked, unpacked
from ethogram.model.errors import EnvironmentFault
from ethogram.store.disk import TEMPORARY, Disk

_MAGIC: Final = b"ETHOLAY1"
_ARRAYS: Final = ("positions", "known", "bits", "groups", "due", "starts", "names")


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
    """Recorded answers of some customers: `flags` (segments, n), `groups` (segmentations, n) with -1 for none."""

    known: NDArray[np.bool_]
    flags: Flags
    groups: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class _Part:
    """One bucket of one layer; `positions` ascending."""

    positions: Positions
    known: NDArray[np.uint8]
    bits: Bits
    groups: NDArray[np.int16]
    due: NDArray[np.int64]
    starts: NDArray[np.int32]
    names: NDArray[np.uint8]

    def customers(self) -> pa.StringArray:
        return pa.StringArray.from_buffers(
            len(self.positions),
            pa.py_buffer(np.ascontiguousarray(self.starts)),
            pa.py_buffer(np.ascontiguousarray(self.names)),
        )


class LayerWriter:
    """Writes a layer bucket by bucket; it is complete, and on disk, when the context ends without an error."""

    def __init__(self, disk: Disk, path: Path, columns: Columns, generation: str, *, is_base: bool) -> None:
        self._disk = disk
        self._path = path
        self._written = path.with_name(path.name + TEMPORARY)
        self._footer: dict[str, object] = {
            "segments": columns.segments,
            "segmentations": columns.segmentations,
            "generation": generation,
            "base": is_base,
        }
        self._buckets: dict[str, object] = {}
        self._end = 0
        self.rows = 0

    def __enter__(self) -> Self:
        self._disk.refuse_if_broken()
        self._disk.make_folder(self._path.parent)
        self._file = self._disk.open(self._written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self._write(_MAGIC)
        return self

    def add(
        self,
        bucket: int,
        positions: Positions,
        customers: pa.StringArray,
        known: NDArray[np.bool_],
        bits: Bits,
        groups: NDArray[np.int16],
        due: NDArray[np.int64],
    ) -> None:
        starts, names = _text_buffers(customers)
        part = _Part(positions, known.astype(np.uint8), bits, groups, due, starts, names)
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
        if len(data):
            self._disk.write(self._file, data, self._written)
            self._end += len(data)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                footer = json.dumps(self._footer | {"buckets": self._buckets, "rows": self.rows}).encode()
                self._write(footer)
                self._write(np.array([zlib.crc32(footer), len(footer)], dtype="<u8").tobytes() + _MAGIC)
                self._disk.reached("layer.before-fsync")
                self._disk.fsync(self._file, self._written)
        finally:
            os.close(self._file)
        if kind is None:
            self._disk.reached("layer.before-rename")
            self._disk.rename(self._written, self._path)
            self._disk.sync_folder(self._path.parent)
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
            self._bytes = np.memmap(path, dtype=np.uint8, mode="r")
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
        size = int(np.prod(shape)) * kind.itemsize
        return self._bytes[offset : offset + size].view(kind).reshape(shape)


class Recorded:
    """The answers of the last refresh: a base and the layers above it, read as one."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = tuple(layers)
        self.columns = layers[0].columns
        self.generation = layers[-1].generation

    @property
    def layers(self) -> tuple[Layer, ...]:
        return self._layers

    def is_heavy(self) -> bool:
        """Whether a new base would serve better than one more layer."""
        above = sum(layer.rows for layer in self._layers[1:])
        return len(self._layers) > 16 or above * 8 > self._layers[0].rows

    def _parts(self, bucket: int) -> Iterator[_Part]:
        """From the oldest layer to the newest."""
        for layer in self._layers:
            part = layer.part(bucket)
            if part is not None:
                yield part

    def count(self, bucket: int) -> int:
        """How many positions of the bucket's roster are covered."""
        return max(
            (int(part.positions[-1]) + 1 for part in self._parts(bucket) if len(part.positions)), default=0
        )

    def due(self, bucket: int) -> NDArray[np.int64]:
        """The due of every position covered."""
        due = np.full(self.count(bucket), NEVER, dtype=np.int64)
        for part in self._parts(bucket):
            due[part.positions] = part.due
        return due

    def at(self, bucket: int, positions: Positions) -> Slice:
        """The recorded answers at ascending `positions`; those not covered are unknown and in nothing."""
        count = len(positions)
        known = np.zeros(count, dtype=np.bool_)
        flags = np.zeros((len(self.columns.segments), count), dtype=np.bool_)
        groups = np.full((len(self.columns.segmentations), count), -1, dtype=np.int16)
        left = np.arange(count)
        for part in reversed(tuple(self._parts(bucket))):
            if not len(left) or not len(part.positions):
                continue
            places = np.searchsorted(part.positions, positions[left])
            places[places == len(part.positions)] = 0
            here = part.positions[places] == positions[left]
            target, source = left[here], places[here]
            known[target] = part.known[source] != 0
            flags[:, target] = picked(part.bits, source)
            groups[:, target] = part.groups[:, source]
            left = left[~here]
        return Slice(known, flags, groups)

    def everyone(self, bucket: int) -> Slice:
        return self.at(bucket, np.arange(self.count(bucket), dtype=np.int64))

    def flag_of(self, bucket: int, segment: int) -> NDArray[np.bool_]:
        """One segment's members, one boolean a position covered."""
        flags = np.zeros(self.count(bucket), dtype=np.bool_)
        for part in self._parts(bucket):
            flags[part.positions] = unpacked(part.bits[segment : segment + 1], len(part.positions))[0]
        return flags

    def group_of(self, bucket: int, segmentation: int) -> NDArray[np.int16]:
        """One segmentation's groups, one index a position covered, -1 for none."""
        groups = np.full(self.count(bucket), -1, dtype=np.int16)
        for part in self._parts(bucket):
            groups[part.positions] = part.groups[segmentation]
        return groups

    def known(self, bucket: int) -> NDArray[np.bool_]:
        known = np.zeros(self.count(bucket), dtype=np.bool_)
        for part in self._parts(bucket):
            known[part.positions] = part.known != 0
        return known

    def customers(self, bucket: int) -> pa.StringArray:
        """The customer at every position covered."""
        parts = tuple(self._parts(bucket))
        if not parts:
            return pa.array([], pa.string())
        count, base = self.count(bucket), parts[0]
        if len(parts) == 1:
            return base.customers()
        source = np.zeros(count, dtype=np.int64)
        start = 0
        for part in parts:
            source[part.positions] = np.arange(start, start + len(part.positions))
            start += len(part.positions)
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
