"""Sizes over time: conditions that the sweep can answer for all moments in one pass over the tapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ethogram.engines.running import Runner
from ethogram.kernel.layout import (
    ATOM_PLACE,
    NULL,
    OP_SLOT,
    RAGGED,
    SLOT_KIND,
    SLOT_LENGTH,
)
from ethogram.kernel.sweep import (
    AGAINST_ELAPSED,
    AGAINST_LIMIT,
    BITS_ALL,
    BITS_AND,
    BITS_NOT,
    BITS_OR,
    BITS_TEST,
    SWEEPABLE,
    Rules,
    sweep,
)
from ethogram.language.plan import Instruction, Op
from ethogram.model.event import Moment

Integers = NDArray[np.int64]
Bits = NDArray[np.uint64]
Test = tuple[int, int, int, int, int, int]
"""(slot, kind, operator, limit, unit, sign)"""
HOLDS = {0: np.equal, 1: np.less, 2: np.less_equal, 3: np.greater, 4: np.greater_equal}


@dataclass(slots=True)
class _Translation:
    """Code of outputs as code over bit rows; tests in order of appearance."""

    tests: dict[Test, int] = field(default_factory=dict)
    codes: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    slots: dict[int, frozenset[int]] = field(default_factory=dict)


def sweepable(runner: Runner) -> list[int]:
    """The outputs of a runner that the sweep can answer: and, or, not of tests of slots with rolling windows."""
    return sorted(_translate(runner).codes)


def swept_sizes(
    runner: Runner, outputs: Sequence[int], moments: Sequence[Moment], threads: int = 2
) -> Mapping[int, Integers]:
    """For each output the number of customers for whom it holds at each moment; `moments` ascend."""
    translation = _translate(runner)
    grid = np.array(moments, np.int64)
    rules, order = _rules(runner, translation, outputs, grid)
    test_defaults = _default_rows(runner, order, grid)
    defaults = np.stack([_run(translation, output, test_defaults, order) for output in outputs])

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


def _translate(runner: Runner) -> _Translation:
    translation = _Translation()
    usable = _usable_slots(runner)
    for index, output in enumerate(runner.plan.outputs):
        if output.type == "flag" and output.level == 0:
            code = _bit_code(runner, translation, usable, output.code)
            if code is not None:
                translation.codes[index] = code
                inner = {translation.slots[one.a] for one in output.code if one.op is Op.OUT}
                own = frozenset(one.a for one in output.code if one.op in (Op.SLOT, Op.SLOT_COMPARE))
                translation.slots[index] = own.union(*inner)
    return translation


def _usable_slots(runner: Runner) -> NDArray[np.bool_]:
    """Slots whose operations need nothing but a window's start and a range checked."""
    program = runner.bound.program
    slots, atoms = program.slots, program.atoms
    usable: NDArray[np.bool_] = np.isin(slots[:, SLOT_KIND], SWEEPABLE) & (atoms[:, ATOM_PLACE] != RAGGED)
    usable &= slots[:, SLOT_LENGTH] >= 0
    usable &= np.array([atom.level == 0 for atom in runner.plan.atoms], np.bool_)
    for begin in np.unique(program.lists).tolist():
        plain, careful = program.operations[begin : begin + 2]
        first = begin + 2 + plain
        usable[program.ops[program.operations[first : first + careful], OP_SLOT]] = False
    return usable


