"""Sizes over time: conditions that the sweep can answer for all moments in one pass over the tapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from ethogram.engines.bits import Code, Test, Translation, bit_rows, code_tables, translate
from ethogram.engines.running import Runner
from ethogram.kernel.accumulate import COUNT, DID, DISTINCT_FEW, FIRST_TIME, LAST_TIME, MIN, PERIODS, SUM
from ethogram.kernel.layout import (
    ATOM_COLUMN,
    ATOM_PLACE,
    BITS_NOT,
    BITS_TEST,
    FLAT,
    LEAST_VALUE,
    NEVER,
    NULL,
    OP_SLOT,
    RAGGED,
    SLOT_KIND,
    Program,
    Tape,
)
from ethogram.kernel.sweep import SWEEPABLE, Rules, sweep, sweeping
from ethogram.model.event import Moment

Integers = NDArray[np.int64]
Bits = NDArray[np.uint64]
FIRST_ARENA = 1 << 14


def sweepable(runner: Runner) -> list[int]:
    """The outputs of a runner that the sweep can answer: and, or, not of tests of slots with rolling windows."""
    return sorted(_translate(runner).codes)


def swept_sizes(
    runner: Runner, outputs: Sequence[int], moments: Sequence[Moment], threads: int = 2
) -> Mapping[int, Integers]:
    """For each output the number of customers for whom it holds at each moment; `moments` ascend."""
    translation = _translate(runner)
    grid = np.array(moments, np.int64)
    rules = _rules(runner, translation, outputs, grid)
    program, zones = runner.bound.program, runner.bound.zones

    def one(bucket: int) -> tuple[Integers, Integers]:
        tape = runner.tape(bucket)
        people = len(tape.births)
        own = rules._replace(reaching=_reaching(program, rules.tests, _growing(program, tape)))
        work = sweeping(program, own, people, FIRST_ARENA)
        done = sweep(tape, program, zones, own, work, 0)
        while done < people:
            work = work._replace(arena=np.zeros((2 * len(work.arena), 4), np.int64))
            done = sweep(tape, program, zones, own, work, done)
        return _counted(work.counters, len(outputs), len(grid)), work.known

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(one, sorted(runner.tapes.files)))
    different = sum(some for some, _ in found)
    known = np.cumsum(sum(some for _, some in found))[:-1]
    held = _unpacked(rules.defaults, len(grid))
    sizes = np.where(held == 1, known - different, different)
    return {output: sizes[row] for row, output in enumerate(outputs)}


def _translate(runner: Runner) -> Translation:
    usable = _usable_slots(runner)
    return translate(runner.plan, lambda slot: bool(usable[slot]))


def _usable_slots(runner: Runner) -> NDArray[np.bool_]:
    """Slots whose operations need nothing but a window's start and a range checked."""
    program = runner.bound.program
    slots, atoms = program.slots, program.atoms
    usable: NDArray[np.bool_] = np.isin(slots[:, SLOT_KIND], SWEEPABLE) & (atoms[:, ATOM_PLACE] != RAGGED)
    usable &= program.lengths >= 0
    usable &= np.array([atom.level == 0 for atom in runner.plan.atoms], np.bool_)
    for begin in np.unique(program.lists).tolist():
        plain, careful = program.operations[begin : begin + 2]
        first = begin + 2 + plain
        usable[program.ops[program.operations[first : first + careful], OP_SLOT]] = False
    return usable


