"""Sizes at many moments in one pass over the tape.

For a customer, what a condition says at each of the moments is a row of bits; and, or, not of conditions are those of the
rows. An event changes a slot's value where it enters the window and where it leaves it, so that a slot is looked at a few
times, not once a moment; sizes are kept as differences and added up in the end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.kernel.accumulate import (
    COUNT,
    DID,
    DISTINCT_FEW,
    FIRST_TIME,
    LAST_TIME,
    MAX,
    MIN,
    PERIODS,
    SUM,
)
from ethogram.kernel.arithmetic import MILLION
from ethogram.kernel.calendar import Zones, period_at
from ethogram.kernel.compiling import compiled_with_arrays as compiled
from ethogram.kernel.compiling import entry_with_arrays as entry
from ethogram.kernel.conditions import value_at
from ethogram.kernel.layout import (
    ATOM_COLUMN,
    ATOM_NUMBER,
    ATOM_PLACE,
    BITS_ALL,
    BITS_AND,
    BITS_NOT,
    BITS_TEST,
    BORN,
    HIGH,
    LEAST_VALUE,
    LOW,
    NEVER,
    NULL,
    OP_RANGE,
    OP_SLOT,
    SLOT_KIND,
    TEST_HIGH,
    TEST_LOW,
    TEST_TURN,
    Integers,
    Program,
    Tape,
)

SWEEPABLE = (DID, COUNT, SUM, MIN, MAX, FIRST_TIME, LAST_TIME, PERIODS, DISTINCT_FEW)
TIMES = (DID, COUNT, FIRST_TIME, LAST_TIME)


class Rules(NamedTuple):
    """`tests` has rows (low, high, turn) as `Program.tests`. `slot_tests` has rows (first, past) of `tests`, by slot; `codes` rows (first, past) of `code`, by output; `triggered`
    rows (first, past) of `outs`, by slot."""

    moments: Integers
    tests: Integers
    slot_tests: Integers
    code: Integers
    codes: Integers
    triggered: Integers
    outs: Integers


@compiled
def _place(moments: Integers, time: int) -> int:
    """How many of the moments are before a time."""
    low, high = 0, len(moments)
    while low < high:
        middle = (low + high) >> 1
        if moments[middle] < time:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _fill(row: NDArray[np.uint64], first: int, past: int) -> None:
    """Sets the bits [first, past)."""
    for word in range(first >> 6, (past + 63) >> 6):
        low, high = max(first - word * 64, 0), min(past - word * 64, 64)
        mask = ~np.uint64(0) if high == 64 else (np.uint64(1) << np.uint64(high)) - np.uint64(1)
        row[word] |= mask & ~((np.uint64(1) << np.uint64(low)) - np.uint64(1))


@compiled
def _test_piece(
    rules: Rules, slot: int, value: int, first: int, past: int, masks: NDArray[np.uint64]
) -> None:
    """The slot has this value at the moments [first, past)."""
    tests, moments = rules.tests, rules.moments
    if value == NULL:
        return
    for test in range(rules.slot_tests[slot, 0], rules.slot_tests[slot, 1]):
        low, high = tests[test, TEST_LOW], tests[test, TEST_HIGH]
        if tests[test, TEST_TURN] == NULL:
            if low <= value <= high:
                _fill(masks[test], first, past)
            continue
        begin = first if high == NEVER else max(first, _place(moments, value - high))
        end = past if low == LEAST_VALUE else min(past, _place(moments, value - low + 1))
        if begin < end:
            _fill(masks[test], begin, end)


@compiled
def _value(
    kind: int, empty: int, times: Integers, values: Integers, total: int, first: int, past: int
) -> int:
    """A slot's value over its events [first, past)."""
    if first == past:
        return empty
    if kind == COUNT:
        return (past - first) * MILLION
    if kind == DID:
        return 1
    if kind == SUM:
        return total
    if kind == LAST_TIME:
        return times[past - 1]
    if kind == FIRST_TIME:
        return times[first]
    if kind == PERIODS:
        return (values[past - 1] - values[first] + 1) * MILLION
    best = values[first]
    for k in range(first + 1, past):
        if kind == MAX:
            best = max(best, values[k])
        elif kind == MIN:
            best = min(best, values[k])
        else:
            best |= values[k]
    if kind == DISTINCT_FEW:
        count = 0
        while best:
            best &= best - 1
            count += 1
        return count * MILLION
    return best


