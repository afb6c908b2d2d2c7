"""Feeding accumulators from events, and settling those that remember values."""

from __future__ import annotations

import numpy as np

from ethogram.kernel.arithmetic import MILLION, add, divide_rounding
from ethogram.kernel.calendar import DAY, Zones, period_at, period_start, step_months
from ethogram.kernel.compiling import compiled
from ethogram.kernel.conditions import in_range, value_at, values_begin, values_end
from ethogram.kernel.layout import (
    ARENA,
    ARENA_FULL,
    ATOM_BY_COLUMN,
    ATOM_BY_PLACE,
    ATOM_COLUMN,
    ATOM_MICROS,
    ATOM_MONTHS,
    ATOM_NUMBER,
    ATOM_PLACE,
    ATOM_SEQUENCE,
    CHECK_STEP,
    DIRTY,
    EMPTY,
    EVENT_BITS,
    EVENT_OWNER,
    EVENT_TIME,
    EXTRA,
    FIRST_TIME_SEEN,
    FLAT,
    MANNER_SCALE,
    MANNER_SOURCE,
    NEVER,
    NOWHERE,
    NULL,
    OP_SLOT,
    OVERFLOW,
    SEQ_BITS,
    SEQ_COLUMN,
    SEQ_GAP,
    SEQ_GAP_MONTHS,
    SEQ_PLACE,
    SEQ_STEPS,
    SEQ_STRICT,
    SEQ_WITHIN,
    SEQ_WITHIN_MONTHS,
    SLOT_KIND,
    STATUS,
    TAIL,
    TALLY_COUNT,
    TALLY_SECOND,
    TALLY_VALUE,
    TEXT_RANKS,
    VALUE,
    Integers,
    Program,
    Scratch,
    Tape,
)
from ethogram.kernel.machine import wake
from ethogram.kernel.sequences import NO_LIMIT, STARTS, any_chain, has_queue, simple_chain
from ethogram.kernel.statistics import median, sort_rows, variation
from ethogram.language.plan import Kind

(
    DID, COUNT, SUM, MIN, MAX, FIRST_TIME, LAST_TIME, FIRST_VALUE, LAST_VALUE, PERIODS, STREAK, AVERAGE, GAP_MAX, GAP_LAST,
    RESUMED, GAP_MIN, GAP_MEAN, NTH_TIME, MEDIAN, DISTINCT, MAX_COUNT, MOST_FREQUENT, NTH, GAP_MEDIAN, GAP_VARIATION, MAX_SUM, SET,
    SEQUENCE,
) = (int(kind) for kind in Kind)  # fmt: skip
FOLLOWED = 41
"""A sequence without `not`, `gap`, `same`, `strict` and calendar limits: its chains are followed event by event."""
MICROS_OF_DAYS = DAY // MILLION
"""Microseconds to a millionth of a day."""
TIED = 2
"""The value of one of whose events two are at the same moment: any order of them counts, so that it is searched after all."""
DISTINCT_FEW = 40
"""count_distinct of a coded column with at most 64 values, kept as a mask of bits."""
MANY_CLASSES = 12
"""With more steps than these the classes of one moment's events may need more room than there is at first."""


@compiled
def touch(scratch: Scratch, slot: int, time: int) -> None:
    scratch.slots[slot, FIRST_TIME_SEEN] = time
    scratch.slots[slot, VALUE] = 0
    scratch.slots[slot, EXTRA] = 0
    scratch.slots[slot, TAIL] = EMPTY
    scratch.dirty[scratch.state[DIRTY]] = slot
    scratch.state[DIRTY] += 1


@compiled
def remember(scratch: Scratch, slot: int, value: int) -> None:
    """Adds to the slot's list; `value` is its newest cell, `tail` its oldest, `extra` its length."""
    cell = scratch.state[ARENA]
    if cell >= len(scratch.arena):
        scratch.state[STATUS] = ARENA_FULL
        return
    scratch.state[ARENA] = cell + 1
    scratch.arena[cell, 0] = value
    scratch.arena[cell, 1] = scratch.slots[slot, VALUE] if scratch.slots[slot, EXTRA] else EMPTY
    scratch.slots[slot, VALUE] = cell
    scratch.slots[slot, EXTRA] += 1


