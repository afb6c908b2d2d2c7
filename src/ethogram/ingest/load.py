"""Sources into the store: one transaction for each source, counts that add up, nothing twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
import pyarrow as pa

from ethogram.identity.recording import record
from ethogram.ingest.backfill import read_lake
from ethogram.ingest.config import Config, Source
from ethogram.ingest.mapped import Mapped
from ethogram.ingest.paths import SourceFile, files_of, opened
from ethogram.ingest.reading import Reader
from ethogram.ingest.rejects import Reject
from ethogram.ingest.shape import Shaped, shape
from ethogram.ingest.sightings import Sightings, earliest, notes_of, sightings_of
from ethogram.model.errors import DataError
from ethogram.store.records import LoadRecord, RejectedRow
from ethogram.store.store import Store
from ethogram.store.writing import Writing

Progress = Callable[[str, str, float], None]
"""Called with the source's name, what is being done, and how much of the source is done, 0 to 1."""

MAX_RAW = 8192


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What became of a source. `read` are the lines of its files, `rows` come out of its mapping or select:
    rows == accepted + duplicates + rejected. `unchanged`: the same files were loaded the same way before."""

    source: str
    files: tuple[str, ...]
    read: int
    unreadable: int
    rows: int
    accepted: int
    duplicates: int
    rejected: int
    seconds: float
    unchanged: bool = False
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        names = ("source", "files", "read", "unreadable", "rows", "accepted", "duplicates", "rejected")
        return {name: getattr(self, name) for name in names} | {
            "files": list(self.files),
            "seconds": round(self.seconds, 3),
            "unchanged": self.unchanged,
            "notes": list(self.notes),
        }


def load(
    store: Store,
    config: Config,
    sources: Sequence[str] | None = None,
    progress: Progress | None = None,
    *,
    force: bool = False,
) -> tuple[LoadReport, ...]:
    """Brings in the named sources, or all. With `force` files are read even if nothing changed since.

    Raises DataError for an unknown source, a path outside the project, a file that cannot be read at all; then nothing
    of that source is loaded, sources before it are.
    """
    names = list(config.sources) if sources is None else list(sources)
    for name in names:
        if name not in config.sources:
            known = ", ".join(config.sources) or "none yet"
            raise DataError(
                "E_SOURCE_UNKNOWN", f"there is no source {name}", field=name, hint=f"sources: {known}"
            )
    with store.writer():
        read_lake(store, config.identity)
        return tuple(
            _Load(store, config, config.sources[name], progress or _silent, force=force).run()
            for name in names
        )


def rejected(store: Store, source: str | None = None) -> Iterator[RejectedRow]:
    """Rows that are set aside, oldest first."""
    return store.memory.rejected(source)


def replay(
    store: Store, config: Config, sources: Sequence[str] | None = None, progress: Progress | None = None
) -> tuple[LoadReport, ...]:
    """Reads again, after a fix of settings or files, the sources that have rejected rows; what is accepted now is listed no more."""
    waiting = {row.source for row in rejected(store)}
    names = [name for name in (sources or config.sources) if name in waiting]
    return load(store, config, names, progress, force=True) if names else ()


def _silent(source: str, stage: str, share: float) -> None:
    return None


class _Load:
    """One source."""

    def __init__(
        self, store: Store, config: Config, source: Source, progress: Progress, *, force: bool
    ) -> None:
        self.store = store
        self.config = config
        self.source = source
        self.progress = progress
        self.force = force
        self.started = time.time_ns() // 1000

    def tell(self, stage: str, share: float) -> None:
        self.progress(self.source.name, stage, share)

    def run(self) -> LoadReport:
        files = files_of(self.config, self.source)
        mapping_hash = self.source.fingerprint(self.config.settings)
        self.tell("opening", 0.0)
        with ExitStack() as stack:
            snapshots = [stack.enter_context(opened(file)) for file in files]
            content_hash = sha256("\n".join(snapshot.sha256 for snapshot in snapshots).encode()).hexdigest()
            before = self.store.memory.loads(self.source.name)
            same = [
                load
                for load in before
                if (load.content_hash, load.mapping_hash) == (content_hash, mapping_hash)
            ]
            if same and not self.force:
                self.tell("nothing new", 1.0)
                return self.unchanged(same[-1], files)
            self.tell("reading", 0.02)
            parts, read, unreadable = Reader(self.config, self.source, self.tell).read(snapshots)
        told = LoadRecord(
            source=self.source.name,
            file="; ".join(file.label for file in files)[:4096],
            content_hash=content_hash,
            mapping_hash=mapping_hash,
            started=self.started,
            finished=0,
            read=read,
            unreadable=len(unreadable),
            rows=0,
            accepted=0,
            duplicates=0,
            rejected=0,
        )
        changed = any(load.mapping_hash != mapping_hash and load.accepted for load in before)
        return self.write(told, files, parts, unreadable, changed=changed)

    def unchanged(self, load: LoadRecord, files: Sequence[SourceFile]) -> LoadReport:
        return LoadReport(
            self.source.name,
            tuple(file.label for file in files),
            load.read,
            load.unreadable,
            load.rows,
            0,
            load.rows - load.rejected,
            load.rejected,
            time.time() - self.started / 1e6,
            unchanged=True,
        )

    # --- writing ---

    def write(
        self,
        told: LoadRecord,
        files: Sequence[SourceFile],
        parts: Sequence[Mapped],
        unreadable: Sequence[Reject],
        *,
        changed: bool,
    ) -> LoadReport:
        rows = accepted = duplicates = conflicts = 0
        in_order = sorted(unreadable, key=lambda reject: (reject.file, reject.line))
        set_aside = [self.row(reject, "") for reject in in_order]
        earlier = [row.id for row in self.store.memory.rejected(self.source.name)]
        seen: list[Sightings] = []
        with self.store.writing("load") as transaction:
            for index, part in enumerate(parts):
                self.tell("writing", 0.5 + 0.4 * index / len(parts))
                shaped = shape(part, self.source, self.config.settings, self.started, self.config.identity)
                rows += shaped.table.num_rows + len(shaped.rejected)
                set_aside += [self.row(reject, raw) for reject, raw in shaped.rejected]
                sifted = transaction.sift(shaped.table)
                fresh = sifted.fresh
                transaction.append(fresh)
                accepted += fresh.num_rows
                duplicates += int(sifted.repeated.sum())
                if _says_more_than_one_id(shaped):
                    told_of = np.ones(shaped.table.num_rows, np.bool_) if changed else ~sifted.conflicting
                    seen.append(self.sightings(shaped, pa.array(told_of)))
                if changed:
                    conflicts += int(sifted.conflicting.sum())
                else:
                    set_aside += self.conflicts(part, shaped.table, sifted.conflicting)
            duplicates += conflicts
            told = replace(
                told,
                finished=time.time_ns() // 1000,
                rows=rows,
                accepted=accepted,
                duplicates=duplicates,
                rejected=rows - accepted - duplicates,
            )
            self.record(transaction, told, set_aside, earlier)
            links = earliest([one.links for one in seen]) if seen else None
            linked = record(self.store, transaction, self.config.identity, links)
            self.tell("writing", 0.95)
        self.tell("done", 1.0)
        return LoadReport(
            self.source.name,
            tuple(file.label for file in files),
            told.read,
            told.unreadable,
            rows,
            accepted,
            duplicates,
            told.rejected,
            time.time() - self.started / 1e6,
            notes=(*_notes(conflicts, self.source.name), *notes_of(seen, linked)),
        )

    def sightings(self, shaped: Shaped, rows: pa.Array) -> Sightings:
        """Who is who in these rows, those that were there already too: links of them may be news."""
        ids = {name: texts.filter(rows) for name, texts in shaped.ids.items()}
        country = self.config.settings.country
        return sightings_of(shaped.table.filter(rows), ids, self.config.identity, country, shaped.blocked)

    def record(
        self, transaction: Writing, told: LoadRecord, rows: Sequence[RejectedRow], earlier: Sequence[int]
    ) -> None:
        """What an earlier load set aside was read again now: it is listed anew, or it was brought in."""
        number = transaction.record_load(told)
        if earlier:
            transaction.mark_replayed(earlier)
        if rows:
            transaction.reject(number, rows)

    def conflicts(
        self, part: Mapped, table: pa.Table, mask: np.ndarray[tuple[int], np.dtype[np.bool_]]
    ) -> list[RejectedRow]:
        if not mask.any():
            return []
        ids = table["message_id"].filter(pa.array(mask)).to_pylist()
        places = {
            name: index for index, name in enumerate(part.roles["message_id"].cast(pa.string()).to_pylist())
        }
        position, column = part.place("message_id")
        indices = [places.get(name, 0) for name in ids]
        reason = "a row with this message id and other content is there already; the first is kept"
        return [
            self.row(
                Reject(
                    part.files[part.file[index]],
                    int(part.line[index]),
                    position,
                    column,
                    "E_DUP_CONFLICT",
                    reason,
                ),
                raw,
            )
            for index, raw in zip(indices, part.raw(indices), strict=True)
        ]

    def row(self, reject: Reject, raw: str) -> RejectedRow:
        return RejectedRow(
            self.source.name, reject.file, reject.line, reject.column or None, reject.field, reject.code, reject.reason,
            raw if len(raw) <= MAX_RAW else "",
        )  # fmt: skip


def _says_more_than_one_id(shaped: Shaped) -> bool:
    anonymous = shaped.table["anonymous"]
    return bool(shaped.ids or shaped.blocked) or anonymous.null_count < len(anonymous)


def _notes(conflicts: int, source: str) -> tuple[str, ...]:
    if not conflicts:
        return ()
    return (
        f"{conflicts:,} rows are there already as an earlier version of source {source} understood them; those are kept. "
        "To have them as they are understood now, give the source a new name in a new project folder and load again.",
    )
