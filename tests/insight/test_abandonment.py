"""What was left in a simulated web shop (retentioneering-ecom), counted once more with pandas: people, groups, rates."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

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
"""
PLAYED = {
    "checkout": "shipping_details",
    "payment_info": "payment_details",
    "payment_failed": "payment_error",
    "error_met": "error_page",
}
"""What the shop calls otherwise than the catalog knows; views, carts and purchases are found by their names."""
ENTRIES = (
    "cart_abandoners", "checkout_abandoners", "browse_abandoners", "abandonment", "payment_failures", "barriers",
)  # fmt: skip
MOMENTS = (
    "2024-02-20 12:00",  # few customers yet
    "2024-04-04 15:57:12",  # to the second of an order: it counts
    "2024-04-27 20:00",  # many carts, some of them of the last three hours
    "2024-05-28 18:30",  # half of the payments fail
    "2024-06-29 22:02:40",  # the newest event
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ethogram.Project]:
    folder = tmp_path_factory.mktemp("abandonment") / "shop"
    folder.mkdir()
    (folder / "ethogram.toml").write_text(SETTINGS)
    shutil.copyfile(WEB_SHOP, folder / "ecom.csv.gz")
    maps = [word for need, event in PLAYED.items() for word in ("--map", f"{need}={event}")]
    for verb in (["load"], ["catalog", "add", *ENTRIES, *maps]):
        done = run(*verb, "--project", folder)
        assert done.exit_code == 0, done.output
    with ethogram.open(folder) as project:
        yield project


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    return pd.read_csv(WEB_SHOP, usecols=["user_id", "event", "timestamp"], parse_dates=["timestamp"])


def last_of(log: pd.DataFrame, event: str) -> pd.Series:
    """When each customer did something last."""
    return log[log.event == event].groupby("user_id").timestamp.max()


def left(log: pd.DataFrame, step: str, now: pd.Timestamp, within: str, pause: str, *ends: str) -> set[str]:
    """Who did a step last between two times before now, and none of what ends it at that moment or later."""
    last = last_of(log, step)
    last = last[(last > now - pd.Timedelta(within)) & (last <= now - pd.Timedelta(pause))]
    for end in ends:
        last = last[~(last_of(log, end).reindex(last.index) >= last)]
    return set(last.index)


def expected(log: pd.DataFrame, moment: str) -> dict[str, set[str]]:
    now = pd.Timestamp(moment)
    log = log[log.timestamp <= now]
    fortnight = log[log.timestamp > now - pd.Timedelta("14D")]
    errors = fortnight[fortnight.event == "error_page"].user_id.value_counts()
    checkout = left(log, "shipping_details", now, "7D", "1h", "purchase")
    cart = left(log, "add_to_cart", now, "7D", "3h", "purchase")
    browse = left(log, "product_view", now, "72h", "1h", "add_to_cart", "purchase")
    return {
        "checkout_abandoners": checkout,
        "cart_abandoners": cart,
        "browse_abandoners": browse,
        "payment_failures": left(log, "payment_details", now, "3D", "30min", "purchase"),
        "payment_was_declined": left(log, "payment_error", now, "14D", "0h", "purchase"),
        "met_errors": set(errors[errors >= 2].index),
        "abandonment.at_checkout": checkout,
        "abandonment.in_cart": cart - checkout,
        "abandonment.browsing": browse - cart - checkout,
        "abandonment.nowhere": set(log.user_id) - browse - cart - checkout,
    }


@pytest.mark.parametrize("moment", MOMENTS)
def test_everybody_who_left_something_is_found(
    shop: ethogram.Project, log: pd.DataFrame, moment: str
) -> None:
    people = expected(log, moment)
    found = {name: set(shop.members(name, as_of=moment)["customer"].to_pylist()) for name in people}
    assert found == people


def test_sizes_are_those_of_the_people(shop: ethogram.Project, log: pd.DataFrame) -> None:
    """And there are some of each kind at one of the moments at least."""
    seen = dict.fromkeys(expected(log, MOMENTS[0]), 0)
    for moment in MOMENTS:
        lines = shop.segments(as_of=moment).to_pylist()
        sizes = {".".join(filter(None, (one["segmentation"], one["name"]))): one["size"] for one in lines}
        people = expected(log, moment)
        assert {name: sizes[name] for name in people} == {name: len(some) for name, some in people.items()}
        seen = {name: count + len(people[name]) for name, count in seen.items()}
    assert min(seen.values()) > 0


def rate(log: pd.DataFrame, since: pd.Timestamp, until: pd.Timestamp) -> float:
    """Of those who put something into the cart in (since, until], the share who did not order by its end."""
    log = log[(log.timestamp > since) & (log.timestamp <= until)]
    carts = last_of(log, "add_to_cart")
    ordered = last_of(log, "purchase").reindex(carts.index) >= carts
    return float(1 - ordered.mean())


@pytest.mark.parametrize("moment", MOMENTS[1:])
@pytest.mark.parametrize("days", [7, 30])
def test_the_rate_of_abandoned_carts(
    shop: ethogram.Project, log: pd.DataFrame, moment: str, days: int
) -> None:
    (line,) = shop.metrics("cart_abandonment", period=f"{days}d", as_of=moment).to_pylist()
    now, period = pd.Timestamp(moment), pd.Timedelta(days=days)
    assert line["now"]["value"] == pytest.approx(rate(log, now - period, now))
    assert line["then"]["value"] == pytest.approx(rate(log, now - 2 * period, now - period))
    assert line["now"]["low"] < line["now"]["value"] < line["now"]["high"]
