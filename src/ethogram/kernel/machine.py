"""The stack machine that runs an output's code for one customer. A missing value is NULL."""

from __future__ import annotations

from ethogram.kernel.arithmetic import LARGEST, MILLION, add, divide, divide_rounding, multiply
from ethogram.kernel.calendar import (
    DAY,
    UNIT_DAY,
    Zones,
    civil,
    day_number,
    day_of,
    local_time_standing,
    period_at,
    period_start,
    reaches,
    step_months,
)
from ethogram.kernel.compiling import compiled
from ethogram.kernel.layout import (
    DUE,
    IDENTIFIED_AT,
    NULL,
    OUT_CODE,
    OUT_CODE_END,
    OVERFLOW,
    STAMP,
    STATUS,
    TEXT_LOWERS,
    TEXT_MOMENTS,
    TEXT_RANKS,
    TICK,
    VALUE,
    Integers,
    People,
    Program,
    Scratch,
    Tape,
)
from ethogram.kernel.windows import next_edge
from ethogram.language.plan import Op

(
    CONST, MISSING, SLOT, GIVEN, OUT, NOW, FITTED, FIXED, IDENTIFIED, NOT, AND_JUMP, OR_JUMP, COMPARE, COMPARE_TEXT, KNOWN,
    ADD, SUBTRACT, MULTIPLY, DIVIDE, NEGATE, ELAPSED_COMPARE, ELAPSED, SHIFT, STEP, DAYS_BETWEEN, NOW_COMPARE, TEXT_MOMENT,
    AGE, ANNIVERSARY, TEXT_TABLE, LOWER, KNOWN_JUMP, JUMP, FALSE_JUMP, WAS_IN, ENTERED, LEFT, STAY, IN_WINDOW, SLOT_COMPARE,
    IS_TRUE, GROUP_TEXT, FLAG_NUMBER, WAS_IN_SHIFTED,
) = (int(op) for op in Op)  # fmt: skip


@compiled
def wake(state: Integers, moment: int, as_of: int) -> None:
    """The answers may change at this moment."""
    if as_of < moment < state[DUE]:
        state[DUE] = moment


@compiled
def compares(operator: int, left: int, right: int) -> bool:
    if operator == 0:
        return left == right
    if operator == 1:
        return left < right
    if operator == 2:
        return left <= right
    if operator == 3:
        return left > right
    return left >= right


@compiled
def _toggles(people: People, signal: int, u: int, moment: int) -> int:
    """How many times the signal has turned by a moment, as a position in `signal_at`."""
    low, high = people.signal_offset[signal, u], people.signal_offset[signal, u + 1]
    while low < high:
        middle = (low + high) >> 1
        if people.signal_at[middle] <= moment:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _wake_by_signal(people: People, state: Integers, signal: int, u: int, as_of: int) -> None:
    following = _toggles(people, signal, u, as_of)
    if following < people.signal_offset[signal, u + 1]:
        wake(state, people.signal_at[following], as_of)
    else:
        wake(state, people.signal_due[signal, u], as_of)


@compiled
def _holds_at(people: People, signal: int, u: int, moment: int) -> bool:
    return (_toggles(people, signal, u, moment) - people.signal_offset[signal, u]) & 1 == 1


@compiled
def _last_turn(people: People, signal: int, u: int, as_of: int, entering: bool) -> int:
    """The latest moment by now at which the signal turned true (or false); NULL where there is none."""
    begin = people.signal_offset[signal, u]
    turn = _toggles(people, signal, u, as_of) - 1
    if turn >= begin and ((turn - begin) & 1 == 0) != entering:
        turn -= 1
    return people.signal_at[turn] if turn >= begin else NULL


@compiled
def _was_in(
    people: People,
    state: Integers,
    zones: Zones,
    signal: int,
    u: int,
    as_of: int,
    at: int,
    micros: int,
    months: int,
) -> bool:
    """At a moment (NULL: at now shifted by micros or months)."""
    shifted = at == NULL
    if shifted:
        at = step_months(as_of, months, 0, zones) if months else as_of + micros
    if at >= as_of:
        _wake_by_signal(people, state, signal, u, as_of)
        wake(state, at, as_of)
        return _holds_at(people, signal, u, as_of)
    if shifted:
        following = _toggles(people, signal, u, at)
        if following < people.signal_offset[signal, u + 1]:
            turn = people.signal_at[following]
        else:
            turn = people.signal_due[signal, u]
        if turn < LARGEST - 2**60:
            wake(state, reaches(turn, months, 0, zones) if months else turn - micros, as_of)
    return _holds_at(people, signal, u, at)


