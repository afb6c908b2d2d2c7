"""Segments nobody uses, people whom no segment reaches, answers that are old, sources that went quiet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ethogram.insight.coverage import SourceLife
from ethogram.insight.everybody import Everybody
from ethogram.insight.finding import Finding, Severity
from ethogram.insight.people import Numbers, Truth
from ethogram.language.instants import DAY
from ethogram.language.names import all_definitions, dependencies
from ethogram.language.tree import Definitions, Segment, Segmentation

if TYPE_CHECKING:
    from ethogram.membership.staleness import Staleness
    from ethogram.model.event import Moment

MANY_UNREACHED, SOME_UNREACHED = 0.25, 0.05
QUIET_AT_LEAST = 2
"""Days of silence that are nothing to speak of."""
FEW_GAPS = 5


def unused(definitions: Definitions) -> Iterator[Finding]:
    """No definition builds on them, and they name neither purpose nor owner."""
    needed = {name for one in all_definitions(definitions) for name in dependencies(definitions, one.name)}
    own: list[Segment | Segmentation] = [*definitions.segments.values(), *definitions.segmentations.values()]
    for one in own:
        if one.name not in needed and not one.purpose and not one.owner:
            said = "no definition builds on it, and it names no owner and no purpose"
            to_do = "Say whom it is for (owner:, purpose:), or take it out."
            yield Finding("note", "nobody uses it", one.name, said, to_do)


def reached(moments: Sequence[Everybody], otherwise: frozenset[str]) -> Truth:
    """Whoever was in any segment, or in any group but those for who is left, at any of the moments."""
    found = np.zeros(len(moments[0].known), np.bool_)
    for one in moments:
        rows = [row for row, name in enumerate(one.names) if name not in otherwise]
        found |= one.sets[rows].any(axis=0)
    return found


def unreached(now: Everybody, ever: Truth, amounts: Numbers, since: str) -> Iterator[Finding]:
    missed = now.known & ~ever
    count = int(missed.sum())
    if not count or not now.names:
        return
    share = count / now.size
    total = float(amounts[now.known].sum())
    weight = float(amounts[missed].sum()) / total if total else 0.0
    severity: Severity = (
        "serious" if share >= MANY_UNREACHED else "look" if share >= SOME_UNREACHED else "note"
    )
    said = f"{count:,} of {now.size:,} customers ({share:.1%}) were in no segment at any time looked at"
    said += f"; {weight:.1%} of everything {since} was theirs" if total else ""
    to_do = "Make a segment for them, or a segmentation with a named group for everyone."
    figures = {"customers": count, "share": share, "share_of_amount": weight if total else None}
    yield Finding(severity, "reached by no segment", "", said, to_do, figures)


def stale(stale: Staleness, pace: float) -> Iterator[Finding]:
    """`pace` is how many days usually lie between two days with events."""
    if stale.refreshed_as_of is None:
        said = "nothing was evaluated yet, so nobody sees who entered and left"
        yield Finding("look", "stale", "", said, "ethogram refresh")
        return
    if stale.newest is not None and stale.unseen:
        behind = (stale.newest - stale.refreshed_as_of) / DAY
        figures = {"unseen_events": stale.unseen, "days_behind": behind, "usual_days": pace}
        said = f"{stale.unseen:,} events came since the last refresh, which is {behind:,.1f} days behind them"
        usual = f"; events come every {'day' if pace <= 1 else f'{pace:.0f} days'}"
        severity: Severity = "serious" if behind > 30 * pace else "look" if behind > 3 * pace else "note"
        yield Finding(severity, "stale", "", said + usual, "ethogram refresh", figures)
    edited = sorted(stale.edits.new | stale.edits.edited | stale.edits.removed)
    if edited:
        said = f"edited since the last refresh: {', '.join(edited)}"
        yield Finding("look", "stale", "", said, "ethogram plan, then ethogram refresh", {"edited": edited})


def quiet(lives: Sequence[SourceLife], newest: Moment) -> Iterator[Finding]:
    """Sources silent for longer than twice their longest usual gap, against the newest event of all sources."""
    for one in lives:
        gaps, silent = one.gaps, (newest - one.newest) / DAY
        if len(gaps) < FEW_GAPS or silent <= QUIET_AT_LEAST:
            continue
        usual, rare, longest = float(np.median(gaps)), float(np.quantile(gaps, 0.95)), int(gaps.max())
        if silent <= 2 * rare:
            continue
        severity: Severity = "serious" if silent > 1.5 * longest else "look"
        said = (
            f"silent for {silent:,.0f} days; its usual gap is {usual:.0f}, 19 of 20 are up to {rare:.0f}, the longest was "
            f"{longest}"
        )
        figures = {"silent_days": silent, "usual_gap": usual, "rare_gap": rare, "longest_gap": longest}
        to_do = "See whether it is still delivered, then: ethogram load NAME"
        yield Finding(severity, "source gone quiet", one.source, said, to_do, figures)
