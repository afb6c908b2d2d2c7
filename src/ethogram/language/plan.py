"""What definitions compile to: a frozen, printable plan that knows neither data nor machine.

A plan lists the windows, the streams (which events, under which conditions), the atoms (one accumulator each, fed by one
stream inside one window) and the outputs: short programs for a stack machine over atoms, given traits and constants.
Binding turns a plan into arrays for the kernel.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Literal, NamedTuple, TypeAlias

from ethogram.language.tree import Expression, Path, Unless

ValueType: TypeAlias = Literal["number", "text", "flag", "moment", "set"]
MICROS = {"s": 10**6, "min": 60 * 10**6, "h": 3600 * 10**6, "d": 86400 * 10**6, "w": 7 * 86400 * 10**6}
MONTHS = {"mo": 1, "y": 12}


class Kind(IntEnum):
    """How an atom accumulates."""

    DID = 0
    COUNT = 1
    SUM = 2
    MIN = 3
    MAX = 4
    FIRST_TIME = 5
    LAST_TIME = 6
    FIRST_VALUE = 7
    LAST_VALUE = 8
    PERIODS = 9
    STREAK = 10
    AVERAGE = 11
    GAP_MAX = 12
    GAP_LAST = 13
    RESUMED = 14
    GAP_MIN = 15
    GAP_MEAN = 16
    NTH_TIME = 17
    # the rest remember values and are settled when the tape has been read
    MEDIAN = 20
    DISTINCT = 21
    MAX_COUNT = 22
    MOST_FREQUENT = 23
    NTH = 24
    GAP_MEDIAN = 25
    GAP_VARIATION = 26
    MAX_SUM = 27
    SET = 28
    SEQUENCE = 29


ZERO_OF_NOTHING = frozenset(
    {
        Kind.DID,
        Kind.COUNT,
        Kind.SUM,
        Kind.PERIODS,
        Kind.STREAK,
        Kind.DISTINCT,
        Kind.MAX_COUNT,
        Kind.MAX_SUM,
        Kind.SEQUENCE,
    }
)
"""Kinds whose value over no events is 0 or false; the others are missing."""


class Op(IntEnum):
    """Instructions: operands a, b, c; jumps are absolute inside the output's code."""

    CONST = 0
    MISSING = 1
    SLOT = 2
    GIVEN = 3
    OUT = 4
    NOW = 5
    FITTED = 6
    FIXED = 7
    IDENTIFIED = 8
    NOT = 10
    AND_JUMP = 11
    OR_JUMP = 12
    COMPARE = 13
    COMPARE_TEXT = 14
    KNOWN = 15
    ADD = 16
    SUBTRACT = 17
    MULTIPLY = 18
    DIVIDE = 19
    NEGATE = 20
    ELAPSED_COMPARE = 21
    ELAPSED = 22
    SHIFT = 23
    STEP = 24
    DAYS_BETWEEN = 25
    NOW_COMPARE = 26
    TEXT_MOMENT = 27
    AGE = 28
    ANNIVERSARY = 29
    TEXT_TABLE = 30
    LOWER = 31
    KNOWN_JUMP = 32
    JUMP = 33
    FALSE_JUMP = 34
    WAS_IN = 35
    ENTERED = 36
    LEFT = 37
    STAY = 38
    IN_WINDOW = 39
    SLOT_COMPARE = 40
    IS_TRUE = 41
    GROUP_TEXT = 42
    FLAG_NUMBER = 43
    WAS_IN_SHIFTED = 44


COMPARISONS = {"==": 0, "<": 1, "<=": 2, ">": 3, ">=": 4}


class Step(NamedTuple):
    """A duration: exact microseconds or calendar months."""

    micros: int = 0
    months: int = 0


class Part(NamedTuple):
    """One bound of a window, T the moment asked about.

    from: t > T - step; to: t <= T - step; period: in the local periods [first, past) counted from the current one;
    since: t >= the moment `step.micros`; until: t < it; since_now and until_now: the same with the moment T - step.
    """

    kind: Literal["from", "to", "period", "since", "until", "since_now", "until_now"]
    step: Step = Step()
    unit: int = 0
    first: int = 0
    past: int = 0


Window: TypeAlias = tuple[Part, ...]
"""Intersected parts; empty is all of the past."""


