"""Chains of events, by trying: for every first step, every second, and so on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from ethogram.language.meaning.local_time import ahead
from ethogram.language.meaning.options import duration_of
from ethogram.language.meaning.values import known, typed
from ethogram.language.meaning.windows import Now
from ethogram.language.meaning.world import Item
from ethogram.language.tree import Call, Events, Expression, Flag, Not, Path, Property
from ethogram.model.errors import DefinitionError
from ethogram.model.event import Moment

Chain = tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """`absent` is a `not` step: its items must not come in between."""

    items: Sequence[Item]
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """`deadline` is the last moment of a chain that starts at a moment (`within=`), `next_deadline` of the following
    step (`gap=`); `everything` are the events that `strict` allows no other of.
    """

    steps: Sequence[Step]
    as_of: Moment
    is_in_window: Callable[[Moment], bool]
    deadline: Callable[[Moment], Moment] | None = None
    next_deadline: Callable[[Moment], Moment] | None = None
    everything: Sequence[Item] = ()


def sequence(node: Call, select: Callable[[Events], list[Item]], now: Now) -> Chain | None:
    """The events of the first chain found."""
    _check_steps(node)
    within, gap, last, same = (node.option(name) for name in ("within", "gap", "last", "same"))
    start = now.back(duration_of(last)) if last else None
    pattern = Pattern(
        [Step(select(_events_of_step(step)), isinstance(step, Not)) for step in node.arguments],
        now.as_of,
        is_in_window=lambda t: start is None or start < t,
        deadline=(lambda t: ahead(now.zone, t, duration_of(within))) if within else None,
        next_deadline=(lambda t: ahead(now.zone, t, duration_of(gap))) if gap else None,
        everything=select(Events("any")) if node.option("strict") == Flag(True) else (),
    )
    if same is None:
        return _find_chain(pattern)
    assert isinstance(same, Property)
    return next((found for part in _parts(pattern, same.path) if (found := _find_chain(part))), None)


def _check_steps(node: Call) -> None:
    first, last = node.arguments[0], node.arguments[-1]
    if isinstance(first, Not) or (isinstance(last, Not) and node.option("within") is None):
        raise DefinitionError(
            "E_SEQUENCE_NOT",
            "a sequence cannot begin with `not`, and ends with it only where `within=` says until when",
            span=node.span,
        )


def _events_of_step(step: Expression) -> Events:
    events = step.item if isinstance(step, Not) else step
    assert isinstance(events, Events)
    return events


def _parts(pattern: Pattern, path: Path) -> list[Pattern]:
    """The events that share a value of the `same` property, for each value; those without it take no part."""

    def with_value(items: Sequence[Item], value: object) -> list[Item]:
        return [item for item in items if value in typed(known(item.properties, path))]

    values = [value for item in pattern.steps[0].items for value in typed(known(item.properties, path))]
    return [
        replace(
            pattern,
            steps=[Step(with_value(step.items, value), step.absent) for step in pattern.steps],
            everything=with_value(pattern.everything, value),
        )
        for value in dict.fromkeys(values)
    ]


def _find_chain(pattern: Pattern) -> Chain | None:
    real = [step.items for step in pattern.steps if not step.absent]
    return next((chain for chain in _chains(pattern, real, ()) if _is_undisturbed(pattern, chain)), None)


def _chains(pattern: Pattern, real: Sequence[Sequence[Item]], chain: Chain) -> Iterator[Chain]:
    if len(chain) == len(real):
        yield chain
        return
    for item in real[len(chain)]:
        if pattern.is_in_window(item.time) and _may_follow(pattern, chain, item):
            yield from _chains(pattern, real, (*chain, item))


def _may_follow(pattern: Pattern, chain: Chain, item: Item) -> bool:
    """Another event, no earlier than the one before, not too late."""
    if not chain:
        return True
    return (
        item not in chain
        and item.time >= chain[-1].time
        and (pattern.deadline is None or item.time <= pattern.deadline(chain[0].time))
        and (pattern.next_deadline is None or item.time <= pattern.next_deadline(chain[-1].time))
    )


def _is_undisturbed(pattern: Pattern, chain: Chain) -> bool:
    return _has_no_absent(pattern, chain) and not _has_others(pattern, chain)


def _has_no_absent(pattern: Pattern, chain: Chain) -> bool:
    """No `not` step between its neighbors, ties included; as the last step none until the deadline, now passed."""
    position = 0
    for step in pattern.steps:
        if not step.absent:
            position += 1
            continue
        neighbors = chain[position - 1 : position + 1]
        if len(neighbors) == 2:
            end = neighbors[1].time
        else:
            assert pattern.deadline is not None
            end = pattern.deadline(chain[0].time)
            if pattern.as_of < end:
                return False
        if any(neighbors[0].time <= item.time <= end and item not in neighbors for item in step.items):
            return False
    return True


def _has_others(pattern: Pattern, chain: Chain) -> bool:
    """An event of `any` between two neighbors, ties included, that is not itself (nor by an element) of the chain."""
    if len(chain) < 2:
        return False
    own = {(item.source, item.message_id) for item in chain}
    return any(
        chain[0].time <= item.time <= chain[-1].time and (item.source, item.message_id) not in own
        for item in pattern.everything
    )
