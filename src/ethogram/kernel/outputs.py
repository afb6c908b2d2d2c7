"""From what a scan touched to the outputs that it may change, and to the sheet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ethogram.kernel.accumulate import DISTINCT_FEW, STREAK, settle
from ethogram.kernel.calendar import Zones
from ethogram.kernel.compiling import compiled
from ethogram.kernel.layout import (
    ASK_HIGH,
    ASK_KIND,
    ASK_LENGTH,
    ASK_LOW,
    ASK_MORE,
    ASK_TEST,
    ASK_TURN,
    BITS_AND,
    BITS_CODE,
    BITS_CODE_END,
    BITS_NOT,
    BITS_OR,
    BITS_OUT,
    BITS_TEST,
    DIRTY,
    DUE,
    HIGH,
    LOW,
    MANNER_MOST,
    MANNER_REFERENCE,
    MANNER_SCALE,
    MANNER_SOURCE,
    NEVER,
    NULL,
    OUT_LEVEL,
    SLOT_MACHINE,
    SLOT_OUTS,
    SLOT_OUTS_END,
    SLOT_TESTS,
    SLOT_TESTS_END,
    SLOT_WINDOW,
    STAMP,
    TEST_TURN,
    TICK,
    TO_BITS,
    TO_GROUPS,
    TO_VALUES,
    VALUE,
    Integers,
    People,
    Program,
    Scratch,
    Sheet,
    Tape,
)
from ethogram.kernel.machine import run_output, wake
from ethogram.kernel.windows import next_edge

ONE = np.uint64(1)
EVERY = ~np.uint64(0)


@compiled
def mark(candidates: NDArray[np.uint64], triggered: Integers, first: int, past: int) -> None:
    """Sets the bits of the outputs `triggered[first:past]`."""
    for place in range(first, past):
        out = triggered[place]
        candidates[out >> 6] |= ONE << np.uint64(out & 63)


@compiled
def first_bit(bits: np.uint64) -> int:
    """The place of the lowest bit that is set."""
    below = np.int64((bits & (~bits + ONE)) - ONE)
    return ones(below)  # type: ignore[arg-type]


@compiled
def settle_touched(
    tape: Tape,
    program: Program,
    zones: Zones,
    scratch: Scratch,
    u: int,
    as_of: int,
    begin: int,
    position: int,
) -> None:
    """Values of the slots touched since `begin`, the moments they lapse, the tests they pass (where the answer goes to a
    position of the sheet), and the outputs they may change."""
    table, dirty, state = scratch.slots, scratch.dirty, scratch.state
    asked, manners, words = scratch.asked, program.manners, scratch.words
    lane = np.uint64(position & 63)
    others = ~(ONE << lane)
    due = state[DUE]
    # forms of feeding follow each other, so that only what differs within one is hard to foresee and has no branches
    for k in range(begin, state[DIRTY]):
        slot = dirty[k]
        kind = asked[slot, ASK_KIND]
        if kind == DISTINCT_FEW:
            table[slot, VALUE] = ones(table[slot, VALUE])
        elif kind >= STREAK:
            state[DUE] = due
            settle(tape, program, zones, scratch, slot, kind, u, as_of)
            due = state[DUE]
        value = min(table[slot, manners[kind, MANNER_SOURCE]], manners[kind, MANNER_MOST])
        value *= manners[kind, MANNER_SCALE]
        reference = table[slot, manners[kind, MANNER_REFERENCE]]
        table[slot, VALUE] = value
        leaves = reference + asked[slot, ASK_LENGTH]
        due = min(due, leaves if leaves > as_of else NEVER)
        if position >= 0:
            test, turn = asked[slot, ASK_TEST], asked[slot, ASK_TURN]
            holds = (asked[slot, ASK_LOW] <= value) & (value <= asked[slot, ASK_HIGH])
            words[test] = (words[test] & others) | (np.uint64(holds) << lane)
            # when that much time has passed, or right after
            turns = value + turn if (turn != NULL) & (value != NULL) else NULL
            turns += turns == as_of
            due = min(due, turns if turns > as_of else NEVER)
        if (asked[slot, ASK_MORE] != 0) | (position < 0):
            state[DUE] = due
            _settle_more(program, zones, scratch, slot, value, reference, as_of, position)
            due = state[DUE]
    state[DUE] = due


@compiled
def _settle_more(
    program: Program,
    zones: Zones,
    scratch: Scratch,
    slot: int,
    value: int,
    reference: int,
    as_of: int,
    position: int,
) -> None:
    """A slot with another window than a rolling one, with outputs for the machine, or with several tests."""
    state, slots, limits, words = scratch.state, program.slots, scratch.limits, scratch.words
    if program.lengths[slot] < 0:
        window = slots[slot, SLOT_WINDOW]
        wake(state, next_edge(program.windows, program.parts, zones, window, reference, as_of), as_of)
    outs = slots[slot, SLOT_OUTS] if position < 0 else slots[slot, SLOT_MACHINE]
    mark(scratch.candidates, program.triggered, outs, slots[slot, SLOT_OUTS_END])
    if position < 0:
        return
    bit = ONE << np.uint64(position & 63)
    for test in range(slots[slot, SLOT_TESTS] + 1, slots[slot, SLOT_TESTS_END]):
        holds = (limits[test, LOW] <= value) & (value <= limits[test, HIGH])
        words[test] = words[test] | bit if holds else words[test] & ~bit
        turn = program.tests[test, TEST_TURN]
        if turn != NULL and value != NULL:
            wake(state, value + turn, as_of)
            wake(state, value + turn + 1, as_of)


@compiled
def ones(mask: int) -> int:
    """How many bits are set."""
    bits = np.uint64(mask)
    bits -= (bits >> ONE) & np.uint64(0x5555555555555555)
    bits = (bits & np.uint64(0x3333333333333333)) + ((bits >> np.uint64(2)) & np.uint64(0x3333333333333333))
    bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((bits * np.uint64(0x0101010101010101)) >> np.uint64(56))  # type: ignore[return-value]


@compiled
def run_candidates(
    tape: Tape,
    people: People,
    program: Program,
    zones: Zones,
    scratch: Scratch,
    sheet: Sheet,
    u: int,
    as_of: int,
    level: int,
    position: int,
) -> None:
    """The outputs of a level that what was touched may change, into the sheet's position, if it is one."""
    candidates, outs, codes, defaults = scratch.candidates, scratch.outs, program.outs, program.defaults
    tick = scratch.state[TICK]
    for word in range(len(candidates)):
        bits = candidates[word]
        while bits:
            out = word * 64 + first_bit(bits)
            bits &= bits - ONE
            if codes[out, OUT_LEVEL] != level:
                continue
            value = run_output(tape, people, program, zones, scratch, u, as_of, out)
            outs[out, VALUE], outs[out, STAMP] = value, tick
            if position >= 0 and value != defaults[out]:
                _write(sheet, position, out, value)


