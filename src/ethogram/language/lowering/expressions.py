"""Every expression has its lowering here."""

from __future__ import annotations

from typing import assert_never

from ethogram.language.instants import moment_of_text
from ethogram.language.lowering.code import Lowered, all_of, any_of, if_missing, joined, moved
from ethogram.language.lowering.comparisons import compare
from ethogram.language.lowering.functions import lower_call
from ethogram.language.lowering.outputs import defined_value, group_holds
from ethogram.language.lowering.questions import millionths, noun_of
from ethogram.language.lowering.tables import Tables
from ethogram.language.lowering.values import condition_of, given_is_known, given_trait, moment_of
from ethogram.language.plan import Instruction, Op, ValueType
from ethogram.language.streams import step_of
from ethogram.language.tree import (
    AccountTrait,
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    CustomerTrait,
    Date,
    Duration,
    Elem,
    Events,
    Everyone,
    Expression,
    Flag,
    Group,
    Items,
    Known,
    Me,
    Name,
    Negate,
    Not,
    Number,
    Or,
    Percent,
    Property,
    Text,
    Word,
)
from ethogram.model.errors import DefinitionError, Unsupported


def lower_value(tables: Tables, expression: Expression, expect: ValueType | None = None) -> Lowered:
    match expression:
        case Call():
            return lower_call(tables, expression, expect)
        case Compare():
            return compare(tables, expression.operator, expression.left, expression.right)
        case And():
            return all_of([condition_of(tables, item) for item in expression.items])
        case Number():
            return tables.fixed_value("number", millionths(expression.value))
        case Percent():
            return tables.fixed_value("number", millionths(expression.value / 100))
        case Flag():
            return tables.fixed_value("flag", int(expression.value))
        case Everyone():
            return tables.fixed_value("flag", 1)
        case Text():
            row = tables.text_row((expression.value,))
            return Lowered("text", (Instruction(Op.CONST, row, 1),))
        case Date():
            moment = moment_of_text(expression.value, tables.zone)
            if moment is None:
                raise DefinitionError("E_DATE", f'"{expression.value}" is no date', span=expression.span)
            return tables.fixed_value("moment", moment)
        case Name():
            return defined_value(tables, expression.name, expression)
        case Group():
            return group_holds(tables, expression)
        case CustomerTrait():
            return given_trait(tables, expression.path, expect)
        case Or():
            return any_of([condition_of(tables, item) for item in expression.items])
        case Not():
            item = condition_of(tables, expression.item)
            return item._replace(code=(*item.code, Instruction(Op.NOT)), quiet=())
        case Between():
            low = Compare(">=", expression.item, expression.low)
            high = Compare("<=", expression.item, expression.high)
            return all_of([condition_of(tables, low), condition_of(tables, high)])
        case Known(item=CustomerTrait(path)):
            return given_is_known(tables, path)
        case Known():
            item = tables.value(expression.item)
            known = (*item.code, Instruction(Op.KNOWN))
            return item._replace(type="flag", code=known, quiet=if_missing(item))
        case Arithmetic():
            return arithmetic(tables, expression)
        case Negate():
            item = tables.value(expression.item, "number")
            return item._replace(code=(*item.code, Instruction(Op.NEGATE)))
        case AccountTrait():
            raise Unsupported("E_REFUSED", "account traits are not resolved yet", span=expression.span)
        case Events() | Property() | Me() | Elem() | Duration() | Items() | Word():
            raise DefinitionError(
                "E_TYPE", f"a value is expected here, not {noun_of(expression)}", span=expression.span
            )
        case _:
            assert_never(expression)


def arithmetic(tables: Tables, expression: Arithmetic) -> Lowered:
    if isinstance(expression.right, Duration):
        return shifted(tables, expression.left, expression.right, expression.operator == "-")
    if isinstance(expression.left, Duration) and expression.operator == "+":
        return shifted(tables, expression.right, expression.left, False)
    left, right = tables.value(expression.left, "number"), tables.value(expression.right, "number")
    if expression.operator == "-" and "moment" in (left.type, right.type):
        left, right = moment_of(tables, expression.left), moment_of(tables, expression.right)
        code = left.code + moved(right.code, len(left.code)) + (Instruction(Op.DAYS_BETWEEN),)
        return joined("number", code, (left, right), left.quiet + right.quiet)
    if left.type != "number" or right.type != "number":
        return Lowered("number", (Instruction(Op.MISSING),))
    code = left.code + moved(right.code, len(left.code))
    op = {"+": Op.ADD, "-": Op.SUBTRACT, "*": Op.MULTIPLY, "/": Op.DIVIDE}[expression.operator]
    return joined("number", (*code, Instruction(op)), (left, right), if_missing(left) + if_missing(right))


def shifted(tables: Tables, moment: Expression, duration: Duration, back: bool) -> Lowered:
    base = moment_of(tables, moment)
    step = step_of(duration)
    sign = -1 if back else 1
    if step.months:
        return base._replace(code=(*base.code, Instruction(Op.STEP, sign * step.months)))
    return base._replace(code=(*base.code, Instruction(Op.SHIFT, tables.constant(sign * step.micros))))
