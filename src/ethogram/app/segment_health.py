"""What `health` asks of a project, and shows."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING

from ethogram.app import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ethogram.app.workbench import Workbench
    from ethogram.insight.finding import Finding
    from ethogram.insight.health import Health
    from ethogram.insight.inference import Estimate

DAYS = 30
SHOWN = 8
_HEADINGS = {"serious": "Serious", "look": "Worth a look", "note": "To know"}


def examine(bench: Workbench, days: int = DAYS) -> Health:
    """Definitions as of so many days ago, and what their people did since."""
    from ethogram.insight import health
    from ethogram.language.instants import DAY

    bench.with_revenue()  # says what is wrong with `revenue`
    own = bench.sound_definitions()
    asked = health.asked(own, bench.catalog, bench.config.revenue, days)
    now = bench.now()
    day = render.day(now - days * DAY, bench.settings.timezone)
    return health.examine(
        bench.store, bench.engine(asked.definitions), asked, now, days, day, bench.staleness()
    )


def show_health(found: Health, zone: str, newest: int) -> None:
    counts = [sum(one.severity == severity for one in found.findings) for severity in _HEADINGS]
    render.say(
        f"As of {render.as_of(found.as_of, zone, newest)}: {render.counted(found.customers, 'customer')}. "
        f"{counts[0]} serious, {counts[1]} worth a look, {counts[2]} to know."
    )
    for severity, some in groupby(found.findings, key=lambda one: one.severity):
        render.heading(_HEADINGS[severity])
        by_check: dict[tuple[str, str], list[Finding]] = {}
        for one in some:
            by_check.setdefault((one.check, one.to_do), []).append(one)
        for number, ((check, to_do), alike) in enumerate(by_check.items()):
            if number:
                render.say()
            _show_check(check, to_do, alike)
    if found.outcomes:
        _show_outcomes(found, zone)
    if not found.findings:
        render.say("\nAll is well.")


def _show_check(check: str, to_do: str, alike: Sequence[Finding]) -> None:
    """What to do is said once; those of which the same was found stand together."""
    names: dict[str, list[str]] = {}
    for one in alike:
        names.setdefault(one.found, []).append(one.name)
    render.say(check.capitalize())
    for found, own in list(names.items())[:SHOWN]:
        listed = ", ".join(name for name in own if name)
        render.say(f"{listed}: {found}" if listed else found, indent=2)
    if len(names) > SHOWN:
        render.say(f"… and {len(names) - SHOWN} more; --json has all.", indent=2)
    render.say(f"-> {to_do}", indent=2)


def _show_outcomes(found: Health, zone: str) -> None:
    told = [one for one in found.outcomes if one.verdict == "different"]
    told.sort(key=lambda one: -one.rate.clarity)
    if not told:
        return
    render.heading(f"What tells customers apart: who {found.did} since {render.day(found.since, zone)}")
    columns = (
        render.Column("in it then", wraps=True),
        render.Column("of them", "right"),
        render.Column("of others", "right"),
        render.Column("times (interval)", "right"),
        render.Column("amount, times", "right"),
    )
    rows = [
        (
            one.name,
            render.percent(one.share.value),
            render.percent(one.share_of_others.value),
            _times(one.rate),
            _times(one.amount),
        )
        for one in told[:SHOWN]
    ]
    render.table(columns, rows)
    if len(told) > SHOWN:
        render.say(f"… and {len(told) - SHOWN} more; --json has all.")


def _times(one: Estimate) -> str:
    if math.isnan(one.value):
        return ""
    if math.isinf(one.value):
        return "only they"
    return f"{one.value:.2f} ({render.span(f'{one.low:.2f}', f'{one.high:.2f}')})"
