"""`report`: one page with pictures that needs no network, for those who meet on Monday."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ethogram.app import render
from ethogram.app.pictures import inline, require_charts
from ethogram.model.errors import DataError, EnvironmentFault

if TYPE_CHECKING:
    from ethogram.app.workbench import Workbench
    from ethogram.insight.charts import Chart
    from ethogram.insight.health import Health
    from ethogram.insight.metrics import Metrics
    from ethogram.language.tree import Definitions
    from ethogram.membership.reading import SegmentLine, SegmentListing
    from ethogram.model.event import Moment

T = TypeVar("T")

DAYS = 90
"""So far back the lines of sizes go."""
FLOWS = 4
"""Of so many segmentations it is drawn who moved, those with the most who did."""
DRAWN = 10
"""So many segmentations are drawn; of the others the groups are told."""
CARDS = 20
"""So many segments are drawn against all others, those with the most revenue; of the others it is said."""
LINES = 6
COMPARED = 5
STEPS = 8
"""Parts of the work that progress is told of."""


@dataclass(frozen=True, slots=True)
class Picture:
    """`image` is the address of an image; `text` says what it shows, for those who do not see it."""

    image: str
    text: str


@dataclass(frozen=True, slots=True)
class MetricRow:
    name: str
    now: str
    then: str
    change: str
    interval: str
    is_clear: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One segment or group: what it means, who they are."""

    name: str
    title: str
    meaning: str
    size: str
    words: str
    picture: Picture | None


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the page."""

    title: str
    text: str = ""
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    project: str
    as_of: str
    customers: str
    short: tuple[str, ...]
    period: str
    metrics: tuple[MetricRow, ...]
    parts: tuple[Part, ...]
    cards: tuple[Card, ...]
    findings: Mapping[str, tuple[tuple[str, str, str], ...]]


def write_report(bench: Workbench, target: Path) -> None:
    """Raises EnvironmentFault E_EXTRA_MISSING, E_WRITE."""
    require_charts()
    if not target.absolute().parent.is_dir():
        raise EnvironmentFault("E_WRITE", f"{target} cannot be written: there is no such folder")
    from altair.utils.schemapi import debug_mode
    from jinja2 import Environment

    with debug_mode(
        False
    ):  # checks every part of every chart against a schema, which takes longer than drawing
        page = _Drawing(bench).page()

    template = (files("ethogram.app") / "report.html").read_text(encoding="utf-8")
    text = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(template)
    try:
        target.write_text(text.render(page=page), encoding="utf-8")
    except OSError as error:
        raise EnvironmentFault("E_WRITE", f"{target} cannot be written: {error.strerror or error}") from None


class _Drawing:
    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.zone = bench.settings.timezone
        self.definitions: Definitions = bench.sound_definitions()
        self.titles = bench.titles()
        self.now: Moment = bench.now()
        self.done = 0

    def page(self) -> Page:
        from ethogram.app.over_time import asked_metrics
        from ethogram.app.segment_health import examine

        listing = self.step(lambda: self.bench.segments(render.at(self.now, self.zone).isoformat(sep=" ")))
        metrics = self.step(lambda: asked_metrics(self.bench, (), period="30d", by="", as_of=""))
        health = self.step(lambda: examine(self.bench))
        parts = [*self.step(lambda: [*self.sizes(listing)]), *self.step(lambda: [*self.moves(listing)])]
        parts += [*self.step(lambda: [*self.ways()]), *self.step(lambda: [*self.overlaps(listing)])]
        cards = self.step(lambda: tuple(self.cards(listing)))
        currency = self.bench.settings.currency
        return Page(
            project=self.bench.settings.name,
            as_of=render.as_of(self.now, self.zone, self.bench.newest()),
            customers=render.counted(listing.customers, "customer"),
            short=tuple(_in_short(metrics, listing, health, self.titles, currency)),
            period=f"{render.day(metrics.since, self.zone)} to {render.day(metrics.until, self.zone)}",
            metrics=tuple(_metric_rows(metrics, currency)),
            parts=tuple(parts),
            cards=cards,
            findings=_findings(health),
        )

    def step(self, work: Callable[[], T]) -> T:
        self.bench.progress("Drawing", self.done, STEPS)
        found = work()
        self.done += 1
        self.bench.progress("Drawing", self.done, STEPS)
        return found

    # --- sections -------------------------------------------------------------------------------------------------------

    def sizes(self, listing: SegmentListing) -> Iterator[Part]:
        from ethogram.insight import charts

        mark = ""
        if listing.compared_with is not None:
            mark = f" The black mark is where they stood on {render.day(listing.compared_with, self.zone)}."
        segments = [line for line in listing.lines if not line.segmentation]
        if segments:
            picture = _picture(charts.sizes(segments, self.titles), "Bars: how many are in each segment.")
            yield Part("Segments", f"Customers in each; a customer may be in several.{mark}", (picture,))
        for number, (name, lines) in enumerate(_by_segmentation(listing).items()):
            title = self.definitions.segmentations[name].title or name
            if number >= DRAWN:
                yield Part(
                    title, ", ".join(f"{self.titled(one)} {one.size:,} ({one.share:.0%})" for one in lines)
                )
                continue
            picture = _picture(
                charts.sizes(lines, self.titles), f"Bars: how many are in each group of {title}."
            )
            yield Part(title, f"Every customer is in one of these groups.{mark}", (picture,))

    def titled(self, line: SegmentLine) -> str:
        return self.titles.get(line.full_name, line.name)

    def moves(self, listing: SegmentListing) -> Iterator[Part]:
        from ethogram.insight import charts
        from ethogram.membership.over_time import flow, histories
        from ethogram.membership.reading import a_month_before, midnights

        engine = self.bench.engine(self.definitions, [*self.definitions.segmentations])
        start = a_month_before(self.now, self.bench.settings)
        flows = [flow(engine, name, start, self.now) for name in engine.segmentations]
        flows.sort(key=lambda one: -sum(sum(row) for row in one.counts) + _stayed(one.counts))
        for one in flows[:FLOWS]:
            title = self.definitions.segmentations[one.segmentation].title or one.segmentation
            text = f"Bands from the groups of {title} a month ago to those of now."
            yield Part(
                f"Who moved: {title}",
                f"From {render.day(start, self.zone)} (left) to now (right). Gray are those who stayed.",
                (_picture(charts.flow(one, self.titles), text),),
            )
        changed = sorted(
            (line for line in listing.lines if not line.segmentation and line.change),
            key=lambda line: -abs(line.change or 0),
        )
        names = [line.name for line in changed[:LINES]]
        if names:
            moments = midnights(self.now, DAYS, self.bench.settings)[::-7][::-1]
            engine = self.bench.engine(self.definitions, names)
            found = histories(self.bench.store, engine, names, moments)
            pictures = tuple(
                _picture(
                    charts.history(one, self.zone, self.titles.get(one.name, one.name)),
                    f"The size of {one.name} by day.",
                )
                for one in found
            )
            yield Part(
                "Segments that changed most", f"Their sizes week by week in the last {DAYS} days.", pictures
            )

    def ways(self) -> Iterator[Part]:
        from ethogram.app.over_time import asked_funnel, asked_retention
        from ethogram.insight import charts

        stages = next((name for name in self.definitions.segmentations if name.endswith("journey_stage")), "")
        try:
            way = asked_funnel(self.bench, (stages,) if stages else (), within="", last="", by="", as_of="")
        except DataError as error:
            if error.code != "E_FUNNEL_STEPS":
                raise
        else:
            narrowest = way.narrowest
            text = "" if narrowest is None else f"The narrowest step is {narrowest.name}."
            yield Part(
                "How far they come",
                text,
                (_picture(charts.funnel(way), "Bars: how many came to each step."),),
            )
        found = asked_retention(self.bench, "", every="month", by="", as_of="")
        if any(len(cohort.returned) > 1 for cohort in found.cohorts):
            text = f"By the month of the first {found.event}: the share who came back so many months later."
            picture = _picture(
                charts.retention(found), "A table of shares by cohort and month, darker is more."
            )
            yield Part("Who comes back", text, (picture,))

    def overlaps(self, listing: SegmentListing) -> Iterator[Part]:
        from ethogram.insight import charts

        names = [line.name for line in _foremost(listing)[:COMPARED]]
        if len(names) > 1:
            found = self.bench.compare(names)
            text = "Customers who are in exactly the segments whose dots are filled."
            yield Part("Who is in several", text, (_picture(charts.overlap(found, self.titles), text),))

    def cards(self, listing: SegmentListing) -> Iterator[Card]:
        from ethogram.app.description import in_words, known
        from ethogram.insight import charts
        from ethogram.language.sentences import sentence

        found = known(self.bench, self.definitions, self.now)
        drawn = {line.name for line in _foremost(listing)[:CARDS]}
        for line in listing.lines:
            if line.segmentation:
                continue
            segment = self.definitions.segments[line.name]
            portrait = found.portrait(line.name)
            picture = None
            if portrait.clear and line.name in drawn:
                chart = charts.portrait(portrait, self.titles)
                picture = _picture(chart, f"What the people of {line.name} have more or less of than others.")
            yield Card(
                line.name,
                segment.title or line.name,
                segment.description or sentence(segment, self.definitions, self.bench.settings),
                f"{render.number(line.size)} customers, {render.percent(line.share)} of all",
                in_words(portrait) if portrait.clear else "",
                picture,
            )


def _picture(chart: Chart, text: str) -> Picture:
    return Picture(inline(chart), text)


def _foremost(listing: SegmentListing) -> list[SegmentLine]:
    """The segments with anybody in them, most revenue first, or most customers where there is none."""
    segments = [line for line in listing.lines if not line.segmentation and line.size]
    return sorted(
        segments, key=lambda line: -(line.share if line.revenue_share is None else line.revenue_share)
    )


def _stayed(counts: Sequence[Sequence[int]]) -> int:
    return sum(row[number] for number, row in enumerate(counts))


def _by_segmentation(listing: SegmentListing) -> Mapping[str, list[SegmentLine]]:
    found: dict[str, list[SegmentLine]] = {}
    for line in listing.lines:
        if line.segmentation:
            found.setdefault(line.segmentation, []).append(line)
    return found


# --- figures and words --------------------------------------------------------------------------------------------------


def _metric_rows(found: Metrics, currency: str) -> Iterator[MetricRow]:
    from ethogram.app.over_time import metric_row
    from ethogram.insight.metrics import EVERYONE

    for line in found.of(EVERYONE):
        title, now, then, change, interval = metric_row(line, currency)
        is_clear = line.change is not None and line.change.is_clear_of(0)
        yield MetricRow(title, now, then, change, interval.removesuffix(" ?"), is_clear)


def _in_short(
    metrics: Metrics, listing: SegmentListing, health: Health, titles: Mapping[str, str], currency: str
) -> Iterator[str]:
    rows = [*_metric_rows(metrics, currency)]
    clear = [row for row in rows if row.is_clear]
    clear.sort(key=lambda row: row.name != "revenue")
    for row in clear[:3]:
        yield f"{row.name.capitalize()}: {row.now}, {row.change} against the 30 days before (95% sure of {row.interval})."
    if rows and not clear:
        yield "Nothing that is measured changed more than chance allows, against the 30 days before."
    changed = [line for line in listing.lines if line.change and not line.segmentation]
    changed.sort(key=lambda line: line.change or 0)
    for line, word in ((changed[-1:], "grew"), (changed[:1], "shrank")):
        for one in line:
            change = one.change or 0
            if (change > 0) == (word == "grew"):
                title = titles.get(one.full_name, one.name)
                yield f"{title} {word} most in a month, by {abs(change):,} to {one.size:,}."
    serious = sum(one.severity == "serious" for one in health.findings)
    look = sum(one.severity == "look" for one in health.findings)
    if serious or look:
        yield f"Of the segments themselves {serious} findings are serious and {look} worth a look: see the end of the page."


def _findings(health: Health) -> Mapping[str, tuple[tuple[str, str, str], ...]]:
    """By severity: of what, what was found, what to do."""
    titles = {"serious": "Serious", "look": "Worth a look", "note": "To know"}
    return {
        title: tuple((one.name, one.found, one.to_do) for one in health.findings if one.severity == severity)
        for severity, title in titles.items()
        if any(one.severity == severity for one in health.findings)
    }
