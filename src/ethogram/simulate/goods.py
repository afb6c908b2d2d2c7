"""What is sold, and where. A department store with a website, an app and four houses in Germany."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

TIMEZONE: Final = "Europe/Berlin"
CURRENCY: Final = "EUR"
COUNTRY: Final = "DE"
SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
NOW: Final = 1_782_835_200 * SECOND
"""2026-06-30 16:00 UTC, a Tuesday, six in the evening in Berlin: the newest event."""

CHANNELS: Final = ("web", "app", "store", "phone")
STORES: Final = ("Berlin", "Hamburg", "Köln", "München")
SHIPPING: Final = ("standard", "express", "pickup")
FEATURES: Final = (
    "wish list", "barcode scan", "store finder", "size finder", "price watch", "shopping list", "receipts",
    "gift finder", "style quiz", "order again", "stock check", "recipes", "club card", "photo search",
)  # fmt: skip
COFFEE: Final = "coffee-beans-1kg"
"""A product that is used up."""

Cents: TypeAlias = int

_SHELVES: Final = {
    "Books": (("Novel", 14), ("Thriller", 12), ("Cookbook", 26), ("Travel guide", 19), ("Picture book", 15), ("Poems", 11)),
    "Coffee": (("Coffee beans 1kg", 22), ("Espresso beans 500g", 13), ("Filter coffee 500g", 9), ("Coffee sampler", 29)),
    "Kitchen": (("Pan", 59), ("Knife", 79), ("Mixing bowl", 17), ("Kettle", 45), ("Cutting board", 24), ("Baking tin", 16)),
    "Clothing": (("Shirt", 39), ("Wool sweater", 89), ("Rain jacket", 129), ("Socks", 8), ("Scarf", 29), ("Linen dress", 99)),
    "Toys": (("Building blocks", 34), ("Puzzle", 16), ("Plush bear", 24), ("Board game", 31), ("Kite", 19)),
    "Garden": (("Seeds", 4), ("Watering can", 18), ("Secateurs", 27), ("Herb pot", 12), ("Deck chair", 69)),
    "Electronics": (("Headphones", 119), ("Lamp", 49), ("Charger", 25), ("Radio", 89), ("E-reader", 139)),
    "Stationery": (("Notebook", 9), ("Fountain pen", 39), ("Calendar", 14), ("Paper 500", 7), ("Folder", 5)),
}  # fmt: skip
_BRANDS: Final = ("Lindenhof", "Nordlicht", "Casa Verde", "Maru", "Atelier Sept", "Fuchs & Sohn")


@dataclass(frozen=True, slots=True)
class Product:
    """Prices are in cents. `is_fair` says that it is made with care for people and nature."""

    sku: str
    name: str
    category: str
    brand: str
    price: Cents
    cost: Cents
    is_fair: bool


@cache
def products() -> tuple[Product, ...]:
    """Every article of two brands; the first brand of a category is its best known."""
    found = []
    for shelf, (category, articles) in enumerate(_SHELVES.items()):
        for place, (name, euros) in enumerate(articles):
            for turn in range(2):
                brand = _BRANDS[(shelf + turn * (1 + place)) % len(_BRANDS)]
                price = euros * 100 - 5 if not turn else euros * 120 - 1
                sku = "-".join(name.lower().split()) + ("" if not turn else f"-{brand.split()[0].lower()}")
                cost = round(price * (0.45 + 0.05 * ((shelf + place) % 5)))
                found.append(Product(sku, name, category, brand, price, cost, (place + turn) % 3 == 2))
    return tuple(found)


@cache
def by_sku() -> dict[str, int]:
    return {product.sku: index for index, product in enumerate(products())}


@cache
def shelf(category: str) -> tuple[int, ...]:
    """The products of a category, by their index."""
    return tuple(index for index, product in enumerate(products()) if product.category == category)


@cache
def categories() -> tuple[str, ...]:
    return tuple(_SHELVES)


@cache
def prices() -> NDArray[np.int64]:
    return np.array([product.price for product in products()], np.int64)
