"""The hot path: a customer's events through the operations of their codes, and the outputs that these may change.

The commonest kinds of accumulators and instructions are handled here on arrays held in local names; all others go to
`accumulate.feed` and `machine.run_output`, calls that cost more than these kinds themselves.
"""

from __future__ import annotations

import numpy as np

from ethogram.kernel.accumulate import (
    COUNT,
    DID,
    DISTINCT_FEW,
    FIRST_VALUE,
    LAST_TIME,
    LAST_VALUE,
    MAX,
    MEDIAN,
    MIN,
    MOST_FREQUENT,
    PERIODS,
    SEQUENCE,
    STREAK,
    feed,
    settle,
)
from ethogram.kernel.calendar import DAY, UNIT_DAY, Zones, local_time_standing
from ethogram.kernel.compiling import compiled
from ethogram.kernel.conditions import conditions_hold, output_value
from ethogram.kernel.layout import (
    ARENA,
    ARENA_FULL,
    BEGIN,
    CAREFUL,
    DIRTY,
    DUE,
    EXTRA,
    FIRST_TIME_SEEN,
    FLAT,
    IF_COLUMN,
    IF_HIGH,
    IF_KIND,
    IF_LOW,
    IN_RANGE,
    NOT_UNDONE,
    NULL,
    OP_BIT,
    OP_COLUMN,
    OP_FIRST,
    OP_HIGH,
    OP_KIND,
    OP_LOW,
    OP_PAST,
    OP_SLOT,
    OP_WINDOW,
    OUT_CODE,
    OUT_CODE_END,
    OUT_LEVEL,
    OVERFLOW,
    SLOT_COLUMN,
    SLOT_KIND,
    SLOT_NUMBER,
    SLOT_OUTS,
    SLOT_OUTS_END,
    SLOT_PLACE,
    SLOT_SCALE,
    SLOT_SINCE,
    SLOT_UNTIL,
    SLOT_WINDOW,
    SLOT_ZERO,
    STAMP,
    STATUS,
    TAIL,
    TICK,
    VALUE,
    WINDOW_MICROS,
    People,
    Program,
    Scratch,
    Tape,
)
from ethogram.kernel.machine import (
    AND_JUMP,
    CONST,
    ELAPSED_COMPARE,
    IS_TRUE,
    NOT,
    OR_JUMP,
    OUT,
    SLOT,
    SLOT_COMPARE,
    compares,
    run_output,
    wake,
)
from ethogram.kernel.windows import next_edge

EMPTY = -1


