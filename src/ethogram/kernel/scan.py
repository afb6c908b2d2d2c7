"""The hot path: a customer's events through the operations of their codes.

The commonest forms of feeding an accumulator are handled here, on tables held in local names; all others go to
`accumulate.feed`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ethogram.kernel.accumulate import TIED, added, feed
from ethogram.kernel.calendar import DAY, Zones, local_time_standing
from ethogram.kernel.compiling import compiled
from ethogram.kernel.conditions import conditions_hold, in_range, output_value
from ethogram.kernel.layout import (
    ABREAST,
    ADD,
    ATOM_SINCE,
    ATOM_UNTIL,
    CHECK_FIRST,
    CHECK_PAST,
    CHECK_WINDOW,
    DAYS,
    DIRTY,
    EVENT_SHIFT,
    EXTRA,
    FIRST_TIME_SEEN,
    GREATEST,
    LATEST,
    LEAST,
    LEAST_VALUE,
    LINK_STEP,
    LINK_STEPS,
    LINK_WITHIN,
    LOAD_CAREFUL,
    LOAD_LONGEST,
    LOAD_PLAIN,
    LOAD_STEPS,
    MASK,
    MOMENT,
    NEVER,
    NULL,
    OP_FORM,
    OP_SLOT,
    OP_VALUE,
    OPERATION,
    OTHER,
    PRESENT,
    STEADY_FROM,
    STEADY_OFFSET,
    STEADY_UNTIL,
    TAIL,
    VALUE,
    Integers,
    Program,
    Scratch,
    Tape,
)
from ethogram.kernel.machine import wake
from ethogram.kernel.tables import fetch
from ethogram.kernel.windows import next_edge

AHEAD = 8
"""So many events before it is needed a list is fetched."""
LEAST_NUMBER = np.uint64(LEAST_VALUE % 2**64)


@compiled
def scan(
    tape: Tape, program: Program, zones: Zones, scratch: Scratch, u: int, as_of: int, level: int
) -> None:
    """Every event up to now through the operations of one level."""
    first, past = tape.spans[u, 0], _events_until(tape, u, as_of)
    if past < tape.spans[u, 1]:
        wake(scratch.state, tape.time[past], as_of)
    chunk = first if program.loads[level, LOAD_PLAIN] else past
    while chunk < past:
        following = _sort_out(tape, program, scratch, level, chunk, past)
        _take_presence(tape, program, scratch, PRESENT, chunk)
        _take_presence(tape, program, scratch, MOMENT, chunk)
        for form in range(ADD, LATEST + 1):
            _take_numbers(tape, program, scratch, form, chunk)
        _take_bits(tape, program, scratch, chunk)
        _take_days(tape, program, zones, scratch, chunk)
        for place in range(OTHER * len(scratch.pending), scratch.filled[OTHER]):
            event = chunk + (scratch.queues[place] >> EVENT_SHIFT)
            feed(tape, program, zones, scratch, scratch.queues[place] & OPERATION, event, tape.time[event])
        chunk = following
    if program.loads[level, LOAD_STEPS]:
        _follow(tape, program, scratch, first, past, level)
    if program.loads[level, LOAD_CAREFUL]:
        _carefully(tape, program, zones, scratch, first, past, as_of, level)


@compiled
def _events_until(tape: Tape, u: int, as_of: int) -> int:
    """The first of a customer's events after now, or the place past them all."""
    low, high = tape.spans[u, 0], tape.spans[u, 1]
    if low == high or tape.time[high - 1] <= as_of:
        return high
    while low < high:
        middle = (low + high) >> 1
        if tape.time[middle] <= as_of:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _sort_out(tape: Tape, program: Program, scratch: Scratch, level: int, chunk: int, past: int) -> int:
    """What the events from `chunk` on do, as far as there is room, by the form of feeding: its queue gets a number for each
    operation that an event passes, the operation below, the event counted from `chunk` above. The first event that is left."""
    pending, starts, ages = scratch.pending, scratch.starts, len(scratch.starts) - 1
    times, codes, lists, operations = tape.time, tape.code, program.lists, program.operations
    room = len(pending) - program.loads[level, LOAD_LONGEST] - ABREAST
    size, age, event, last = 0, 0, chunk, len(codes) - 1
    while event < past and size <= room:
        time = times[event]
        while starts[age] <= time:
            age += 1
        coming = lists[level, codes[min(event + AHEAD, last)]]
        fetch(operations, coming - ages)
        fetch(operations, coming + 3 + ABREAST)
        begin = lists[level, codes[event]]
        count, first = operations[begin - ages + age], begin + 3
        above = (event - chunk) << EVENT_SHIFT
        # several at once, since how many there are is hard to foresee; what is too much is written over
        for place in range(ABREAST):
            pending[size + place] = above | operations[first + place]
        for place in range(ABREAST, count):
            pending[size + place] = above | operations[first + place]
        size += count
        event += 1
    _distribute(tape, program, scratch, chunk, size)
    return event


