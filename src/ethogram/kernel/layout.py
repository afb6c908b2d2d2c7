"""The tables that the kernel reads and writes.

A `Tape` holds one bucket's customers, a `Program` the definitions bound to that tape's dictionary, `People` what is known
beside the tape, `Scratch` one thread's working memory. Tables are two-dimensional, a row a thing; the constants below
name their columns. Numbers are millionths, moments microseconds, texts dictionary numbers, flags 0 or 1; NULL is missing.

Compiled code is given the addresses of these (`tables.py`). What the hot path reads stands apart from the rest, so that it stays
in a processor's nearest memory.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

NULL = -(2**63)
LEAST_VALUE = NULL + 1
NEVER = 2**63 - 1
OPEN_PAST = -(2**62)
NOWHERE = -1

Integers = NDArray[np.int64]

# where a column's values are: on each event, in the event's code, or several an event
FLAT, CODED, RAGGED = 0, 1, 2

# Program.ops, a row what one event does to one slot: the form of feeding it, the range of the event, the column of the value;
# Program.checks, the rest: the window, the step of a sequence, and the conditions from FIRST up to PAST
OP_SLOT, OP_FORM, OP_RANGE, OP_VALUE = range(4)
CHECK_WINDOW, CHECK_STEP, CHECK_FIRST, CHECK_PAST = range(4)
PRESENT, MOMENT, ADD, GREATEST, LEAST, EARLIEST, LATEST, MASK, DAYS, OTHER, STEP = range(11)
# Program.manners, a row a kind: how to settle it
MANNER_SOURCE, MANNER_MOST, MANNER_SCALE, MANNER_REFERENCE = range(4)
# Program.links, which OP_VALUE counts for a STEP, those of a sequence in order: its number, how many steps there are, and the
# limit from first step to last
LINK_STEP, LINK_STEPS, LINK_WITHIN = range(3)
# Program.ranges: a flat column and its limits; the first one holds every event
RANGE_COLUMN, RANGE_LOW, RANGE_HIGH = range(3)
LOW, HIGH = 0, 1
# Program.loads of a level: how many operations it has without and with conditions, how many are a STEP, and how many of the
# first the longest list
LOAD_PLAIN, LOAD_CAREFUL, LOAD_STEPS, LOAD_LONGEST = range(4)
# Scratch.pending and queues: an operation and above it an event; how many are taken at a time
EVENT_SHIFT, OPERATION = 32, 2**32 - 1
ABREAST, PENDING = 8, 1024
# Program.conditions: kinds, columns
IN_RANGE, LOCAL_TIME, NOT_UNDONE, TERMS = range(4)
IF_KIND, IF_COLUMN, IF_LOW, IF_HIGH = range(4)
# Program.terms: the postfix terms of a condition that looks at the customer's traits
TERM_COMPARE, TERM_TRUE, TERM_AND, TERM_OR, TERM_NOT = range(5)
TERM_KIND, TERM_PLACE, TERM_COLUMN, TERM_OPERATOR, TERM_OUTPUT, TERM_BY_RANK = range(6)
# Program.locals: bit masks, and rows of Program.holidays (FIRST = -1: any day)
LOCAL_HOURS, LOCAL_WEEKDAYS, LOCAL_MONTHS, LOCAL_FIRST, LOCAL_PAST, LOCAL_OF_CUSTOMER = range(6)
# Program.slots, what each touched one is asked: its tests, and the outputs that it may change, those that tests decide
# before those for the machine; whether there is more than one test to ask; Program.atoms, the rest about it
SLOT_KIND, SLOT_WINDOW, SLOT_TESTS, SLOT_TESTS_END, SLOT_OUTS, SLOT_MACHINE, SLOT_OUTS_END, SLOT_MORE = range(
    8
)
(
    ATOM_PLACE, ATOM_COLUMN, ATOM_NUMBER, ATOM_MICROS, ATOM_MONTHS, ATOM_SINCE, ATOM_UNTIL, ATOM_SEQUENCE, ATOM_BY_PLACE,
    ATOM_BY_COLUMN,
) = range(10)  # fmt: skip
# Scratch.asked, what settling a slot looks at, one row (a line of the processor's memory) a slot: the limits of its first test
# at the moment, its window's length, that test's turn, its kind, the test's number, and whether there is more to ask
ASK_LOW, ASK_HIGH, ASK_LENGTH, ASK_TURN, ASK_KIND, ASK_TEST, ASK_MORE = range(7)
# Program.tests: the limits between which a slot's value makes it true. With a TURN they are counted from now, and the test
# may turn when that much time has passed since the value
TEST_LOW, TEST_HIGH, TEST_TURN, TEST_SLOT = range(4)
# Program.bits: an output, and its postfix code, rows of (what, number) in Program.bit_code
BITS_OUT, BITS_CODE, BITS_CODE_END = range(3)
BITS_TEST, BITS_ALL, BITS_AND, BITS_OR, BITS_NOT = range(5)
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
# Program.parts of windows, and Program.windows
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
WINDOW_PARTS, WINDOW_PARTS_END = range(2)
# Program.outs
OUT_CODE, OUT_CODE_END, OUT_LEVEL = range(3)
# Sheet.rows
TO_BITS, TO_GROUPS, TO_VALUES = range(3)
# Program.texts, a row a function of texts
TEXT_MOMENTS, TEXT_LOWERS, TEXT_RANKS, TEXT_ZONES = range(4)

# Tape.births, Tape.given
BORN, IDENTIFIED_AT = 0, 1
GIVEN_TIME, GIVEN_TRAIT, GIVEN_VALUE = range(3)

# Scratch: cells of the state (the defaults hold from one moment until the next; between the steady moments local time is
# ahead by the offset), and columns of its tables
TICK, DUE, ARENA, STATUS, DIRTY, DEFAULTS_FROM, DEFAULTS_DUE, STEADY_FROM, STEADY_UNTIL, STEADY_OFFSET = (
    range(10)
)
# slots have FIRST_TIME_SEEN (NULL: untouched), EXTRA and TAIL beside their value, others the answer's number
VALUE, STAMP = 0, 1
FIRST_TIME_SEEN, EXTRA, TAIL = 1, 2, 3
EMPTY = -1
# Scratch.search: an event a column; the chain so far by step; a mark a (step, event)
EVENT_TIME, EVENT_BITS, EVENT_OWNER, CHAIN, DEAD = range(5)
# Scratch.search: a place of a hash table a column
TALLY_VALUE, TALLY_COUNT, TALLY_SECOND = range(3)
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
    """`lists[level, code]` is a place in `operations`, where three numbers stand, then as many operations: first those of
    which only the window's start and one range are to be checked, sorted by the start, then those with conditions, then
    the steps of followed sequences, sorted by the start, later steps before earlier ones. `ages`
    are windows, the longest first; before the three numbers stand how many of the first operations' windows may have an event
    that is in none of these, in the first of them, in the second too, and so on. `coarse` is 1 where there are more windows
    than ages, so that these numbers may be too high.

    A slot's value is what stands in the source column of its kind's manner, at most so much, times a scale; the moment in
    the reference column is the first to leave its window. Kinds that need more have it done to their value before.

    `empties` are the values of untouched slots, `lengths` those of their windows in microseconds, 0 for all of the past, -1
    where the calendar decides. `bits` are outputs that tests of slots decide, for 64 customers at a time. `inputs` has rows (first, past) of `triggered`, the outputs to run when an
    input is there: fixed columns, population values, signals, given traits, then one for being identified. `given_of`
    gives the program's number of a tape's trait.
    """

    levels: int
    timezone_given: int
    lists: NDArray[np.int32]
    operations: NDArray[np.int32]
    coarse: int
    loads: Annotated[Integers, 4]
    ages: Integers
    ops: Annotated[NDArray[np.int32], 4]
    checks: Annotated[NDArray[np.int32], 4]
    ranges: Annotated[Integers, 3]
    links: Annotated[Integers, 3]
    conditions: Integers
    terms: Integers
    locals: Integers
    holidays: Integers
    slots: Annotated[NDArray[np.int32], 8]
    manners: Annotated[Integers, 4]
    atoms: Annotated[Integers, 10]
    empties: Integers
    lengths: Integers
    tests: Annotated[Integers, 4]
    bits: Annotated[Integers, 3]
    bit_code: Annotated[Integers, 2]
    sequences: Integers
    parts: Integers
    windows: Integers
    outs: Annotated[Integers, 3]
    defaults: Integers
    ins: Annotated[Integers, 4]
    constants: Integers
    tables: NDArray[np.uint8]
    texts: Integers
    inputs: Integers
    triggered: Integers
    given_of: Integers


class Scratch(NamedTuple):
    """`bounds` has the first and last moment of each window, inclusive, `opens` the first of each operation's, `starts` that
    of each of the `ages`, then NEVER. What the events at hand are to do is `pending`, then in the queue of its form: form f
    has `queues[f * len(pending) : filled[f]]`. `dirty` are the slots that are not as `empties` says; the arena rows of
    (value, next). `search` is for chains of events, `digits` for
    two numbers written out. `limits` are those of the tests at the moment, `words` their truth for the 64 customers at
    hand, `chains` the latest first moment of a chain that reaches each link, `fresh_words` the truth for people without events. Rows of `givens` and `outs` are stamped with
    the number of the answer that wrote them.
    """

    state: Integers
    bounds: Annotated[Integers, 2]
    opens: Integers
    starts: Integers
    pending: Integers
    queues: Integers
    filled: Integers
    slots: Annotated[Integers, 4]
    givens: Annotated[Integers, 2]
    outs: Annotated[Integers, 2]
    candidates: NDArray[np.uint64]
    dirty: NDArray[np.int32]
    stack: Integers
    arena: Annotated[Integers, 2]
    sorted: Integers
    search: Integers
    digits: Integers
    chains: Integers
    limits: Annotated[Integers, 2]
    asked: Annotated[Integers, 8]
    words: NDArray[np.uint64]
    fresh_words: NDArray[np.uint64]
    bit_stack: NDArray[np.uint64]


class Sheet(NamedTuple):
    """What a run fills. `rows[output]` says in which row of bits, groups and values an output goes, or is -1.

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
    slots, outputs, tests = len(program.slots), len(program.outs), len(program.tests)
    untouched = np.zeros((slots, 4), np.int64)
    untouched[:, VALUE], untouched[:, FIRST_TIME_SEEN] = program.empties, NULL
    room = PENDING + int(program.loads[:, LOAD_LONGEST].max(initial=0)) + ABREAST
    return Scratch(
        state=np.zeros(10, np.int64),
        bounds=np.zeros((max(1, len(program.windows)), 2), np.int64),
        opens=np.zeros(max(1, len(program.ops)), np.int64),
        starts=np.full(len(program.ages) + 1, NEVER, np.int64),
        pending=np.zeros(room, np.int64),
        queues=np.zeros((OTHER + 1) * room, np.int64),
        filled=np.zeros(OTHER + 1, np.int64),
        slots=untouched,
        givens=np.zeros((max(1, givens), 2), np.int64),
        outs=np.zeros((max(1, outputs), 2), np.int64),
        candidates=np.zeros(outputs // 64 + 1, np.uint64),
        dirty=np.zeros(slots + 1, np.int32),
        stack=np.zeros(64, np.int64),
        arena=np.zeros((arena, 2), np.int64),
        sorted=np.zeros(arena, np.int64),
        search=np.zeros((5, arena), np.int64),
        digits=np.zeros((2, 32), np.int64),
        chains=np.zeros(len(program.links) + 1, np.int64),
        limits=np.zeros((tests + 1, 2), np.int64),
        asked=_asked(program),
        words=np.zeros(tests + 1, np.uint64),
        fresh_words=np.zeros(tests + 1, np.uint64),
        bit_stack=np.zeros(len(program.bit_code) + 1, np.uint64),
    )


def _asked(program: Program) -> Integers:
    """What of `Scratch.asked` is the same at every moment."""
    rows = np.zeros((len(program.slots), 8), np.int64)
    rows[:, ASK_LENGTH], rows[:, ASK_KIND] = program.lengths, program.slots[:, SLOT_KIND]
    rows[:, ASK_TEST], rows[:, ASK_MORE] = program.slots[:, SLOT_TESTS], program.slots[:, SLOT_MORE]
    rows[:, ASK_TURN] = np.append(program.tests[:, TEST_TURN], NULL)[rows[:, ASK_TEST]]
    return rows
