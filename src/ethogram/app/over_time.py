"""What `funnel`, `metrics` and `retention` ask of a project, and how they are drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, get_args
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ethogram.app import render
from ethogram.app.played import parts
from ethogram.insight import metrics as measuring
from ethogram.insight.everybody import everybody
from ethogram.insight.funnel import Funnel, Spread, funnel
from ethogram.insight.passages import customers, moves, of_events
from ethogram.insight.retention import Retention, retention
from ethogram.language.checker import check_expression, require_sound
from ethogram.language.meaning.local_time import back
from ethogram.language.parser import parse_expression
from ethogram.language.spelling import did_you_mean
from ethogram.language.terms import duration_of
from ethogram.language.tree import CalendarUnit, Call
from ethogram.model.errors import DataError

if TYPE_CHECKING:
    from ethogram.app.workbench import Workbench
    from ethogram.engines.engine import Engine
    from ethogram.insight.inference import Estimate
    from ethogram.language.tree import Definitions, Duration, Expression
    from ethogram.model.event import Moment
    from ethogram.model.settings import Settings

Truth: TypeAlias = NDArray[np.bool_]


# --- funnel -------------------------------------------------------------------------------------------------------------


def asked_funnel(
    bench: Workbench, steps: Sequence[str], *, within: str, last: str, by: str, as_of: str
) -> Funnel:
    """Raises DefinitionError for a step that is none, DataError E_FUNNEL_STEPS for fewer than two."""
    played = parts(bench)
    definitions, until = played.definitions, bench.now(as_of)
    chosen = tuple(steps) or played.way
    stages = chosen[0] if len(chosen) == 1 and chosen[0] in definitions.segmentations else ""
    if len(chosen) < 2 and not stages:
        said = (
            "a funnel has two steps or more" if steps else "no views, carts and orders are found in this data"
        )
        hint = "Name the steps in order, ethogram funnel view purchase, or one segmentation such as journey_stage."
        raise DataError("E_FUNNEL_STEPS", said, hint=hint)
    ways = [step for step in chosen if step in definitions.segmentations]
    if ways and not stages:
        hint = f"Name it alone, which makes its groups the steps: ethogram funnel {ways[0]}."
        raise DataError("E_FUNNEL_STEPS", f"the segmentation '{ways[0]}' is no single step", hint=hint)
    events = {
        step: _counted(step, bench, definitions) for step in chosen if not _is_membership(definitions, step)
    }
    memberships = [step for step in chosen if step not in events]
    limit = _exact(within) if within else None
    since = back(ZoneInfo(bench.settings.timezone), until, duration_of(last)) if last else None
    engine = bench.engine(definitions, [*dict.fromkeys([*memberships, *_base(definitions, by)])], events)
    walked = moves(engine, until) if memberships else None
    if walked is not None and stages:
        names = [group.name for group in definitions.segmentations[stages].groups[-2::-1]]
        passages = walked.onward(stages, len(names) + 1)
    else:
        names = _told_apart(chosen)
        passages = [
            walked.into(step)
            if walked is not None and step in memberships
            else of_events(engine, step, until)
            for step in chosen
        ]
    inside = _groups_at(engine, definitions, by, until)
    return funnel(names, passages, customers(engine), inside, since=since, until=until, within=limit)


def _told_apart(steps: Sequence[str]) -> list[str]:
    """
    >>> _told_apart(["view", "purchase", "purchase"])
    ['view', 'purchase', 'purchase (2)']
    """
    seen: dict[str, int] = {}
    names = []
    for step in steps:
        seen[step] = seen.get(step, 0) + 1
        names.append(step if seen[step] == 1 else f"{step} ({seen[step]})")
    return names


def _is_membership(definitions: Definitions, step: str) -> bool:
    return step in definitions.segments or step in definitions.segmentations


def _counted(step: str, bench: Workbench, definitions: Definitions) -> Expression:
    counted = parse_expression(f"count({step})")
    require_sound(check_expression(counted, definitions, bench.settings, bench.catalog))
    if not (isinstance(counted, Call) and len(counted.arguments) == 1 and not counted.options):
        raise DataError(
            "E_FUNNEL_STEPS", f"'{step}' is not one behavior", hint="Name a behavior or a segment."
        )
    return counted


def _exact(text: str) -> int:
    from ethogram.language.plan import MICROS

    found = duration_of(text)
    if found.unit not in MICROS:
        hint = f"Months differ in length: write {30 * found.amount}d."
        raise DataError("E_DURATION", f"--within {text} is not one length of time", hint=hint)
    return found.amount * MICROS[found.unit]


LONG = 20
"""Longer names of steps are wrapped."""


def show_funnel(found: Funnel, zone: str, newest: Moment) -> None:
    since = f"begun after {render.minute(found.since, zone)}, " if found.since is not None else ""
    within = f"within {found.within:g} days, " if found.within is not None else ""
    render.say(f"Ways {since}{within}as of {render.as_of(found.until, zone, newest)}.\n")
    most = found.steps[0].came
    columns = (
        render.Column("step", wraps=max(len(step.name) for step in found.steps) > LONG),
        render.Column("customers", "right"),
        render.Column(""),
        render.Column("of first", "right"),
        render.Column("of previous", "right"),
        render.Column("took", "right"),
    )
    steps = [
        (
            step.name,
            render.number(step.came),
            render.bar(step.came / most if most else 0, 8),
            _percent(step.of_first),
            _with_interval(step.of_previous),
            _time(step.took),
        )
        for step in found.steps
    ]
    render.table(columns, steps)
    stops = [
        (step.name, render.number(step.stopped), _time(step.standing))
        for step in found.steps
        if step.stopped and step.standing is not None
    ]
    if stops:
        render.heading("Where they stop")
        render.table(render.headed("got no further than", "customers", "for"), stops)
    narrowest = found.narrowest
    if narrowest is not None and narrowest.of_previous is not None and narrowest.of_previous.value < 1:
        lost = render.percent(1 - narrowest.of_previous.value)
        render.say(f"\nThe narrowest step is {narrowest.name}: {lost} of those before it did not take it.")
    if found.groups:
        render.heading("By group, as of now")
        names = [step.name for step in found.steps]
        rows = [
            (group.group, *(render.number(came) for came in group.came), _with_interval(group.whole_way))
            for group in found.groups
        ]
        render.table(render.headed("", *names, "whole way"), rows)


_LENGTHS = (("s", 1 / 86400), ("min", 1 / 1440), ("h", 1 / 24), ("days", 1.0))


def _time(found: Spread | None) -> str:
    """The median, and between what half of them lie.

    >>> _time(Spread(0.0005, 0.0006, 0.0007)), _time(Spread(20, 41.7, 112.2))
    ('52 s (43–60)', '42 days (20–112)')
    """
    if found is None:
        return ""
    if not found.upper:
        return "at once"
    unit, length = next((one for one in reversed(_LENGTHS) if found.median >= 0.999 * one[1]), _LENGTHS[0])
    lower, median, upper = (_short(days / length) for days in (found.lower, found.median, found.upper))
    return f"{median} {unit} ({render.span(lower, upper)})"


def _short(amount: float) -> str:
    return f"{amount:.0f}" if amount >= 10 or amount == round(amount) else f"{amount:.1f}"


# --- metrics ------------------------------------------------------------------------------------------------------------


def asked_metrics(
    bench: Workbench, names: Sequence[str], *, period: str, by: str, as_of: str
) -> measuring.Metrics:
    """Raises DataError E_UNKNOWN_NAME for a metric that does not exist, E_METRIC for one whose data is absent."""
    length = duration_of(period)
    played = parts(bench)
    _require_metrics(names, played.measured)
    zone, until = ZoneInfo(bench.settings.timezone), bench.now(as_of)
    since = back(zone, until, length)
    before = back(zone, until, _times(length, 2))
    extra = measuring.questions(played.measured, period)
    engine = bench.engine(played.definitions, [*_base(played.definitions, by)], extra)
    found = everybody(engine, until, [*extra])
    values = {name: np.where(found.known, found.counts(name), 0.0) for name in extra}
    everyone = np.ones(len(found.known), np.bool_)
    groups = {measuring.EVERYONE: measuring.GroupOf(everyone, everyone)}
    if by:
        now, then = (_groups_at(engine, played.definitions, by, at) for at in (since, before))
        groups |= {name: measuring.GroupOf(now[name], then[name]) for name in now}
        came = [~np.any([*some.values()], axis=0) for some in (now, then)]
        groups[measuring.NEWCOMERS] = measuring.GroupOf(*came)
    missing = tuple(one.name for one in measuring.METRICS if one not in measuring.available(played.measured))
    lines = measuring.lines(values, groups, played.measured, names)
    return measuring.Metrics(since, until, lines, missing)


def _times(length: Duration, factor: int) -> Duration:
    from dataclasses import replace

    return replace(length, amount=factor * length.amount)


def _require_metrics(names: Iterable[str], measured: measuring.Measured) -> None:
    for name in names:
        if name not in measuring.BY_NAME:
            hint = f"There are: {', '.join(measuring.BY_NAME)}. {did_you_mean(name, [*measuring.BY_NAME])}".strip()
            raise DataError("E_UNKNOWN_NAME", f"no metric is called '{name}'", hint=hint)
        lacking = [need for need in measuring.BY_NAME[name].needs if not getattr(measured, need)]
        if lacking:
            hint = f"It needs {' and '.join(WHAT[need] for need in lacking)}."
            raise DataError("E_METRIC", f"the data of this project does not tell {name}", hint=hint)


WHAT: Mapping[str, str] = {
    "purchase": "a behavior called purchase, or `revenue` in ethogram.toml",
    "amount": "`revenue` in ethogram.toml, such as revenue = \"purchase.total\"",
    "margin": "a property `margin` of purchases",
    "discount": "a property `discount` of purchases",
    "refunded": "a behavior called refund whose events have an amount",
    "cart_add": "a behavior called cart_add",
}  # fmt: skip


def show_metrics(found: measuring.Metrics, settings: Settings, newest: Moment) -> None:
    zone, currency = settings.timezone, settings.currency
    until = render.as_of(found.until, zone, newest)
    render.say(f"From {render.minute(found.since, zone)} to {until}, against the period before.\n")
    columns = render.headed("", "now", "before", "change", "95% sure of")
    rows = [metric_row(line, currency) for line in found.of(measuring.EVERYONE)]
    render.table(columns, rows)
    if any(line.change and not line.change.is_clear_of(0) for line in found.lines):
        render.say("\n? may be chance: an interval that holds 0.")
    if found.missing:
        render.say(f"\nNot told by this data: {', '.join(found.missing)}.")
    groups = [group for group in found.groups if group != measuring.EVERYONE]
    if groups:
        render.say(f"\nBy the group they were in when the period began; {measuring.NEWCOMERS} came in it.")
    names = [line.metric for line in found.of(measuring.EVERYONE)] if groups else []
    for name in names:
        metric = measuring.BY_NAME[name]
        render.heading(metric.title)
        rows = [
            (line.group, *metric_row(line, currency)[1:])
            for line in found.lines
            if line.metric == name and line.group != measuring.EVERYONE
        ]
        render.table(columns, rows)


def metric_row(line: measuring.Line, currency: str) -> tuple[str, ...]:
    """Its name, the period, the one before, the change and its interval, `?` behind one that holds no change."""
    title = measuring.BY_NAME[line.metric].title
    amounts = (_amount(one, line.unit, currency) for one in (line.now, line.then))
    return (title, *amounts, *_change(line.change, line.unit))


def _amount(found: Estimate | None, unit: measuring.Unit, currency: str) -> str:
    if found is None:
        return ""
    match unit:
        case "share":
            return render.percent(found.value)
        case "money":
            return render.money(found.value, currency)
        case "count":
            return (
                f"{found.value:,.0f}"
                if found.value >= 10 or found.value == int(found.value)
                else f"{found.value:.2f}"
            )


def _change(found: Estimate | None, unit: measuring.Unit) -> tuple[str, str]:
    """The change and its interval: points for shares, percent else."""
    if found is None:
        return "", ""
    if found.value == 0 == found.low == found.high:
        return "none", ""
    sign = " pt" if unit == "share" else "%"
    change = f"{100 * found.value:+.1f}{sign}"
    if math.isnan(found.low):
        return change, "too few"
    interval = f"{100 * found.low:+.1f} to {100 * found.high:+.1f}{sign}"
    return change, interval if found.is_clear_of(0) else f"{interval} ?"


# --- retention ----------------------------------------------------------------------------------------------------------


def asked_retention(bench: Workbench, event: str, *, every: str, by: str, as_of: str) -> Retention:
    """Raises DataError E_UNIT for another period than the calendar's."""
    units: tuple[CalendarUnit, ...] = get_args(CalendarUnit)
    unit = next((one for one in units if one == every), None)
    if unit is None:
        raise DataError("E_UNIT", f"'{every}' is no period", hint=f"There are: {', '.join(units)}.")
    played = parts(bench)
    chosen = event or played.measured.purchase or "any"
    until = bench.now(as_of)
    counted = _counted(chosen, bench, played.definitions)
    engine = bench.engine(played.definitions, [*_base(played.definitions, by)], {"event": counted})
    everyone = {measuring.EVERYONE: np.ones(customers(engine), np.bool_)}
    groups = everyone | _groups_at(engine, played.definitions, by, until)
    found = of_events(engine, "event", until)
    return retention(chosen, found, customers(engine), groups, unit, until, bench.settings)


