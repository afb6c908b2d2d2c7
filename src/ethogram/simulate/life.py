"""One planted customer's life, written event by event. Times are days before now; nothing happens after now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from ethogram.simulate import goods
from ethogram.simulate.goods import DAY, HOUR, MINUTE, NOW, Product
from ethogram.simulate.opinions import QUESTION, voice
from ethogram.simulate.profile import TODAY, Profile, company
from ethogram.simulate.traces import EVENTS

T = TypeVar("T")
_ZONE = ZoneInfo(goods.TIMEZONE)
_MESSAGES = {
    "email": ("Email Delivered", "Email Opened", "Email Link Clicked"),
    "push": ("Push Notification Received", None, "Push Notification Tapped"),
    "sms": ("SMS Delivered", None, "SMS Link Clicked"),
}


class Life:
    """What one customer does. Every random choice comes from the customer's own generator."""

    def __init__(self, number: int, copy: int, rng: np.random.Generator, profile: Profile) -> None:
        self.number, self.copy, self.rng, self.profile = number, copy, rng, profile
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.orders = 0

    # --- chance and time ---

    def about(self, days: float, spread: float) -> float:
        """So many days, give or take."""
        return float(self.rng.uniform(days - spread, days + spread))

    def times(self, least: int, most: int) -> int:
        return int(self.rng.integers(least, most + 1))

    def one_of(self, values: tuple[T, ...]) -> T:
        return values[int(self.rng.integers(len(values)))]

    def every(self, step: float, since: float, until: float, jitter: float = 0.1) -> list[float]:
        """Moments at a rhythm, the earliest first; the last one at `until`."""
        count = int((since - until) / step)
        return [
            until + step * turn + (self.about(0, jitter) if turn else 0.0) for turn in range(count, -1, -1)
        ]

    @staticmethod
    def at(days: int, hour: float) -> float:
        """A local hour, so many calendar days before today."""
        local = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=_ZONE) - timedelta(days=days)
        local += timedelta(minutes=round(hour * 60))
        return (NOW - int(local.timestamp()) * 1_000_000) / DAY

    @staticmethod
    def on(day: str, hour: float = 11) -> float:
        """A local hour of a date."""
        local = datetime.fromisoformat(day).replace(tzinfo=_ZONE) + timedelta(minutes=round(hour * 60))
        return (NOW - int(local.timestamp()) * 1_000_000) / DAY

    # --- what is known of them ---

    def is_company_of(self, employees: int) -> None:
        self.profile = replace(self.profile, **company(self.number, employees))  # type: ignore[arg-type]

    def states(self, **traits: object) -> None:
        self.profile = replace(self.profile, **traits)  # type: ignore[arg-type]

    # --- events ---

    def does(self, event: str, ago: float, **properties: object) -> None:
        source, known = EVENTS[event]
        assert ago >= 0 and set(properties) <= set(known), (event, ago, properties)
        time = NOW - round(ago * DAY)
        self.rows.setdefault(source, []).append({"event": event, "time": time, **properties})

    def visits(self, ago: float, channel: str = "web") -> None:
        self.does("Session Started", ago, channel=channel)

    def looks(self, ago: float, product: int, *, on_sale: bool = False) -> None:
        self.does("Product Viewed", ago, **_seen(product, on_sale))

    def adds(self, ago: float, product: int) -> None:
        self.does("Product Added", ago, **_seen(product, False))

    def some(self, *categories: str) -> int:
        """A product, of these categories if any are named."""
        listed = tuple(place for name in categories or goods.categories() for place in goods.shelf(name))
        return self.one_of(listed)

    def buys(
        self,
        ago: float,
        total: float = 0.0,
        *products: int,
        channel: str = "web",
        shipping: str = "standard",
        off: float = 0.0,
        gift: bool = False,
        units: int = 1,
        free: bool = False,
    ) -> None:
        """An order; on the web and in the app with the steps that lead to it. `total` prices the products anew."""
        chosen = products or (self.some(),)
        if channel in ("web", "app"):
            self.visits(ago + 20 * MINUTE / DAY, channel)
            for place, product in enumerate(dict.fromkeys(chosen)):
                self.looks(ago + (18 - place) * MINUTE / DAY, product)
                self.adds(ago + (17 - place) * MINUTE / DAY, product)
            self.does("Checkout Started", ago + 3 * MINUTE / DAY, channel=channel)
            self.does("Payment Info Entered", ago + 2 * MINUTE / DAY, channel=channel)
        self.orders += 1
        worth = total or (
            0.0 if free else sum(goods.products()[place].price for place in chosen) * units / 100
        )
        self.does(
            "Order Completed",
            ago,
            **_order(self, chosen, round(worth, 2), channel, shipping, off, gift, units),
        )

    def returns(self, ago: float, amount: float) -> None:
        self.does("Order Refunded", ago, order_id=f"{self.number}-{self.orders}", total=round(amount, 2))

    def gets(
        self,
        ago: float,
        channel: str = "email",
        *,
        opens: bool = False,
        clicks: bool = False,
        wait: float = 1.0,
    ) -> None:
        """A message, opened and clicked so many hours after it came."""
        delivered, opened, clicked = _MESSAGES[channel]
        self.does(
            delivered, ago + wait * HOUR / DAY, channel=channel, campaign=f"{channel}-{self.times(1, 40)}"
        )
        if opened and (opens or clicks):
            self.does(opened, ago + MINUTE / DAY, channel=channel)
        if clicks and clicked:
            self.does(clicked, ago, channel=channel)

    def answers(self, survey: str, score: int, ago: float) -> None:
        text = (
            {"text": self._says(score / {"NPS": 10, "CSAT": 5, "CES": 7}[survey])} if survey != "CES" else {}
        )
        language = {"language": self._language()} if text else {}
        self.does("Survey Sent", ago + 0.5, topic=survey)
        self.does(f"{survey} Answered", ago, score=score, **text, **language)

    def reviews(self, stars: int, ago: float) -> None:
        sku = goods.products()[self.some()].sku
        self.does(
            "Product Reviewed",
            ago,
            rating=stars,
            product_id=sku,
            text=self._says(stars / 5),
            language=self._language(),
        )

    def asks(self, ago: float, *, by: str = "Ticket Opened") -> None:
        words = {"text": self.one_of(QUESTION[self._language()]), "language": self._language()}
        self.does(by, ago, topic="delivery", **(words if by == "Ticket Opened" else {}))

    def _language(self) -> str:
        return self.profile.language or "en"

    def _says(self, good: float) -> str:
        return self.one_of(voice(good)[self._language()])