@compiled
def _write(sheet: Sheet, position: int, out: int, value: int) -> None:
    """An answer that is not the default."""
    row = sheet.rows[out, TO_BITS]
    if row >= 0:
        one = ONE << np.uint64(position & 63)
        if value == 1:
            sheet.bits[row, position >> 6] |= one
        else:
            sheet.bits[row, position >> 6] &= ~one
    row = sheet.rows[out, TO_GROUPS]
    if row >= 0:
        sheet.groups[row, position] = value
    row = sheet.rows[out, TO_VALUES]
    if row >= 0:
        sheet.values[row, position] = value


@compiled
def write_unknown(sheet: Sheet, position: int) -> None:
    """The answers of someone not yet known: nothing."""
    one = ONE << np.uint64(position & 63)
    for row in range(len(sheet.bits)):
        sheet.bits[row, position >> 6] &= ~one
    for row in range(len(sheet.groups)):
        sheet.groups[row, position] = -1
    for row in range(len(sheet.values)):
        sheet.values[row, position] = NULL


@compiled
def open_words(scratch: Scratch) -> None:
    """The tests of 64 people without events."""
    for test in range(len(scratch.words)):
        scratch.words[test] = scratch.fresh_words[test]


@compiled
def _holding(program: Program, scratch: Scratch, first: int, past: int) -> np.uint64:
    """For whom of 64 people postfix code over the tests' words holds."""
    code, words, stack = program.bit_code, scratch.words, scratch.bit_stack
    top, below = EVERY, 0
    for at in range(first, past):
        what, number = code[at, 0], code[at, 1]
        if what == BITS_AND:
            below -= 1
            top &= stack[below]
        elif what == BITS_OR:
            below -= 1
            top |= stack[below]
        elif what == BITS_NOT:
            top = ~top
        else:
            stack[below] = top  # the lowest of them is what was there before the first
            below += 1
            top = words[number] if what == BITS_TEST else EVERY if number else np.uint64(0)
    return top


@compiled
def close_words(
    program: Program, scratch: Scratch, sheet: Sheet, position: int, lanes: np.uint64, known: np.uint64
) -> None:
    """The outputs that tests decide, for the people around a position whose bits are in `lanes`."""
    for row in range(len(program.bits)):
        holding = _holding(program, scratch, program.bits[row, BITS_CODE], program.bits[row, BITS_CODE_END])
        place = sheet.rows[program.bits[row, BITS_OUT], TO_BITS]
        before = sheet.bits[place, position >> 6]
        sheet.bits[place, position >> 6] = (before & ~lanes) | (holding & known)
