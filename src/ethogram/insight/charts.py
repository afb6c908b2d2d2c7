"""The views as pictures: Altair charts, for notebooks, SVG, PNG and the report. Colors are Okabe and Ito's (2008), which people with any
color vision tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import ZoneInfo

import altair as alt
import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from ethogram.insight.compare import Comparison
    from ethogram.insight.funnel import Funnel
    from ethogram.insight.portrait import Portrait
    from ethogram.insight.retention import Retention
    from ethogram.membership.over_time import Flow, History
    from ethogram.membership.reading import SegmentLine
    from ethogram.model.event import Moment

Chart: TypeAlias = alt.Chart | alt.LayerChart | alt.VConcatChart | alt.HConcatChart | alt.FacetChart
Row: TypeAlias = Mapping[str, object]

BLUE, ORANGE, GREEN, GRAY, INK = "#0072B2", "#D55E00", "#009E73", "#9AA0A6", "#202124"
PALETTE = (BLUE, ORANGE, GREEN, "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#7F7F7F")
WIDTH = 560
PADDING = {"left": 30, "right": 50, "top": 5, "bottom": 5}
"""Room for the wider letters of a browser that has none of the fonts."""
ROW = 22
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _data(rows: Iterable[Row]) -> pa.Table:
    """As a table, which Altair does not copy with every step that a chart is made in."""
    return pa.Table.from_pylist([dict(row) for row in rows])


def _styled(chart: Any, title: str = "") -> Chart:
    if title:
        chart = chart.properties(title=title)
    styled: Chart = (
        chart.properties(padding=PADDING)
        .configure(font="Helvetica, Arial, sans-serif", background="white")
        .configure_view(stroke=None)
        .configure_axis(
            grid=False,
            domain=False,
            ticks=False,
            labelColor=INK,
            titleColor=INK,
            titleFontWeight="normal",
            labelLimit=260,
        )
        .configure_title(anchor="start", color=INK, fontSize=14)
        .configure_legend(labelColor=INK, titleColor=INK)
        .configure_range(category=list(PALETTE))
    )
    return styled


# --- sizes --------------------------------------------------------------------------------------------------------------


def sizes(lines: Sequence[SegmentLine], titles: Mapping[str, str], title: str = "") -> Chart:
    """Bars of segments or groups in their order; a mark where each stood at the moment compared with."""
    rows = [
        {
            "name": titles.get(line.full_name, line.name),
            "size": line.size,
            "before": line.before,
            "label": f"{line.size:,} · {100 * line.share:.0f}%",
        }
        for line in lines
    ]
    base = alt.Chart(_data(rows), width=WIDTH, height=alt.Step(ROW)).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelPadding=8))
    )
    bars = base.mark_bar(color=BLUE, height=14).encode(x=alt.X("size:Q", title=None, axis=None))
    before = (
        base.transform_filter("datum.before != null")
        .mark_tick(color=INK, thickness=2, height=18)
        .encode(x=alt.X("before:Q", title=None, axis=None))
    )
    labels = base.mark_text(align="left", dx=6, color=INK).encode(
        x=alt.X("most:Q", title=None, axis=None), text="label:N"
    )
    labels = labels.transform_calculate(most="max(datum.size, datum.before)")
    return _styled(bars + before + labels, title)


# --- over time ----------------------------------------------------------------------------------------------------------


def history(found: History, zone: str, title: str = "") -> Chart:
    """Lines by group; dashed lines where the definition was edited."""
    local = [_local(moment, zone) for moment in found.moments]
    rows = [
        {"at": at, "group": group or found.name, "size": size}
        for group, sizes_ in found.sizes.items()
        for at, size in zip(local, sizes_, strict=True)
    ]
    form = "%-d %b" if local[0][:4] == local[-1][:4] else "%-d %b %Y"
    lines = (
        alt.Chart(_data(rows), width=WIDTH, height=180)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("at:T", title=None, axis=alt.Axis(format=form, tickCount=6, labelPadding=6)),
            y=alt.Y(
                "size:Q",
                title="customers",
                axis=alt.Axis(grid=True, gridOpacity=0.3, tickCount=4, format=",d"),
            ),
            color=alt.Color(
                "group:N", sort=None, title=None, legend=None if len(found.sizes) == 1 else alt.Legend()
            ),
        )
    )
    marks = [{"at": _local(mark.at, zone), "text": f"version {mark.version}"} for mark in found.marks]
    if not marks:
        return _styled(lines, title)
    edited = alt.Chart(_data(marks)).encode(x="at:T")
    rules = edited.mark_rule(strokeDash=[4, 3], color=GRAY)
    words = edited.mark_text(align="left", dx=3, dy=8, baseline="top", color=GRAY).encode(
        y=alt.value(0), text="text:N"
    )
    return _styled(lines + rules + words, title)


def _local(moment: Moment, zone: str) -> str:
    return (_EPOCH + timedelta(microseconds=moment)).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M:%S")


def flow(found: Flow, titles: Mapping[str, str] | None = None, title: str = "") -> Chart:
    """A Sankey diagram: groups at the start on the left, at the end on the right, bands between them as wide as the customers are
    many. Those who stayed are gray."""
    counts = np.array(found.counts, dtype=np.float64)
    names = [_group_title(found.segmentation, group, titles or {}) for group in found.groups]
    gap = counts.sum() * 0.03
    left, right = _stacked(counts.sum(axis=1), gap), _stacked(counts.sum(axis=0), gap)
    bands, boxes = [], []
    left_at, right_at = left.copy(), right.copy()
    steps = np.linspace(0, 1, 21)
    smooth = 3 * steps**2 - 2 * steps**3
    for one in range(len(names)):
        for other in range(len(names)):
            count = counts[one, other]
            if not count:
                continue
            start, end = left_at[one], right_at[other]
            left_at[one] += count
            right_at[other] += count
            kind = "stayed" if one == other else "moved"
            for x, share in zip(steps.tolist(), smooth.tolist(), strict=True):
                low = start + (end - start) * share
                bands.append(
                    {"band": f"{one}-{other}", "kind": kind, "x": x, "low": low, "high": low + count}
                )
    for x, places, totals in ((0, left, counts.sum(axis=1)), (1, right, counts.sum(axis=0))):
        for place, total, name in zip(places.tolist(), totals.tolist(), names, strict=True):
            if total:
                boxes.append(
                    {"x": x, "low": place, "high": place + total, "middle": place + total / 2,
                     "label": f"{name}  {total:,.0f}"}
                )  # fmt: skip
    scale = alt.Scale(reverse=True, nice=False, zero=False)
    across = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, 1], nice=False))
    ribbons = (
        alt.Chart(_data(bands), width=WIDTH - 240, height=300)
        .mark_area(opacity=0.55)
        .encode(
            x=across,
            y=alt.Y("low:Q", axis=None, scale=scale),
            y2="high:Q",
            detail="band:N",
            color=alt.Color(
                "kind:N",
                title=None,
                legend=None,
                scale=alt.Scale(domain=["stayed", "moved"], range=["#C8CCD0", ORANGE]),
            ),
        )
    )
    base = alt.Chart(_data(boxes)).encode(x=across)
    edges = base.mark_bar(width=8, color=INK).encode(y=alt.Y("low:Q", axis=None, scale=scale), y2="high:Q")
    words = [
        base.transform_filter(f"datum.x == {x}")
        .mark_text(align="left" if x else "right", dx=10 if x else -10, color=INK)
        .encode(y=alt.Y("middle:Q", axis=None, scale=scale), text="label:N")
        for x in (0, 1)
    ]
    return _styled(alt.layer(ribbons, edges, *words), title)


def _group_title(segmentation: str, group: str, titles: Mapping[str, str]) -> str:
    return titles.get(f"{segmentation}.{group}", group) if group else "not a customer"


def _stacked(totals: np.ndarray[Any, np.dtype[np.float64]], gap: float) -> Any:
    gaps = np.where(totals > 0, gap, 0.0)
    return np.concatenate([[0.0], np.cumsum(totals + gaps)[:-1]])


# --- ways and returns ---------------------------------------------------------------------------------------------------


def funnel(found: Funnel, title: str = "") -> Chart:
    rows = []
    for step in found.steps:
        share = (
            "" if step.of_previous is None else f" · {100 * step.of_previous.value:.0f}% of the step before"
        )
        rows.append({"step": step.name, "came": step.came, "label": f"{step.came:,}{share}"})
    base = alt.Chart(_data(rows), width=WIDTH - 140, height=alt.Step(30)).encode(
        y=alt.Y("step:N", sort=None, title=None, axis=alt.Axis(labelPadding=8)),
        x=alt.X("came:Q", title=None, axis=None),
    )
    bars = base.mark_bar(color=BLUE, height=22)
    labels = base.mark_text(align="left", dx=6, color=INK).encode(text="label:N")
    return _styled(bars + labels, title)


def retention(found: Retention, title: str = "", periods: int = 12) -> Chart:
    """Cohorts as rows, shares of those who came back as colors and numbers."""
    rows = [
        {
            "cohort": f"{found.period(cohort)}  ({cohort.size:,})",
            "after": distance,
            "share": came / cohort.size,
        }
        for cohort in found.cohorts[-periods:]
        for distance, came in enumerate(cohort.returned[: periods + 1])
        if distance
    ]
    base = alt.Chart(_data(rows), width=alt.Step(38), height=alt.Step(ROW)).encode(
        x=alt.X("after:O", title=f"{found.unit}s after the first", axis=alt.Axis(labelAngle=0, orient="top")),
        y=alt.Y("cohort:N", sort=None, title=None, axis=alt.Axis(labelPadding=8)),
    )
    most = max((row["share"] for row in rows if isinstance(row["share"], float)), default=1.0)
    cells = base.mark_rect().encode(
        color=alt.Color(
            "share:Q",
            title=None,
            legend=None,
            scale=alt.Scale(range=["#F4F8FB", BLUE], domain=[0, most or 1]),
        )
    )
    numbers = base.mark_text(fontSize=11).encode(
        text=alt.Text("share:Q", format=".0%"),
        color=alt.condition(f"datum.share > {0.55 * most}", alt.value("white"), alt.value(INK)),
    )
    return _styled(cells + numbers, title)


# --- who they are -------------------------------------------------------------------------------------------------------


FARTHEST = 32.0
"""Factors beyond are drawn at the edge; their label tells them."""


def portrait(
    found: Portrait, titles: Mapping[str, str] | None = None, title: str = "", most: int = 4
) -> Chart:
    """How many times as much or as often as all others, with intervals, on a scale where half and double are as far."""
    named = titles or {}
    rows = []
    for facet in found.telling(most):
        times = facet.times
        low, value, high = (
            min(max(one, 1 / FARTHEST), FARTHEST) for one in (times.low, times.value, times.high)
        )
        name = named.get(facet.name, facet.name)
        prefix = "in " if facet.kind == "segment" else "did " if facet.kind == "behavior" else ""
        rows.append(
            {
                "name": f"{prefix}{name}",
                "times": value,
                "low": low,
                "high": high,
                "label": _factor(times.value),
            }
        )
    base = alt.Chart(_data(rows), width=WIDTH - 180, height=alt.Step(ROW)).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelPadding=8))
    )
    scale = alt.Scale(type="log", base=2, domain=[1 / FARTHEST, 2 * FARTHEST], nice=False)
    axis = alt.Axis(
        grid=True,
        gridOpacity=0.3,
        values=[1 / 32, 1 / 8, 1 / 2, 1, 2, 8, 32],
        labelExpr="datum.value < 1 ? '1/' + format(1 / datum.value, 'd') : format(datum.value, 'd')",
    )
    across = alt.X("low:Q", scale=scale, title="times the others', with 95% interval", axis=axis)
    color = alt.condition("datum.times > 1", alt.value(BLUE), alt.value(ORANGE))
    spans = base.mark_rule(strokeWidth=2).encode(x=across, x2="high:Q", color=color)
    points = base.mark_point(filled=True, size=60, opacity=1).encode(
        x=alt.X("times:Q", scale=scale), color=color
    )
    one = alt.Chart(_data([{"one": 1}])).mark_rule(color=INK).encode(x=alt.X("one:Q", scale=scale))
    labels = base.mark_text(align="left", dx=8, color=INK).encode(
        x=alt.X("high:Q", scale=scale), text="label:N"
    )
    return _styled(one + spans + points + labels, title)


def _factor(value: float) -> str:
    """
    >>> _factor(0.0213), _factor(17.4), _factor(float("inf"))
    ('0.02×', '17×', 'only they')
    """
    if value == float("inf"):
        return "only they"
    return (
        "none"
        if value == 0
        else f"{value:.0f}×"
        if value >= 10
        else f"{value:.2g}×"
        if value >= 1
        else f"{value:.2f}×"
    )


def overlap(
    found: Comparison, titles: Mapping[str, str] | None = None, title: str = "", shown: int = 14
) -> Chart:
    """An UpSet diagram (Lex and others, 2014): bars are customers in exactly the segments whose dots are filled below."""
    named = {name: (titles or {}).get(name, name) for name in found.sizes}
    combinations = found.combinations[:shown]
    bars_rows = [
        {"number": number, "size": one.size, "label": f"{one.size:,}"}
        for number, one in enumerate(combinations)
    ]
    dots_rows = [
        {"number": number, "name": shown_name, "holds": name in one.names}
        for number, one in enumerate(combinations)
        for name, shown_name in named.items()
    ]
    step = alt.Step(34)
    across = alt.X("number:O", axis=None)
    bars = alt.Chart(_data(bars_rows), width=step, height=150).encode(
        x=across, y=alt.Y("size:Q", title="customers", axis=alt.Axis(tickCount=3, format=",d"))
    )
    words = bars.mark_text(dy=-7, fontSize=10, color=INK).encode(text="label:N")
    dots = alt.Chart(_data(dots_rows), width=step, height=alt.Step(ROW)).encode(
        x=across, y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelPadding=8))
    )
    points = dots.mark_point(filled=True, size=110, opacity=1).encode(
        color=alt.condition("datum.holds", alt.value(INK), alt.value("#E3E5E8"))
    )
    whole = alt.vconcat(bars.mark_bar(color=BLUE, size=20) + words, points, spacing=6)
    return _styled(whole, title)
