"""Who reads what: a file is deleted only after the last reader that names it has ended.

A reader holds a shared lock on a small file of its own for as long as it lives; the operating system lets go of it when
the process ends in whatever way. The file says up to which sequence the reader's snapshot goes.
"""

from __future__ import annotations

import os
import secrets
import weakref
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ethogram.store.disk import Disk
from ethogram.store.lease import try_lock
from ethogram.store.records import LakeFile

_SUFFIX = ".reader"
_WIDTH = 20


class Pin:
    """Protects all files from deletion until `narrow`, then those of one sequence, until `release`."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._disk = disk
        while True:
            path = folder / f"{os.getpid()}-{secrets.token_hex(6)}{_SUFFIX}"
            descriptor = disk.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            if try_lock(descriptor, shared=True) and path.exists():
                break
            os.close(descriptor)  # a cleaner took it for a leftover between the two calls
        self._descriptor = descriptor
        self._finalizer = weakref.finalize(self, _let_go, path, descriptor)

    def narrow(self, sequence: int) -> None:
        """On a full disk it keeps protecting everything."""
        with suppress(OSError):
            os.pwrite(self._descriptor, f"{sequence:0{_WIDTH}d}".encode(), 0)

    def release(self) -> None:
        self._finalizer()


def _let_go(path: Path, descriptor: int) -> None:
    with suppress(OSError):
        path.unlink()
    os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of the store. Its files stay readable until `close`, or until the snapshot is gone."""

    sequence: int
    files: tuple[LakeFile, ...]
    _pin: Pin = field(repr=False, compare=False)

    def close(self) -> None:
        self._pin.release()

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def oldest_sequence(folder: Path) -> int | None:
    """The smallest sequence that a living reader may still read, None if nobody reads. Removes what the dead left."""
    living = list(_living(folder))
    return min(living, default=None)


def count_readers(folder: Path) -> int:
    return len(list(_living(folder)))


def _living(folder: Path) -> Iterator[int]:
    for path in folder.glob(f"*{_SUFFIX}"):
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        except OSError:
            yield 0  # somebody else's: it may need everything
            continue
        try:
            if try_lock(descriptor):
                with suppress(OSError):
                    path.unlink()
            else:
                yield int(os.pread(descriptor, _WIDTH, 0) or b"0")
        finally:
            os.close(descriptor)
