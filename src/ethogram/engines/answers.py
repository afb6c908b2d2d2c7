from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ethogram.model.event import Moment

NEVER: Moment = 2**63 - 1
"""The `due` of a customer whose answers time alone will not change."""

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BucketAnswers:
    """The answers for some customers of one bucket at one moment.

    `positions` are ascending positions in the bucket's roster. Bit i of row s of `bits` says whether the i-th of them is in
    segment s; `groups[g, i]` is the index of their group in segmentation g; customers not `known` at the moment are in
    nothing (group -1). `due` is the next moment at which time alone could change an answer: maybe early, never late.
    `traits` has one array of `len(positions)` for each trait, missing values as nulls: decimal128(18, 6), string, bool or
    timestamp[us] in UTC; `values(…)` as a list of strings.
    """

    bucket: int
    positions: Positions
    known: NDArray[np.bool_]
    bits: NDArray[np.uint64]
    groups: NDArray[np.int16]
    due: NDArray[np.int64]
    traits: Mapping[str, pa.Array]

    def members(self, segment: int) -> NDArray[np.bool_]:
        """One boolean a position."""
        bytes_ = self.bits[segment].view(np.uint8)
        return np.unpackbits(bytes_, bitorder="little")[: len(self.positions)].astype(np.bool_)


@dataclass(frozen=True, slots=True)
class Moves:
    """Changes of answers, in order of (position, at). `definition` counts segments first, then segmentations;

    `value` is 1 / 0 for a segment, the group's index for a segmentation.
    """

    position: NDArray[np.int64]
    definition: NDArray[np.int32]
    at: NDArray[np.int64]
    value: NDArray[np.int16]


class Evaluator(Protocol):
    """What membership asks of an engine."""

    @property
    def segments(self) -> Sequence[str]: ...
    @property
    def segmentations(self) -> Sequence[str]: ...
    @property
    def traits(self) -> Sequence[str]: ...
    @property
    def buckets(self) -> int: ...
    @property
    def generation(self) -> str:
        """Changes when rosters were rebuilt and positions may mean other customers."""
        ...

    @property
    def sequence(self) -> int:
        """The ledger sequence that the answers are complete to."""
        ...

    @property
    def refitted(self) -> frozenset[str]:
        """Definitions that depend on everyone else: their answers may change for anybody at every refresh."""
        ...

    @property
    def restless(self) -> frozenset[str]:
        """Traits whose value changes with every moment, which `due` does not tell of."""
        ...

    def group_names(self, segmentation: str) -> Sequence[str]: ...
    def roster(self, bucket: int) -> pa.StringArray:
        """Position -> customer; append-only within a generation."""
        ...

    def evaluate(
        self,
        as_of: Moment,
        positions: Mapping[int, Positions] | None = None,
        traits: Sequence[str] | None = None,
    ) -> Iterator[BucketAnswers]:
        """Answers for everyone, or for the positions given, bucket by bucket; `traits` None means all of them."""
        ...

    def walk(self, bucket: int, positions: Positions, start: Moment, end: Moment) -> Moves:
        """Every change of answer in (start, end]; becoming known counts as a change from nothing."""
        ...

    def sizes(self, moments: Sequence[Moment]) -> Mapping[str, NDArray[np.int64]]:
        """Number of members at each moment, by segment and by `segmentation.group`."""
        ...

    def touched(self, since_sequence: int) -> Mapping[int, tuple[Positions, NDArray[np.int64]]]:
        """Customers with events that appeared after a ledger sequence, with the earliest time of those events."""
        ...