@compiled
def _sweep_slot(
    program: Program,
    rules: Rules,
    slot: int,
    times: Integers,
    values: Integers,
    size: int,
    masks: NDArray[np.uint64],
) -> None:
    """Every value the slot takes, each with the moments it holds for."""
    slots, moments = program.slots, rules.moments
    kind, empty = slots[slot, SLOT_KIND], program.empties[slot]
    length = program.lengths[slot]
    for test in range(rules.slot_tests[slot, 0], rules.slot_tests[slot, 1]):
        masks[test] = 0
    end = len(moments)
    at, entering, leaving, total = 0, 0, 0, 0
    while at < end:
        enters = _place(moments, times[entering]) if entering < size else end
        leaves = end
        if leaving < entering and length > 0:
            leaves = _place(moments, times[leaving] + length)
        following = min(enters, leaves)
        if following > at:
            value = _value(kind, empty, times, values, total, leaving, entering)
            _test_piece(rules, slot, value, at, following, masks)
            at = following
        if at >= end:
            break
        if enters <= leaves:
            total += values[entering]
            entering += 1
        else:
            total -= values[leaving]
            leaving += 1


@compiled
def _contribution(
    tape: Tape, program: Program, zones: Zones, slot: int, kind: int, event: int, time: int
) -> int:
    """What an event gives to a slot; NULL is nothing."""
    if kind == DID or kind == COUNT or kind == FIRST_TIME or kind == LAST_TIME:
        return 0
    if kind == PERIODS:
        return period_at(time, program.atoms[slot, ATOM_NUMBER], 0, zones)
    value = value_at(tape, program.atoms[slot, ATOM_PLACE], program.atoms[slot, ATOM_COLUMN], event, 0)
    if kind == DISTINCT_FEW and value != NULL:
        return np.int64(1) << value  # type: ignore[return-value]
    return value


