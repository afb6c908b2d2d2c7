"""Files of tapes: arrays that are mapped. A file that is there is only added to past the rows that anybody was told of."""

from __future__ import annotations

import json
import math
import mmap
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from numpy.typing import DTypeLike, NDArray

ALIGNED = 64
Arrays: TypeAlias = dict[str, Any]
Shapes: TypeAlias = Mapping[str, tuple[DTypeLike, tuple[int, ...]]]


def make_file(path: Path, shapes: Shapes) -> None:
    """Room for arrays. It takes no space on the disk until it is filled."""
    header, at = {}, 0
    for name, (kind, shape) in shapes.items():
        type_ = np.dtype(kind)
        header[name] = {"type": type_.str, "shape": list(shape), "at": at}
        at += -(-math.prod(shape) * type_.itemsize // ALIGNED) * ALIGNED
    text = json.dumps(header).encode()
    start = -(-(len(text) + 16) // ALIGNED) * ALIGNED
    path.unlink(missing_ok=True)  # others may have the old one mapped
    with path.open("xb") as file:
        file.write(len(text).to_bytes(8, "little") + start.to_bytes(8, "little") + text)
        file.truncate(start + at)


class Filler:
    """Writes parts of a file's arrays."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        with mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_READ) as whole:
            self.header, self._start = _header(whole)

    def __enter__(self) -> Filler:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def put(self, name: str, values: NDArray[Any], first: int = 0) -> None:
        """Writes `values` from row `first` on."""
        self._write(name, values, first * math.prod(self.header[name]["shape"][1:]))

    def put_columns(self, name: str, values: NDArray[Any], first: int = 0) -> None:
        """Writes columns, which lie one after the other, each from place `first` on."""
        width = self.header[name]["shape"][1]
        for column, some in enumerate(values):
            self._write(name, some, column * width + first)

    def _write(self, name: str, values: NDArray[Any], place: int) -> None:
        facts = self.header[name]
        kind = np.dtype(facts["type"])
        data = np.ascontiguousarray(values, kind).reshape(-1).view(np.uint8).data
        at = self._start + facts["at"] + place * kind.itemsize
        while len(data):
            done = os.pwrite(self._descriptor, data, at)
            data, at = data[done:], at + done


def write_arrays(path: Path, arrays: Arrays) -> None:
    make_file(path, {name: (array.dtype, array.shape) for name, array in arrays.items()})
    with Filler(path) as file:
        for name, array in arrays.items():
            if array.size:
                file.put(name, array)


def map_arrays(path: Path) -> Arrays:
    return mapped(path)[0]


def mapped(path: Path) -> tuple[Arrays, mmap.mmap]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        whole = mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY)
    finally:
        os.close(descriptor)
    header, start = _header(whole)
    arrays: Arrays = {}
    for name, one in header.items():
        kind, shape = one["type"], one["shape"]
        size = math.prod(shape)
        flat = np.frombuffer(whole, kind, size, start + one["at"]) if size else np.zeros(0, kind)
        arrays[name] = flat if len(shape) == 1 else flat.reshape(shape)
    return arrays, whole


def _header(whole: mmap.mmap) -> tuple[dict[str, Any], int]:
    length, start = (int.from_bytes(whole[at : at + 8], "little") for at in (0, 8))
    header: dict[str, Any] = json.loads(whole[16 : 16 + length])
    return header, start


# --- texts --------------------------------------------------------------------------------------------------------------


def write_texts(path: Path, texts: pa.StringArray) -> None:
    path.unlink(missing_ok=True)
    table = pa.table({"text": texts})
    with pa.OSFile(str(path), "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def map_texts(path: Path) -> pa.StringArray:
    with pa.memory_map(str(path)) as source:
        return one_array(pyarrow.ipc.open_file(source).read_all()["text"])


def one_array(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """As it is where it has one chunk: `combine_chunks` would copy that too."""
    if isinstance(column, pa.ChunkedArray) and column.num_chunks != 1:
        column = column.combine_chunks()
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks else pa.array([], column.type)


def sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
