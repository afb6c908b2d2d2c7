"""What a refresh found, collected bucket by bucket before anything is written; it grows with the changes alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ethogram.engines.answers import NEVER
from ethogram.membership.stays import OUT
from ethogram.membership.steps import Changes, Pairs
from ethogram.model.event import Moment

Closing = tuple[str, str, str, Moment]
"""definition, group, customer, left_at: of a stay that was going on at the last refresh."""
Opening = tuple[str, str, str, Moment | None, Moment | None]
"""definition, group, customer, entered_at, left_at."""


@dataclass(frozen=True, slots=True)
class Net:
    """One line of the feed: an answer that is another one than at the last refresh."""

    customer: str
    definition: str
    before: str | None
    after: str | None
    at: Moment | None

    @property
    def kind(self) -> Literal["entered", "left", "moved"]:
        if self.before is None:
            return "entered"
        return "left" if self.after is None else "moved"


@dataclass(slots=True)
class Outcome:
    """`names` of the definitions and their groups, segments first; a segment's one group has no name.

    `closings` and `openings` go behind the record; `rewritten` takes the place of all that was kept of an answer, by
    definition and customer.
    """

    definitions: tuple[str, ...]
    names: list[tuple[str, ...]]
    closings: list[Closing] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    rewritten: dict[str, dict[str, tuple[Opening, ...]]] = field(default_factory=dict)
    net: list[Net] = field(default_factory=list)
    evaluated: int = 0

    def group_index(self, definition: int, group: str) -> int:
        """A group that earlier versions had gets a place behind the others."""
        names = self.names[definition]
        if group not in names:
            self.names[definition] = names = (*names, group)
        return names.index(group)

    def add_changes(self, customers: pa.StringArray, changes: Changes) -> None:
        """The stays that these changes end and begin. The first change of an answer ends the stay that went on."""
        who = customers.take(pa.array(changes.place)).to_pylist()
        what, at = changes.definition.tolist(), changes.at.tolist()
        before, after, first = changes.before.tolist(), changes.after.tolist(), changes.first.tolist()
        for i in np.flatnonzero(changes.before != OUT).tolist():
            definition, group = self.definitions[what[i]], self.names[what[i]][before[i]]
            if first[i]:
                self.closings.append((definition, group, who[i], at[i]))
            else:
                self.openings.append((definition, group, who[i], at[i - 1], at[i]))
        for i in np.flatnonzero(changes.last & (changes.after != OUT)).tolist():
            definition, group = self.definitions[what[i]], self.names[what[i]][after[i]]
            self.openings.append((definition, group, who[i], at[i], None))

    def add_net(self, customers: pa.StringArray, pairs: Pairs, at: NDArray[np.int64]) -> None:
        """`at` is `NEVER` where it is not known when the answer changed."""
        rows = zip(
            customers.take(pa.array(pairs.place)).to_pylist(),
            pairs.definition.tolist(),
            pairs.before.tolist(),
            pairs.after.tolist(),
            at.tolist(),
            strict=True,
        )
        for customer, definition, before, after, moment in rows:
            names = self.names[definition]
            self.net.append(
                Net(
                    customer,
                    self.definitions[definition],
                    None if before == OUT else names[before],
                    None if after == OUT else names[after],
                    None if moment == NEVER else moment,
                )
            )

    def in_order(self) -> Sequence[Net]:
        """The feed's lines by when they became true, unknown moments first."""
        self.net.sort(key=lambda net: (-1 if net.at is None else net.at, net.customer, net.definition))
        return self.net
