"""Planted customers whose place among all others is what matters: the cells of RFM.

Where a fifth or a third of all buyers begins depends on everybody. So these are planted last, each in the middle of its
cells as plain counting finds them. A cell that is too narrow to be sure of (many customers with the same number of orders)
gets nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ethogram.simulate.life import Life
from ethogram.simulate.planting import Persona

Numbers: TypeAlias = NDArray[np.float64]

MARGIN: Final = 0.03
"""So far from the edge of its cell a planted customer must be, as a share of all buyers."""
AMONG: Final = 300


@dataclass(frozen=True, slots=True)
class Buying:
    """Of every buyer: days since the last order, the number of orders, what was paid in all."""

    age: Numbers
    orders: Numbers
    paid: Numbers


Parts: TypeAlias = tuple[int, int]
"""From one part to another, 1 the lowest."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A group, and where among all buyers its people are; of `parts` fifths or thirds.

    Recency is a part too, 5 the latest, or, for the 27 cells, a span of days.
    """

    group: str
    title: str
    parts: int
    frequency: Parts
    recency: Parts | None = None
    money: int | None = None
    days: tuple[int, int] | None = None


CELLS: Final = (
    Cell("rfm.champions", "Ordered lately, and more often than most.", 5, (4, 5), (5, 5)),
    Cell("rfm.loyal", "Orders often, the last time not quite lately.", 5, (4, 5), (3, 4)),
    Cell("rfm.potential_loyalists", "Ordered lately, and more than once.", 5, (2, 3), (4, 5)),
    Cell("rfm.new", "Ordered lately, for the first time.", 5, (1, 1), (5, 5)),
    Cell("rfm.promising", "Ordered once, not long ago.", 5, (1, 1), (4, 4)),
    Cell("rfm.need_attention", "Orders as often and as lately as the middle.", 5, (3, 3), (3, 3)),
    Cell("rfm.about_to_sleep", "Ordered once, some time ago.", 5, (1, 2), (3, 3)),
    Cell("rfm.valuable_and_slipping", "Ordered more often than most, and not for long.", 5, (5, 5), (1, 2)),
    Cell("rfm.at_risk", "Ordered often, and not for long.", 5, (3, 4), (1, 2)),
    Cell("rfm.dormant", "Ordered once, longer ago than most.", 5, (1, 2), (1, 2)),
    Cell("rfm_27.champions", "This half year, often, for much.", 3, (3, 3), money=3, days=(30, 160)),
    Cell("rfm_27.loyal", "This half year, a few times, for a fair sum.", 3, (2, 2), money=2, days=(30, 160)),
    Cell("rfm_27.recent", "This half year, once, for little.", 3, (1, 1), money=1, days=(30, 160)),
    Cell("rfm_27.needs_attention", "Last half year, a few times, for little.", 3, (2, 2), money=1, days=(195, 350)),
    Cell("rfm_27.at_risk", "Last half year, once, for little.", 3, (1, 1), money=1, days=(195, 350)),
    Cell("rfm_27.inactive", "More than a year ago, once, for little.", 3, (1, 1), money=1, days=(390, 600)),
)  # fmt: skip


def placed(buying: Buying, cell: Cell) -> Persona | None:
    """The persona of a cell; None where no place in it is sure."""
    orders = _count(buying.orders, cell.frequency, cell.parts)
    age: tuple[float, float] | None = cell.days
    if cell.recency:
        first, last = cell.recency
        age = _span(buying.age, (cell.parts + 1 - last, cell.parts + 1 - first), cell.parts)
    paid: tuple[float, float] | None = (30.0 * (orders or 1), 40.0 * (orders or 1))
    if cell.money:
        paid = _span(buying.paid, (cell.money, cell.money), cell.parts)
    if orders is None or age is None or paid is None:
        return None
    (newest, oldest), (low, high) = age, paid

    def recipe(life: Life) -> None:
        last, total = (
            life.about((newest + oldest) / 2, (oldest - newest) / 2),
            life.about((low + high) / 2, (high - low) / 2),
        )
        step = min(25.0, 700.0 / orders)
        for turn in range(orders - 1, -1, -1):
            life.buys(last + step * turn, round(total / orders, 2), channel="store")

    name = cell.group.replace(".", "_")
    return Persona(name, cell.title, recipe, (cell.group,), (), days=700, among=AMONG)


def _count(orders: Numbers, wanted: Parts, parts: int) -> int | None:
    """The number of orders that is surest to be there: equal numbers are all in the part of the lowest of them."""
    first, last = (wanted[0] - 1) / parts, wanted[1] / parts

    def sureness(count: int) -> float:
        lower = float(np.mean(orders < count))
        return 1.0 if count == wanted[0] == 1 else min(lower - first, last - lower)

    best = max(range(1, int(orders.max(initial=1)) + 1), key=sureness)
    return best if sureness(best) >= MARGIN else None


def _span(values: Numbers, wanted: Parts, parts: int) -> tuple[float, float] | None:
    """The middle of these parts, from the lowest on."""
    low, high = (wanted[0] - 1) / parts, wanted[1] / parts
    middle, wide = (low + high) / 2, (high - low) / 2 - MARGIN
    edges = np.quantile(values, [low, middle - wide / 4, middle + wide / 4, high])
    if not edges[0] < edges[1] <= edges[2] < edges[3]:
        return None
    return float(edges[1]), float(edges[2])


def personas(buying: Buying) -> Iterator[Persona]:
    for cell in CELLS:
        persona = placed(buying, cell)
        if persona is not None:
            yield persona
