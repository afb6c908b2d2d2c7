"""Targets, verdicts, comparisons, and what the command prints of them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ethogram.bench.figures import Figures, Options, measured, outcome
from ethogram.bench.measure import run_job
from ethogram.bench.places import Places, sampled
from ethogram.bench.questions import segments
from ethogram.bench.report import lines
from ethogram.bench.run import rival_queries, run
from ethogram.bench.scores import NUMBERS, TARGETS, Score, compare
from ethogram.bench.world import World
from ethogram.model.errors import DataError, EnvironmentFault

ROOT = Path(__file__).parents[2]


def _figures() -> Figures:
    figures = Figures(values={"floor": 2.0})
    for way, questions, cpu, sizes in (
        ("ethogram", "segments-100", 3.0, {"s0": 5, "s1": 7}),
        ("ethogram", "segments-500", 5.0, {"s0": 5}),
        ("duckdb by_event", "segments-500", 50.0, {"s0": 5}),
        ("clickhouse by_day", "segments-500", 40.0, {"s0": 6}),
    ):
        figures.keep(questions, way, {"cpu": cpu, "sizes": sizes})
    return figures


def test_ratios_are_of_the_floor_and_of_the_refresh() -> None:
    found = measured(Options(segments=(100, 500)), _figures())
    assert found["refresh_100"] == 1.5 and found["refresh_500"] == 2.5
    assert found["duckdb_by_event"] == 10 and found["clickhouse_by_day"] == 8
    assert found["one_more"] == pytest.approx(100 * 2 / 400 / 2)
    assert "funnels" not in found and "history" not in found


def test_verdicts() -> None:
    made = outcome(World(1_000), Options(segments=(100, 500)), _figures())
    verdicts = {score.target.key: score.verdict for score in made.scores}
    assert verdicts["duckdb_by_event"] == "pass" and verdicts["clickhouse_by_day"] == "fail"
    assert verdicts["help"] == "not measured"
    assert "flatness" not in verdicts


def test_one_count_that_differs_is_found_and_said() -> None:
    made = outcome(World(1_000), Options(segments=(100, 500)), _figures())
    (mismatch,) = made.mismatches
    assert (mismatch.one_size, mismatch.other_size, mismatch.other) == (5, 6, "clickhouse by_day")
    text = "\n".join(lines(made))
    assert "2 counts compared, 1 differ" in text
    assert "segments-500: s0: ethogram says 5, clickhouse by_day 6" in text
    assert max(len(line) for line in text.splitlines()) <= 110
    assert json.loads(json.dumps(made.as_json()))["mismatches"][0]["clickhouse by_day"] == 6


def test_counts_are_compared_where_both_ways_answered() -> None:
    assert compare({"a": {"x": 1, "y": 2}, "b": {"y": 2}, "c": {"x": 1}}, "q") == (2, [])
    assert compare({}, "q") == (0, [])


def test_a_target_is_met_at_its_bound() -> None:
    at_most = next(target for target in TARGETS if not target.at_least)
    at_least = next(target for target in TARGETS if target.at_least)
    assert Score(at_most, at_most.bound).verdict == "pass" == Score(at_least, at_least.bound).verdict
    assert (
        Score(at_most, at_most.bound + 0.1).verdict == "fail" == Score(at_least, at_least.bound - 0.1).verdict
    )


def test_a_sample_is_spread_over_all_questions() -> None:
    questions = segments(100, 1)
    assert [one.name for one in sampled(questions, 4)] == ["s0000", "s0025", "s0050", "s0075"]
    assert sampled(questions, None) == questions == sampled(questions, 1_000)


def test_a_folder_keeps_one_world(tmp_path: Path) -> None:
    assert Places(tmp_path / "data", World(1_000)).claim()
    assert Places(tmp_path / "data", World(1_000)).claim()
    assert not Places(tmp_path / "data", World(2_000)).claim()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").touch()
    assert not Places(tmp_path / "other", World(1_000)).claim()


def test_a_folder_of_another_world_is_refused(tmp_path: Path) -> None:
    Places(tmp_path, World(2_000)).claim()
    with pytest.raises(DataError, match="E_BENCH_FOLDER"):
        run(Options(events=1_000, folder=tmp_path), lambda text: None)


def test_an_unknown_measurement_is_refused() -> None:
    with pytest.raises(DataError, match="There are: P1, P2"):
        run(Options(events=1_000, only=frozenset({"P99"})), lambda text: None)


def test_a_failed_measurement_says_why() -> None:
    with pytest.raises(EnvironmentFault, match="no_such_job"):
        run_job("no_such_job", {})


def test_the_queries_can_be_shown() -> None:
    floor, segment, funnel = rival_queries(Options(), 1)
    assert "GROUP BY customer" in floor
    assert "-- segments-500, s0000, DuckDB" in segment and "toDateTime64" in segment
    assert "windowFunnel" in funnel


def test_every_target_is_explained() -> None:
    text = (ROOT / "docs" / "benchmark.md").read_text(encoding="utf-8")
    for number in NUMBERS:
        assert f"| {number} |" in text
    assert replace(Options(), segments=(40,)).usual == 40