@compiled
def _moment_bounds(program: Program, scratch: Scratch, slot: int, window: int) -> tuple[int, int]:
    """The window narrowed by computed moments; a missing moment empties it."""
    low, high = scratch.bounds[window, 0], scratch.bounds[window, 1]
    since, until = program.slots[slot, SLOT_SINCE], program.slots[slot, SLOT_UNTIL]
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
def scan(
    tape: Tape, program: Program, zones: Zones, scratch: Scratch, u: int, as_of: int, level: int
) -> None:
    """Every event up to now through the operations of one level."""
    ops, dispatch, slots, conditions = program.ops, program.dispatch, program.slots, program.conditions
    bounds, table, state, dirty = scratch.bounds, scratch.slots, scratch.state, scratch.dirty
    times, codes, flat, coded = tape.time, tape.code, tape.flat, tape.coded
    arena = scratch.arena
    windows, parts = program.windows, program.parts
    tick, touched = state[TICK], state[DIRTY]
    first_row = level * coded.shape[1]
    steady, until, offset = 1, 0, 0
    for event in range(tape.spans[u, 0], tape.spans[u, 1]):
        time = times[event]
        if time > as_of:
            wake(state, time, as_of)
            break
        row = first_row + codes[event]
        careful, past = dispatch[row, CAREFUL], dispatch[row + 1, BEGIN]
        op = dispatch[row, BEGIN] - 1
        while True:
            op += 1
            if op >= past:
                break
            window = ops[op, OP_WINDOW]
            low = bounds[window, 0]
            if op < careful and low > time:
                op = careful - 1
                continue
            column = ops[op, OP_COLUMN]
            if column >= 0:
                value = flat[column, event]
                if value < ops[op, OP_LOW] or value > ops[op, OP_HIGH]:
                    continue
            slot, kind = ops[op, OP_SLOT], ops[op, OP_KIND]
            if op >= careful:
                high = bounds[window, 1]
                if slots[slot, SLOT_SINCE] >= 0 or slots[slot, SLOT_UNTIL] >= 0:
                    low, high = _moment_bounds(program, scratch, slot, window)
                if time < low:
                    continue
                if time > high:
                    wake(state, next_edge(windows, parts, zones, window, time, as_of), as_of)
                    continue
                holds = True
                for condition in range(ops[op, OP_FIRST], ops[op, OP_PAST]):
                    form = conditions[condition, IF_KIND]
                    if form == IN_RANGE:
                        value = flat[conditions[condition, IF_COLUMN], event]
                        holds = conditions[condition, IF_LOW] <= value <= conditions[condition, IF_HIGH]
                    elif form == NOT_UNDONE:
                        value = flat[conditions[condition, IF_COLUMN], event]
                        holds = value == NULL or value > as_of
                    else:
                        holds = conditions_hold(
                            tape, program, zones, scratch, condition, condition + 1, event, as_of
                        )
                    if not holds:
                        break
                if not holds:
                    continue
            value = NULL
            if kind == DID or kind == COUNT or kind == LAST_TIME:
                value = 1
            elif kind == DISTINCT_FEW:
                value = coded[slots[slot, SLOT_COLUMN], codes[event]]
                if value != NULL:
                    value = np.int64(1) << value
            elif slots[slot, SLOT_PLACE] == FLAT and kind != SEQUENCE:
                value = flat[slots[slot, SLOT_COLUMN], event]
            elif kind == PERIODS and slots[slot, SLOT_NUMBER] == UNIT_DAY:
                if not steady <= time < until:
                    offset = local_time_standing(time, 0, zones) - time
                    steady, until = _steady(zones, time, offset)
                value = (time + offset) // DAY
            else:
                state[DIRTY] = touched
                feed(tape, program, zones, scratch, slot, kind, ops[op, OP_BIT], event, time)
                touched = state[DIRTY]
                continue
            if value == NULL:
                continue
            if table[slot, STAMP] != tick:
                table[slot, STAMP], table[slot, FIRST_TIME_SEEN] = tick, time
                table[slot, VALUE], table[slot, EXTRA], table[slot, TAIL] = 0, 0, EMPTY
                dirty[touched] = slot
                touched += 1
                if kind == MAX or kind == MIN or kind == FIRST_VALUE:
                    table[slot, VALUE] = value
                elif kind == PERIODS:
                    table[slot, EXTRA] = value - 1
            if kind == COUNT:
                table[slot, VALUE] += 1
            elif kind == DID:
                table[slot, VALUE], table[slot, EXTRA] = 1, time
            elif kind == LAST_TIME:
                table[slot, VALUE] = time
            elif kind == DISTINCT_FEW:
                table[slot, VALUE] |= value
            elif kind == MAX:
                if value > table[slot, VALUE]:
                    table[slot, VALUE] = value
            elif kind == PERIODS:
                if table[slot, EXTRA] != value:
                    table[slot, VALUE] += 1
                    table[slot, EXTRA] = value
            elif kind == MIN:
                if value < table[slot, VALUE]:
                    table[slot, VALUE] = value
            elif kind == LAST_VALUE:
                table[slot, VALUE] = value
            elif kind >= MEDIAN:
                cell = state[ARENA]
                if cell + 2 > len(arena):
                    state[STATUS] = ARENA_FULL
                    break
                arena[cell, 0] = value
                arena[cell, 1] = table[slot, VALUE] if table[slot, EXTRA] else EMPTY
                if kind == MOST_FREQUENT:
                    arena[cell + 1, 0], arena[cell + 1, 1] = time, cell
                    cell += 1
                    table[slot, EXTRA] += 1
                table[slot, VALUE] = cell
                table[slot, EXTRA] += 1
                state[ARENA] = cell + 1
            elif kind != FIRST_VALUE:
                before = table[slot, VALUE]
                total = before + value
                if ((before ^ total) & (value ^ total)) < 0 or total == NULL:
                    state[STATUS] = OVERFLOW
                table[slot, VALUE] = total
                table[slot, EXTRA] += 1
    state[DIRTY] = touched


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
    past = zones.moment[low + 1] if low + 1 < zones.start[1] else NULL ^ -1
    return begin, past


