"""Definitions to a plan.

Every function is lowered in one place: `_Lowering.call`. Code runs on a stack of (value, known); and, or, comparisons and
`is known` always push a known flag. With the code of an expression comes what the kernel needs to skip it: its inputs, and
`quiet`, alternative sets of inputs such that while all of one set are untouched the value is missing (or, for a flag,
false).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, assert_never
from zoneinfo import ZoneInfo

from ethogram.language.functions import FUNCTIONS
from ethogram.language.instants import moment_of_text
from ethogram.language.plan import (
    COMPARISONS,
    ZERO_OF_NOTHING,
    Atom,
    Fit,
    Input,
    Instruction,
    Kind,
    Op,
    Output,
    Part,
    Plan,
    SequenceStep,
    Step,
    TextTest,
    ValueType,
    Window,
)
from ethogram.language.plan import (
    Sequence as EventSequence,
)
from ethogram.language.streams import (
    any_event,
    integer_of,
    step_of,
    stream_of,
    text_of,
    twice,
    unit_of,
    when_of,
)
from ethogram.language.tree import (
    AccountTrait,
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    Comparison,
    CustomerTrait,
    Date,
    Definitions,
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
    Path,
    Percent,
    Property,
    Segment,
    Segmentation,
    Text,
    Trait,
    Word,
)
from ethogram.model.errors import DefinitionError, Unsupported
from ethogram.model.settings import Settings
from ethogram.model.span import Span

MILLION = 1_000_000
DAY, HOUR = 86_400, 3_600
"""Microseconds to a millionth of a day or hour."""

Quiet = tuple[frozenset[Input], ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """The types that properties and given traits were seen with: number, text, flag; which traits were lists."""

    property_types: Callable[[tuple[str, ...] | None, Path], frozenset[ValueType]]
    trait_types: Callable[[Path], frozenset[ValueType]]
    is_list_trait: Callable[[Path], bool]


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


_MIRRORED: dict[Comparison, Comparison] = {"==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ELAPSED = frozenset({"days_since", "hours_since", "days_until", "time_in"})
_VALUE_KINDS = {
    "sum": Kind.SUM,
    "avg": Kind.AVERAGE,
    "min": Kind.MIN,
    "max": Kind.MAX,
    "median": Kind.MEDIAN,
    "count_distinct": Kind.DISTINCT,
    "max_count_by": Kind.MAX_COUNT,
    "values": Kind.SET,
    "most_frequent": Kind.MOST_FREQUENT,
    "nth": Kind.NTH,
}
_NUMERIC = frozenset({Kind.SUM, Kind.AVERAGE, Kind.MIN, Kind.MAX, Kind.MEDIAN})
_GAPS = {"median": Kind.GAP_MEDIAN, "max": Kind.GAP_MAX, "last": Kind.GAP_LAST}


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
    lowering = _Lowering(definitions, settings, schema)
    for name in names:
        lowering.output(name, span_of=None)
    for name, expression in (inner or {}).items():
        lowering.inner(name, expression, conditions)
    return lowering.plan()


class _Lowering:
    """Collects the tables of a plan; equal atoms, windows and constants are kept once."""

    def __init__(self, definitions: Definitions, settings: Settings, schema: Schema) -> None:
        self.definitions = definitions
        self.settings = settings
        self.schema = schema
        self.zone = ZoneInfo(settings.timezone)
        self.windows: dict[Window, int] = {}
        self.atoms: dict[Atom, int] = {}
        self.atom_list: list[Atom] = []
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
            tuple(self.atoms),
            tuple(self.givens),
            tuple(self.constants),
            tuple(self.texts),
            tuple(self.tests),
            tuple(self.fixed),
            tuple(self.fits),
            tuple(self.signals),
            tuple(self.outputs),
        )

    # --- outputs ----------------------------------------------------------------------------------------------------

    def output(self, name: str, span_of: Expression | None) -> int:
        if name in self.by_name:
            return self.by_name[name]
        if name in self.open:
            circle = " -> ".join([*self.open[self.open.index(name) :], name])
            raise DefinitionError(
                "E_CIRCLE", f"these definitions go in a circle: {circle}", span=_span(span_of)
            )
        self.open.append(name)
        definition = self.definitions.find(name)
        match definition:
            case Trait():
                index = self._add(name, "trait", self.value(definition.value))
            case Segment():
                index = self._add(name, "segment", self.condition(definition.when))
            case Segmentation():
                groups = tuple(group.name for group in definition.groups)
                index = self._add(name, "segmentation", self._groups(definition), groups)
            case _:
                raise DefinitionError(
                    "E_UNKNOWN_NAME", f"'{name}' is no trait, segment or segmentation", span=_span(span_of)
                )
        self.open.pop()
        return index

    def inner(self, name: str, expression: Expression, condition: bool) -> int:
        return self._add(name, "inner", self.condition(expression) if condition else self.value(expression))

    def _add(
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

    def _groups(self, segmentation: Segmentation) -> Lowered:
        """The index of the first group that holds."""
        code: list[Instruction] = []
        jumps: list[int] = []
        inputs: frozenset[Input] = frozenset()
        touching: frozenset[Input] | None = frozenset()
        level = 0
        for index, group in enumerate(segmentation.groups):
            if group.when is not None:
                condition = self.condition(group.when)
                code += _moved(condition.code, len(code))
                code.append(Instruction(Op.FALSE_JUMP, len(code) + 3))
                inputs |= condition.inputs
                level = max(level, condition.level)
                touching = touching | condition.quiet[0] if condition.quiet and touching is not None else None
            code.append(Instruction(Op.CONST, self.constant(index)))
            jumps.append(len(code))
            code.append(Instruction(Op.JUMP, 0))
        end = len(code)
        code = [Instruction(Op.JUMP, end) if k in jumps else one for k, one in enumerate(code)]
        quiet: Quiet = (touching,) if touching is not None else ()
        return Lowered("number", tuple(code), inputs, quiet, level)

    # --- tables -----------------------------------------------------------------------------------------------------

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
        self.window(atom.window)
        index = self.atoms.setdefault(atom, len(self.atom_list))
        if index == len(self.atom_list):
            self.atom_list.append(atom)
        one = frozenset({Input("slot", index)})
        quiet: Quiet = (one,) if atom.kind is Kind.DID or atom.kind not in ZERO_OF_NOTHING else ()
        if atom.kind is Kind.SEQUENCE:
            quiet = (one,)
        return Lowered(_type_of_slot(atom), (Instruction(Op.SLOT, index),), one, quiet, atom.level)

    def known(self, name: str, span_of: Expression) -> Lowered:
        """The value of another definition."""
        index = self.output(name, span_of)
        whole = self.lowered[index]
        code: tuple[Instruction, ...] = (Instruction(Op.OUT, index),)
        if self.outputs[index].kind == "segmentation":
            row = self.text_row(self.outputs[index].groups)
            return replace(
                whole, type="text", code=(*code, Instruction(Op.GROUP_TEXT, row)), quiet=(), restless=False
            )
        return replace(whole, code=code)

    # --- expressions ------------------------------------------------------------------------------------------------

    def condition(self, expression: Expression) -> Lowered:
        """A flag that is never missing; a value of another type is not true."""
        lowered = self.value(expression, expect="flag")
        if lowered.type != "flag":
            return self.fixed_value("flag", 0)
        if _always_known(expression):
            return lowered
        return replace(lowered, code=(*lowered.code, Instruction(Op.IS_TRUE)))

    def value(self, expression: Expression, expect: ValueType | None = None) -> Lowered:
        match expression:
            case Number():
                return self.fixed_value("number", _millionths(expression.value))
            case Percent():
                return self.fixed_value("number", _millionths(expression.value / 100))
            case Flag():
                return self.fixed_value("flag", int(expression.value))
            case Everyone():
                return self.fixed_value("flag", 1)
            case Text():
                row = self.text_row((expression.value,))
                return Lowered("text", (Instruction(Op.CONST, row, 1),))
            case Date():
                moment = moment_of_text(expression.value, self.zone)
                if moment is None:
                    raise DefinitionError("E_DATE", f'"{expression.value}" is no date', span=expression.span)
                return self.fixed_value("moment", moment)
            case Name():
                return self.known(expression.name, expression)
            case Group():
                return self.group(expression)
            case CustomerTrait():
                return self.given(expression.path, expect)
            case And():
                return self.junction(expression.items, Op.AND_JUMP)
            case Or():
                return self.junction(expression.items, Op.OR_JUMP)
            case Not():
                item = self.condition(expression.item)
                return replace(item, code=(*item.code, Instruction(Op.NOT)), quiet=())
            case Compare():
                return self.compare(expression.operator, expression.left, expression.right)
            case Between():
                low = Compare(">=", expression.item, expression.low)
                return self.junction((low, Compare("<=", expression.item, expression.high)), Op.AND_JUMP)
            case Known():
                item = self.value(expression.item)
                return replace(
                    item, type="flag", code=(*item.code, Instruction(Op.KNOWN)), quiet=_if_missing(item)
                )
            case Arithmetic():
                return self.arithmetic(expression)
            case Negate():
                item = self.value(expression.item, "number")
                return replace(item, code=(*item.code, Instruction(Op.NEGATE)))
            case Call():
                return self.call(expression, expect)
            case AccountTrait():
                raise Unsupported("E_REFUSED", "account traits are not resolved yet", span=expression.span)
            case Events() | Property() | Me() | Elem() | Duration() | Items() | Word():
                raise DefinitionError(
                    "E_TYPE", f"a value is expected here, not {_noun(expression)}", span=expression.span
                )
            case _:
                assert_never(expression)

    def fixed_value(self, type_: ValueType, value: int) -> Lowered:
        return Lowered(type_, (Instruction(Op.CONST, self.constant(value)),))

    def group(self, reference: Group) -> Lowered:
        index = self.output(reference.segmentation, reference)
        groups = self.outputs[index].groups
        if reference.group not in groups:
            raise DefinitionError(
                "E_UNKNOWN_NAME",
                f"'{reference.segmentation}' has no group '{reference.group}'",
                hint=f"it has: {', '.join(groups)}",
                span=reference.span,
            )
        return self._is_group(index, groups.index(reference.group))

    def _is_group(self, output: int, group: int) -> Lowered:
        code = (
            Instruction(Op.OUT, output),
            Instruction(Op.CONST, self.constant(group)),
            Instruction(Op.COMPARE, COMPARISONS["=="]),
        )
        whole = self.lowered[output]
        return Lowered("flag", code, whole.inputs, (), whole.level)

    def given(self, path: Path, expect: ValueType | None) -> Lowered:
        if self.schema.is_list_trait(path):
            raise Unsupported(
                "E_UNSUPPORTED",
                f"customer.{'.'.join(path)} holds lists, which this engine cannot compare",
                hint="Load what is needed of it as a trait of its own.",
            )
        types = self.schema.trait_types(path)
        wanted: ValueType = "text" if expect == "moment" else expect if expect is not None else "text"
        if wanted not in types and expect in (None, "flag") and types:
            wanted = _only(types, "customer." + ".".join(path))
        index = self.givens.setdefault((path, wanted), len(self.givens))
        one = frozenset({Input("given", index)})
        return Lowered(wanted, (Instruction(Op.GIVEN, index),), one, (one,), unseen=wanted not in types)

    def junction(self, items: Sequence[Expression], jump: Literal[Op.AND_JUMP, Op.OR_JUMP]) -> Lowered:
        parts = [self.condition(item) for item in items]
        code: list[Instruction] = []
        jumps: list[int] = []
        for part in parts:
            if code:
                jumps.append(len(code))
                code.append(Instruction(jump))
            code += _moved(part.code, len(code))
        final = tuple(Instruction(jump, len(code)) if k in jumps else one for k, one in enumerate(code))
        if jump is Op.AND_JUMP:
            quiet: Quiet = tuple(dict.fromkeys(each for part in parts for each in part.quiet))
        else:
            quiet = (
                (frozenset().union(*(part.quiet[0] for part in parts)),)
                if all(p.quiet for p in parts)
                else ()
            )
        return _joined("flag", final, parts, quiet)

    def arithmetic(self, expression: Arithmetic) -> Lowered:
        if isinstance(expression.right, Duration):
            return self.shifted(expression.left, expression.right, expression.operator == "-")
        if isinstance(expression.left, Duration) and expression.operator == "+":
            return self.shifted(expression.right, expression.left, False)
        left, right = self.value(expression.left, "number"), self.value(expression.right, "number")
        if expression.operator == "-" and "moment" in (left.type, right.type):
            left, right = self.moment(expression.left), self.moment(expression.right)
            code = left.code + _moved(right.code, len(left.code)) + (Instruction(Op.DAYS_BETWEEN),)
            return _joined("number", code, (left, right), left.quiet + right.quiet)
        if left.type != "number" or right.type != "number":
            return Lowered("number", (Instruction(Op.MISSING),))
        code = left.code + _moved(right.code, len(left.code))
        op = {"+": Op.ADD, "-": Op.SUBTRACT, "*": Op.MULTIPLY, "/": Op.DIVIDE}[expression.operator]
        return _joined(
            "number", (*code, Instruction(op)), (left, right), _if_missing(left) + _if_missing(right)
        )

    def shifted(self, moment: Expression, duration: Duration, back: bool) -> Lowered:
        base = self.moment(moment)
        step = step_of(duration)
        sign = -1 if back else 1
        if step.months:
            return replace(base, code=(*base.code, Instruction(Op.STEP, sign * step.months)))
        return replace(base, code=(*base.code, Instruction(Op.SHIFT, self.constant(sign * step.micros))))

    def moment(self, expression: Expression) -> Lowered:
        lowered = self.value(expression, "moment")
        if lowered.type == "text":
            return replace(lowered, type="moment", code=(*lowered.code, Instruction(Op.TEXT_MOMENT)))
        if lowered.type != "moment":
            return Lowered("moment", (Instruction(Op.MISSING),))
        return lowered

    # --- comparisons ------------------------------------------------------------------------------------------------

    def compare(self, operator: Comparison, left: Expression, right: Expression) -> Lowered:
        if operator == "in":
            return self.one_of(left, right)
        if operator == "contains":
            return self.contains(left, right)
        plain_left, plain_right = self.unwrapped(left), self.unwrapped(right)
        if _is_elapsed(plain_right) and not _is_elapsed(plain_left):
            return self.compare(_MIRRORED[operator], right, left)
        if _is_elapsed(plain_left) and not _is_elapsed(plain_right):
            assert isinstance(plain_left, Call)
            return self.compare_elapsed(operator, plain_left, right)
        if _from_now(plain_left) is not None and _from_now(plain_right) is None:
            return self.compare(_MIRRORED[operator], right, left)
        if _from_now(plain_right) is not None and _from_now(plain_left) is None:
            return self.compare_with_now(operator, left, plain_right)
        if isinstance(plain_left, Text) and not isinstance(plain_right, Text):
            return self.compare(_MIRRORED[operator], right, left)
        return self.compare_values(operator, left, right)

    def compare_values(self, operator: Comparison, left: Expression, right: Expression) -> Lowered:
        named = self._compare_group(operator, left, right)
        if named is not None:
            return named
        one, other = self._sides(left, right)
        if "moment" in (one.type, other.type) and "text" in (one.type, other.type):
            one, other = self.moment(left), self.moment(right)
        if one.type != other.type or one.type == "set" or (one.type == "flag" and operator != "=="):
            return self.fixed_value("flag", 0)
        if one.type == "text" and operator != "==":
            if isinstance(right, Text):
                assert operator in ("<", "<=", ">", ">=")
                return self.tested(one, TextTest(operator, (right.value,)))
            op = Op.COMPARE_TEXT
        else:
            op = Op.COMPARE
        slot = self._slot_against_constant(operator, one, other)
        if slot is not None:
            return slot
        code = one.code + _moved(other.code, len(one.code)) + (Instruction(op, COMPARISONS[operator]),)
        return _joined("flag", code, (one, other), _if_missing(one) + _if_missing(other))

    def _sides(self, left: Expression, right: Expression) -> tuple[Lowered, Lowered]:
        """Each side tells the other which type is expected."""
        if isinstance(left, CustomerTrait) and not isinstance(right, CustomerTrait):
            other = self.value(right)
            return self.value(left, other.type), other
        if isinstance(right, CustomerTrait) and not isinstance(left, CustomerTrait):
            one = self.value(left)
            return one, self.value(right, one.type)
        if isinstance(left, Call) and isinstance(right, Text | Number | Flag | Percent):
            other = self.value(right)
            return self.value(left, other.type), other
        one = self.value(left)
        return one, self.value(right, one.type)

    def _compare_group(self, operator: Comparison, left: Expression, right: Expression) -> Lowered | None:
        if operator != "==" or not isinstance(left, Name) or not isinstance(right, Text):
            return None
        if left.name not in self.definitions.segmentations:
            return None
        index = self.output(left.name, left)
        groups = self.outputs[index].groups
        return (
            self._is_group(index, groups.index(right.value))
            if right.value in groups
            else self.fixed_value("flag", 0)
        )

    def _slot_against_constant(self, operator: Comparison, one: Lowered, other: Lowered) -> Lowered | None:
        """`count(x) >= 3` as one instruction."""
        if len(one.code) != 1 or len(other.code) != 1 or one.type == "text":
            return None
        slot, constant = one.code[0], other.code[0]
        if slot.op is not Op.SLOT or constant.op is not Op.CONST or constant.b:
            return None
        atom, limit = self.atom_list[slot.a], self.constant_list[constant.a]
        quiet = one.quiet
        if atom.kind in ZERO_OF_NOTHING and not _holds(operator, 0, limit):
            quiet = (one.inputs,)
        elif atom.kind in ZERO_OF_NOTHING:
            quiet = ()
        code = (Instruction(Op.SLOT_COMPARE, slot.a, COMPARISONS[operator], constant.a),)
        return Lowered("flag", code, one.inputs, quiet, one.level)

    def compare_elapsed(self, operator: Comparison, call: Call, other: Expression) -> Lowered:
        """Exact on moments: elapsed time against a number of days or hours."""
        moment, unit, sign = self._elapsed(call)
        number = self.value(other, "number")
        if number.type != "number":
            return self.fixed_value("flag", 0)
        code = moment.code + _moved(number.code, len(moment.code))
        code += (Instruction(Op.ELAPSED_COMPARE, COMPARISONS[operator], unit, sign),)
        return _joined("flag", code, (moment, number), _if_missing(moment) + _if_missing(number))

    def _elapsed(self, call: Call) -> tuple[Lowered, int, int]:
        if call.function == "time_in":
            return self.stay(call), DAY, 1
        moment = self.moment(call.arguments[0])
        return (
            moment,
            HOUR if call.function == "hours_since" else DAY,
            -1 if call.function == "days_until" else 1,
        )

    def compare_with_now(self, operator: Comparison, left: Expression, now: Expression) -> Lowered:
        shift = _from_now(now)
        assert shift is not None
        moment = self.moment(left)
        code = (
            *moment.code,
            Instruction(Op.NOW_COMPARE, COMPARISONS[operator], self.constant(shift.micros), shift.months),
        )
        return replace(moment, type="flag", code=code)

    def tested(self, text: Lowered, test: TextTest) -> Lowered:
        index = self.tests.setdefault(test, len(self.tests))
        return replace(
            text, type="flag", code=(*text.code, Instruction(Op.TEXT_TABLE, index)), quiet=_if_missing(text)
        )

    def one_of(self, left: Expression, right: Expression) -> Lowered:
        items = right.items if isinstance(right, Items) else ()
        plain = self.unwrapped(left)
        if isinstance(plain, Call) and plain.function == "values":
            raise Unsupported(
                "E_UNSUPPORTED", "a set of values cannot stand before `in`; use contains", span=left.span
            )
        texts = tuple(item.value for item in items if isinstance(item, Text))
        others = [Compare("==", left, item) for item in items if not isinstance(item, Text)]
        parts: list[Lowered] = []
        if texts:
            text = self.value(left, "text")
            if text.type == "text":
                parts.append(self.tested(text, TextTest("in", texts)))
            elif text.type == "moment":
                others += [Compare("==", left, Text(each)) for each in texts]
        parts += [self.value(other) for other in others]
        if not parts:
            return self.fixed_value("flag", 0)
        return self._any_of(parts)

    def _any_of(self, parts: Sequence[Lowered]) -> Lowered:
        code: list[Instruction] = []
        jumps: list[int] = []
        for part in parts:
            if code:
                jumps.append(len(code))
                code.append(Instruction(Op.OR_JUMP))
            code += _moved(part.code, len(code))
        final = tuple(Instruction(Op.OR_JUMP, len(code)) if k in jumps else one for k, one in enumerate(code))
        quiet: Quiet = (
            (frozenset().union(*(p.quiet[0] for p in parts)),) if all(p.quiet for p in parts) else ()
        )
        return _joined("flag", final, parts, quiet)

    def contains(self, left: Expression, right: Expression) -> Lowered:
        plain = self.unwrapped(left)
        if isinstance(plain, Call) and plain.function == "values":
            return self._set_contains(plain, right)
        if not isinstance(right, Text):
            raise Unsupported(
                "E_UNSUPPORTED", "contains needs a text in quotes on its right side", span=right.span
            )
        text = self.value(left, "text")
        if text.type != "text":
            return self.fixed_value("flag", 0)
        return self.tested(text, TextTest("contains", (right.value,)))

    def _set_contains(self, values: Call, right: Expression) -> Lowered:
        measure = values.arguments[0]
        if not isinstance(right, Text | Number | Flag | Negate | Percent):
            raise Unsupported(
                "E_UNSUPPORTED", "values(…) contains needs a literal on its right side", span=right.span
            )
        assert isinstance(measure, Events)
        equal = Compare("==", Property(measure.path), right)
        where = equal if measure.where is None else And((measure.where, equal))
        return self.call(Call("did", (replace(measure, where=where, path=()),), values.options), "flag")

    def unwrapped(self, expression: Expression) -> Expression:
        """A trait's own expression where a name stands for it."""
        seen: set[str] = set()
        while (
            isinstance(expression, Name)
            and expression.name in self.definitions.traits
            and expression.name not in seen
        ):
            seen.add(expression.name)
            expression = self.definitions.traits[expression.name].value
        return expression

    # --- functions --------------------------------------------------------------------------------------------------

    def call(self, call: Call, expect: ValueType | None) -> Lowered:
        signature = FUNCTIONS[call.function]
        if signature.refused:
            raise Unsupported(
                "E_REFUSED", f"{call.function} cannot be used: {signature.refused}", span=call.span
            )
        arguments = call.arguments
        match call.function:
            case "did":
                return self.did(call)
            case "count":
                return self.slot(self.atom(call, Kind.COUNT))
            case (
                "sum"
                | "avg"
                | "min"
                | "max"
                | "median"
                | "count_distinct"
                | "max_count_by"
                | "values"
                | "nth"
            ):
                return self.measured(call, _VALUE_KINDS[call.function], expect)
            case "most_frequent":
                return self.measured(call, Kind.MOST_FREQUENT, expect)
            case "first" | "last":
                return self.first_or_last(call, expect)
            case "share":
                return self.share(call)
            case "active_days":
                return self.slot(replace(self.atom(call, Kind.PERIODS), number=0))
            case "active_periods":
                return self.slot(replace(self.atom(call, Kind.PERIODS), number=unit_of(arguments[1])))
            case "streak":
                return self.slot(replace(self.atom(call, Kind.STREAK), number=unit_of(arguments[1])))
            case "gap":
                return self.slot(self.atom(call, _GAPS[text_of(arguments[1])]))
            case "days_since" | "hours_since" | "days_until" | "time_in":
                moment, unit, sign = self._elapsed(call)
                code = (*moment.code, Instruction(Op.ELAPSED, unit, sign))
                return replace(moment, type="number", code=code, restless=True)
            case "anniversary":
                return self.anniversary(call)
            case "age":
                moment = self.moment(arguments[0])
                return replace(moment, type="number", code=(*moment.code, Instruction(Op.AGE)))
            case "now":
                return Lowered("moment", (Instruction(Op.NOW),), restless=True)
            case "sequence":
                return self.sequence(call)
            case "first_time":
                return self.within(self.slot(self.atom(call, Kind.FIRST_TIME, bare=True)), call)
            case "lapsed":
                return self.lapsed(call)
            case "resumed":
                atom = replace(self.atom(call, Kind.RESUMED, bare=True), step=step_of(call.option("gap")))
                return self.within(self.slot(atom), call)
            case "recurring":
                return self.recurring(call)
            case "trend":
                return self.trend(call)
            case "rank" | "ntile" | "top" | "zscore":
                return self.fitted(call)
            case "bin":
                return self.bins(call)
            case "in_list":
                return self.fixed_column("list", text_of(arguments[0]), "flag")
            case "bucket":
                return self.fixed_column("salt", text_of(arguments[0]), "number")
            case "was_in":
                return self.was_in(call)
            case "entered" | "left":
                return self.turned(call)
            case "is_identified":
                one = frozenset({Input("identified", 0)})
                return Lowered("flag", (Instruction(Op.IDENTIFIED),), one, (one,))
            case "coalesce":
                return self.coalesce(call, expect)
            case "lower":
                text = self.value(arguments[0], "text")
                if text.type != "text":
                    return Lowered("text", (Instruction(Op.MISSING),))
                return replace(text, code=(*text.code, Instruction(Op.LOWER)))
            case "if":
                return self.conditional(call, expect)
            case _:
                raise Unsupported(
                    "E_UNSUPPORTED", f"{call.function} is not supported by this engine", span=call.span
                )

    def atom(self, call: Call, kind: Kind, *, bare: bool = False) -> Atom:
        """`bare` leaves the call's options to the function."""
        selection = call.arguments[0]
        assert isinstance(selection, Events)
        stream = stream_of(selection, self.definitions)
        levels = [0] + [1 + self.lowered[k].level for k in self._traits_of_me(stream.where)]
        if bare or not call.options:
            return Atom(kind, stream, level=max(levels))
        when = when_of(call)
        bounds = [self._bound(each) for each in (when.since, when.until)]
        levels += [1 + self.lowered[k].level for k in bounds if k is not None]
        if when.local is not None and when.local.of_customer:
            self.givens.setdefault((("timezone",), "text"), len(self.givens))
        return Atom(
            kind,
            stream,
            window=when.window + self._static(when.since, "since") + self._static(when.until, "until"),
            local=when.local,
            since=bounds[0],
            until=bounds[1],
            level=max(levels),
        )

    def _static(self, bound: Expression | None, kind: Literal["since", "until"]) -> Window:
        if bound is None:
            return ()
        shift = _from_now(self.unwrapped(bound))
        if shift is not None:
            back = Step(-shift.micros, -shift.months)
            return (Part("since_now" if kind == "since" else "until_now", back),)
        if not isinstance(bound, Date):
            return ()
        moment = moment_of_text(bound.value, self.zone)
        assert moment is not None
        return (Part(kind, Step(moment)),)

    def _bound(self, bound: Expression | None) -> int | None:
        if bound is None or isinstance(bound, Date) or _from_now(self.unwrapped(bound)) is not None:
            return None
        lowered = self.moment(bound)
        if lowered.restless:
            raise Unsupported(
                "E_UNSUPPORTED", "a moment computed from now() cannot bound a window", span=bound.span
            )
        for index, known in self.lowered.items():
            if self.outputs[index].kind == "bound" and known.code == lowered.code:
                return index
        return self._add(f"moment {len(self.outputs)}", "bound", lowered)

    def _traits_of_me(self, conditions: Sequence[Expression]) -> list[int]:
        return [self.output(name, None) for condition in conditions for name in traits_of_me(condition)]

    def did(self, call: Call) -> Lowered:
        options = {option.name for option in call.options}
        selection = call.arguments[0]
        bound = call.options[0].value if len(options) == 1 else None
        if bound is not None and options & {"since", "until"} and not isinstance(bound, Date):
            function, operator = ("last", ">=") if "since" in options else ("first", "<")
            return self.compare(operator, Call(function, (selection,)), bound)  # type: ignore[arg-type]
        return self.slot(self.atom(call, Kind.DID))

    def measured(self, call: Call, kind: Kind, expect: ValueType | None) -> Lowered:
        atom = self.atom(call, kind)
        selection = call.arguments[0]
        assert isinstance(selection, Events)
        number = integer_of(call.arguments[1]) if kind is Kind.NTH else 0
        types = self.seen_types(atom, selection)
        of: ValueType = "number"
        if kind not in _NUMERIC:
            guess: ValueType = "text" if expect in ("moment", None) else expect
            of = _only(types, ".".join((selection.source, *selection.path))) if types else guess
        slot = self.slot(replace(atom, path=selection.path, of=of, number=number))
        return replace(slot, unseen=slot.type == of and kind not in _NUMERIC and not types)

    def seen_types(self, atom: Atom, selection: Events) -> frozenset[ValueType]:
        types = self.schema.property_types(atom.stream.names, atom.stream.each + selection.path)
        if atom.stream.each:
            types |= self.schema.property_types(atom.stream.names, selection.path)
        return types

    def first_or_last(self, call: Call, expect: ValueType | None) -> Lowered:
        selection = call.arguments[0]
        assert isinstance(selection, Events)
        first = call.function == "first"
        if not selection.path:
            return self.slot(self.atom(call, Kind.FIRST_TIME if first else Kind.LAST_TIME))
        return self.measured(call, Kind.FIRST_VALUE if first else Kind.LAST_VALUE, expect)

    def share(self, call: Call) -> Lowered:
        selection = call.arguments[0]
        assert isinstance(selection, Events)
        part = self.slot(self.atom(call, Kind.COUNT))
        whole = self.slot(self.atom(replace(call, arguments=(replace(selection, where=None),)), Kind.COUNT))
        return self._ratio(part, whole)

    def _ratio(self, part: Lowered, whole: Lowered) -> Lowered:
        code = (*part.code, *whole.code, Instruction(Op.DIVIDE))
        return _joined("number", code, (part, whole), (whole.inputs,))

    def trend(self, call: Call) -> Lowered:
        step = step_of(call.option("last"))
        selection = call.arguments[0]
        assert isinstance(selection, Events)
        kind = Kind.SUM if selection.path else Kind.COUNT
        base = replace(
            self.atom(call, kind, bare=True), path=selection.path, of="number" if selection.path else None
        )
        now = replace(base, window=(Part("from", step),))
        before = replace(base, window=(Part("from", twice(step)), Part("to", step)))
        return self._ratio(self.slot(now), self.slot(before))

    def within(self, moment: Lowered, call: Call) -> Lowered:
        """The moment lies in the window `last=`."""
        window = self.window((Part("from", step_of(call.option("last"))),))
        return replace(moment, type="flag", code=(*moment.code, Instruction(Op.IN_WINDOW, window)))

    def lapsed(self, call: Call) -> Lowered:
        last = self.slot(self.atom(call, Kind.LAST_TIME, bare=True))
        window = self.window((Part("from", step_of(call.option("after"))),))
        code = (
            *last.code,
            Instruction(Op.KNOWN),
            Instruction(Op.AND_JUMP, 6),
            *last.code,
            Instruction(Op.IN_WINDOW, window),
            Instruction(Op.NOT),
        )
        return replace(last, type="flag", code=code)

    def recurring(self, call: Call) -> Lowered:
        unit = unit_of(call.option("every"))
        of = integer_of(call.option("of"))
        window = (Part("period", unit=unit, first=-of, past=0),)
        atom = replace(self.atom(call, Kind.PERIODS, bare=True), window=window, number=unit)
        limit = Number(Decimal(integer_of(call.option("at_least"))))
        number = self.value(limit)
        counted = self._slot_against_constant(">=", self.slot(atom), number)
        assert counted is not None
        return counted

    def anniversary(self, call: Call) -> Lowered:
        moment = self.moment(call.arguments[0])
        within = call.option("within")
        days = step_of(within).micros // (DAY * MILLION) if within is not None else 0
        return replace(moment, type="flag", code=(*moment.code, Instruction(Op.ANNIVERSARY, days)))

    def sequence(self, call: Call) -> Lowered:
        steps = []
        for argument in call.arguments:
            selection = argument.item if isinstance(argument, Not) else argument
            assert isinstance(selection, Events)
            steps.append(SequenceStep(stream_of(selection, self.definitions), isinstance(argument, Not)))
        if steps[0].forbidden or (steps[-1].forbidden and call.option("within") is None):
            raise DefinitionError(
                "E_SEQUENCE_NOT", "`not` cannot open a sequence, nor end one without within=", span=call.span
            )
        within, gap, last = (call.option(name) for name in ("within", "gap", "last"))
        strict, same = call.option("strict"), call.option("same")
        sequence = EventSequence(
            tuple(steps),
            step_of(within) if within is not None else None,
            step_of(gap) if gap is not None else None,
            any_event(self.definitions) if strict == Flag(True) else None,
            same.path if isinstance(same, Property) else (),
        )
        level = max(
            [0] + [1 + self.lowered[k].level for s in steps for k in self._traits_of_me(s.stream.where)]
        )
        window: Window = (Part("from", step_of(last)),) if last is not None else ()
        return self.slot(Atom(Kind.SEQUENCE, steps[0].stream, window=window, sequence=sequence, level=level))

    def fitted(self, call: Call) -> Lowered:
        amount, percent = Decimal(0), False
        if call.function in ("ntile", "top"):
            given = call.arguments[1]
            if not isinstance(given, Number | Percent):
                raise DefinitionError("E_TYPE", "a number or a percentage is expected", span=given.span)
            amount, percent = given.value, isinstance(given, Percent)
        fit = Fit(call.function, call.arguments[0], call.option("among"), amount, percent)
        index = self.fits.setdefault(fit, len(self.fits))
        one = frozenset({Input("fitted", index)})
        lowered = Lowered("number", (Instruction(Op.FITTED, index),), one, (one,))
        if call.function != "top":
            return lowered
        return replace(lowered, type="flag", code=(*lowered.code, Instruction(Op.IS_TRUE)))

    def bins(self, call: Call) -> Lowered:
        """How many of the edges are at or below x."""
        item = call.arguments[0]
        known = self.value(item, "number")
        edges = [self.value(Compare(">=", item, edge)) for edge in call.arguments[1:]]
        code = [*known.code, Instruction(Op.KNOWN)]
        missing_jump = len(code)
        code.append(Instruction(Op.FALSE_JUMP))
        for index, edge in enumerate(edges):
            code += _moved(edge.code, len(code))
            code.append(Instruction(Op.FLAG_NUMBER))
            if index:
                code.append(Instruction(Op.ADD))
        code.append(Instruction(Op.JUMP, len(code) + 2))
        code[missing_jump] = Instruction(Op.FALSE_JUMP, len(code))
        code.append(Instruction(Op.MISSING))
        return replace(_joined("number", tuple(code), (known, *edges), _if_missing(known)), restless=False)

    def fixed_column(self, kind: Literal["salt", "list"], name: str, type_: ValueType) -> Lowered:
        if kind == "list" and name not in self.definitions.lists:
            known = ", ".join(self.definitions.lists) or "none"
            raise DefinitionError("E_UNKNOWN_NAME", f"there is no list '{name}'", hint=f"lists: {known}")
        index = self.fixed.setdefault((kind, name), len(self.fixed))
        one = frozenset({Input("fixed", index)})
        if kind == "list":
            return Lowered(type_, (Instruction(Op.FIXED, index), Instruction(Op.IS_TRUE)), one, (one,))
        return Lowered(type_, (Instruction(Op.FIXED, index),), one)

    def signal(self, call: Call) -> tuple[int, frozenset[Input]]:
        index = self.signals.setdefault(call.arguments[0], len(self.signals))
        return index, frozenset({Input("signal", index)})

    def was_in(self, call: Call) -> Lowered:
        index, one = self.signal(call)
        at = call.option("at")
        assert at is not None
        shift = _from_now(self.unwrapped(at))
        if shift is not None:
            shifted = Instruction(Op.WAS_IN_SHIFTED, index, self.constant(shift.micros), shift.months)
            return Lowered("flag", (shifted,), one, (one,))
        moment = self.moment(at)
        code = (*moment.code, Instruction(Op.WAS_IN, index))
        return _joined("flag", code, (moment, Lowered("flag", (), one)), (one,))

    def turned(self, call: Call) -> Lowered:
        index, one = self.signal(call)
        window = self.window((Part("from", step_of(call.option("last"))),))
        op = Op.ENTERED if call.function == "entered" else Op.LEFT
        return Lowered("flag", (Instruction(op, index, window),), one, (one,))

    def stay(self, call: Call) -> Lowered:
        index, one = self.signal(call)
        return Lowered("moment", (Instruction(Op.STAY, index),), one, (one,))

    def coalesce(self, call: Call, expect: ValueType | None) -> Lowered:
        parts = self._alike(call.arguments, expect)
        code: list[Instruction] = []
        jumps: list[int] = []
        for part in parts:
            if code:
                jumps.append(len(code))
                code.append(Instruction(Op.KNOWN_JUMP))
            code += _moved(part.code, len(code))
        final = tuple(
            Instruction(Op.KNOWN_JUMP, len(code)) if k in jumps else one for k, one in enumerate(code)
        )
        quiet: Quiet = (
            (frozenset().union(*(p.quiet[0] for p in parts)),) if all(_if_missing(p) for p in parts) else ()
        )
        return _joined(parts[0].type, final, parts, quiet)

    def conditional(self, call: Call, expect: ValueType | None) -> Lowered:
        condition = self.condition(call.arguments[0])
        yes, no = self._alike(call.arguments[1:], expect)
        code = [*condition.code, Instruction(Op.FALSE_JUMP, len(condition.code) + len(yes.code) + 2)]
        code += _moved(yes.code, len(code))
        code.append(Instruction(Op.JUMP, len(code) + 1 + len(no.code)))
        code += _moved(no.code, len(code))
        return _joined(yes.type, tuple(code), (condition, yes, no), ())

    def _alike(self, arguments: Sequence[Expression], expect: ValueType | None) -> list[Lowered]:
        guesses = [self.value(argument, expect) for argument in arguments]
        seen = dict.fromkeys(part.type for part in guesses if not part.unseen)
        wanted = expect if expect in seen or not seen else next(iter(seen))
        if {"moment", "text"} == set(seen):
            return [self.moment(argument) for argument in arguments]
        if len(seen) > 1:
            raise Unsupported(
                "E_MIXED_TYPES",
                f"the alternatives are of different types: {' and '.join(sorted(seen))}",
                span=arguments[0].span,
            )
        wanted = wanted or "text"
        nothing = Lowered(wanted, (Instruction(Op.MISSING),))
        return [part if part.type == wanted else nothing for part in guesses]