def _seen(place: int, on_sale: bool) -> dict[str, object]:
    product = goods.products()[place]
    price = product.price / 100 * (0.8 if on_sale else 1)
    return {
        "channel": "web",
        "product_id": product.sku,
        "category": product.category,
        "brand": product.brand,
        "price": round(price, 2),
        "on_sale": on_sale,
    }


def _order(
    life: Life,
    chosen: tuple[int, ...],
    total: float,
    channel: str,
    shipping: str,
    off: float,
    gift: bool,
    units: int,
) -> dict[str, object]:
    listed = [goods.products()[place] for place in chosen]
    return {
        "order_id": f"{life.number}-{life.orders}",
        "total": total,
        "cost": round(total * 0.6, 2),
        "discount": round(off, 2),
        **({"coupon": "HAPPY"} if off else {}),
        "units": units * len(listed),
        "channel": channel,
        **({"store": life.one_of(goods.STORES)} if channel == "store" else {}),
        "shipping": shipping,
        "gift_wrap": gift,
        "products": [_line(product, units, total / len(listed) / units) for product in listed],
    }


def _line(product: Product, units: int, price: float) -> dict[str, object]:
    return {
        "sku": product.sku,
        "name": product.name,
        "category": product.category,
        "brand": product.brand,
        "quantity": units,
        "price": round(price, 2),
        "cost": round(price * product.cost / product.price, 2),
        "sustainable": product.is_fair,
    }
