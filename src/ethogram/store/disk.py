"""The one seam to the file system: every file that the store writes, renames or removes goes through a `Disk`.

Nothing is left half-written under its final name: bytes go to a temporary name, are synced, are renamed, and the folder
is synced. An `fsync` that failed is never tried again on the same disk object (the kernel may have dropped the pages):
the disk refuses all further writes until the program starts anew.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ethogram.model.errors import EnvironmentFault

FAILPOINT = "ETHOGRAM_FAILPOINT"
"""Environment variable for tests: the process kills itself at the named point, or at its n-th passing (`name:n`)."""

TEMPORARY = ".tmp"

_FULL = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {errno.EROFS, errno.EACCES, errno.EPERM}


def fault_of(error: OSError, path: Path, operation: str) -> EnvironmentFault:
    """The fault a user can act on: what could not be done, where, and which right or space is needed."""
    if error.errno in _FULL:
        return disk_full(path)
    if error.errno in _REFUSED:
        return read_only(path)
    return EnvironmentFault(
        "E_DISK",
        f"could not {operation} {path}: {error.strerror or error}",
        hint="Nothing was recorded. Check the disk, then try again.",
    )


def disk_full(path: Path) -> EnvironmentFault:
    return EnvironmentFault(
        "E_DISK_FULL",
        f"no space left on the disk that holds {path}",
        hint="Nothing of this step was recorded; everything recorded before is safe. Free some space and run it again.",
    )


def read_only(path: Path) -> EnvironmentFault:
    place = path if os.path.isdir(path) else path.parent  # noqa: PTH112 - a Path may raise here
    return EnvironmentFault(
        "E_READ_ONLY",
        f"cannot write {path}: the right to write in {place} is needed",
        hint=f"Give this user write permission on {place}, or mount it writable.",
    )


class Disk:
    """POSIX calls with their faults named. Tests override `before` to fail or to count calls."""

    def __init__(self) -> None:
        name, _, count = os.environ.get(FAILPOINT, "").partition(":")
        self._point = name
        self._passings = int(count or 1)
        self._broken: Path | None = None

    # --- seams ---

    def before(self, operation: str, path: Path) -> None:
        """Called before each system call; an OSError raised here is treated as the call's own."""

    def reached(self, point: str) -> None:
        """A named place at which the process can be killed, to prove that nothing is lost there."""
        if point == self._point:
            self._passings -= 1
            if self._passings == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    # --- single calls ---

    @contextmanager
    def _calling(self, operation: str, path: Path) -> Iterator[None]:
        try:
            self.before(operation, path)
            yield
        except OSError as error:
            raise fault_of(error, path, operation) from error

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        with self._calling("open", path):
            return os.open(path, flags | os.O_CLOEXEC, mode)

    def write(self, descriptor: int, data: bytes | memoryview, path: Path) -> None:
        rest = memoryview(data)
        while rest:
            with self._calling("write", path):
                rest = rest[os.write(descriptor, rest[: 1 << 24]) :]

    def fsync(self, descriptor: int, path: Path) -> None:
        self.refuse_if_broken()
        try:
            self.before("fsync", path)
            os.fsync(descriptor)
        except OSError as error:
            self._broken = path
            raise fault_of(error, path, "fsync") from error

    def rename(self, old: Path, new: Path) -> None:
        with self._calling("rename", new):
            old.rename(new)

    def unlink(self, path: Path) -> None:
        with self._calling("unlink", path):
            path.unlink(missing_ok=True)

    def truncate(self, descriptor: int, path: Path) -> None:
        with self._calling("truncate", path):
            os.ftruncate(descriptor, 0)

    def exists(self, path: Path) -> bool:
        with self._calling("open", path):
            return path.exists()

    def names(self, folder: Path) -> list[str]:
        """Of the files in the folder, sorted."""
        with self._calling("open", folder):
            return sorted(path.name for path in folder.iterdir())

    def make_folder(self, path: Path) -> None:
        with self._calling("mkdir", path):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)

    # --- what the store needs ---

    def refuse_if_broken(self) -> None:
        """After a failed `fsync` what the disk holds is unknown, so this process writes no more."""
        if self._broken:
            raise EnvironmentFault(
                "E_DISK",
                f"an earlier sync of {self._broken} failed, so this process stopped writing",
                hint="Check the disk, then start the program again; it opens with what is surely stored.",
            )

    def broke(self, path: Path) -> None:
        """Somebody else's sync (the database's) failed."""
        self._broken = self._broken or path

    def sync_folder(self, folder: Path) -> None:
        descriptor = self.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self.fsync(descriptor, folder)
        finally:
            os.close(descriptor)

    def write_file(self, path: Path, data: bytes | memoryview, *, point: str) -> None:
        """The file under its final name, synced; its folder is not (see `sync_folder`). `point` prefixes failpoints."""
        self.refuse_if_broken()
        temporary = path.with_name(path.name + TEMPORARY)
        self.reached(f"{point}.before-write")
        descriptor = self.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            view, half = memoryview(data), len(data) // 2
            self.write(descriptor, view[:half], temporary)
            self.reached(f"{point}.half-written")
            self.write(descriptor, view[half:], temporary)
            self.reached(f"{point}.before-fsync")
            self.fsync(descriptor, temporary)
        finally:
            os.close(descriptor)
        self.reached(f"{point}.before-rename")
        self.rename(temporary, path)
        self.reached(f"{point}.after-rename")
