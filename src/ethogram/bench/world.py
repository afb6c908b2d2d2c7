"""The seeded world of the benchmark: who does what, when, for how much.

Customers come in blocks of 25,000, each drawn from its own child of the seed, so that memory stays bounded by one block
(about a million events) and any size is reproducible. Within a block events are ordered by (customer, time).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EVENTS = (
    "Product Viewed",
    "Product List Viewed",
    "Products Searched",
    "Product Added",
    "Cart Viewed",
    "Product Removed",
    "Checkout Started",
    "Order Completed",
    "Product Clicked",
    "Promotion Viewed",
    "Promotion Clicked",
    "Product Added to Wishlist",
    "Coupon Entered",
    "Payment Info Entered",
    "Product Shared",
    "Product Reviewed",
    "Order Refunded",
    "Order Cancelled",
    "Ticket Opened",
    "Chat Started",
)
"""Event `i` is drawn with a weight of 1 / (i + 1)."""

CATEGORIES = tuple(f"category-{number:02}" for number in range(50))
CHANNELS = ("web", "app", "store", "mail", "phone", "partner", "social", "kiosk")

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
START = 1_767_225_600 * SECOND
"""2026-01-01T00:00:00 UTC, in microseconds."""

EVENTS_PER_CUSTOMER = 40
BLOCK = 25_000


@dataclass(frozen=True, slots=True)
class World:
    """`events` events of `events / 40` customers over `days` days; the question is asked at `as_of`.

    The last hour before `as_of` is left empty for the arrivals of the incremental measurement.
    """

    events: int
    seed: int = 1
    days: int = 180

    @property
    def customers(self) -> int:
        return max(1, self.events // EVENTS_PER_CUSTOMER)

    @property
    def as_of(self) -> int:
        return START + self.days * DAY

    @property
    def quiet_from(self) -> int:
        return self.as_of - HOUR


@dataclass(frozen=True, slots=True)
class Block:
    """Columns of one length. `first` numbers the rows; `time` is in microseconds, `revenue` in cents."""

    first: int
    customer: NDArray[np.uint32]
    time: NDArray[np.int64]
    event: NDArray[np.uint8]
    category: NDArray[np.uint8]
    channel: NDArray[np.uint8]
    revenue: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.customer)


def blocks(world: World) -> Iterator[Block]:
    """The world's events, by (customer, time). Customers without an event are possible and are not part of the world."""
    import numpy as np

    count = -(-world.customers // BLOCK)
    for number, seed in enumerate(np.random.SeedSequence([world.seed, 0]).spawn(count)):
        low, high = number * BLOCK, min(world.customers, (number + 1) * BLOCK)
        first, end = low * world.events // world.customers, high * world.events // world.customers
        rng = np.random.default_rng(seed)
        customer = rng.integers(low, high, end - first, dtype=np.uint32)
        time = rng.integers(START, world.quiet_from, end - first, dtype=np.int64)
        yield _draw(rng, first, customer, time)


def arrivals(world: World, count: int) -> Block:
    """`count` further events of random customers in the quiet hour, numbered after the world's own."""
    import numpy as np

    rng = np.random.default_rng(np.random.SeedSequence([world.seed, 1, count]))
    customer = rng.integers(0, world.customers, count, dtype=np.uint32)
    time = rng.integers(world.quiet_from, world.as_of, count, dtype=np.int64) + 1
    return _draw(rng, world.events, customer, time)


def _draw(
    rng: np.random.Generator, first: int, customer: NDArray[np.uint32], time: NDArray[np.int64]
) -> Block:
    import numpy as np

    order = np.lexsort((time, customer))
    size = len(order)
    weights = 1.0 / np.arange(1, len(EVENTS) + 1)
    edges = np.cumsum(weights / weights.sum())
    return Block(
        first=first,
        customer=customer[order],
        time=time[order],
        event=np.minimum(np.searchsorted(edges, rng.random(size), side="right"), len(EVENTS) - 1).astype(
            np.uint8
        ),
        category=rng.integers(0, len(CATEGORIES), size, dtype=np.uint8),
        channel=rng.integers(0, len(CHANNELS), size, dtype=np.uint8),
        revenue=np.rint(np.exp(rng.normal(3.0, 1.0, size)) * 100).astype(np.int64),
    )