SHOWN = 10
"""So many cohorts and periods fit a terminal; --json has all."""


def show_retention(found: Retention, zone: str, newest: Moment) -> None:
    render.say(
        f"{found.event} by {found.unit} of the first time, as of {render.as_of(found.until, zone, newest)}; "
        f"the {found.unit} that runs is left out.\n"
    )
    width = min(SHOWN, max((len(cohort.returned) for cohort in found.cohorts), default=1))
    columns = render.headed("first time", "customers", *(f"+{number}" for number in range(1, width)))
    rows = [
        (
            found.period(cohort),
            render.number(cohort.size),
            *(f"{100 * came / cohort.size:.0f}%" for came in cohort.returned[1:width]),
            *([""] * (width - len(cohort.returned))),
        )
        for cohort in found.cohorts[-2 * SHOWN :]
    ]
    render.table(columns, rows)
    render.heading("All of them together")
    rows = []
    for curve in found.curves:
        shares = ["" if math.isnan(one.value) else f"{100 * one.value:.0f}%" for one in curve.shares[1:width]]
        rows.append((curve.group, render.number(curve.size), *shares))
    render.table(render.headed("", "customers", *(f"+{number}" for number in range(1, width))), rows)
    first = next((curve.shares[1] for curve in found.curves if len(curve.shares) > 1), None)
    if first is not None and not math.isnan(first.value):
        render.say(
            f"\nOf everyone, {render.percent(first.value)} came back in the next {found.unit} "
            f"(95% sure of {render.percent(first.low)} to {render.percent(first.high)})."
        )


# --- groups -------------------------------------------------------------------------------------------------------------


def _base(definitions: Definitions, by: str) -> tuple[str, ...]:
    """The definition to evaluate for `--by`. Raises DefinitionError for none."""
    from ethogram.app.naming import require_member

    if not by:
        return ()
    if by not in definitions.segmentations:
        require_member(definitions, by)
    return (by.partition(".")[0],)


def _groups_at(engine: Engine, definitions: Definitions, by: str, at: Moment) -> dict[str, Truth]:
    """Who is in each group, or in a segment and not in it, among those known."""
    if not by:
        return {}
    found = everybody(engine, at)
    if by in definitions.segmentations:
        return {group: found.members(f"{by}.{group}") for group in engine.group_names(by)}
    inside = found.members(by)
    return {by: inside, f"not {by}": found.known & ~inside}


def _percent(found: Estimate) -> str:
    return "" if math.isnan(found.value) else render.percent(found.value)


def _with_interval(found: Estimate | None) -> str:
    if found is None or math.isnan(found.value):
        return ""
    return (
        f"{render.percent(found.value)} ({render.span(f'{100 * found.low:.0f}', f'{100 * found.high:.0f}')})"
    )
