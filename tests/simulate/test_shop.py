"""The simulator by itself: the same seed makes the same files, and what is in them is plausible."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from shops import opened
from typer.testing import CliRunner

from ethogram.app.cli import app
from ethogram.app.truth import compared_with_truth
from ethogram.app.workbench import silent
from ethogram.simulate import shop as shop_module
from ethogram.simulate.goods import NOW
from ethogram.simulate.shop import Shop, personas, write_shop
from ethogram.simulate.traces import EVENTS, SOURCES


def made(folder: Path, shop: Shop) -> Path:
    folder.mkdir()
    write_shop(folder, shop, silent)
    return folder


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("simulated") / "shop", Shop())


def table(folder: Path, source: str) -> pa.Table:
    return pa.concat_tables(
        pq.read_table(path) for path in sorted((folder / "data").glob(f"{source}*.parquet"))
    )


# --- seeds ---


def test_the_same_seed_makes_the_same_bytes(tmp_path: Path) -> None:
    one, other = (contents(made(tmp_path / name, Shop(400, 500, 7))) for name in ("one", "other"))
    assert one == other and len(one) > 80


def test_another_seed_makes_another_shop(tmp_path: Path) -> None:
    one, other = (contents(made(tmp_path / str(seed), Shop(400, 500, seed))) for seed in (7, 8))
    assert one.keys() == other.keys()
    assert {name for name in one if one[name] == other[name]} & {"truth.csv", "data/visits.parquet"} == set()
    assert one["definitions/rfm.yml"] == other["definitions/rfm.yml"]


def test_lots_are_one_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop_module, "LOT", 150)
    folder = tmp_path / "shop"
    with opened(folder, Shop(900, 1_096, 1)) as (written, reports, bench):
        assert len(list((folder / "data").glob("visits-*.parquet"))) == 6
        assert len(pc.unique(table(folder, "customers")["customer"])) == written.customers
        assert sum(one.accepted for one in reports) == written.events + written.customers
        wrong = compared_with_truth(bench).wrong
        # a lot of 150 says too little of where a fifth of all buyers begins
        assert [row for row, _ in wrong if not row.persona.startswith("rfm")] == []


@pytest.mark.slow
def test_a_large_shop(tmp_path: Path) -> None:
    with opened(tmp_path / "shop", Shop(60_000, 1_096, 1)) as (written, _, bench):
        assert written.events > 2_000_000
        assert compared_with_truth(bench).wrong == ()


@pytest.mark.parametrize("customers", [1, 2, 3, 50])
def test_small_shops_are_projects(customers: int, tmp_path: Path) -> None:
    with opened(tmp_path / "shop", Shop(customers)) as (_written, reports, bench):
        assert reports[0].accepted == customers
        assert not any(finding.is_error for finding in bench.check())
        assert compared_with_truth(bench).wrong == ()
        assert bench.newest() == NOW


# --- what is in it ---


def test_time_ends_now_and_is_in_order(usual: Path) -> None:
    newest = []
    for source in SOURCES:
        times = np.asarray(table(usual, source)["time"].cast(pa.int64()))
        assert (np.diff(times) >= 0).all()
        newest.append(int(times.max()))
    assert max(newest) == NOW
    assert int(np.asarray(table(usual, "customers")["time"].cast(pa.int64())).max()) < NOW


def test_every_event_happens_and_message_ids_are_used_once(usual: Path) -> None:
    happened, ids = set[str](), list[pa.ChunkedArray]()
    for source in SOURCES:
        found = table(usual, source)
        happened |= set(pc.unique(found["event"]).to_pylist())
        ids += [found["message_id"]]
    assert happened == set(EVENTS)
    together = pa.chunked_array([chunk for one in ids for chunk in one.chunks])
    assert len(pc.unique(together)) == len(together)


def test_orders_add_up(usual: Path) -> None:
    orders = table(usual, "orders").filter(pc.field("event") == "Order Completed").to_pylist()
    assert len(orders) > 1_000
    for order in orders:
        lines = sum(line["price"] * line["quantity"] for line in order["products"])
        assert order["units"] == sum(line["quantity"] for line in order["products"])
        assert 0 <= order["cost"] <= max(order["total"], lines)
        assert abs(lines - order["discount"] - order["total"]) <= 0.01 * order["units"] + order["discount"]


def test_few_come_often_and_december_is_busy(usual: Path) -> None:
    visits = table(usual, "visits").filter(pc.field("event") == "Session Started")
    counts = np.sort(np.asarray(visits["customer"].value_counts().field("counts")))[::-1]
    assert counts[: len(counts) // 10].sum() > 0.3 * counts.sum()
    months = np.asarray(pc.month(visits["time"]))
    december, august = (int((months == month).sum()) for month in (12, 8))
    assert december > 1.3 * august


def test_those_who_answer_are_not_like_the_others(usual: Path) -> None:
    service = table(usual, "service")
    answers = service.filter(pc.field("event") == "CSAT Answered")
    asked = service.filter(pc.is_in(pc.field("event"), pa.array(["Survey Sent"])))
    assert 0 < answers.num_rows < 0.5 * asked.num_rows
    assert len(pc.unique(service["language"]).drop_null()) >= 4


def test_personas_explain_themselves() -> None:
    names = [persona.name for persona in personas()]
    assert len(names) == len(set(names)) > 100
    assert all(persona.title.endswith(".") and len(persona.title) <= 100 for persona in personas())
    assert all(persona.into or persona.outside for persona in personas())


# --- the verb ---


def test_the_verb(tmp_path: Path) -> None:
    folder = str(tmp_path / "shop")
    result = CliRunner().invoke(
        app, ["simulate", folder, "--customers", "60", "--days", "90", "--seed", "3", "--json"]
    )
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert said["customers"] == 60 and said["facts"] > 0 and "rfm" in said["entries"] and said["lacking"]
    assert "--customers 60 --days 90 --seed 3" in (tmp_path / "shop" / "ethogram.toml").read_text()
    assert "E_PROJECT_EXISTS" in CliRunner().invoke(app, ["simulate", folder]).stderr


def test_the_verb_says_what_next(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["simulate", str(tmp_path / "shop"), "--customers", "40"])
    assert result.exit_code == 0, result.stderr
    assert "Too few customers for: " in result.stdout and "ethogram load" in result.stdout


def test_the_verb_leaves_other_things_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    result = CliRunner().invoke(app, ["simulate", str(tmp_path)])
    assert result.exit_code == 2 and "E_FOLDER_NOT_EMPTY" in result.stderr
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(app, ["simulate", str(tmp_path / "file" / "shop")])
    assert result.exit_code == 3 and "E_WRITE" in result.stderr
