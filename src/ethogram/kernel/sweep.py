"""Sizes at many moments in one pass over the tape.

What slots are asked comes as *claims*, which hold for nobody without events in the window. First a customer's events are
noted at the claims that they concern, a bit an event. Then each claim is solved on its own: the stretches of moments at which
it holds. A claim that an output consists of is counted at once, as a difference where a stretch begins and one where it ends.
For claims that are joined, stretches are rows of bits, a bit a moment, which and, or, not are made of; such a claim is solved
only where what it is joined with does not decide already.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ethogram.kernel.calendar import Zones, period_at
from ethogram.kernel.compiling import compiled, entry
from ethogram.kernel.conditions import fits_event, value_at
from ethogram.kernel.layout import NOWHERE, Integers, Program, Tape
from ethogram.kernel.outputs import ONE, first_bit
from ethogram.kernel.tables import address, heads, opener

Words = NDArray[np.uint64]

# Rules.claims, a row a claim: where an event enters and leaves it; where the grid is EVEN, so many steps later, and one more
# with a phase of at least so much; whether one event is enough, whatever else there is about it
(
    CLAIM_LEAVES, CLAIM_LEAVES_SHIFT, CLAIM_STEPS, CLAIM_PHASE, CLAIM_ENTERS, CLAIM_ENTERS_SHIFT, CLAIM_IS_SIMPLE,
) = range(7)  # fmt: skip
EVEN = -1
# Rules.facts, what else there is about other claims: the upper limit of what an event must have, a value's limits, the unit of
# periods, conditions, what the cells come to and what each weighs
(
    FACT_LIMITED, FACT_LIMIT, FACT_PLACE, FACT_COLUMN, FACT_LOW, FACT_HIGH, FACT_UNIT, FACT_FIRST, FACT_PAST, FACT_LEAST,
    FACT_MOST, FACT_WEIGHS,
) = range(12)  # fmt: skip
# a cell weighs one, its value, or one if no other cell in the window has its value
ONE_EACH, BY_VALUE, IF_DIFFERENT = range(3)
# Rules.placed: a list is how many runs its two parts have, then the runs: a column, how many claims, those with lower limits first
COUNTED_RUNS, NOTED_RUNS, FIRST_RUN = range(3)
RUN_COLUMN, RUN_SIZE, RUN_CLAIMS = range(3)
# Rules.code; nothing is left to do before ONWARDS where nothing is left
CODE_LOAD, CODE_AND, CODE_OR, CODE_JOIN_AND, CODE_JOIN_OR = range(5)
CODE_WHAT, CODE_CLAIM, CODE_FLIP, CODE_ONWARDS = range(4)
# Rules.scales
SCALE_BITS, SCALE_LAST = range(2)
# Sweeping.events, by event of the customer at hand: steps from the first moment to that at which it enters, how far from there
EVENT_AHEAD, EVENT_PHASE = range(2)
# Sweeping.cells, the events of the claim at hand
CELL_ENTERS, CELL_LEAVES, CELL_VALUE = range(3)
WORDS = 4
"""A row of bits, as many as `MOST_MOMENTS` and one."""
MOST_MOMENTS = 64 * WORDS - 1


class Rules(NamedTuple):
    """`grids` are rows of ascending times from 0 on, one for each of the `moments`, then NEVER; the first row are the moments
    themselves, less their `shift`, and `step` apart if that is not 0; an event's time is looked up with the shift of its
    claim. `cells` say how many of them are before every (1 << scale)th time, `onwards` the place of the next later one.

    The first `counted` claims are counted, the others have rows of bits. `placed` has at `lists[code]` the claims that an event
    concerns, unless what it has is below their `limits`: those that one event makes true and that are counted, and others.
    The first `active` claims are those that are counted or that take an output from what it is without events. `below[k]` are the bits before the kth. `code` decides outputs, `codes` rows (first, past) of it; `triggered` rows
    (first, past) of `outs`, by claim.
    """

    moments: int
    shift: int
    step: int
    counted: int
    active: int
    grids: Integers
    onwards: NDArray[np.int32]
    cells: NDArray[np.int32]
    scales: Annotated[Integers, 2]
    lists: NDArray[np.int32]
    placed: NDArray[np.int32]
    limits: Integers
    claims: Annotated[Integers, 7]
    facts: Annotated[Integers, 12]
    below: Annotated[Words, 4]
    code: Annotated[Integers, 4]
    codes: Annotated[Integers, 2]
    triggered: Annotated[Integers, 2]
    outs: Integers


class Sweeping(NamedTuple):
    """Working memory. `noted` has for each claim a bit for each event of the customer at hand; `masks` are claims' rows of bits
    where `solved` is the customer's number; `ends` are where claims' last stretches end, counted on from customer to customer. `turns` are the differences between one moment's number of people and the next, of
    counted claims, then of outputs."""

    events: Annotated[Integers, 2]
    ends: Integers
    noted: Words
    touched: Integers
    cells: Annotated[Integers, 3]
    often: Integers
    masks: Annotated[Words, 4]
    solved: Integers
    stamps: Integers
    stack: Annotated[Words, 4]
    turns: NDArray[np.int32]


def sweeping(rules: Rules, events: int) -> Sweeping:
    """For customers with at most so many events."""
    claims, outs, words = len(rules.claims), len(rules.codes), -(-events // 64)
    return Sweeping(
        events=np.zeros((events, 2), np.int64),
        ends=np.zeros(claims, np.int64),
        noted=np.zeros(claims * words, np.uint64),
        touched=np.zeros(claims * words + 1, np.int64),
        cells=np.zeros((events, 3), np.int64),
        often=np.zeros(64, np.int64),
        masks=np.zeros((claims, WORDS), np.uint64),
        solved=np.zeros(claims, np.int64),
        stamps=np.zeros(outs, np.int64),
        stack=np.zeros((len(rules.code) + 1, WORDS), np.uint64),
        turns=np.zeros((rules.counted + outs, rules.moments + 1), np.int32),
    )


@compiled
def _place(rules: Rules, grid: int, time: int) -> int:
    """How many of a grid's times are before one."""
    inside = min(max(time, 0), rules.scales[grid, SCALE_LAST] + 1)
    found = np.int64(rules.cells[grid, inside >> rules.scales[grid, SCALE_BITS]])
    onwards = np.int64(rules.onwards[grid, found])
    found = onwards if rules.grids[grid, found] < time else found
    while rules.grids[grid, found] < time:
        found = np.int64(rules.onwards[grid, found])
    return found  # type: ignore[return-value]