@compiled
def added(scratch: Scratch, left: int, right: int) -> int:
    """The sum; where it does not fit, the run is over."""
    total, fits = add(left, right)
    if not fits or total == NULL:
        scratch.state[STATUS] = OVERFLOW
    return total


@compiled
def feed_time(program: Program, zones: Zones, scratch: Scratch, slot: int, kind: int, time: int) -> None:
    """Kinds that look at the event's time alone."""
    fresh = scratch.slots[slot, FIRST_TIME_SEEN] == NULL
    if fresh:
        touch(scratch, slot, time)
    if kind <= COUNT or kind == FIRST_TIME or kind == LAST_TIME:
        scratch.slots[slot, VALUE] += 1
        scratch.slots[slot, EXTRA] = time
    elif kind == PERIODS or kind == STREAK:
        period = period_at(time, program.atoms[slot, ATOM_NUMBER], 0, zones)
        last = scratch.slots[slot, EXTRA]
        if fresh or period != last:
            together = kind == PERIODS or fresh or period == last + 1
            scratch.slots[slot, VALUE] = scratch.slots[slot, VALUE] + 1 if together else 1
            scratch.slots[slot, EXTRA] = period
    elif kind == RESUMED:
        if fresh:
            scratch.slots[slot, VALUE] = NULL
        else:
            micros, months = program.atoms[slot, ATOM_MICROS], program.atoms[slot, ATOM_MONTHS]
            limit = step_months(time, -months, 0, zones) if months else time - micros
            if scratch.slots[slot, EXTRA] <= limit:
                scratch.slots[slot, VALUE] = time
        scratch.slots[slot, EXTRA] = time
    elif kind == GAP_MIN or kind == GAP_MAX or kind == GAP_LAST:
        if fresh:
            scratch.slots[slot, VALUE] = NULL
        else:
            gap, before = time - scratch.slots[slot, TAIL], scratch.slots[slot, VALUE]
            better = gap < before if kind == GAP_MIN else gap > before
            if kind == GAP_LAST or before == NULL or better:
                scratch.slots[slot, VALUE] = gap
        scratch.slots[slot, TAIL] = time
    elif kind == GAP_MEAN:
        scratch.slots[slot, EXTRA] += 1
        scratch.slots[slot, TAIL] = time
    elif kind == NTH_TIME:
        scratch.slots[slot, EXTRA] += 1
        if scratch.slots[slot, EXTRA] == program.atoms[slot, ATOM_NUMBER]:
            scratch.slots[slot, TAIL] = time
    elif kind == GAP_MEDIAN or kind == GAP_VARIATION:
        if not fresh:
            remember(scratch, slot, time - scratch.slots[slot, TAIL])
        scratch.slots[slot, TAIL] = time


@compiled
def feed_value(scratch: Scratch, slot: int, kind: int, time: int, value: int) -> None:
    """Kinds that look at a value."""
    fresh = scratch.slots[slot, FIRST_TIME_SEEN] == NULL
    if fresh:
        touch(scratch, slot, time)
    if kind == SUM or kind == AVERAGE:
        scratch.slots[slot, VALUE] = added(scratch, scratch.slots[slot, VALUE], value)
        scratch.slots[slot, EXTRA] += 1
    elif kind == MAX:
        if fresh or value > scratch.slots[slot, VALUE]:
            scratch.slots[slot, VALUE] = value
    elif kind == MIN:
        if fresh or value < scratch.slots[slot, VALUE]:
            scratch.slots[slot, VALUE] = value
    elif kind == FIRST_VALUE:
        if fresh:
            scratch.slots[slot, VALUE] = value
    elif kind == LAST_VALUE:
        scratch.slots[slot, VALUE] = value
    elif kind == DISTINCT_FEW:
        scratch.slots[slot, VALUE] |= np.int64(1) << value
    else:
        remember(scratch, slot, value)
        if kind == MOST_FREQUENT:
            remember(scratch, slot, time)


