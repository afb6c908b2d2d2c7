"""Does a chain of events exist? The tape's relevant events are given in order, with a bit for each step they match.

One pass over the moments. Of the chains that wait for a step only the one that began last matters: nothing but `within`
looks at the beginning. With `gap` and `within` together an older chain may have begun later: then those that matter are
kept in a queue. A `not` at the end asks for more; see `any_chain`.
"""

from __future__ import annotations

from ethogram.kernel.calendar import Zones, step_months
from ethogram.kernel.compiling import compiled
from ethogram.kernel.layout import (
    CHAIN,
    DEAD,
    EVENT_BITS,
    EVENT_OWNER,
    EVENT_TIME,
    NEVER,
    SEQ_BITS,
    SEQ_GAP,
    SEQ_GAP_MONTHS,
    SEQ_STEPS,
    SEQ_STRICT,
    SEQ_WITHIN,
    SEQ_WITHIN_MONTHS,
    Integers,
)

NO_LIMIT = -1
NONE = -NEVER
STARTS = 1 << 62
"""A bit of the first event with its value of the `same` property: those with one value are neighbors."""
# cells of CHAIN, for each step: what waits for it
FIRST, NEWEST, HEAD, TAIL = range(4)
# cells of CHAIN behind those: the class chosen for each step, then classes, the events of a moment that are alike
MASK, OWNER, COUNT, USED = range(4)
CELLS = 4


@compiled
def _ahead(time: int, micros: int, months: int, zones: Zones) -> int:
    if months:
        return step_months(time, months, 0, zones)
    return time + micros if micros != NO_LIMIT else NEVER


@compiled
def _deadline(sequences: Integers, row: int, time: int, zones: Zones) -> int:
    """The last moment of a chain that begins at a moment."""
    return _ahead(time, sequences[row, SEQ_WITHIN], sequences[row, SEQ_WITHIN_MONTHS], zones)


@compiled
def has_queue(sequences: Integers, row: int) -> bool:
    within = sequences[row, SEQ_WITHIN] != NO_LIMIT or sequences[row, SEQ_WITHIN_MONTHS] != 0
    return within and (sequences[row, SEQ_GAP] != NO_LIMIT or sequences[row, SEQ_GAP_MONTHS] != 0)


@compiled
def simple_chain(search: Integers, size: int, steps: int, within: int) -> bool:
    """Without ties, `not`, gaps and calendar limits: for each step the latest first event of a chain that reaches it."""
    for step in range(steps):
        search[CHAIN, step] = NONE
    for event in range(size):
        for step in range(steps - 1, -1, -1):
            if not (search[EVENT_BITS, event] >> step) & 1:
                continue
            begun = search[EVENT_TIME, event] if step == 0 else search[CHAIN, step - 1]
            if begun == NONE or (within != NO_LIMIT and search[EVENT_TIME, event] - begun > within):
                continue
            search[CHAIN, step] = max(search[CHAIN, step], begun)
            if step == steps - 1:
                return True
    return False


# --- what waits for a step ----------------------------------------------------------------------------------------------


@compiled
def _waiting(
    search: Integers, queue: Integers, sequences: Integers, row: int, step: int, time: int, zones: Zones
) -> int:
    """When the latest chain began that waits for a step and may go on at a moment; NONE where there is none."""
    cell = CELLS * step
    gap, gap_months = sequences[row, SEQ_GAP], sequences[row, SEQ_GAP_MONTHS]
    first = search[CHAIN, cell + FIRST]
    if has_queue(sequences, row):
        head, tail = search[CHAIN, cell + HEAD], search[CHAIN, cell + TAIL]
        while head < tail and _ahead(queue[head], gap, gap_months, zones) < time:
            head += 1
        search[CHAIN, cell + HEAD] = head
        first = search[DEAD, head] if head < tail else NONE
    elif first != NONE and _ahead(search[CHAIN, cell + NEWEST], gap, gap_months, zones) < time:
        first = NONE
    return first if first != NONE and time <= _deadline(sequences, row, first, zones) else NONE


