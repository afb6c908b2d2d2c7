"""Every planted customer comes out where the truth says, and the truth says something of every definition."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from shops import opened

from ethogram.app.truth import compared_with_truth
from ethogram.app.workbench import Workbench
from ethogram.catalog.loading import load_catalog
from ethogram.ingest.load import LoadReport
from ethogram.language.tree import Definitions
from ethogram.simulate.shop import Shop, Written, personas
from ethogram.simulate.truth import IN, OUT, Expected, differences, read_truth

Opened = tuple[Written, tuple[LoadReport, ...], Workbench]
UNREACHABLE = {"rfm_braze.promising"}
"""Whoever ordered within 20 days has ordered within 60: the group before it takes everybody. The published form has it."""


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    with opened(tmp_path_factory.mktemp("simulated") / "shop", Shop()) as found:
        yield found


def wrong(bench: Workbench) -> list[tuple[Expected, str]]:
    comparison = compared_with_truth(bench)
    assert len(comparison.rows) > 0
    return list(comparison.wrong)


def test_every_planted_customer_is_where_the_truth_says(usual: Opened) -> None:
    written, _, bench = usual
    assert wrong(bench) == []
    assert written.facts == len(read_truth(bench.folder)) > 4_000


@pytest.mark.parametrize(
    "shop",
    [
        Shop(50, 1_096, 1),
        pytest.param(Shop(300, 1_096, 2), marks=pytest.mark.slow),
        Shop(1_000, 1_096, 18),
        pytest.param(Shop(700, 1_500, 3), marks=pytest.mark.slow),
        Shop(1_200, 400, 4),
        Shop(200, 30, 5),
    ],
    ids=str,
)
def test_whatever_the_size_and_the_seed(shop: Shop, tmp_path: Path) -> None:
    with opened(tmp_path / "shop", shop) as (_, reports, bench):
        assert wrong(bench) == []
        assert reports[0].accepted == shop.customers


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 20))
@pytest.mark.parametrize("customers", [300, 2_000])
def test_many_seeds(customers: int, seed: int, tmp_path: Path) -> None:
    with opened(tmp_path / "shop", Shop(customers, 1_096, seed)) as (written, _, bench):
        assert wrong(bench) == []
        assert set(written.entries) == set(load_catalog())


def test_a_wrong_answer_is_found() -> None:
    rows = [Expected("C1", "fan", "nps.promoter", IN), Expected("C1", "fan", "silent", OUT)]
    assert list(differences(rows, lambda customer, name: IN)) == [(rows[1], IN)]


# --- what the truth speaks of ---


def test_the_whole_catalog_is_served(usual: Opened) -> None:
    written, _, bench = usual
    assert set(written.entries) == set(load_catalog()) and written.lacking == ()
    assert set(written.personas) >= {persona.name for persona in personas()}
    assert list(bench.check()) == []


def test_every_segment_has_somebody_in_and_somebody_out(usual: Opened) -> None:
    bench = usual[2]
    facts = read_truth(bench.folder)
    inside, outside = ({row.name for row in facts if row.answer == answer} for answer in (IN, OUT))
    segments = set(bench.definitions.segments)
    assert segments - inside == set() and segments - outside == set()


def test_every_group_has_somebody(usual: Opened) -> None:
    bench = usual[2]
    inside = {row.name for row in read_truth(bench.folder) if row.answer == IN}
    assert set(_groups(bench.definitions)) - inside == UNREACHABLE


def test_what_is_a_value_alone_has_a_value(usual: Opened) -> None:
    """Entries without a segment: the truth says the value of one of their traits."""
    bench = usual[2]
    named = {row.name for row in read_truth(bench.folder)}
    traits = set(bench.definitions.traits)
    alone = [entry for entry in load_catalog().values() if set(entry.defines) <= traits]
    assert alone and all(set(entry.defines) & named for entry in alone)


def test_nothing_is_said_of_what_is_not_defined(usual: Opened) -> None:
    bench = usual[2]
    definitions = bench.definitions
    known = {*definitions.traits, *definitions.segments, *_groups(definitions)}
    assert {row.name for row in read_truth(bench.folder)} <= known


def _groups(definitions: Definitions) -> Iterator[str]:
    for name, segmentation in definitions.segmentations.items():
        yield from (f"{name}.{group.name}" for group in segmentation.groups)


# --- an ordinary project ---


def test_every_row_is_accepted(usual: Opened) -> None:
    written, reports, bench = usual
    assert all(one.accepted == one.rows == one.read and not one.rejected for one in reports)
    assert sum(one.accepted for one in reports) == written.events + written.customers
    assert bench.rejected() == []


def test_the_plain_reading_agrees(usual: Opened) -> None:
    bench = usual[2]
    planted = sorted({row.persona: row.customer for row in read_truth(bench.folder)}.values())
    assert bench.verify(planted[::9], sample=5, seed=1).differences == ()


def test_the_tests_beside_the_definitions_pass(usual: Opened) -> None:
    assert [str(result) for result in usual[2].test() if not result.passed] == []
