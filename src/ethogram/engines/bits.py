"""Conditions as code over bits: and, or, not of tests, a test being whether a slot's value lies between two limits.

What a test says of many customers, or of one at many moments, is a row of bits; so is then what the condition says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ethogram.kernel.layout import BITS_ALL, BITS_AND, BITS_NOT, BITS_OR, BITS_TEST, LEAST_VALUE, NEVER, NULL
from ethogram.language.plan import Instruction, Kind, Op, Plan

Code = tuple[tuple[int, int], ...]
MIRRORED = {0: 0, 1: 3, 2: 4, 3: 1, 4: 2}


class Test(NamedTuple):
    """Whether `low <= value <= high`, counted from now where there is a `turn`: the test may turn when that much time has
    passed since the value."""

    slot: int
    low: int
    high: int
    turn: int = NULL


@dataclass(slots=True)
class Translation:
    """Code by output, in which BITS_TEST is followed by a number of `tests`; the slots that the code looks at."""

    tests: dict[Test, int] = field(default_factory=dict)
    codes: dict[int, Code] = field(default_factory=dict)
    slots: dict[int, frozenset[int]] = field(default_factory=dict)

    def number(self, test: Test) -> int:
        return self.tests.setdefault(test, len(self.tests))


def translate(plan: Plan, usable: Callable[[int], bool]) -> Translation:
    """The conditions among the outputs that are nothing but tests of usable slots."""
    translation = Translation()
    for index, output in enumerate(plan.outputs):
        if output.type == "flag":
            code = _bit_code(plan, translation, usable, output.code)
            if code is not None:
                translation.codes[index] = code
                inner = {translation.slots[one.a] for one in output.code if one.op is Op.OUT}
                own = frozenset(one.a for one in output.code if one.op in (Op.SLOT, Op.SLOT_COMPARE))
                translation.slots[index] = own.union(*inner)
    return translation


def decided_by_tests(plan: Plan, translation: Translation) -> list[int]:
    """The segments that need no machine: translated, and asked for by nothing that does need it."""
    asked = {output for atom in plan.atoms for output in (atom.since, atom.until) if output is not None}
    chosen: set[int] = set()
    for index in range(len(plan.outputs) - 1, -1, -1):
        output = plan.outputs[index]
        if output.kind == "segment" and index in translation.codes and index not in asked:
            chosen.add(index)
        else:
            asked |= {one.a for one in output.code if one.op is Op.OUT}
    return sorted(chosen)


def limits_of_comparison(operator: int, limit: int) -> tuple[int, int]:
    """The least and the greatest value that compare so; a missing value is below them all."""
    match operator:
        case 0:
            return limit, limit
        case 1:
            return LEAST_VALUE, max(limit, LEAST_VALUE) - 1
        case 2:
            return LEAST_VALUE, limit
        case 3:
            return min(limit, NEVER - 1) + 1, NEVER
        case _:
            return limit, NEVER


def code_tables(codes: Iterable[Code], number: Callable[[int], int]) -> tuple[list[tuple[int, int]], Code]:
    """Rows (first, past) of the codes, and these one after the other with their tests renumbered."""
    spans: list[tuple[int, int]] = []
    whole: list[tuple[int, int]] = []
    for code in codes:
        begin = len(whole)
        whole += [(what, number(one) if what == BITS_TEST else one) for what, one in code]
        spans.append((begin, len(whole)))
    return spans, tuple(whole)


def _bit_code(
    plan: Plan, translation: Translation, usable: Callable[[int], bool], code: Sequence[Instruction]
) -> Code | None:
    """None where an instruction has no form over bits."""
    found: list[tuple[int, int]] = []
    pending: list[tuple[int, int]] = []
    at = 0
    while at <= len(code):
        while pending and pending[-1][0] == at:
            found.append((pending.pop()[1], 0))
        if at == len(code):
            break
        one = code[at]
        match one.op:
            case Op.SLOT_COMPARE if usable(one.a):
                test = Test(one.a, *limits_of_comparison(one.b, plan.constants[one.c]))
                found.append((BITS_TEST, translation.number(test)))
            case Op.SLOT if usable(one.a) and _is_elapsed(code, at):
                found.append((BITS_TEST, translation.number(_elapsed(plan, one.a, *code[at + 1 : at + 3]))))
                at += 2
            case Op.SLOT if usable(one.a) and plan.atoms[one.a].kind in (Kind.DID, Kind.SEQUENCE):
                found.append((BITS_TEST, translation.number(Test(one.a, 1, 1))))
            case Op.OUT if one.a in translation.codes:
                found += translation.codes[one.a]
            case Op.CONST if not one.b and plan.constants[one.a] in (0, 1):
                found.append((BITS_ALL, int(plan.constants[one.a])))
            case Op.AND_JUMP | Op.OR_JUMP:
                pending.append((one.a, BITS_AND if one.op is Op.AND_JUMP else BITS_OR))
            case Op.NOT:
                found.append((BITS_NOT, 0))
            case Op.IS_TRUE:
                pass
            case _:
                return None
        at += 1
    return tuple(found)


def _is_elapsed(code: Sequence[Instruction], at: int) -> bool:
    """A slot's moment against a constant number of days."""
    following = code[at + 1 : at + 3]
    return [one.op for one in following] == [Op.CONST, Op.ELAPSED_COMPARE]


def _elapsed(plan: Plan, slot: int, constant: Instruction, compare: Instruction) -> Test:
    """(now - value) * sign against a length of time."""
    operator, unit, sign = compare.a, compare.b, compare.c
    most = 2**61 // unit
    length = min(max(plan.constants[constant.a], -most), most) * unit
    if sign < 0:
        return Test(slot, *limits_of_comparison(operator, length), -length)
    return Test(slot, *limits_of_comparison(MIRRORED[operator], -length), length)
