"""One writer at a time."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import store_world as world

from ethogram.model.errors import EnvironmentFault
from ethogram.store.network import ALLOW, filesystem_of, refuse_network

HOLD = """
import pathlib, sys, store_world as w
store = w.open_store(pathlib.Path(sys.argv[1]))
with store.writer():
    w.load(store, 0)
    print("holding", flush=True)
    sys.stdin.readline()
    w.load(store, 1)
print("done", flush=True)
sys.stdin.readline()
"""


def holder(project: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(Path(world.__file__).parent)}
    command = [sys.executable, "-c", HOLD, str(project)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )


def test_a13_a_second_writer_is_refused_with_the_first_ones_pid(tmp_path: Path) -> None:
    with holder(tmp_path) as first:
        assert first.stdin and first.stdout
        assert first.stdout.readline() == "holding\n"
        second = world.run("load", tmp_path, 2)
        assert second.returncode == 3
        assert f"is used by pid {first.pid} on host {socket.gethostname()} since 20" in second.stderr
        assert "E_LOCKED" in second.stderr and "Traceback" not in second.stderr
        with world.open_store(tmp_path) as store:
            assert len(world.stored(store)) == world.BATCH, "a reader needs no lock"
            assert f"pid {first.pid}" in store.doctor().writer
        print(file=first.stdin, flush=True)
        assert first.stdout.readline() == "done\n"
        assert world.run("load", tmp_path, 2).returncode == 0
        print(file=first.stdin, flush=True)
    with world.open_store(tmp_path) as store:
        world.assert_sound(store, [0, 1, 2])


def test_a13_the_lock_of_a_killed_writer_stops_nobody(tmp_path: Path) -> None:
    with holder(tmp_path) as first:
        assert first.stdout and first.stdout.readline() == "holding\n"
        first.kill()
        first.wait()
    with world.open_store(tmp_path) as store:
        assert f"pid {first.pid}" in store.doctor().stale_writer
        world.load(store, 1)
        world.assert_sound(store, [0, 1])


def test_a13_two_stores_in_one_process_are_two_writers(tmp_path: Path) -> None:
    with world.open_store(tmp_path) as one, world.open_store(tmp_path) as other:
        with one.writer(), one.writer():
            with pytest.raises(EnvironmentFault) as caught:
                world.load(other, 0)
            assert caught.value.code == "E_LOCKED"
            assert f"pid {os.getpid()} " in caught.value.message
            world.load(one, 0)
        world.load(other, 1)
        world.assert_sound(one, [0, 1])


def test_a15_a_network_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = f"1 0 0:1 / / rw - ext4 /dev/sda rw\n2 1 0:2 / {tmp_path} rw shared:1 - nfs4 server:/x rw"
    assert filesystem_of(tmp_path / "shop", mounts) == "nfs4"
    assert filesystem_of(tmp_path.parent, mounts) == "ext4"
    monkeypatch.setattr("ethogram.store.network._mounts", lambda: mounts)
    with pytest.raises(EnvironmentFault) as caught:
        refuse_network(tmp_path)
    assert caught.value.code == "E_NETWORK_DISK" and str(tmp_path) in caught.value.message
    monkeypatch.setenv(ALLOW, "1")
    refuse_network(tmp_path)
