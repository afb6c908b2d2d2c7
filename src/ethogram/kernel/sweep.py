"""Sizes at many moments in one pass over the tape.

For a customer, what a condition says at each of the moments is a row of bits; and, or, not of conditions are those of the
rows. An event changes a slot's value where it enters the window and where it leaves it, so that a slot is looked at a few
times, not once a moment. Rows of customers are added up in counters that lie across words: bit b of the words of level l
stands for 2^l people at moment b.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

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
from ethogram.kernel.compiling import compiled, entry
from ethogram.kernel.conditions import in_range, value_at
from ethogram.kernel.layout import (
    ATOM_COLUMN,
    ATOM_NUMBER,
    ATOM_PLACE,
    BORN,
    EMPTY,
    LEAST_VALUE,
    NEVER,
    NULL,
    OP_SLOT,
    SLOT_KIND,
    TEST_HIGH,
    TEST_LOW,
    TEST_TURN,
    Integers,
    Program,
    Tape,
)
from ethogram.kernel.outputs import EVERY, ONE, first_bit, mark, ones, run_bits
from ethogram.kernel.tables import address, heads, opener

SWEEPABLE = (DID, COUNT, SUM, MIN, MAX, FIRST_TIME, LAST_TIME, PERIODS, DISTINCT_FEW)

# Sweeping.queues: of each slot the events in its window, oldest first, and what they come to
HEAD, TAIL, SIZE, TOTAL, AT = range(5)
# Sweeping.arena: an event in a slot's queue
CELL_TIME, CELL_VALUE, CELL_LEAVES, CELL_NEXT = range(4)


class Rules(NamedTuple):
    """`moments` ascend, `step` apart or, where that is 0, at any distance. `tests` are as `Program.tests`; `slot_tests` has
    rows (first, past) of them, by slot; `codes` rows (first, past) of `code`, by output; `triggered` rows (first, past) of
    `outs`, by slot. `defaults` and `fresh` are what outputs and tests say of people without events.

    `reaching` slots only grow with events in their window, and all their tests ask whether they have reached something:
    what such a test says follows from the newest events alone, without a queue. `steps` are the lengths of windows in
    moments, 0 where they are none.
    """

    moments: Integers
    step: int
    tests: Annotated[Integers, 4]
    slot_tests: Annotated[Integers, 2]
    reaching: Integers
    steps: Integers
    code: Annotated[Integers, 2]
    codes: Annotated[Integers, 2]
    triggered: Annotated[Integers, 2]
    outs: Integers
    defaults: NDArray[np.uint64]
    fresh: NDArray[np.uint64]


class Sweeping(NamedTuple):
    """Working memory, and what is found: `known` has how many people are known from each moment on, `counters` where an
    output differs from its default, rows of words by (output, level)."""

    queues: Annotated[Integers, 5]
    stamps: Integers
    touched: Integers
    arena: Annotated[Integers, 4]
    masks: NDArray[np.uint64]
    stack: NDArray[np.uint64]
    full: NDArray[np.uint64]
    candidates: NDArray[np.uint64]
    known: Integers
    counters: NDArray[np.uint64]


def sweeping(program: Program, rules: Rules, people: int, arena: int) -> Sweeping:
    slots, words = len(program.slots), rules.defaults.shape[1]
    outs = len(rules.codes)
    levels = people.bit_length() + 1
    return Sweeping(
        queues=np.zeros((slots, 5), np.int64),
        stamps=np.zeros(slots, np.int64),
        touched=np.zeros(slots + 1, np.int64),
        arena=np.zeros((arena, 4), np.int64),
        masks=rules.fresh.copy(),
        stack=np.zeros((len(rules.code) + 1, words), np.uint64),
        full=np.zeros((1, words), np.uint64),
        candidates=np.zeros(outs // 64 + 1, np.uint64),
        known=np.zeros(len(rules.moments) + 1, np.int64),
        counters=np.zeros((outs * levels, words), np.uint64),
    )


@compiled
def _place(rules: Rules, time: int) -> int:
    """How many of the moments are before a time."""
    moments, end = rules.moments, len(rules.moments)
    if time <= moments[0]:
        return 0
    if rules.step > 0:
        return min(end, (time - moments[0] - 1) // rules.step + 1)
    low, high = 0, end
    while low < high:
        middle = (low + high) >> 1
        if moments[middle] < time:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _fill(rows: NDArray[np.uint64], row: int, first: int, past: int) -> None:
    """Sets the bits [first, past) of a row."""
    for word in range(first >> 6, (past + 63) >> 6):
        low, high = max(first - word * 64, 0), min(past - word * 64, 64)
        rows[row, word] |= (EVERY >> np.uint64(64 - (high - low))) << np.uint64(low)


@compiled
def _holds_for(rules: Rules, work: Sweeping, slot: int, value: int, first: int, past: int) -> None:
    """The slot has this value at the moments [first, past)."""
    tests = rules.tests
    if value == NULL or first >= past:
        return
    for test in range(rules.slot_tests[slot, 0], rules.slot_tests[slot, 1]):
        low, high = tests[test, TEST_LOW], tests[test, TEST_HIGH]
        if tests[test, TEST_TURN] == NULL:
            if low <= value <= high:
                _fill(work.masks, test, first, past)
            continue
        begin = first if high == NEVER else max(first, _place(rules, value - high))
        end = past if low == LEAST_VALUE else min(past, _place(rules, value - low + 1))
        if begin < end:
            _fill(work.masks, test, begin, end)


@compiled
def _value(program: Program, work: Sweeping, slot: int) -> int:
    """The slot's value with the events in its queue."""
    queues, arena = work.queues, work.arena
    kind = program.slots[slot, SLOT_KIND]
    if queues[slot, SIZE] == 0:
        return program.empties[slot]
    total = queues[slot, TOTAL]
    if kind == COUNT:
        return queues[slot, SIZE] * MILLION
    if kind == DID:
        return 1
    if kind == LAST_TIME:
        return arena[queues[slot, TAIL], CELL_TIME]
    if kind == FIRST_TIME:
        return arena[queues[slot, HEAD], CELL_TIME]
    if kind == PERIODS:
        return total * MILLION
    if kind == DISTINCT_FEW:
        return ones(total) * MILLION
    return total


