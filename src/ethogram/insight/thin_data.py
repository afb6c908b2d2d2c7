"""What biased or thin data means for segments: findings about surveys, given traits and sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ethogram.insight.coverage import LEAST, Response, SourceLife, Survey, coverage, responses
from ethogram.insight.finding import Finding, Severity
from ethogram.insight.inference import wilson
from ethogram.insight.outcomes import ALIKE, CHANCE, bounds
from ethogram.insight.people import Truth

FEW_ANSWER = 0.1
USED_AT_LEAST, KNOWN_AT_LEAST = 0.8, 0.5
COVERED = 0.95
TOLD = 3
"""So many parts of the customers are named for a survey, the farthest from the others first."""


def survey_findings(
    survey: Survey,
    answered: Truth,
    reached: Truth,
    divisions: Mapping[str, tuple[NDArray[np.int64], Sequence[str]]],
) -> Iterator[Finding]:
    people, answers = int(reached.sum()), int((answered & reached).sum())
    if not answers or not people:
        return
    share = wilson(answers, people)
    of = "of those asked" if survey.asked else "of all customers (nothing says who was asked)"
    said = f"answered by {answers:,} {of}, {share.value:.1%} ({share.low:.1%} to {share.high:.1%})"
    figures = {"answered": answers, "reached": people, "share": share.as_json()}
    to_do = "Show the number of answers beside every score, and take nobody's silence for a yes."
    is_thin = answers < LEAST or share.value < FEW_ANSWER
    yield Finding("look" if is_thin else "note", "who answered", survey.name, said, to_do, figures)
    found = [one for one in responses(answered, reached, divisions) if _is_biased(one)]
    found.sort(key=lambda one: -abs(np.log(max(one.ratio.value, 0.01))))
    for one in found[:TOLD]:
        severity: Severity = "serious" if one.ratio.value <= 0.5 or one.ratio.value >= 2 else "look"
        said = (
            f"{one.by} {one.part}: {one.answered:,} of {one.people:,} answered ({one.answered / one.people:.1%}), "
            f"{bounds(one.ratio)} what the others do"
        )
        more = len(found) - TOLD
        said += f"; {more} more parts differ" if one is found[:TOLD][-1] and more > 0 else ""
        to_do = f"Weigh the scores by {one.by}, or ask those who did not answer in another way."
        figures = {
            "by": one.by,
            "part": one.part,
            "answered": one.answered,
            "people": one.people,
            "ratio": one.ratio.as_json(),
        }
        yield Finding(severity, "answers are biased", survey.name, said, to_do, figures)


def _is_biased(one: Response) -> bool:
    return one.ratio.p < CHANCE and not ALIKE[0] <= one.ratio.value <= ALIKE[1]


def missing_traits(
    known: Mapping[str, int], everyone: int, used: Mapping[str, Sequence[str]]
) -> Iterator[Finding]:
    """`known` says of how many customers a given trait has a value, `used` which definitions ask for it."""
    for name, count in known.items():
        share = count / everyone if everyone else 1.0
        asked = used.get(name, ())
        if share >= (USED_AT_LEAST if asked else KNOWN_AT_LEAST):
            continue
        said = f"known of {count:,} of {everyone:,} customers ({share:.1%})"
        said += f"; {', '.join(asked)} ask for it" if asked else "; nothing asks for it"
        to_do = (
            "Say in the definition what an unknown value means (`is known`), and collect it."
            if asked
            else "Do not segment by it before more of it is known."
        )
        figures = {"known": count, "customers": everyone, "share": share, "used_by": list(asked)}
        yield Finding("look" if asked else "note", "missing trait", name, said, to_do, figures)


def partial_sources(lives: Sequence[SourceLife], everyone: int) -> Iterator[Finding]:
    if len(lives) < 2:
        return
    for one in lives:
        share = coverage(one, everyone)
        if share.value < COVERED:
            said = f"tells of {one.customers:,} of {everyone:,} customers ({share.value:.1%})"
            to_do = (
                "What a segment says by its events is silent about all others: not doing it is no sign there."
            )
            figures = {"customers": one.customers, "of": everyone, "share": share.as_json()}
            yield Finding("note", "source covers some", one.source, said, to_do, figures)
