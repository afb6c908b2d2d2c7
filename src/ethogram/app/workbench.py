"""A project and what its verbs need, each made when it is first asked for. The command line and `Project` work on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

if TYPE_CHECKING:
    import pyarrow as pa

    from ethogram.engines.engine import Engine
    from ethogram.identity.person import Person
    from ethogram.identity.recording import Recorded
    from ethogram.ingest.config import Config
    from ethogram.ingest.load import LoadReport
    from ethogram.insight.compare import Comparison
    from ethogram.language.catalog import DataCatalog
    from ethogram.language.findings import Finding
    from ethogram.language.tree import Definitions, Expression
    from ethogram.language.trials import TrialResult
    from ethogram.membership.explain import Explanation
    from ethogram.membership.over_time import Flow, History
    from ethogram.membership.plan import Count, Plan
    from ethogram.membership.reading import SegmentListing
    from ethogram.membership.refresh import RefreshReport
    from ethogram.membership.staleness import Staleness
    from ethogram.membership.verify import Verification
    from ethogram.model.event import Moment
    from ethogram.model.settings import Settings
    from ethogram.store.records import Link, RejectedRow
    from ethogram.store.store import Store

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told how far a long work is: a label, the part done, the whole."""


REVENUE = "_revenue"
"""A name that no definition can take away: names begin with a letter there."""


def silent(label: str, done: int, whole: int) -> None:
    """No progress shown."""


