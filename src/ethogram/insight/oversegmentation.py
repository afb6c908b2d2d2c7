"""Too many segments, too small ones, nearly the same ones, and those whose people do not behave otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ethogram.insight.everybody import Everybody, together
from ethogram.insight.finding import Finding, Severity
from ethogram.insight.outcomes import LEAST_MEMBERS, Outcome, bounds, of_segmentations

PEOPLE_EACH = 30
"""So many customers there should be for every segment and group."""
ANSWERS = 100
"""More segments and groups than this nobody oversees."""
GROUPS = 12
NEARLY_ALL = 0.95
SAME, IDENTICAL = 0.8, 0.95
"""Jaccard indices."""
WITHIN = 0.95
"""So much of the smaller one is in the larger one, where it is contained."""


def too_many(now: Everybody, groups: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    count = len(now.names)
    each = now.size / count if count else 0.0
    figures = {"answers": count, "customers": now.size}
    if count > 1 and each < PEOPLE_EACH:
        said = f"{count} segments and groups for {now.size:,} customers: {each:.1f} customers for each"
        to_do = "Keep those that somebody acts on; the rest is noise about few people."
        yield Finding("serious", "too many", "", said, to_do, figures)
    elif count > ANSWERS:
        said = f"{count} segments and groups: nobody oversees so many"
        to_do = "Keep those that somebody acts on, and take the others out of definitions/."
        yield Finding("look", "too many", "", said, to_do, figures)
    for name, own in groups.items():
        if len(own) > GROUPS:
            said = f"{len(own)} groups"
            to_do = "Join groups that are treated alike."
            yield Finding("look", "too many", name, said, to_do, {"groups": len(own)})


def wrong_sizes(now: Everybody, otherwise: frozenset[str]) -> Iterator[Finding]:
    """`otherwise`: groups for whoever is left, which may well be nobody."""
    for name, size in now.sizes.items():
        figures = {"size": size, "customers": now.size}
        if not size and name not in otherwise:
            to_do = "Look why: ethogram describe NAME; take it out if nobody can be in it."
            yield Finding("look", "empty", name, "nobody is in it", to_do, figures)
        elif 0 < size < PEOPLE_EACH:
            people = "1 customer" if size == 1 else f"{size} customers"
            said = f"{people}: an average of so few is chance"
            to_do = "Widen it, or join it with a neighbor."
            yield Finding("look", "too small", name, said, to_do, figures)
        elif size > NEARLY_ALL * now.size:
            said = f"{size:,} of {now.size:,} customers ({size / now.size:.1%}): it tells nobody apart"
            yield Finding("look", "nearly everyone", name, said, "Tighten it, or do without it.", figures)


def nearly_the_same(now: Everybody, otherwise: frozenset[str]) -> Iterator[Finding]:
    both, names = together(now.sets), now.names
    sizes = both.diagonal()
    for one in range(len(names)):
        for other in range(one + 1, len(names)):
            if {names[one], names[other]} <= otherwise:
                continue
            shared, first, second = int(both[one, other]), int(sizes[one]), int(sizes[other])
            if min(first, second) < PEOPLE_EACH or max(first, second) > NEARLY_ALL * now.size:
                continue
            jaccard = shared / (first + second - shared)
            small, large = (one, other) if first <= second else (other, one)
            inside = shared / min(first, second)
            pair = f"{names[small]} and {names[large]}"
            figures = {"both": shared, "sizes": [int(sizes[small]), int(sizes[large])], "jaccard": jaccard}
            counts = f"{shared:,} customers are in both, of {sizes[small]:,} and {sizes[large]:,}"
            if jaccard >= SAME:
                said = f"{counts} (Jaccard {jaccard:.2f})"
                to_do = "Keep one of each two, or say why both: ethogram compare NAME NAME shows what sets them apart."
                is_plain = not any("." in name for name in (names[one], names[other]))
                severity: Severity = "serious" if jaccard >= IDENTICAL and is_plain else "look"
                yield Finding(severity, "nearly the same", pair, said, to_do, figures)
            elif inside >= WITHIN and jaccard >= 0.5:
                said = f"{counts}: {inside:.0%} of the smaller one"
                to_do = "Keep both only if they are treated differently."
                yield Finding("note", "contained", pair, said, to_do, figures | {"contained": inside})


def not_different(
    found: Sequence[Outcome], groups: Mapping[str, Sequence[str]], did: str, since: str
) -> Iterator[Finding]:
    """`did` is what counts, such as "ordered"; `since` says since when, such as "in the 30 days since 9 Nov 2011"."""
    by_name = {one.name: one for one in found}
    in_groups = {f"{name}.{group}" for name, own in groups.items() for group in own}
    for one in found:
        if one.name in in_groups:
            continue
        if one.verdict == "alike":
            yield Finding(
                "serious", "do not segment by this", one.name, _alike(one, did, since), _DO_NOT, one.as_json()
            )
        elif one.verdict == "too few":
            yield _too_few(one, did, since)
    for name, verdict in of_segmentations(found, groups).items():
        own = [by_name[f"{name}.{group}"] for group in groups[name]]
        figures = {"groups": [one.as_json() for one in own]}
        if verdict == "alike":
            parts = [f"{one.name.partition('.')[2]} {one.share.value:.1%}" for one in own if one.members]
            said = f"{did} {since}: {', '.join(parts)}; no group differs by a quarter"
            yield Finding("serious", "do not segment by this", name, said, _DO_NOT, figures)
        elif verdict == "too few":
            said = f"none of its {len(own)} groups can be told from the others by who {did} {since}"
            yield Finding("note", "too few to tell", name, said, _WAIT, figures)


_DO_NOT = (
    "Do not segment by this: treat these people like all others, and take it out, unless it serves something else than "
    "what people buy or do, such as the language of a letter."
)
_WAIT = "Wait for more people or a longer time (--days), and do not act on it yet."


def _alike(one: Outcome, did: str, since: str) -> str:
    return (
        f"{one.share.value:.1%} of {one.members:,} members {did} {since}, {one.share_of_others.value:.1%} of the others: "
        f"{bounds(one.rate)}; those who did, {bounds(one.amount)} as much"
    )


def _too_few(one: Outcome, did: str, since: str) -> Finding:
    if one.members < LEAST_MEMBERS or one.others < LEAST_MEMBERS:
        few, whom = min((one.members, "members"), (one.others, "others"))
        said = f"{few:,} {whom} at that time: nothing can be tested with so few"
    elif one.rate.p != one.rate.p:
        said = f"only {one.active + one.others_active} customers {did} {since}"
    else:
        said = (
            f"{did} {since}: {one.share.value:.1%} of {one.members:,}, others {one.share_of_others.value:.1%}: "
            f"{bounds(one.rate)}; amounts {bounds(one.amount)}"
        )
    return Finding("note", "too few to tell", one.name, said, _WAIT, one.as_json())
