"""Does a chain of events exist? The tape's relevant events are given in order, with a bit for each step they match."""

from __future__ import annotations

import numpy as np

from ethogram.kernel.calendar import Zones, step_months
from ethogram.kernel.compiling import compiled
from ethogram.kernel.layout import NEVER, Integers

NO_LIMIT = -1


@compiled
def _ahead(time: int, micros: int, months: int, zones: Zones) -> int:
    if months:
        return step_months(time, months, 0, zones)
    return time + micros if micros != NO_LIMIT else NEVER


@compiled
def simple_chain(time: Integers, bits: Integers, size: int, steps: int, within: int, start: Integers) -> bool:
    """Without ties, `not`, gaps and calendar limits: for each step the latest first event of a chain that reaches it."""
    for step in range(steps):
        start[step] = -NEVER
    for event in range(size):
        for step in range(steps - 1, -1, -1):
            if not (bits[event] >> step) & 1:
                continue
            begun = time[event] if step == 0 else start[step - 1]
            if begun == -NEVER or (within != NO_LIMIT and time[event] - begun > within):
                continue
            start[step] = max(start[step], begun)
            if step == steps - 1:
                return True
    return False


@compiled
def _undisturbed(
    time: Integers, bits: Integers, key: Integers, size: int, forbidden: int, same: int, a: int, b: int
) -> bool:
    """No event of the mask `forbidden` from event a to b, ties included."""
    k = a
    while k > 0 and time[k - 1] == time[a]:
        k -= 1
    while k < size and time[k] <= time[b]:
        if k != a and k != b and key[k] == same and bits[k] & forbidden:
            return False
        k += 1
    return True


@compiled
def _quiet_until(
    time: Integers, bits: Integers, key: Integers, size: int, forbidden: int, same: int, last: int, end: int
) -> bool:
    k = last
    while k > 0 and time[k - 1] == time[last]:
        k -= 1
    while k < size and time[k] <= end:
        if k != last and key[k] == same and bits[k] & forbidden:
            return False
        k += 1
    return True


@compiled
def any_chain(
    time: Integers,
    bits: Integers,
    key: Integers,
    size: int,
    wanted: Integers,
    forbidden: Integers,
    steps: int,
    strict: bool,
    within: int,
    within_months: int,
    gap: int,
    gap_months: int,
    closing: int,
    as_of: int,
    zones: Zones,
    dead: Integers,
) -> bool:
    """By depth-first search; `dead[step, event]`, flat, remembers where it came to nothing from this first event. `wanted[s]` is the bit of the s-th real step, `forbidden[s]` the bits of `not` steps just
    before it, `closing` those after the last; `key` is the `same` property (NULL takes no part is left to the caller).

    With `strict`, events of a chain at one moment may stand between each other: only others disturb.
    """
    chain = np.empty(steps, np.int64)
    dead[: steps * size] = -1
    for first in range(size):
        if not bits[first] & wanted[0]:
            continue
        deadline = _ahead(time[first], within, within_months, zones)
        if closing and as_of < deadline:
            continue
        depth = 0
        chain[0] = first
        if steps == 1:
            if not closing or _quiet_until(time, bits, key, size, closing, key[first], first, deadline):
                return True
            continue
        chain[1] = _first_at(time, time[first], first) - 1
        depth = 1
        while depth > 0:
            chain[depth] += 1
            event = chain[depth]
            before = chain[depth - 1]
            if event >= size or time[event] > min(deadline, _ahead(time[before], gap, gap_months, zones)):
                depth -= 1
                if depth > 0 and _alone(time, size, chain[depth]):
                    dead[depth * size + chain[depth]] = first
                continue
            if dead[depth * size + event] == first:
                continue
            if not bits[event] & wanted[depth] or key[event] != key[first]:
                continue
            used = False
            for k in range(depth):
                used |= chain[k] == event
            if used:
                continue
            if forbidden[depth] and not _undisturbed(
                time, bits, key, size, forbidden[depth], key[first], before, event
            ):
                continue
            if strict and not _only_chain(time, key, size, chain, depth, steps):
                continue
            if depth == steps - 1:
                if closing and not _quiet_until(time, bits, key, size, closing, key[first], event, deadline):
                    continue
                return True
            depth += 1
            chain[depth] = _first_at(time, time[event], event) - 1
    return False


@compiled
def _alone(time: Integers, size: int, event: int) -> bool:
    """No other event at its moment, so that what follows does not depend on what came before."""
    return (event == 0 or time[event - 1] < time[event]) and (
        event + 1 == size or time[event + 1] > time[event]
    )


@compiled
def _first_at(time: Integers, moment: int, event: int) -> int:
    while event > 0 and time[event - 1] == moment:
        event -= 1
    return event


@compiled
def _only_chain(time: Integers, key: Integers, size: int, chain: Integers, depth: int, steps: int) -> bool:
    """Nothing but the chain between its first and newest event; a tie with the newest may still join the chain."""
    complete = depth == steps - 1
    newest = time[chain[depth]]
    k = _first_at(time, time[chain[0]], chain[0])
    while k < size and time[k] <= newest:
        if key[k] == key[chain[0]] and (complete or time[k] < newest):
            found = False
            for step in range(depth + 1):
                found |= chain[step] == k
            if not found:
                return False
        k += 1
    return True
