"""Does a chain of events exist? The tape's relevant events are given in order, with a bit for each step they match."""

from __future__ import annotations

from ethogram.kernel.calendar import Zones, step_months
from ethogram.kernel.compiling import compiled
from ethogram.kernel.layout import CHAIN, DEAD, EVENT_BITS, EVENT_KEY, EVENT_TIME, NEVER, SEQ_BITS, Integers

NO_LIMIT = -1


@compiled
def _ahead(time: int, micros: int, months: int, zones: Zones) -> int:
    if months:
        return step_months(time, months, 0, zones)
    return time + micros if micros != NO_LIMIT else NEVER


@compiled
def simple_chain(search: Integers, size: int, steps: int, within: int) -> bool:
    """Without ties, `not`, gaps and calendar limits: for each step the latest first event of a chain that reaches it."""
    for step in range(steps):
        search[CHAIN, step] = -NEVER
    for event in range(size):
        for step in range(steps - 1, -1, -1):
            if not (search[EVENT_BITS, event] >> step) & 1:
                continue
            begun = search[EVENT_TIME, event] if step == 0 else search[CHAIN, step - 1]
            if begun == -NEVER or (within != NO_LIMIT and search[EVENT_TIME, event] - begun > within):
                continue
            search[CHAIN, step] = max(search[CHAIN, step], begun)
            if step == steps - 1:
                return True
    return False


@compiled
def _undisturbed(search: Integers, size: int, forbidden: int, same: int, a: int, b: int) -> bool:
    """No event of the mask `forbidden` from event a to b, ties included."""
    k = a
    while k > 0 and search[EVENT_TIME, k - 1] == search[EVENT_TIME, a]:
        k -= 1
    while k < size and search[EVENT_TIME, k] <= search[EVENT_TIME, b]:
        if k != a and k != b and search[EVENT_KEY, k] == same and search[EVENT_BITS, k] & forbidden:
            return False
        k += 1
    return True


@compiled
def _quiet_until(search: Integers, size: int, forbidden: int, same: int, last: int, end: int) -> bool:
    k = last
    while k > 0 and search[EVENT_TIME, k - 1] == search[EVENT_TIME, last]:
        k -= 1
    while k < size and search[EVENT_TIME, k] <= end:
        if k != last and search[EVENT_KEY, k] == same and search[EVENT_BITS, k] & forbidden:
            return False
        k += 1
    return True


@compiled
def any_chain(
    search: Integers,
    size: int,
    sequences: Integers,
    row: int,
    steps: int,
    strict: bool,
    within: int,
    within_months: int,
    gap: int,
    gap_months: int,
    closing: int,
    as_of: int,
    zones: Zones,
) -> bool:
    """By depth-first search; `dead[step, event]`, flat, remembers where it came to nothing from this first event. `wanted[s]` is the bit of the s-th real step, `forbidden[s]` the bits of `not` steps just
    before it, `closing` those after the last; `key` is the `same` property (NULL takes no part is left to the caller).

    With `strict`, events of a chain at one moment may stand between each other: only others disturb.
    """
    for cell in range(steps * size):
        search[DEAD, cell] = -1
    for first in range(size):
        if not search[EVENT_BITS, first] & sequences[row, SEQ_BITS]:
            continue
        deadline = _ahead(search[EVENT_TIME, first], within, within_months, zones)
        if closing and as_of < deadline:
            continue
        depth = 0
        search[CHAIN, 0] = first
        if steps == 1:
            if not closing or _quiet_until(search, size, closing, search[EVENT_KEY, first], first, deadline):
                return True
            continue
        search[CHAIN, 1] = _first_at(search, search[EVENT_TIME, first], first) - 1
        depth = 1
        while depth > 0:
            search[CHAIN, depth] += 1
            event = search[CHAIN, depth]
            before = search[CHAIN, depth - 1]
            if event >= size or search[EVENT_TIME, event] > min(
                deadline, _ahead(search[EVENT_TIME, before], gap, gap_months, zones)
            ):
                depth -= 1
                if depth > 0 and _alone(search, size, search[CHAIN, depth]):
                    search[DEAD, depth * size + search[CHAIN, depth]] = first
                continue
            if search[DEAD, depth * size + event] == first:
                continue
            if (
                not search[EVENT_BITS, event] & sequences[row, SEQ_BITS + depth]
                or search[EVENT_KEY, event] != search[EVENT_KEY, first]
            ):
                continue
            used = False
            for k in range(depth):
                used |= search[CHAIN, k] == event
            if used:
                continue
            if sequences[row, SEQ_BITS + steps + depth] and not _undisturbed(
                search,
                size,
                sequences[row, SEQ_BITS + steps + depth],
                search[EVENT_KEY, first],
                before,
                event,
            ):
                continue
            if strict and not _only_chain(search, size, depth, steps):
                continue
            if depth == steps - 1:
                if closing and not _quiet_until(
                    search, size, closing, search[EVENT_KEY, first], event, deadline
                ):
                    continue
                return True
            depth += 1
            search[CHAIN, depth] = _first_at(search, search[EVENT_TIME, event], event) - 1
    return False


@compiled
def _alone(search: Integers, size: int, event: int) -> bool:
    """No other event at its moment, so that what follows does not depend on what came before."""
    return (event == 0 or search[EVENT_TIME, event - 1] < search[EVENT_TIME, event]) and (
        event + 1 == size or search[EVENT_TIME, event + 1] > search[EVENT_TIME, event]
    )


@compiled
def _first_at(search: Integers, moment: int, event: int) -> int:
    while event > 0 and search[EVENT_TIME, event - 1] == moment:
        event -= 1
    return event


@compiled
def _only_chain(search: Integers, size: int, depth: int, steps: int) -> bool:
    """Nothing but the chain between its first and newest event; a tie with the newest may still join the chain."""
    complete = depth == steps - 1
    newest = search[EVENT_TIME, search[CHAIN, depth]]
    k = _first_at(search, search[EVENT_TIME, search[CHAIN, 0]], search[CHAIN, 0])
    while k < size and search[EVENT_TIME, k] <= newest:
        if search[EVENT_KEY, k] == search[EVENT_KEY, search[CHAIN, 0]] and (
            complete or search[EVENT_TIME, k] < newest
        ):
            found = False
            for step in range(depth + 1):
                found |= search[CHAIN, step] == k
            if not found:
                return False
        k += 1
    return True