@compiled
def feed(
    tape: Tape,
    program: Program,
    zones: Zones,
    scratch: Scratch,
    op: int,
    event: int,
    time: int,
) -> None:
    """What an event that passed an operation's conditions gives to its slot."""
    slot = program.ops[op, OP_SLOT]
    kind = program.slots[slot, SLOT_KIND]
    place, column = program.atoms[slot, ATOM_PLACE], program.atoms[slot, ATOM_COLUMN]
    if kind == SEQUENCE:
        _feed_step(scratch, slot, event, time, program.checks[op, CHECK_STEP])
    elif kind == MAX_SUM:
        _feed_amount(tape, program, scratch, slot, event, time)
    elif place == NOWHERE:
        feed_time(program, zones, scratch, slot, kind, time)
    elif place == FLAT:
        value = tape.flat[column, event]
        if value != NULL:
            feed_value(scratch, slot, kind, time, value)
    else:
        for index in range(values_begin(tape, place, column, event), values_end(tape, place, column, event)):
            value = value_at(tape, place, column, event, index)
            if value != NULL:
                feed_value(scratch, slot, kind, time, value)


@compiled
def _feed_amount(tape: Tape, program: Program, scratch: Scratch, slot: int, event: int, time: int) -> None:
    """Remembers each different value that the event has and, after it, the event's amount."""
    place, column = program.atoms[slot, ATOM_PLACE], program.atoms[slot, ATOM_COLUMN]
    amount = np.int64(0)
    for index in range(values_begin(tape, place, column, event), values_end(tape, place, column, event)):
        part = value_at(tape, place, column, event, index)
        if part != NULL:
            amount = added(scratch, amount, part)  # type: ignore[assignment,arg-type]
    place, column = program.atoms[slot, ATOM_BY_PLACE], program.atoms[slot, ATOM_BY_COLUMN]
    begin, end = values_begin(tape, place, column, event), values_end(tape, place, column, event)
    for index in range(begin, end):
        value = value_at(tape, place, column, event, index)
        fresh = value != NULL
        for earlier in range(begin, index):
            fresh &= value_at(tape, place, column, event, earlier) != value
        if fresh:
            if scratch.slots[slot, FIRST_TIME_SEEN] == NULL:
                touch(scratch, slot, time)
            remember(scratch, slot, value)
            remember(scratch, slot, amount)  # type: ignore[arg-type]


@compiled
def _steps_again(tape: Tape, program: Program, scratch: Scratch, slot: int, u: int, as_of: int) -> int:
    """Writes the events of a followed slot with the bits of their steps to `sorted`; how many numbers these are."""
    operations, ops, ranges = program.operations, program.ops, program.ranges
    size = 0
    for event in range(tape.spans[u, 0], tape.spans[u, 1]):
        time, bits = tape.time[event], np.int64(0)
        if time > as_of:
            break
        begin = program.lists[0, tape.code[event]]
        steps = begin + 3 + operations[begin] + operations[begin + 1]
        for place in range(steps, steps + operations[begin + 2]):
            op = operations[place]
            if ops[op, OP_SLOT] != slot or scratch.opens[op] > time:
                continue
            if not in_range(tape.flat, ops, ranges, op, event):
                continue
            bits |= np.int64(1) << program.checks[op, CHECK_STEP]
        if bits:
            if size + 2 > len(scratch.sorted):
                scratch.state[STATUS] = ARENA_FULL
                return 0
            scratch.sorted[size], scratch.sorted[size + 1] = event, bits
            size += 2
    return size


@compiled
def _feed_step(scratch: Scratch, slot: int, event: int, time: int, step: int) -> None:
    """Remembers the event and, after it, the bits of the steps it matches; step -1 is none of them."""
    bit = (np.int64(1) << step) if step >= 0 else np.int64(0)
    if scratch.slots[slot, FIRST_TIME_SEEN] == NULL:
        touch(scratch, slot, time)
    newest = scratch.slots[slot, VALUE]
    if scratch.slots[slot, EXTRA] and scratch.arena[scratch.arena[newest, 1], 0] == event:
        scratch.arena[newest, 0] |= bit
    else:
        remember(scratch, slot, event)
        remember(scratch, slot, bit)  # type: ignore[arg-type]


