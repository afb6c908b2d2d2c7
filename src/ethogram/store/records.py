"""What the ledger remembers, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from ethogram.model.event import Moment

LeafType: TypeAlias = Literal["n", "t", "f"]
"""number, text, flag."""


@dataclass(frozen=True, slots=True)
class LakeFile:
    """An immutable Parquet file of events of one bucket, sorted by (customer, time, message_id, source).

    `source` is empty when the file holds events of several; `sequence` is that of the transaction that brought
    its newest events.
    """

    id: int
    path: Path
    bucket: int
    rows: int
    min_time: Moment
    max_time: Moment
    sha256: str
    bytes: int
    sequence: int
    source: str = ""


@dataclass(frozen=True, slots=True)
class EventName:
    """`name` is empty for identify records; `first` and `last` are the earliest and latest time."""

    kind: str
    name: str
    count: int
    first: Moment
    last: Moment


@dataclass(frozen=True, slots=True)
class Property:
    """A path that events of this kind and name carried `count` times with this type."""

    kind: str
    event: str
    path: tuple[str, ...]
    type: LeafType
    is_list: bool
    count: int


@dataclass(frozen=True, slots=True)
class GivenTrait:
    path: tuple[str, ...]
    type: LeafType
    is_list: bool
    count: int


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """One source brought in once. `read` are lines in the files; `rows` = accepted + duplicates + rejected."""

    source: str
    file: str
    content_hash: str
    mapping_hash: str
    started: Moment
    finished: Moment
    read: int
    unreadable: int
    rows: int
    accepted: int
    duplicates: int
    rejected: int
    id: int = 0
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was set aside with its reason; `row` is the raw row as JSON text, so that it can be replayed."""

    source: str
    file: str
    line: int | None
    column: int | None
    field: str
    code: str
    reason: str
    row: str
    load: int = 0
    id: int = 0


@dataclass(frozen=True, slots=True)
class RefreshRecord:
    """One evaluation of the definitions. `sequence` is what it is complete to; `state` a folder beside the lake."""

    as_of: Moment
    sequence: int
    mode: Literal["full", "incremental", "live"]
    started: Moment
    finished: Moment
    counts: Mapping[str, int] = field(default_factory=dict)
    state: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class DefinitionVersion:
    """`since_refresh` is the first refresh that evaluated this text, 0 while none has."""

    name: str
    kind: str
    version: int
    hash: str
    text: str
    since_refresh: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the changes feed. `at` is when it became true, None if unknown; groups are empty for segments."""

    customer: str
    definition: str
    change: Literal["entered", "left", "moved"]
    from_group: str
    to_group: str
    at: Moment | None
    refresh: int
    version: int
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Interval:
    """A stay of a customer in a segment (group "") or a group. None: entered at an unknown time, or still in."""

    definition: str
    group: str
    customer: str
    entered_at: Moment | None
    left_at: Moment | None


@dataclass(frozen=True, slots=True)
class Link:
    """Evidence that a customer id and a value are one person's (room `identity`): where it was first seen, and the sequence at
    which somebody took it back."""

    id: int
    kind: str
    customer: str
    value: str
    is_known: bool
    time: Moment
    source: str
    message_id: str
    cut: int | None


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What `doctor` tells about the store. Sizes in bytes; names are relative to the project."""

    format: int
    sequence: int
    buckets: int
    ledger_bytes: int
    lake_files: int
    lake_bytes: int
    events: int
    retired_files: int
    orphans: tuple[str, ...]
    readers: int
    writer: str
    stale_writer: str
    damaged: tuple[str, ...]
    free_bytes: int