@compiled
def _joined(kind: int, total: int, value: int) -> int:
    if kind == MAX:
        return max(total, value)
    if kind == MIN:
        return min(total, value)
    return total | value


@compiled
def _leave(program: Program, work: Sweeping, slot: int) -> None:
    """Takes the oldest event from the slot's queue."""
    queues, arena = work.queues, work.arena
    kind = program.slots[slot, SLOT_KIND]
    cell = queues[slot, HEAD]
    value, following = arena[cell, CELL_VALUE], arena[cell, CELL_NEXT]
    queues[slot, HEAD] = following
    queues[slot, SIZE] -= 1
    if queues[slot, SIZE] == 0:
        return
    if kind == SUM:
        queues[slot, TOTAL] -= value
    elif kind == PERIODS:
        queues[slot, TOTAL] -= arena[following, CELL_VALUE] != value
    elif kind == DISTINCT_FEW or ((kind == MAX or kind == MIN) and value == queues[slot, TOTAL]):
        total = arena[following, CELL_VALUE]
        for _ in range(queues[slot, SIZE] - 1):
            following = arena[following, CELL_NEXT]
            total = _joined(kind, total, arena[following, CELL_VALUE])
        queues[slot, TOTAL] = total


@compiled
def _advance(program: Program, rules: Rules, work: Sweeping, slot: int, past: int) -> None:
    """What the slot's tests say up to a moment, while its events leave."""
    queues, arena = work.queues, work.arena
    at = queues[slot, AT]
    while at < past:
        following = past
        if queues[slot, SIZE]:
            following = min(past, arena[queues[slot, HEAD], CELL_LEAVES])
        if following > at:
            _holds_for(rules, work, slot, _value(program, work, slot), at, following)
            at = following
        while queues[slot, SIZE] and arena[queues[slot, HEAD], CELL_LEAVES] <= at:
            _leave(program, work, slot)
    queues[slot, AT] = at


