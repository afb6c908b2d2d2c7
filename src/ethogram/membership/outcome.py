"""What a refresh found, collected bucket by bucket before anything is written; it grows with the changes alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ethogram.engines.answers import NEVER
from ethogram.membership.stays import OUT
from ethogram.membership.steps import Changes, Pairs
from ethogram.model.event import Moment
from ethogram.store import Change

Closing = tuple[str, str, str, Moment]
"""definition, group, customer, left_at: of a stay that was going on at the last refresh."""
Opening = tuple[str, str, str, Moment | None, Moment | None]
"""definition, group, customer, entered_at, left_at."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of the feed: answers that are others than at the last refresh. `at` is `NEVER` where it is not known when."""

    customers: pa.StringArray
    definition: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    at: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.definition)


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
    net: list[Lines] = field(default_factory=list)
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
        if len(pairs):
            people = customers.take(pa.array(pairs.place))
            self.net.append(Lines(people, pairs.definition, pairs.before, pairs.after, at))

    def counts(self) -> dict[str, int]:
        """Lines of the feed by kind."""
        entered = sum(int(np.count_nonzero(lines.before == OUT)) for lines in self.net)
        left = sum(int(np.count_nonzero(lines.after == OUT)) for lines in self.net)
        return {"entered": entered, "left": left, "moved": sum(map(len, self.net)) - entered - left}

    def changes(self, refresh: int, versions: Mapping[str, int]) -> Iterator[Change]:
        """The feed's lines by when they became true, unknown moments first, then by customer and definition."""
        if not self.net:
            return
        customers = pa.concat_arrays([lines.customers for lines in self.net])
        definition, before, after, at = (
            np.concatenate([getattr(lines, name) for lines in self.net])
            for name in ("definition", "before", "after", "at")
        )
        keys = {
            "at": np.where(at == NEVER, -NEVER, at),
            "customer": customers,
            "definition": np.array(self.definitions)[definition],
        }
        order = pc.sort_indices(pa.table(keys), sort_keys=[(key, "ascending") for key in keys])
        places = order.to_numpy()
        columns = (column[places].tolist() for column in (definition, before, after, at))
        for customer, what, was, is_, moment in zip(customers.take(order).to_pylist(), *columns, strict=True):
            name, groups = self.definitions[what], self.names[what]
            yield Change(
                customer,
                name,
                "entered" if was == OUT else "left" if is_ == OUT else "moved",
                "" if was == OUT else groups[was],
                "" if is_ == OUT else groups[is_],
                None if moment == NEVER else moment,
                refresh,
                versions[name],
            )
