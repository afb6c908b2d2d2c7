"""Definitions as outputs of the plan, each lowered once however often it is named."""

from __future__ import annotations

from collections.abc import Sequence

from ethogram.language.lowering.code import Lowered, Quiet, moved
from ethogram.language.lowering.questions import place_of, traits_of_me
from ethogram.language.lowering.tables import Tables
from ethogram.language.lowering.values import condition_of
from ethogram.language.plan import COMPARISONS, Input, Instruction, Op
from ethogram.language.tree import Expression, Group, Segment, Segmentation, Trait
from ethogram.model.errors import DefinitionError


def output_of(tables: Tables, name: str, named_by: Expression | None) -> int:
    if name in tables.by_name:
        return tables.by_name[name]
    if name in tables.open:
        circle = " -> ".join([*tables.open[tables.open.index(name) :], name])
        raise DefinitionError(
            "E_CIRCLE", f"these definitions go in a circle: {circle}", span=place_of(named_by)
        )
    tables.open.append(name)
    definition = tables.definitions.find(name)
    match definition:
        case Trait():
            index = tables.add(name, "trait", tables.value(definition.value))
        case Segment():
            index = tables.add(name, "segment", condition_of(tables, definition.when))
        case Segmentation():
            groups = tuple(group.name for group in definition.groups)
            index = tables.add(name, "segmentation", _groups(tables, definition), groups)
        case _:
            raise DefinitionError(
                "E_UNKNOWN_NAME", f"'{name}' is no trait, segment or segmentation", span=place_of(named_by)
            )
    tables.open.pop()
    return index


def add_inner(tables: Tables, name: str, expression: Expression, condition: bool) -> int:
    return tables.add(
        name, "inner", condition_of(tables, expression) if condition else tables.value(expression)
    )


def _groups(tables: Tables, segmentation: Segmentation) -> Lowered:
    """The index of the first group that holds."""
    code: list[Instruction] = []
    jumps: list[int] = []
    inputs: frozenset[Input] = frozenset()
    touching: frozenset[Input] | None = frozenset()
    level = 0
    for index, group in enumerate(segmentation.groups):
        if group.when is not None:
            condition = condition_of(tables, group.when)
            code += moved(condition.code, len(code))
            code.append(Instruction(Op.FALSE_JUMP, len(code) + 3))
            inputs |= condition.inputs
            level = max(level, condition.level)
            touching = touching | condition.quiet[0] if condition.quiet and touching is not None else None
        code.append(Instruction(Op.CONST, tables.constant(index)))
        jumps.append(len(code))
        code.append(Instruction(Op.JUMP, 0))
    end = len(code)
    code = [Instruction(Op.JUMP, end) if k in jumps else one for k, one in enumerate(code)]
    quiet: Quiet = (touching,) if touching is not None else ()
    return Lowered("number", tuple(code), inputs, quiet, level)


def defined_value(tables: Tables, name: str, named_by: Expression) -> Lowered:
    """The value of another definition."""
    index = output_of(tables, name, named_by)
    whole = tables.lowered[index]
    code: tuple[Instruction, ...] = (Instruction(Op.OUT, index),)
    if tables.outputs[index].kind == "segmentation":
        row = tables.text_row(tables.outputs[index].groups)
        return whole._replace(
            type="text", code=(*code, Instruction(Op.GROUP_TEXT, row)), quiet=(), restless=False
        )
    return whole._replace(code=code)


def group_holds(tables: Tables, reference: Group) -> Lowered:
    index = output_of(tables, reference.segmentation, reference)
    groups = tables.outputs[index].groups
    if reference.group not in groups:
        raise DefinitionError(
            "E_UNKNOWN_NAME",
            f"'{reference.segmentation}' has no group '{reference.group}'",
            hint=f"it has: {', '.join(groups)}",
            span=reference.span,
        )
    return is_group(tables, index, groups.index(reference.group))


def is_group(tables: Tables, output: int, group: int) -> Lowered:
    code = (
        Instruction(Op.OUT, output),
        Instruction(Op.CONST, tables.constant(group)),
        Instruction(Op.COMPARE, COMPARISONS["=="]),
    )
    whole = tables.lowered[output]
    return Lowered("flag", code, whole.inputs, (), whole.level)


def outputs_of_me(tables: Tables, conditions: Sequence[Expression]) -> list[int]:
    return [output_of(tables, name, None) for condition in conditions for name in traits_of_me(condition)]