class LocalTime(NamedTuple):
    """`hours=`, `weekdays=`, `months=`, `holiday=`; `months` and `weekdays` as sorted numbers, Monday is 0."""

    hours: tuple[int, int] | None = None
    weekdays: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    holiday: str = ""
    of_customer: bool = False


class Stream(NamedTuple):
    """Which events: `names` None is `any` less `excluded`; `each` makes them items of that list."""

    names: tuple[str, ...] | None
    excluded: tuple[str, ...] = ()
    each: Path = ()
    where: tuple[Expression, ...] = ()
    unless: Unless | None = None


class SequenceStep(NamedTuple):
    stream: Stream
    forbidden: bool


class Sequence(NamedTuple):
    steps: tuple[SequenceStep, ...]
    within: Step | None = None
    gap: Step | None = None
    strict: Stream | None = None
    same: Path = ()


class Atom(NamedTuple):
    """`since` and `until` name the output whose moment bounds the window; `number` is n of nth, or a period's unit; `by` is the
    property whose values are told apart, of the type `by_of`."""

    kind: Kind
    stream: Stream
    path: Path = ()
    of: ValueType | None = None
    by: Path = ()
    by_of: ValueType | None = None
    window: Window = ()
    local: LocalTime | None = None
    since: int | None = None
    until: int | None = None
    number: int = 0
    step: Step = Step()
    sequence: Sequence | None = None
    level: int = 0


class Instruction(NamedTuple):
    op: Op
    a: int = 0
    b: int = 0
    c: int = 0


@dataclass(frozen=True, slots=True)
class Input:
    """Something whose presence can make an output differ from its default."""

    kind: Literal["slot", "given", "out", "fitted", "fixed", "signal", "identified"]
    index: int


class Output(NamedTuple):
    """`triggers` are alternative sets of inputs: while every input of one of them is untouched, the default holds.

    `restless` values change from moment to moment (`days_since` as a value); `groups` are a segmentation's.
    """

    name: str
    kind: Literal["segment", "segmentation", "trait", "inner", "bound"]
    type: ValueType
    code: tuple[Instruction, ...]
    triggers: tuple[frozenset[Input], ...]
    level: int
    groups: tuple[str, ...] = ()
    restless: bool = False


@dataclass(frozen=True, slots=True)
class Fit:
    """A population function of `of` among the members of `among`; `amount` is n, or a percentage of those known."""

    function: str
    of: Expression
    among: Expression | None
    amount: Decimal = Decimal(0)
    percent: bool = False


@dataclass(frozen=True, slots=True)
class TextTest:
    """A test of a text against constants: `in` any of them, `contains` the first, or an order comparison with it."""

    test: Literal["in", "contains", "<", "<=", ">", ">="]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """`signals` are conditions whose past is asked for; `salts` and `lists` are fixed columns of a customer."""

    windows: tuple[Window, ...]
    atoms: tuple[Atom, ...]
    givens: tuple[tuple[Path, ValueType], ...]
    constants: tuple[int, ...]
    texts: tuple[str, ...]
    tests: tuple[TextTest, ...]
    fixed: tuple[tuple[Literal["salt", "list"], str], ...]
    fits: tuple[Fit, ...]
    signals: tuple[Expression, ...]
    outputs: tuple[Output, ...]

    def __str__(self) -> str:
        lines = [f"atom {i}: {_atom(atom)}" for i, atom in enumerate(self.atoms)]
        for i, output in enumerate(self.outputs):
            lines.append(f"output {i}: {output.kind} {output.name}: {output.type}, level {output.level}")
            lines += [
                f"  {k:3} {one.op.name.lower()} {one.a} {one.b} {one.c}" for k, one in enumerate(output.code)
            ]
        return "\n".join(lines)


def _atom(atom: Atom) -> str:
    names = "any" if atom.stream.names is None else " | ".join(atom.stream.names)
    path = "." + ".".join(atom.path) if atom.path else ""
    conditions = f" where {len(atom.stream.where)} conditions" if atom.stream.where else ""
    windows = " ".join(f"{part.kind} {part.step.micros or part.step.months}" for part in atom.window)
    return f"{atom.kind.name.lower()} {names}{path}{conditions} {windows}".rstrip()
