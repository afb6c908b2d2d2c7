"""Sizes over time: conditions that the sweep can answer for all moments in one pass over the tapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from ethogram.engines.bits import Translation, bit_rows, code_tables, translate
from ethogram.engines.running import Runner
from ethogram.kernel.layout import (
    ATOM_PLACE,
    NULL,
    OP_SLOT,
    RAGGED,
    SLOT_KIND,
)
from ethogram.kernel.sweep import SWEEPABLE, Rules, sweep
from ethogram.model.event import Moment

Integers = NDArray[np.int64]
Bits = NDArray[np.uint64]


def sweepable(runner: Runner) -> list[int]:
    """The outputs of a runner that the sweep can answer: and, or, not of tests of slots with rolling windows."""
    return sorted(_translate(runner).codes)


def swept_sizes(
    runner: Runner, outputs: Sequence[int], moments: Sequence[Moment], threads: int = 2
) -> Mapping[int, Integers]:
    """For each output the number of customers for whom it holds at each moment; `moments` ascend."""
    translation = _translate(runner)
    grid = np.array(moments, np.int64)
    rules, test_defaults, defaults = _rules(runner, translation, outputs, grid)

    def one(bucket: int) -> tuple[Integers, Integers]:
        tape = runner.tape(bucket)
        changes = np.zeros((len(outputs), len(grid) + 1), np.int64)
        known = np.zeros(len(grid) + 1, np.int64)
        longest = int(np.diff(tape.spans, axis=1).max(initial=0))
        program, zones = runner.bound.program, runner.bound.zones
        sweep(tape, program, zones, rules, defaults, test_defaults, longest, known, changes)
        return changes, known

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(one, sorted(runner.tapes.files)))
    changes = np.cumsum(sum(some for some, _ in found), axis=1)[:, :-1]
    known = np.cumsum(sum(some for _, some in found))[:-1]
    held = np.stack([_unpacked(row, len(grid)) for row in defaults])
    sizes = changes + held * known
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
    runner: Runner, translation: Translation, outputs: Sequence[int], grid: Integers
) -> tuple[Rules, Bits, Bits]:
    """Tests sorted by slot, since a slot's tests are looked at together; what tests and outputs say of no events."""
    order = sorted(translation.tests)
    every = list(translation.tests)
    place = {test: number for number, test in enumerate(order)}

    def renumbered(number: int) -> int:
        return place[every[number]]

    slots = np.array([test.slot for test in order], np.int64)
    size = len(runner.plan.atoms)
    first = np.searchsorted(slots, np.arange(size + 1))
    by_slot: list[list[int]] = [[] for _ in range(size)]
    for row, output in enumerate(outputs):
        for slot in translation.slots[output]:
            by_slot[slot].append(row)
    ends = np.cumsum([len(some) for some in by_slot], dtype=np.int64)
    begins = np.concatenate([[0], ends[:-1]]).astype(np.int64) if size else ends
    codes = [translation.codes[output] for output in outputs]
    spans, code = code_tables(codes, renumbered)
    empties = runner.bound.program.empties
    test_rows = np.zeros((len(order), -(-len(grid) // 64)), np.uint64)
    for row, test in enumerate(order):
        if test.turn == NULL and test.low <= empties[test.slot] <= test.high:
            test_rows[row] = ~np.uint64(0)
    rules = Rules(
        grid,
        np.array([(test.low, test.high, test.turn) for test in order], np.int64).reshape(-1, 3),
        np.stack([first[:-1], first[1:]], axis=1).astype(np.int64),
        np.array(code, np.int64).reshape(-1, 2),
        np.array(spans, np.int64).reshape(-1, 2),
        np.stack([begins, ends], axis=1),
        np.array([row for some in by_slot for row in some], np.int64),
    )
    return rules, test_rows, np.stack([bit_rows(one, test_rows, renumbered) for one in codes])


def _unpacked(row: Bits, size: int) -> NDArray[np.int64]:
    return np.unpackbits(row.view(np.uint8), bitorder="little")[:size].astype(np.int64)
