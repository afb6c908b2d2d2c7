"""The tables of a plan while it grows; equal atoms, windows and constants are kept once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from ethogram.language.lowering.code import Lowered, Quiet, if_missing
from ethogram.language.plan import (
    ZERO_OF_NOTHING,
    Atom,
    Fit,
    Input,
    Instruction,
    Kind,
    Op,
    Output,
    Plan,
    TextTest,
    ValueType,
    Window,
)
from ethogram.language.tree import Call, Definitions, Expression, Path
from ethogram.model.settings import Settings


@dataclass(frozen=True, slots=True)
class Schema:
    """The types that properties and given traits were seen with: number, text, flag; which traits were lists."""

    property_types: Callable[[tuple[str, ...] | None, Path], frozenset[ValueType]]
    trait_types: Callable[[Path], frozenset[ValueType]]
    is_list_trait: Callable[[Path], bool]


class Tables:
    """What is asked of definitions, and the tables that the answer needs.

    `lower_value` lowers any expression; it is given so that this floor need not know those above.
    """

    def __init__(
        self,
        definitions: Definitions,
        settings: Settings,
        schema: Schema,
        lower_value: Callable[[Tables, Expression, ValueType | None], Lowered],
    ) -> None:
        self._lower_value = lower_value
        self.definitions = definitions
        self.settings = settings
        self.schema = schema
        self.zone = ZoneInfo(settings.timezone)
        self.windows: dict[Window, int] = {}
        self.atoms: dict[Atom, int] = {}
        self.atom_list: list[Atom] = []
        self.slots: list[Lowered] = []
        self.constant_list: list[int] = []
        self.givens: dict[tuple[Path, ValueType], int] = {}
        self.constants: dict[int, int] = {}
        self.texts: list[str] = []
        self.text_rows: dict[tuple[str, ...], int] = {}
        self.tests: dict[TextTest, int] = {}
        self.fixed: dict[tuple[Literal["salt", "list"], str], int] = {}
        self.fits: dict[Fit, int] = {}
        self.signals: dict[Expression, int] = {}
        self.outputs: list[Output] = []
        self.lowered: dict[int, Lowered] = {}
        self.by_name: dict[str, int] = {}
        self.open: list[str] = []

    def plan(self) -> Plan:
        return Plan(
            tuple(self.windows),
            tuple(self.atom_list),
            tuple(self.givens),
            tuple(self.constants),
            tuple(self.texts),
            tuple(self.tests),
            tuple(self.fixed),
            tuple(self.fits),
            tuple(self.signals),
            tuple(self.outputs),
        )

    def add(
        self,
        name: str,
        kind: Literal["segment", "segmentation", "trait", "inner", "bound"],
        lowered: Lowered,
        groups: tuple[str, ...] = (),
    ) -> int:
        triggers = lowered.quiet or (lowered.inputs,)
        index = len(self.outputs)
        self.outputs.append(
            Output(name, kind, lowered.type, lowered.code, triggers, lowered.level, groups, lowered.restless)
        )
        self.lowered[index] = lowered
        self.by_name[name] = index
        return index

    def constant(self, value: int) -> int:
        if value not in self.constants:
            self.constants[value] = len(self.constant_list)
            self.constant_list.append(value)
        return self.constants[value]

    def text_row(self, texts: tuple[str, ...]) -> int:
        """The index of the first of some neighboring text constants."""
        if texts not in self.text_rows:
            self.text_rows[texts] = len(self.texts)
            self.texts.extend(texts)
        return self.text_rows[texts]

    def window(self, window: Window) -> int:
        return self.windows.setdefault(window, len(self.windows))

    def slot(self, atom: Atom) -> Lowered:
        index = self.atoms.setdefault(atom, len(self.slots))
        if index < len(self.slots):
            return self.slots[index]
        self.window(atom.window)
        self.atom_list.append(atom)
        one = frozenset({Input("slot", index)})
        is_zero = atom.kind in ZERO_OF_NOTHING and atom.kind not in (Kind.DID, Kind.SEQUENCE)
        quiet: Quiet = () if is_zero else (one,)
        self.slots.append(
            Lowered(_type_of_slot(atom), (Instruction(Op.SLOT, index),), one, quiet, atom.level)
        )
        return self.slots[index]

    def fixed_value(self, type_: ValueType, value: int) -> Lowered:
        return Lowered(type_, (Instruction(Op.CONST, self.constant(value)),))

    def tested(self, text: Lowered, test: TextTest) -> Lowered:
        index = self.tests.setdefault(test, len(self.tests))
        code = (*text.code, Instruction(Op.TEXT_TABLE, index))
        return text._replace(type="flag", code=code, quiet=if_missing(text))

    def signal(self, call: Call) -> tuple[int, frozenset[Input]]:
        index = self.signals.setdefault(call.arguments[0], len(self.signals))
        return index, frozenset({Input("signal", index)})

    def value(self, expression: Expression, expect: ValueType | None = None) -> Lowered:
        return self._lower_value(self, expression, expect)


def _type_of_slot(atom: Atom) -> ValueType:
    match atom.kind:
        case Kind.DID | Kind.SEQUENCE:
            return "flag"
        case Kind.FIRST_TIME | Kind.LAST_TIME | Kind.NTH_TIME | Kind.RESUMED:
            return "moment"
        case Kind.FIRST_VALUE | Kind.LAST_VALUE | Kind.MOST_FREQUENT | Kind.NTH:
            return atom.of or "text"
        case Kind.SET:
            return "set"
        case _:
            return "number"
