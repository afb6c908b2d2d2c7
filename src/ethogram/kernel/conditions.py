"""Values of an event's columns, and the conditions that coding and ranges do not cover."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ethogram.kernel.calendar import DAY, HOUR, Zones, civil, day_of, local_time, weekday
from ethogram.kernel.compiling import compiled
from ethogram.kernel.layout import (
    CODED,
    FLAT,
    IF_COLUMN,
    IF_HIGH,
    IF_KIND,
    IF_LOW,
    IN_RANGE,
    LOCAL_FIRST,
    LOCAL_HOURS,
    LOCAL_MONTHS,
    LOCAL_OF_CUSTOMER,
    LOCAL_PAST,
    LOCAL_TIME,
    LOCAL_WEEKDAYS,
    NOT_UNDONE,
    NULL,
    OP_RANGE,
    RANGE_COLUMN,
    RANGE_HIGH,
    RANGE_LOW,
    STAMP,
    TERM_AND,
    TERM_BY_RANK,
    TERM_COLUMN,
    TERM_COMPARE,
    TERM_KIND,
    TERM_NOT,
    TERM_OPERATOR,
    TERM_OR,
    TERM_OUTPUT,
    TERM_PLACE,
    TERM_TRUE,
    TEXT_RANKS,
    TEXT_ZONES,
    TICK,
    VALUE,
    Integers,
    Program,
    Scratch,
    Tape,
)
from ethogram.kernel.machine import compares


@compiled
def in_range(flat: Integers, ops: NDArray[np.int32], ranges: Integers, op: int, event: int) -> bool:
    """Whether the event is in the operation's range."""
    row = ops[op, OP_RANGE]
    value = flat[ranges[row, RANGE_COLUMN], event]
    return (ranges[row, RANGE_LOW] <= value) & (value <= ranges[row, RANGE_HIGH])


@compiled
def values_begin(tape: Tape, place: int, column: int, event: int) -> int:
    return tape.ragged_offset[column, event] if place > CODED else 0


@compiled
def values_end(tape: Tape, place: int, column: int, event: int) -> int:
    return tape.ragged_offset[column, event + 1] if place > CODED else 1


@compiled
def value_at(tape: Tape, place: int, column: int, event: int, index: int) -> int:
    if place == FLAT:
        return tape.flat[column, event]
    if place == CODED:
        return tape.coded[column, tape.code[event]]
    return tape.ragged_value[index]


@compiled
def output_value(program: Program, scratch: Scratch, output: int) -> int:
    return (
        scratch.outs[output, VALUE]
        if scratch.outs[output, STAMP] == scratch.state[TICK]
        else program.defaults[output]
    )


@compiled
def _compares_any(tape: Tape, program: Program, scratch: Scratch, term: int, event: int) -> bool:
    """Some value of the column against a trait of the customer."""
    terms = program.terms
    other = output_value(program, scratch, terms[term, TERM_OUTPUT])
    if other == NULL:
        return False
    place, column = terms[term, TERM_PLACE], terms[term, TERM_COLUMN]
    operator = terms[term, TERM_OPERATOR]
    for index in range(values_begin(tape, place, column, event), values_end(tape, place, column, event)):
        value = value_at(tape, place, column, event, index)
        if value == NULL:
            continue
        if terms[term, TERM_BY_RANK] == 1:
            if compares(operator, program.texts[TEXT_RANKS, value], program.texts[TEXT_RANKS, other]):
                return True
        elif compares(operator, value, other):
            return True
    return False


@compiled
def _terms_hold(tape: Tape, program: Program, scratch: Scratch, begin: int, end: int, event: int) -> bool:
    top = -1
    stack, terms = scratch.stack, program.terms
    for term in range(begin, end):
        kind = terms[term, TERM_KIND]
        if kind == TERM_COMPARE:
            top += 1
            stack[top] = _compares_any(tape, program, scratch, term, event)
        elif kind == TERM_TRUE:
            top += 1
            place, column = terms[term, TERM_PLACE], terms[term, TERM_COLUMN]
            stack[top] = value_at(tape, place, column, event, 0) == 1
        elif kind == TERM_NOT:
            stack[top] = 1 - stack[top]
        elif kind == TERM_AND:
            top -= 1
            stack[top] = stack[top] & stack[top + 1]
        elif kind == TERM_OR:
            top -= 1
            stack[top] = stack[top] | stack[top + 1]
    return stack[0] == 1


@compiled
def _zone_of(program: Program, scratch: Scratch, row: int) -> int:
    """The customer's own timezone where it is known and asked for, else the project's."""
    given = program.timezone_given
    asked = program.locals[row, LOCAL_OF_CUSTOMER] and given >= 0
    if asked and scratch.givens[given, STAMP] == scratch.state[TICK]:
        name = scratch.givens[given, VALUE]
        if name != NULL:
            return program.texts[TEXT_ZONES, name]
    return 0


@compiled
def _is_local_time(program: Program, zones: Zones, row: int, zone: int, time: int) -> bool:
    local = local_time(time, zone, zones)
    day = day_of(local)
    hour = (local - day * DAY) // HOUR
    if (
        not (program.locals[row, LOCAL_HOURS] >> hour) & 1
        or not (program.locals[row, LOCAL_WEEKDAYS] >> weekday(day)) & 1
    ):
        return False
    if not (program.locals[row, LOCAL_MONTHS] >> civil(day)[1]) & 1:
        return False
    low, past = program.locals[row, LOCAL_FIRST], program.locals[row, LOCAL_PAST]
    if low < 0:
        return True
    high = past
    while low < high:
        middle = (low + high) >> 1
        if program.holidays[middle] < day:
            low = middle + 1
        else:
            high = middle
    return low < past and program.holidays[low] == day


@compiled
def fits_event(tape: Tape, program: Program, zones: Zones, condition: int, zone: int, event: int) -> bool:
    """Whether a range or a condition on local time holds, which look at the event alone."""
    conditions = program.conditions
    if conditions[condition, IF_KIND] == IN_RANGE:
        value = tape.flat[conditions[condition, IF_COLUMN], event]
        return conditions[condition, IF_LOW] <= value <= conditions[condition, IF_HIGH]
    return _is_local_time(program, zones, conditions[condition, IF_COLUMN], zone, tape.time[event])


@compiled
def conditions_hold(
    tape: Tape, program: Program, zones: Zones, scratch: Scratch, begin: int, end: int, event: int, as_of: int
) -> bool:
    conditions = program.conditions
    for row in range(begin, end):
        kind = conditions[row, IF_KIND]
        if kind == IN_RANGE:
            if not fits_event(tape, program, zones, row, 0, event):
                return False
        elif kind == LOCAL_TIME:
            zone = _zone_of(program, scratch, conditions[row, IF_COLUMN])
            if not fits_event(tape, program, zones, row, zone, event):
                return False
        elif kind == NOT_UNDONE:
            undone = tape.flat[conditions[row, IF_COLUMN], event]
            if undone != NULL and undone <= as_of:
                return False
        elif not _terms_hold(
            tape, program, scratch, conditions[row, IF_LOW], conditions[row, IF_HIGH], event
        ):
            return False
    return True
