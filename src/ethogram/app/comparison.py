"""What `compare` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ethogram.app import render

if TYPE_CHECKING:
    from ethogram.insight.compare import Comparison

SHOWN = 8
CLEAR = 0.05
"""Contrasts nearer to none than this are not shown."""


def show_comparison(found: Comparison) -> None:
    names = list(found.sizes)
    rows = [
        (name, render.number(size), render.percent(size / found.customers if found.customers else None))
        for name, size in found.sizes.items()
    ]
    render.table(render.headed("", "customers", "share"), rows)
    render.heading("Two at a time")
    pairs = [
        (
            f"{one.first} and {one.second}",
            render.number(one.both),
            render.percent(one.of_first),
            render.percent(one.of_second),
            "" if one.jaccard is None else f"{one.jaccard:.2f}",
            "" if one.lift is None else f"{one.lift:.1f}x",
        )
        for one in found.overlaps
    ]
    render.table(render.headed("", "in both", "of first", "of second", "Jaccard", "chance"), pairs)
    render.heading("In exactly these")
    mark, gap = ("●", "·") if render.can_draw() else ("x", ".")
    most = max((one.size for one in found.combinations), default=0)
    combined = [
        (
            " ".join(mark if name in one.names else gap for name in names),
            " + ".join(one.names),
            render.number(one.size),
            render.bar(one.size / most, 16),
        )
        for one in found.combinations[: 2 * SHOWN]
    ]
    columns = (
        render.Column(""),
        render.Column("", wraps=True),
        render.Column("customers", "right"),
        render.Column(""),
    )
    render.table(columns, combined)
    if len(names) == 2 and (found.traits or found.shares):
        _show_contrasts(found, *names)


def _show_contrasts(found: Comparison, first: str, second: str) -> None:
    traits = [
        (one.name, f"{one.first:,.2f}", f"{one.second:,.2f}", render.percent(one.more_in_first))
        for one in found.traits[:SHOWN]
        if abs(one.more_in_first - 0.5) > CLEAR
    ]
    if traits:
        render.heading("What separates those in one alone")
        render.table(render.headed("median of", first, second, f"more in {first}"), traits)
        render.say(f"The last column: how often one of {first} alone has more than one of {second} alone.")
    shares = [
        (one.name, render.percent(one.first), render.percent(one.second))
        for one in found.shares[:SHOWN]
        if abs(one.first - one.second) > CLEAR
    ]
    if shares:
        render.say()
        render.table(render.headed("also in", first, second), shares)