@compiled
def _distribute(tape: Tape, program: Program, scratch: Scratch, chunk: int, size: int) -> None:
    """Those of the pending operations whose window and range hold the event, into queues."""
    ops, ranges, opens = program.ops, program.ranges, scratch.opens
    pending, queues, filled = scratch.pending, scratch.queues, scratch.filled
    times, flat = tape.time, tape.flat
    for form in range(len(filled)):
        filled[form] = form * len(pending)
    for place in range(size):
        one = pending[place]
        op, event = one & OPERATION, chunk + (one >> EVENT_SHIFT)
        passes = in_range(flat, ops, ranges, op, event)
        if program.coarse:
            passes &= opens[op] <= times[event]
        form = ops[op, OP_FORM]
        at = filled[form]
        queues[at] = one
        filled[form] = at + passes


@compiled
def _note(table: Integers, dirty: NDArray[np.int32], touched: int, slot: int, time: int) -> int:
    """Sets the slot's first time and lists it where it is fresh; how many are listed. Without branches, since whether a
    slot is fresh is hard to foresee."""
    first = table[slot, FIRST_TIME_SEEN]
    dirty[touched] = slot
    table[slot, FIRST_TIME_SEEN] = _lower(first, time)
    return touched + (first == NULL)


@compiled
def _lower(left: int, right: int) -> int:
    """The lower of two numbers; a missing one is above all."""
    return np.int64(min(np.uint64(left) - LEAST_NUMBER, np.uint64(right) - LEAST_NUMBER) + LEAST_NUMBER)  # type: ignore[return-value]


@compiled
def _take_presence(tape: Tape, program: Program, scratch: Scratch, form: int, chunk: int) -> None:
    """PRESENT and MOMENT: how many events, and when the last was."""
    ops, table, dirty, state = program.ops, scratch.slots, scratch.dirty, scratch.state
    queues, times = scratch.queues, tape.time
    touched = state[DIRTY]
    for place in range(form * len(scratch.pending), scratch.filled[form]):
        one = queues[place]
        slot, time = ops[one & OPERATION, OP_SLOT], times[chunk + (one >> EVENT_SHIFT)]
        touched = _note(table, dirty, touched, slot, time)
        table[slot, VALUE] += 1
        table[slot, EXTRA] = time
    state[DIRTY] = touched


@compiled
def _take_numbers(tape: Tape, program: Program, scratch: Scratch, form: int, chunk: int) -> None:
    """ADD, GREATEST, LEAST, EARLIEST, LATEST; before the first number the value is 0 or missing."""
    ops, table, dirty, state = program.ops, scratch.slots, scratch.dirty, scratch.state
    queues, times, flat = scratch.queues, tape.time, tape.flat
    touched = state[DIRTY]
    for place in range(form * len(scratch.pending), scratch.filled[form]):
        one = queues[place]
        op, event = one & OPERATION, chunk + (one >> EVENT_SHIFT)
        value, slot = flat[ops[op, OP_VALUE], event], ops[op, OP_SLOT]
        if value == NULL:
            continue
        before, first = table[slot, VALUE], table[slot, FIRST_TIME_SEEN]
        touched = _note(table, dirty, touched, slot, times[event])
        if form == ADD:
            table[slot, VALUE] = added(scratch, 0 if before == NULL else before, value)
            table[slot, EXTRA] = 1 if first == NULL else table[slot, EXTRA] + 1
        elif form == GREATEST:
            table[slot, VALUE] = max(before, value)
        elif form == LEAST:
            table[slot, VALUE] = _lower(before, value)
        else:
            table[slot, VALUE] = value if first == NULL or form == LATEST else before
    state[DIRTY] = touched