@compiled
def _wait(
    search: Integers, queue: Integers, sequences: Integers, row: int, step: int, first: int, time: int
) -> None:
    """A chain that began at `first` and came to `time` waits for a step."""
    cell = CELLS * step
    if not has_queue(sequences, row):
        search[CHAIN, cell + FIRST] = max(search[CHAIN, cell + FIRST], first)
        search[CHAIN, cell + NEWEST] = time
        return
    head, tail = search[CHAIN, cell + HEAD], search[CHAIN, cell + TAIL]
    if head < tail and queue[tail - 1] == time and search[DEAD, tail - 1] >= first:
        return
    while head < tail and search[DEAD, tail - 1] <= first:
        tail -= 1
    queue[tail] = time
    search[DEAD, tail] = first
    search[CHAIN, cell + TAIL] = tail + 1


@compiled
def _forget(search: Integers, step: int) -> None:
    search[CHAIN, CELLS * step + FIRST] = NONE
    search[CHAIN, CELLS * step + HEAD] = search[CHAIN, CELLS * step + TAIL]


# --- several events at one moment ---------------------------------------------------------------------------------------


@compiled
def _classes(search: Integers, steps: int, begin: int, end: int) -> int:
    """Writes the classes of a moment's events; how many there are."""
    first, count = (CELLS + 1) * steps, 0
    for event in range(begin, end):
        mask, owner = search[EVENT_BITS, event] & (STARTS - 1), search[EVENT_OWNER, event]
        found = 0
        while found < count and (
            search[CHAIN, first + CELLS * found + MASK] != mask
            or search[CHAIN, first + CELLS * found + OWNER] != owner
        ):
            found += 1
        cell = first + CELLS * found
        if found == count:
            search[CHAIN, cell + MASK], search[CHAIN, cell + OWNER] = mask, owner
            search[CHAIN, cell + COUNT], search[CHAIN, cell + USED] = 0, 0
            count += 1
        search[CHAIN, cell + COUNT] += 1
    return count


@compiled
def _matching(search: Integers, begin: int, end: int, mask: int) -> int:
    """How many of the events match any bit of a mask."""
    count = 0
    if mask:
        for event in range(begin, end):
            count += search[EVENT_BITS, event] & mask != 0
    return count


@compiled
def _all_owned(search: Integers, steps: int, classes: int, strict: int, step: int, depth: int) -> bool:
    """Every event of `any` at the moment is in the chain, itself or by an element of its list."""
    first = (CELLS + 1) * steps
    for one in range(classes):
        if not search[CHAIN, first + CELLS * one + MASK] & strict:
            continue
        owned = False
        for k in range(step, depth + 1):
            chosen = first + CELLS * search[CHAIN, CELLS * steps + k]
            owned |= search[CHAIN, chosen + OWNER] == search[CHAIN, first + CELLS * one + OWNER]
        if not owned:
            return False
    return True


@compiled
def _several(
    search: Integers,
    queue: Integers,
    sequences: Integers,
    row: int,
    begin: int,
    end: int,
    may_begin: bool,
    quiet_from: int,
    as_of: int,
    past: int,
    zones: Zones,
) -> bool:
    """The events of one moment, which may follow each other in any order: every choice for every run of steps."""
    steps, strict = sequences[row, SEQ_STEPS], sequences[row, SEQ_STRICT]
    time = search[EVENT_TIME, begin]
    others = _matching(search, begin, end, strict)
    classes = _classes(search, steps, begin, end) if others <= steps else 0
    base, first_class = CELLS * steps, (CELLS + 1) * steps
    for step in range(steps - 1, -1, -1):
        began = NONE
        if step:
            began = _waiting(search, queue, sequences, row, step, time, zones)
            if others or _matching(search, begin, end, sequences[row, SEQ_BITS + steps + step]):
                _forget(search, step)
        elif may_begin:
            began = time
        if began == NONE:
            continue
        depth = step
        search[CHAIN, base + depth] = -1
        while depth >= step:
            one = search[CHAIN, base + depth]
            if one >= 0:
                search[CHAIN, first_class + CELLS * one + USED] -= 1
            one += 1
            search[CHAIN, base + depth] = one
            if one >= classes:
                search[CHAIN, base + depth] = -1
                depth -= 1
                continue
            cell = first_class + CELLS * one
            mask = search[CHAIN, cell + MASK]
            fits = mask & sequences[row, SEQ_BITS + depth] != 0
            fits = fits and search[CHAIN, cell + USED] < search[CHAIN, cell + COUNT]
            search[CHAIN, cell + USED] += 1
            if not fits:
                continue
            if depth:
                forbidden = sequences[row, SEQ_BITS + steps + depth]
                left = _matching(search, begin, end, forbidden) - (mask & forbidden != 0)
                if depth > step:
                    before = first_class + CELLS * search[CHAIN, base + depth - 1]
                    left -= search[CHAIN, before + MASK] & forbidden != 0
                if left:
                    continue
            forbidden = sequences[row, SEQ_BITS + steps + depth + 1]
            left = _matching(search, begin, end, forbidden) - (mask & forbidden != 0)
            whole = not strict or _all_owned(search, steps, classes, strict, step, depth)
            if depth < steps - 1:
                if whole and not left:
                    _wait(search, queue, sequences, row, depth + 1, began, time)
                depth += 1
                search[CHAIN, base + depth] = -1
            elif whole and _closes(
                search, sequences, row, began, time, left, quiet_from, end, past, as_of, zones
            ):
                return True
    return False


