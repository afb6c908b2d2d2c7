"""The parts that other lowering rests on: conditions, moments, given traits, what a name stands for."""

from __future__ import annotations

from dataclasses import replace

from ethogram.language.lowering.code import Lowered
from ethogram.language.lowering.questions import is_always_known, only_type
from ethogram.language.lowering.tables import Tables
from ethogram.language.plan import Input, Instruction, Op, ValueType
from ethogram.language.tree import Expression, Name, Path
from ethogram.model.errors import Unsupported


def condition_of(tables: Tables, expression: Expression) -> Lowered:
    """A flag that is never missing; a value of another type is not true."""
    lowered = tables.value(expression, expect="flag")
    if lowered.type != "flag":
        return tables.fixed_value("flag", 0)
    if is_always_known(expression):
        return lowered
    return replace(lowered, code=(*lowered.code, Instruction(Op.IS_TRUE)))


def given_trait(tables: Tables, path: Path, expect: ValueType | None) -> Lowered:
    if tables.schema.is_list_trait(path):
        raise Unsupported(
            "E_UNSUPPORTED",
            f"customer.{'.'.join(path)} holds lists, which this engine cannot compare",
            hint="Load what is needed of it as a trait of its own.",
        )
    types = tables.schema.trait_types(path)
    wanted: ValueType = "text" if expect == "moment" else expect if expect is not None else "text"
    if wanted not in types and expect in (None, "flag") and types:
        wanted = only_type(types, "customer." + ".".join(path))
    index = tables.givens.setdefault((path, wanted), len(tables.givens))
    one = frozenset({Input("given", index)})
    return Lowered(wanted, (Instruction(Op.GIVEN, index),), one, (one,), unseen=wanted not in types)


def moment_of(tables: Tables, expression: Expression) -> Lowered:
    lowered = tables.value(expression, "moment")
    if lowered.type == "text":
        return replace(lowered, type="moment", code=(*lowered.code, Instruction(Op.TEXT_MOMENT)))
    if lowered.type != "moment":
        return Lowered("moment", (Instruction(Op.MISSING),))
    return lowered


def unwrapped(tables: Tables, expression: Expression) -> Expression:
    """A trait's own expression where a name stands for it."""
    seen: set[str] = set()
    while (
        isinstance(expression, Name)
        and expression.name in tables.definitions.traits
        and expression.name not in seen
    ):
        seen.add(expression.name)
        expression = tables.definitions.traits[expression.name].value
    return expression