@compiled
def _elapsed_compare(
    state: Integers, operator: int, moment: int, number: int, unit: int, sign: int, as_of: int
) -> bool:
    """(as_of - moment) * sign against a number of days or hours, on exact microseconds."""
    limit = 2**61 // unit
    length = min(max(number, -limit), limit) * unit
    turning = moment + length if sign > 0 else moment - length
    wake(state, turning, as_of)
    wake(state, turning + 1, as_of)
    return compares(operator, (as_of - moment) * sign, length)


@compiled
def _now_compare(
    state: Integers, zones: Zones, operator: int, moment: int, micros: int, months: int, as_of: int
) -> bool:
    """A moment against now, shifted."""
    if months:
        wake(state, reaches(moment, months, 0, zones), as_of)
        wake(state, reaches(moment + 1, months, 0, zones), as_of)
        return compares(operator, moment, step_months(as_of, months, 0, zones))
    wake(state, moment - micros, as_of)
    wake(state, moment - micros + 1, as_of)
    return compares(operator, moment, as_of + micros)


@compiled
def _anniversary(year: int, month: int, day: int, of_year: int) -> int:
    """The day of an anniversary in a year; 29 February is kept on 1 March in other years."""
    return day_number(of_year, month, day)


@compiled
def _age(born: int, today: int) -> int:
    year, month, day = civil(born)
    this_year = civil(today)[0]
    return this_year - year - (1 if today < _anniversary(year, month, day, this_year) else 0)


@compiled
def _days_to_anniversary(first: int, today: int) -> int:
    if today <= first:
        return first - today
    year, month, day = civil(first)
    this_year = civil(today)[0]
    following = _anniversary(year, month, day, this_year)
    if following < today:
        following = _anniversary(year, month, day, this_year + 1)
    return following - today


@compiled
def _calculate(state: Integers, op: int, left: int, right: int) -> int:
    if left == NULL or right == NULL:
        return NULL
    fits = True
    result = 0
    if op == ADD:
        result, fits = add(left, right)
    elif op == SUBTRACT:
        result, fits = add(left, -right)
    elif op == MULTIPLY:
        result, fits = multiply(left, right)
    elif right == 0:
        return NULL
    else:
        result, fits = divide(left, right)
    if not fits or result == NULL:
        state[STATUS] = OVERFLOW
        return NULL
    return result


