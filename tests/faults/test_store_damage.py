"""Bits that flip, logs that are cut, derived files that go."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import store_world as world

from ethogram.model.errors import EnvironmentFault
from ethogram.store import Store

FILES = 60


def test_a08_one_flipped_bit_in_any_file_is_found_and_the_file_named(tmp_path: Path) -> None:
    with world.open_store(tmp_path) as store:
        for number in range(FILES // store.buckets):
            world.load(store, number)
    dice = random.Random(8)
    with Store.open(tmp_path) as store, store.snapshot() as snapshot:
        assert len(snapshot.files) == FILES
        for file in snapshot.files:
            good = file.path.read_bytes()
            place, bit = dice.randrange(len(good)), dice.randrange(8)
            bad = bytearray(good)
            bad[place] ^= 1 << bit
            file.path.write_bytes(bad)
            with pytest.raises(EnvironmentFault) as caught:
                world.stored(store)
            assert caught.value.code == "E_FILE_DAMAGED"
            assert str(file.path) in caught.value.message
            if file.bucket:
                assert [str(file.path) in fault.message for fault in store.verify_files()] == [True]
            file.path.write_bytes(good)
            store.check_file(file)
        assert store.verify_files() == ()


@pytest.mark.parametrize("damage", ["truncated", "empty", "missing", "longer", "exchanged"])
def test_a08_other_damage(tmp_path: Path, damage: str) -> None:
    with world.open_store(tmp_path) as store:
        world.load(store, 0)
        world.load(store, 1)
        with store.snapshot() as snapshot:
            path, other = snapshot.files[0].path, snapshot.files[1].path
        good = path.read_bytes()
        content = {
            "truncated": good[:-1],
            "empty": b"",
            "longer": good + b"\0",
            "exchanged": other.read_bytes(),
        }
        if damage == "missing":
            path.unlink()
        else:
            path.write_bytes(content[damage])
        with store.snapshot() as snapshot:
            for read in (lambda: world.stored(store), lambda: store.histories(["c0", "c1", "c2"], snapshot)):
                with pytest.raises(EnvironmentFault) as caught:
                    read()
                assert caught.value.code == "E_FILE_DAMAGED" and str(path) in caught.value.message
        with pytest.raises(EnvironmentFault):
            world.load(store, 2)
        with pytest.raises(EnvironmentFault):
            store.compact(min_files=2)
        (damaged,) = store.doctor().damaged
        assert str(path) in damaged


def test_a09_what_can_be_made_again_may_go(tmp_path: Path) -> None:
    with world.open_store(tmp_path) as store:
        world.load(store, 0)
    (tmp_path / ".ethogram" / "head").unlink()
    shutil.rmtree(tmp_path / ".ethogram" / "readers")
    (tmp_path / ".ethogram" / "writer.lock").write_bytes(b"\xff garbage")
    (tmp_path / ".ethogram" / "ledger.db-shm").write_bytes(b"garbage")
    (tmp_path / ".ethogram" / "ledger.db-wal").write_bytes(b"garbage" * 99)
    with Store.open(tmp_path) as store:
        world.load(store, 1)
        world.assert_sound(store, [0, 1])
        assert store.head_path.exists()


def test_a09_garbage_in_the_readers_folder_is_removed(tmp_path: Path) -> None:
    with world.open_store(tmp_path) as store:
        (store.readers_folder / "1-abc.reader").write_bytes(b"\xff garbage")
        world.load(store, 0)
        world.compact(store, 0)
        assert list(store.readers_folder.iterdir()) == []


def test_a09_a_damaged_head_is_not_ignored(tmp_path: Path) -> None:
    with world.open_store(tmp_path) as store:
        world.load(store, 0)
    store.head_path.write_bytes(b"\xff")
    with pytest.raises(EnvironmentFault) as caught:
        Store.open(tmp_path)
    assert caught.value.code == "E_FILE_DAMAGED" and "head" in caught.value.hint


def test_a_lost_or_foreign_ledger_is_noticed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with world.open_store(tmp_path / name) as store:
            world.load(store, 0)
            world.refresh(store, len(name))
    ledger = tmp_path / "one" / ".ethogram" / "ledger.db"
    ledger.unlink()
    for _ in range(2):
        with pytest.raises(EnvironmentFault) as caught:
            world.open_store(tmp_path / "one")
        assert caught.value.code == "E_LOG_GAP"
        assert not ledger.exists()
    shutil.copy(tmp_path / "two" / ".ethogram" / "ledger.db", ledger)
    with pytest.raises(EnvironmentFault) as caught:
        world.open_store(tmp_path / "one")
    assert caught.value.code == "E_LOG_GAP" and "transaction 2" in caught.value.message


# --- A06 ------------------------------------------------------------------------------------------------------------

CRASH = """
import os, pathlib, signal, sys, store_world as w
store = w.open_store(pathlib.Path(sys.argv[1]))
for number in range(4):
    w.load(store, number)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four acknowledged loads whose write-ahead log was never folded into the database."""
    project = tmp_path_factory.mktemp("crashed")
    folder = str(Path(world.__file__).parent)
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {folder!r})\n{CRASH}", str(project)]
    assert subprocess.run(command, check=False).returncode == world.KILLED
    return project


def opened_with(crashed: Path, project: Path, log: bytes) -> str:
    """`sound` with all four loads, or the code of the refusal."""
    shutil.copytree(crashed, project, dirs_exist_ok=True)
    (project / ".ethogram" / "ledger.db-shm").unlink(missing_ok=True)
    (project / ".ethogram" / "ledger.db-wal").write_bytes(log)
    try:
        with world.open_store(project) as store:
            world.assert_sound(store, [0, 1, 2, 3])
            return "sound"
    except EnvironmentFault as fault:
        assert "Traceback" not in str(fault)
        return fault.code


def test_a06_a_log_cut_at_any_frame_is_complete_or_refused(crashed: Path, tmp_path: Path) -> None:
    log = (crashed / ".ethogram" / "ledger.db-wal").read_bytes()
    page = int.from_bytes(log[8:12], "big")
    ends = range(32, len(log) + 1, page + 24)
    assert ends[-1] == len(log) and len(ends) > 20
    outcomes = [opened_with(crashed, tmp_path / str(end), log[:end]) for end in ends]
    assert outcomes[-1] == "sound"
    assert set(outcomes[:-1]) == {"E_LOG_GAP"}


def test_a06_garbage_after_the_log_is_no_harm(crashed: Path, tmp_path: Path) -> None:
    log = (crashed / ".ethogram" / "ledger.db-wal").read_bytes()
    dice = random.Random(6)
    for length in (1, 7, 24, 100, 400):
        assert opened_with(crashed, tmp_path / str(length), log + dice.randbytes(length)) == "sound"


def test_a06_a_flipped_bit_in_the_log_never_opens_short(crashed: Path, tmp_path: Path) -> None:
    log = (crashed / ".ethogram" / "ledger.db-wal").read_bytes()
    dice = random.Random(66)
    for number in range(20):
        bad = bytearray(log)
        bad[dice.randrange(len(log))] ^= 1 << dice.randrange(8)
        assert opened_with(crashed, tmp_path / str(number), bytes(bad)) in ("sound", "E_LOG_GAP")