@compiled
def _enters(rules: Rules, work: Sweeping, claim: int, event: int, time: int) -> int:
    """The first moment at which an event is in a claim's window."""
    if rules.claims[claim, CLAIM_ENTERS] == EVEN:
        return max(0, work.events[event, EVENT_AHEAD])
    return _place(rules, rules.claims[claim, CLAIM_ENTERS], time + rules.claims[claim, CLAIM_ENTERS_SHIFT])


@compiled
def _leaves(rules: Rules, work: Sweeping, claim: int, event: int, time: int) -> int:
    """The first moment at which an event is no longer in a claim's window."""
    claims = rules.claims
    if claims[claim, CLAIM_LEAVES] == EVEN:
        leaves = work.events[event, EVENT_AHEAD] + claims[claim, CLAIM_STEPS]
        leaves += work.events[event, EVENT_PHASE] >= claims[claim, CLAIM_PHASE]
        return max(0, min(leaves, rules.moments))
    return _place(rules, claims[claim, CLAIM_LEAVES], time + claims[claim, CLAIM_LEAVES_SHIFT])


@compiled
def _turn(work: Sweeping, row: int, begin: int, end: int) -> None:
    work.turns[row, begin] += 1
    work.turns[row, end] -= 1


@compiled
def _note(tape: Tape, rules: Rules, work: Sweeping, u: int, words: int) -> int:
    """Notes the customer's events at the claims that they concern, and counts claims that need no more than that; how many
    active ones are touched, one maybe several times."""
    times, codes, flat, lists, placed, limits = (
        tape.time, tape.code, tape.flat, rules.lists, rules.placed, rules.limits,
    )  # fmt: skip
    noted, touched, ends, active = work.noted, work.touched, work.ends, rules.active
    first, past, count = tape.spans[u, 0], tape.spans[u, 1], 0
    last, base = rules.scales[0, SCALE_LAST] - rules.shift, (u + 1) * (rules.moments + 1)
    # lists are looked up an event ahead, so that nothing waits for them
    following = lists[codes[first]] if first < past else 0
    counted_runs = placed[following]
    for event in range(first, past):
        time, at, runs = times[event], following, counted_runs
        following = lists[codes[min(event + 1, past - 1)]]
        counted_runs = placed[following]
        if time > last:
            break
        since, number = time + rules.shift, event - first
        ahead = (since - 1) // rules.step + 1 if rules.step > 0 else _place(rules, 0, since)
        enters = max(0, ahead)
        work.events[number, EVENT_AHEAD] = ahead
        work.events[number, EVENT_PHASE] = since - 1 - (ahead - 1) * rules.step
        run = at + FIRST_RUN
        for _ in range(runs):
            value = flat[placed[run + RUN_COLUMN], event]
            begin = run + RUN_CLAIMS
            run = begin + placed[run + RUN_SIZE]
            for place in range(begin, run):
                claim = placed[place]
                if value < limits[claim]:
                    break
                opens = max(enters, ends[claim] - base)
                closes = max(opens, _leaves(rules, work, claim, number, time))
                ends[claim] = base + closes
                _turn(work, claim, opens, closes)
        word, bit = number >> 6, ONE << np.uint64(number & 63)
        for _ in range(placed[at + NOTED_RUNS]):
            value = flat[placed[run + RUN_COLUMN], event]
            begin = run + RUN_CLAIMS
            run = begin + placed[run + RUN_SIZE]
            for place in range(begin, run):
                claim = placed[place]
                if value < limits[claim]:
                    break
                before = noted[claim * words + word]
                noted[claim * words + word] = before | bit
                touched[count] = claim
                count += (before == np.uint64(0)) & (claim < active)
    return count


