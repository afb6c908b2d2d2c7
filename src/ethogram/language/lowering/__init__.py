"""Definitions to a plan.

Every expression is lowered in `expressions`, every function in `functions`. Code runs on a stack of (value, known); and,
or, comparisons and `is known` always push a known flag. With the code of an expression comes what the kernel needs to skip
it: its inputs, and `quiet`, alternative sets of inputs such that while all of one set are untouched the value is missing
(or, for a flag, false).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ethogram.language.lowering.expressions import lower_value
from ethogram.language.lowering.outputs import add_inner, output_of
from ethogram.language.lowering.questions import traits_of_me
from ethogram.language.lowering.tables import Schema, Tables
from ethogram.language.plan import Plan
from ethogram.language.tree import Definitions, Expression
from ethogram.model.settings import Settings

__all__ = ["Schema", "lower", "traits_of_me"]


def lower(
    definitions: Definitions,
    settings: Settings,
    schema: Schema,
    *,
    names: Sequence[str],
    inner: Mapping[str, Expression] | None = None,
    conditions: bool = False,
) -> Plan:
    """The plan that answers the named traits, segments and segmentations, and the `inner` expressions
    (with `conditions`, as flags that are never missing).

    Raises Unsupported, naming the function, where the kernel cannot answer exactly.
    """
    tables = Tables(definitions, settings, schema, lower_value)
    for name in names:
        output_of(tables, name, None)
    for name, expression in (inner or {}).items():
        add_inner(tables, name, expression, conditions)
    return tables.plan()
