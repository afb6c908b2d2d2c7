"""Everybody who was not planted: who they are, when they come, what they look at and order. In columns, a lot at a time.

Few come often and many hardly ever; weekends, evenings and December are busy; everybody begins some day and most end some
day. Nothing in here knows of segments.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ethogram.simulate import goods
from ethogram.simulate.columns import Coded, Pieces
from ethogram.simulate.goods import DAY, HOUR, MINUTE, NOW, SECOND
from ethogram.simulate.profile import TODAY
from ethogram.simulate.traces import LINE

Whole: TypeAlias = NDArray[np.int64]
Shares: TypeAlias = NDArray[np.float64]

_WEEKDAYS: Final = np.array([1.0, 0.95, 0.95, 1.0, 1.05, 1.3, 1.25])
_MONTHS: Final = np.array([0.95, 0.9, 0.95, 1.0, 1.0, 0.9, 0.8, 0.8, 0.95, 1.05, 1.4, 1.7])
_MOST_VISITS: Final = 150


@dataclass(frozen=True, slots=True)
class Crowd:
    """A lot of customers: `number` is what they are called, everything else is drawn once for each."""

    number: Whole
    joined: Shares
    active: Shares
    rate: Shares
    in_store: Shares
    prefers_app: Shares
    favorite: Whole
    hours: Whole
    coupons: Shares
    haste: Shares
    content: Shares
    looks_for: Whole

    def __len__(self) -> int:
        return len(self.number)


@dataclass(frozen=True, slots=True)
class Visits:
    """`owner` is a place in the crowd; ordered by owner and time."""

    owner: Whole
    time: Whole
    in_app: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Orders:
    owner: Whole
    time: Whole
    total: Whole
    product: Whole


def drawn(rng: np.random.Generator, numbers: Whole, days: int) -> Crowd:
    size = len(numbers)
    joined = np.maximum(days * rng.random(size) ** 1.4, 0.3)
    return Crowd(
        number=numbers,
        joined=joined,
        active=np.minimum(joined, 3 + rng.exponential(420, size)),
        rate=np.minimum(0.44 * (1 + rng.pareto(1.7, size)), 20),
        in_store=np.where(rng.random(size) < 0.3, 0.075 * (1 + rng.pareto(2.4, size)), 0.0),
        prefers_app=rng.beta(0.6, 1.2, size),
        favorite=rng.integers(0, len(goods.categories()), size),
        hours=rng.integers(0, 3, size),
        coupons=rng.beta(0.5, 2.0, size),
        haste=rng.beta(0.4, 2.5, size),
        content=np.clip(rng.beta(4, 1.7, size), 0.02, 0.98),
        looks_for=rng.integers(0, 4, size),
    )


@cache
def midnights(days: int) -> Whole:
    """The local midnight of so many days ago, as a moment."""
    zone = ZoneInfo(goods.TIMEZONE)
    today = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=zone)
    return np.array(
        [int((today - timedelta(days=ago)).timestamp()) * SECOND for ago in range(days + 2)], np.int64
    )


@cache
def _busyness(days: int) -> Shares:
    """How likely a visit of that day is kept, by days ago."""
    dates = [TODAY - timedelta(days=ago) for ago in range(days + 2)]
    found = np.array([_WEEKDAYS[day.weekday()] * _MONTHS[day.month - 1] for day in dates])
    return np.asarray(found / found.max(), np.float64)


def moments(rng: np.random.Generator, ago: Shares, hours: Whole, days: int) -> Whole:
    """A time of day for days ago: office hours (0), evenings (1) or any (2). Never within two hours before now."""
    middle, wide = np.array([12.2, 20.0, 15.0])[hours], np.array([2.2, 1.6, 4.0])[hours]
    hour = np.clip(rng.normal(middle, wide), 0.1, 23.8)
    time = midnights(days)[ago.astype(np.int64)] + (hour * HOUR).astype(np.int64)
    return np.where(time > NOW - 2 * HOUR, time - DAY, time)


def visits(rng: np.random.Generator, crowd: Crowd, days: int) -> Visits:
    counts = np.minimum(rng.poisson(crowd.rate * crowd.active / 30 * 1.9), _MOST_VISITS)
    owner = np.repeat(np.arange(len(crowd)), counts)
    ago = crowd.joined[owner] - rng.random(len(owner)) * crowd.active[owner]
    kept = rng.random(len(owner)) < _busyness(days)[ago.astype(np.int64)]
    owner, ago = owner[kept], ago[kept]
    time = moments(rng, ago, crowd.hours[owner], days)
    order = np.lexsort((time, owner))
    owner, time = owner[order], time[order]
    return Visits(owner, time, rng.random(len(owner)) < crowd.prefers_app[owner])


def browse(rng: np.random.Generator, crowd: Crowd, seen: Visits, pieces: Pieces) -> Orders:
    """What happens during visits, up to the orders."""
    people, size = crowd.number[seen.owner], len(seen.owner)
    channel = Coded(seen.in_app.astype(np.int8), ("web", "app"))

    def chance(share: float) -> NDArray[np.intp]:
        return np.flatnonzero(rng.random(size) < share)

    def during(event: str, which: NDArray[np.intp], minutes: float, **columns: object) -> None:
        wait = (rng.random(len(which)) * minutes * MINUTE).astype(np.int64) + SECOND
        pieces.add(event, people[which], seen.time[which] + wait, **columns)

    pieces.add("Session Started", people, seen.time, channel=channel)
    is_first = np.r_[True, seen.owner[1:] != seen.owner[:-1]] if size else np.zeros(0, np.bool_)
    clicked = np.flatnonzero(is_first & (rng.random(size) < 0.35))
    pages = Coded(rng.integers(0, 3, len(clicked)), ("summer", "coffee", "gifts"))
    pieces.add("Ad Clicked", people[clicked], seen.time[clicked] - 5 * SECOND, page=pages)
    listed = chance(0.3)
    of_category = Coded(crowd.favorite[seen.owner[listed]], goods.categories())
    during("Product List Viewed", listed, 4, channel=_of(channel, listed), category=of_category)
    searched = chance(0.2)
    results = rng.poisson(9, len(searched)) * (rng.random(len(searched)) > 0.06)
    words = Coded(rng.integers(0, 5, len(searched)), ("coffee", "Pullover", "libro", "コーヒー", "gift"))
    during("Products Searched", searched, 4, channel=_of(channel, searched), query=words, results=results)
    during("Error Shown", chance(0.008), 10, page=None)
    read = chance(0.04)
    during("Article Read", read, 10, page=Coded(rng.integers(0, 2, len(read)), ("coffee-at-home", "linen")))
    used = np.flatnonzero(seen.in_app & (rng.random(size) < 0.2))
    features = np.minimum(rng.zipf(1.9, len(used)) - 1, 3)
    during("Feature Used", used, 8, feature=Coded(features, goods.FEATURES))
    _signs(rng, crowd, seen, pieces)
    return _looks_and_orders(rng, crowd, seen, pieces, channel)


_SIGNS: Final = (
    ("Sorted by Price", "Sale Viewed"),
    ("Review Read", "Specifications Viewed"),
    ("Saved Payment Used", "Express Shipping Chosen"),
    ("Returns Policy Viewed", "Warranty Viewed"),
)


def _signs(rng: np.random.Generator, crowd: Crowd, seen: Visits, pieces: Pieces) -> None:
    """Now and then a sign of what somebody looks for, mostly of the one thing."""
    shown = np.flatnonzero(rng.random(len(seen.owner)) < 0.3)
    wish = crowd.looks_for[seen.owner[shown]]
    wish = np.where(rng.random(len(shown)) < 0.3, rng.integers(0, 4, len(shown)), wish)
    which = rng.integers(0, 2, len(shown))
    for kind, pair in enumerate(_SIGNS):
        for turn, event in enumerate(pair):
            mine = shown[(wish == kind) & (which == turn)]
            pieces.add(event, crowd.number[seen.owner[mine]], seen.time[mine] + 3 * MINUTE)


def _looks_and_orders(
    rng: np.random.Generator, crowd: Crowd, seen: Visits, pieces: Pieces, channel: Coded
) -> Orders:
    size = len(seen.owner)
    counts = np.minimum(rng.geometric(0.42, size) - 1, 7)
    visit = np.repeat(np.arange(size), counts)
    place = np.arange(len(visit)) - np.repeat(np.cumsum(counts) - counts, counts)
    product = _products(rng, crowd.favorite[seen.owner[visit]])
    on_sale = rng.random(len(visit)) < 0.14
    at = seen.time[visit] + (30 + 70 * place) * SECOND
    pieces.add(
        "Product Viewed", crowd.number[seen.owner[visit]], at, **_seen(product, on_sale, _of(channel, visit))
    )
    adds = rng.random(len(visit)) < 0.14 + 0.08 * crowd.content[seen.owner[visit]]
    _add_to_cart(
        crowd, seen, pieces, visit[adds], product[adds], on_sale[adds], at[adds] + 40 * SECOND, channel
    )
    removed = rng.random(len(visit)) < 0.015
    skus = tuple(one.sku for one in goods.products())
    gone = removed & adds
    pieces.add(
        "Product Removed",
        crowd.number[seen.owner[visit[gone]]],
        at[gone] + MINUTE,
        product_id=Coded(product[gone], skus),
    )
    missing = rng.random(len(visit)) < 0.006
    pieces.add(
        "Product Out of Stock",
        crowd.number[seen.owner[visit[missing]]],
        at[missing] + 50 * SECOND,
        product_id=Coded(product[missing], skus),
    )
    # the last thing that was put into the cart in a visit is what is ordered
    added, first = np.unique(visit[adds][::-1], return_index=True)
    wanted = product[adds][::-1][first]
    return _checkout(rng, crowd, seen, pieces, added, wanted, channel)


def _products(rng: np.random.Generator, favorite: Whole) -> Whole:
    """Half of them from the favorite category, the others as popularity has it."""
    popular = np.minimum(rng.zipf(1.35, len(favorite)) - 1, len(goods.products()) - 1)
    starts = np.array([goods.shelf(name)[0] for name in goods.categories()])
    sizes = np.array([len(goods.shelf(name)) for name in goods.categories()])
    own = starts[favorite] + (rng.random(len(favorite)) ** 1.5 * sizes[favorite]).astype(np.int64)
    shuffled = (popular * 37) % len(goods.products())
    return np.where(rng.random(len(favorite)) < 0.5, own, shuffled)


def _seen(
    product: Whole, on_sale: NDArray[np.bool_], channel: Coded
) -> dict[str, Coded | NDArray[np.generic]]:
    listed = goods.products()
    return {
        "channel": channel,
        "product_id": Coded(product, tuple(one.sku for one in listed)),
        "category": Coded(product, tuple(one.category for one in listed)),
        "brand": Coded(product, tuple(one.brand for one in listed)),
        "price": np.round(goods.prices()[product] * np.where(on_sale, 0.8, 1.0)) / 100,
        "on_sale": on_sale,
    }


def _add_to_cart(
    crowd: Crowd,
    seen: Visits,
    pieces: Pieces,
    visit: Whole,
    product: Whole,
    on_sale: NDArray[np.bool_],
    at: Whole,
    channel: Coded,
) -> None:
    pieces.add(
        "Product Added", crowd.number[seen.owner[visit]], at, **_seen(product, on_sale, _of(channel, visit))
    )


def _checkout(
    rng: np.random.Generator,
    crowd: Crowd,
    seen: Visits,
    pieces: Pieces,
    visit: Whole,
    product: Whole,
    channel: Coded,
) -> Orders:
    goes_on = rng.random(len(visit)) < 0.6
    visit, product = visit[goes_on], product[goes_on]
    people, at = crowd.number[seen.owner[visit]], seen.time[visit] + 12 * MINUTE
    pieces.add("Checkout Started", people, at, channel=_of(channel, visit))
    pays = rng.random(len(visit)) < 0.93
    visit, product, people, at = visit[pays], product[pays], people[pays], at[pays] + 2 * MINUTE
    pieces.add("Payment Info Entered", people, at, channel=_of(channel, visit))
    fails = rng.random(len(visit)) < 0.03
    pieces.add("Payment Failed", people[fails], at[fails] + 20 * SECOND, channel=_of(channel, visit[fails]))
    done = ~fails | (rng.random(len(visit)) < 0.5)
    visit, product, at = visit[done], product[done], at[done] + MINUTE
    in_app = np.where(seen.in_app[visit], 1, 0)
    store = _store_orders(rng, crowd)
    return _write_orders(
        rng,
        crowd,
        pieces,
        np.concatenate([seen.owner[visit], store[0]]),
        np.concatenate([at, store[1]]),
        np.concatenate([product, store[2]]),
        np.concatenate([in_app, np.where(rng.random(len(store[0])) < 0.06, 3, 2)]),
    )


def _store_orders(rng: np.random.Generator, crowd: Crowd) -> tuple[Whole, Whole, Whole]:
    counts = np.minimum(rng.poisson(crowd.in_store * crowd.active / 30), _MOST_VISITS)
    owner = np.repeat(np.arange(len(crowd)), counts)
    ago = (crowd.joined[owner] - rng.random(len(owner)) * crowd.active[owner]).astype(np.int64)
    # houses are open from ten to eight, not on Sundays
    weekday = (TODAY.weekday() - ago) % 7
    ago = np.where(weekday == 6, ago + 1, ago)
    ago = np.minimum(np.maximum(ago, 1), int(crowd.joined.max(initial=1)) + 1)
    hour = 10 + 10 * rng.beta(2, 1.6, len(owner))
    time = midnights(int(ago.max(initial=1)))[ago] + (hour * HOUR).astype(np.int64)
    return owner, time, _products(rng, crowd.favorite[owner])


def _write_orders(
    rng: np.random.Generator,
    crowd: Crowd,
    pieces: Pieces,
    owner: Whole,
    time: Whole,
    product: Whole,
    channel: Whole,
) -> Orders:
    size = len(owner)
    lines = np.minimum(rng.geometric(0.62, size), 5)
    order = np.repeat(np.arange(size), lines)
    starts = np.cumsum(lines) - lines
    what = _products(rng, crowd.favorite[owner[order]])
    what[starts] = product
    quantity = 1 + (rng.random(len(order)) < 0.12) * rng.integers(1, 4, len(order))
    worth = np.add.reduceat(goods.prices()[what] * quantity, starts) if size else np.zeros(0, np.int64)
    with_coupon = rng.random(size) < crowd.coupons[owner]
    off = np.where(with_coupon, (worth * rng.choice([0.1, 0.15, 0.2], size)).astype(np.int64), 0)
    total = worth - off
    december = np.isin((time // DAY) % 365, np.arange(330, 360))
    shipping = np.where(rng.random(size) < crowd.haste[owner], 1, np.where(rng.random(size) < 0.1, 2, 0))
    pieces.add("Coupon Entered", crowd.number[owner[with_coupon]], time[with_coupon] - 2 * MINUTE)
    refused = rng.random(size) < 0.012
    pieces.add("Coupon Denied", crowd.number[owner[refused]], time[refused] - 3 * MINUTE)
    costs = np.array([one.cost for one in goods.products()])[what] * quantity
    pieces.add(
        "Order Completed",
        crowd.number[owner],
        time,
        order_id=_order_ids(crowd.number[owner], time),
        total=total / 100,
        cost=np.add.reduceat(costs, starts) / 100 if size else costs / 100,
        discount=off / 100,
        coupon=Coded(np.where(with_coupon, rng.integers(0, 3, size), -1), ("HAPPY", "WELCOME10", "SUMMER")),
        units=np.add.reduceat(quantity, starts) if size else quantity,
        channel=Coded(channel, goods.CHANNELS),
        store=Coded(np.where(channel == 2, rng.integers(0, len(goods.STORES), size), -1), goods.STORES),
        shipping=Coded(shipping, goods.SHIPPING),
        gift_wrap=rng.random(size) < np.where(december, 0.25, 0.03),
        products=_lists(starts, what, quantity),
    )
    return Orders(owner, time, total, product)


def _order_ids(people: Whole, time: Whole) -> pa.Array:
    import pyarrow.compute as pc

    parts = (pa.array(people).cast(pa.string()), pa.array(time // SECOND).cast(pa.string()), "-")
    return pc.binary_join_element_wise(*parts)


def _lists(starts: Whole, what: Whole, quantity: Whole) -> pa.Array:
    listed = goods.products()
    fair = np.array([one.is_fair for one in listed])
    euros, costs = goods.prices() / 100, np.array([one.cost for one in listed]) / 100
    fields = {
        "sku": Coded(what, tuple(one.sku for one in listed)).array(),
        "name": Coded(what, tuple(one.name for one in listed)).array(),
        "category": Coded(what, tuple(one.category for one in listed)).array(),
        "brand": Coded(what, tuple(one.brand for one in listed)).array(),
        "quantity": pa.array(quantity, pa.int64()),
        "price": pa.array(euros[what]),
        "cost": pa.array(costs[what]),
        "sustainable": pa.array(fair[what]),
    }
    offsets = pa.array(np.append(starts, len(what)), pa.int32())
    return pa.ListArray.from_arrays(
        offsets, pa.StructArray.from_arrays(list(fields.values()), fields=list(LINE))
    )


def _of(coded: Coded, which: NDArray[np.integer]) -> Coded:
    return Coded(coded.places[which], coded.texts)