# --- when a claim holds ---------------------------------------------------------------------------------------------------


@compiled
def _hold(rules: Rules, work: Sweeping, claim: int, begin: int, end: int) -> None:
    """A claim holds at the moments [begin, end)."""
    if claim < rules.counted:
        _turn(work, claim, begin, end)
        return
    masks, below = work.masks, rules.below
    masks[claim, 0] |= below[end, 0] ^ below[begin, 0]
    masks[claim, 1] |= below[end, 1] ^ below[begin, 1]
    masks[claim, 2] |= below[end, 2] ^ below[begin, 2]
    masks[claim, 3] |= below[end, 3] ^ below[begin, 3]


@compiled
def _solve_simple(tape: Tape, rules: Rules, work: Sweeping, claim: int, u: int, words: int) -> None:
    """A claim that holds while any of its events is in the window."""
    first, end = tape.spans[u, 0], 0
    for word in range(words):
        bits = work.noted[claim * words + word]
        while bits:
            event = word * 64 + first_bit(bits)
            bits &= bits - ONE
            begin = max(end, work.events[event, EVENT_AHEAD])
            end = max(begin, _leaves(rules, work, claim, event, tape.time[first + event]))
            _hold(rules, work, claim, begin, end)


@compiled
def _fits(tape: Tape, program: Program, zones: Zones, rules: Rules, claim: int, event: int) -> bool:
    facts = rules.facts
    limited = facts[claim, FACT_LIMITED]
    if limited != NOWHERE and tape.flat[limited, event] > facts[claim, FACT_LIMIT]:
        return False
    for row in range(facts[claim, FACT_FIRST], facts[claim, FACT_PAST]):
        if not fits_event(tape, program, zones, row, 0, event):
            return False
    return True


