"""Reading what refreshes recorded, and asking the same questions of any other moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ethogram.engines.answers import BucketAnswers, Evaluator
from ethogram.language.spelling import did_you_mean, listing
from ethogram.membership import record
from ethogram.membership.examine import slice_of
from ethogram.membership.layers import Columns, Recorded, Slice, columns_of
from ethogram.membership.stays import OUT
from ethogram.model.errors import DataError, DefinitionError
from ethogram.model.event import Moment
from ethogram.model.settings import Settings
from ethogram.store import RefreshRecord, Store

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# --- moments --------------------------------------------------------------------------------------------------------


def a_month_before(moment: Moment, settings: Settings) -> Moment:
    """The same local time a month before, or the end of a day that month has not got moved to its last day."""
    local = _local(moment, settings)
    last = local.replace(day=1) - timedelta(days=1)
    return _moment(last.replace(day=min(local.day, last.day)))


def midnights(until: Moment, days: int, settings: Settings) -> tuple[Moment, ...]:
    """The local midnights of so many days before a moment, and the moment itself."""
    today = _local(until, settings).date()
    zone = ZoneInfo(settings.timezone)
    starts = [_midnight(today - timedelta(days=back), zone) for back in range(days - 1, -1, -1)]
    return (*(start for start in starts if start < until), until)


def _local(moment: Moment, settings: Settings) -> datetime:
    return (_EPOCH + timedelta(microseconds=moment)).astimezone(ZoneInfo(settings.timezone))


def _midnight(day: date, zone: ZoneInfo) -> Moment:
    return _moment(datetime(day.year, day.month, day.day, tzinfo=zone))


def _moment(when: datetime) -> Moment:
    return (when.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def newest_moment(store: Store) -> Moment:
    """The time of the newest record of any kind: what `now` means. Raises DataError E_NO_EVENTS in an empty project."""
    with store.snapshot() as snapshot:
        newest = max((file.max_time for file in snapshot.files), default=None)
    if newest is None:
        raise DataError("E_NO_EVENTS", "there are no events yet", hint="`ethogram load` brings events in.")
    return newest


# --- what was recorded ----------------------------------------------------------------------------------------------


def require_refresh(store: Store) -> RefreshRecord:
    """The last refresh. Raises DataError E_NOT_REFRESHED before the first."""
    refresh = record.last_refresh(store)
    if refresh is None:
        raise DataError("E_NOT_REFRESHED", "nothing was evaluated yet", hint="`ethogram refresh` does it.")
    return refresh


@dataclass(frozen=True, slots=True)
class Shown:
    """Answers of some moment, bucket by bucket, from the record or evaluated for the purpose.

    Yields a bucket, its customers and their answers.
    """

    as_of: Moment
    columns: Columns
    buckets: Iterator[tuple[int, pa.StringArray, Slice]]


def shown(store: Store, engine: Evaluator, as_of: Moment | None) -> Shown:
    """The answers recorded last, or those of `as_of`."""
    if as_of is not None:
        return Shown(as_of, columns_of(engine), _evaluated(engine, as_of))
    refresh = require_refresh(store)
    recorded = record.recorded_answers(store, refresh)
    return Shown(refresh.as_of, recorded.columns, _recorded(recorded, store.buckets))


def _evaluated(engine: Evaluator, as_of: Moment) -> Iterator[tuple[int, pa.StringArray, Slice]]:
    for answers in engine.evaluate(as_of, traits=()):
        yield answers.bucket, _customers(engine, answers), slice_of(answers)


def _recorded(recorded: Recorded, buckets: int) -> Iterator[tuple[int, pa.StringArray, Slice]]:
    for bucket in range(buckets):
        yield bucket, recorded.customers(bucket), recorded.everyone(bucket)


def _customers(engine: Evaluator, answers: BucketAnswers) -> pa.StringArray:
    return engine.roster(answers.bucket).take(pa.array(answers.positions))


# --- segments -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SegmentLine:
    """A segment, or a group of a segmentation. `before` is its size at the moment compared with; `revenue_share` None where

    no trait tells revenue.
    """

    name: str
    kind: Literal["segment", "group"]
    segmentation: str
    size: int
    share: float
    revenue_share: float | None
    before: int | None

    @property
    def change(self) -> int | None:
        return None if self.before is None else self.size - self.before

    @property
    def full_name(self) -> str:
        return f"{self.segmentation}.{self.name}" if self.segmentation else self.name

    def as_json(self) -> dict[str, object]:
        line: dict[str, object] = {
            "name": self.name,
            "kind": self.kind,
            "size": self.size,
            "share": self.share,
        }
        if self.segmentation:
            line["segmentation"] = self.segmentation
        return line | {"revenue_share": self.revenue_share, "before": self.before, "change": self.change}


@dataclass(frozen=True, slots=True)
class SegmentListing:
    as_of: Moment
    compared_with: Moment | None
    customers: int
    lines: tuple[SegmentLine, ...]


def segments(
    store: Store,
    engine: Evaluator,
    *,
    as_of: Moment | None = None,
    before: Moment | None = None,
    revenue: Evaluator | None = None,
) -> SegmentListing:
    """Sizes as recorded last, or of `as_of`; compared with those of `before`. `revenue` answers one trait, a number."""
    found = shown(store, engine, as_of)
    revenues = _Revenue(revenue, found.as_of)
    names = _names(found.columns)
    sizes = dict.fromkeys(names, 0)
    sums = dict.fromkeys(names, 0.0)
    customers, total = 0, 0.0
    for bucket, roster, answers in found.buckets:
        worth = revenues.of(bucket, roster)
        customers += int(np.count_nonzero(answers.known))
        total += float(worth.sum())
        for name, inside in _inside(found.columns, answers):
            sizes[name] += int(np.count_nonzero(inside))
            sums[name] += float(worth[inside].sum())
    earlier = engine.sizes([before]) if before is not None else {}
    lines = tuple(
        SegmentLine(
            name=group or definition,
            kind="group" if group else "segment",
            segmentation=definition if group else "",
            size=size,
            share=size / customers if customers else 0.0,
            revenue_share=sums[definition, group] / total if revenue and total else None,
            before=_before(earlier, definition, group),
        )
        for (definition, group), size in sizes.items()
    )
    return SegmentListing(found.as_of, before, customers, lines)


def _before(sizes: Mapping[str, NDArray[np.int64]], definition: str, group: str) -> int | None:
    found = sizes.get(f"{definition}.{group}" if group else definition)
    return None if found is None else int(found[0])


def _names(columns: Columns) -> list[tuple[str, str]]:
    segments = [(name, "") for name in columns.segments]
    return segments + [(name, group) for name, groups in columns.segmentations for group in groups]


def _inside(columns: Columns, answers: Slice) -> Iterator[tuple[tuple[str, str], NDArray[np.bool_]]]:
    for row, name in enumerate(columns.segments):
        yield (name, ""), answers.flags[row]
    for row, (name, groups) in enumerate(columns.segmentations):
        for index, group in enumerate(groups):
            yield (name, group), answers.groups[row] == index


class _Revenue:
    """What each customer is worth, bucket by bucket in order; nothing where nobody is asked."""

    def __init__(self, engine: Evaluator | None, as_of: Moment) -> None:
        self._engine = engine
        self._answers = engine.evaluate(as_of) if engine else iter(())

    def of(self, bucket: int, roster: pa.StringArray) -> NDArray[np.float64]:
        if self._engine is None or not len(roster):
            return np.zeros(len(roster))
        answers = next(answers for answers in self._answers if answers.bucket == bucket)
        places = pc.index_in(roster, value_set=_customers(self._engine, answers))
        (trait,) = answers.traits.values()
        values = trait.take(places).cast(pa.float64())
        worth: NDArray[np.float64] = values.fill_null(0).to_numpy(zero_copy_only=False)
        return worth


# --- members --------------------------------------------------------------------------------------------------------


def members(
    store: Store, engine: Evaluator, name: str, *, as_of: Moment | None = None, columns: Sequence[str] = ()
) -> pa.Table:
    """Who is in a segment, in `segmentation.group`, or, with the column `group`, in any group of a segmentation.

    Sorted by customer. `since` is null where it is not known. `columns` are traits, segments, segmentations and groups by
    name, as of the same moment.
    """
    found = shown(store, engine, as_of)
    definition, group = find(found.columns, name)
    reader = _Columns(engine, found.as_of, columns)
    tables = []
    for bucket, roster, answers in found.buckets:
        groups = _groups(found.columns, answers, definition)
        inside = np.flatnonzero(groups != OUT)
        if group:
            inside = np.flatnonzero(groups == found.columns.groups(definition).index(group))
        customers = roster.take(pa.array(inside))
        table = {"customer": customers}
        if not group and definition not in found.columns.segments:
            table["group"] = pa.array(found.columns.groups(definition)).take(pa.array(groups[inside]))
        tables.append(pa.table(table | reader.of(bucket, customers)))
    whole = pa.concat_tables(tables).sort_by("customer")
    return _with_since(store, whole, definition, group, found.as_of, is_recorded=as_of is None)


def find(columns: Columns, name: str) -> tuple[str, str]:
    """A definition and one of its groups, or no group."""
    definition, _, group = name.partition(".")
    names = [*columns.segments, *(segmentation for segmentation, _ in columns.segmentations)]
    if definition not in names or (group and definition in columns.segments):
        raise unknown(name, names, "segment or segmentation")
    if group and group not in columns.groups(definition):
        raise unknown(group, columns.groups(definition), f"group of {definition}")
    return definition, group


def unknown(name: str, known: Sequence[str], kind: str) -> DefinitionError:
    hint = f"There are: {listing(known)}. {did_you_mean(name, known)}".strip()
    hint += " A new definition is there after `ethogram refresh`." if kind != "trait" else ""
    return DefinitionError("E_UNKNOWN_NAME", f"there is no {kind} named '{name}'", hint=hint)


def _groups(columns: Columns, answers: Slice, definition: str) -> NDArray[np.int16]:
    if definition in columns.segments:
        return np.where(answers.flags[columns.segments.index(definition)], 0, OUT).astype(np.int16)
    row = [name for name, _ in columns.segmentations].index(definition)
    return np.asarray(answers.groups[row], dtype=np.int16)


class _Columns:
    """The columns asked for, of the customers at hand, evaluated bucket by bucket."""

    def __init__(self, engine: Evaluator, as_of: Moment, names: Sequence[str]) -> None:
        self._engine, self._as_of, self._names = engine, as_of, names
        self._columns = columns_of(engine)
        self._traits = tuple(name for name in names if name in engine.traits)
        for name in names:
            if name not in self._traits:
                known = (*engine.traits, *self._columns.segments, *engine.segmentations)
                if name.partition(".")[0] not in known:
                    raise unknown(name, known, "trait")
                find(self._columns, name)

    def of(self, bucket: int, customers: pa.StringArray) -> dict[str, pa.Array]:
        if not self._names:
            return {}
        places = pc.index_in(customers, value_set=self._engine.roster(bucket)).to_numpy(zero_copy_only=False)
        order = np.argsort(places)
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        asked = {bucket: places[order].astype(np.int64)}
        (answers,) = self._engine.evaluate(self._as_of, asked, traits=self._traits)
        slice_ = slice_of(answers)
        return {name: self._column(name, answers, slice_).take(pa.array(back)) for name in self._names}

    def _column(self, name: str, answers: BucketAnswers, slice_: Slice) -> pa.Array:
        if name in self._traits:
            return answers.traits[name]
        definition, group = find(self._columns, name)
        groups = _groups(self._columns, slice_, definition)
        if definition in self._columns.segments:
            return pa.array(groups != OUT)
        names = self._columns.groups(definition)
        if group:
            return pa.array(groups == names.index(group))
        return pa.array(names).take(pa.array(groups, mask=groups == OUT))


def _with_since(
    store: Store, table: pa.Table, definition: str, group: str, as_of: Moment, *, is_recorded: bool
) -> pa.Table:
    """The column after `customer`: since when, if the record goes back so far."""
    refresh = record.last_refresh(store)
    version = record.read_book(store).versions.get(definition)
    within = refresh is not None and version is not None and version.begins <= as_of <= refresh.as_of
    entered: dict[str, Moment] = {}
    if is_recorded or within:
        stays = store.memory.intervals(definition=definition, group=group or None, at=as_of)
        entered = {stay.customer: stay.entered_at for stay in stays if stay.entered_at is not None}
    moments = [entered.get(customer) for customer in table["customer"].to_pylist()]
    return table.add_column(1, "since", pa.array(moments, pa.int64()).cast(pa.timestamp("us", "UTC")))
