"""Who may write: one process at a time, by a lock that the operating system releases when the holder ends."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from ethogram.model.errors import EnvironmentFault
from ethogram.store.disk import Disk

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Different after each start of the machine; empty where the system does not tell."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


@dataclass(frozen=True, slots=True)
class Holder:
    pid: int
    host: str
    boot: str
    since: str

    def __str__(self) -> str:
        return f"pid {self.pid} on host {self.host} since {self.since}"

    @property
    def is_of_this_boot(self) -> bool:
        return self.host == socket.gethostname() and self.boot == boot_id()


def this_process() -> Holder:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Holder(os.getpid(), socket.gethostname(), boot_id(), now)


def read_holder(path: Path) -> Holder | None:
    """Whoever wrote the lock file last, alive or not."""
    try:
        found = json.loads(path.read_text())
        return Holder(int(found["pid"]), str(found["host"]), str(found["boot"]), str(found["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True


def is_locked(path: Path) -> bool:
    """Whether a living process holds the file; false where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not try_lock(descriptor, shared=True)
    finally:
        os.close(descriptor)


class Lease:
    """Held from `acquire` to `release`."""

    def __init__(self, path: Path, disk: Disk) -> None:
        self._path = path
        self._disk = disk
        self._descriptor = -1

    def acquire(self) -> None:
        """Raises EnvironmentFault E_LOCKED naming the holder."""
        descriptor = self._disk.open(self._path, os.O_RDWR | os.O_CREAT)
        try:
            if not try_lock(descriptor):
                raise _locked(self._path)
            self._disk.truncate(descriptor, self._path)
            self._disk.write(descriptor, json.dumps(asdict(this_process())).encode(), self._path)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def release(self) -> None:
        """The file stays, empty, so that no two processes can lock two different files of one name."""
        if self._descriptor >= 0:
            with suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1


def _locked(path: Path) -> EnvironmentFault:
    holder = read_holder(path)
    who = str(holder) if holder else "another process"
    return EnvironmentFault(
        "E_LOCKED",
        f"{path.parent} is used by {who}",
        hint="Wait until it has finished, or stop it. Looking (segments, members, explain) needs no lock.",
    )