@compiled
def _gather(
    tape: Tape, program: Program, zones: Zones, rules: Rules, work: Sweeping, claim: int, u: int, words: int
) -> int:
    """The cells of a claim; how many they are, or 0 where they come to too little."""
    facts, cells = rules.facts, work.cells
    first, size, most = tape.spans[u, 0], 0, 0
    unit, place, weighs = facts[claim, FACT_UNIT], facts[claim, FACT_PLACE], facts[claim, FACT_WEIGHS]
    for word in range(words):
        bits = work.noted[claim * words + word]
        while bits:
            number = word * 64 + first_bit(bits)
            bits &= bits - ONE
            event = first + number
            time = tape.time[event]
            enters = _enters(rules, work, claim, number, time)
            leaves = _leaves(rules, work, claim, number, time)
            if leaves <= enters or not _fits(tape, program, zones, rules, claim, event):
                continue
            value = 1
            if unit != NOWHERE:
                value = period_at(time, unit, 0, zones)
                # a period is there as long as one of its events is
                if (
                    size > 0
                    and cells[size - 1, CELL_VALUE] == value
                    and cells[size - 1, CELL_LEAVES] >= enters
                ):
                    cells[size - 1, CELL_LEAVES] = leaves
                    continue
            elif place != NOWHERE:
                value = value_at(tape, place, facts[claim, FACT_COLUMN], event, 0)
                if value < facts[claim, FACT_LOW] or value > facts[claim, FACT_HIGH]:
                    continue
            cells[size, CELL_ENTERS], cells[size, CELL_LEAVES], cells[size, CELL_VALUE] = (
                enters,
                leaves,
                value,
            )
            size += 1
            most += max(value, 0) if weighs == BY_VALUE else 1
    return size if most >= facts[claim, FACT_LEAST] else 0


@compiled
def _weigh(work: Sweeping, weighs: int, cell: int, sign: int) -> int:
    """How a cell that enters (1) or leaves (-1) changes the total."""
    value = work.cells[cell, CELL_VALUE]
    if weighs == ONE_EACH:
        return sign
    if weighs == BY_VALUE:
        return sign * value
    before = work.often[value]
    work.often[value] = before + sign
    return sign if before + min(sign, 0) == 0 else 0


@compiled
def _add_up(rules: Rules, work: Sweeping, claim: int, size: int) -> None:
    """The claim holds while the total of the cells in the window is between its limits."""
    facts, cells = rules.facts, work.cells
    low, high, weighs = facts[claim, FACT_LEAST], facts[claim, FACT_MOST], facts[claim, FACT_WEIGHS]
    oldest, total, at = 0, 0, 0
    for entering in range(size + 1):
        enters = cells[entering, CELL_ENTERS] if entering < size else rules.moments
        while oldest < entering and cells[oldest, CELL_LEAVES] <= enters:
            leaves = cells[oldest, CELL_LEAVES]
            if low <= total <= high:
                _hold(rules, work, claim, at, leaves)
            at = leaves
            total += _weigh(work, weighs, oldest, -1)
            oldest += 1
        if entering < size:
            if low <= total <= high:
                _hold(rules, work, claim, at, enters)
            at = enters
            total += _weigh(work, weighs, entering, 1)


@compiled
def _solve(
    tape: Tape, program: Program, zones: Zones, rules: Rules, work: Sweeping, claim: int, u: int, words: int
) -> None:
    masks = work.masks
    work.solved[claim] = u + 1
    masks[claim, 0] = masks[claim, 1] = masks[claim, 2] = masks[claim, 3] = np.uint64(0)
    if rules.claims[claim, CLAIM_IS_SIMPLE]:
        _solve_simple(tape, rules, work, claim, u, words)
    else:
        size = _gather(tape, program, zones, rules, work, claim, u, words)
        _add_up(rules, work, claim, size)


