"""The hot path: a customer's events through the operations of their codes.

The commonest forms of feeding an accumulator are handled here, on tables held in local names; all others go to
`accumulate.feed`.
"""

from __future__ import annotations

import numpy as np

from ethogram.kernel.accumulate import begin_chains, feed, follow
from ethogram.kernel.calendar import DAY, Zones, local_time_standing
from ethogram.kernel.compiling import compiled
from ethogram.kernel.conditions import conditions_hold, in_range, output_value
from ethogram.kernel.layout import (
    ADD,
    ATOM_SINCE,
    ATOM_UNTIL,
    CHECK_FIRST,
    CHECK_PAST,
    CHECK_WINDOW,
    DAYS,
    DIRTY,
    EXTRA,
    FIRST_TIME_SEEN,
    GREATEST,
    LATEST,
    LEAST,
    MASK,
    NEVER,
    NULL,
    OP_FORM,
    OP_SLOT,
    OP_VALUE,
    OVERFLOW,
    PRESENT,
    STATUS,
    STEADY_FROM,
    STEADY_OFFSET,
    STEADY_UNTIL,
    STEP,
    VALUE,
    Integers,
    Program,
    Scratch,
    Tape,
)
from ethogram.kernel.machine import wake
from ethogram.kernel.windows import next_edge


@compiled
def scan(
    tape: Tape, program: Program, zones: Zones, scratch: Scratch, u: int, as_of: int, level: int
) -> None:
    """Every event up to now through the operations of one level."""
    lists, operations, ops, ranges = program.lists, program.operations, program.ops, program.ranges
    opens, table, state, dirty = scratch.opens, scratch.slots, scratch.state, scratch.dirty
    times, codes, flat, coded = tape.time, tape.code, tape.flat, tape.coded
    links, chains = program.links, scratch.chains
    touched = state[DIRTY]
    first_event, past_event = tape.spans[u, 0], tape.spans[u, 1]
    # lists are looked up an event ahead, so that nothing waits for them
    following = lists[level, codes[first_event]] if first_event < past_event else 0
    following_plain = operations[following]
    for event in range(first_event, past_event):
        time = times[event]
        begin, plain = following, following_plain
        following = lists[level, codes[min(event + 1, past_event - 1)]]
        following_plain = operations[following]
        day = NULL
        if time > as_of:
            wake(state, time, as_of)
            break
        careful = begin + 2 + plain
        for place in range(begin + 2, careful):
            op = operations[place]
            if opens[op] > time:
                break
            if not in_range(flat, ops, ranges, op, event):
                continue
            slot, form = ops[op, OP_SLOT], ops[op, OP_FORM]
            value = 0
            if form != PRESENT:
                if form <= LATEST:
                    value = flat[ops[op, OP_VALUE], event]
                elif form == MASK:
                    value = coded[ops[op, OP_VALUE], codes[event]]
                elif form == DAYS:
                    if day == NULL:
                        day = _local_day(zones, state, time)
                    value = day
                elif form == STEP:
                    value = 0
                else:
                    state[DIRTY] = touched
                    feed(tape, program, zones, scratch, op, event, time)
                    touched = state[DIRTY]
                    continue
                if value == NULL:
                    continue
            # written without branches as far as possible: whether a slot is fresh is hard to foresee
            first = table[slot, FIRST_TIME_SEEN]
            fresh = first == NULL
            dirty[touched] = slot
            touched += fresh
            table[slot, FIRST_TIME_SEEN] = time if fresh else first
            before, extra = table[slot, VALUE], table[slot, EXTRA]
            if form == PRESENT:
                table[slot, VALUE] = 1 if fresh else before + 1
                table[slot, EXTRA] = time
            elif form == ADD:
                before = 0 if fresh else before
                total = before + value
                if ((before ^ total) & (value ^ total)) < 0 or total == NULL:
                    state[STATUS] = OVERFLOW
                table[slot, VALUE] = total
                table[slot, EXTRA] = 1 if fresh else extra + 1
            elif form == MASK:
                table[slot, VALUE] = before | (np.int64(1) << value)
            elif form == DAYS:
                table[slot, VALUE] = before + (fresh | (extra != value))
                table[slot, EXTRA] = value
            elif form == STEP:
                if fresh:
                    begin_chains(program, scratch, slot, ops[op, OP_VALUE])
                if fresh or before == 0:
                    follow(links, chains, table, slot, ops[op, OP_VALUE], event, time)
            elif form == GREATEST:
                table[slot, VALUE] = value if fresh or value > before else before
            elif form == LEAST:
                table[slot, VALUE] = value if fresh or value < before else before
            else:
                table[slot, VALUE] = value if fresh or form == LATEST else before
        if operations[begin + 1]:
            state[DIRTY] = touched
            for place in range(careful, careful + operations[begin + 1]):
                op = operations[place]
                if _passes(tape, program, zones, scratch, op, event, time, as_of):
                    feed(tape, program, zones, scratch, op, event, time)
            touched = state[DIRTY]
    state[DIRTY] = touched


