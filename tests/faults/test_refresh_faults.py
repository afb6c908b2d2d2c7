"""A03: a refresh that is killed leaves the last one as it was, and running it again gives what it would have given."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from checking import expected_answers, kept_stays, recorded_answers_of
from oracle import DAY, Oracle, definitions, event, load, shop

from ethogram.membership.record import ANSWERS
from ethogram.membership.refresh import refresh
from ethogram.model.settings import Settings
from ethogram.store import Store
from ethogram.store.disk import FAILPOINT

T = 1_700_000_000_000_000
SETTINGS = Settings()
MEANT = definitions("""
behaviors:
  purchase: Ordered
traits:
  orders: count(purchase)
segments:
  buyers: { when: "did(purchase, last=10d)" }
segmentations:
  level:
    groups:
      often: count(purchase) >= 2
      seldom: otherwise
""")

BEFORE_IT_TAKES_EFFECT = (
    "layer.half-written",
    "layer.half-written:2",
    "layer.before-fsync",
    "layer.before-rename",
    "layer.after-rename",
    "refresh.before-commit",
    "ledger.before-commit",
)
AFTER = ("ledger.after-commit", "refresh.after-commit", "publish.before-traits", "publish.before-memberships")


def prepare(folder: Path) -> None:
    with shop(folder) as store:
        load(store, [event(f"c{n}", T + n * DAY, "Ordered", str(n)) for n in range(6)])
        refresh(store, Oracle(store, MEANT, SETTINGS), MEANT, SETTINGS, as_of=T + 6 * DAY, publish=True)
        load(store, [event(f"c{n}", T + 7 * DAY, "Ordered", f"n{n}") for n in range(3)])
        load(store, [event("late", T + 5 * DAY, "Ordered", "l")])


def second_refresh(folder: Path) -> None:
    with Store.open(folder) as store:
        refresh(store, Oracle(store, MEANT, SETTINGS), MEANT, SETTINGS, as_of=T + 14 * DAY, publish=True)


def killed_at(folder: Path, point: str) -> None:
    """In a process of its own, which must die there."""
    code = f"from pathlib import Path; from test_refresh_faults import second_refresh; second_refresh(Path({str(folder)!r}))"
    here = Path(__file__).parent
    paths = os.pathsep.join([str(here), str(here.parent)])
    environment = os.environ | {FAILPOINT: point, "PYTHONPATH": paths}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]


def state(folder: Path) -> str:
    """Everything that a refresh decides, in one hash."""
    with Store.open(folder) as store:
        feed = [
            (c.customer, c.definition, c.change, c.from_group, c.to_group, c.at)
            for c in store.memory.changes()
        ]
        answers = sorted(recorded_answers_of(store).items())
        text = json.dumps(
            [feed, answers, sorted(kept_stays(store), key=str), store.memory.refreshes()[0].as_of]
        )
    return hashlib.sha256(text.encode()).hexdigest()


def published(folder: Path) -> list[dict[str, object]]:
    table = pq.read_table(folder / ".ethogram" / "published" / "memberships")
    return sorted(table.to_pylist(), key=str)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared") / "shop"
    prepare(folder)
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    """A project between its first and its second refresh."""
    return shutil.copytree(prepared, tmp_path / "shop")


@pytest.fixture(scope="module")
def uninterrupted(
    prepared: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, str, list[dict[str, object]]]:
    """Before the second refresh, after it, and what it publishes."""
    folder = shutil.copytree(prepared, tmp_path_factory.mktemp("uninterrupted") / "shop")
    before = state(folder)
    second_refresh(folder)
    return before, state(folder), published(folder)


@pytest.mark.parametrize("point", BEFORE_IT_TAKES_EFFECT)
def test_a03_killed_before_it_takes_effect(
    folder: Path, point: str, uninterrupted: tuple[str, str, list[dict[str, object]]]
) -> None:
    killed_at(folder, point)
    assert state(folder) == uninterrupted[0]
    second_refresh(folder)
    assert (state(folder), published(folder)) == uninterrupted[1:]
    with Store.open(folder) as store:
        assert recorded_answers_of(store) == expected_answers(Oracle(store, MEANT, SETTINGS), T + 14 * DAY)
        named = {name for one in store.memory.refreshes(limit=2) for name in json.loads(one.state)}
        assert {path.name for path in (store.folder / ANSWERS).iterdir()} == named


@pytest.mark.parametrize("point", AFTER)
def test_a03_killed_after_it_took_effect(
    folder: Path, point: str, uninterrupted: tuple[str, str, list[dict[str, object]]]
) -> None:
    killed_at(folder, point)
    assert state(folder) == uninterrupted[1]
    second_refresh(folder)
    assert (state(folder), published(folder)) == uninterrupted[1:]
