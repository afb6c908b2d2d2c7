from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from zoneinfo import ZoneInfo

from ethogram.language.tree import Definitions, Path
from ethogram.model.event import Event, Moment, Value
from ethogram.model.settings import Settings

Layers: TypeAlias = tuple[Mapping[str, Value], ...]
"""Properties; what the first does not know, the next may."""


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Everything that an answer depends on, except the moment.

    `histories` are the customers' events in any order, with or without repetitions; `lists` people named by hand, in
    place of those that `definitions` names inline. `memory` only spares repeated work.
    """

    settings: Settings
    definitions: Definitions
    histories: Mapping[str, tuple[Event, ...]]
    lists: Mapping[str, frozenset[str]] = field(default_factory=dict)
    memory: dict[Hashable, object] = field(default_factory=dict, init=False, repr=False)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings.timezone)

    def history(self, customer: str) -> tuple[Event, ...]:
        """In order of (time, message id, source); of events with the same source and message id the first given."""
        key = ("history", customer)
        if key not in self.memory:
            first: dict[tuple[str, str], Event] = {}
            for event in self.histories.get(customer, ()):
                first.setdefault((event.source, event.message_id), event)
            self.memory[key] = tuple(sorted(first.values(), key=lambda e: (e.time, e.message_id, e.source)))
        return self.memory[key]  # type: ignore[return-value]

    def people(self, name: str) -> frozenset[str]:
        """Those on a list."""
        if name in self.lists:
            return self.lists[name]
        named = self.definitions.lists.get(name)
        return frozenset(named.customers) if named else frozenset()


@dataclass(frozen=True, slots=True)
class Item:
    """An event of a selection, or with `each` one element of an event's list, whose properties come before the event's."""

    time: Moment
    message_id: str
    source: str
    index: int = -1
    each: Path = ()
    properties: Layers = field(default=(), compare=False, repr=False)

    @property
    def label(self) -> str:
        return self.message_id if self.index < 0 else f"{self.message_id}#{self.index}"

    @property
    def order(self) -> tuple[Moment, str, str, int]:
        return (self.time, self.message_id, self.source, self.index)
