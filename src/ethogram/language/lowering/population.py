"""What is known of a customer beside the tape: everyone else, lists, salts, pasts of segments."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from ethogram.language.lowering.code import Lowered, joined, moved
from ethogram.language.lowering.questions import shift_of_now
from ethogram.language.lowering.tables import Tables
from ethogram.language.lowering.values import moment_of, unwrapped
from ethogram.language.plan import Fit, Input, Instruction, Op, Part, ValueType
from ethogram.language.streams import step_of
from ethogram.language.tree import Arithmetic, Call, Compare, Known, Number, Percent
from ethogram.model.errors import DefinitionError


def fitted_value(tables: Tables, call: Call) -> Lowered:
    amount, percent = Decimal(0), False
    if call.function in ("ntile", "top"):
        given = call.arguments[1]
        if not isinstance(given, Number | Percent):
            raise DefinitionError("E_TYPE", "a number or a percentage is expected", span=given.span)
        amount, percent = given.value, isinstance(given, Percent)
    as_number = Arithmetic("+", call.arguments[0], Number(Decimal(0)))
    fit = Fit(call.function, as_number, call.option("among"), amount, percent)
    index = tables.fits.setdefault(fit, len(tables.fits))
    one = frozenset({Input("fitted", index)})
    lowered = Lowered("number", (Instruction(Op.FITTED, index),), one, (one,))
    if call.function != "top":
        return lowered
    return lowered._replace(type="flag", code=(*lowered.code, Instruction(Op.IS_TRUE)))


def bin_of(tables: Tables, call: Call) -> Lowered:
    """How many of the edges are at or below x."""
    item = call.arguments[0]
    known = tables.value(Known(item))
    edges = [tables.value(Compare(">=", item, edge)) for edge in call.arguments[1:]]
    code = [*known.code]
    missing_jump = len(code)
    code.append(Instruction(Op.FALSE_JUMP))
    for index, edge in enumerate(edges):
        code += moved(edge.code, len(code))
        code.append(Instruction(Op.FLAG_NUMBER))
        if index:
            code.append(Instruction(Op.ADD))
    code.append(Instruction(Op.JUMP, len(code) + 2))
    code[missing_jump] = Instruction(Op.FALSE_JUMP, len(code))
    code.append(Instruction(Op.MISSING))
    return joined("number", tuple(code), (known, *edges), known.quiet)._replace(restless=False)


def fixed_column(tables: Tables, kind: Literal["salt", "list"], name: str, type_: ValueType) -> Lowered:
    if kind == "list" and name not in tables.definitions.lists:
        known = ", ".join(tables.definitions.lists) or "none"
        raise DefinitionError("E_UNKNOWN_NAME", f"there is no list '{name}'", hint=f"lists: {known}")
    index = tables.fixed.setdefault((kind, name), len(tables.fixed))
    one = frozenset({Input("fixed", index)})
    if kind == "list":
        return Lowered(type_, (Instruction(Op.FIXED, index), Instruction(Op.IS_TRUE)), one, (one,))
    return Lowered(type_, (Instruction(Op.FIXED, index),), one)


def was_in(tables: Tables, call: Call) -> Lowered:
    index, one = tables.signal(call)
    at = call.option("at")
    assert at is not None
    shift = shift_of_now(unwrapped(tables, at))
    if shift is not None:
        shifted = Instruction(Op.WAS_IN_SHIFTED, index, tables.constant(shift.micros), shift.months)
        return Lowered("flag", (shifted,), one, (one,))
    moment = moment_of(tables, at)
    code = (*moment.code, Instruction(Op.WAS_IN, index))
    return joined("flag", code, (moment, Lowered("flag", (), one)), (one,))


def turned(tables: Tables, call: Call) -> Lowered:
    index, one = tables.signal(call)
    window = tables.window((Part("from", step_of(call.option("last"))),))
    op = Op.ENTERED if call.function == "entered" else Op.LEFT
    return Lowered("flag", (Instruction(op, index, window),), one, (one,))