# --- the end of a chain -------------------------------------------------------------------------------------------------


@compiled
def _closes(
    search: Integers,
    sequences: Integers,
    row: int,
    began: int,
    time: int,
    left: int,
    quiet_from: int,
    end: int,
    past: int,
    as_of: int,
    zones: Zones,
) -> bool:
    """Whether a chain of all steps, which came to `time`, is one; `left` events of that moment are forbidden after it.

    NONE as `quiet_from` says that it may also have begun at any earlier first event: DEAD has the latest one up to each."""
    steps = sequences[row, SEQ_STEPS]
    closing = sequences[row, SEQ_BITS + 2 * steps]
    if not closing:
        return True
    if quiet_from != NONE:
        return time > quiet_from or (time == quiet_from and not left)
    if left:
        return False
    following = max(search[CHAIN, TAIL], end)
    while following < past and not search[EVENT_BITS, following] & closing:
        following += 1
    search[CHAIN, TAIL] = following
    limit = as_of + 1
    if following < past:
        limit = min(limit, search[EVENT_TIME, following])
    low, high = search[CHAIN, HEAD], end
    while low < high:
        middle = (low + high) >> 1
        moment = search[EVENT_TIME, middle]
        if moment <= began and _deadline(sequences, row, moment, zones) < limit:
            low = middle + 1
        else:
            high = middle
    first = search[DEAD, low - 1] if low > search[CHAIN, HEAD] else NO_LIMIT
    return first >= 0 and time <= _deadline(sequences, row, search[EVENT_TIME, first], zones)


@compiled
def _chain_from(
    search: Integers,
    queue: Integers,
    sequences: Integers,
    row: int,
    begin: int,
    past_first: int,
    past: int,
    quiet_from: int,
    as_of: int,
    zones: Zones,
) -> bool:
    """A chain that begins with one of the events [begin, past_first)."""
    steps, strict = sequences[row, SEQ_STEPS], sequences[row, SEQ_STRICT]
    for step in range(steps):
        search[CHAIN, CELLS * step + FIRST] = NONE
        search[CHAIN, CELLS * step + HEAD] = begin + (step - 1) * past if step else begin
        search[CHAIN, CELLS * step + TAIL] = search[CHAIN, CELLS * step + HEAD]
    event = begin
    while event < past:
        time, bits = search[EVENT_TIME, event], search[EVENT_BITS, event]
        end = event + 1
        while end < past and search[EVENT_TIME, end] == time:
            end += 1
        may_begin = event < past_first
        if not may_begin:
            waiting = False
            for step in range(1, steps):
                waiting |= _waiting(search, queue, sequences, row, step, time, zones) != NONE
            if not waiting:
                return False
        if end > event + 1:
            if _several(search, queue, sequences, row, event, end, may_begin, quiet_from, as_of, past, zones):
                return True
            event = end
            continue
        for step in range(steps - 1, -1, -1):
            began = NONE
            if bits & sequences[row, SEQ_BITS + step]:
                if step:
                    began = _waiting(search, queue, sequences, row, step, time, zones)
                elif may_begin:
                    began = time
            if step and bits & (strict | sequences[row, SEQ_BITS + steps + step]):
                _forget(search, step)
            if began == NONE:
                continue
            if step < steps - 1:
                _wait(search, queue, sequences, row, step + 1, began, time)
            elif _closes(search, sequences, row, began, time, 0, quiet_from, end, past, as_of, zones):
                return True
        event = end
    return False


