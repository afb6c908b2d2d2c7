"""Whether those in a segment did otherwise afterward than those who were not: a test, not a feeling.

Definitions are answered as of a moment in the past; what counts is what came after it. Two questions are asked of each:
whether more of them (or fewer) did anything, and how much those did who did. What is alike to within a quarter in both is
no ground for treating people differently.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ethogram.insight.everybody import Everybody
from ethogram.insight.inference import Estimate, adjusted, rate_ratio, typical_ratio, wilson
from ethogram.insight.people import Numbers, Truth

LEAST_MEMBERS = 30
"""Fewer on either side are not tested."""
LEAST_ACTIVE = 5
"""So many on either side must have done something (Cochran's rule for the chi-square test, on the safe side)."""
ALIKE = (0.8, 1.25)
"""Within these ratios two things count as equivalent: the bounds that regulators use for medicines (FDA 2001)."""
CHANCE = 0.05
"""So many of the differences that are told may be chance (the false discovery rate)."""

Verdict = Literal["different", "alike", "too few"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`rate` is the share of members who did something afterward against that of others, `amount` the typical amount of
    those who did; p-values are adjusted for all tests of one examination."""

    name: str
    members: int
    others: int
    active: int
    others_active: int
    rate: Estimate
    amount: Estimate
    verdict: Verdict

    @property
    def share(self) -> Estimate:
        return wilson(self.active, self.members)

    @property
    def share_of_others(self) -> Estimate:
        return wilson(self.others_active, self.others)

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "verdict": self.verdict,
            "members": self.members,
            "others": self.others,
            "active": self.active,
            "others_active": self.others_active,
            "rate_ratio": self.rate.as_json(),
            "amount_ratio": self.amount.as_json(),
        }


def outcomes(before: Everybody, amounts: Numbers) -> tuple[Outcome, ...]:
    """Of every segment and group of that time; `amounts` is what each customer did since."""
    known = before.known
    tested = [_tested(name, before.members(name), known, amounts) for name in before.names]
    rates = adjusted([one.rate.p for one in tested] + [one.amount.p for one in tested])
    found = []
    for place, one in enumerate(tested):
        rate = replace(one.rate, p=rates[place])
        amount = replace(one.amount, p=rates[len(tested) + place])
        found.append(replace(one, rate=rate, amount=amount, verdict=_verdict(rate, amount)))
    return tuple(found)


def _tested(name: str, members: Truth, known: Truth, amounts: Numbers) -> Outcome:
    inside, outside = amounts[members], amounts[known & ~members]
    did, others_did = inside[inside > 0], outside[outside > 0]
    unknown = Estimate(math.nan, 0.0, math.inf)
    rate, amount = unknown, unknown
    if min(len(inside), len(outside)) >= LEAST_MEMBERS and len(did) + len(others_did) >= 2 * LEAST_ACTIVE:
        rate = rate_ratio(len(did), len(inside), len(others_did), len(outside))
        if min(len(did), len(others_did)) >= LEAST_ACTIVE:
            amount = typical_ratio(did, others_did)
    return Outcome(
        name, len(inside), len(outside), len(did), len(others_did), rate, amount, verdict="too few"
    )


def _verdict(rate: Estimate, amount: Estimate) -> Verdict:
    """Different: not by chance, and not surely by too little to matter. Alike: both within the bounds, as far as is sure."""
    if any(one.p < CHANCE and not _is_alike(one) for one in (rate, amount)):
        return "different"
    if _is_alike(rate) and _is_alike(amount):
        return "alike"
    return "too few"


def _is_alike(one: Estimate) -> bool:
    return ALIKE[0] <= one.low and one.high <= ALIKE[1]


def of_segmentations(found: Sequence[Outcome], groups: Mapping[str, Sequence[str]]) -> dict[str, Verdict]:
    """Different if any of its groups is; alike if at least two could be told and none of these is."""
    by_name = {one.name: one for one in found}
    verdicts: dict[str, Verdict] = {}
    for name, own in groups.items():
        some = [by_name[f"{name}.{group}"].verdict for group in own]
        is_alike = some.count("alike") >= 2
        verdicts[name] = "different" if "different" in some else "alike" if is_alike else "too few"
    return verdicts


def bounds(one: Estimate) -> str:
    """`1.02 times (0.95 to 1.10)`."""
    if not math.isfinite(one.value):
        return "not to be told"
    high = f"{one.high:.2f}" if math.isfinite(one.high) else "any"
    return f"{one.value:.2f} times ({one.low:.2f} to {high})"
