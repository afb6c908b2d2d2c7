"""What in this project means what to the views that count: its purchases, carts, refunds, found as the catalog finds them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ethogram.app.workbench import Workbench
    from ethogram.catalog.rendering import Cast
    from ethogram.insight.metrics import Measured
    from ethogram.language.tree import Definitions, Events

WAY = ("view", "cart_add", "checkout", "purchase")
"""The steps of a shop, for who names none."""

_ASKED = (
    *WAY,
    "purchase.amount",
    "purchase.margin",
    "purchase.discount",
    "refund",
    "refund.amount",
)


@dataclass(frozen=True, slots=True)
class Parts:
    """`definitions` are the project's with a behavior more for each part that none of them plays."""

    definitions: Definitions
    measured: Measured
    way: tuple[str, ...]


def parts(bench: Workbench) -> Parts:
    """What `revenue` in ethogram.toml names comes first: its events are the purchases."""
    from ethogram.app.ready_made import project_of
    from ethogram.catalog.fitting import fit
    from ethogram.catalog.loading import load_parts
    from ethogram.insight.metrics import Measured
    from ethogram.language.printer import print_expression

    definitions = bench.sound_definitions()
    cast = fit([], _ASKED, load_parts(), project_of(bench), {}).cast
    definitions, names = _with_behaviors(definitions, cast)
    revenue = _revenue(bench)
    purchase = print_expression(replace(revenue, path=())) if revenue else names.get("purchase", "")
    measured = Measured(
        purchase=purchase,
        amount=print_expression(revenue) if revenue else _measure(cast, names, "purchase", "amount"),
        margin=_measure(cast, names, "purchase", "margin"),
        discount=_measure(cast, names, "purchase", "discount"),
        refunded=_measure(cast, names, "refund", "amount"),
        cart_add=names.get("cart_add", ""),
    )
    way = tuple(purchase if step == "purchase" else names[step] for step in WAY if step in names)
    return Parts(definitions, measured, way)


def _revenue(bench: Workbench) -> Events | None:
    from ethogram.language.parser import parse_expression
    from ethogram.language.tree import Call, Events

    if not bench.config.revenue:
        return None
    bench.with_revenue()  # says what is wrong with it
    found = parse_expression(f"sum({bench.config.revenue})", file="ethogram.toml")
    assert isinstance(found, Call)
    (events,) = found.arguments
    assert isinstance(events, Events)
    return events


def _with_behaviors(definitions: Definitions, cast: Cast) -> tuple[Definitions, dict[str, str]]:
    """Behaviors by part; new ones where the project has none."""
    from ethogram.language.tree import Behavior

    behaviors, names = dict(definitions.behaviors), {}
    for part, played in cast.events.items():
        names[part] = name = played.behavior
        if name not in behaviors:
            title = " or ".join(played.events)
            behaviors[name] = Behavior(
                name, played.events, each=played.each, by_company=played.by_company, title=title
            )
    return replace(definitions, behaviors=behaviors), names


def _measure(cast: Cast, names: dict[str, str], part: str, name: str) -> str:
    from ethogram.language.printer import print_path

    if not cast.plays(f"{part}.{name}"):
        return ""
    return f"{names[part]}.{print_path(cast.events[part].properties[name].path)}"