# --- small questions about expressions and code -------------------------------------------------------------------------


def traits_of_me(condition: Expression) -> list[str]:
    """The traits that a filter compares with (`me.x`)."""
    match condition:
        case Me():
            return [condition.trait]
        case And() | Or():
            return [name for item in condition.items for name in traits_of_me(item)]
        case Not() | Known() | Negate():
            return traits_of_me(condition.item)
        case Compare() | Arithmetic():
            return traits_of_me(condition.left) + traits_of_me(condition.right)
        case Between():
            return [
                name
                for part in (condition.item, condition.low, condition.high)
                for name in traits_of_me(part)
            ]
        case Elem():
            return traits_of_me(condition.where)
        case Call():
            return [name for argument in condition.arguments for name in traits_of_me(argument)]
        case _:
            return []


def _span(expression: Expression | None) -> Span | None:
    return expression.span if expression is not None else None


def _noun(expression: Expression) -> str:
    return {"Events": "a selection of events", "Items": "a list"}.get(
        type(expression).__name__, type(expression).__name__
    )


def _millionths(value: Decimal) -> int:
    return int((value * MILLION).to_integral_value())


def _only(types: frozenset[ValueType], name: str) -> ValueType:
    if len(types) > 1:
        raise Unsupported(
            "E_MIXED_TYPES",
            f"'{name}' holds values of different types: {', '.join(sorted(types))}",
            hint="Compare it with a value of one type, or mend the source.",
        )
    return next(iter(types))


