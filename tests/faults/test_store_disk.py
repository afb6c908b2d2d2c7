"""Disks that are full, read-only, or fail at any call."""

from __future__ import annotations

import errno
import itertools
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import store_world as world

from ethogram.model.errors import EnvironmentFault
from ethogram.store import Disk, Store

OPERATIONS = ("open", "write", "fsync", "rename", "unlink", "mkdir", "truncate")


class FaultyDisk(Disk):
    """Fails the n-th call (counted from `arm`) with an error number, once."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, Path]] = []
        self._at, self._error = -1, 0

    def arm(self, at: int, error: int) -> None:
        self.calls.clear()
        self._at, self._error = at, error

    @property
    def has_failed(self) -> bool:
        return 0 <= self._at < len(self.calls)

    def before(self, operation: str, path: Path) -> None:
        assert operation in OPERATIONS
        self.calls.append((operation, path))
        if len(self.calls) == self._at + 1:
            raise OSError(self._error, os.strerror(self._error))


# --- A12 ------------------------------------------------------------------------------------------------------------

CODES = {errno.EIO: "E_DISK", errno.ENOSPC: "E_DISK_FULL", errno.EACCES: "E_READ_ONLY"}


def workload(store: Store) -> list[int]:
    """A load, a compaction and a refresh; which of them failed, by a fault that a user can read."""
    steps = (lambda: world.load(store, 2), lambda: world.compact(store, 0), lambda: world.refresh(store, 1))
    failed = []
    for number, step in enumerate(steps):
        try:
            step()
        except EnvironmentFault as fault:
            assert fault.code in CODES.values()
            assert str(store.folder) in fault.message
            failed.append(number)
    return failed


@pytest.mark.parametrize("error", CODES, ids=CODES.get)
def test_a12_sampled_calls_fail_once(tmp_path: Path, error: int) -> None:
    sweep(tmp_path, error, step=7)


@pytest.mark.slow
@pytest.mark.parametrize("error", CODES, ids=CODES.get)
def test_a12_any_call_may_fail_once(tmp_path: Path, error: int) -> None:
    sweep(tmp_path, error, step=1)


def sweep(tmp_path: Path, error: int, *, step: int) -> None:
    for at in itertools.count(step=step):
        project = tmp_path / str(at)
        project.mkdir()
        disk = FaultyDisk()
        with world.open_store(project, disk) as store:
            world.load(store, 0)
            world.load(store, 1)
            disk.arm(at, error)
            failed = workload(store)
            operation = disk.calls[at][0] if disk.has_failed else ""
        with world.open_store(project) as store:
            world.assert_sound(store, [0, 1] if 0 in failed else [0, 1, 2])
            assert len(store.memory.refreshes()) == (2 not in failed)
            assert workload(store) == []
            world.assert_sound(store, [0, 1, 2])
        if not operation:
            break
        if operation != "fsync":
            assert len(failed) <= 1, "the steps after the failed one go on"
    assert at > 20


def test_a12_any_call_may_fail_while_the_project_is_made(tmp_path: Path) -> None:
    for at in itertools.count(step=3):
        project = tmp_path / str(at)
        project.mkdir()
        disk = FaultyDisk()
        disk.arm(at, errno.EIO)
        try:
            with world.open_store(project, disk) as store:
                world.load(store, 0)
        except EnvironmentFault as fault:
            assert fault.code == "E_DISK"
        with world.open_store(project) as store:
            world.load(store, 0)
            world.assert_sound(store, [0])
        if not disk.has_failed:
            break


def test_a11_after_a_failed_sync_the_process_writes_no_more(tmp_path: Path) -> None:
    disk = FaultyDisk()
    with world.open_store(tmp_path, disk) as store:
        world.load(store, 0)
        disk.arm(-1, 0)
        world.load(store, 1)
        first_sync = next(n for n, (operation, _) in enumerate(disk.calls) if operation == "fsync")
        disk.arm(first_sync, errno.EIO)
        with pytest.raises(EnvironmentFault) as caught:
            world.load(store, 2)
        assert caught.value.code == "E_DISK" and "fsync" in caught.value.message
        assert [operation for operation, _ in disk.calls].count("fsync") == 1, (
            "a failed sync is not tried again"
        )
        with pytest.raises(EnvironmentFault) as caught:
            world.load(store, 2)
        assert "start the program again" in caught.value.hint
        assert world.stored(store) == world.expected([0, 1]), "reading goes on"
    with world.open_store(tmp_path) as store:
        world.load(store, 2)
        world.assert_sound(store, [0, 1, 2])


# --- real disks -----------------------------------------------------------------------------------------------------


def mounted(folder: Path, options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", options, "ethogram-test", str(folder)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """1.5 MB that fill up. Needs the right to mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mounted(folder, "size=1500k,mode=700"):
        pytest.skip("needs the right to mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a10_a_full_disk_is_named_and_nothing_acknowledged_is_lost(small_disk: Path) -> None:
    acknowledged: list[int] = []
    with world.open_store(small_disk) as store:
        with pytest.raises(EnvironmentFault) as caught:
            for number in range(1000):
                world.load(store, number)
                acknowledged.append(number)
        assert caught.value.code == "E_DISK_FULL"
        assert str(small_disk) in caught.value.message
        assert len(acknowledged) > 5
        assert set(world.stored(store)) >= set(world.expected(acknowledged))
        # the disk grows, and the same process goes on
        subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
        world.load(store, len(acknowledged))
        world.load(store, len(acknowledged) + 1)
    with Store.open(small_disk) as store:
        assert world.stored(store) == world.expected(list(range(len(acknowledged) + 2)))
        assert store.ledger.rows("PRAGMA integrity_check") == [("ok",)]
        assert store.verify_files() == ()


def test_a10_a_full_disk_can_still_be_opened_and_read(small_disk: Path) -> None:
    with world.open_store(small_disk) as store:
        world.load(store, 0)
        world.load(store, 1)
    filler = os.open(small_disk / "filler", os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError):
        while os.write(filler, bytes(4096)):
            pass
    os.close(filler)
    try:
        with Store.open(small_disk) as store:
            assert world.stored(store) == world.expected([0, 1])
    except EnvironmentFault as fault:
        assert fault.code == "E_DISK_FULL"
    (small_disk / "filler").unlink()
    with Store.open(small_disk) as store:
        world.assert_sound(store, [0, 1])


def test_a15_a_read_only_disk_is_named_with_the_right_that_is_needed(small_disk: Path) -> None:
    with world.open_store(small_disk) as store:
        world.load(store, 0)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for project in (small_disk, small_disk / "new"):
        with pytest.raises(EnvironmentFault) as caught:
            Store.open(project, create=True)
        assert caught.value.code == "E_READ_ONLY"
        assert str(project) in caught.value.message and "right to write" in caught.value.message
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    with Store.open(small_disk) as store:
        world.assert_sound(store, [0])


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_a15_a_folder_of_somebody_else() -> None:
    for mode in (0o700, 0o755):
        with tempfile.TemporaryDirectory() as folder:
            project = Path(folder)
            project.chmod(mode)
            assert world.forked(open_as_somebody_else, project) == 0


def open_as_somebody_else(project: Path) -> None:
    os.setuid(65534)
    with pytest.raises(EnvironmentFault) as caught:
        Store.open(project, create=True)
    assert caught.value.code == "E_READ_ONLY" and str(project) in caught.value.message
