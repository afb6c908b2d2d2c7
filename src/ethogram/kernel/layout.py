"""The tables that the kernel reads and writes.

A `Tape` holds one bucket's customers, a `Program` the definitions bound to that tape's dictionary, `People` what is known
beside the tape, `Scratch` one thread's working memory. Tables are two-dimensional, a row a thing; the constants below
name their columns. Numbers are millionths, moments microseconds, texts dictionary numbers, flags 0 or 1; NULL is missing.

Few wide tables, not many narrow arrays: rows are read together, and the time to compile grows with every array passed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

NULL = -(2**63)
NEVER = 2**63 - 1
OPEN_PAST = -(2**62)
NOWHERE = -1

Integers = NDArray[np.int64]

# where a column's values are: on each event, in the event's code, or several an event
FLAT, CODED, RAGGED = 0, 1, 2

# Program.dispatch, a row a (level, code): operations from BEGIN need only their window's start checked and are sorted by
# it; those from CAREFUL up to the next row's BEGIN need all their conditions checked
BEGIN, CAREFUL = 0, 1
# Program.ops
OP_SLOT, OP_KIND, OP_WINDOW, OP_BIT, OP_COLUMN, OP_LOW, OP_HIGH, OP_FIRST, OP_PAST = range(9)
# Program.conditions: kinds, columns
IN_RANGE, LOCAL_TIME, NOT_UNDONE, TERMS = range(4)
IF_KIND, IF_COLUMN, IF_LOW, IF_HIGH = range(4)
# Program.terms: the postfix terms of a condition that looks at the customer's traits
TERM_COMPARE, TERM_TRUE, TERM_AND, TERM_OR, TERM_NOT = range(5)
TERM_KIND, TERM_PLACE, TERM_COLUMN, TERM_OPERATOR, TERM_OUTPUT, TERM_BY_RANK = range(6)
# Program.locals: bit masks, and rows of Program.holidays (FIRST = -1: any day)
LOCAL_HOURS, LOCAL_WEEKDAYS, LOCAL_MONTHS, LOCAL_FIRST, LOCAL_PAST, LOCAL_OF_CUSTOMER = range(6)
# Program.slots
(
    SLOT_KIND, SLOT_WINDOW, SLOT_PLACE, SLOT_COLUMN, SLOT_NUMBER, SLOT_MICROS, SLOT_MONTHS, SLOT_SINCE, SLOT_UNTIL,
    SLOT_ZERO, SLOT_SCALE, SLOT_SEQUENCE, SLOT_OUTS, SLOT_OUTS_END,
) = range(14)  # fmt: skip
# Program.sequences; from SEQ_BITS on the bit of each real step, then the bits of the `not` steps before each and at the end
(
    SEQ_STEPS,
    SEQ_STRICT,
    SEQ_PLACE,
    SEQ_COLUMN,
    SEQ_WITHIN,
    SEQ_WITHIN_MONTHS,
    SEQ_GAP,
    SEQ_GAP_MONTHS,
    SEQ_BITS,
) = range(9)
# Program.parts of windows, and Program.windows (WINDOW_MICROS: 0 all of the past, -1 where the calendar decides)
FROM, TO, PERIOD, SINCE, UNTIL, SINCE_NOW, UNTIL_NOW = range(7)
PARTS = {
    "from": FROM,
    "to": TO,
    "period": PERIOD,
    "since": SINCE,
    "until": UNTIL,
    "since_now": SINCE_NOW,
    "until_now": UNTIL_NOW,
}
PART_KIND, PART_MICROS, PART_MONTHS, PART_UNIT, PART_FIRST, PART_PAST = range(6)
WINDOW_PARTS, WINDOW_PARTS_END, WINDOW_MICROS = range(3)
# Program.outs
OUT_CODE, OUT_CODE_END, OUT_LEVEL = range(3)
# Program.texts, a row a function of texts
TEXT_MOMENTS, TEXT_LOWERS, TEXT_RANKS, TEXT_ZONES = range(4)

# Tape.births, Tape.given
BORN, IDENTIFIED_AT = 0, 1
GIVEN_TIME, GIVEN_TRAIT, GIVEN_VALUE = range(3)

# Scratch: cells of the state, columns of slots, and of the stamped tables
TICK, DUE, ARENA, STATUS, DIRTY = range(5)
STAMP, VALUE, FIRST_TIME_SEEN, EXTRA, TAIL = range(5)
# Scratch.search: an event a column; the chain so far by step; a mark a (step, event)
EVENT_TIME, EVENT_BITS, EVENT_KEY, CHAIN, DEAD = range(5)
# status of a run, and what a run is asked for
DONE, ARENA_FULL, OVERFLOW = 0, 1, 2
DEFAULTS, ANSWERS, MOVES, VALUES = range(4)


class Tape(NamedTuple):
    """Events `spans[u, 0] : spans[u, 1]` are customer u's, in order. `flat[c, i]` is column c of event i; of a ragged
    column r, event i has `ragged_value[ragged_offset[r, i] : ragged_offset[r, i + 1]]`; `coded[c, k]` is column c of
    every event with code k. Given traits are rows of (time, trait, value), in order,
    `given_spans[u]` the customer's."""

    spans: Integers
    time: Integers
    code: NDArray[np.uint16]
    flat: Integers
    coded: Integers
    ragged_offset: Integers
    ragged_value: Integers
    births: Integers
    given_spans: Integers
    given: Integers


