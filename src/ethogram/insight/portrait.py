"""Who the people of a segment are, against everyone else: what they have more or less of, the clearest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pyarrow as pa

from ethogram.insight.everybody import Everybody
from ethogram.insight.inference import Estimate, median_ratio, rate_ratio
from ethogram.insight.people import Numbers, Truth, median

if TYPE_CHECKING:
    from ethogram.language.tree import Expression

Kind: TypeAlias = Literal["trait", "value", "behavior", "segment"]
LEAST = 5
"""Of fewer people no figures are told: they would be told of persons."""
VALUES = 12
"""So many values of a text are looked at, the most frequent ones."""
DISTINCT = 200
"""A text with more values than this tells people apart, not groups."""
SAMPLE = 5


@dataclass(frozen=True, slots=True)
class Facet:
    """A median of theirs and of the others' (`trait`), or shares who have a value, did something, are in a segment. `times` is
    the one by the other."""

    kind: Kind
    name: str
    members: float
    others: float
    times: Estimate


@dataclass(frozen=True, slots=True)
class Portrait:
    """`facets` are empty where members or others are fewer than `LEAST`. `sample` are members' ids, drawn the same every time."""

    size: int
    customers: int
    facets: tuple[Facet, ...]
    sample: tuple[str, ...]

    @property
    def clear(self) -> tuple[Facet, ...]:
        return tuple(facet for facet in self.facets if facet.times.clarity > 0)

    def telling(self, most: int) -> tuple[Facet, ...]:
        """The clearest ones, at most so many of a kind."""
        kinds = {facet.kind for facet in self.clear}
        chosen = {id(one) for kind in kinds for one in [f for f in self.clear if f.kind == kind][:most]}
        return tuple(facet for facet in self.clear if id(facet) in chosen)

    def as_json(self) -> dict[str, object]:
        facets = [{**asdict(facet), "times": facet.times.as_json()} for facet in self.facets]
        share = self.size / self.customers if self.customers else 0.0
        return {"size": self.size, "share": share, "facets": facets, "sample": list(self.sample)}


def portrait(
    found: Everybody,
    members: Truth,
    name: str,
    behaviors: Mapping[str, str],
    customers: Sequence[pa.StringArray],
) -> Portrait:
    """`behaviors` names the traits of `found` that say who did something lately; `customers` are all ids in its order."""
    members = members & found.known
    others = found.known & ~members
    size, whole = int(members.sum()), found.size
    if size < LEAST or whole - size < LEAST:
        return Portrait(size, whole, (), ())
    facets = [
        *_traits(found, members, others, behaviors),
        *_behaviors(found, members, others, behaviors),
        *_segments(found, members, others, name),
    ]
    facets.sort(key=lambda facet: (-facet.times.clarity, facet.kind, facet.name))
    return Portrait(size, whole, tuple(facets), _sample(members, customers))


def did_lately(behavior: str) -> Expression:
    from ethogram.language.parser import parse_expression

    return parse_expression(f"did({behavior}, last=90d)")


def _traits(found: Everybody, members: Truth, others: Truth, behaviors: Mapping[str, str]) -> Iterator[Facet]:
    for name, column in found.traits.items():
        if name in behaviors.values():
            continue
        if name in found.numeric:
            values = found.numbers(name)
            yield from _numeric(name, values[members], values[others])
        elif pa.types.is_boolean(column.type) or pa.types.is_string(column.type):
            yield from _values(found, name, members, others)


def _numeric(name: str, mine: Numbers, theirs: Numbers) -> Iterator[Facet]:
    """Medians; where one of them is nothing, the shares who have any."""
    mine, theirs = mine[~np.isnan(mine)], theirs[~np.isnan(theirs)]
    if min(len(mine), len(theirs)) < LEAST:
        return
    one, other = median(mine), median(theirs)
    if one > 0 < other or not (mine > 0).any():
        yield Facet("trait", name, one, other, median_ratio(mine, theirs))
    else:
        some, others = int((mine > 0).sum()), int((theirs > 0).sum())
        times = rate_ratio(some, len(mine), others, len(theirs))
        yield Facet("value", f"{name} above 0", some / len(mine), others / len(theirs), times)


def _values(found: Everybody, name: str, members: Truth, others: Truth) -> Iterator[Facet]:
    place, texts = found.texts(name)
    if not 1 < len(texts) <= DISTINCT:
        return
    counts = [np.bincount(place[some] + 1, minlength=len(texts) + 1)[1:] for some in (members, others)]
    known = [int(one.sum()) for one in counts]
    if not all(known):
        return
    for number in np.argsort(-(counts[0] + counts[1]), kind="stable")[:VALUES].tolist():
        one, other = int(counts[0][number]), int(counts[1][number])
        times = rate_ratio(one, known[0], other, known[1])
        yield Facet("value", f"{name} {texts[number]}", one / known[0], other / known[1], times)


def _behaviors(
    found: Everybody, members: Truth, others: Truth, behaviors: Mapping[str, str]
) -> Iterator[Facet]:
    for title, trait in behaviors.items():
        yield _share_facet("behavior", title, found.counts(trait) > 0, members, others)


def _segments(found: Everybody, members: Truth, others: Truth, name: str) -> Iterator[Facet]:
    base = name.partition(".")[0]
    for other in found.names:
        if other != name and not (other.startswith(f"{base}.") and "." in name):
            yield _share_facet("segment", other, found.members(other), members, others)


def _share_facet(kind: Kind, name: str, inside: Truth, members: Truth, others: Truth) -> Facet:
    one, other = int((inside & members).sum()), int((inside & others).sum())
    size, rest = int(members.sum()), int(others.sum())
    return Facet(kind, name, one / size, other / rest, rate_ratio(one, size, other, rest))


def _sample(members: Truth, customers: Sequence[pa.StringArray]) -> tuple[str, ...]:
    places = np.flatnonzero(members)
    chosen = np.sort(np.random.default_rng(0).choice(places, min(SAMPLE, len(places)), replace=False))
    ids = pa.chunked_array(customers)
    return tuple(ids.take(pa.array(chosen)).to_pylist())
