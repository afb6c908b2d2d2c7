"""Conditions in the form that the sweep follows: and, or, not of claims.

A claim is about a slot's events in a window and holds for nobody without such events. Either one event is enough for it, or
it is about what all of them come to: their number, a sum, how many periods or values there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ethogram.engines.binding import Bound
from ethogram.engines.bits import Code, Test
from ethogram.kernel.accumulate import (
    COUNT,
    DID,
    DISTINCT_FEW,
    FIRST_TIME,
    LAST_TIME,
    MAX,
    MIN,
    PERIODS,
)
from ethogram.kernel.arithmetic import MILLION
from ethogram.kernel.layout import (
    BITS_ALL,
    BITS_AND,
    BITS_NOT,
    BITS_TEST,
    LEAST_VALUE,
    NEVER,
    NULL,
    OP_SLOT,
    OPEN_PAST,
    SLOT_KIND,
    SLOT_WINDOW,
)
from ethogram.kernel.sweep import CODE_AND, CODE_JOIN_AND, CODE_JOIN_OR, CODE_LOAD, CODE_OR, EVEN
from ethogram.kernel.windows import windows_at

Integers = NDArray[np.int64]


class Edge(NamedTuple):
    """A moment that belongs to each moment asked for, such as where its window begins: a row of times that begins with 0,
    by number, and what to add to an event's time before it is looked up there."""

    grid: int
    shift: int


class Claim(NamedTuple):
    """Between the limits is a value of a single event, or what all events come to. An event enters with the first moment
    whose edge is not before it, and leaves with the first whose other edge is not before it."""

    slot: int
    is_single: bool
    low: int
    high: int
    enters: Edge
    leaves: Edge


class Literal(NamedTuple):
    claim: Claim
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Joined:
    """All of the parts, or any of them."""

    every: bool
    parts: tuple[Formula, ...]


Formula: TypeAlias = Literal | Joined
ALWAYS, NOBODY = Joined(True, ()), Joined(False, ())


def joined(every: bool, parts: Sequence[Formula]) -> Formula:
    """Flat, without what changes nothing."""
    flat: dict[Formula, None] = {}
    for part in parts:
        if isinstance(part, Joined) and part.every == every:
            flat |= dict.fromkeys(part.parts)
        else:
            flat[part] = None
    if Joined(not every, ()) in flat:
        return Joined(not every, ())
    return next(iter(flat)) if len(flat) == 1 else Joined(every, tuple(flat))


def negated(formula: Formula) -> Formula:
    if isinstance(formula, Literal):
        return Literal(formula.claim, not formula.holds)
    return Joined(not formula.every, tuple(negated(part) for part in formula.parts))


def holds_without_events(formula: Formula) -> bool:
    if isinstance(formula, Literal):
        return not formula.holds
    parts = (holds_without_events(part) for part in formula.parts)
    return all(parts) if formula.every else any(parts)


def triggers(formula: Formula, often: Callable[[Claim], int]) -> frozenset[Claim]:
    """Claims of which one must hold for a formula that does not hold without events: such as are seldom touched."""
    if isinstance(formula, Literal):
        return frozenset((formula.claim,))
    sets = [triggers(part, often) for part in formula.parts if not holds_without_events(part)]
    if formula.every:
        return min(sets, key=lambda some: sum(map(often, some)))
    return frozenset[Claim]().union(*sets)


def claims_of(formula: Formula) -> list[Claim]:
    if isinstance(formula, Literal):
        return [formula.claim]
    return [claim for part in formula.parts for claim in claims_of(part)]


def instructions(
    formula: Formula, number: Mapping[Claim, int], often: Callable[[Claim], int], begin: int = 0
) -> list[tuple[int, int, int, int]]:
    """`Rules.code` from a place on: each part joins what stands on the stack. Those that decide most often come first."""

    def rank(part: Formula) -> tuple[bool, bool, int]:
        if isinstance(part, Literal):
            return True, holds_without_events(part), often(part.claim)
        return False, False, 0

    if isinstance(formula, Literal):
        return [(CODE_LOAD, number[formula.claim], 0 if formula.holds else -1, 0)]
    found: list[tuple[int, int, int, int]] = []
    for part in sorted(formula.parts, key=rank):
        own = instructions(part, number, often, begin + len(found))
        if found and isinstance(part, Literal):
            own = [(CODE_AND if formula.every else CODE_OR, *own[0][1:])]
        elif found:
            own.append((CODE_JOIN_AND if formula.every else CODE_JOIN_OR, 0, 0, 0))
        found += own
    past = begin + len(found)
    return [(*one[:3], past) if one[0] == CODE_AND and not one[3] else one for one in found]


