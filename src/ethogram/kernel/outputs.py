"""From what a scan touched to the outputs that it may change, and to the sheet."""

from __future__ import annotations

import numpy as np

from ethogram.kernel.accumulate import (
    COUNT,
    DID,
    DISTINCT_FEW,
    FIRST_TIME,
    LAST_TIME,
    PERIODS,
    STREAK,
    settle,
)
from ethogram.kernel.arithmetic import MILLION
from ethogram.kernel.calendar import Zones
from ethogram.kernel.compiling import compiled
from ethogram.kernel.layout import (
    ATOM_WINDOW,
    DIRTY,
    DUE,
    EXTRA,
    FIRST_TIME_SEEN,
    NULL,
    OUT_CODE,
    OUT_CODE_END,
    OUT_LEVEL,
    SLOT_KIND,
    SLOT_LENGTH,
    SLOT_OUTS,
    SLOT_OUTS_END,
    STAMP,
    TICK,
    TO_BITS,
    TO_GROUPS,
    TO_VALUES,
    TRIGGER_LIMIT,
    TRIGGER_OPERATOR,
    TRIGGER_OUT,
    VALUE,
    People,
    Program,
    Scratch,
    Sheet,
    Tape,
)
from ethogram.kernel.machine import AND_JUMP, SLOT_COMPARE, compares, run_output
from ethogram.kernel.windows import next_edge

ONE = np.uint64(1)


@compiled
def settle_touched(
    tape: Tape, program: Program, zones: Zones, scratch: Scratch, as_of: int, begin: int
) -> None:
    """Values of the slots touched since `begin`, the moments they lapse, and the outputs they may change."""
    table, dirty, state, candidates = scratch.slots, scratch.dirty, scratch.state, scratch.candidates
    slots, triggered = program.slots, program.triggered
    for k in range(begin, state[DIRTY]):
        slot = dirty[k]
        kind = slots[slot, SLOT_KIND]
        value, first, last = table[slot, VALUE], table[slot, FIRST_TIME_SEEN], table[slot, EXTRA]
        if kind < STREAK or kind == DISTINCT_FEW:
            # written without branches, since which kind comes next is hard to foresee
            value = _ones(value) if kind == DISTINCT_FEW else value
            value *= MILLION if (kind == COUNT) | (kind == PERIODS) | (kind == DISTINCT_FEW) else 1
            value = 1 if kind == DID else value
            value = last if kind == LAST_TIME else value
            value = first if kind == FIRST_TIME else value
            table[slot, VALUE] = value
        else:
            settle(tape, program, zones, scratch, slot, kind, as_of)
            value = table[slot, VALUE]
        reference = last if (kind == DID) | (kind == LAST_TIME) else first
        length = slots[slot, SLOT_LENGTH]
        if length != 0:
            at = reference + length
            if length < 0:
                window = program.atoms[slot, ATOM_WINDOW]
                at = next_edge(program.windows, program.parts, zones, window, reference, as_of)
            if as_of < at < state[DUE]:
                state[DUE] = at
        for place in range(slots[slot, SLOT_OUTS], slots[slot, SLOT_OUTS_END]):
            operator, out = triggered[place, TRIGGER_OPERATOR], triggered[place, TRIGGER_OUT]
            if operator >= 0:
                if value == NULL or not compares(operator, value, triggered[place, TRIGGER_LIMIT]):
                    continue
            candidates[out >> 6] |= ONE << np.uint64(out & 63)


@compiled
def _ones(mask: int) -> int:
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
            rest = bits & (bits - ONE)
            below = np.int64((bits ^ rest) - ONE)
            out = word * 64 + _ones(below)  # type: ignore[arg-type]
            bits = rest
            if codes[out, OUT_LEVEL] != level:
                continue
            value = _conjunction(program, scratch, out)
            if value < 0:
                value = run_output(tape, people, program, zones, scratch, u, as_of, out)
            outs[out, VALUE], outs[out, STAMP] = value, tick
            if position >= 0 and value != defaults[out]:
                _write(scratch, sheet, position, out, value)


@compiled
def _conjunction(program: Program, scratch: Scratch, out: int) -> int:
    """The commonest outputs, comparisons of slots joined by `and`, without the machine; -1 where it is another."""
    ins, table = program.ins, scratch.slots
    at, end = program.outs[out, OUT_CODE], program.outs[out, OUT_CODE_END]
    length = end - at
    while ins[at, 0] == SLOT_COMPARE:
        value = table[ins[at, 1], VALUE]
        holds = value != NULL and compares(ins[at, 2], value, program.constants[ins[at, 3]])
        at += 1
        if at == end:
            return holds
        if ins[at, 0] != AND_JUMP or ins[at, 1] != length:
            return -1
        if not holds:
            return 0
        at += 1
    return -1


@compiled
def _write(scratch: Scratch, sheet: Sheet, position: int, out: int, value: int) -> None:
    """An answer that is not the default; bits go to the words at hand."""
    row = sheet.rows[out, TO_BITS]
    if row >= 0:
        one = ONE << np.uint64(position & 63)
        if value == 1:
            scratch.words[row] |= one
        else:
            scratch.words[row] &= ~one
    row = sheet.rows[out, TO_GROUPS]
    if row >= 0:
        sheet.groups[row, position] = value
    row = sheet.rows[out, TO_VALUES]
    if row >= 0:
        sheet.values[row, position] = value


@compiled
def write_unknown(scratch: Scratch, sheet: Sheet, position: int) -> None:
    """The answers of someone not yet known: nothing."""
    one = ONE << np.uint64(position & 63)
    for row in range(len(sheet.bits)):
        scratch.words[row] &= ~one
    for row in range(len(sheet.groups)):
        sheet.groups[row, position] = -1
    for row in range(len(sheet.values)):
        sheet.values[row, position] = NULL


@compiled
def take_words(scratch: Scratch, sheet: Sheet, position: int) -> None:
    """The bits of the 64 customers around a position, to work on."""
    for row in range(len(sheet.bits)):
        scratch.words[row] = sheet.bits[row, position >> 6]


@compiled
def put_words(scratch: Scratch, sheet: Sheet, position: int) -> None:
    for row in range(len(sheet.bits)):
        sheet.bits[row, position >> 6] = scratch.words[row]
