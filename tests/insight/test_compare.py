"""`compare`: overlaps are those of the sets of members; contrasts are those of whoever is in one alone."""

from __future__ import annotations

import json
import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import ethogram
from ethogram.insight.compare import _more_in_first
from tests.command_line import ORDERS, run

DEFINITIONS = """\
behaviors:
  purchase: Order Completed
traits:
  spend: sum(purchase.total)
segments:
  twice: count(purchase) >= 2
  big: sum(purchase.total) >= 100
  huge: sum(purchase.total) >= 100000
segmentations:
  level:
    groups:
      high: count(purchase) >= 3
      low: otherwise
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compare") / "shop"
    (folder / "definitions").mkdir(parents=True)
    (folder / "ethogram.toml").write_text(ORDERS)
    (folder / "definitions" / "all.yml").write_text(DEFINITIONS)
    random = np.random.default_rng(3)
    rows = [
        f"c{random.integers(60)},2026-01-{random.integers(1, 29):02} 10:00:00,m{number},{random.integers(5, 90)}"
        for number in range(150)
    ]
    (folder / "orders.csv").write_text("\n".join(["customer,at,id,total", *rows]) + "\n")
    assert run("load", "--project", folder).exit_code == 0
    assert run("refresh", "--project", folder).exit_code == 0
    return folder


def members(shop: Path, name: str) -> set[str]:
    return set(ethogram.open(shop).members(name)["customer"].to_pylist())


def test_overlaps_are_those_of_the_members(shop: Path) -> None:
    names = ("twice", "big", "level.high")
    found = ethogram.open(shop).compare(*names)
    sets = {name: members(shop, name) for name in names}
    assert found.sizes == {name: len(some) for name, some in sets.items()}
    for overlap in found.overlaps:
        one, other = sets[overlap.first], sets[overlap.second]
        assert overlap.both == len(one & other)
        assert overlap.jaccard == len(one & other) / len(one | other)
        assert overlap.of_first == len(one & other) / len(one)
        expected = len(one) * len(other) / found.customers
        assert overlap.lift is not None and math.isclose(overlap.lift, len(one & other) / expected)
    everyone = set().union(*sets.values())
    exactly = {
        tuple(n for n in names if c in sets[n]): sum(
            all((other in sets[n]) == (c in sets[n]) for n in names) for other in everyone
        )
        for c in everyone
    }
    assert {one.names: one.size for one in found.combinations} == exactly


def test_contrasts_are_of_those_in_one_alone(shop: Path) -> None:
    found = ethogram.open(shop).compare("twice", "big")
    twice, big = members(shop, "twice"), members(shop, "big")
    rows = ethogram.open(shop).members("twice", columns=["spend"]).to_pylist()
    spend = [float(row["spend"]) for row in rows if row["customer"] in twice - big]
    if big - twice and spend:
        (contrast,) = [one for one in found.traits if one.name == "spend"]
        assert contrast.first == float(np.median(spend))
    else:
        assert found.traits == ()


@pytest.mark.parametrize(("first", "second"), [([1, 2, 3], [2, 2]), ([5.0], [1.0, 9.0]), ([1, 1], [1])])
def test_more_in_first_counts_pairs(first: list[float], second: list[float]) -> None:
    wins = [1.0 if one > other else 0.5 if one == other else 0.0 for one, other in product(first, second)]
    assert math.isclose(
        _more_in_first(np.array(first, float), np.array(second, float)), sum(wins) / len(wins)
    )


def test_a_segment_of_nobody_is_compared(shop: Path) -> None:
    found = json.loads(run("compare", "twice", "huge", "--project", shop, "--json").stdout)
    (overlap,) = found["overlaps"]
    assert (overlap["both"], overlap["of_second"], overlap["lift"]) == (0, None, None)
    said = run("compare", "twice", "huge", "--project", shop)
    assert said.exit_code == 0 and max(map(len, said.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("twice", "spend"), "E_NOT_MEMBERS"),
        (("twice",), "E_TOO_FEW_NAMES"),
        (("twice", "twice"), "E_TOO_FEW_NAMES"),
        (("twice", "level"), "E_GROUP_UNKNOWN"),
        (("twice", "twise"), "E_UNKNOWN_NAME"),
    ],
)
def test_names_that_cannot_be_compared(shop: Path, names: tuple[str, ...], code: str) -> None:
    result = run("compare", *names, "--project", shop)
    assert result.exit_code == 2 and code in result.stderr
