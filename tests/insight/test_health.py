"""`health`: what was planted is found, what is sound is not accused, and every figure is that of another computation."""

from __future__ import annotations

import json
import math
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from made_shops import make_shop, run, told
from typer.testing import Result

import ethogram
from ethogram.insight import inference
from ethogram.insight.coverage import surveys
from ethogram.insight.inference import Estimate

END = datetime(2026, 6, 30, 12)
DEFINITIONS = """\
behaviors:
  purchase: Order Completed
traits:
  spend: sum(purchase.total)
segments:
  coin_toss: bucket("toss") < 0.5
  frequent: count(purchase, last=120d) >= 4
  often: count(purchase, last=120d) >= 4 or bucket("other") < 0.001
  handful: bucket("few") < 0.01
  impossible: sum(purchase.total) > 1000000
  customers: did(purchase)
segmentations:
  halves:
    groups:
      left: bucket("halves") < 0.5
      right: otherwise
  pace:
    purpose: letters
    groups:
      quick: count(purchase, last=120d) >= 4
      slow: otherwise
"""


def orders(customers: int, seed: int = 1) -> list[tuple[object, ...]]:
    """A third orders about every 20 days, the others about every 60."""
    random = np.random.default_rng(seed)
    rows: list[tuple[object, ...]] = []
    for number in range(customers):
        gap = 20 if number % 3 == 0 else 60
        moment = END - timedelta(days=200 * random.random() * 0.2 + 160)
        while moment <= END:
            rows.append(
                (
                    f"c{number}",
                    f"{moment:%Y-%m-%d %H:%M:%S}",
                    "Order Completed",
                    f"{random.lognormal(3, 1):.2f}",
                )
            )
            moment += timedelta(days=float(random.exponential(gap)) + 0.1)
    return [*rows, ("c0", f"{END:%Y-%m-%d %H:%M:%S}", "Order Completed", "10")]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_shop(tmp_path_factory.mktemp("health") / "shop", DEFINITIONS, {"orders": orders(3000)})


@pytest.fixture(scope="module")
def found(shop: Path) -> dict[str, object]:
    return told("health", "--project", shop)


def names(found: dict[str, object], check: str) -> set[str]:
    findings = found["findings"]
    assert isinstance(findings, list)
    return {one["name"] for one in findings if one["check"] == check}


# --- what was planted -----------------------------------------------------------------------------------------------


def test_a_coin_toss_is_no_ground_to_segment_by(found: dict[str, object]) -> None:
    assert names(found, "do not segment by this") == {"coin_toss", "halves"}
    findings = found["findings"]
    assert isinstance(findings, list)
    (one,) = [one for one in findings if one["name"] == "coin_toss" and one["check"].startswith("do not")]
    assert one["severity"] == "serious" and one["to_do"].startswith("Do not segment by this")


def test_a_segment_that_tells_people_apart_is_not_accused(found: dict[str, object]) -> None:
    outcomes = found["outcomes"]
    assert isinstance(outcomes, list)
    verdicts = {one["name"]: one["verdict"] for one in outcomes}
    assert verdicts["frequent"] == verdicts["pace.quick"] == "different"
    assert verdicts["coin_toss"] == "alike" and verdicts["handful"] == "too few"
    assert "handful" in names(found, "too few to tell") and "pace" not in names(found, "too few to tell")


def test_sizes_and_doubles(found: dict[str, object]) -> None:
    assert names(found, "empty") == {"impossible"}
    assert names(found, "nearly everyone") == {"customers"}
    assert "frequent and often" in names(found, "nearly the same")
    assert "frequent and coin_toss" not in names(found, "nearly the same") | names(found, "contained")


def test_what_nobody_uses(found: dict[str, object]) -> None:
    unused = names(found, "nobody uses it")
    assert {"coin_toss", "halves"} <= unused and "pace" not in unused


# --- figures --------------------------------------------------------------------------------------------------------


