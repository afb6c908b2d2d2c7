"""What a refresh found, collected bucket by bucket before anything is written; it grows with the changes alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ethogram.engines.answers import NEVER
from ethogram.membership.stays import OUT
from ethogram.membership.steps import Changes, Pairs
from ethogram.store import Interval
from ethogram.store.pages import CHANGES
from ethogram.store.staylog import END, ENDED, RENEWED, STAY, STAYS, stay_table

_KINDS = pa.array(["entered", "left", "moved"])


@dataclass(frozen=True, slots=True)
class Stretches:
    """Stays, or ends of stays: of whom, in which definition and group, from when to when, `NEVER` for neither."""

    customers: pa.StringArray
    definition: NDArray[np.int64]
    value: NDArray[np.int64]
    entered: NDArray[np.int64]
    left: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.definition)


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

    `ends` are ends of the stays that went on at the last refresh, `stays` what came behind the record; `rewritten` takes the
    place of all that was kept of an answer, by definition and customer.
    """

    definitions: tuple[str, ...]
    names: list[tuple[str, ...]]
    ends: list[Stretches] = field(default_factory=list)
    stays: list[Stretches] = field(default_factory=list)
    rewritten: dict[str, dict[str, tuple[Interval, ...]]] = field(default_factory=dict)
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
        was_in = changes.before != OUT
        ended = np.flatnonzero(was_in & changes.first)
        between = np.flatnonzero(was_in & ~changes.first)
        began = np.flatnonzero(changes.last & (changes.after != OUT))
        never = np.full(len(changes.at), NEVER, dtype=np.int64)
        for found, rows, value, entered, left in (
            (self.ends, ended, changes.before, never[ended], changes.at[ended]),
            (self.stays, between, changes.before, changes.at[between - 1], changes.at[between]),
            (self.stays, began, changes.after, changes.at[began], never[began]),
        ):
            if len(rows):
                who = customers.take(pa.array(changes.place[rows]))
                found.append(Stretches(who, changes.definition[rows], value[rows], entered, left))

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

    # --- as tables ---

    def stay_log(self, removed: Sequence[str]) -> pa.Table:
        """What the log of stays is told: forgotten definitions, stays said anew, ends, then stays."""
        gone = [Interval(name, "", "", None, None) for name in removed]
        keys = [
            (name, customer) for name, rows in sorted(self.rewritten.items()) for customer in sorted(rows)
        ]
        renewed = [Interval(name, "", customer, None, None) for name, customer in keys]
        anew = [stay for name, customer in keys for stay in self.rewritten[name][customer]]
        told = [
            stay_table(what, rows) for what, rows in ((ENDED, gone), (RENEWED, renewed), (STAY, anew)) if rows
        ]
        told += [self._stretches(END, self.ends), self._stretches(STAY, self.stays)]
        log = [table for table in told if table.num_rows]
        return (
            pa.concat_tables(log).unify_dictionaries() if len(log) > 1 else (log or [STAYS.empty_table()])[0]
        )

    def _stretches(self, what: int, some: Sequence[Stretches]) -> pa.Table:
        if not some:
            return STAYS.empty_table()
        definition, value, entered, left = (
            np.concatenate([getattr(one, name) for one in some])
            for name in ("definition", "value", "entered", "left")
        )
        columns = [
            pa.array(np.full(len(definition), what, dtype=np.int8)),
            _named(definition, pa.array(self.definitions, pa.string())),
            _Groups(self.names).named(definition, value),
            pa.concat_arrays([one.customers for one in some]),
            pa.array(entered, mask=entered == NEVER),
            pa.array(left, mask=left == NEVER),
        ]
        return pa.table(columns, schema=STAYS)

    def feed(self, versions: Mapping[str, int]) -> pa.Table:
        """The feed's lines by when they became true, unknown moments first, then by customer and definition."""
        if not self.net:
            return CHANGES.empty_table()
        customers = pa.concat_arrays([lines.customers for lines in self.net])
        definition, before, after, at = (
            np.concatenate([getattr(lines, name) for lines in self.net])
            for name in ("definition", "before", "after", "at")
        )
        order = _feed_order(np.where(at == NEVER, -NEVER, at), customers, definition, self.definitions)
        definition, before, after, at = (some[order] for some in (definition, before, after, at))
        groups = _Groups(self.names)
        number = np.array([versions[name] for name in self.definitions], dtype=np.int64)
        columns = [
            customers.take(pa.array(order)),
            _named(definition, pa.array(self.definitions, pa.string())),
            _named(np.where(before == OUT, 0, np.where(after == OUT, 1, 2)), _KINDS),
            groups.named(definition, before),
            groups.named(definition, after),
            pa.array(at, mask=at == NEVER),
            pa.array(number[definition]),
        ]
        return pa.table(columns, schema=CHANGES)


class _Groups:
    """The names of all groups, each once; the first, without a name, is that of segments and of being in none."""

    def __init__(self, names: Sequence[Sequence[str]]) -> None:
        every = list(dict.fromkeys(["", *(name for some in names for name in some)]))
        place = {name: index for index, name in enumerate(every)}
        sizes = [len(some) for some in names]
        self._texts = pa.array(every, pa.string())
        self._first = np.cumsum([0, *sizes])[: len(sizes)]
        self._codes = np.array([place[name] for some in names for name in some], dtype=np.int64)

    def named(self, definition: NDArray[np.int64], value: NDArray[np.int64]) -> pa.DictionaryArray:
        places = np.where(value == OUT, 0, self._first[definition] + value)
        return _named(np.where(value == OUT, 0, self._codes[places]), self._texts)


def _named(codes: NDArray[np.int64], texts: pa.StringArray) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), texts)


def _feed_order(
    at: NDArray[np.int64], customers: pa.StringArray, definition: NDArray[np.int64], names: Sequence[str]
) -> NDArray[np.int64]:
    """By moment, customer and definition; names are compared only where moments are the same."""
    order = np.argsort(at, kind="stable")
    moments = at[order]
    same = np.zeros(len(at), dtype=np.bool_)
    same[1:] = moments[1:] == moments[:-1]
    same[:-1] |= same[1:]
    tied = order[same]
    if len(tied):
        rank = np.argsort(np.argsort(np.array(names)))
        whose = customers.take(pa.array(tied)).dictionary_encode()
        people = np.argsort(pc.sort_indices(whose.dictionary).to_numpy())
        who = people[whose.indices.to_numpy()]
        order[same] = tied[np.lexsort((rank[definition[tied]], who, at[tied]))]
    return order