@compiled
def _enter(program: Program, work: Sweeping, slot: int, cell: int) -> None:
    """Adds an event to the slot's queue."""
    queues, arena = work.queues, work.arena
    kind, value = program.slots[slot, SLOT_KIND], arena[cell, CELL_VALUE]
    size = queues[slot, SIZE]
    if size == 0:
        queues[slot, HEAD] = cell
        queues[slot, TOTAL] = 1 if kind == PERIODS else value
    else:
        newest = queues[slot, TAIL]
        arena[newest, CELL_NEXT] = cell
        if kind == SUM:
            queues[slot, TOTAL] += value
        elif kind == PERIODS:
            queues[slot, TOTAL] += arena[newest, CELL_VALUE] != value
        else:
            queues[slot, TOTAL] = _joined(kind, queues[slot, TOTAL], value)
    queues[slot, TAIL] = cell
    queues[slot, SIZE] = size + 1


@compiled
def _reach(program: Program, rules: Rules, work: Sweeping, slot: int, newest: int, enters: int) -> None:
    """From the moment an event enters until the first of the newest events that together reach a test's limit leaves, the
    test holds; `CELL_NEXT` leads to earlier events."""
    arena, tests = work.arena, rules.tests
    kind = program.slots[slot, SLOT_KIND]
    for test in range(rules.slot_tests[slot, 0], rules.slot_tests[slot, 1]):
        low, high = tests[test, TEST_LOW], tests[test, TEST_HIGH]
        if kind == LAST_TIME:
            leaves = min(arena[newest, CELL_LEAVES], _place(rules, arena[newest, CELL_TIME] - low + 1))
            if leaves > enters:
                _fill(work.masks, test, enters, leaves)
            continue
        cell, total, before = newest, 0, NULL
        while cell != EMPTY and arena[cell, CELL_LEAVES] > enters:
            value = arena[cell, CELL_VALUE]
            reached = total
            if kind == SUM:
                total += value
                reached = total
            elif kind == MAX or kind == MIN:
                reached = value
            elif kind == DISTINCT_FEW:
                total |= value
                reached = ones(total) * MILLION
            elif kind == DID:
                reached = 1
            else:
                total += 1 if kind == COUNT or value != before else 0
                before = value
                reached = total * MILLION
            if low <= reached <= high:
                _fill(work.masks, test, enters, arena[cell, CELL_LEAVES])
                break
            if kind == MAX or kind == MIN:
                break
            cell = arena[cell, CELL_NEXT]


@compiled
def _contribution(tape: Tape, program: Program, zones: Zones, slot: int, event: int, time: int) -> int:
    """What an event gives to a slot; NULL is nothing."""
    kind = program.slots[slot, SLOT_KIND]
    if kind == DID or kind == COUNT or kind == FIRST_TIME or kind == LAST_TIME:
        return 0
    if kind == PERIODS:
        return period_at(time, program.atoms[slot, ATOM_NUMBER], 0, zones)
    value = value_at(tape, program.atoms[slot, ATOM_PLACE], program.atoms[slot, ATOM_COLUMN], event, 0)
    if kind == DISTINCT_FEW and value != NULL:
        return np.int64(1) << value  # type: ignore[return-value]
    return value