def independently(shop: Path, name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Rate ratio and amount ratio with intervals and p, with pandas and scipy."""
    moment = END - timedelta(days=30)
    table = pd.read_csv(shop / "orders.csv", parse_dates=["at"])
    everyone = set(table[table["at"] <= moment]["customer"])
    then = ethogram.open(shop).members(name, as_of=f"{moment:%Y-%m-%d %H:%M}")["customer"].to_pylist()
    later = table[(table["at"] > moment) & (table["at"] <= END)].groupby("customer")["total"].sum()
    worth = pd.Series(0.0, index=sorted(everyone)).add(later, fill_value=0).loc[sorted(everyone)]
    inside = worth.index.isin(then)
    first, second = worth[inside], worth[~inside]
    a, n, b, m = int((first > 0).sum()), len(first), int((second > 0).sum()), len(second)
    risk = scipy.stats.contingency.relative_risk(a, n, b, m)
    chance = scipy.stats.chi2_contingency([[a, n - a], [b, m - b]], correction=False)[1]
    logs = np.log(first[first > 0]), np.log(second[second > 0])
    welch = scipy.stats.ttest_ind(*logs, equal_var=False)
    interval = welch.confidence_interval()
    rate = (risk.relative_risk, *risk.confidence_interval(), chance)
    return rate, (math.exp(logs[0].mean() - logs[1].mean()), *np.exp(interval), welch.pvalue)


def test_outcomes_are_those_of_scipy(shop: Path, found: dict[str, object]) -> None:
    outcomes = found["outcomes"]
    assert isinstance(outcomes, list)
    tested = [one for one in outcomes if one["rate_ratio"]["p"] is not None]
    raw = {one["name"]: independently(shop, one["name"]) for one in tested}
    amounts = [one for one in tested if one["amount_ratio"]["p"] is not None]
    chances = [raw[one["name"]][0][3] for one in tested] + [raw[one["name"]][1][3] for one in amounts]
    adjusted = scipy.stats.false_discovery_control(chances)
    for one, p in zip(tested, adjusted, strict=False):
        rate, expected = one["rate_ratio"], raw[one["name"]][0]
        assert (rate["value"], rate["low"], rate["high"], rate["p"]) == pytest.approx(
            (*expected[:3], p), rel=1e-6
        )
    for one, p in zip(amounts, adjusted[len(tested) :], strict=True):
        amount, expected = one["amount_ratio"], raw[one["name"]][1]
        assert (amount["value"], amount["low"], amount["high"], amount["p"]) == pytest.approx(
            (*expected[:3], p), rel=1e-6
        )


@pytest.mark.parametrize(("t", "freedom"), [(0.1, 1.0), (2.1, 5.3), (0.3, 100.0), (12.0, 2.5), (1.96, 1e6)])
def test_student_is_that_of_scipy(t: float, freedom: float) -> None:
    assert math.isclose(
        inference.student_two_sided(t, freedom), 2 * scipy.stats.t.sf(t, freedom), rel_tol=1e-9
    )
    assert math.isclose(inference.student_quantile(freedom), scipy.stats.t.isf(0.025, freedom), rel_tol=1e-9)


@pytest.mark.parametrize(("part", "whole"), [(0, 10), (3, 10), (10, 10), (250, 1000)])
def test_wilson_is_that_of_scipy(part: int, whole: int) -> None:
    found = inference.wilson(part, whole)
    expected = scipy.stats.binomtest(part, whole).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_stability_is_the_textbook_formula() -> None:
    before, after = np.array([100, 200, 700]), np.array([150, 250, 600])
    first, second = before / 1000, after / 1000
    shift = inference.stability(before, after)
    assert math.isclose(shift.index, sum((second - first) * np.log(second / first)))
    assert shift.by_chance == pytest.approx(scipy.stats.chi2.ppf(0.999, 2) * 2 / 1000, rel=0.03)
    assert inference.stability(np.array([5, 0]), np.array([0, 5])).index > 1
    assert inference.stability(np.array([0, 0]), np.array([3, 5])) == inference.Shift(0.0, 0.0)


def test_chance_alone_is_no_drift() -> None:
    random = np.random.default_rng(5)
    shifts = [
        inference.stability(*(random.multinomial(120, [0.2] * 5) for _ in range(2))) for _ in range(1000)
    ]
    assert sum(one.index > one.by_chance for one in shifts) <= 5


def test_nothing_is_known_of_nobody() -> None:
    assert math.isnan(inference.wilson(0, 0).value)
    assert inference.rate_ratio(0, 0, 1, 5).high == math.inf
    assert inference.rate_ratio(0, 5, 0, 5).low == 0.0
    assert inference.rate_ratio(0, 50, 9, 50).low == 0.0 < inference.rate_ratio(0, 50, 9, 50).high < 1
    assert inference.typical_ratio(np.array([1.0]), np.array([2.0])).high == math.inf
    assert inference.adjusted([]) == []


# --- drift, reach, staleness ----------------------------------------------------------------------------------------

DRIFT = """\
behaviors:
  purchase: Order Completed
segments:
  fresh: did(purchase, last=20d)
segmentations:
  mood:
    purpose: letters
    groups:
      quiet: not did(purchase, last=20d)
      busy: otherwise
"""


def test_drift_of_size_and_make_up(tmp_path: Path) -> None:
    """In spring one in ten orders in 20 days, in June half of them do."""
    rows: list[tuple[object, ...]] = []
    for number in range(1000):
        rows.append((f"c{number}", "2026-04-01 10:00:00", "Order Completed", "5"))
        if number < 100:
            rows.append((f"c{number}", "2026-05-25 10:00:00", "Order Completed", "5"))
        if number >= 500:
            rows.append((f"c{number}", "2026-06-25 10:00:00", "Order Completed", "5"))
    found = told("health", "--project", make_shop(tmp_path / "shop", DRIFT, {"orders": rows}))
    (size,) = [one for one in found["findings"] if (one["check"], one["name"]) == ("size drifted", "fresh")]
    assert {key: size["figures"][key] for key in ("before", "after", "entered", "left")} == {
        "before": 100, "after": 500, "entered": 500, "left": 100,
    }  # fmt: skip
    (mood,) = [one for one in found["findings"] if (one["check"], one["name"]) == ("make-up drifted", "mood")]
    expected = (0.5 - 0.1) * math.log(0.5 / 0.1) + (0.5 - 0.9) * math.log(0.5 / 0.9)
    assert mood["figures"]["index"] == pytest.approx(expected) and mood["severity"] == "serious"


def test_a_shop_that_stands_still_has_not_drifted(found: dict[str, object]) -> None:
    assert names(found, "make-up drifted") & {"halves", "coin_toss", "halves.left"} == set()
    assert names(found, "size drifted") == set()


def test_people_whom_nothing_reaches(tmp_path: Path) -> None:
    definitions = "behaviors: { purchase: Order Completed }\nsegments: { big: sum(purchase.total) >= 100 }\n"
    rows = [(f"c{n}", "2026-06-01 10:00:00", "Order Completed", 200 if n < 40 else 10) for n in range(100)]
    found = told("health", "--project", make_shop(tmp_path / "shop", definitions, {"orders": rows}))
    (one,) = [one for one in found["findings"] if one["check"] == "reached by no segment"]
    assert (one["figures"]["customers"], one["severity"]) == (60, "serious")
    assert one["figures"]["share_of_amount"] == pytest.approx(600 / 8600)


def test_stale_answers_and_a_quiet_source(tmp_path: Path) -> None:
    days = [datetime(2026, 1, 1, 9) + timedelta(days=day) for day in range(120)]
    shops = [(f"c{n % 50}", f"{day:%Y-%m-%d %H:%M:%S}", "Order Completed", "5") for n, day in enumerate(days)]
    calls = [(f"c{n % 20}", f"{day:%Y-%m-%d %H:%M:%S}", "Called", "") for n, day in enumerate(days[:60])]
    definitions = "behaviors: { purchase: Order Completed }\nsegments: { big: sum(purchase.total) >= 7 }\n"
    folder = make_shop(tmp_path / "shop", definitions, {"orders": shops, "calls": calls}, refresh=False)
    assert names(told("health", "--project", folder), "stale") == {""}
    assert run("refresh", "--as-of", "2026-03-01", "--project", folder).exit_code == 0
    found = told("health", "--project", folder)
    (quiet,) = [one for one in found["findings"] if one["check"] == "source gone quiet"]
    assert (quiet["name"], quiet["severity"], quiet["figures"]["silent_days"]) == ("calls", "serious", 60)
    (partial,) = [one for one in found["findings"] if one["check"] == "source covers some"]
    assert (partial["name"], partial["figures"]["share"]["value"]) == ("calls", 0.4)


# --- biased and thin data -------------------------------------------------------------------------------------------

SURVEY = """\
behaviors:
  purchase: Order Completed
segments:
  northerners: customer.region == "North"
  careful: customer.shoe_size is known
segmentations:
  nps:
    purpose: service
    groups:
      promoter: last("NPS Answered".score) >= 9
      other: last("NPS Answered".score) is known
      unknown: otherwise
"""


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Asked: 900 of 1,200. Of the North 40 in 100 answer, of the South 10 in 100."""
    rows: list[tuple[object, ...]] = []
    for number in range(1200):
        region = "North" if number % 2 else "South"
        shoe = 42 if number < 60 else ""
        rows.append((f"c{number}", "2026-05-01 10:00:00", "Order Completed", 10, "", region, shoe))
        if number < 900:
            rows.append((f"c{number}", "2026-06-01 10:00:00", "NPS Sent", "", "", "", ""))
            if number % 20 < (8 if region == "North" else 2):
                rows.append((f"c{number}", "2026-06-02 10:00:00", "NPS Answered", "", 9, "", ""))
    return make_shop(
        tmp_path_factory.mktemp("survey") / "shop", SURVEY, {"orders": rows},
        properties=("total", "score"), traits=("region", "shoe_size"),
    )  # fmt: skip


def test_who_answered_against_who_was_asked(survey: Path) -> None:
    found = told("health", "--project", survey)
    table = pd.read_csv(survey / "orders.csv")
    asked = set(table[table["event"] == "NPS Sent"]["customer"])
    answered = set(table[table["event"] == "NPS Answered"]["customer"])
    north = set(table[table["region"] == "North"]["customer"])
    (share,) = [one for one in found["findings"] if one["check"] == "who answered"]
    assert (share["figures"]["answered"], share["figures"]["reached"]) == (len(answered), len(asked))
    biased = [one for one in found["findings"] if one["check"] == "answers are biased"]
    (one,) = [
        one
        for one in biased
        if (one["figures"]["by"], one["figures"]["part"]) == ("customer.region", "North")
    ]
    risk = scipy.stats.contingency.relative_risk(
        len(north & answered), len(north & asked), len(answered - north), len(asked - north)
    )
    assert one["figures"]["ratio"]["value"] == pytest.approx(risk.relative_risk)
    assert one["figures"]["ratio"]["low"] == pytest.approx(risk.confidence_interval().low)
    assert one["severity"] == "serious"
    assert {one["figures"]["by"] for one in biased} == {"customer.region"}, "not by the answer itself"


def test_a_survey_of_which_nobody_knows_who_was_asked(tmp_path: Path) -> None:
    """Against all customers; and by the groups of a segmentation, too."""
    definitions = """\
segmentations:
  size:
    groups:
      large: count("Order Completed") >= 2
      small: otherwise
"""
    rows: list[tuple[object, ...]] = []
    for number in range(400):
        for _ in range(2 if number < 200 else 1):
            rows.append((f"c{number}", "2026-05-01 10:00:00", "Order Completed", 10))
        if number < 60 or number >= 390:
            rows.append((f"c{number}", "2026-06-01 10:00:00", "Product Reviewed", ""))
    found = told(
        "health", "--project", make_shop(tmp_path / "shop", definitions, {"events": rows}, revenue="")
    )
    (share,) = [one for one in found["findings"] if one["check"] == "who answered"]
    assert (share["figures"]["answered"], share["figures"]["reached"]) == (70, 400)
    biased = {
        one["figures"]["part"]: one for one in found["findings"] if one["check"] == "answers are biased"
    }
    risk = scipy.stats.contingency.relative_risk(60, 200, 10, 200)
    assert biased["large"]["figures"]["ratio"]["value"] == pytest.approx(risk.relative_risk)
    assert biased["large"]["figures"]["ratio"]["high"] == pytest.approx(risk.confidence_interval().high)


def test_missing_traits(survey: Path) -> None:
    found = told("health", "--project", survey)
    (one,) = [one for one in found["findings"] if one["check"] == "missing trait"]
    assert (one["name"], one["severity"]) == ("customer.shoe_size", "look")
    assert (one["figures"]["known"], one["figures"]["used_by"]) == (60, ["careful"])


def test_surveys_are_told_from_other_events() -> None:
    found = surveys(
        ["Process Started", "CSAT Sent", "CSAT Answered", "Review Read", "Product Reviewed", "NPSAnswered"]
    )
    assert [(one.answers, one.asked) for one in found] == [
        (("NPSAnswered",), ()), (("CSAT Answered",), ("CSAT Sent",)), (("Product Reviewed",), ()),
    ]  # fmt: skip


# --- what it bears --------------------------------------------------------------------------------------------------

ONE = "behaviors: { purchase: Order Completed }\nsegments: { nobody: count(purchase) > 99, one: sum(purchase.total) > 8, two: sum(purchase.total) > 7 }\n"


@pytest.mark.parametrize("revenue", ["", "purchase.total"])
@pytest.mark.parametrize("definitions", ["{}\n", "behaviors: { purchase: Order Completed }\n", ONE])
def test_a_day_of_one_kind_of_event(tmp_path: Path, definitions: str, revenue: str) -> None:
    """No segments at all, and segments of 0, 1 and 2 people."""
    if revenue and "purchase" not in definitions:
        pytest.skip("revenue needs the behavior")
    rows = [(f"c{n}", f"2026-06-01 10:0{n}:00", "Order Completed", n) for n in range(10)]
    folder = make_shop(tmp_path / "shop", definitions, {"orders": rows}, revenue=revenue)
    shown = run("health", "--project", folder)
    assert shown.exit_code == 0, shown.stderr
    assert max(map(len, shown.stdout.splitlines())) <= 80
    found = told("health", "--project", folder)
    assert found["customers"] == 10
    if definitions is ONE:
        assert names(found, "too small") == {"one", "two"} and names(found, "empty") == {"nobody"}
        assert names(found, "too few to tell") == {""}
    else:
        assert names(found, "no segments") == {""}


def test_before_the_first_load(tmp_path: Path) -> None:
    (tmp_path / "definitions").mkdir()
    (tmp_path / "ethogram.toml").write_text('timezone = "UTC"\n')
    result = run("health", "--project", tmp_path)
    assert result.exit_code == 2 and "E_NO_STORE" in result.stderr


def test_in_python_it_is_a_table(shop: Path, found: dict[str, object]) -> None:
    table = ethogram.open(shop).health()
    assert table.column_names == ["severity", "check", "name", "found", "to_do", "figures"]
    findings = found["findings"]
    assert isinstance(findings, list) and table.num_rows == len(findings)
    assert json.loads(table["figures"][0].as_py()) == findings[0]["figures"]


def test_the_demo_is_read_on_one_screen_width(demo: tuple[Path, Result]) -> None:
    folder = demo[0]
    shown = run("health", "--project", folder)
    assert shown.exit_code == 0 and max(map(len, shown.stdout.splitlines())) <= 80
    found = told("health", "--project", folder)
    assert found["by_severity"] == {
        severity: sum(one["severity"] == severity for one in found["findings"])
        for severity in ("serious", "look", "note")
    }


def test_the_demo_against_the_invoices(demo: tuple[Path, Result]) -> None:
    """Loyal customers of a month before: who bought since, with pandas on the file."""
    folder = demo[0]
    lines = pd.read_parquet(folder / "data" / "online-retail.parquet")
    lines = lines[lines["CustomerID"].notna()]
    invoices = lines.assign(worth=lines["Quantity"] * lines["UnitPrice"]).groupby(
        ["CustomerID", "InvoiceNo"], as_index=False
    ).agg(at=("InvoiceDate", "min"), worth=("worth", "sum"))  # fmt: skip
    project = ethogram.open(folder)
    now = invoices["at"].max()
    then = now - pd.Timedelta(days=30)
    loyal = set(project.members("loyal", as_of=f"{then:%Y-%m-%d %H:%M}")["customer"].to_pylist())
    bought = invoices[
        (invoices["at"] > then)
        & ~invoices["InvoiceNo"].astype(str).str.startswith("C")
        & (invoices["worth"] > 0)
    ]
    buyers = {str(one).removesuffix(".0") for one in bought["CustomerID"]}
    (one,) = [one for one in told("health", "--project", folder)["outcomes"] if one["name"] == "loyal"]
    assert (one["members"], one["active"]) == (len(loyal), len(loyal & buyers))
    assert one["verdict"] == "different"


def test_in_the_demo_a_coin_toss_is_the_only_one_accused(tmp_path: Path, demo: tuple[Path, Result]) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(demo[0], folder)
    (folder / "definitions" / "toss.yml").write_text('segments: { coin_toss: bucket("toss") < 0.5 }\n')
    found = told("health", "--project", folder)
    assert names(found, "do not segment by this") == {"coin_toss"}


def test_estimates_are_plain_json() -> None:
    assert Estimate(math.nan, 0.0, math.inf).as_json() == {"value": None, "low": 0.0, "high": None, "p": None}
