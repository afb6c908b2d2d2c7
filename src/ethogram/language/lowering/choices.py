"""coalesce and if: one of several values, all of one type."""

from __future__ import annotations

from collections.abc import Sequence

from ethogram.language.lowering.code import Lowered, Quiet, chained, if_missing, joined, moved
from ethogram.language.lowering.tables import Tables
from ethogram.language.lowering.values import condition_of, moment_of
from ethogram.language.plan import Instruction, Op, ValueType
from ethogram.language.tree import Call, Expression
from ethogram.model.errors import Unsupported


def coalesce(tables: Tables, call: Call, expect: ValueType | None) -> Lowered:
    parts = _alike(tables, call.arguments, expect)
    quiet: Quiet = (
        (frozenset().union(*(p.quiet[0] for p in parts)),) if all(if_missing(p) for p in parts) else ()
    )
    return joined(parts[0].type, chained(parts, Op.KNOWN_JUMP), parts, quiet)


def conditional(tables: Tables, call: Call, expect: ValueType | None) -> Lowered:
    condition = condition_of(tables, call.arguments[0])
    yes, no = _alike(tables, call.arguments[1:], expect)
    code = [*condition.code, Instruction(Op.FALSE_JUMP, len(condition.code) + len(yes.code) + 2)]
    code += moved(yes.code, len(code))
    code.append(Instruction(Op.JUMP, len(code) + 1 + len(no.code)))
    code += moved(no.code, len(code))
    return joined(yes.type, tuple(code), (condition, yes, no), ())


def _alike(tables: Tables, arguments: Sequence[Expression], expect: ValueType | None) -> list[Lowered]:
    guesses = [tables.value(argument, expect) for argument in arguments]
    seen = dict.fromkeys(part.type for part in guesses if not part.unseen)
    wanted = expect if expect in seen or not seen else next(iter(seen))
    if {"moment", "text"} == set(seen):
        return [moment_of(tables, argument) for argument in arguments]
    if len(seen) > 1:
        raise Unsupported(
            "E_MIXED_TYPES",
            f"the alternatives are of different types: {' and '.join(sorted(seen))}",
            span=arguments[0].span,
        )
    wanted = wanted or "text"
    nothing = Lowered(wanted, (Instruction(Op.MISSING),))
    return [part if part.type == wanted else nothing for part in guesses]