@compiled
def _events(tape: Tape, program: Program, zones: Zones, rules: Rules, work: Sweeping, u: int) -> int:
    """The customer's events through the queues; how many slots they touched, or -1 where the arena is too small."""
    operations, ops, ranges, lists = program.operations, program.ops, program.ranges, program.lists
    arena, queues = work.arena, work.queues
    end = len(rules.moments)
    cells, count = 0, 0
    for event in range(tape.spans[u, 0], tape.spans[u, 1]):
        time = tape.time[event]
        enters = _place(rules, time)
        if enters == end:
            break
        ahead = enters
        if enters == 0 and rules.step > 0:
            ahead = -((rules.moments[0] - time) // rules.step)
        begin = lists[0, tape.code[event]]
        for number in range(begin + 2, begin + 2 + operations[begin]):
            op = operations[number]
            slot = ops[op, OP_SLOT]
            if rules.slot_tests[slot, 0] == rules.slot_tests[slot, 1]:
                continue
            if not in_range(tape.flat, ops, ranges, op, event):
                continue
            length = program.lengths[slot]
            leaves = end
            if rules.steps[slot] > 0:
                leaves = min(end, ahead + rules.steps[slot])
            elif length > 0:
                leaves = _place(rules, time + length)
            if leaves <= 0:
                continue
            value = _contribution(tape, program, zones, slot, event, time)
            if value == NULL:
                continue
            if work.stamps[slot] != u + 1:
                work.stamps[slot] = u + 1
                queues[slot, SIZE], queues[slot, AT], queues[slot, TAIL] = 0, 0, EMPTY
                for test in range(rules.slot_tests[slot, 0], rules.slot_tests[slot, 1]):
                    for word in range(work.full.shape[1]):
                        work.masks[test, word] = np.uint64(0)
                work.touched[count] = slot
                count += 1
            if cells == len(arena):
                return -1
            arena[cells, CELL_TIME], arena[cells, CELL_VALUE] = time, value
            arena[cells, CELL_LEAVES], arena[cells, CELL_NEXT] = leaves, EMPTY
            if rules.reaching[slot]:
                arena[cells, CELL_NEXT] = queues[slot, TAIL]
                queues[slot, TAIL] = cells
                _reach(program, rules, work, slot, cells, enters)
            else:
                _advance(program, rules, work, slot, enters)
                _enter(program, work, slot, cells)
            cells += 1
    return count


@compiled
def _count(rules: Rules, work: Sweeping, out: int, levels: int) -> None:
    """Evaluates an output and adds where it differs from the default."""
    stack, counters = work.stack, work.counters
    run_bits(rules.code, rules.codes[out, 0], rules.codes[out, 1], work.masks, stack)
    for word in range(work.full.shape[1]):
        carry = (stack[0, word] ^ rules.defaults[out, word]) & work.full[0, word]
        level = out * levels
        while carry:
            before = counters[level, word]
            counters[level, word] = before ^ carry
            carry &= before
            level += 1


_TAPE, _PROGRAM, _ZONES = opener(Tape), opener(Program), opener(Zones)
_RULES, _SWEEPING = opener(Rules), opener(Sweeping)


def sweep(tape: Tape, program: Program, zones: Zones, rules: Rules, work: Sweeping, begin: int) -> int:
    """Counts the customers from position `begin` on; how many are done, fewer than all where the arena was too small."""
    all_heads = [heads(tables) for tables in (tape, program, zones, rules, work)]
    addresses = [address(one) for one in all_heads]
    return sweep_by_address(addresses[0], addresses[1], addresses[2], addresses[3], addresses[4], begin)


@entry
def sweep_by_address(
    tape_at: int, program_at: int, zones_at: int, rules_at: int, work_at: int, begin: int
) -> int:
    tape, program, zones = _TAPE(tape_at), _PROGRAM(program_at), _ZONES(zones_at)
    rules, work = _RULES(rules_at), _SWEEPING(work_at)
    end, outs = len(rules.moments), len(rules.codes)
    levels = len(work.counters) // max(1, outs)
    for slot in range(len(work.stamps)):
        work.stamps[slot] = 0
    for u in range(begin, len(tape.births)):
        born = _place(rules, tape.births[u, BORN])
        if born == end:
            continue
        count = _events(tape, program, zones, rules, work, u)
        if count < 0:
            return u
        work.known[born] += 1
        if count == 0:
            continue
        for word in range(work.full.shape[1]):
            work.full[0, word] = np.uint64(0)
        _fill(work.full, 0, born, end)
        for k in range(count):
            slot = work.touched[k]
            if not rules.reaching[slot]:
                _advance(program, rules, work, slot, end)
            mark(work.candidates, rules.outs, rules.triggered[slot, 0], rules.triggered[slot, 1])
        for word in range(len(work.candidates)):
            bits = work.candidates[word]
            work.candidates[word] = np.uint64(0)
            while bits:
                _count(rules, work, word * 64 + first_bit(bits), levels)
                bits &= bits - ONE
        for k in range(count):
            slot = work.touched[k]
            for test in range(rules.slot_tests[slot, 0], rules.slot_tests[slot, 1]):
                for word in range(work.full.shape[1]):
                    work.masks[test, word] = rules.fresh[test, word]
    return len(tape.births)