class People(NamedTuple):
    """Lists and salts (`fixed[k, u]`, NULL is untouched), population values (`fitted[f, u]`), and pasts of segments:
    signal s of customer u turns at `signal_at[signal_offset[s, u] : signal_offset[s, u + 1]]`, first to true;
    `signal_due[s, u]` is its own due."""

    fixed: Integers
    fitted: Integers
    signal_offset: Integers
    signal_at: Integers
    signal_due: Integers


class Program(NamedTuple):
    """`inputs` has rows (first, past) of `triggered`, the outputs to run when an input is there: fixed columns, population
    values, signals, given traits, then one for being identified. `given_of` gives the program's number of a tape's
    trait."""

    levels: int
    timezone_given: int
    dispatch: Integers
    ops: Integers
    conditions: Integers
    terms: Integers
    locals: Integers
    holidays: Integers
    slots: Integers
    sequences: Integers
    parts: Integers
    windows: Integers
    outs: Integers
    defaults: Integers
    ins: Integers
    constants: Integers
    tables: NDArray[np.uint8]
    texts: Integers
    inputs: Integers
    triggered: Integers
    given_of: Integers


class Scratch(NamedTuple):
    """Rows are stamped with the number of the answer that wrote them, so that nothing needs clearing.

    `bounds` has the first and last moment of each window, inclusive; the arena rows of (value, next). `search` is for chains
    of events, `digits` for two numbers written out.
    """

    state: Integers
    bounds: Integers
    slots: Integers
    givens: Integers
    outs: Integers
    candidates: NDArray[np.uint64]
    dirty: Integers
    stack: Integers
    arena: Integers
    sorted: Integers
    search: Integers
    digits: Integers


class Sheet(NamedTuple):
    """What a run fills. `rows[0..2, output]` say in which row of bits, groups and values an output goes, or are -1.

    Moves are rows of (customer, row of `watched`, at, value), `filled[0]` of them; the values of a slot take their first
    column, `due` then says where each position's end.
    """

    rows: Integers
    known: NDArray[np.bool_]
    bits: NDArray[np.uint64]
    groups: NDArray[np.int16]
    values: Integers
    due: Integers
    watched: Integers
    current: Integers
    moves: Integers
    filled: Integers


class Task(NamedTuple):
    """What a run is asked for."""

    mode: int
    positions: Integers
    begin: int
    start: int
    end: int


def scratch(program: Program, givens: int, arena: int) -> Scratch:
    slots, outputs = len(program.slots), len(program.outs)
    return Scratch(
        state=np.zeros(8, np.int64),
        bounds=np.zeros((max(1, len(program.windows)), 2), np.int64),
        slots=np.zeros((max(1, slots), 5), np.int64),
        givens=np.zeros((max(1, givens), 2), np.int64),
        outs=np.zeros((max(1, outputs), 2), np.int64),
        candidates=np.zeros(outputs // 64 + 1, np.uint64),
        dirty=np.zeros(max(1, slots), np.int64),
        stack=np.zeros(64, np.int64),
        arena=np.zeros((arena, 2), np.int64),
        sorted=np.zeros(arena, np.int64),
        search=np.zeros((5, arena), np.int64),
        digits=np.zeros((2, 32), np.int64),
    )