@compiled
def _take_bits(tape: Tape, program: Program, scratch: Scratch, chunk: int) -> None:
    """MASK."""
    ops, table, dirty, state = program.ops, scratch.slots, scratch.dirty, scratch.state
    queues, times, coded, codes = scratch.queues, tape.time, tape.coded, tape.code
    touched = state[DIRTY]
    for place in range(MASK * len(scratch.pending), scratch.filled[MASK]):
        one = queues[place]
        op, event = one & OPERATION, chunk + (one >> EVENT_SHIFT)
        value, slot = coded[ops[op, OP_VALUE], codes[event]], ops[op, OP_SLOT]
        if value != NULL:
            touched = _note(table, dirty, touched, slot, times[event])
            table[slot, VALUE] |= np.int64(1) << value
    state[DIRTY] = touched


@compiled
def _take_days(tape: Tape, program: Program, zones: Zones, scratch: Scratch, chunk: int) -> None:
    """DAYS: how many, and the last."""
    ops, table, dirty, state = program.ops, scratch.slots, scratch.dirty, scratch.state
    queues, times = scratch.queues, tape.time
    touched = state[DIRTY]
    for place in range(DAYS * len(scratch.pending), scratch.filled[DAYS]):
        one = queues[place]
        slot, time = ops[one & OPERATION, OP_SLOT], times[chunk + (one >> EVENT_SHIFT)]
        day = _local_day(zones, state, time)
        fresh = table[slot, FIRST_TIME_SEEN] == NULL
        touched = _note(table, dirty, touched, slot, time)
        table[slot, VALUE] += fresh | (table[slot, EXTRA] != day)
        table[slot, EXTRA] = day
    state[DIRTY] = touched


@compiled
def _follow(tape: Tape, program: Program, scratch: Scratch, first: int, past: int, level: int) -> None:
    """The steps of sequences: for each the latest first moment of a chain that reaches it. A slot is touched by first steps
    alone, or where events are at the same moment; its EXTRA is the last link."""
    operations, ops, ranges, links = program.operations, program.ops, program.ranges, program.links
    table, dirty, chains, opens = scratch.slots, scratch.dirty, scratch.chains, scratch.opens
    times, codes, lists, flat = tape.time, tape.code, program.lists, tape.flat
    for link in range(len(links)):
        chains[link] = NULL
    touched, tied = scratch.state[DIRTY], first
    for event in range(first, past):
        time, begin = times[event], lists[level, codes[event]]
        steps = begin + 3 + operations[begin] + operations[begin + 1]
        tied = tied if times[tied] == time else event
        if tied < event or (event + 1 < past and times[event + 1] == time):
            scratch.state[DIRTY] = touched
            _tie(tape, program, scratch, event, tied, steps, steps + operations[begin + 2])
            touched = scratch.state[DIRTY]
        for place in range(steps, steps + operations[begin + 2]):
            op = operations[place]
            if opens[op] > time:
                break
            if not in_range(flat, ops, ranges, op, event):
                continue
            link = ops[op, OP_VALUE]
            if links[link, LINK_STEP] == 0:
                slot = ops[op, OP_SLOT]
                touched = _note(table, dirty, touched, slot, time)
                table[slot, EXTRA] = link + links[link, LINK_STEPS] - 1
                chains[link] = time
            else:
                # where there is none before, it stays NULL whatever the comparison says
                begun = chains[link - 1]
                chains[link] = max(chains[link], begun if time - begun <= links[link, LINK_WITHIN] else NULL)
    scratch.state[DIRTY] = touched


@compiled
def _tie(
    tape: Tape, program: Program, scratch: Scratch, event: int, tied: int, first: int, past: int
) -> None:
    """Marks the sequences of which an event of the same moment, one from `tied` on, is a step too."""
    operations, ops, table, time = program.operations, program.ops, scratch.slots, tape.time[event]
    for place in range(first, past):
        op = operations[place]
        if scratch.opens[op] > time or not in_range(tape.flat, ops, program.ranges, op, event):
            continue
        slot = ops[op, OP_SLOT]
        if tied <= table[slot, TAIL] < event:
            scratch.state[DIRTY] = _note(table, scratch.dirty, scratch.state[DIRTY], slot, time)
            table[slot, VALUE] = TIED
        table[slot, TAIL] = event


@compiled
def _carefully(
    tape: Tape,
    program: Program,
    zones: Zones,
    scratch: Scratch,
    first: int,
    past: int,
    as_of: int,
    level: int,
) -> None:
    """The operations with conditions."""
    operations = program.operations
    for event in range(first, past):
        begin, time = program.lists[level, tape.code[event]], tape.time[event]
        careful = begin + 3 + operations[begin]
        for place in range(careful, careful + operations[begin + 1]):
            op = operations[place]
            if _passes(tape, program, zones, scratch, op, event, time, as_of):
                feed(tape, program, zones, scratch, op, event, time)


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
