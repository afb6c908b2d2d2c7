"""Functions over events that are more than one atom."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from ethogram.language.lowering.code import Lowered, joined
from ethogram.language.lowering.comparisons import compare, slot_against_constant
from ethogram.language.lowering.outputs import outputs_of_me
from ethogram.language.lowering.selections import atom_of
from ethogram.language.lowering.tables import Tables
from ethogram.language.plan import Atom, Instruction, Kind, Op, Part, SequenceStep, Window
from ethogram.language.plan import Sequence as EventSequence
from ethogram.language.streams import any_event, integer_of, step_of, stream_of, twice, unit_of
from ethogram.language.tree import Call, Date, Events, Flag, Not, Number, Property
from ethogram.model.errors import DefinitionError


def did(tables: Tables, call: Call) -> Lowered:
    options = {option.name for option in call.options}
    selection = call.arguments[0]
    bound = call.options[0].value if len(options) == 1 else None
    if bound is not None and options & {"since", "until"} and not isinstance(bound, Date):
        function, operator = ("last", ">=") if "since" in options else ("first", "<")
        return compare(tables, operator, Call(function, (selection,)), bound)  # type: ignore[arg-type]
    return tables.slot(atom_of(tables, call, Kind.DID))


def share_of(tables: Tables, call: Call) -> Lowered:
    selection = call.arguments[0]
    assert isinstance(selection, Events)
    part = tables.slot(atom_of(tables, call, Kind.COUNT))
    whole = tables.slot(
        atom_of(tables, replace(call, arguments=(replace(selection, where=None),)), Kind.COUNT)
    )
    return _ratio(tables, part, whole)


def _ratio(tables: Tables, part: Lowered, whole: Lowered) -> Lowered:
    code = (*part.code, *whole.code, Instruction(Op.DIVIDE))
    return joined("number", code, (part, whole), (whole.inputs,))


def trend_of(tables: Tables, call: Call) -> Lowered:
    step = step_of(call.option("last"))
    selection = call.arguments[0]
    assert isinstance(selection, Events)
    kind = Kind.SUM if selection.path else Kind.COUNT
    base = atom_of(tables, call, kind, bare=True)._replace(
        path=selection.path, of="number" if selection.path else None
    )
    now = base._replace(window=(Part("from", step),))
    before = base._replace(window=(Part("from", twice(step)), Part("to", step)))
    return _ratio(tables, tables.slot(now), tables.slot(before))


def lapsed(tables: Tables, call: Call) -> Lowered:
    last = tables.slot(atom_of(tables, call, Kind.LAST_TIME, bare=True))
    window = tables.window((Part("from", step_of(call.option("after"))),))
    code = (
        *last.code,
        Instruction(Op.KNOWN),
        Instruction(Op.AND_JUMP, 6),
        *last.code,
        Instruction(Op.IN_WINDOW, window),
        Instruction(Op.NOT),
    )
    return last._replace(type="flag", code=code)


def recurring(tables: Tables, call: Call) -> Lowered:
    unit = unit_of(call.option("every"))
    of = integer_of(call.option("of"))
    window = (Part("period", unit=unit, first=-of, past=0),)
    atom = atom_of(tables, call, Kind.PERIODS, bare=True)._replace(window=window, number=unit)
    limit = Number(Decimal(integer_of(call.option("at_least"))))
    number = tables.value(limit)
    counted = slot_against_constant(tables, ">=", tables.slot(atom), number)
    assert counted is not None
    return counted


def sequence_of(tables: Tables, call: Call) -> Lowered:
    steps = []
    for argument in call.arguments:
        selection = argument.item if isinstance(argument, Not) else argument
        assert isinstance(selection, Events)
        steps.append(SequenceStep(stream_of(selection, tables.definitions), isinstance(argument, Not)))
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
        any_event(tables.definitions) if strict == Flag(True) else None,
        same.path if isinstance(same, Property) else (),
    )
    level = max(
        [0] + [1 + tables.lowered[k].level for s in steps for k in outputs_of_me(tables, s.stream.where)]
    )
    window: Window = (Part("from", step_of(last)),) if last is not None else ()
    return tables.slot(Atom(Kind.SEQUENCE, steps[0].stream, window=window, sequence=sequence, level=level))
