"""Comparisons, exact where they look at elapsed time or now."""

from __future__ import annotations

from dataclasses import replace

from ethogram.language.lowering.code import Lowered, any_of, if_missing, joined, moved
from ethogram.language.lowering.moments import elapsed_of
from ethogram.language.lowering.outputs import is_group, output_of
from ethogram.language.lowering.questions import is_elapsed, is_met, shift_of_now
from ethogram.language.lowering.tables import Tables
from ethogram.language.lowering.values import moment_of, unwrapped
from ethogram.language.plan import COMPARISONS, ZERO_OF_NOTHING, Instruction, Op, TextTest
from ethogram.language.tree import (
    And,
    Call,
    Compare,
    Comparison,
    CustomerTrait,
    Events,
    Expression,
    Flag,
    Items,
    Name,
    Negate,
    Number,
    Percent,
    Property,
    Text,
)
from ethogram.model.errors import Unsupported

_PLAIN = (Text, Number, Flag, Percent)
_MIRRORED: dict[Comparison, Comparison] = {"==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def compare(tables: Tables, operator: Comparison, left: Expression, right: Expression) -> Lowered:
    if operator == "in":
        return one_of(tables, left, right)
    if operator == "contains":
        return contains(tables, left, right)
    plain_left, plain_right = unwrapped(tables, left), unwrapped(tables, right)
    if is_elapsed(plain_right) and not is_elapsed(plain_left):
        return compare(tables, _MIRRORED[operator], right, left)
    if is_elapsed(plain_left) and not is_elapsed(plain_right):
        assert isinstance(plain_left, Call)
        return compare_elapsed(tables, operator, plain_left, right)
    if shift_of_now(plain_left) is not None and shift_of_now(plain_right) is None:
        return compare(tables, _MIRRORED[operator], right, left)
    if shift_of_now(plain_right) is not None and shift_of_now(plain_left) is None:
        return compare_with_now(tables, operator, left, plain_right)
    if isinstance(plain_left, Text) and not isinstance(plain_right, Text):
        return compare(tables, _MIRRORED[operator], right, left)
    return compare_values(tables, operator, left, right)


def compare_values(tables: Tables, operator: Comparison, left: Expression, right: Expression) -> Lowered:
    named = _compare_group(tables, operator, left, right)
    if named is not None:
        return named
    one, other = _sides(tables, left, right)
    if "moment" in (one.type, other.type) and "text" in (one.type, other.type):
        one, other = moment_of(tables, left), moment_of(tables, right)
    if one.type != other.type or one.type == "set" or (one.type == "flag" and operator != "=="):
        return tables.fixed_value("flag", 0)
    if one.type == "text" and operator != "==":
        if isinstance(right, Text):
            assert operator in ("<", "<=", ">", ">=")
            return tables.tested(one, TextTest(operator, (right.value,)))
        op = Op.COMPARE_TEXT
    else:
        op = Op.COMPARE
    slot = slot_against_constant(tables, operator, one, other)
    if slot is not None:
        return slot
    code = one.code + moved(other.code, len(one.code)) + (Instruction(op, COMPARISONS[operator]),)
    return joined("flag", code, (one, other), if_missing(one) + if_missing(other))


def _sides(tables: Tables, left: Expression, right: Expression) -> tuple[Lowered, Lowered]:
    """Each side tells the other which type is expected."""
    if isinstance(left, CustomerTrait) and not isinstance(right, CustomerTrait):
        other = tables.value(right)
        return tables.value(left, other.type), other
    if isinstance(right, CustomerTrait) and not isinstance(left, CustomerTrait):
        one = tables.value(left)
        return one, tables.value(right, one.type)
    if isinstance(left, Call) and isinstance(right, _PLAIN):
        other = tables.value(right)
        return tables.value(left, other.type), other
    one = tables.value(left)
    return one, tables.value(right, one.type)


def _compare_group(
    tables: Tables, operator: Comparison, left: Expression, right: Expression
) -> Lowered | None:
    if operator != "==" or not isinstance(left, Name) or not isinstance(right, Text):
        return None
    if left.name not in tables.definitions.segmentations:
        return None
    index = output_of(tables, left.name, left)
    groups = tables.outputs[index].groups
    return (
        is_group(tables, index, groups.index(right.value))
        if right.value in groups
        else tables.fixed_value("flag", 0)
    )


def slot_against_constant(
    tables: Tables, operator: Comparison, one: Lowered, other: Lowered
) -> Lowered | None:
    """`count(x) >= 3` as one instruction."""
    if len(one.code) != 1 or len(other.code) != 1 or one.type == "text":
        return None
    slot, constant = one.code[0], other.code[0]
    if slot.op is not Op.SLOT or constant.op is not Op.CONST or constant.b:
        return None
    atom, limit = tables.atom_list[slot.a], tables.constant_list[constant.a]
    quiet = one.quiet
    if atom.kind in ZERO_OF_NOTHING and not is_met(operator, 0, limit):
        quiet = (one.inputs,)
    elif atom.kind in ZERO_OF_NOTHING:
        quiet = ()
    code = (Instruction(Op.SLOT_COMPARE, slot.a, COMPARISONS[operator], constant.a),)
    return Lowered("flag", code, one.inputs, quiet, one.level)


def compare_elapsed(tables: Tables, operator: Comparison, call: Call, other: Expression) -> Lowered:
    """Exact on moments: elapsed time against a number of days or hours."""
    moment, unit, sign = elapsed_of(tables, call)
    number = tables.value(other, "number")
    if number.type != "number":
        return tables.fixed_value("flag", 0)
    code = moment.code + moved(number.code, len(moment.code))
    code += (Instruction(Op.ELAPSED_COMPARE, COMPARISONS[operator], unit, sign),)
    return joined("flag", code, (moment, number), if_missing(moment) + if_missing(number))


def compare_with_now(tables: Tables, operator: Comparison, left: Expression, now: Expression) -> Lowered:
    shift = shift_of_now(now)
    assert shift is not None
    moment = moment_of(tables, left)
    code = (
        *moment.code,
        Instruction(Op.NOW_COMPARE, COMPARISONS[operator], tables.constant(shift.micros), shift.months),
    )
    return moment._replace(type="flag", code=code)


def one_of(tables: Tables, left: Expression, right: Expression) -> Lowered:
    items = right.items if isinstance(right, Items) else ()
    plain = unwrapped(tables, left)
    if isinstance(plain, Call) and plain.function == "values":
        raise Unsupported(
            "E_UNSUPPORTED", "a set of values cannot stand before `in`; use contains", span=left.span
        )
    texts = tuple(item.value for item in items if isinstance(item, Text))
    others = [Compare("==", left, item) for item in items if not isinstance(item, Text)]
    parts: list[Lowered] = []
    if texts:
        text = tables.value(left, "text")
        if text.type == "text":
            parts.append(tables.tested(text, TextTest("in", texts)))
        elif text.type == "moment":
            others += [Compare("==", left, Text(each)) for each in texts]
    parts += [tables.value(other) for other in others]
    if not parts:
        return tables.fixed_value("flag", 0)
    return any_of(parts)


def contains(tables: Tables, left: Expression, right: Expression) -> Lowered:
    plain = unwrapped(tables, left)
    if isinstance(plain, Call) and plain.function == "values":
        return _set_contains(tables, plain, right)
    if not isinstance(right, Text):
        raise Unsupported(
            "E_UNSUPPORTED", "contains needs a text in quotes on its right side", span=right.span
        )
    text = tables.value(left, "text")
    if text.type != "text":
        return tables.fixed_value("flag", 0)
    return tables.tested(text, TextTest("contains", (right.value,)))


def _set_contains(tables: Tables, values: Call, right: Expression) -> Lowered:
    measure = values.arguments[0]
    if not isinstance(right, Text | Number | Flag | Negate | Percent):
        raise Unsupported(
            "E_UNSUPPORTED", "values(…) contains needs a literal on its right side", span=right.span
        )
    assert isinstance(measure, Events)
    equal = Compare("==", Property(measure.path), right)
    where = equal if measure.where is None else And((measure.where, equal))
    return tables.value(Call("did", (replace(measure, where=where, path=()),), values.options), "flag")
