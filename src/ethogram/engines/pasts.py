"""How much of a segment's past is asked for: `time_in(s) > 14` needs the turns of two weeks, of those who are in it now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.kernel.layout import NULL
from ethogram.language.instants import DAY
from ethogram.language.plan import Instruction, Op, Plan, Step

Integers = NDArray[np.int64]
LONGEST_MONTH = 31 * DAY
CLOCKS_TURN = DAY
"""More than any day of a timezone is longer than others."""
ASKING = frozenset({Op.STAY, Op.ENTERED, Op.LEFT, Op.WAS_IN, Op.WAS_IN_SHIFTED})


class Past(NamedTuple):
    """Turns at most so many microseconds before the moment asked about (None: all), of `members` at that moment alone or of everybody."""

    micros: int | None
    members: bool

    def joined(self, other: Past) -> Past:
        is_whole = self.micros is None or other.micros is None
        return Past(
            None if is_whole else max(self.micros or 0, other.micros or 0), self.members and other.members
        )


def pasts(plan: Plan) -> tuple[Past, ...]:
    """For each signal what all that ask for it need together."""
    found: list[Past | None] = [None] * len(plan.signals)
    for output in plan.outputs:
        for place, one in enumerate(output.code):
            if one.op in ASKING:
                asked, before = _past(plan, output.code[place:]), found[one.a]
                found[one.a] = asked.joined(before) if before else asked
    return tuple(one or Past(0, members=True) for one in found)


def _past(plan: Plan, code: Sequence[Instruction]) -> Past:
    """Of the first instruction, seen with those behind it."""
    asking = code[0]
    match asking.op:
        case Op.STAY:
            return Past(_compared_with(plan, code), members=True)
        case Op.ENTERED | Op.LEFT:
            steps = [part.step for part in plan.windows[asking.b] if part.kind == "from"]
            return Past(min(map(_longest, steps), default=None), members=False)
        case Op.WAS_IN_SHIFTED:
            shift = Step(-plan.constants[asking.b], -asking.c)
            return Past(max(0, _longest(shift)), members=False)
        case _:
            return Past(None, members=False)


def _compared_with(plan: Plan, code: Sequence[Instruction]) -> int | None:
    """`time_in(s)` against a constant."""
    match code[1:3]:
        case [Instruction(op=Op.CONST, b=0) as constant, Instruction(op=Op.ELAPSED_COMPARE) as compare]:
            return max(0, plan.constants[constant.a]) * compare.b
        case _:
            return None


def _longest(step: Step) -> int:
    return step.micros + (step.months * LONGEST_MONTH + CLOCKS_TURN if step.months else 0)


class Turns(NamedTuple):
    """Of one signal: everybody's turns by place, the first of each to true, and each one's due."""

    place: Integers
    at: Integers
    due: Integers


def table_of(turns: Sequence[Turns], size: int) -> tuple[Integers, Integers, Integers]:
    """As the kernel reads them: offsets into the moments for each signal and place, the moments, the dues."""
    begins = np.cumsum([0, *(len(one.at) for one in turns)])
    places = np.arange(size + 1)
    offsets = [
        np.searchsorted(one.place, places) + begin for one, begin in zip(turns, begins[:-1], strict=True)
    ]
    return np.stack(offsets), np.concatenate([one.at for one in turns]), np.stack([one.due for one in turns])


def turns_of(held: Integers, begin: int, turned: Integers, at: Integers, due: Integers) -> Turns:
    """It held at the places `held` at `begin`, and turned at those `turned` at these moments, which are in order for each place."""
    place = np.concatenate([held, turned])
    moments = np.concatenate([np.full(len(held), begin, np.int64), at])
    order = np.argsort(place, kind="stable")
    return Turns(place[order], moments[order], due)


def newest_of(place: Integers, at: Integers) -> tuple[Integers, Integers]:
    """The last moment of each place; they stand in order of place and time."""
    is_last = np.append(place[1:] != place[:-1], np.ones(min(1, len(place)), np.bool_))
    return place[is_last], at[is_last]


def holds(values: Integers) -> NDArray[np.bool_]:
    """NULL for those who are not known yet."""
    return (values != 0) & (values != NULL)
