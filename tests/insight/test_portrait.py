"""`describe`: theirs against the others', from the members and traits as anybody can list them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import Result

import ethogram
from ethogram.insight.portrait import LEAST, Portrait
from tests.command_line import ORDERS, run


def portrait_of(folder: Path, name: str) -> Portrait:
    found = ethogram.open(folder).describe(name).portrait
    assert found is not None
    return found


@pytest.fixture(scope="module")
def everyone(demo: tuple[Path, Result]) -> pd.DataFrame:
    project = ethogram.open(demo[0])
    known = [project.members(f"life_stage.{group}", columns=["spend_1y", "loyal", "life_stage"]).to_pandas()
             for group in ("new", "returning", "active", "slipping", "lost", "no_order")]  # fmt: skip
    return pd.concat(known).astype({"spend_1y": float})


def test_medians_and_shares_are_those_of_pandas(demo: tuple[Path, Result], everyone: pd.DataFrame) -> None:
    found = {(facet.kind, facet.name): facet for facet in portrait_of(demo[0], "loyal").facets}
    mine, theirs = everyone[everyone.loyal], everyone[~everyone.loyal]
    spend = found["trait", "spend_1y"]
    medians = (mine.spend_1y.median(), theirs.spend_1y.median())
    assert (spend.members, spend.others) == pytest.approx(medians)
    assert spend.times.value == spend.members / spend.others
    active = found["segment", "life_stage.active"]
    assert active.members == pytest.approx((mine.life_stage == "active").mean())
    assert active.others == pytest.approx((theirs.life_stage == "active").mean())
    bought = found["behavior", "Purchase"]
    count = ethogram.open(demo[0]).count("did(purchase, last=90d) and not loyal").size
    assert bought.others == pytest.approx(count / len(theirs))


def test_the_clearest_come_first_and_are_clear(demo: tuple[Path, Result]) -> None:
    found = portrait_of(demo[0], "loyal")
    clarity = [facet.times.clarity for facet in found.facets]
    assert clarity == sorted(clarity, reverse=True)
    assert all(facet.times.is_clear_of(1) for facet in found.clear if not math.isinf(facet.times.value))


def test_the_sample_is_of_members_and_stays(demo: tuple[Path, Result]) -> None:
    found = portrait_of(demo[0], "loyal")
    members = ethogram.open(demo[0]).members("loyal")["customer"].to_pylist()
    assert set(found.sample) <= set(members) and len(found.sample) == LEAST
    assert found.sample == portrait_of(demo[0], "loyal").sample


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half of the customers are in `half`, by nothing but chance; few are in the others."""
    folder = tmp_path_factory.mktemp("portrait") / "shop"
    (folder / "definitions").mkdir(parents=True)
    (folder / "ethogram.toml").write_text(ORDERS)
    sizes = "".join(f"  of_{size}: count(purchase[total == {9000 + size}]) > 0\n" for size in range(3))
    (folder / "definitions" / "all.yml").write_text(
        "behaviors:\n  purchase: Order Completed\ntraits:\n  spend: sum(purchase.total)\n"
        f'segments:\n  half: bucket("any") < 0.5\n  all: everyone\n{sizes}'
    )
    random = np.random.default_rng(5)
    rows = [f"c{n % 400},2026-01-{1 + n % 28:02},m{n},{random.integers(5, 90)}" for n in range(2000)]
    rows += ["c1,2026-02-01,a,9001", "c2,2026-02-01,b,9002", "c3,2026-02-01,c,9002"]
    (folder / "orders.csv").write_text("\n".join(["customer,at,id,total", *rows]) + "\n")
    assert run("load", "--project", folder).exit_code == 0
    return folder


@pytest.mark.parametrize(("name", "size"), [("of_0", 0), ("of_1", 1), ("of_2", 2), ("all", 400)])
def test_of_too_few_nothing_is_told(shop: Path, name: str, size: int) -> None:
    found = portrait_of(shop, name)
    assert (found.size, found.facets, found.sample) == (size, (), ())
    said = run("describe", name, "--project", shop)
    assert said.exit_code == 0 and "too few others" in " ".join(said.stdout.split())
    assert json.loads(run("describe", name, "--project", shop, "--json").stdout)["size"] == size


def test_a_segment_by_chance_is_said_to_be_like_the_others(shop: Path) -> None:
    said = run("describe", "half", "--project", shop)
    assert "Nothing that is known sets them clearly apart" in said.stdout
