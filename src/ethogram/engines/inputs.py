"""What makes an output run: the inputs that may take it from its default."""

from __future__ import annotations

import operator

import numpy as np
from numpy.typing import NDArray

from ethogram.language.plan import ZERO_OF_NOTHING, Input, Op, Output, Plan

Integers = NDArray[np.int64]
NO_TEST = (-1, 0)
HOLDS = {0: operator.eq, 1: operator.lt, 2: operator.le, 3: operator.gt, 4: operator.ge}
JUMPS = frozenset({Op.AND_JUMP, Op.OR_JUMP, Op.KNOWN_JUMP, Op.FALSE_JUMP, Op.JUMP})


def rarest(output: Output, often: Integers) -> frozenset[Input]:
    """Of an output's alternative sets of triggers the one that is touched least often."""

    def weight(inputs: frozenset[Input]) -> int:
        return sum(int(often[one.index]) if one.kind == "slot" else 10**9 for one in inputs)

    return min(output.triggers, key=weight)


def needed_test(plan: Plan, output: Output, trigger: Input) -> tuple[int, int]:
    """(operator, limit): a comparison of the trigger's slot without which the output stays false; NO_TEST if there is none.

    That is one item of an `and`, false for an untouched slot, so that the default is false too.
    """
    code = output.code
    if trigger.kind != "slot" or output.type != "flag":
        return NO_TEST
    if any(one.op in JUMPS and (one.op is not Op.AND_JUMP or one.a != len(code)) for one in code):
        return NO_TEST
    for at, one in enumerate(code):
        is_item = at + 1 == len(code) or code[at + 1].op is Op.AND_JUMP
        if one.op is Op.SLOT_COMPARE and one.a == trigger.index and is_item:
            limit = plan.constants[one.c]
            empty = 0 if plan.atoms[one.a].kind in ZERO_OF_NOTHING else None
            if empty is None or not HOLDS[one.b](empty, limit):
                return one.b, limit
    return NO_TEST
