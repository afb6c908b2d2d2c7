"""The people whom a run is about, and their tape: a bucket's own, or an excerpt of those of several.

What a run costs beside its people it costs once a tape: a few people of many buckets are asked together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ethogram.engines.answers import Positions
from ethogram.engines.excerpts import excerpt
from ethogram.engines.tapefiles import Arrays
from ethogram.engines.tapeset import TapeSet

WORD = 64
FEW_ROWS, MANY_ROWS = 1 << 14, 1 << 18
"""Of one bucket so few rows are worth copying into an excerpt; many, if a run costs something for every row of a tape."""


@dataclass(frozen=True, slots=True)
class Part:
    """People of one bucket: the place of the first on the tape, and their positions in the bucket."""

    bucket: int
    begin: int
    positions: Positions


@dataclass(frozen=True, slots=True)
class Crowd:
    """`chosen` are the places of those who are asked about: of an excerpt all of them, even those of nobody, so that the people
    of each bucket have words of bits for themselves."""

    arrays: Arrays
    parts: tuple[Part, ...]
    chosen: Positions
    is_excerpt: bool

    @property
    def size(self) -> int:
        return len(self.arrays["births"])

    def owner(self, place: int) -> tuple[int, int]:
        """Bucket and position of whoever is at a place."""
        part = next(part for part in reversed(self.parts) if part.begin <= place)
        return part.bucket, int(part.positions[place - part.begin])


def whole(tapes: TapeSet, bucket: int, positions: Positions | None = None) -> Crowd:
    """The bucket's tape, on which places are positions."""
    arrays = tapes.arrays(bucket)
    everyone = np.arange(len(arrays["births"]))
    chosen = everyone if positions is None else np.ascontiguousarray(positions, np.int64)
    return Crowd(arrays, (Part(bucket, 0, everyone),), chosen, is_excerpt=False)


def crowds(tapes: TapeSet, positions: Mapping[int, Positions], most: int) -> Iterator[Crowd]:
    """The people at some positions of each bucket, those of neighboring buckets together where they have at most so many rows."""
    some: dict[int, Positions] = {}
    rows = 0
    for bucket in sorted(positions):
        own = np.ascontiguousarray(positions[bucket], np.int64)
        more = int(np.diff(tapes.arrays(bucket)["spans"][own], axis=1).sum())
        if some and (rows + more > MANY_ROWS or more > most):
            yield _excerpt(tapes, some)
            some, rows = {}, 0
        if more > most:
            yield whole(tapes, bucket, own)
        else:
            some[bucket] = own
            rows += more
    if some:
        yield _excerpt(tapes, some)


def _excerpt(tapes: TapeSet, positions: Mapping[int, Positions]) -> Crowd:
    sizes = [-(-len(some) // WORD) * WORD for some in positions.values()]
    begins: list[int] = np.cumsum([0, *sizes]).tolist()
    sources = [(tapes.arrays(bucket), some) for bucket, some in positions.items()]
    parts = zip(positions.items(), begins, strict=False)
    return Crowd(
        excerpt(sources, begins, len(tapes.flat)),
        tuple(Part(bucket, begin, some) for (bucket, some), begin in parts),
        np.arange(begins[-1]),
        is_excerpt=True,
    )
