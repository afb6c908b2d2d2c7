"""How old the answers are, and what makes them so: facts for `doctor`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ethogram.language.instants import DAY
from ethogram.language.tree import Definitions
from ethogram.membership import record
from ethogram.membership.versions import Edits, edits_between, identities
from ethogram.model.event import Moment
from ethogram.model.settings import Settings
from ethogram.store import Store

QUIET_AT_LEAST: Final = 2 * DAY
QUIET_SHARE: Final = 10
"""A source is quiet that was silent longer than a tenth of the time it told of, and at least two days."""


@dataclass(frozen=True, slots=True)
class SourceAge:
    """`silent_for` is the time from its newest event to the newest of all sources."""

    source: str
    events: int
    newest: Moment
    silent_for: int
    is_quiet: bool


@dataclass(frozen=True, slots=True)
class Staleness:
    """Moments in microseconds. `age` is the time since the last refresh was made, None before the first.

    `newest` is the newest event's time, `unseen` the number of events that came since the refresh, `moved` the number of
    customers whose ids became others since, `edits` what happened to the definitions since.
    """

    refreshed_as_of: Moment | None
    age: int | None
    newest: Moment | None
    unseen: int
    edits: Edits
    sources: tuple[SourceAge, ...]
    moved: int = 0

    @property
    def is_stale(self) -> bool:
        return self.refreshed_as_of is None or self.unseen + self.moved > 0 or self.edits.any

    def advice(self) -> tuple[str, ...]:
        """What to do, most urgent first."""
        found = []
        if self.refreshed_as_of is None and self.newest is not None:
            found.append("Nothing was evaluated yet: `ethogram refresh`.")
        elif self.unseen:
            found.append(f"{self.unseen:,} events came since the last refresh: `ethogram refresh`.")
        elif self.moved:
            found.append(
                f"Who is one person changed for {self.moved:,} ids since the last refresh: `ethogram refresh`."
            )
        edited = sorted(self.edits.new | self.edits.edited | self.edits.removed)
        if self.refreshed_as_of is not None and edited:
            found.append(
                f"Definitions were edited since the last refresh ({', '.join(edited)}): "
                "`ethogram plan` shows who would enter and leave, `ethogram refresh` makes it so."
            )
        for source in self.sources:
            if source.is_quiet:
                found.append(
                    f"The source '{source.source}' has told nothing for {source.silent_for / DAY:,.1f} days: is it still loaded?"
                )
        return tuple(found)

    def as_json(self) -> dict[str, object]:
        return {
            "refreshed_as_of": self.refreshed_as_of,
            "age_seconds": None if self.age is None else self.age / 1e6,
            "newest_event": self.newest,
            "unseen_events": self.unseen,
            "definitions": {
                "new": sorted(self.edits.new),
                "edited": sorted(self.edits.edited),
                "removed": sorted(self.edits.removed),
            },
            "sources": [
                {"source": one.source, "events": one.events, "newest": one.newest, "quiet": one.is_quiet}
                for one in self.sources
            ],
            "advice": list(self.advice()),
        }


def staleness(
    store: Store,
    definitions: Definitions,
    settings: Settings,
    *,
    lists: Mapping[str, frozenset[str]] | None = None,
    now: Moment | None = None,
) -> Staleness:
    """`now` is the time on the wall."""
    refresh = record.last_refresh(store)
    wall = time.time_ns() // 1000 if now is None else now
    with store.snapshot() as snapshot:
        files = snapshot.files
    newest = max((file.max_time for file in files), default=None)
    edits = edits_between(record.read_book(store).identities, identities(definitions, settings, lists or {}))
    return Staleness(
        refreshed_as_of=refresh.as_of if refresh else None,
        age=wall - refresh.finished if refresh else None,
        newest=newest,
        unseen=sum(file.rows for file in files if refresh and file.sequence > refresh.sequence),
        edits=edits,
        sources=_sources(store, newest),
        moved=len(store.persons.moved(refresh.sequence, store.sequence)) if refresh else 0,
    )


def _sources(store: Store, newest: Moment | None) -> tuple[SourceAge, ...]:
    """By the files that hold their events; a file of several sources counts for each."""
    rows = store.ledger.rows(
        "SELECT source, sum(file_sources.rows), min(min_time), max(max_time) FROM file_sources "
        "JOIN files ON files.id = file WHERE removed IS NULL GROUP BY source ORDER BY source"
    )
    found = []
    for source, events, first, last in rows:
        assert (
            isinstance(events, int)
            and isinstance(first, int)
            and isinstance(last, int)
            and newest is not None
        )
        silent = newest - last
        is_quiet = silent > max(QUIET_AT_LEAST, (last - first) // QUIET_SHARE)
        found.append(SourceAge(str(source), events, last, silent, is_quiet))
    return tuple(found)
