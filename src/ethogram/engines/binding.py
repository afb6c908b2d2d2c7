"""A plan bound to tapes: names, texts and columns become numbers, conditions become lists of operations by code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ethogram.engines.bits import Test, code_tables, decided_by_tests, translate
from ethogram.engines.clocks import holiday_days, hour_mask, mask_of, timezones
from ethogram.engines.dispatch import Operation, empty_of, form_of, is_followed, operation_lists
from ethogram.engines.distinct import different
from ethogram.engines.inputs import rarest
from ethogram.engines.made import Derived, Made, Owner, Shared, Undone
from ethogram.engines.rows import (
    atom_rows,
    instruction_rows,
    limit_of,
    output_rows,
    part_row,
    quick_length,
    table_of,
    window_rows,
)
from ethogram.engines.rowwise import Table, limits_of
from ethogram.engines.spec import ColumnKey, lists_of, properties_of
from ethogram.engines.tapeset import TapeSet
from ethogram.kernel import layout
from ethogram.kernel.accumulate import DISTINCT_FEW, FOLLOWED, manners
from ethogram.kernel.calendar import Zones, zones
from ethogram.kernel.layout import BITS_TEST, NOWHERE, NULL, Program
from ethogram.language.instants import moment_of_text
from ethogram.language.lowering import traits_of_me
from ethogram.language.plan import (
    COMPARISONS,
    Atom,
    Kind,
    LocalTime,
    Op,
    Plan,
    Stream,
)
from ethogram.language.tree import And, Between, Compare, Expression, Me, Not, Or
from ethogram.model.errors import Unsupported
from ethogram.model.settings import Settings

Integers = NDArray[np.int64]
Truth = NDArray[np.bool_]
ANYTHING = (0, NULL, layout.NEVER)
"""A range of some column."""
TAGS = {"number": "n", "text": "t", "flag": "f"}


@dataclass(frozen=True, slots=True)
class Bound:
    """A program, what is still to be made of each bucket's tape for it, and how many events each atom looks at."""

    plan: Plan
    program: Program
    zones: Zones
    columns: tuple[Made, ...]
    coded: Integers
    often: Integers


@dataclass(frozen=True, slots=True)
class _Taken:
    """Which events a stream takes: the number of a selection of codes, one range (column, low, high), rows of
    `Program.conditions`."""

    selection: int
    range: tuple[int, int, int]
    conditions: list[tuple[int, int, int, int]]


def bind(plan: Plan, tapes: TapeSet, settings: Settings) -> Bound:
    return _Binding(plan, tapes, settings).bound()