@compiled
def _is_plain(sequences: Integers, row: int, steps: int) -> bool:
    """Whether a chain may begin with any earlier first event instead, `within` aside."""
    plain = steps > 1 and sequences[row, SEQ_STRICT] == 0
    plain = plain and sequences[row, SEQ_GAP] == NO_LIMIT and sequences[row, SEQ_GAP_MONTHS] == 0
    for step in range(1, steps):
        plain = plain and sequences[row, SEQ_BITS + steps + step] == 0
    return plain


@compiled
def any_chain(
    search: Integers, queue: Integers, size: int, sequences: Integers, row: int, as_of: int, zones: Zones
) -> bool:
    """Whether any chain exists. `SEQ_BITS + s` of a sequence is the bit of its s-th real step, `SEQ_BITS + steps + s` the
    bits of the `not` steps just before it, `SEQ_BITS + 2 * steps` those after the last, which must not be seen up to the
    deadline of the first event; `SEQ_STRICT` the bit of every event of `any`, where only those of the chain may stand
    between its events. `queue` has room for all events, once a step.
    """
    steps = sequences[row, SEQ_STEPS]
    closing = sequences[row, SEQ_BITS + 2 * steps]
    plain = closing != 0 and _is_plain(sequences, row, steps)
    begin = 0
    while begin < size:
        past, first = begin, NO_LIMIT
        while past < size and (past == begin or not search[EVENT_BITS, past] & STARTS):
            if plain:
                first = past if search[EVENT_BITS, past] & sequences[row, SEQ_BITS] else first
                search[DEAD, past] = first
            past += 1
        found = (
            _closing_chain(search, queue, sequences, row, begin, past, as_of, zones)
            if closing and not plain
            else _chain_from(search, queue, sequences, row, begin, past, past, NONE, as_of, zones)
        )
        if found:
            return True
        begin = past
    return False


@compiled
def _moment_begin(search: Integers, begin: int, event: int, past: int) -> int:
    """The first event of an event's moment."""
    while begin < event < past and search[EVENT_TIME, event - 1] == search[EVENT_TIME, event]:
        event -= 1
    return event


@compiled
def _closing_chain(
    search: Integers,
    queue: Integers,
    sequences: Integers,
    row: int,
    begin: int,
    past: int,
    as_of: int,
    zones: Zones,
) -> bool:
    """First events whose deadlines lie between the same two closing events are looked at together: their chains have to
    come to an event after the former."""
    steps = sequences[row, SEQ_STEPS]
    closing, wanted = sequences[row, SEQ_BITS + 2 * steps], sequences[row, SEQ_BITS + steps - 1]
    first, seen, following, last = begin, begin, begin, begin
    quiet_from = NONE + 1
    while first < past:
        if not search[EVENT_BITS, first] & sequences[row, SEQ_BITS]:
            first += 1
            continue
        deadline = _deadline(sequences, row, search[EVENT_TIME, first], zones)
        if deadline > as_of:
            return False
        while seen < past and search[EVENT_TIME, seen] <= deadline:
            if search[EVENT_BITS, seen] & closing:
                quiet_from = search[EVENT_TIME, seen]
            seen += 1
        following = max(following, seen)
        while following < past and not search[EVENT_BITS, following] & closing:
            following += 1
        limit = as_of
        if following < past:
            limit = min(limit, search[EVENT_TIME, following] - 1)
        past_first = first
        while past_first < past and (
            not search[EVENT_BITS, past_first] & sequences[row, SEQ_BITS]
            or _deadline(sequences, row, search[EVENT_TIME, past_first], zones) <= limit
        ):
            past_first += 1
        while last < past and (
            search[EVENT_TIME, last] < quiet_from or not search[EVENT_BITS, last] & wanted
        ):
            last += 1
        past_first = _moment_begin(search, begin, past_first, past)
        moment = _moment_begin(search, begin, first, past)
        if (
            last < past
            and search[EVENT_TIME, last] <= limit
            and _chain_from(search, queue, sequences, row, moment, past_first, past, quiet_from, as_of, zones)
        ):
            return True
        first = past_first
    return False