def _rules(
    runner: Runner,
    translation: Translation,
    outputs: Sequence[int],
    grid: Integers,
) -> Rules:
    """Tests sorted by slot, since a slot's tests are looked at together. Nothing is `reaching` before a tape is seen."""
    program = runner.bound.program
    codes = [_from_below(translation, output, program) for output in outputs]
    every = list(translation.tests)
    order = sorted(every)
    place = {test: number for number, test in enumerate(order)}

    def renumbered(number: int) -> int:
        return place[every[number]]

    slots = np.array([test.slot for test in order], np.int64)
    size = len(runner.plan.atoms)
    first = np.searchsorted(slots, np.arange(size + 1))
    by_slot: list[list[int]] = [[] for _ in range(size)]
    for row, output in enumerate(outputs):
        for slot in _triggers(runner, output, translation):
            by_slot[slot].append(row)
    ends = np.cumsum([len(some) for some in by_slot], dtype=np.int64)
    begins = np.concatenate([[0], ends[:-1]]).astype(np.int64) if size else ends
    spans, code = code_tables(codes, renumbered)
    empties = program.empties
    test_rows = np.zeros((len(order), -(-len(grid) // 64)), np.uint64)
    for row, test in enumerate(order):
        if test.turn == NULL and test.low <= empties[test.slot] <= test.high:
            test_rows[row] = ~np.uint64(0)
    apart = np.diff(grid)
    step = int(apart[0]) if len(apart) and (apart == apart[0]).all() else 0
    lengths = program.lengths
    return Rules(
        grid,
        step,
        np.array([(test.low, test.high, test.turn, test.slot) for test in order], np.int64).reshape(-1, 4),
        np.stack([first[:-1], first[1:]], axis=1).astype(np.int64),
        np.zeros(size, np.int64),
        np.where((lengths > 0) & (lengths % max(1, step) == 0) & (step > 0), lengths // max(1, step), 0),
        np.array(code, np.int64).reshape(-1, 2),
        np.array(spans, np.int64).reshape(-1, 2),
        np.stack([begins, ends], axis=1),
        np.array([row for some in by_slot for row in some], np.int64),
        np.stack([bit_rows(one, test_rows, renumbered) for one in codes]),
        test_rows,
    )


def _from_below(translation: Translation, output: int, program: Program) -> Code:
    """The output's code, in which a condition on at most so many is none on at least one more, which is quicker to follow."""
    tests = list(translation.tests)
    found: list[tuple[int, int]] = []
    for what, number in translation.codes[output]:
        found.append((what, number))
        if what == BITS_TEST:
            test = tests[number]
            counted = program.slots[test.slot, SLOT_KIND] in (COUNT, SUM, PERIODS, DISTINCT_FEW)
            if counted and test.low == LEAST_VALUE and test.high != NEVER:
                other = Test(test.slot, test.high + 1, NEVER)
                found[-1:] = [(BITS_TEST, translation.number(other)), (BITS_NOT, 0)]
    return tuple(found)


def _reaching(program: Program, tests: Integers, growing: NDArray[np.bool_]) -> Integers:
    """`Rules.reaching`: sums where no number that they add up is negative, others by their kind and tests."""
    low, high, turn, slot = tests.T
    kind, empty = program.slots[slot, SLOT_KIND], program.empties[slot]
    reaches = (high == NEVER) | ((kind == DID) & (high == 1)) | ((kind == MIN) & (low == LEAST_VALUE))
    reaches &= (turn != NULL) == (kind == LAST_TIME)
    reaches &= (turn != NULL) | (empty < low) | (empty > high)
    found = growing & (program.slots[:, SLOT_KIND] != FIRST_TIME)
    found[slot[~reaches]] = False
    return found.astype(np.int64)


def _growing(program: Program, tape: Tape) -> NDArray[np.bool_]:
    """Slots that no event of a tape makes smaller: all but sums of something that is somewhere negative."""
    sums = program.slots[:, SLOT_KIND] == SUM
    flat = program.atoms[:, ATOM_PLACE] == FLAT
    growing = ~sums
    for column in np.unique(program.atoms[sums & flat, ATOM_COLUMN]).tolist():
        values = tape.flat[column]
        if not ((values < 0) & (values != NULL)).any():
            growing |= sums & flat & (program.atoms[:, ATOM_COLUMN] == column)
    return growing


def _triggers(runner: Runner, output: int, translation: Translation) -> frozenset[int]:
    """The slots that may take an output from its default: one of the plan's alternatives, with as few as there are."""
    sets = [
        frozenset(one.index for one in inputs)
        for inputs in runner.plan.outputs[output].triggers
        if all(one.kind == "slot" for one in inputs)
    ]
    return min(sets, key=len, default=translation.slots[output])


def _counted(counters: Bits, outputs: int, moments: int) -> Integers:
    """The numbers that lie across the counters' words, by output and moment."""
    levels = _unpacked(counters, moments).reshape(outputs, -1, moments)
    return np.einsum("olm,l->om", levels, 1 << np.arange(levels.shape[1], dtype=np.int64))


def _unpacked(rows: Bits, size: int) -> Integers:
    return np.unpackbits(rows.view(np.uint8), axis=1, bitorder="little")[:, :size].astype(np.int64)
