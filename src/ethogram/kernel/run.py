"""The kernel: one customer's tape through the program, and what is built on that: everyone at a moment, and a walk
through all moments of change."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ethogram.kernel.accumulate import collect, sort_rows
from ethogram.kernel.calendar import Zones
from ethogram.kernel.compiling import compiled, entry
from ethogram.kernel.conditions import output_value
from ethogram.kernel.layout import (
    ANSWERS,
    ARENA,
    BORN,
    DEFAULTS,
    DIRTY,
    DONE,
    DUE,
    GIVEN_TIME,
    GIVEN_TRAIT,
    GIVEN_VALUE,
    MOVES,
    NEVER,
    NULL,
    STAMP,
    STATUS,
    TICK,
    VALUE,
    VALUES,
    Integers,
    People,
    Program,
    Scratch,
    Sheet,
    Tape,
    Task,
)
from ethogram.kernel.machine import run_output, wake
from ethogram.kernel.scan import run_candidates, scan, settle_touched
from ethogram.kernel.tables import address, heads, opener
from ethogram.kernel.windows import bind_windows


@compiled
def _mark(candidates: NDArray[np.uint64], triggered: Integers, first: int, past: int) -> None:
    for k in range(first, past):
        out = triggered[k]
        candidates[out >> 6] |= np.uint64(1) << np.uint64(out & 63)


@compiled
def _mark_what_is_given(
    tape: Tape, people: People, program: Program, scratch: Scratch, u: int, as_of: int
) -> None:
    """Lists, salts, population values, signals, given traits."""
    inputs, triggered, candidates = program.inputs, program.triggered, scratch.candidates
    row = 0
    for k in range(len(people.fixed)):
        if people.fixed[k, u] != NULL:
            _mark(candidates, triggered, inputs[row, 0], inputs[row, 1])
        row += 1
    for k in range(len(people.fitted)):
        if people.fitted[k, u] != NULL:
            _mark(candidates, triggered, inputs[row, 0], inputs[row, 1])
        row += 1
    for k in range(len(people.signal_offset)):
        if people.signal_offset[k, u + 1] > people.signal_offset[k, u]:
            _mark(candidates, triggered, inputs[row, 0], inputs[row, 1])
        wake(scratch.state, people.signal_due[k, u], as_of)
        row += 1
    for k in range(tape.given_spans[u, 0], tape.given_spans[u, 1]):
        if tape.given[k, GIVEN_TIME] > as_of:
            wake(scratch.state, tape.given[k, GIVEN_TIME], as_of)
            break
        given = program.given_of[tape.given[k, GIVEN_TRAIT]]
        if given >= 0:
            scratch.givens[given, VALUE] = tape.given[k, GIVEN_VALUE]
            scratch.givens[given, STAMP] = scratch.state[TICK]
            _mark(candidates, triggered, inputs[row + given, 0], inputs[row + given, 1])
    last = len(inputs) - 1
    _mark(candidates, triggered, inputs[last, 0], inputs[last, 1])


@compiled
def _position(bit: np.uint64) -> int:
    """The position of the only bit set."""
    position = 0
    if bit & np.uint64(0xFFFFFFFF00000000):
        position += 32
    if bit & np.uint64(0xFFFF0000FFFF0000):
        position += 16
    if bit & np.uint64(0xFF00FF00FF00FF00):
        position += 8
    if bit & np.uint64(0xF0F0F0F0F0F0F0F0):
        position += 4
    if bit & np.uint64(0xCCCCCCCCCCCCCCCC):
        position += 2
    if bit & np.uint64(0xAAAAAAAAAAAAAAAA):
        position += 1
    return position


@compiled
def answer(
    tape: Tape,
    people: People,
    program: Program,
    zones: Zones,
    scratch: Scratch,
    u: int,
    as_of: int,
    default_due: int,
) -> bool:
    """All outputs of customer u, in `scratch.outs` where stamped, else their defaults; False if not yet known."""
    scratch.state[TICK] += 1
    scratch.state[DUE] = default_due
    scratch.state[ARENA] = 0
    scratch.state[DIRTY] = 0
    for word in range(len(scratch.candidates)):
        scratch.candidates[word] = np.uint64(0)
    if tape.births[u, BORN] > as_of:
        scratch.state[DUE] = tape.births[u, BORN]
        return False
    _mark_what_is_given(tape, people, program, scratch, u, as_of)
    for level in range(program.levels):
        touched = scratch.state[DIRTY]
        scan(tape, program, zones, scratch, u, as_of, level)
        if scratch.state[STATUS] != DONE:
            return True
        settle_touched(tape, program, zones, scratch, as_of, touched)
        run_candidates(tape, people, program, zones, scratch, u, as_of, level)
    return True


@compiled
def bind_moment(
    tape: Tape, people: People, program: Program, zones: Zones, scratch: Scratch, as_of: int
) -> int:
    """Binds windows and defaults (the answers over an empty history); when time alone changes a default."""
    bind_windows(program.windows, program.parts, zones, as_of, scratch.bounds)
    scratch.state[TICK] += 1
    scratch.state[DUE] = NEVER
    for out in range(len(program.outs)):
        program.defaults[out] = run_output(tape, people, program, zones, scratch, -1, as_of, out)
    return scratch.state[DUE]


@compiled
def _write(program: Program, scratch: Scratch, sheet: Sheet, k: int, is_known: bool) -> None:
    """The k-th customer's answers into the sheet, which holds the defaults already."""
    one = np.uint64(1) << np.uint64(k & 63)
    sheet.known[k] = is_known
    sheet.due[k] = scratch.state[DUE]
    if not is_known:
        for row in range(len(sheet.bits)):
            sheet.bits[row, k >> 6] &= ~one
        for row in range(len(sheet.groups)):
            sheet.groups[row, k] = -1
        for row in range(len(sheet.values)):
            sheet.values[row, k] = NULL
        return
    for word in range(len(scratch.candidates)):
        rest = scratch.candidates[word]
        while rest:
            low = rest & (~rest + np.uint64(1))
            out = word * 64 + _position(low)
            rest ^= low
            value = scratch.outs[out, VALUE]
            if value == program.defaults[out]:
                continue
            bit_row, group_row, value_row = sheet.rows[0, out], sheet.rows[1, out], sheet.rows[2, out]
            if bit_row >= 0:
                if value == 1:
                    sheet.bits[bit_row, k >> 6] |= one
                else:
                    sheet.bits[bit_row, k >> 6] &= ~one
            if group_row >= 0:
                sheet.groups[group_row, k] = value
            if value_row >= 0:
                sheet.values[value_row, k] = value