class _Binding:
    def __init__(self, plan: Plan, tapes: TapeSet, settings: Settings) -> None:
        self.plan = plan
        self.tapes = tapes
        self.settings = settings
        self.zone = ZoneInfo(settings.timezone)
        self.texts = tapes.texts
        self.zone_names: dict[str, int] = {settings.timezone: 0}
        table = np.array(tapes.codes, np.int64).reshape(len(tapes.codes), 1 + len(tapes.coded))
        self.code_name = table[:, 0]
        self.coded = {key: table[:, 1 + index] for index, key in enumerate(tapes.coded)}
        self.combined: dict[tuple[ColumnKey, ...], tuple[Table, Integers]] = {}
        self.coded_rows: list[Integers] = list(self.coded.values())
        self.columns: dict[Made, int] = {}
        self.conditions: list[tuple[int, int, int, int]] = []
        self.terms: list[tuple[int, int, int, int, int, int]] = []
        self.locals: dict[LocalTime, int] = {}
        self.name_masks: dict[tuple[tuple[str, ...] | None, tuple[str, ...], tuple[str, ...]], Truth] = {}
        self.dense: dict[int, int] = {}
        self.condition_masks: dict[Expression, Truth | None] = {}
        self.streams: dict[Stream, _Taken] = {}
        self.selections: list[Integers] = []
        self.ranges = {ANYTHING: 0}
        self.windows = {window: index for index, window in enumerate(plan.windows)}
        self.outputs = {output.name: index for index, output in enumerate(plan.outputs)}

    def bound(self) -> Bound:
        places = [self.place(atom) for atom in self.plan.atoms]
        operations = [
            one for index in range(len(self.plan.atoms)) for one in self.operations(index, places[index])
        ]
        self.follow(places, operations)
        levels = [atom.level for atom in self.plan.atoms]
        rows = [self.operation_row(one, *places[one.atom]) for one in operations]
        forms = [row[layout.OP_FORM] for row in rows]
        lists = operation_lists(
            operations, self.selections, forms, levels, self.levels, len(self.tapes.codes)
        )
        texts = [self.texts.number(text) for text in self.plan.texts]
        constants = np.array([*self.plan.constants, *texts], np.int64)
        functions = self.text_functions()  # lower() may add texts, and the tests are of every text
        local, days = self.local_tables()
        tests = self.tests_of_slots()
        slots, inputs, triggered = self.inputs(operations, [kind for kind, _, _ in places], tests)
        bits, bit_code = self.bit_tables(tests)
        program = Program(
            levels=self.levels,
            timezone_given=self.timezone_given(),
            lists=lists.lists,
            operations=lists.operations,
            coarse=lists.coarse,
            loads=lists.loads,
            ages=np.array(
                [self.windows[self.plan.atoms[operations[one].atom].window] for one in lists.ages], np.int64
            ),
            ops=table_of([row[:4] for row in rows], 4, np.int32),
            checks=table_of([row[4:] for row in rows], 4, np.int32),
            links=table_of(self.links, 3),
            ranges=table_of(list(self.ranges), 3),
            conditions=table_of(self.conditions, 4),
            terms=table_of(self.terms, 6),
            locals=table_of(local, 6),
            holidays=days,
            slots=slots,
            manners=manners(),
            atoms=table_of(
                atom_rows(self.plan.atoms, places, [self.by(atom) for atom in self.plan.atoms]), 10
            ),
            empties=np.array([empty_of(atom.kind) for atom in self.plan.atoms], np.int64),
            lengths=np.array([quick_length(atom.window) for atom in self.plan.atoms], np.int64),
            tests=table_of([(one.low, one.high, one.turn, one.slot) for one in tests], 4),
            bits=bits,
            bit_code=bit_code,
            sequences=self.sequences(),
            parts=table_of([part_row(part) for window in self.plan.windows for part in window], 6),
            windows=table_of(window_rows(self.plan.windows), 2),
            outs=table_of(output_rows(self.plan.outputs), 3),
            defaults=np.zeros(len(self.plan.outputs), np.int64),
            ins=table_of(instruction_rows(self.plan), 4),
            constants=constants,
            tables=self.tests(),
            texts=functions,
            inputs=inputs,
            triggered=triggered,
            given_of=self.given_numbers(),
        )
        names = tuple(self.zone_names)
        coded = (
            np.stack(self.coded_rows) if self.coded_rows else np.zeros((0, len(self.tapes.codes)), np.int64)
        )
        table = zones(names, self.settings.week_starts)
        return Bound(self.plan, program, table, tuple(self.columns), np.ascontiguousarray(coded), self.often)

    # --- columns --------------------------------------------------------------------------------------------------

    def column(self, key: ColumnKey) -> tuple[int, int] | None:
        """Where a property is: (place, column)."""
        if key in self.coded:
            return layout.CODED, list(self.coded).index(key)
        if key in self.tapes.flat:
            return layout.FLAT, self.tapes.flat.index(key)
        if key in self.tapes.ragged:
            return layout.RAGGED, self.tapes.ragged.index(key)
        return None

    def made(self, column: Made) -> int:
        """The flat column of something to be made of each tape."""
        return len(self.tapes.flat) + self.columns.setdefault(column, len(self.columns))

    def place(self, atom: Atom) -> tuple[int, int, int]:
        """(kind, place, column) of what the atom measures; NOWHERE where no event has it."""
        if not atom.path:
            return atom.kind, NOWHERE, NOWHERE
        found = self.column(ColumnKey(atom.path, TAGS[atom.of or "text"]))
        if found is None or (atom.by and self.by(atom)[0] == NOWHERE):
            return atom.kind, NOWHERE, NOWHERE
        if atom.kind is Kind.DISTINCT and found[0] == layout.CODED:
            few = self.few_values(found[1])
            if few != NOWHERE:
                return DISTINCT_FEW, layout.CODED, few
        return atom.kind, *found

    def by(self, atom: Atom) -> tuple[int, int]:
        """(place, column) of the property whose values an atom tells apart."""
        found = self.column(ColumnKey(atom.by, TAGS[atom.by_of or "text"])) if atom.by else None
        return found or (NOWHERE, NOWHERE)

    def few_values(self, column: int) -> int:
        """The coded column with the values of another numbered from 0; NOWHERE where there are more than 64."""
        if column not in self.dense:
            values = self.coded_rows[column]
            different = np.unique(values[values != NULL])
            self.dense[column] = NOWHERE
            if len(different) <= 64:
                self.dense[column] = len(self.coded_rows)
                numbered = np.where(values == NULL, NULL, np.searchsorted(different, values))
                self.coded_rows.append(numbered.astype(np.int64))
        return self.dense[column]

    # --- operations -----------------------------------------------------------------------------------------------

    def operations(self, index: int, place: tuple[int, int, int]) -> Sequence[Operation]:
        """Of one atom all are plain or none is, since the kernel does not mix the two in the order of events."""
        atom = self.plan.atoms[index]
        if atom.sequence is None:
            nothing = atom.path and place[1] == NOWHERE
            return () if nothing else (self.operation(index, atom.stream),)
        streams = [step.stream for step in atom.sequence.steps]
        if atom.sequence.strict is not None:
            streams.append(atom.sequence.strict)
        found = [self.operation(index, stream, number) for number, stream in enumerate(streams)]
        plain = all(one.plain for one in found)
        return [one._replace(plain=plain) for one in found]

    def operation(self, index: int, stream: Stream, step: int = NOWHERE) -> Operation:
        atom = self.plan.atoms[index]
        taken = self.taken(stream)
        begin = len(self.conditions)
        self.conditions += taken.conditions
        if atom.local is not None:
            row = self.locals.setdefault(atom.local, len(self.locals))
            self.conditions.append((layout.LOCAL_TIME, row, 0, 0))
        window, end = atom.window, len(self.conditions)
        simple = not window or (len(window) == 1 and window[0].kind == "from" and window[0].step.micros > 0)
        dynamic = atom.since is not None or atom.until is not None
        order = -window[0].step.micros if window and simple else -(2**62)
        plain = simple and not dynamic and end == begin
        return Operation(index, step, taken.selection, plain, order, *taken.range, (begin, end))

    def taken(self, stream: Stream) -> _Taken:
        if stream not in self.streams:
            mask = self.names_mask(stream)
            others = []
            for condition in stream.where:
                coded = self.coded_condition(condition)
                if coded is None:
                    others.append(condition)
                else:
                    mask = mask & coded
            self.streams[stream] = _Taken(len(self.selections), *self.checks(stream, others, mask))
            self.selections.append(np.flatnonzero(mask))
        return self.streams[stream]

    def checks(
        self, stream: Stream, others: Sequence[Expression], codes: Truth
    ) -> tuple[tuple[int, int, int], list[tuple[int, int, int, int]]]:
        """One range, and what codes and that range do not decide."""
        column, low, high = NOWHERE, -(2**63) + 1, 2**63 - 1
        conditions = []
        for condition in others:
            limits = self.limits(condition)
            if limits is not None and column in (NOWHERE, limits[0]):
                column, low, high = limits[0], max(low, limits[1]), min(high, limits[2])
            else:
                conditions.append(self.condition(condition, limits, codes))
        if stream.unless is not None:
            conditions.append(self.undone(stream))
        return (column, low, high), conditions

    def names_mask(self, stream: Stream) -> Truth:
        """Codes of the stream's events, before its conditions."""
        key = (stream.names, stream.excluded, stream.each)
        if key not in self.name_masks:
            known = self.tapes.names.known
            if stream.names is None:
                wanted = [not each and name not in stream.excluded for name, each in known]
            else:
                wanted = [name in stream.names and each == stream.each for name, each in known]
            self.name_masks[key] = np.array(wanted or [False], np.bool_)[self.code_name]
        return self.name_masks[key]

    def keys_of(self, condition: Expression) -> list[ColumnKey]:
        paths = set(properties_of(condition))
        found = [key for key in self.tapes.columns if key.path in paths and key.type != "length"]
        lists = set(lists_of(condition))
        return found + [key for key in self.tapes.flat if key.type == "length" and key.path in lists]

    def coded_condition(self, condition: Expression) -> Truth | None:
        """A condition on coded properties alone, as a truth value a code."""
        if condition not in self.condition_masks:
            keys = tuple(self.keys_of(condition))
            is_coded = all(key in self.coded for key in keys) and not traits_of_me(condition)
            self.condition_masks[condition] = self.truth(condition, keys) if is_coded else None
        return self.condition_masks[condition]

    def truth(self, condition: Expression, keys: tuple[ColumnKey, ...]) -> Truth:
        """By code, found for each different combination of these columns once."""
        if keys not in self.combined:
            columns = {key: self.coded[key] for key in keys}
            first, kind = different(list(columns.values()) or [np.zeros(len(self.tapes.codes), np.int64)])
            some = {key: column[first] for key, column in columns.items()}
            self.combined[keys] = Table(len(first), some, {}, self.texts, self.zone, {}), kind
        rows, kind = self.combined[keys]
        return rows.holds(condition)[kind]

    def limits(self, condition: Expression) -> tuple[int, int, int] | None:
        found = limits_of(condition)
        if found is None:
            return None
        key = ColumnKey(found[0], "n")
        column = self.column(key)
        if column is None or column[0] != layout.FLAT:
            return None
        return column[1], found[1], found[2]

    def condition(
        self, condition: Expression, limits: tuple[int, int, int] | None, codes: Truth
    ) -> tuple[int, int, int, int]:
        """A condition that needs more than codes and one range."""
        if limits is not None:
            return layout.IN_RANGE, *limits
        if traits_of_me(condition):
            begin = len(self.terms)
            self.term(condition)
            return layout.TERMS, 0, begin, len(self.terms)
        return layout.IN_RANGE, self.made(Derived(condition, codes)), 1, 1

    def undone(self, stream: Stream) -> tuple[int, int, int, int]:
        assert stream.unless is not None
        known = self.tapes.names.known
        names = tuple(
            n for n, (name, each) in enumerate(known) if name in (stream.names or ()) and each == stream.each
        )
        undoing = tuple(n for n, (name, each) in enumerate(known) if name == stream.unless.event and not each)
        bare = Stream(stream.names, each=stream.each, unless=stream.unless)
        return layout.NOT_UNDONE, self.made(Undone(bare, names, undoing)), 0, 0

    # --- conditions that look at the customer's traits --------------------------------------------------------------

    def term(self, condition: Expression) -> None:
        match condition:
            case _ if not traits_of_me(condition):
                column = self.made(Derived(condition, np.ones(len(self.tapes.codes), np.bool_)))
                self.terms.append((layout.TERM_TRUE, layout.FLAT, column, 0, 0, 0))
            case And() | Or():
                for number, item in enumerate(condition.items):
                    self.term(item)
                    if number:
                        kind = layout.TERM_AND if isinstance(condition, And) else layout.TERM_OR
                        self.terms.append((kind, 0, 0, 0, 0, 0))
            case Not():
                self.term(condition.item)
                self.terms.append((layout.TERM_NOT, 0, 0, 0, 0, 0))
            case Between(item=item, low=low, high=high):
                self.term(And((Compare(">=", item, low), Compare("<=", item, high))))
            case Compare():
                self.compare_with_trait(condition)
            case _:
                raise Unsupported(
                    "E_UNSUPPORTED", "me.… must stand alone on one side of a comparison", span=condition.span
                )

    def compare_with_trait(self, condition: Compare) -> None:
        mirrored = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
        left, right, operator = condition.left, condition.right, condition.operator
        if isinstance(left, Me):
            left, right, operator = right, left, mirrored.get(operator, operator)  # type: ignore[assignment]
        if not isinstance(right, Me) or operator not in mirrored or traits_of_me(left):
            raise Unsupported(
                "E_UNSUPPORTED", "me.… must stand alone on one side of a comparison", span=condition.span
            )
        output = self.outputs[right.trait]
        type_ = self.plan.outputs[output].type
        paths = list(properties_of(left))
        if type_ not in TAGS or len(paths) != 1 or left.__class__.__name__ != "Property":
            raise Unsupported(
                "E_UNSUPPORTED",
                f"a property must stand beside me.{right.trait}, a {type_}",
                hint="Make the computed value a property when loading, or compare in a segment.",
                span=condition.span,
            )
        column = self.column(ColumnKey(paths[0], TAGS[type_]))
        if column is None:
            no_one = self.made(Derived(Or(()), np.zeros(len(self.tapes.codes), np.bool_)))
            self.terms.append((layout.TERM_TRUE, layout.FLAT, no_one, 0, 0, 0))
            return
        by_rank = int(type_ == "text" and operator != "==")
        self.terms.append((layout.TERM_COMPARE, *column, COMPARISONS[operator], output, by_rank))

    # --- tables ---------------------------------------------------------------------------------------------------

    @property
    def levels(self) -> int:
        atoms, outputs = self.plan.atoms, self.plan.outputs
        return 1 + max([*(atom.level for atom in atoms), *(output.level for output in outputs)], default=0)

    def follow(self, places: list[tuple[int, int, int]], operations: Sequence[Operation]) -> None:
        """Simple sequences become ones that are followed, with a link a step."""
        of_atom: dict[int, list[Operation]] = {}
        for one in operations:
            of_atom.setdefault(one.atom, []).append(one)
        self.links: list[tuple[int, int, int]] = []
        self.link_of: dict[int, int] = {}
        for index, atom in enumerate(self.plan.atoms):
            if atom.sequence is not None and is_followed(atom, of_atom[index]):
                places[index] = (FOLLOWED, *places[index][1:])
                self.link_of[index], steps = len(self.links), len(atom.sequence.steps)
                within = layout.NEVER if atom.sequence.within is None else atom.sequence.within.micros
                self.links += [(step, steps, within) for step in range(steps)]

    def operation_row(self, one: Operation, kind: int, place: int, column: int) -> tuple[int, ...]:
        atom = self.plan.atoms[one.atom]
        form, window = form_of(kind, place, atom.number), self.windows[atom.window]
        if form == layout.STEP:
            column = self.link_of[one.atom] + one.step
        limits = (one.range_column, one.low, one.high) if one.range_column != NOWHERE else ANYTHING
        which = self.ranges.setdefault(limits, len(self.ranges))
        return one.atom, form, which, column, window, one.step, *one.conditions

    def timezone_given(self) -> int:
        if not any(row.of_customer for row in self.locals):
            return NOWHERE
        return next((n for n, (path, _) in enumerate(self.plan.givens) if path == ("timezone",)), NOWHERE)

    def local_tables(self) -> tuple[list[tuple[int, ...]], Integers]:
        rows: list[tuple[int, ...]] = []
        days: list[int] = []
        for one in self.locals:
            first = past = NOWHERE
            if one.holiday:
                first = len(days)
                days += holiday_days(one.holiday, self.settings.country)
                past = len(days)
            masks = hour_mask(one.hours), mask_of(one.weekdays, range(7)), mask_of(one.months, range(1, 13))
            rows.append((*masks, first, past, int(one.of_customer)))
        return rows, np.array(days, np.int64)

    def sequences(self) -> Integers:
        found = [atom.sequence for atom in self.plan.atoms if atom.sequence is not None]
        longest = max((len(one.steps) for one in found), default=0)
        table = np.zeros((len(found), layout.SEQ_BITS + 2 * longest + 2), np.int64)
        for row, one in enumerate(found):
            wanted = [1 << number for number, step in enumerate(one.steps) if not step.forbidden]
            forbidden = [0] * (len(wanted) + 1)
            before = 0
            for number, step in enumerate(one.steps):
                if step.forbidden:
                    forbidden[before] |= 1 << number
                before += not step.forbidden
            place = self.same_column(one.same) if one.same else (NOWHERE, NOWHERE)
            strict = 1 << len(one.steps) if one.strict is not None and len(wanted) > 1 else 0
            owner = NOWHERE
            if strict and any(step.stream.each for step in one.steps):
                owner = self.made(Owner(self.tapes.names.items))
            facts = [len(wanted), strict, *place, *limit_of(one.within), *limit_of(one.gap)]
            cells = [*facts, *wanted, *forbidden, owner]
            table[row, : len(cells)] = cells
        return table

    def same_column(self, path: tuple[str, ...]) -> tuple[int, int]:
        keys = [key for key in self.tapes.columns if key.path == path and key.type != "length"]
        if not keys:
            return layout.FLAT, self.made(Derived(Or(()), np.zeros(0, np.bool_), NULL))
        if any(key in self.tapes.ragged for key in keys):
            raise Unsupported(
                "E_UNSUPPORTED",
                f"same={'.'.join(path)} cannot be followed, because it holds lists",
                hint="Load what the events share as a property of its own.",
            )
        if len(keys) > 1:
            return layout.FLAT, self.made(Shared(tuple(keys)))
        found = self.column(keys[0])
        assert found is not None
        return found

    def uses(self, op: Op) -> bool:
        return any(one.op is op for output in self.plan.outputs for one in output.code)

    def text_functions(self) -> Integers:
        """Functions of every text of the dictionary, as far as the program uses them."""
        lowers: list[int] = []
        if self.uses(Op.LOWER):
            lowers = [self.texts.number(text.lower()) for text in list(self.texts.texts)]
        ranked = self.uses(Op.COMPARE_TEXT) or any(row[layout.TERM_BY_RANK] for row in self.terms)
        ranked = ranked or any(a.kind is Kind.MOST_FREQUENT and a.of == "text" for a in self.plan.atoms)
        moments, zoned = self.uses(Op.TEXT_MOMENT), any(row.of_customer for row in self.locals)
        if not (lowers or ranked or moments or zoned):
            return np.zeros((4, 1), np.int64)
        texts = self.texts.texts
        table = np.zeros((4, max(1, len(texts))), np.int64)
        table[layout.TEXT_LOWERS, : len(texts)] = [*lowers, *range(len(lowers), len(texts))]
        if moments:
            found = (moment_of_text(text, self.zone) for text in texts)
            table[layout.TEXT_MOMENTS, : len(texts)] = [NULL if one is None else one for one in found]
        if ranked:
            table[layout.TEXT_RANKS, : len(texts)] = self.texts.ranks()
        if zoned:
            table[layout.TEXT_ZONES, : len(texts)] = self.text_zones()
        return table

    def text_zones(self) -> list[int]:
        known = timezones()
        number = self.zone_names.setdefault
        return [number(text, len(self.zone_names)) if text in known else 0 for text in self.texts.texts]

    def tests(self) -> NDArray[np.uint8]:
        if not self.plan.tests:
            return np.zeros((0, 1), np.uint8)
        return np.stack([np.array(self.texts.meet(test), np.uint8) for test in self.plan.tests])

    def tests_of_slots(self) -> list[Test]:
        """The tests that decide segments, those of a slot together."""
        self.translation = translate(self.plan, lambda slot: True)
        self.decided = decided_by_tests(self.plan, self.translation)
        numbers = {
            one
            for output in self.decided
            for what, one in self.translation.codes[output]
            if what == BITS_TEST
        }
        every = list(self.translation.tests)
        return sorted(every[number] for number in numbers)

    def bit_tables(self, tests: Sequence[Test]) -> tuple[Integers, Integers]:
        places = {self.translation.tests[test]: place for place, test in enumerate(tests)}
        codes = [self.translation.codes[output] for output in self.decided]
        spans, code = code_tables(codes, places.__getitem__)
        rows = [(output, *span) for output, span in zip(self.decided, spans, strict=True)]
        return table_of(rows, 3), table_of(code, 2)

    def inputs(
        self, operations: Sequence[Operation], kinds: Sequence[int], tests: Sequence[Test]
    ) -> tuple[NDArray[np.int32], Integers, Integers]:
        """The outputs to run when an input is touched: of each output's alternatives the least often touched is taken."""
        often = self.often = np.zeros(len(self.plan.atoms), np.int64)
        events = [int(self.tapes.counts[codes].sum()) for codes in self.selections]
        for one in operations:
            often[one.atom] += events[one.selection]
        found: dict[tuple[str, int], list[int]] = {}
        by_tests = set(self.decided)
        machine = [number for number in range(len(self.plan.outputs)) if number not in by_tests]
        decided: dict[int, int] = {}
        for number in (*self.decided, *machine):
            for one_input in rarest(self.plan.outputs[number], often):
                found.setdefault((one_input.kind, one_input.index), []).append(number)
                if one_input.kind == "slot" and number in by_tests:
                    decided[one_input.index] = decided.get(one_input.index, 0) + 1
        triggered: list[int] = []

        def row(kind: str, index: int) -> tuple[int, int]:
            begin = len(triggered)
            triggered.extend(found.get((kind, index), ()))
            return begin, len(triggered)

        slots: list[tuple[int, ...]] = []
        first = np.searchsorted([test.slot for test in tests], np.arange(len(kinds) + 1)).tolist()
        for index, (atom, kind) in enumerate(zip(self.plan.atoms, kinds, strict=True)):
            begin, end = row("slot", index)
            own, window = first[index : index + 2], self.windows[atom.window]
            if own[0] == own[1]:
                own = [len(tests)] * 2  # one that nobody asks about
            machine_first = begin + decided.get(index, 0)
            more = own[1] - own[0] > 1 or machine_first < end
            more |= quick_length(atom.window) < 0
            slots.append((kind, window, *own, begin, machine_first, end, int(more)))
        sizes = {"fixed": self.plan.fixed, "fitted": self.plan.fits, "signal": self.plan.signals}
        rows = [row(kind, index) for kind, some in sizes.items() for index in range(len(some))]
        rows += [row("given", index) for index in range(len(self.plan.givens))]
        rows.append(row("identified", 0))
        return table_of(slots, 8, np.int32), table_of(rows, 2), np.array(triggered, np.int64)

    def given_numbers(self) -> Integers:
        """The program's number of each trait on the tape, NOWHERE where it is not asked for."""
        wanted = {
            ColumnKey(path, TAGS[type_]): n
            for n, (path, type_) in enumerate(self.plan.givens)
            if type_ in TAGS
        }
        return np.array([wanted.get(key, NOWHERE) for key in self.tapes.traits] or [NOWHERE], np.int64)
