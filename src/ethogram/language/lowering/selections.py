"""Selections of events and their windows as atoms; first, last, nth and whatever measures a property."""

from __future__ import annotations

from typing import Literal

from ethogram.language.instants import moment_of_text
from ethogram.language.lowering.code import Lowered
from ethogram.language.lowering.outputs import outputs_of_me
from ethogram.language.lowering.questions import only_type, shift_of_now
from ethogram.language.lowering.tables import Tables
from ethogram.language.lowering.values import moment_of, unwrapped
from ethogram.language.plan import Atom, Kind, Part, Step, ValueType, Window
from ethogram.language.streams import integer_of, stream_of, when_of
from ethogram.language.tree import Call, Date, Events, Expression, Path, Property
from ethogram.model.errors import Unsupported

_NUMERIC = frozenset({Kind.SUM, Kind.AVERAGE, Kind.MIN, Kind.MAX, Kind.MEDIAN})


def atom_of(tables: Tables, call: Call, kind: Kind, *, bare: bool = False) -> Atom:
    """`bare` leaves the call's options to the function."""
    selection = call.arguments[0]
    assert isinstance(selection, Events)
    stream = stream_of(selection, tables.definitions)
    levels = [0] + [1 + tables.lowered[k].level for k in outputs_of_me(tables, stream.where)]
    if bare or not call.options:
        return Atom(kind, stream, level=max(levels))
    when = when_of(call)
    bounds = [_bound(tables, each) for each in (when.since, when.until)]
    levels += [1 + tables.lowered[k].level for k in bounds if k is not None]
    if when.local is not None and when.local.of_customer:
        tables.givens.setdefault((("timezone",), "text"), len(tables.givens))
    return Atom(
        kind,
        stream,
        window=when.window + _static(tables, when.since, "since") + _static(tables, when.until, "until"),
        local=when.local,
        since=bounds[0],
        until=bounds[1],
        level=max(levels),
    )


def _static(tables: Tables, bound: Expression | None, kind: Literal["since", "until"]) -> Window:
    if bound is None:
        return ()
    shift = shift_of_now(unwrapped(tables, bound))
    if shift is not None:
        back = Step(-shift.micros, -shift.months)
        return (Part("since_now" if kind == "since" else "until_now", back),)
    if not isinstance(bound, Date):
        return ()
    moment = moment_of_text(bound.value, tables.zone)
    assert moment is not None
    return (Part(kind, Step(moment)),)


def _bound(tables: Tables, bound: Expression | None) -> int | None:
    if bound is None or isinstance(bound, Date) or shift_of_now(unwrapped(tables, bound)) is not None:
        return None
    lowered = moment_of(tables, bound)
    if lowered.restless:
        raise Unsupported(
            "E_UNSUPPORTED", "a moment computed from now() cannot bound a window", span=bound.span
        )
    for index, known in tables.lowered.items():
        if tables.outputs[index].kind == "bound" and known.code == lowered.code:
            return index
    return tables.add(f"moment {len(tables.outputs)}", "bound", lowered)


def measured(tables: Tables, call: Call, kind: Kind, expect: ValueType | None, *, number: int = 0) -> Lowered:
    """`number` is n of nth."""
    atom = atom_of(tables, call, kind)._replace(number=number)
    selection = call.arguments[0]
    assert isinstance(selection, Events)
    types = seen_types(tables, atom, selection.path)
    of: ValueType = "number"
    if kind not in _NUMERIC:
        guess: ValueType = "text" if expect in ("moment", None) else expect
        of = only_type(types, ".".join((selection.source, *selection.path))) if types else guess
    slot = tables.slot(atom._replace(path=selection.path, of=of))
    return slot._replace(unseen=slot.type == of and kind not in _NUMERIC and not types)


def largest_sum(tables: Tables, call: Call) -> Lowered:
    selection, by = call.arguments[0], call.option("by")
    assert isinstance(selection, Events) and isinstance(by, Property)
    atom = atom_of(tables, call, Kind.MAX_SUM)
    types = seen_types(tables, atom, by.path)
    by_of = only_type(types, ".".join((selection.source, *by.path))) if types else "text"
    return tables.slot(atom._replace(path=selection.path, of="number", by=by.path, by_of=by_of))


def seen_types(tables: Tables, atom: Atom, path: Path) -> frozenset[ValueType]:
    types = tables.schema.property_types(atom.stream.names, atom.stream.each + path)
    if atom.stream.each:
        types |= tables.schema.property_types(atom.stream.names, path)
        if path == ("value",):
            types |= tables.schema.property_types(atom.stream.names, atom.stream.each)
    return types


def first_or_last(tables: Tables, call: Call, expect: ValueType | None) -> Lowered:
    selection = call.arguments[0]
    assert isinstance(selection, Events)
    first = call.function == "first"
    if not selection.path:
        return tables.slot(atom_of(tables, call, Kind.FIRST_TIME if first else Kind.LAST_TIME))
    return measured(tables, call, Kind.FIRST_VALUE if first else Kind.LAST_VALUE, expect)


def nth(tables: Tables, call: Call, expect: ValueType | None) -> Lowered:
    selection, place = call.arguments
    assert isinstance(selection, Events)
    number = integer_of(place)
    if not selection.path:
        return tables.slot(atom_of(tables, call, Kind.NTH_TIME)._replace(number=number))
    return measured(tables, call, Kind.NTH, expect, number=number)