@compiled
def _passes(
    tape: Tape,
    program: Program,
    zones: Zones,
    scratch: Scratch,
    op: int,
    event: int,
    time: int,
    as_of: int,
) -> bool:
    """Whether all conditions of an operation hold; wakes when the event will enter its window."""
    ops, ranges = program.ops, program.ranges
    if not in_range(tape.flat, ops, ranges, op, event):
        return False
    window = program.checks[op, CHECK_WINDOW]
    low, high = _moment_bounds(program, scratch, ops[op, OP_SLOT], window)
    if time < low:
        return False
    if time > high:
        wake(scratch.state, next_edge(program.windows, program.parts, zones, window, time, as_of), as_of)
        return False
    return conditions_hold(
        tape,
        program,
        zones,
        scratch,
        program.checks[op, CHECK_FIRST],
        program.checks[op, CHECK_PAST],
        event,
        as_of,
    )


@compiled
def _moment_bounds(program: Program, scratch: Scratch, slot: int, window: int) -> tuple[int, int]:
    """The window narrowed by computed moments; a missing moment empties it."""
    low, high = scratch.bounds[window, 0], scratch.bounds[window, 1]
    since, until = program.atoms[slot, ATOM_SINCE], program.atoms[slot, ATOM_UNTIL]
    if since >= 0:
        moment = output_value(program, scratch, since)
        if moment == NULL:
            return 1, 0
        low = max(low, moment)
    if until >= 0:
        moment = output_value(program, scratch, until)
        if moment == NULL:
            return 1, 0
        high = min(high, moment - 1)
    return low, high


@compiled
def _local_day(zones: Zones, state: Integers, time: int) -> int:
    """The day of an event in the project's timezone: events near each other share its offset."""
    if not state[STEADY_FROM] <= time < state[STEADY_UNTIL]:
        offset = local_time_standing(time, 0, zones) - time
        steady, until = _steady(zones, time, offset)
        state[STEADY_FROM], state[STEADY_UNTIL], state[STEADY_OFFSET] = steady, until, offset
    return (time + state[STEADY_OFFSET]) // DAY


@compiled
def _steady(zones: Zones, time: int, offset: int) -> tuple[int, int]:
    """A span around a moment in which local time has this offset and is not standing still."""
    low, high = zones.start[0], zones.start[1]
    while high - low > 1:
        middle = (low + high) >> 1
        if zones.moment[middle] <= time:
            low = middle
        else:
            high = middle
    if zones.offset[low] != offset:
        return time, time + 1
    begin = zones.moment[low]
    if low > zones.start[0]:
        begin += max(0, zones.offset[low - 1] - zones.offset[low])
    if time < begin:
        return time, time + 1
    past = zones.moment[low + 1] if low + 1 < zones.start[1] else NEVER
    return begin, past
