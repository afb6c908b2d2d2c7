"""The kernel: one customer's tape through the program, and what is built on that: everyone at a moment, and a walk
through all moments of change."""

from __future__ import annotations

import numpy as np

from ethogram.kernel.accumulate import collect
from ethogram.kernel.calendar import Zones
from ethogram.kernel.compiling import compiled, entry
from ethogram.kernel.conditions import output_value
from ethogram.kernel.layout import (
    ANSWERS,
    ARENA,
    ASK_HIGH,
    ASK_LOW,
    ASK_TEST,
    BORN,
    CHECK_WINDOW,
    DEFAULTS,
    DEFAULTS_DUE,
    DEFAULTS_FROM,
    DIRTY,
    DONE,
    DUE,
    FIRST_TIME_SEEN,
    GIVEN_TIME,
    GIVEN_TRAIT,
    GIVEN_VALUE,
    HIGH,
    LEAST_VALUE,
    LOW,
    MOVES,
    NEVER,
    NULL,
    STAMP,
    STATUS,
    TEST_HIGH,
    TEST_LOW,
    TEST_SLOT,
    TEST_TURN,
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
from ethogram.kernel.outputs import (
    close_words,
    mark,
    open_words,
    run_candidates,
    settle_touched,
    write_unknown,
)
from ethogram.kernel.scan import scan
from ethogram.kernel.statistics import sort_rows
from ethogram.kernel.tables import address, heads, opener
from ethogram.kernel.windows import bind_windows


@compiled
def _mark_what_is_given(
    tape: Tape, people: People, program: Program, scratch: Scratch, u: int, as_of: int
) -> None:
    """Lists, salts, population values, signals, given traits."""
    inputs, triggered, candidates = program.inputs, program.triggered, scratch.candidates
    row = 0
    for k in range(len(people.fixed)):
        if people.fixed[k, u] != NULL:
            mark(candidates, triggered, inputs[row, 0], inputs[row, 1])
        row += 1
    for k in range(len(people.fitted)):
        if people.fitted[k, u] != NULL:
            mark(candidates, triggered, inputs[row, 0], inputs[row, 1])
        row += 1
    for k in range(len(people.signal_offset)):
        if people.signal_offset[k, u + 1] > people.signal_offset[k, u]:
            mark(candidates, triggered, inputs[row, 0], inputs[row, 1])
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
            mark(candidates, triggered, inputs[row + given, 0], inputs[row + given, 1])
    last = len(inputs) - 1
    mark(candidates, triggered, inputs[last, 0], inputs[last, 1])


@compiled
def _clear(program: Program, scratch: Scratch) -> None:
    """As before any event."""
    state, table, dirty, empties = scratch.state, scratch.slots, scratch.dirty, program.empties
    for k in range(state[DIRTY]):
        slot = dirty[k]
        table[slot, VALUE], table[slot, FIRST_TIME_SEEN] = empties[slot], NULL
    state[DIRTY], state[ARENA] = 0, 0
    state[TICK] += 1


@compiled
def answer(
    tape: Tape,
    people: People,
    program: Program,
    zones: Zones,
    scratch: Scratch,
    sheet: Sheet,
    u: int,
    as_of: int,
    position: int,
) -> bool:
    """All outputs of customer u, in `scratch.outs` where stamped, else their defaults, and in the sheet's position, if it is
    one; False if not yet known."""
    _clear(program, scratch)
    scratch.state[DUE] = scratch.state[DEFAULTS_DUE]
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
        settle_touched(tape, program, zones, scratch, u, as_of, touched, position)
        run_candidates(tape, people, program, zones, scratch, sheet, u, as_of, level, position)
    return True


@compiled
def _bind_tests(program: Program, scratch: Scratch, as_of: int) -> None:
    tests, limits, asked = program.tests, scratch.limits, scratch.asked
    for test in range(len(tests)):
        low, high = tests[test, TEST_LOW], tests[test, TEST_HIGH]
        if tests[test, TEST_TURN] != NULL:
            low = low + as_of if low != LEAST_VALUE else low
            high = high + as_of if high != NEVER else high
        limits[test, LOW], limits[test, HIGH] = low, high
        slot = tests[test, TEST_SLOT]
        if asked[slot, ASK_TEST] == test:
            asked[slot, ASK_LOW], asked[slot, ASK_HIGH] = low, high
        empty = program.empties[slot]
        scratch.fresh_words[test] = ~np.uint64(0) if low <= empty <= high else np.uint64(0)


@compiled
def _bind_moment(
    tape: Tape, people: People, program: Program, zones: Zones, scratch: Scratch, as_of: int
) -> None:
    """Windows, and the answers over an empty history where time changed them."""
    state = scratch.state
    bind_windows(program.windows, program.parts, zones, as_of, scratch.bounds)
    for op in range(len(program.ops)):
        scratch.opens[op] = scratch.bounds[program.checks[op, CHECK_WINDOW], 0]
    for age in range(len(program.ages)):
        scratch.starts[age] = scratch.bounds[program.ages[age], 0]
    if state[DEFAULTS_FROM] <= as_of < state[DEFAULTS_DUE]:
        return
    _clear(program, scratch)
    state[DUE] = NEVER
    for out in range(len(program.outs)):
        program.defaults[out] = run_output(tape, people, program, zones, scratch, -1, as_of, out)
    state[DEFAULTS_FROM], state[DEFAULTS_DUE] = as_of, state[DUE]


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
def _write_set(scratch: Scratch, sheet: Sheet, k: int, is_known: bool) -> None:
    """The different values that a slot remembers, ascending."""
    filled = sheet.filled[0]
    slot = sheet.filled[1]
    if is_known and scratch.slots[slot, FIRST_TIME_SEEN] != NULL:
        size = collect(scratch, slot)
        values = scratch.sorted
        sort_rows(values, size, 1)
        for place in range(size):
            if place == 0 or values[place] != values[place - 1]:
                sheet.moves[filled, 0] = values[place]
                filled += 1
    sheet.filled[0] = filled
    sheet.due[k] = filled


@compiled
def _walk(
    tape: Tape,
    people: People,
    program: Program,
    zones: Zones,
    scratch: Scratch,
    sheet: Sheet,
    k: int,
    u: int,
    start: int,
    end: int,
) -> bool:
    """Every change of customer u in (start, end]; False where memory or room was too small."""
    at, first = start, True
    while at <= end:
        _bind_moment(tape, people, program, zones, scratch, at)
        is_known = answer(tape, people, program, zones, scratch, sheet, u, at, -1)
        if scratch.state[STATUS] != DONE:
            return False
        if not _note_moves(program, scratch, sheet, u, at, is_known, first):
            return False
        at, first = scratch.state[DUE], False
    sheet.due[k] = at
    return True


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
    `sheet.filled[1]` of them count as 0, the others as -1; their values at `start` are the first ones and no changes.
    VALUES writes the different values of the slot `sheet.filled[1]`. Fewer positions than all are done where memory was too small or a number overflowed (STATUS).
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
    mode, begin, start, end = task.mode, task.begin, task.start, task.end
    scratch.state[STATUS] = DONE
    scratch.state[DEFAULTS_FROM], scratch.state[DEFAULTS_DUE] = 0, 0
    _bind_moment(tape, people, program, zones, scratch, start if mode == MOVES else end)
    if mode == DEFAULTS:
        return 0
    if mode == ANSWERS:
        _bind_tests(program, scratch, end)
    lanes, known = np.uint64(0), np.uint64(0)
    size = len(task.positions)
    for k in range(begin, size):
        u = task.positions[k]
        opened = sheet.filled[0]
        if mode == MOVES:
            fits = _walk(tape, people, program, zones, scratch, sheet, k, u, start, end)
        else:
            position = k if mode == ANSWERS else -1
            if mode == ANSWERS and (k & 63 == 0 or k == begin):
                open_words(scratch)
                lanes, known = np.uint64(0), np.uint64(0)
            is_known = answer(tape, people, program, zones, scratch, sheet, u, end, position)
            fits = scratch.state[STATUS] == DONE
        if not fits:
            sheet.filled[0] = opened
            if mode == ANSWERS:
                close_words(program, scratch, sheet, k, lanes, known)
            return k
        if mode == VALUES:
            _write_set(scratch, sheet, k, is_known)
        elif mode == ANSWERS:
            sheet.known[k], sheet.due[k] = is_known, scratch.state[DUE]
            lane = np.uint64(1) << np.uint64(k & 63)
            lanes |= lane
            if is_known:
                known |= lane
            else:
                write_unknown(sheet, k)
            if k & 63 == 63 or k + 1 == size:
                close_words(program, scratch, sheet, k, lanes, known)
    return size