def _bit_code(
    runner: Runner, translation: _Translation, usable: NDArray[np.bool_], code: Sequence[Instruction]
) -> list[tuple[int, int]] | None:
    """None where an instruction has no form over bits."""
    found: list[tuple[int, int]] = []
    pending: list[tuple[int, int]] = []
    constants = runner.plan.constants
    at = 0
    while at <= len(code):
        while pending and pending[-1][0] == at:
            found.append((pending.pop()[1], 0))
        if at == len(code):
            break
        one = code[at]
        match one.op:
            case Op.SLOT_COMPARE if usable[one.a]:
                test = (one.a, AGAINST_LIMIT, one.b, constants[one.c], 0, 0)
                found.append((BITS_TEST, translation.tests.setdefault(test, len(translation.tests))))
            case Op.SLOT if usable[one.a] and _is_elapsed(code, at):
                limit, compare = code[at + 1], code[at + 2]
                test = (one.a, AGAINST_ELAPSED, compare.a, constants[limit.a], compare.b, compare.c)
                found.append((BITS_TEST, translation.tests.setdefault(test, len(translation.tests))))
                at += 2
            case Op.SLOT if usable[one.a] and runner.plan.atoms[one.a].kind == 0:
                test = (one.a, AGAINST_LIMIT, 0, 1, 0, 0)
                found.append((BITS_TEST, translation.tests.setdefault(test, len(translation.tests))))
            case Op.OUT if one.a in translation.codes:
                found += translation.codes[one.a]
            case Op.CONST if constants[one.a] in (0, 1) and not one.b:
                found.append((BITS_ALL, constants[one.a]))
            case Op.AND_JUMP | Op.OR_JUMP:
                pending.append((one.a, BITS_AND if one.op is Op.AND_JUMP else BITS_OR))
            case Op.NOT:
                found.append((BITS_NOT, 0))
            case Op.IS_TRUE:
                pass
            case _:
                return None
        at += 1
    return found


def _is_elapsed(code: Sequence[Instruction], at: int) -> bool:
    """A slot's moment against a constant number of days."""
    following = code[at + 1 : at + 3]
    return [one.op for one in following] == [Op.CONST, Op.ELAPSED_COMPARE]


def _rules(
    runner: Runner, translation: _Translation, outputs: Sequence[int], grid: Integers
) -> tuple[Rules, list[Test]]:
    """Tests sorted by slot, since a slot's tests are looked at together."""
    order = sorted(translation.tests)
    number = {translation.tests[test]: place for place, test in enumerate(order)}
    slots = np.array([test[0] for test in order], np.int64)
    size = len(runner.plan.atoms)
    slot_tests = np.searchsorted(slots, np.arange(size + 1))
    code: list[tuple[int, int]] = []
    codes: list[tuple[int, int]] = []
    by_slot: list[list[int]] = [[] for _ in range(size)]
    for row, output in enumerate(outputs):
        begin = len(code)
        code += [(op, number[a] if op == BITS_TEST else a) for op, a in translation.codes[output]]
        codes.append((begin, len(code)))
        for slot in translation.slots[output]:
            by_slot[slot].append(row)
    ends = np.cumsum([len(some) for some in by_slot], dtype=np.int64)
    begins = np.concatenate([[0], ends[:-1]]).astype(np.int64) if size else ends
    return (
        Rules(
            grid,
            np.array([test[1:] for test in order], np.int64).reshape(-1, 5),
            np.stack([slot_tests[:-1], slot_tests[1:]], axis=1).astype(np.int64),
            np.array(code, np.int64).reshape(-1, 2),
            np.array(codes, np.int64).reshape(-1, 2),
            np.stack([begins, ends], axis=1),
            np.array([row for some in by_slot for row in some], np.int64),
        ),
        order,
    )


def _default_rows(runner: Runner, order: Sequence[Test], grid: Integers) -> Bits:
    """What each test says over an empty history: zero or missing against its limit."""
    empties = runner.bound.program.empties
    rows = np.zeros((len(order), -(-len(grid) // 64)), np.uint64)
    for row, (slot, kind, operator, limit, _, _) in enumerate(order):
        value = empties[slot]
        if kind == AGAINST_LIMIT and value != NULL and HOLDS[operator](value, limit):
            rows[row] = ~np.uint64(0)
    return rows


def _run(translation: _Translation, output: int, rows: Bits, order: Sequence[Test]) -> Bits:
    number = {translation.tests[test]: place for place, test in enumerate(order)}
    stack: list[Bits] = []
    for op, a in translation.codes[output]:
        match op:
            case 0:
                stack.append(rows[number[a]])
            case 1:
                stack.append(np.full(rows.shape[1], ~np.uint64(0) if a else 0, np.uint64))
            case 4:
                stack[-1] = ~stack[-1]
            case _:
                other = stack.pop()
                stack[-1] = stack[-1] & other if op == BITS_AND else stack[-1] | other
    return stack[0]


def _unpacked(row: Bits, size: int) -> NDArray[np.int64]:
    return np.unpackbits(row.view(np.uint8), bitorder="little")[:size].astype(np.int64)
