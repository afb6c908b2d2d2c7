"""Text files as blocks of whole lines in UTF-8: unpacked, transcoded, bounded."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from ethogram.ingest.paths import Snapshot
from ethogram.model.errors import DataError

BLOCK = 32 << 20
MAX_LINE = 1 << 20
"""Bytes of one line, or of one record that spans lines."""
MAX_RATIO = 200
"""How many times larger than packed a gzip file may be,"""
FREE_BYTES = 256 << 20
"""beyond the first so many bytes."""

_BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def text_blocks(snapshot: Snapshot, encoding: str, size: int = BLOCK) -> Iterator[bytes]:
    """Raises DataError E_FILE_EMPTY, E_FILE_UNREADABLE, E_FILE_ENCODING, E_FILE_RESOURCE, E_FILE_CHANGED, each naming the file."""
    if snapshot.size == 0:
        raise DataError("E_FILE_EMPTY", "the file is empty", file=snapshot.file.label)
    blocks = _unpacked(snapshot, size)
    first = next(blocks, b"")
    if not first:
        raise DataError("E_FILE_EMPTY", "the file is empty", file=snapshot.file.label)
    if first[:4] == b"PAR1":
        raise DataError(
            "E_FILE_UNREADABLE",
            "this is a Parquet file under another name",
            file=snapshot.file.label,
            hint='say format = "parquet" in its source',
        )
    found = next((name for mark, name in _BOMS.items() if first.startswith(mark)), "")
    if found == "utf-8":
        first = first[len(codecs.BOM_UTF8) :]
    elif found and not encoding.replace("_", "-").startswith(found):
        raise DataError(
            "E_FILE_ENCODING",
            f"byte 0: the file is {found.upper()}",
            file=snapshot.file.label,
            line=1,
            column=1,
            hint=f'say encoding = "{found}" in its source, or save it as UTF-8',
        )
    if encoding in ("utf-8", "utf8", "utf-8-sig", "utf_8"):
        yield first
        yield from blocks
    else:
        yield from _transcoded(snapshot, first, blocks, encoding)


def _unpacked(snapshot: Snapshot, size: int) -> Iterator[bytes]:
    raw = _Blocks(snapshot.blocks())
    if not raw.starts_with(b"\x1f\x8b"):
        yield from raw.of(size)
        return
    budget = max(FREE_BYTES, MAX_RATIO * snapshot.size)
    try:
        with gzip.GzipFile(fileobj=cast("BinaryIO", io.BufferedReader(raw, 1 << 20))) as packed:
            while block := packed.read(size):
                budget -= len(block)
                if budget < 0:
                    raise DataError(
                        "E_FILE_RESOURCE",
                        f"the file unpacks to more than {MAX_RATIO} times its size",
                        file=snapshot.file.label,
                        hint="unpack it and load the result, if it is meant to be so",
                    )
                yield block
        for _ in raw.of(size):
            pass
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            "E_FILE_UNREADABLE", f"the gzip file is damaged or cut off: {error}", file=snapshot.file.label
        ) from None


def _transcoded(snapshot: Snapshot, first: bytes, rest: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    block: bytes | None = first
    try:
        while block is not None:
            text = decoder.decode(block)
            line += text.count("\n")
            yield text.encode("utf-8")
            block = next(rest, None)
        yield decoder.decode(b"", True).encode("utf-8")
    except UnicodeError as error:
        raise DataError(
            "E_FILE_ENCODING", f"the file is not {encoding}: {error}", file=snapshot.file.label, line=line
        ) from None


class _Blocks(io.RawIOBase):
    """An iterator of blocks as a raw file, so that everything read passes the snapshot's hash."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._held = next(blocks, b"")

    def starts_with(self, magic: bytes) -> bool:
        return self._held.startswith(magic)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        target = memoryview(cast("bytearray", buffer))
        if not self._held:
            self._held = next(self._blocks, b"")
        count = min(len(target), len(self._held))
        target[:count] = self._held[:count]
        self._held = self._held[count:]
        return count

    def of(self, size: int) -> Iterator[bytes]:
        """What is left, in blocks of at least `size`."""
        parts, length = [self._held], len(self._held)
        self._held = b""
        for block in self._blocks:
            parts.append(block)
            length += len(block)
            if length >= size:
                yield b"".join(parts)
                parts, length = [], 0
        if length:
            yield b"".join(parts)