# --- settling -----------------------------------------------------------------------------------------------------------


@compiled
def collect(scratch: Scratch, slot: int) -> int:
    """Writes the slot's list, oldest first, to `sorted`; its length."""
    size = scratch.slots[slot, EXTRA]
    cell = scratch.slots[slot, VALUE]
    for k in range(size - 1, -1, -1):
        scratch.sorted[k] = scratch.arena[cell, 0]
        cell = scratch.arena[cell, 1]
    return size


@compiled
def _tally(scratch: Scratch, size: int, width: int, adds: bool) -> int:
    """Counts the different values of the rows of `width` in `sorted`: `search` has each value, how often it is there (0: the
    place is free) and the sum or the greatest of its rows' second numbers. How many places there are, 0 where memory is too
    small."""
    values, table = scratch.sorted, scratch.search
    bits = 3
    while 1 << bits < 2 * (size // width):
        bits += 1
    room = 1 << bits
    if room > table.shape[1]:
        scratch.state[STATUS] = ARENA_FULL
        return 0
    for place in range(room):
        table[TALLY_COUNT, place] = 0
    for k in range(0, size, width):
        value, second = values[k], values[k + width - 1]
        spread = np.uint64(value) * np.uint64(0x9E3779B97F4A7C15)
        place = np.int64(spread >> np.uint64(64 - bits))  # type: ignore[assignment]
        while table[TALLY_COUNT, place] and table[TALLY_VALUE, place] != value:
            place = (place + 1) & (room - 1)
        if table[TALLY_COUNT, place] == 0:
            table[TALLY_SECOND, place] = second
        elif adds:
            table[TALLY_SECOND, place] = added(scratch, table[TALLY_SECOND, place], second)
        elif second > table[TALLY_SECOND, place]:
            table[TALLY_SECOND, place] = second
        table[TALLY_VALUE, place] = value
        table[TALLY_COUNT, place] += 1
    return room


@compiled
def _runs(scratch: Scratch, size: int, longest: bool) -> int:
    """How many different values, or how often the commonest."""
    different, most = 0, 0
    for place in range(_tally(scratch, size, 1, False)):
        count = scratch.search[TALLY_COUNT, place]
        different += count > 0
        most = max(most, count)
    return most if longest else different


@compiled
def _largest_sum(scratch: Scratch, size: int) -> int:
    """`sorted` alternates value and amount."""
    table, largest = scratch.search, NULL
    for place in range(_tally(scratch, size, 2, True)):
        if table[TALLY_COUNT, place]:
            largest = max(largest, table[TALLY_SECOND, place])
    return largest


@compiled
def _write_digits(value: int, digits: Integers, row: int) -> None:
    """The shortest decimal form of millionths, in ASCII, then zeros."""
    for k in range(digits.shape[1]):
        digits[row, k] = 0
    size = 0
    if value < 0:
        digits[row, 0] = 45
        size = 1
        value = -value
    whole, rest = value // 1_000_000, value % 1_000_000
    begin = size
    while True:
        digits[row, size] = 48 + whole % 10
        size += 1
        whole //= 10
        if whole == 0:
            break
    for k in range((size - begin) // 2):
        digits[row, begin + k], digits[row, size - 1 - k] = digits[row, size - 1 - k], digits[row, begin + k]
    if rest:
        digits[row, size] = 46
        size += 1
        scale = 100_000
        while rest:
            digits[row, size] = 48 + rest // scale
            rest %= scale
            scale //= 10
            size += 1


@compiled
def _form_is_smaller(left: int, right: int, digits: Integers) -> bool:
    _write_digits(left, digits, 0)
    _write_digits(right, digits, 1)
    for k in range(digits.shape[1]):
        if digits[0, k] != digits[1, k]:
            return digits[0, k] < digits[1, k]
    return False


@compiled
def _most_frequent(texts: Integers, scratch: Scratch, length: int, is_text: bool) -> int:
    """`sorted` alternates value and time. Ties go to the latest seen, then to the smallest text."""
    table = scratch.search
    best, best_count, best_time = NULL, 0, NULL
    for place in range(_tally(scratch, length, 2, False)):
        value, count, latest = (
            table[TALLY_VALUE, place],
            table[TALLY_COUNT, place],
            table[TALLY_SECOND, place],
        )
        if count == 0 or count < best_count or (count == best_count and latest < best_time):
            continue
        better = count > best_count or latest > best_time
        if not better:
            better = (
                texts[TEXT_RANKS, value] < texts[TEXT_RANKS, best]
                if is_text
                else _form_is_smaller(value, best, scratch.digits)
            )
        if better:
            best, best_count, best_time = value, count, latest
    return best


@compiled
def _keep_events(tape: Tape, program: Program, scratch: Scratch, row: int, size: int) -> int:
    """Writes the events that take part to `search`, those with one value of `same` side by side; how many they are."""
    sequences, pairs, search = program.sequences, scratch.sorted, scratch.search
    place, column, strict = sequences[row, SEQ_PLACE], sequences[row, SEQ_COLUMN], sequences[row, SEQ_STRICT]
    owner = sequences[row, SEQ_BITS + 2 * sequences[row, SEQ_STEPS] + 1]
    kept = size // 2
    if place >= 0:
        kept = 0
        for k in range(size // 2):
            one = value_at(tape, place, column, pairs[2 * k], 0)
            if one != NULL:
                search[0, 2 * kept], search[0, 2 * kept + 1] = one, k
                kept += 1
        sort_rows(search, 2 * kept, 2)
    before = NULL
    for place_in_order in range(kept):
        k, one = place_in_order, 0
        if place >= 0:
            one, k = search[0, 2 * k], search[0, 2 * k + 1]
        event, bits = pairs[2 * k], pairs[2 * k + 1]
        of = EMPTY
        if owner >= 0:
            of = tape.flat[owner, event]
        elif bits & strict:
            of = event
        search[EVENT_TIME, place_in_order] = tape.time[
            event
        ]  # what was sorted is read before it is written over
        search[EVENT_BITS, place_in_order] = bits | STARTS if one != before else bits
        search[EVENT_OWNER, place_in_order] = of
        before = one
    return kept


@compiled
def _sequence(
    tape: Tape, program: Program, zones: Zones, scratch: Scratch, slot: int, size: int, as_of: int
) -> bool:
    """Whether the chain exists; wakes when a closing `not` may come true."""
    row, sequences, search = program.atoms[slot, ATOM_SEQUENCE], program.sequences, scratch.search
    steps = sequences[row, SEQ_STEPS]
    within, within_months = sequences[row, SEQ_WITHIN], sequences[row, SEQ_WITHIN_MONTHS]
    kept = _keep_events(tape, program, scratch, row, size)
    closing = sequences[row, SEQ_BITS + 2 * steps]
    ties, every, negative = False, 0, closing != 0
    for k in range(kept):
        bits = search[EVENT_BITS, k]
        ties |= k > 0 and search[EVENT_TIME, k] == search[EVENT_TIME, k - 1]
        every |= bits & (STARTS - 1)
        if bits & sequences[row, SEQ_BITS] and closing:
            begun = search[EVENT_TIME, k]
            end = step_months(begun, within_months, 0, zones) if within_months else begun + within
            wake(scratch.state, end, as_of)
    for step in range(steps):
        negative |= sequences[row, SEQ_BITS + steps + step] != 0
    limited = has_queue(sequences, row) or within_months or sequences[row, SEQ_GAP] != NO_LIMIT
    limited |= sequences[row, SEQ_GAP_MONTHS] != 0 or sequences[row, SEQ_PLACE] >= 0
    strict = sequences[row, SEQ_STRICT]
    if not (ties or negative or limited or strict):
        return simple_chain(search, kept, steps, within)
    room = (steps - 1) * kept if has_queue(sequences, row) else 0
    if strict or every >> MANY_CLASSES:
        room = max(room, 4 * kept + 5 * steps)
    if room > len(scratch.sorted):
        scratch.state[STATUS] = ARENA_FULL
        return False
    return any_chain(search, scratch.sorted, kept, sequences, row, as_of, zones)


def manners() -> Integers:
    """`Program.manners`: how the value of each kind is found where it needs no more than that."""
    rows = np.tile(np.array([VALUE, NEVER, 1, FIRST_TIME_SEEN], np.int64), (FOLLOWED + 1, 1))
    rows[DID] = VALUE, 1, 1, EXTRA
    rows[[COUNT, PERIODS, DISTINCT_FEW], MANNER_SCALE] = MILLION
    rows[FIRST_TIME, MANNER_SOURCE] = FIRST_TIME_SEEN
    rows[LAST_TIME] = EXTRA, NEVER, 1, EXTRA
    return rows


@compiled
def settle(
    tape: Tape, program: Program, zones: Zones, scratch: Scratch, slot: int, kind: int, u: int, as_of: int
) -> None:
    """Turns what a touched slot gathered into its value."""
    if kind == FOLLOWED:
        if scratch.slots[slot, VALUE] == TIED:
            size = _steps_again(tape, program, scratch, slot, u, as_of)
            scratch.slots[slot, VALUE] = _sequence(tape, program, zones, scratch, slot, size, as_of)
        else:
            scratch.slots[slot, VALUE] = scratch.chains[scratch.slots[slot, EXTRA]] != NULL
    elif kind == AVERAGE:
        scratch.slots[slot, VALUE] = divide_rounding(scratch.slots[slot, VALUE], scratch.slots[slot, EXTRA])
    elif kind == STREAK:
        unit = program.atoms[slot, ATOM_NUMBER]
        current = period_at(as_of, unit, 0, zones)
        wake(scratch.state, period_start(current + 1, unit, 0, zones), as_of)
        still = scratch.slots[slot, EXTRA] >= current - 1
        scratch.slots[slot, VALUE] = scratch.slots[slot, VALUE] * MILLION if still else 0
    elif kind == GAP_MIN or kind == GAP_MAX or kind == GAP_LAST:
        if scratch.slots[slot, VALUE] != NULL:
            scratch.slots[slot, VALUE] = divide_rounding(scratch.slots[slot, VALUE], MICROS_OF_DAYS)
    elif kind == GAP_MEAN:
        gaps = scratch.slots[slot, EXTRA] - 1
        whole = scratch.slots[slot, TAIL] - scratch.slots[slot, FIRST_TIME_SEEN]
        scratch.slots[slot, VALUE] = divide_rounding(whole, MICROS_OF_DAYS * gaps) if gaps else NULL
    elif kind == NTH_TIME:
        reached = scratch.slots[slot, EXTRA] >= program.atoms[slot, ATOM_NUMBER]
        scratch.slots[slot, VALUE] = scratch.slots[slot, TAIL] if reached else NULL
    elif kind >= MEDIAN:
        size = scratch.slots[slot, EXTRA]
        if size == 0:
            scratch.slots[slot, VALUE] = NULL
            return
        collect(scratch, slot)
        values = scratch.sorted
        if kind == MEDIAN:
            scratch.slots[slot, VALUE] = median(values, size, 1)
        elif kind == GAP_MEDIAN:
            scratch.slots[slot, VALUE] = median(values, size, MICROS_OF_DAYS)
        elif kind == GAP_VARIATION:
            scratch.slots[slot, VALUE], fits = variation(values, size)
            if not fits:
                scratch.state[STATUS] = OVERFLOW
        elif kind == DISTINCT:
            scratch.slots[slot, VALUE] = _runs(scratch, size, False) * MILLION
        elif kind == MAX_COUNT:
            scratch.slots[slot, VALUE] = _runs(scratch, size, True) * MILLION
        elif kind == MAX_SUM:
            scratch.slots[slot, VALUE] = _largest_sum(scratch, size)
        elif kind == MOST_FREQUENT:
            scratch.slots[slot, VALUE] = _most_frequent(
                program.texts, scratch, size, program.atoms[slot, ATOM_MICROS] == 1
            )
        elif kind == NTH:
            place = program.atoms[slot, ATOM_NUMBER]
            scratch.slots[slot, VALUE] = values[place - 1] if 1 <= place <= size else NULL
        elif kind == SEQUENCE:
            scratch.slots[slot, VALUE] = _sequence(tape, program, zones, scratch, slot, size, as_of)