@compiled
def settle_touched(
    tape: Tape, program: Program, zones: Zones, scratch: Scratch, as_of: int, begin: int
) -> None:
    """Values of the slots touched since `begin`, the moments they lapse, and the outputs they may change."""
    table, dirty, state, candidates = scratch.slots, scratch.dirty, scratch.state, scratch.candidates
    slots, windows, triggered = program.slots, program.windows, program.triggered
    due = state[DUE]
    for k in range(begin, state[DIRTY]):
        slot = dirty[k]
        kind = slots[slot, SLOT_KIND]
        reference = table[slot, FIRST_TIME_SEEN]
        if kind == DID:
            reference = table[slot, EXTRA]
        elif kind == LAST_TIME:
            reference = table[slot, VALUE]
        elif kind == DISTINCT_FEW:
            mask, count = table[slot, VALUE], 0
            while mask:
                mask &= mask - 1
                count += 1
            table[slot, VALUE] = count
        elif kind >= STREAK:
            state[DUE] = due
            settle(tape, program, zones, scratch, slot, kind, as_of)
            due = state[DUE]
        window = slots[slot, SLOT_WINDOW]
        micros = windows[window, WINDOW_MICROS]
        if micros != 0:
            at = reference + micros
            if micros < 0:
                at = next_edge(windows, program.parts, zones, window, reference, as_of)
            if as_of < at < due:
                due = at
        for place in range(slots[slot, SLOT_OUTS], slots[slot, SLOT_OUTS_END]):
            out = triggered[place]
            candidates[out >> 6] |= np.uint64(1) << np.uint64(out & 63)
    state[DUE] = due


@compiled
def run_candidates(
    tape: Tape,
    people: People,
    program: Program,
    zones: Zones,
    scratch: Scratch,
    u: int,
    as_of: int,
    level: int,
) -> None:
    """The outputs of a level that what was touched may change."""
    candidates, outs, table, state = scratch.candidates, scratch.outs, scratch.slots, scratch.state
    ins, constants, slots, codes = program.ins, program.constants, program.slots, program.outs
    defaults, stack = program.defaults, scratch.stack
    tick = state[TICK]
    for word in range(len(candidates)):
        bits = candidates[word]
        out = word * 64 - 1
        while bits:
            shift = _trailing_zeros(bits)
            bits >>= np.uint64(shift)
            bits >>= np.uint64(1)
            out += shift + 1
            if codes[out, OUT_LEVEL] != level:
                continue
            begin, past = codes[out, OUT_CODE], codes[out, OUT_CODE_END]
            at, top, simple = begin, -1, True
            while at < past:
                op, a = ins[at, 0], ins[at, 1]
                if op == SLOT_COMPARE or op == SLOT:
                    if table[a, STAMP] == tick:
                        value = table[a, VALUE]
                        if value != NULL:
                            value *= slots[a, SLOT_SCALE]
                    else:
                        value = 0 if slots[a, SLOT_ZERO] else NULL
                    top += 1
                    if op == SLOT_COMPARE:
                        stack[top] = value != NULL and compares(ins[at, 2], value, constants[ins[at, 3]])
                    else:
                        stack[top] = value
                elif op == AND_JUMP:
                    if stack[top] == 0:
                        at = begin + a - 1
                    else:
                        top -= 1
                elif op == OR_JUMP:
                    if stack[top] == 1:
                        at = begin + a - 1
                    else:
                        top -= 1
                elif op == NOT:
                    stack[top] = 1 - stack[top]
                elif op == CONST:
                    top += 1
                    stack[top] = constants[a]
                elif op == IS_TRUE:
                    stack[top] = stack[top] == 1
                elif op == OUT:
                    top += 1
                    stack[top] = outs[a, VALUE] if outs[a, STAMP] == tick else defaults[a]
                elif op == ELAPSED_COMPARE:
                    top -= 1
                    moment, number = stack[top], stack[top + 1]
                    stack[top] = 0
                    if moment != NULL and number != NULL:
                        unit, sign = ins[at, 2], ins[at, 3]
                        limit = 2**61 // unit
                        length = min(max(number, -limit), limit) * unit
                        turning = moment + length * sign
                        if turning > as_of and turning < state[DUE]:
                            state[DUE] = turning
                        if turning + 1 > as_of and turning + 1 < state[DUE]:
                            state[DUE] = turning + 1
                        stack[top] = compares(a, (as_of - moment) * sign, length)
                else:
                    simple = False
                    break
                at += 1
            if simple:
                outs[out, VALUE] = stack[0]
            else:
                outs[out, VALUE] = run_output(tape, people, program, zones, scratch, u, as_of, out)
            outs[out, STAMP] = tick


@compiled
def _trailing_zeros(bits: np.uint64) -> int:
    """Of a number that is not 0."""
    count = 0
    if not bits & np.uint64(0xFFFFFFFF):
        count += 32
        bits >>= np.uint64(32)
    if not bits & np.uint64(0xFFFF):
        count += 16
        bits >>= np.uint64(16)
    if not bits & np.uint64(0xFF):
        count += 8
        bits >>= np.uint64(8)
    if not bits & np.uint64(0xF):
        count += 4
        bits >>= np.uint64(4)
    if not bits & np.uint64(0x3):
        count += 2
        bits >>= np.uint64(2)
    if not bits & np.uint64(0x1):
        count += 1
    return count
