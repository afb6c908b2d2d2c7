"""Code with what is known of it without running it, and how pieces of it are joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ethogram.language.plan import Input, Instruction, Op, ValueType

Quiet = tuple[frozenset[Input], ...]


@dataclass(frozen=True, slots=True)
class Lowered:
    """Code that pushes one value, and what is known of it without running it; of something `unseen` in the data the type
    is a guess."""

    type: ValueType
    code: tuple[Instruction, ...]
    inputs: frozenset[Input] = frozenset()
    quiet: Quiet = ()
    level: int = 0
    restless: bool = False
    unseen: bool = False


def any_of(parts: Sequence[Lowered]) -> Lowered:
    code: list[Instruction] = []
    jumps: list[int] = []
    for part in parts:
        if code:
            jumps.append(len(code))
            code.append(Instruction(Op.OR_JUMP))
        code += moved(part.code, len(code))
    final = tuple(Instruction(Op.OR_JUMP, len(code)) if k in jumps else one for k, one in enumerate(code))
    quiet: Quiet = (frozenset().union(*(p.quiet[0] for p in parts)),) if all(p.quiet for p in parts) else ()
    return joined("flag", final, parts, quiet)


def moved(code: Sequence[Instruction], by: int) -> tuple[Instruction, ...]:
    """Code placed `by` instructions later."""
    jumps = {Op.AND_JUMP, Op.OR_JUMP, Op.KNOWN_JUMP, Op.JUMP, Op.FALSE_JUMP}
    return tuple(replace(one, a=one.a + by) if one.op in jumps else one for one in code)


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