@compiled
def _note_moves(
    program: Program, scratch: Scratch, sheet: Sheet, u: int, at: int, is_known: bool, first: bool
) -> bool:
    """Writes what changed since the last moment; False where there is no room."""
    for row in range(len(sheet.watched)):
        out = sheet.watched[row]
        value = 0 if row < sheet.filled[1] else -1
        if is_known:
            value = output_value(program, scratch, out)
        if not first and value != sheet.current[row]:
            filled = sheet.filled[0]
            if filled == len(sheet.moves):
                return False
            sheet.moves[filled, 0], sheet.moves[filled, 1] = u, row
            sheet.moves[filled, 2], sheet.moves[filled, 3] = at, value
            sheet.filled[0] = filled + 1
        sheet.current[row] = value
    return True


@compiled
def _write_set(program: Program, scratch: Scratch, sheet: Sheet, k: int, is_known: bool) -> None:
    """The different values that a slot remembers, ascending."""
    filled = sheet.filled[0]
    slot = sheet.filled[1]
    if is_known and scratch.slots[slot, STAMP] == scratch.state[TICK]:
        size = collect(scratch, slot)
        values = scratch.sorted
        sort_rows(values, size, 1)
        for place in range(size):
            if place == 0 or values[place] != values[place - 1]:
                sheet.moves[filled, 0] = values[place]
                filled += 1
    sheet.filled[0] = filled
    sheet.due[k] = filled


_TAPE, _PEOPLE, _PROGRAM, _ZONES = opener(Tape), opener(People), opener(Program), opener(Zones)
_SCRATCH, _SHEET, _TASK = opener(Scratch), opener(Sheet), opener(Task)


def run(
    mode: int,
    tape: Tape,
    people: People,
    program: Program,
    zones: Zones,
    scratch: Scratch,
    positions: Integers,
    begin: int,
    start: int,
    end: int,
    sheet: Sheet,
) -> int:
    """Fills the sheet for `positions[begin:]`; how many positions are done.

    DEFAULTS binds the answers over an empty history at `end`. ANSWERS writes those at `end`. MOVES writes every change of
    the watched outputs in (start, end], customer by customer in order of time: before becoming known the first
    `sheet.filled[1]` of them count as 0, the others as -1; their values at `start` are the first ones and no changes. VALUES writes the different values of the slot
    `sheet.filled[1]`. Fewer positions than all are done where memory was too small or a number overflowed (STATUS).
    """
    task = Task(mode, positions, begin, start, end)
    all_heads = [heads(tables) for tables in (tape, people, program, zones, scratch, sheet, task)]
    return run_by_address(*[address(one) for one in all_heads])


@entry
def run_by_address(
    tape_at: int, people_at: int, program_at: int, zones_at: int, scratch_at: int, sheet_at: int, task_at: int
) -> int:
    tape, people, program, zones = _TAPE(tape_at), _PEOPLE(people_at), _PROGRAM(program_at), _ZONES(zones_at)
    scratch, sheet, task = _SCRATCH(scratch_at), _SHEET(sheet_at), _TASK(task_at)
    mode, positions, begin, start, end = task.mode, task.positions, task.begin, task.start, task.end
    scratch.state[STATUS] = DONE
    default_due = bind_moment(tape, people, program, zones, scratch, start if mode == MOVES else end)
    if mode == DEFAULTS:
        return len(positions)
    for k in range(begin, len(positions)):
        u = positions[k]
        at = start if mode == MOVES else end
        opened = sheet.filled[0]
        first = True
        while True:
            if mode == MOVES:
                default_due = bind_moment(tape, people, program, zones, scratch, at)
            is_known = answer(tape, people, program, zones, scratch, u, at, default_due)
            if scratch.state[STATUS] != DONE:
                sheet.filled[0] = opened
                return k
            if mode == ANSWERS:
                _write(program, scratch, sheet, k, is_known)
            elif mode == VALUES:
                _write_set(program, scratch, sheet, k, is_known)
            elif not _note_moves(program, scratch, sheet, u, at, is_known, first):
                sheet.filled[0] = opened
                return k
            if mode != MOVES:
                break
            first = False
            at = scratch.state[DUE]
            if at > end:
                sheet.due[k] = at
                break
    return len(positions)