def _moved(code: Sequence[Instruction], by: int) -> tuple[Instruction, ...]:
    """Code placed `by` instructions later."""
    jumps = {Op.AND_JUMP, Op.OR_JUMP, Op.KNOWN_JUMP, Op.JUMP, Op.FALSE_JUMP}
    return tuple(replace(one, a=one.a + by) if one.op in jumps else one for one in code)


def _joined(
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


def _if_missing(part: Lowered) -> Quiet:
    """What leaves the value missing; of flags only a given trait is ever missing."""
    return () if part.type == "flag" and part.code[0].op is not Op.GIVEN else part.quiet


def _always_known(expression: Expression) -> bool:
    match expression:
        case And() | Or() | Not() | Compare() | Between() | Known() | Flag() | Everyone() | Group():
            return True
        case Call():
            return FUNCTIONS[expression.function].gives == "flag"
        case _:
            return False


def _holds(operator: Comparison, left: int, right: int) -> bool:
    match operator:
        case "==":
            return left == right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case _:
            return left >= right


def _is_elapsed(expression: Expression) -> bool:
    return isinstance(expression, Call) and expression.function in _ELAPSED


def _from_now(expression: Expression) -> Step | None:
    """The shift of `now()`, `now() - 6mo`, `now() + 3d`."""
    match expression:
        case Call(function="now"):
            return Step()
        case Arithmetic(operator=sign, left=Call(function="now"), right=Duration() as duration) if (
            sign in "+-"
        ):
            step = step_of(duration)
            return step if sign == "+" else Step(-step.micros, -step.months)
        case _:
            return None


def _type_of_slot(atom: Atom) -> ValueType:
    match atom.kind:
        case Kind.DID | Kind.SEQUENCE:
            return "flag"
        case Kind.FIRST_TIME | Kind.LAST_TIME | Kind.RESUMED:
            return "moment"
        case Kind.FIRST_VALUE | Kind.LAST_VALUE | Kind.MOST_FREQUENT | Kind.NTH:
            return atom.of or "text"
        case Kind.SET:
            return "set"
        case _:
            return "number"
