"""Stories that were planted in a simulated web shop (retentioneering-ecom) are visible in funnels and metrics."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

import ethogram
from tests.command_line import run
from tests.shared_data import WEB_SHOP

pytestmark = pytest.mark.skipif(not WEB_SHOP.exists(), reason="the shop's log is not here")

SETTINGS = """\
name = "web-shop"
timezone = "UTC"

[sources.log]
files = "ecom.csv.gz"
customer = "user_id"
time = "timestamp"
event = "event"
properties = { platform = "platform", channel = "acquisition_channel" }
traits = { lifecycle = "user_lifecycle" }
"""
DEFINITIONS = """\
behaviors:
  cart: cart
  shipping: shipping_details
  payment: payment_details
  purchase: purchase
  trouble: [error_page, support_chat]
segments:
  visited: did(any, last=4d)
  met_trouble: did(trouble, last=4d)
segmentations:
  lifecycle:
    groups:
      loyal: customer.lifecycle == "loyal"
      returning: customer.lifecycle == "returning"
      new: otherwise
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> ethogram.Project:
    folder = tmp_path_factory.mktemp("stories") / "shop"
    (folder / "definitions").mkdir(parents=True)
    (folder / "ethogram.toml").write_text(SETTINGS)
    (folder / "definitions" / "all.yml").write_text(DEFINITIONS)
    shutil.copyfile(WEB_SHOP, folder / "ecom.csv.gz")
    done = run("load", "--project", folder)
    assert done.exit_code == 0, done.output
    return ethogram.open(folder)


def took_the_step(
    shop: ethogram.Project, before: str, after: str, platform: str, until: str, days: int
) -> float:
    """The share of those who, in the days before a date, went on within one day."""
    steps = [f'{step}[platform == "{platform}"]' for step in (before, after)]
    found = shop.funnel(*steps, within="1d", last=f"{days}d", as_of=until).steps[1].of_previous
    assert found is not None
    return found.value


def test_the_viral_article(shop: ethogram.Project) -> None:
    """From 29 February to 3 March nearly a third of the visitors met an error or asked for help.

    Until the payments failed that was the most of any four days, more than twice as much as usual. The log has no wave of visitors for it: as many came
    as in the days before and after, and no channel or first page stands out.
    """
    visited, troubled = (shop.history(name, days=150).to_pandas() for name in ("visited", "met_trouble"))
    sizes = visited.set_index("at")["size"]
    share = (troubled.set_index("at")["size"] / sizes)["2024-02-06":"2024-05-18"]
    assert share.idxmax() == pd.Timestamp("2024-03-04", tz="UTC")
    assert share.max() > 0.3 > 2 * share.median()
    assert 0.8 * sizes["2024-03-08"].item() < sizes["2024-03-04"].item() < 1.2 * sizes["2024-02-29"].item()


def test_the_bug_of_the_mobile_checkout(shop: ethogram.Project) -> None:
    """From 9 April to 9 May half of those on phones did not get from shipping to payment."""
    during = {
        on: took_the_step(shop, "shipping", "payment", on, "2024-05-09", 30) for on in ("mobile", "desktop")
    }
    later = {
        on: took_the_step(shop, "shipping", "payment", on, "2024-06-25", 30) for on in ("mobile", "desktop")
    }
    assert during["mobile"] < 0.5 * later["mobile"]
    assert during["desktop"] > 0.85 * later["desktop"]


def test_the_incident_of_the_payments(shop: ethogram.Project) -> None:
    """From 19 May to 7 June half of the payments failed, on all devices."""
    for on in ("mobile", "desktop"):
        during = took_the_step(shop, "payment", "purchase", on, "2024-06-08", 20)
        before = took_the_step(shop, "payment", "purchase", on, "2024-05-18", 30)
        assert during < 0.65 * before


def test_the_loyal_go_further_than_the_new(shop: ethogram.Project) -> None:
    groups = {one.group: one for one in shop.funnel("cart", "purchase", within="1d", by="lifecycle").groups}
    assert groups["loyal"].whole_way.low > groups["new"].whole_way.value


def test_the_dip_is_no_chance(shop: ethogram.Project) -> None:
    """The metrics of the incident's time say so by themselves."""
    lines = shop.metrics("conversion", period="19d", as_of="2024-06-08").to_pylist()
    assert lines[0]["change"]["high"] < 0