@entry
def sweep(
    tape: Tape,
    program: Program,
    zones: Zones,
    rules: Rules,
    defaults: NDArray[np.uint64],
    test_defaults: NDArray[np.uint64],
    longest: int,
    known: Integers,
    changes: NDArray[np.int64],
) -> None:
    """Adds every customer of the tape to `changes[output, moment]`, the differences between neighboring sizes, and to
    `known`, those of all customers. `defaults` and `test_defaults` are the bit rows of outputs and tests over an empty
    history; outputs that are not triggered are left out: they are the caller's to add. `longest` is the longest tape."""
    moments = rules.moments
    words = defaults.shape[1]
    slots, outs = len(program.slots), len(rules.codes)
    room = max(1, longest)
    head, size, stamp = np.zeros(slots, np.int64), np.zeros(slots, np.int64), np.zeros(slots, np.int64)
    out_stamp = np.zeros(outs, np.int64)
    touched = np.zeros(slots, np.int64)
    arena = np.zeros((1024, 3), np.int64)
    times, values = np.zeros(room, np.int64), np.zeros(room, np.int64)
    masks = test_defaults.copy()
    stack = np.zeros((64, words), np.uint64)
    full = np.zeros(words, np.uint64)
    operations, ops, ranges, flat = program.operations, program.ops, program.ranges, tape.flat
    end = len(moments)
    for u in range(len(tape.births)):
        born = _place(moments, tape.births[u, BORN])
        if born == end:
            continue
        known[born] += 1
        full[:] = 0
        _fill(full, born, end)
        cells, count = 0, 0
        for event in range(tape.spans[u, 0], tape.spans[u, 1]):
            time = tape.time[event]
            if time > moments[end - 1]:
                break
            begin = program.lists[0, tape.code[event]]
            for number in range(begin + 2, begin + 2 + operations[begin]):
                op = operations[number]
                slot = ops[op, OP_SLOT]
                kind = program.slots[slot, SLOT_KIND]
                length = program.lengths[slot]
                if length > 0 and time + length <= moments[0]:
                    continue
                column = ops[op, OP_RANGE]
                if column >= 0:
                    value = flat[column, event]
                    if value < ranges[op, LOW] or value > ranges[op, HIGH]:
                        continue
                given = _contribution(tape, program, zones, slot, kind, event, time)
                if given == NULL:
                    continue
                if stamp[slot] != u + 1:
                    stamp[slot] = u + 1
                    size[slot] = 0
                    head[slot] = -1
                    touched[count] = slot
                    count += 1
                if cells == len(arena):
                    larger = np.zeros((2 * cells, 3), np.int64)
                    larger[:cells] = arena
                    arena = larger
                arena[cells, 0], arena[cells, 1], arena[cells, 2] = time, given, head[slot]
                head[slot] = cells
                size[slot] += 1
                cells += 1
        for k in range(count):
            slot = touched[k]
            cell = head[slot]
            for place in range(size[slot] - 1, -1, -1):
                times[place], values[place] = arena[cell, 0], arena[cell, 1]
                cell = arena[cell, 2]
            if program.slots[slot, SLOT_KIND] == PERIODS:
                last, different = values[0], 0
                for place in range(size[slot]):
                    different += values[place] != last
                    last = values[place]
                    values[place] = different
            _sweep_slot(program, rules, slot, times, values, size[slot], masks)
        for k in range(count):
            slot = touched[k]
            for place in range(rules.triggered[slot, 0], rules.triggered[slot, 1]):
                out = rules.outs[place]
                if out_stamp[out] == u + 1:
                    continue
                out_stamp[out] = u + 1
                top = -1
                for at in range(rules.codes[out, 0], rules.codes[out, 1]):
                    op = rules.code[at, 0]
                    if op == BITS_TEST:
                        top += 1
                        stack[top] = masks[rules.code[at, 1]]
                    elif op == BITS_ALL:
                        top += 1
                        stack[top] = ~np.uint64(0) if rules.code[at, 1] else np.uint64(0)
                    elif op == BITS_NOT:
                        for word in range(words):
                            stack[top, word] = ~stack[top, word]
                    else:
                        top -= 1
                        for word in range(words):
                            if op == BITS_AND:
                                stack[top, word] &= stack[top + 1, word]
                            else:
                                stack[top, word] |= stack[top + 1, word]
                for word in range(words):
                    different = (stack[0, word] ^ defaults[out, word]) & full[word]
                    now = stack[0, word]
                    _add_differences(changes, out, word, different, now, end)
        for k in range(count):
            slot = touched[k]
            for test in range(rules.slot_tests[slot, 0], rules.slot_tests[slot, 1]):
                masks[test] = test_defaults[test]


@compiled
def _add_differences(
    changes: NDArray[np.int64], out: int, word: int, different: np.uint64, now: np.uint64, end: int
) -> None:
    """Where the bits differ from the default, one more or one less, run by run."""
    one = np.uint64(1)
    position = 0
    while different:
        while not different & one:
            different >>= one
            now >>= one
            position += 1
        gain = 1 if now & one else -1
        changes[out, word * 64 + position] += gain
        while different & one and (1 if now & one else -1) == gain:
            different >>= one
            now >>= one
            position += 1
            if position == 64:
                break
        changes[out, min(word * 64 + position, end)] -= gain
        if position == 64:
            break
