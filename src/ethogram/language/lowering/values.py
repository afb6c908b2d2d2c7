"""The parts that other lowering rests on: conditions, moments, given traits, what a name stands for."""

from __future__ import annotations

from ethogram.language.lowering.code import Lowered, any_of
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
    return lowered._replace(code=(*lowered.code, Instruction(Op.IS_TRUE)))


def given_trait(tables: Tables, path: Path, expect: ValueType | None) -> Lowered:
    types = _types_of_given(tables, path)
    wanted: ValueType = "text" if expect in (None, "moment") else expect
    if expect is None and types:
        wanted = only_type(types, "customer." + ".".join(path))
    return _given_of_type(tables, path, wanted, unseen=wanted not in types)


def given_is_known(tables: Tables, path: Path) -> Lowered:
    """Of whatever type."""
    types = sorted(_types_of_given(tables, path)) or ["text"]
    parts = [_given_of_type(tables, path, type_, unseen=False) for type_ in types]
    known = Instruction(Op.KNOWN)
    return any_of([part._replace(type="flag", code=(*part.code, known)) for part in parts])


def _types_of_given(tables: Tables, path: Path) -> frozenset[ValueType]:
    if tables.schema.is_list_trait(path):
        raise Unsupported(
            "E_UNSUPPORTED",
            f"customer.{'.'.join(path)} holds lists, which this engine cannot compare",
            hint="Load what is needed of it as a trait of its own.",
        )
    return tables.schema.trait_types(path)


def _given_of_type(tables: Tables, path: Path, type_: ValueType, *, unseen: bool) -> Lowered:
    index = tables.givens.setdefault((path, type_), len(tables.givens))
    one = frozenset({Input("given", index)})
    return Lowered(type_, (Instruction(Op.GIVEN, index),), one, (one,), unseen=unseen)


def moment_of(tables: Tables, expression: Expression) -> Lowered:
    lowered = tables.value(expression, "moment")
    if lowered.type == "text":
        return lowered._replace(type="moment", code=(*lowered.code, Instruction(Op.TEXT_MOMENT)))
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