class Workbench:
    """One project folder. Reads settings and definitions once; make a new one after an edit."""

    def __init__(self, folder: Path, progress: Progress = silent) -> None:
        self.folder = folder.resolve()
        self.progress = progress

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if "store" in self.__dict__:
            self.store.close()

    # --- what there is ---

    @cached_property
    def config(self) -> Config:
        from ethogram.ingest.config import read_config

        return read_config(self.folder)

    @property
    def settings(self) -> Settings:
        return self.config.settings

    @cached_property
    def definitions(self) -> Definitions:
        """As they are on disk now."""
        from ethogram.language.files import load_definitions

        self.config  # noqa: B018  a folder that is no project says so first
        return load_definitions(self.folder)

    @cached_property
    def store(self) -> Store:
        """What was loaded and answered. Raises DataError E_NO_STORE before the first load."""
        from ethogram.store.store import Store

        self.config  # noqa: B018
        return Store.open(self.folder)

    @cached_property
    def lists(self) -> Mapping[str, frozenset[str]]:
        from ethogram.app.people import people_of

        return people_of(self.definitions, self.folder)

    @cached_property
    def catalog(self) -> DataCatalog | None:
        """What the loaded data holds; None before the first load."""
        from ethogram.app.seen import seen_data
        from ethogram.model.errors import DataError

        try:
            return seen_data(self.store, self.definitions)
        except DataError as error:
            if error.code == "E_NO_STORE":
                return None
            raise

    def moment(self, text: str) -> Moment | None:
        """`2011-11-09`, `2011-11-09 18:30` or with an offset; None for no text. Raises DataError E_DATE."""
        from zoneinfo import ZoneInfo

        from ethogram.language.meaning.local_time import parse_moment
        from ethogram.model.errors import DataError

        if not text:
            return None
        found = parse_moment(ZoneInfo(self.settings.timezone), text)
        if found is None:
            hint = "Write 2011-11-09, or '2011-11-09 18:30'."
            raise DataError("E_DATE", f"'{text}' is no date or time", hint=hint)
        return found

    # --- Start ---

    def load(self, sources: Sequence[str] | None = None) -> tuple[LoadReport, ...]:
        from ethogram.ingest.load import load

        return load(self._writable_store(), self.config, sources, self._load_progress)

    def _writable_store(self) -> Store:
        from ethogram.store.store import Store

        if "store" not in self.__dict__:
            self.config  # noqa: B018
            self.__dict__["store"] = Store.open(self.folder, create=True)
        return self.store

    def _load_progress(self, source: str, stage: str, share: float) -> None:
        self.progress(source, round(share * 1000), 1000)

    # --- engines ---

    def engine(
        self,
        definitions: Definitions | None = None,
        names: Sequence[str] | None = None,
        extra: Mapping[str, Expression] | None = None,
    ) -> Engine:
        """Ready to answer these definitions, or those on disk once they are sound, and `extra` values."""
        from ethogram.engines.engine import Engine
        from ethogram.kernel.compiling import is_compiled

        engine = Engine(
            self.store,
            definitions or self.sound_definitions(),
            self.settings,
            self.lists,
            names=names,
            extra=extra,
            progress=lambda done, whole: self.progress("Preparing", done, whole),
            asking=lambda done, whole: self.progress("Evaluating", done, whole),
        )
        if not is_compiled():
            self.progress("Compiling, once on this machine", 0, 1)
            engine.compile()
            self.progress("Compiling, once on this machine", 1, 1)
        return engine

    def with_revenue(self) -> tuple[Definitions, str]:
        """The definitions, and a trait that adds up what `revenue` in ethogram.toml names ("" if it names nothing)."""
        from dataclasses import replace

        from ethogram.language.checker import check_expression, require_sound
        from ethogram.language.parser import parse_expression
        from ethogram.language.tree import Trait

        definitions = self.sound_definitions()
        if not self.config.revenue:
            return definitions, ""
        worth = parse_expression(f"sum({self.config.revenue})", file="ethogram.toml")
        require_sound(check_expression(worth, definitions, self.settings, self.catalog))
        return replace(definitions, traits={**definitions.traits, REVENUE: Trait(REVENUE, worth)}), REVENUE

    # --- Look ---

    def segments(self, as_of: str = "", before: str = "") -> SegmentListing:
        """As recorded last or as of a moment, compared with a month before."""
        from ethogram.membership import reading

        definitions, revenue = self.with_revenue()
        asked = self.moment(as_of)
        moment = asked if asked is not None else reading.require_refresh(self.store).as_of
        earlier = self.moment(before) if before else reading.a_month_before(moment, self.settings)
        engine = self.engine(definitions, [*definitions.segments, *definitions.segmentations])
        worth = self.engine(definitions, [revenue]) if revenue else None
        return reading.segments(self.store, engine, as_of=asked, before=earlier, revenue=worth)

    def count(self, expression: str, as_of: str = "") -> Count:
        from ethogram.membership.plan import count

        definitions = self.sound_definitions()
        return count(
            self.store,
            lambda asked: self.engine(asked, [*asked.segments][-1:]),
            definitions,
            self.settings,
            expression,
            as_of=self.now(as_of),
            catalog=self.catalog,
        )

    def members(self, name: str, as_of: str = "", columns: Sequence[str] = ()) -> pa.Table:
        from ethogram.app.naming import refuse_expression
        from ethogram.membership import reading

        refuse_expression(name)
        return reading.members(self.store, self.engine(), name, as_of=self.moment(as_of), columns=columns)

    def explain(self, customer: str, names: Sequence[str] = (), as_of: str = "") -> tuple[Explanation, ...]:
        from ethogram.membership.explain import explain

        definitions = self.sound_definitions()
        return explain(
            self.store,
            definitions,
            self.settings,
            customer,
            names,
            as_of=self.now(as_of),
            lists=self.lists,
            engine_for=self.engine,
        )

    def compare(self, names: Sequence[str], as_of: str = "") -> Comparison:
        """Raises DefinitionError for a name that is no segment or group, or where there are not two."""
        from ethogram.app.naming import require_members
        from ethogram.insight.compare import compare

        definitions = self.sound_definitions()
        require_members(definitions, names)
        return compare(self.engine(definitions), names, self.now(as_of))

    def history(self, name: str, days: int) -> History:
        from ethogram.app.naming import refuse_expression
        from ethogram.membership.over_time import history
        from ethogram.membership.reading import midnights

        refuse_expression(name)
        definitions = self.sound_definitions()
        engine = self.engine(definitions, (name.partition(".")[0],) if self._is_answer(name) else None)
        return history(self.store, engine, name, midnights(self.now(), days, self.settings))

    def flow(self, segmentation: str, since: str = "", until: str = "") -> Flow:
        from ethogram.app.naming import require_segmentation
        from ethogram.membership.over_time import flow
        from ethogram.membership.reading import a_month_before

        require_segmentation(self.sound_definitions(), segmentation)
        end = self.now(until)
        start = self.moment(since)
        if start is None:
            start = a_month_before(end, self.settings)
        return flow(self.engine(None, (segmentation,)), segmentation, start, end)

    def _is_answer(self, name: str) -> bool:
        definitions = self.sound_definitions()
        return name.partition(".")[0] in {**definitions.segments, **definitions.segmentations}

    def now(self, text: str = "") -> Moment:
        """The moment asked for, else that of the last refresh, else that of the newest event."""
        from ethogram.membership.record import last_refresh

        asked = self.moment(text)
        if asked is not None:
            return asked
        refresh = last_refresh(self.store)
        return refresh.as_of if refresh else self.newest()

    def newest(self) -> Moment:
        """The moment of the newest event. Raises DataError E_NO_EVENTS."""
        from ethogram.membership.reading import newest_moment

        return newest_moment(self.store)

    def has_refreshed(self) -> bool:
        from ethogram.membership.record import last_refresh

        return last_refresh(self.store) is not None

    def month_before_newest(self) -> str:
        """As `--as-of` takes it."""
        from ethogram.app.render import at
        from ethogram.membership.reading import a_month_before

        before = a_month_before(self.newest(), self.settings)
        return f"{at(before, self.settings.timezone):%Y-%m-%d %H:%M}"

    def titles(self) -> Mapping[str, str]:
        """What definitions and groups are called where people read them, by full name."""
        definitions = self.definitions
        found = {name: segment.title for name, segment in definitions.segments.items()}
        for name, segmentation in definitions.segmentations.items():
            found |= {f"{name}.{group.name}": group.title for group in segmentation.groups}
        return {name: title for name, title in found.items() if title}

    def edited(self) -> tuple[str, ...]:
        """Segments and segmentations that are other ones on disk than in the last refresh."""
        from ethogram.membership.record import read_book
        from ethogram.membership.versions import edits_between, identities

        book = read_book(self.store)
        edits = edits_between(book.identities, identities(self.definitions, self.settings, self.lists))
        return tuple(sorted(edits.new | edits.edited | edits.removed))

    # --- Run ---

    def refresh(self, *, full: bool = False, as_of: str = "") -> RefreshReport:
        from ethogram.membership.refresh import refresh

        definitions = self.sound_definitions()
        store = self.store
        return refresh(
            store,
            self.engine(definitions),
            definitions,
            self.settings,
            lists=self.lists,
            as_of=self.moment(as_of),
            full=full,
            publish=True,
            progress=self.progress,
            engine_for=self.engine,
        )

    # --- Define ---

    def check(self) -> tuple[Finding, ...]:
        """Errors first, then warnings; raises what keeps the files from being read at all."""
        return self._findings

    @cached_property
    def _findings(self) -> tuple[Finding, ...]:
        from ethogram.language.checker import check

        return check(self.definitions, self.settings, self.catalog)

    def only_unknown(self) -> dict[str, tuple[int, int]]:
        """For segments in which an unknown value may put somebody: members, and those in only because of one."""
        from dataclasses import replace

        from ethogram.language.certainty import only_unknown

        definitions = self.sound_definitions()
        doubtful = {name: only_unknown(one.when, definitions) for name, one in definitions.segments.items()}
        asked = {name: when for name, when in doubtful.items() if when is not None}
        if not asked:
            return {}
        extra = {f"{name} unknown": replace(definitions.segments[name], when=asked[name]) for name in asked}
        known = replace(definitions, segments={**definitions.segments, **extra})
        sizes = self.engine(known, names=[*asked, *extra]).sizes([self.newest()])
        return {name: (int(sizes[name][0]), int(sizes[f"{name} unknown"][0])) for name in asked}

    def sound_definitions(self) -> Definitions:
        """The definitions, once the check has found no error in them. Raises Problems."""
        from ethogram.language.checker import require_sound

        require_sound(self.check())
        return self.definitions

    def test(self, names: Sequence[str] = ()) -> tuple[TrialResult, ...]:
        """The definitions' own tests. Raises DefinitionError for a name that nothing defines."""
        from ethogram.language.names import require
        from ethogram.language.trials import run_tests

        definitions = self.sound_definitions()
        for name in names:
            require(definitions, name)
        return tuple(
            result
            for result in run_tests(definitions, self.settings)
            if not names or result.definition in names
        )

    def plan(self) -> Plan:
        from ethogram.membership.plan import plan

        definitions = self.sound_definitions()
        return plan(self.store, self.engine(definitions), definitions, self.settings, lists=self.lists)

    # --- Operate ---

    def verify(self, customers: Sequence[str] = (), *, sample: int, seed: int) -> Verification:
        from ethogram.membership.verify import verify

        definitions = self.sound_definitions()
        return verify(
            self.store,
            self.engine(definitions),
            definitions,
            self.settings,
            lists=self.lists,
            sample=sample,
            seed=seed,
            customers=customers,
            engine_for=self.engine,
            progress=self.progress,
        )

    def identity(self, customer: str) -> Person:
        from ethogram.identity.person import person_of

        return person_of(self.store, customer, self.config.identity)

    def unmerge(
        self, links: Sequence[int], *, is_restored: bool = False
    ) -> tuple[tuple[Link, ...], Recorded]:
        from ethogram.identity.person import unmerge

        return unmerge(self.store, self.config.identity, links, is_restored=is_restored)

    def staleness(self) -> Staleness:
        from ethogram.membership.staleness import staleness

        return staleness(self.store, self.definitions, self.settings, lists=self.lists)

    def rejected(self) -> list[RejectedRow]:
        from ethogram.ingest.load import rejected

        return list(rejected(self.store))

    def replay(self) -> tuple[LoadReport, ...]:
        from ethogram.ingest.load import replay

        return replay(self._writable_store(), self.config, None, self._load_progress)
