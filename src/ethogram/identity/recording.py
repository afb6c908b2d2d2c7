"""Links into the ledger, and the persons that follow from them: in one transaction, so that both are always of one state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from ethogram.identity.resolver import STATES, resolve
from ethogram.identity.rules import Rules
from ethogram.store import Store, Writing
from ethogram.store.links import Key

RULES: Final = "rules of identity"
"""The setting that says under which rules the persons were resolved last."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """`links` that are new or were seen earlier than was known, and how many of them are not used, by state; `persons` is how
    many ids have another owner than before."""

    links: int
    unused: Mapping[str, int]
    persons: int


NOTHING: Final = Recorded(0, {}, 0)


def record(store: Store, writing: Writing, rules: Rules, rows: pa.Table | None) -> Recorded:
    """Adds links (as `LINK_ROWS`). Rules that were edited count from now on."""
    had = writing.links.count()
    changed = writing.links.add(rows) if rows is not None and rows.num_rows else []
    before = store.memory.setting(RULES)
    is_edited = before is not None and before != rules.fingerprint
    if not changed and not is_edited:
        return NOTHING
    if before is None or is_edited:
        writing.put(RULES, rules.fingerprint)
    if rows is not None and not had:
        return _concluded(writing, rules, rows, None, changed)
    return _settled(writing, rules, changed, is_whole=is_edited)


def take_back(
    store: Store, writing: Writing, rules: Rules, numbers: Iterable[int], *, is_restored: bool = False
) -> Recorded:
    """The links of these numbers are not used any more, or again."""
    changed = writing.links.cut(numbers, is_restored=is_restored)
    return _settled(writing, rules, changed, is_whole=False) if changed else NOTHING


def _settled(writing: Writing, rules: Rules, changed: list[Key], *, is_whole: bool) -> Recorded:
    links, ids = (writing.links.everything(), None) if is_whole else writing.links.around(changed)
    return _concluded(writing, rules, links, ids, changed)


def _concluded(
    writing: Writing, rules: Rules, links: pa.Table, ids: list[str] | None, changed: list[Key]
) -> Recorded:
    """What follows from all links of these ids, or of everybody."""
    found = resolve(links, rules)
    persons = writing.links.settle(ids, found.owners)
    return Recorded(len(changed), _unused(links, found.states.tolist(), frozenset(changed)), persons)


def _unused(links: pa.Table, states: list[int], changed: frozenset[Key]) -> dict[str, int]:
    rows = [row for row, state in enumerate(states) if state]
    some = links.select(["kind", "customer", "value"]).take(pa.array(rows, pa.int64()))
    keys = zip(*(column.to_pylist() for column in some.columns), strict=True)
    return Counter(STATES[states[row]] for row, key in zip(rows, keys, strict=True) if key in changed)