@compiled
def run_output(
    tape: Tape,
    people: People,
    program: Program,
    zones: Zones,
    scratch: Scratch,
    u: int,
    as_of: int,
    output: int,
) -> int:
    """The output's value for customer u; u = -1 asks for the value over an empty history."""
    stack, state, bounds = scratch.stack, scratch.state, scratch.bounds
    top = -1
    begin = program.outs[output, OUT_CODE]
    end = program.outs[output, OUT_CODE_END]
    at = begin
    tick = state[TICK]
    while at < end:
        op = program.ins[at, 0]
        a = program.ins[at, 1]
        b = program.ins[at, 2]
        c = program.ins[at, 3]
        at += 1
        if op == SLOT_COMPARE:
            value = scratch.slots[a, VALUE]
            top += 1
            stack[top] = value != NULL and compares(b, value, program.constants[c])
        elif op == AND_JUMP:
            if stack[top] == 0:
                at = begin + a
            else:
                top -= 1
        elif op == OR_JUMP:
            if stack[top] == 1:
                at = begin + a
            else:
                top -= 1
        elif op == NOT:
            stack[top] = 1 - stack[top]
        elif op == SLOT:
            top += 1
            stack[top] = scratch.slots[a, VALUE]
        elif op == OUT:
            top += 1
            stack[top] = scratch.outs[a, VALUE] if scratch.outs[a, STAMP] == tick else program.defaults[a]
        elif op == CONST:
            top += 1
            stack[top] = program.constants[a]
        elif op == COMPARE:
            right = stack[top]
            top -= 1
            stack[top] = stack[top] != NULL and right != NULL and compares(a, stack[top], right)
        elif op == IN_WINDOW:
            moment = stack[top]
            inside = moment != NULL and bounds[a, 0] <= moment <= bounds[a, 1]
            if inside:
                wake(state, next_edge(program.windows, program.parts, zones, a, moment, as_of), as_of)
            stack[top] = inside
        elif op == ELAPSED_COMPARE:
            number = stack[top]
            top -= 1
            moment = stack[top]
            stack[top] = (
                moment != NULL and number != NULL and _elapsed_compare(state, a, moment, number, b, c, as_of)
            )
        elif op == KNOWN:
            stack[top] = stack[top] != NULL
        elif op == IS_TRUE:
            stack[top] = stack[top] == 1
        elif op == FALSE_JUMP:
            if stack[top] != 1:
                at = begin + a
            top -= 1
        elif op == JUMP:
            at = begin + a
        elif op == KNOWN_JUMP:
            if stack[top] != NULL:
                at = begin + a
            else:
                top -= 1
        elif op == TEXT_TABLE:
            stack[top] = stack[top] != NULL and program.tables[a, stack[top]] == 1
        elif op == GIVEN:
            top += 1
            stack[top] = scratch.givens[a, VALUE] if scratch.givens[a, STAMP] == tick else NULL
        elif op == FITTED:
            top += 1
            stack[top] = people.fitted[a, u] if u >= 0 else NULL
        elif op == FIXED:
            top += 1
            stack[top] = people.fixed[a, u] if u >= 0 else NULL
        elif op == IDENTIFIED:
            top += 1
            stack[top] = 0
            if u >= 0:
                stack[top] = tape.births[u, IDENTIFIED_AT] <= as_of
                wake(state, tape.births[u, IDENTIFIED_AT], as_of)
        elif op == MISSING:
            top += 1
            stack[top] = NULL
        elif op == NOW:
            top += 1
            stack[top] = as_of
        elif op == ADD or op == SUBTRACT or op == MULTIPLY or op == DIVIDE:
            right = stack[top]
            top -= 1
            stack[top] = _calculate(state, op, stack[top], right)
        elif op == NEGATE:
            stack[top] = -stack[top] if stack[top] != NULL else NULL
        elif op == FLAG_NUMBER:
            stack[top] = stack[top] * MILLION
        elif op == GROUP_TEXT:
            stack[top] = program.constants[a + stack[top]]
        elif op == COMPARE_TEXT:
            right = stack[top]
            top -= 1
            left = stack[top]
            stack[top] = (
                left != NULL
                and right != NULL
                and compares(a, program.texts[TEXT_RANKS, left], program.texts[TEXT_RANKS, right])
            )
        elif op == ELAPSED:
            if stack[top] != NULL:
                stack[top] = divide_rounding((as_of - stack[top]) * b, a)
        elif op == SHIFT:
            if stack[top] != NULL:
                stack[top] += program.constants[a]
        elif op == STEP:
            if stack[top] != NULL:
                stack[top] = step_months(stack[top], a, 0, zones)
        elif op == DAYS_BETWEEN:
            right = stack[top]
            top -= 1
            left = stack[top]
            stack[top] = (
                divide_rounding(left - right, DAY // MILLION) if left != NULL and right != NULL else NULL
            )
        elif op == NOW_COMPARE:
            moment = stack[top]
            stack[top] = moment != NULL and _now_compare(
                state, zones, a, moment, program.constants[b], c, as_of
            )
        elif op == TEXT_MOMENT:
            if stack[top] != NULL:
                stack[top] = program.texts[TEXT_MOMENTS, stack[top]]
        elif op == LOWER:
            if stack[top] != NULL:
                stack[top] = program.texts[TEXT_LOWERS, stack[top]]
        elif op == AGE or op == ANNIVERSARY:
            moment = stack[top]
            today = period_at(as_of, UNIT_DAY, 0, zones)
            if moment != NULL:
                wake(state, period_start(today + 1, UNIT_DAY, 0, zones), as_of)
                first = day_of(local_time_standing(moment, 0, zones))
                stack[top] = (
                    _age(first, today) * MILLION if op == AGE else _days_to_anniversary(first, today) <= a
                )
            elif op == ANNIVERSARY:
                stack[top] = 0
        elif op == WAS_IN:
            moment = stack[top]
            known = u >= 0 and moment != NULL
            stack[top] = known and _was_in(people, state, zones, a, u, as_of, moment, 0, 0)
        elif op == WAS_IN_SHIFTED:
            top += 1
            stack[top] = u >= 0 and _was_in(people, state, zones, a, u, as_of, NULL, program.constants[b], c)
        elif op == ENTERED or op == LEFT:
            top += 1
            stack[top] = 0
            if u >= 0:
                _wake_by_signal(people, state, a, u, as_of)
                turn = _last_turn(people, a, u, as_of, op == ENTERED)
                if turn != NULL and bounds[b, 0] <= turn <= bounds[b, 1]:
                    wake(state, next_edge(program.windows, program.parts, zones, b, turn, as_of), as_of)
                    stack[top] = 1
        elif op == STAY:
            top += 1
            stack[top] = NULL
            if u >= 0:
                _wake_by_signal(people, state, a, u, as_of)
                if _holds_at(people, a, u, as_of):
                    stack[top] = _last_turn(people, a, u, as_of, True)
    return stack[0]
