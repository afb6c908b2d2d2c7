"""Mapped rows to the lake's events: every row is an event or a rejected row with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.identity.rules import Rules
from ethogram.ingest.config import IDS, KINDS, Source
from ethogram.ingest.mapped import Mapped
from ethogram.ingest.rejects import Reject, shown
from ethogram.ingest.sightings import blocked_in
from ethogram.ingest.times import DAY, EARLIEST, parse_texts, to_utc
from ethogram.model.errors import DataError
from ethogram.model.settings import Settings
from ethogram.store.leaves import BASE_SCHEMA
from ethogram.store.paths import leaf_of

MAX_ID = 256
MAX_NAME = 256
MAX_TEXT = 8192
_Mask = npt.NDArray[np.bool_]
_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shaped:
    """`table` in the lake's layout; `rejected` with the raw row as JSON text. `ids` say who the rows' people are, by
    their names in settings, beside the ids that events come under; `blocked` customer ids were placeholders."""

    table: pa.Table
    rejected: list[tuple[Reject, str]]
    ids: Mapping[str, pa.Array]
    blocked: int


def shape(mapped: Mapped, source: Source, settings: Settings, load_time: int, rules: Rules) -> Shaped:
    """`load_time` in microseconds: later than a day after it is implausible."""
    return _Shaper(mapped, source, settings, load_time, rules).shaped()


class _Shaper:
    def __init__(
        self, mapped: Mapped, source: Source, settings: Settings, load_time: int, rules: Rules
    ) -> None:
        self.mapped = mapped
        self.source = source
        self.country, self.rules = settings.country, rules
        self.timezone = source.timezone or settings.timezone
        self.load_time = load_time
        self.size = len(mapped.line)
        self.fine: _Mask = np.ones(self.size, np.bool_)
        self.rejected: list[tuple[int, Reject]] = []
        self.blocked = 0

    def shaped(self) -> Shaped:
        customer, identified, anonymous = self.who()
        kind = self.kinds()
        event = self.names(kind)
        time = self.times()
        message_id = self.text("message_id", MAX_ID)
        self.refuse("message_id", _missing(message_id), "E_MESSAGE_ID_EMPTY", "no message id")
        account = self.text("account", MAX_ID)
        ids = {name: self.text(f"ids.{name}", MAX_ID) for name in IDS if f"ids.{name}" in self.mapped.roles}
        ids = {name: texts for name, texts in ids.items() if texts.null_count < self.size}
        leaves, bad_values = self.mapped.leaves()
        for bad in bad_values:
            code = "E_NUMBER_NONFINITE" if bad.code == "E_NUMBER" else bad.code
            self.refuse(bad.path[0], bad.rows, code, bad.reason, ".".join(bad.path))
        for name in leaves.column_names:
            self.check_leaf(name, leaves[name])
        base = [
            customer,
            identified,
            anonymous,
            account,
            kind,
            event,
            time,
            message_id,
            self.constant(self.source.name),
        ]
        table = pa.table([*base, *leaves.columns], names=[*BASE_SCHEMA.names, *leaves.column_names])
        if not self.fine.all():
            table = table.filter(pa.array(self.fine))
        fields = [*BASE_SCHEMA, *(table.schema.field(name) for name in leaves.column_names)]
        raws = self.mapped.raw([index for index, _ in self.rejected]) if self.rejected else []
        rejected = [(reject, raw) for (_, reject), raw in zip(self.rejected, raws, strict=True)]
        if not self.fine.all():
            ids = {name: texts.filter(pa.array(self.fine)) for name, texts in ids.items()}
        return Shaped(table.cast(pa.schema(fields)), rejected, ids, self.blocked)

    def who(self) -> tuple[pa.Array, pa.Array, pa.Array]:
        customer, anonymous = self.text("customer", MAX_ID), self.text("anonymous", MAX_ID)
        if {"customer", "anonymous"} <= self.mapped.roles.keys():
            nobody = pc.and_(blocked_in(customer, self.rules), pc.is_valid(anonymous))
            self.blocked = pc.sum(nobody).as_py() or 0
            customer = pc.if_else(nobody, None, customer)
        identified = pc.is_valid(customer)
        effective = pc.coalesce(customer, anonymous)
        name = "customer" if "customer" in self.mapped.roles else "anonymous"
        self.refuse(name, _missing(effective), "E_CUSTOMER_EMPTY", "no customer")
        return effective, identified, anonymous

    def kinds(self) -> pa.Array:
        given = self.text("kind", MAX_NAME)
        known = pc.is_in(given, pa.array(list(KINDS)))
        self.refuse(
            "kind",
            _flags(pc.and_(pc.is_valid(given), pc.invert(known))),
            "E_KIND",
            "no kind of record; " + ", ".join(KINDS) + " are",
        )
        return pc.coalesce(given, self.constant(self.source.kind))

    def names(self, kind: pa.Array) -> pa.Array:
        names = self.text("event", MAX_NAME, normalize=False)
        needed = _flags(pc.equal(kind, "track"))
        self.refuse("event", needed & _missing(names), "E_EVENT_EMPTY", "no event name")
        return pc.fill_null(names, "")

    def times(self) -> pa.Array:
        values = self.mapped.roles.get("time")
        if values is None:
            raise DataError("E_COLUMN_MISSING", f"source {self.source.name} has no time", field="time")
        micros, ok = self.moments(values)
        known = _flags(pc.is_valid(values))
        self.refuse("time", ~known, "E_TIME_MISSING", "no time")
        wrong = known & ~ok & self.fine
        for index in np.flatnonzero(wrong).tolist():
            self.refuse_row("time", index, "E_TIME", f"{shown(str(values[index].as_py()))} is not a time")
        self.fine &= ~wrong
        odd = ok & ((micros < EARLIEST) | (micros > self.load_time + DAY))
        for index in np.flatnonzero(odd & self.fine).tolist():
            self.refuse_row(
                "time",
                index,
                "E_TIME_IMPLAUSIBLE",
                f"{_iso(int(micros[index]))} is before 1990 or in the future",
            )
        self.fine &= ~odd
        return pa.array(micros, pa.int64(), mask=~ok).cast(pa.timestamp("us"))

    def moments(self, values: pa.Array) -> tuple[_Ints, _Mask]:
        """Microseconds UTC and where they are known."""
        kind = values.type
        if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            zoned = pa.types.is_timestamp(kind) and kind.tz is not None
            wall = values.cast(pa.timestamp("us", kind.tz if zoned else None), safe=False).cast(pa.int64())
            ok = _flags(pc.is_valid(wall))
            micros: _Ints = wall.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
            if not zoned:
                micros = np.where(ok, micros, EARLIEST)
                micros = to_utc(micros, self.timezone)
            return micros, ok
        if not (
            pa.types.is_string(kind)
            or pa.types.is_integer(kind)
            or pa.types.is_decimal(kind)
            or pa.types.is_floating(kind)
        ):
            raise DataError(
                "E_COLUMN_TYPE",
                f"column {self.mapped.place('time')[1]} has the type {kind}, which is no time",
                field="time",
            )
        coded = as_text(values).dictionary_encode()
        parsed = parse_texts(coded.dictionary, self.source.time_format if not self.source.select else "")
        if not parsed.ok.all() and self.source.time_format:
            parsed = parse_texts(coded.dictionary)
        wall_clock = np.where(parsed.ok, parsed.micros, EARLIEST)
        utc = np.where(parsed.zoned, wall_clock, to_utc(wall_clock, self.timezone))
        indices = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        if not len(utc):
            return np.zeros(self.size, np.int64), np.zeros(self.size, np.bool_)
        return utc[indices], parsed.ok[indices] & (indices >= 0)

    def text(self, role: str, limit: int, *, normalize: bool = True) -> pa.Array:
        """A role's column as trimmed text, empty as null; what is too long or holds NUL is refused."""
        values = self.mapped.roles.get(role)
        if values is None:
            return pa.nulls(self.size, pa.string())
        texts = pc.utf8_trim_whitespace(as_text(values))
        if normalize:
            texts = pc.utf8_normalize(texts, form="NFC")
        texts = pc.if_else(pc.equal(texts, ""), None, texts)
        long = _flags(pc.greater(pc.utf8_length(texts), limit))
        self.refuse(role, long, "E_TEXT_TOO_LONG", f"more than {limit} characters")
        self.refuse(role, _flags(pc.match_substring(texts, "\0")), "E_TEXT_NUL", "a NUL character")
        return texts

    def check_leaf(self, name: str, column: pa.ChunkedArray) -> None:
        if leaf_of(name) is None:
            return
        field = name.split(":", 1)[1].rsplit(":", 1)[0]
        array = column.combine_chunks()
        values = array.flatten() if pa.types.is_list(array.type) else array
        if not pa.types.is_string(values.type) or not len(values):
            return
        for bad, code, reason in (
            (
                pc.greater(pc.binary_length(values), MAX_TEXT),
                "E_TEXT_TOO_LONG",
                f"a text of more than {MAX_TEXT} bytes",
            ),
            (pc.match_substring(values, "\0"), "E_TEXT_NUL", "a NUL character"),
        ):
            mask = _flags(bad)
            if mask.any() and pa.types.is_list(array.type):
                parents = pc.list_parent_indices(array).to_numpy(zero_copy_only=False)[mask]
                mask = np.zeros(self.size, np.bool_)
                mask[parents] = True
            if mask.any():
                self.refuse(field.split(".")[0], mask, code, reason, field)

    def refuse(self, role: str, bad: _Mask, code: str, reason: str, field: str = "") -> None:
        for index in np.flatnonzero(bad & self.fine).tolist():
            self.refuse_row(role, index, code, reason, field)
        self.fine &= ~bad

    def refuse_row(self, role: str, index: int, code: str, reason: str, field: str = "") -> None:
        position, column = self.mapped.place(role)
        file = self.mapped.files[self.mapped.file[index]]
        told = f"{reason} (column {column})" if column and column != (field or role) else reason
        reject = Reject(file, int(self.mapped.line[index]), position, field or role, code, told)
        self.rejected.append((index, reject))

    def constant(self, text: str) -> pa.Array:
        return pa.array([text], pa.string()).take(pa.array(np.zeros(self.size, np.int64)))


def as_text(values: pa.Array) -> pa.Array:
    """Ids as people write them: a whole number without `.0`, whatever number type it came as."""
    kind = values.type
    if pa.types.is_string(kind):
        return values
    if pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        return pa.array([_number_text(value) for value in values.to_pylist()], pa.string())
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        raise DataError("E_COLUMN_TYPE", f"a column of the type {kind} is neither text nor number")
    return values.cast(pa.string())


def _number_text(value: object) -> str | None:
    if value is None or value != value:
        return None
    text = f"{value:f}" if not isinstance(value, float) else repr(value)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def _missing(array: pa.Array) -> _Mask:
    return ~_flags(pc.is_valid(array))


def _flags(array: pa.Array) -> _Mask:
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    result: _Mask = array.fill_null(False).to_numpy(zero_copy_only=False).astype(np.bool_)
    return result


def _iso(micros: int) -> str:
    try:
        return datetime.fromtimestamp(micros / 1_000_000, UTC).strftime("%Y-%m-%d")
    except (ValueError, OverflowError, OSError):
        return "the time"
