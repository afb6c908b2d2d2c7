"""`kill -9` at every point at which it could matter."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import store_world as world

FILE_POINTS = ("before-write", "half-written", "before-fsync", "before-rename", "after-rename")
COMMIT_POINTS = ("lake.synced", "ledger.before-commit")
HEAD_POINTS = ("ledger.after-commit", *(f"head.{point}" for point in FILE_POINTS), "head.synced")


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tmp_path_factory.mktemp("healthy")
    with world.open_store(project) as store:
        for number in range(3):
            world.load(store, number)
        world.refresh(store, 1)
    return project


@pytest.fixture
def project(healthy: Path, tmp_path: Path) -> Path:
    shutil.copytree(healthy, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.mark.parametrize(
    "point", [f"compaction.{point}" for point in FILE_POINTS] + ["compaction.after-rename:2"]
)
def test_a02_killed_while_a_file_is_compacted(project: Path, point: str) -> None:
    assert world.crash("compact", project, failpoint=point) == world.KILLED
    with world.open_store(project) as store:
        world.assert_sound(store, [0, 1, 2])
    assert world.crash("compact", project) == 0
    with world.open_store(project) as store:
        world.assert_sound(store, [0, 1, 2])
        assert store.doctor().lake_files == store.buckets


@pytest.mark.parametrize("point", [*COMMIT_POINTS, *HEAD_POINTS, "ledger.after-commit:2"])
def test_a02_killed_while_a_compaction_is_recorded(project: Path, point: str) -> None:
    assert world.crash("compact", project, failpoint=point) == world.KILLED
    with world.open_store(project) as store:
        world.assert_sound(store, [0, 1, 2])
        store.compact(min_files=2)
        world.assert_sound(store, [0, 1, 2])


@pytest.mark.parametrize(
    "point", [*(f"file.{point}" for point in FILE_POINTS), "file.half-written:2", *COMMIT_POINTS]
)
def test_c08_a_load_killed_before_its_commit_leaves_nothing(project: Path, point: str) -> None:
    assert world.crash("load", project, 3, failpoint=point) == world.KILLED
    with world.open_store(project) as store:
        world.assert_sound(store, [0, 1, 2])
    assert world.crash("load", project, 3) == 0
    with world.open_store(project) as store:
        world.assert_sound(store, [0, 1, 2, 3])


@pytest.mark.parametrize("point", HEAD_POINTS)
def test_c08_a_load_killed_after_its_commit_is_there_once(project: Path, point: str) -> None:
    assert world.crash("load", project, 3, failpoint=point) == world.KILLED
    with world.open_store(project) as store:
        world.assert_sound(store, [0, 1, 2, 3])
    assert world.crash("load", project, 3) == 0
    with world.open_store(project) as store:
        world.assert_sound(store, [0, 1, 2, 3])
        assert [load.duplicates for load in store.memory.loads()] == [0, 0, 0, 0, world.BATCH]


@pytest.mark.parametrize("point", ["ledger.before-commit", *HEAD_POINTS])
def test_a03_a_refresh_is_recorded_as_a_whole_or_not(project: Path, point: str) -> None:
    assert world.crash("refresh", project, 2, failpoint=point) == world.KILLED
    is_recorded = point != "ledger.before-commit"
    with world.open_store(project) as store:
        world.assert_sound(store, [0, 1, 2])
        assert len(store.memory.refreshes(limit=9)) == 1 + is_recorded
        assert len(store.memory.definition_versions("vip")) == 1 + is_recorded
        assert {interval.entered_at for interval in store.memory.intervals()} == {1 + is_recorded}
        world.refresh(store, 2)
        assert {interval.entered_at for interval in store.memory.intervals()} == {2}


@pytest.mark.parametrize("point", ["migration.before-commit", "file.half-written", "ledger.before-commit"])
def test_a19_killed_while_the_project_is_made(tmp_path: Path, point: str) -> None:
    assert world.crash("load", tmp_path, 0, failpoint=point) == world.KILLED
    assert world.crash("load", tmp_path, 0) == 0
    with world.open_store(tmp_path) as store:
        world.assert_sound(store, [0])


def test_a01_killed_at_any_time_what_was_acknowledged_is_there(tmp_path: Path) -> None:
    """A loader that goes on for ever is killed again and again; every acknowledged batch is stored, once."""
    loop = (
        "import pathlib, sys, store_world as w\n"
        "store = w.open_store(pathlib.Path(sys.argv[1]))\n"
        "number = int(sys.argv[2])\n"
        "while True:\n"
        "    w.load(store, number)\n"
        "    print(number, flush=True)\n"
        "    if number % 4 == 3: store.compact(min_files=3)\n"
        "    number += 1\n"
    )
    random_times = random.Random(7)
    environment = os.environ | {"PYTHONPATH": str(Path(world.__file__).parent)}
    following = 0
    for _ in range(4):
        command = [sys.executable, "-c", loop, str(tmp_path), str(following)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stdout
            process.stdout.readline()
            time.sleep(random_times.expovariate(1 / 0.15))
            process.send_signal(signal.SIGKILL)
            acknowledged = [following, *(int(line) for line in process.stdout if line.endswith("\n"))]
        with world.open_store(tmp_path) as store:
            count = len(world.stored(store)) // world.BATCH
            assert acknowledged[-1] + 1 <= count <= acknowledged[-1] + 2
            world.assert_sound(store, list(range(count)))
            following = count
