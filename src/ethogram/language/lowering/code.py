"""Code with what is known of it without running it, and how pieces of it are joined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ethogram.language.plan import Input, Instruction, Op, ValueType

Quiet = tuple[frozenset[Input], ...]
_JUMPS = frozenset({Op.AND_JUMP, Op.OR_JUMP, Op.KNOWN_JUMP, Op.JUMP, Op.FALSE_JUMP})


class Lowered(NamedTuple):
    """Code that pushes one value, and what is known of it without running it; of something `unseen` in the data the type
    is a guess."""

    type: ValueType
    code: tuple[Instruction, ...]
    inputs: frozenset[Input] = frozenset()
    quiet: Quiet = ()
    level: int = 0
    restless: bool = False
    unseen: bool = False


def all_of(parts: Sequence[Lowered]) -> Lowered:
    quiet = tuple(dict.fromkeys(each for part in parts for each in part.quiet))
    return joined("flag", chained(parts, Op.AND_JUMP), parts, quiet)


def any_of(parts: Sequence[Lowered]) -> Lowered:
    quiet: Quiet = (frozenset().union(*(p.quiet[0] for p in parts)),) if all(p.quiet for p in parts) else ()
    return joined("flag", chained(parts, Op.OR_JUMP), parts, quiet)


def chained(parts: Sequence[Lowered], jump: Op) -> tuple[Instruction, ...]:
    """One part after the other, with jumps to the end between them."""
    end = sum(len(part.code) for part in parts) + len(parts) - 1
    code = list(parts[0].code)
    for part in parts[1:]:
        code.append(Instruction(jump, end))
        code += moved(part.code, len(code))
    return tuple(code)


def moved(code: Sequence[Instruction], by: int) -> tuple[Instruction, ...]:
    """Code placed `by` instructions later."""
    return tuple([Instruction(one.op, one.a + by) if one.op in _JUMPS else one for one in code])


def joined(
    type_: ValueType, code: tuple[Instruction, ...], parts: Sequence[Lowered], quiet: Quiet
) -> Lowered:
    inputs = frozenset().union(*(part.inputs for part in parts))
    return Lowered(
        type_,
        code,
        inputs,
        quiet,
        max(part.level for part in parts),
        type_ != "flag" and any(p.restless for p in parts),
    )


def if_missing(part: Lowered) -> Quiet:
    """What leaves the value missing; of flags only a given trait is ever missing."""
    return () if part.type == "flag" and part.code[0].op is not Op.GIVEN else part.quiet
