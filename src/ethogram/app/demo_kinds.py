"""The demo's first part: a simulated shop in which every kind of segmentation has something to show, and whose truth is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ethogram.app import render
from ethogram.app.run import show_refreshed
from ethogram.app.simulated import simulate
from ethogram.app.start import show_loaded, show_simulated
from ethogram.app.truth import compared_with_truth
from ethogram.app.workbench import Progress, Workbench
from ethogram.catalog.entry import KIND_TITLES, Kind
from ethogram.membership.reading import SegmentLine, segments
from ethogram.simulate.shop import Shop, personas
from ethogram.simulate.truth import read_truth

if TYPE_CHECKING:
    from ethogram.membership.explain import Explanation

SUBFOLDER: Final = "simulated"
SHOP: Final = Shop(customers=1_000)

SHOWN: Final[Mapping[Kind, tuple[str, ...]]] = {
    "purchasing": ("repurchase_stage",),
    "benefits": ("benefit_sought",),
    "journey": ("journey_stage",),
    "usage": ("usage_level",),
    "occasion": ("birthday_soon", "season_buyers", "gift_buyers", "holiday_buyers"),
    "loyalty": ("loyalty_tier",),
    "satisfaction": ("nps",),
    "interaction": ("preferred_channel",),
    "demographic": ("age_band",),
    "geographic": ("country",),
    "psychographic": ("attitude_to_price",),
    "firmographic": ("company_size",),
}
"""What the table shows of each kind: the groups of a segmentation, or some segments."""

EXPLAINED: Final[Mapping[Kind, tuple[str, str]]] = {
    "purchasing": ("late_regular", "lapsing"),
    "benefits": ("express_commuter", "convenience_buyers"),
    "journey": ("cart_abandoner", "cart_abandoners"),
    "usage": ("fades_away", "declining_use"),
    "occasion": ("christmas_shopper", "season_buyers"),
    "loyalty": ("tier_runs_out", "tier_at_risk"),
    "satisfaction": ("silent_detractor", "silent_detractors"),
    "interaction": ("likes_text_messages", "preferred_channel"),
}
"""A persona of each kind, and what its line is about."""


def show_kinds(folder: Path, progress: Progress) -> None:
    """Makes the shop unless it is there, loads, evaluates, and shows its kinds, its people and its truth."""
    render.heading(f"$ ethogram simulate {folder} --customers {SHOP.customers}")
    if (folder / "ethogram.toml").exists():
        render.say(f"{folder} is there already.")
    else:
        show_simulated(simulate(folder, SHOP, progress))
    with Workbench(folder, progress) as bench:
        render.heading("$ ethogram load")
        show_loaded(bench.load())
        render.heading("$ ethogram refresh")
        show_refreshed(bench.refresh(), bench.settings.timezone, bench.newest())
        render.heading("Every kind of segmentation, with the sizes of some groups")
        columns = (render.Column(""), render.Column(""), render.Column("", wraps=True))
        render.table(columns, list(_sizes(bench)), header=False)
        render.heading("One of each kind who was planted, and what came out")
        for story, outcome in _people(bench):
            render.say(story)
            render.say(outcome, indent=2)
        comparison = compared_with_truth(bench)
    render.heading("Is it true?")
    found = "all as recorded" if not comparison.wrong else f"{len(comparison.wrong)} came out otherwise"
    render.say(f"{len(comparison.rows):,} facts are known of those who were planted (truth.csv): {found}.")


def _sizes(bench: Workbench) -> Iterator[tuple[str, str, str]]:
    """A row for each kind: its title, what is shown of it, and the sizes of those of whom something is known."""
    titles = bench.titles()
    lines = segments(bench.store, bench.engine()).lines
    for kind, names in SHOWN.items():
        mine = [line for line in lines if line.name in names or line.segmentation in names]
        known = [line for line in mine if line.name not in ("unknown", "other", "no_order", "too_few")]
        said = ", ".join(f"{_title(titles, line)} {line.size:,}" for line in known[:8])
        yield KIND_TITLES[kind], names[0] if len(names) == 1 else "", said


def _title(titles: Mapping[str, str], line: SegmentLine) -> str:
    return titles.get(line.full_name, line.name)


def _people(bench: Workbench) -> Iterator[tuple[str, str]]:
    """Of each kind who somebody is, and where the record has them."""
    titles = {persona.name: persona.title for persona in personas()}
    first: dict[str, str] = {}
    for row in read_truth(bench.folder):
        first.setdefault(row.persona, row.customer)
    for kind, (persona, name) in EXPLAINED.items():
        if persona in first:
            explanation = bench.explain(first[persona], [name])[0]
            yield f"{KIND_TITLES[kind]}: {titles[persona]}", _outcome(explanation, bench.settings.timezone)


def _outcome(explanation: Explanation, zone: str) -> str:
    """`C11201 is in lapsing since 14 Jun 2026; time alone: out on 12 Jul 2026`."""
    group = "" if explanation.kind == "segment" else f".{explanation.answer}"
    said = f"{explanation.customer} is {'in' if explanation.answer != 'out' else 'not in'} {explanation.name}{group}"
    if explanation.since is not None:
        said += f" since {render.day(explanation.since, zone)}"
    if explanation.time_changes_at is not None:
        said += (
            f"; time alone: {explanation.time_changes_to} on {render.day(explanation.time_changes_at, zone)}"
        )
    return said
