"""The buyers of CDNOW (a tenth of the cohort of early 1997): published figures, and everything else once more with pandas.

The facts of the 39 weeks to 30 September 1997 are those of Fader and Hardie, to whom recency is the time from the first to the last purchase.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

import ethogram
from tests.command_line import run
from tests.shared_data import DATA

FOLDER = DATA / "cdnow-sample"
LOG = FOLDER / "CDNOW_sample.txt"
pytestmark = pytest.mark.skipif(not LOG.exists(), reason="CDNOW's purchases are not here")

CALIBRATED = "1997-09-30"
MOMENTS = (CALIBRATED, "1997-12-31", "1998-06-30")
DEFINITIONS = """\
traits:
  days_with_repeats: active_days(purchase) - 1
  active_for: days_since(first(purchase)) - days_since(last(purchase))
  known_for: days_since(first(purchase))
  spent: sum(purchase.total)
  spent_first: sum(purchase.total, until=first(purchase) + 1d)
segmentations:
  cohort:
    groups:
      january: first(purchase) < "1997-02-01"
      february: first(purchase) < "1997-03-01"
      march: first(purchase) < "1997-04-01"
      later: otherwise
"""
CELLS = {
    "champions": (333, 332, 323),
    "loyal": (321, 322, 331, 232, 233),
    "recent": (312, 313, 311, 222, 223),
    "needs_attention": (213, 221, 123, 132, 133),
    "at_risk": (231, 212, 122, 131, 211),
    "inactive": (111, 112, 113, 121),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ethogram.Project]:
    """As anybody would make it of the file: no header, blanks between columns, days as eight digits."""
    folder = tmp_path_factory.mktemp("cdnow") / "shop"
    done = run("init", folder, "--from", LOG, "--yes")
    assert done.exit_code == 0, done.output
    (folder / "definitions" / "own.yml").write_text(DEFINITIONS)
    for verb in (["load"], ["catalog", "add", "rfm", "rfm_27", "rfm_braze", "--prefix", "c_"]):
        done = run(*verb, "--project", folder)
        assert done.exit_code == 0, done.output
    with ethogram.open(folder) as project:
        yield project


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    names = ["customer", "id", "day", "cds", "dollars"]
    log = pd.read_csv(LOG, sep=r"\s+", header=None, names=names, dtype={"customer": str, "day": str})
    return log.assign(day=pd.to_datetime(log.day, format="%Y%m%d"))


def by_customer(shop: ethogram.Project, moment: str, *traits: str) -> pd.DataFrame:
    table = shop.members("c_buyers", as_of=moment, columns=traits)
    return table.to_pandas().set_index("customer").drop(columns="since").sort_index()


def sizes(shop: ethogram.Project, moment: str, segmentation: str) -> dict[str, int]:
    """Of the groups that anybody is in."""
    lines = shop.segments(as_of=moment).to_pylist()
    return {one["name"]: one["size"] for one in lines if one["segmentation"] == segmentation and one["size"]}


def counted(groups: pd.Series) -> dict[str, int]:
    return {str(name): int(size) for name, size in groups.value_counts().items()}


def tile(values: pd.Series, parts: int) -> pd.Series:
    """From 1: how many are lower decides, so that equal values are in the same part."""
    lower = values.rank(method="min").astype(int) - 1
    return 1 + lower * parts // len(values)


# --- published --------------------------------------------------------------------------------------------------------


def test_the_calibration_is_that_of_the_publication(shop: ethogram.Project, log: pd.DataFrame) -> None:
    """Repeat purchases count by day; times are in weeks; customers stand in the order of their numbers in the sample."""
    published = pd.read_csv(FOLDER / "cdnow_customers_summary_with_transactions.csv")
    found = by_customer(
        shop, CALIBRATED, "days_with_repeats", "active_for", "known_for", "spent", "spent_first"
    )
    found = found.astype(float).loc[log.sort_values("id").customer.unique()]
    assert len(found) == len(published) == 2_357
    repeats = found["days_with_repeats"]
    assert counted(repeats.clip(upper=7).astype(int)) == {
        "0": 1411, "1": 439, "2": 214, "3": 100, "4": 62, "5": 38, "6": 29, "7": 64,
    }  # fmt: skip
    assert repeats.to_list() == published.x.to_list()
    assert np.allclose(found["active_for"] / 7, published.t_x, atol=0.006)
    assert np.allclose(found["known_for"] / 7, published["T"], atol=0.006)
    later = (found["spent"] - found["spent_first"]) / repeats.where(repeats > 0)
    assert np.allclose(later.fillna(0), published.zbar, atol=0.006)


def test_the_whole_is_that_of_the_publication(shop: ethogram.Project) -> None:
    lines = shop.metrics("orders", "buyers", "revenue", period="600d", as_of="1998-06-30").to_pylist()
    assert [line["now"]["value"] for line in lines] == [2_357, 6_919, pytest.approx(244_091.94)]


# --- RFM --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", MOMENTS)
def test_rfm_in_fifths(shop: ethogram.Project, log: pd.DataFrame, moment: str) -> None:
    past = log[log.day <= moment].groupby("customer")
    r, f = 6 - tile(-past.day.max().astype("int64"), 5), tile(past.size(), 5)
    grid = {
        5: ("new", "potential_loyalists", "potential_loyalists", "champions", "champions"),
        4: ("promising", "potential_loyalists", "potential_loyalists", "loyal", "loyal"),
        3: ("about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"),
        2: ("dormant", "dormant", "at_risk", "at_risk", "valuable_and_slipping"),
        1: ("dormant", "dormant", "at_risk", "at_risk", "valuable_and_slipping"),
    }
    groups = pd.Series([grid[one][other - 1] for one, other in zip(r, f, strict=True)])
    assert sizes(shop, moment, "c_rfm") == counted(groups)


@pytest.mark.parametrize("moment", MOMENTS)
def test_rfm_in_27_cells(shop: ethogram.Project, log: pd.DataFrame, moment: str) -> None:
    """Some purchases cost nothing; they are none to this form."""
    past = log[log.day <= moment]
    paid = past[past.dollars > 0].groupby("customer")
    everyone = past.groupby("customer").size().index
    age = (pd.Timestamp(moment) - paid.day.max()).dt.days.reindex(everyone)
    f = tile(paid.size().reindex(everyone, fill_value=0), 3)
    m = tile(paid.dollars.sum().round(2).reindex(everyone, fill_value=0), 3)
    score = 100 * np.select([age < 180, age < 365], [3, 2], 1) + 10 * f + m
    group = {cell: name for name, cells in CELLS.items() for cell in cells}
    assert sizes(shop, moment, "c_rfm_27") == counted(score.map(group))


@pytest.mark.parametrize("moment", MOMENTS)
def test_rfm_of_two_months(shop: ethogram.Project, log: pd.DataFrame, moment: str) -> None:
    """Thirds of what was spent in sixty days set the bounds of money, on the day that the entry was added."""
    past = log[log.day <= moment].assign(age=lambda rows: (pd.Timestamp(moment) - rows.day).dt.days)
    low, high = money(log)
    near, everyone = past[past.age < 60].groupby("customer"), past.groupby("customer").size().index
    age = past.groupby("customer").age.min()
    r = pd.Series(np.select([age < 20, age < 40, age < 60], [3, 2, 1], 0), everyone)
    f = near.size().reindex(everyone, fill_value=0).clip(upper=3)
    spent = near.dollars.sum().round(2).reindex(everyone, fill_value=0)
    m = pd.Series(np.select([spent >= high, spent >= low, spent > 0], [3, 2, 1], 0), everyone)
    groups = np.select(
        [
            (r == 3) & (f >= 2) & (m >= 2), (r >= 2) & (f >= 2) & (m >= 1), (r == 3) & (f >= 1) & (m >= 1),
            (r == 3) & (m >= 1), r == 3, r == 2, (f >= 2) & (m >= 2), (f >= 1) & (m >= 1), r == 1,
        ],
        [
            "champions", "loyal", "potential_loyalists", "promising", "new", "need_attention", "slipping", "at_risk",
            "about_to_sleep",
        ],
        "dormant",
    )  # fmt: skip
    assert sizes(shop, moment, "c_rfm_braze") == counted(pd.Series(groups))


def money(log: pd.DataFrame) -> tuple[int, int]:
    last = log[log.day > log.day.max() - pd.Timedelta(days=60)]
    spent = last.groupby("customer").dollars.sum()
    return round(spent.quantile(1 / 3)), round(spent.quantile(2 / 3))


# --- coming back, and what they are worth -------------------------------------------------------------------------------


def test_one_and_done(shop: ethogram.Project, log: pd.DataFrame) -> None:
    """Four in five of those who bought a second time at another moment did so within the days that the entry proposes."""
    done = run("catalog", "add", "one_and_done", "--prefix", "c_", "--json", "--project", shop.folder)
    added = json.loads(done.stdout)
    (after,) = [one["parameters"]["after"] for one in added["added"] if one["name"] == "one_and_done"]
    ordered = log.sort_values(["customer", "day"])
    gaps = ordered.groupby("customer").day.diff()[ordered.groupby("customer").cumcount() == 1].dt.days
    days = round(gaps[gaps > 0].quantile(0.8))
    assert after == f"{days}d"
    for moment in MOMENTS:
        past = log[log.day <= moment].groupby("customer").day.agg(["size", "max"])
        silent = past[(past["size"] == 1) & (past["max"] <= pd.Timestamp(moment) - pd.Timedelta(days=days))]
        assert set(shop.members("c_one_and_done", as_of=moment)["customer"].to_pylist()) == set(silent.index)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("unit", "frequency"), [("week", "W"), ("month", "M"), ("quarter", "Q")])
def test_cohorts_come_back(
    shop: ethogram.Project, log: pd.DataFrame, moment: str, unit: str, frequency: str
) -> None:
    found = shop.retention("purchase", every=unit, as_of=moment)
    past = log[log.day <= moment]
    period = past.day.dt.to_period(frequency).map(lambda one: one.ordinal)
    first = period.groupby(past.customer).transform("min")
    running = pd.Timestamp(moment).to_period(frequency).ordinal
    over = past[period < running].assign(first=first, later=period - first)
    table = over.groupby(["first", "later"]).customer.nunique().unstack(fill_value=0)
    assert [cohort.size for cohort in found.cohorts] == table[0].to_list()
    for cohort, (start, row) in zip(found.cohorts, table.iterrows(), strict=True):
        assert list(cohort.returned) == [int(row.get(later, 0)) for later in range(running - start)]
    everyone = found.curves[0]
    for later, share in enumerate(everyone.shares):
        could = table[0][table.index + later < running].sum()
        assert share.value == pytest.approx(table.get(later, pd.Series([0])).sum() / could)


@pytest.mark.parametrize("moment", MOMENTS)
def test_those_who_bought_before(shop: ethogram.Project, log: pd.DataFrame, moment: str) -> None:
    lines = shop.metrics("repeat_rate", "retention", period="90d", as_of=moment).to_pylist()
    until = pd.Timestamp(moment)
    for line in lines:
        for name, end in (("now", until), ("then", until - pd.Timedelta(days=90))):
            since = end - pd.Timedelta(days=90)
            buyers = log[(log.day > since) & (log.day <= end)].customer.unique()
            orders = log[log.day <= end].groupby("customer").size()
            before = log[(log.day > since - pd.Timedelta(days=90)) & (log.day <= since)].customer.unique()
            if line["metric"] == "repeat_rate":
                expected = (orders[buyers] >= 2).mean()
            elif len(before):
                expected = np.isin(before, buyers).mean()
            else:
                assert line[name] is None
                continue
            assert line[name]["value"] == pytest.approx(expected)


@pytest.mark.parametrize("moment", MOMENTS)
def test_value_to_date_by_cohort(shop: ethogram.Project, log: pd.DataFrame, moment: str) -> None:
    lines = shop.metrics("value_to_date", period="30d", by="cohort", as_of=moment).to_pylist()
    found = {line["group"]: line for line in lines}
    past = log[log.day <= moment]
    month = past.groupby("customer").day.min().dt.month
    for number, name in ((1, "january"), (2, "february"), (3, "march")):
        people = month[month == number].index
        spent = past[past.customer.isin(people)].dollars.sum()
        assert found[name]["now"]["value"] == pytest.approx(spent / len(people))
        earlier = past[
            past.customer.isin(people) & (past.day <= pd.Timestamp(moment) - pd.Timedelta(days=30))
        ]
        assert found[name]["then"]["value"] == pytest.approx(earlier.dollars.sum() / len(people))
    assert sizes(shop, moment, "cohort") == {"january": 781, "february": 857, "march": 719}