class Claims:
    """The claims that tests of slots come to at certain moments. `grids` are the rows of times that their edges are in; the
    first is that of the moments themselves."""

    def __init__(self, bound: Bound, moments: Integers) -> None:
        self.program = bound.program
        self.moments = moments
        self.windows = windows_at(bound.program, bound.zones, moments)
        self.grids: list[Integers] = []
        self._numbers: dict[bytes, int] = {}
        self.now = self._edge(moments)
        apart = np.diff(moments)
        self.step = int(apart[0]) if len(apart) and (apart == apart[0]).all() else 0
        self.formulas: dict[Test, Formula] = {}
        self.fed = frozenset(bound.program.ops[:, OP_SLOT].tolist())

    def formula(self, code: Code, tests: Sequence[Test]) -> Formula:
        stack: list[Formula] = []
        for what, number in code:
            if what == BITS_TEST:
                test = tests[number]
                if test not in self.formulas:
                    self.formulas[test] = self._test(test)
                stack.append(self.formulas[test])
            elif what == BITS_ALL:
                stack.append(ALWAYS if number else NOBODY)
            elif what == BITS_NOT:
                stack.append(negated(stack.pop()))
            else:
                other = stack.pop()
                stack.append(joined(what == BITS_AND, (stack.pop(), other)))
        return stack[0]

    def steps(self, edge: Edge) -> tuple[int, int, int, int]:
        """Grid, shift, steps, phase of `Rules.claims`: events pass an edge that is a shifted moment itself steps later,
        with a late phase one more."""
        if self.step and edge.grid == self.now.grid:
            steps, rest = divmod(edge.shift - self.now.shift, self.step)
            return EVEN, 0, steps, self.step - rest
        return *edge, 0, 0

    def _test(self, test: Test) -> Formula:
        """What holds without events is said by what does not."""
        slot, low, high, turn = test
        empty = int(self.program.empties[slot])
        if turn == NULL and empty != NULL and low <= empty <= high:
            below = self._part(slot, LEAST_VALUE, low - 1) if low > LEAST_VALUE else NOBODY
            above = self._part(slot, high + 1, NEVER) if high < NEVER else NOBODY
            return negated(joined(False, (below, above)))
        return self._part(slot, low, high, turn != NULL)

    def _part(self, slot: int, low: int, high: int, from_now: bool = False) -> Formula:
        kind = int(self.program.slots[slot, SLOT_KIND])
        if slot not in self.fed:
            return NOBODY
        if kind == DID:
            return self._event(slot) if low <= 1 <= high else NOBODY
        if kind in (FIRST_TIME, LAST_TIME):
            return self._moment(slot, kind == LAST_TIME, low, high, from_now)
        if kind == MAX:
            over = NOBODY if high == NEVER else self._event(slot, high + 1, NEVER)
            return joined(True, (self._event(slot, low, NEVER), negated(over)))
        if kind == MIN:
            under = NOBODY if low == LEAST_VALUE else self._event(slot, LEAST_VALUE, low - 1)
            return joined(True, (self._event(slot, LEAST_VALUE, high), negated(under)))
        if kind in (COUNT, PERIODS, DISTINCT_FEW):
            low, high = max(1, -(-low // MILLION)), high if high == NEVER else high // MILLION
            if low > high:
                return NOBODY
            if low == 1 and high == NEVER:
                return self._event(slot, LEAST_VALUE) if kind == DISTINCT_FEW else self._event(slot)
        return Literal(Claim(slot, False, low, high, *self._edges(slot)))

    def _event(self, slot: int, low: int = NULL, high: int = NEVER) -> Formula:
        """An event, with any value or with one between the limits."""
        return Literal(Claim(slot, True, low, high, *self._edges(slot)))

    def _moment(self, slot: int, is_last: bool, low: int, high: int, from_now: bool) -> Formula:
        """The last event is not before a moment if there is one from it on; the first is not after one if there is one up to
        it."""
        origin = self.moments if from_now else np.zeros_like(self.moments)

        def one(since: int | None, until: int | None) -> Formula:
            edges = self._edges(
                slot, None if since is None else origin + since, None if until is None else origin + until
            )
            return Literal(Claim(slot, True, NULL, NEVER, *edges))

        least, greatest = None if low == LEAST_VALUE else low, None if high == NEVER else high
        if is_last:
            others = NOBODY if greatest is None else one(greatest + 1, None)
            return joined(True, (one(least, None), negated(others)))
        others = NOBODY if least is None else one(None, least - 1)
        return joined(True, (one(None, greatest), negated(others)))

    def _edges(
        self, slot: int, since: Integers | None = None, until: Integers | None = None
    ) -> tuple[Edge, Edge]:
        window = int(self.program.slots[slot, SLOT_WINDOW])
        first, last = self.windows[:, window].T
        if since is not None:
            first = np.maximum(first, np.minimum(since, -OPEN_PAST))
        if until is not None:
            last = np.minimum(last, np.maximum(until, OPEN_PAST))
        return self._edge(last), self._edge(first - 1)

    def _edge(self, times: Integers) -> Edge:
        row = times - times[0]
        number = self._numbers.setdefault(row.tobytes(), len(self.grids))
        if number == len(self.grids):
            self.grids.append(row)
        return Edge(number, -int(times[0]))