# --- outputs --------------------------------------------------------------------------------------------------------------


@compiled
def _decide(
    tape: Tape, program: Program, zones: Zones, rules: Rules, work: Sweeping, out: int, u: int, words: int
) -> None:
    """Counts the stretches in which an output differs from what it is without events."""
    code, masks, stack = rules.code, work.masks, work.stack
    a = b = c = d = np.uint64(0)
    top, at = 0, rules.codes[out, 0]
    while at < rules.codes[out, 1]:
        what, flip, claim = code[at, CODE_WHAT], np.uint64(code[at, CODE_FLIP]), code[at, CODE_CLAIM]
        if what == CODE_AND and not a | b | c | d:
            at = code[at, CODE_ONWARDS]
            continue
        at += 1
        if what >= CODE_JOIN_AND:
            top -= 1
            w, x, y, z = stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3]
        else:
            if work.solved[claim] != u + 1:
                _solve(tape, program, zones, rules, work, claim, u, words)
            w, x = masks[claim, 0] ^ flip, masks[claim, 1] ^ flip
            y, z = masks[claim, 2] ^ flip, masks[claim, 3] ^ flip
        if what == CODE_LOAD:
            stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3] = a, b, c, d
            top += 1
            a, b, c, d = w, x, y, z
        elif what == CODE_AND or what == CODE_JOIN_AND:
            a, b, c, d = a & w, b & x, c & y, d & z
        else:
            a, b, c, d = a | w, b | x, c | y, d | z
    if a | b | c | d:
        row = rules.counted + out
        before = _count(work, row, 0, a, np.uint64(0))
        before = _count(work, row, 64, b, before)
        before = _count(work, row, 128, c, before)
        _count(work, row, 192, d, before)


@compiled
def _count(work: Sweeping, row: int, place: int, bits: np.uint64, before: np.uint64) -> np.uint64:
    """Counts where bits begin and end, given the last of those before them, 0 or 1; the last of these."""
    edges = bits ^ ((bits << ONE) | before)
    sign = np.int64(1) - np.int64(before + before)
    while edges:
        work.turns[row, place + first_bit(edges)] += sign
        sign = -sign
        edges &= edges - ONE
    return bits >> np.uint64(63)


_TAPE, _PROGRAM, _ZONES = opener(Tape), opener(Program), opener(Zones)
_RULES, _SWEEPING = opener(Rules), opener(Sweeping)


def sweep(tape: Tape, program: Program, zones: Zones, rules: Rules, work: Sweeping) -> None:
    """Counts the tape's customers."""
    all_heads = [heads(tables) for tables in (tape, program, zones, rules, work)]
    addresses = [address(one) for one in all_heads]
    sweep_by_address(addresses[0], addresses[1], addresses[2], addresses[3], addresses[4])


@entry
def sweep_by_address(tape_at: int, program_at: int, zones_at: int, rules_at: int, work_at: int) -> int:
    tape, program, zones = _TAPE(tape_at), _PROGRAM(program_at), _ZONES(zones_at)
    rules, work = _RULES(rules_at), _SWEEPING(work_at)
    for u in range(len(tape.spans)):
        words = (tape.spans[u, 1] - tape.spans[u, 0] + 63) >> 6
        touched = _note(tape, rules, work, u, words)
        for k in range(touched):
            claim = work.touched[k]
            if claim < rules.counted:
                if work.solved[claim] != u + 1:
                    _solve(tape, program, zones, rules, work, claim, u, words)
                continue
            for place in range(rules.triggered[claim, 0], rules.triggered[claim, 1]):
                out = rules.outs[place]
                if work.stamps[out] != u + 1:
                    work.stamps[out] = u + 1
                    _decide(tape, program, zones, rules, work, out, u, words)
        for word in range(len(rules.claims) * words):
            work.noted[word] = np.uint64(0)
    return 0
