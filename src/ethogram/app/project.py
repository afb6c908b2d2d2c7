"""The Python API: the verbs of the command line as methods."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import pyarrow as pa

from ethogram.app.tables import flow_rows
from ethogram.app.workbench import Workbench
from ethogram.model.errors import DataError

if TYPE_CHECKING:
    from ethogram.app.description import Description
    from ethogram.app.ready_made import AddedReport
    from ethogram.identity.person import Person
    from ethogram.insight.charts import Chart
    from ethogram.insight.compare import Comparison
    from ethogram.insight.funnel import Funnel
    from ethogram.insight.retention import Retention
    from ethogram.membership.explain import Explanation
    from ethogram.membership.plan import Count, Plan
    from ethogram.membership.refresh import RefreshReport
    from ethogram.membership.verify import Verification


class Project:
    """One project folder, opened by `ethogram.open`. Listings are pyarrow tables; errors are `EthogramError`s.

    Settings and definitions are read when a method is called, so that edits count at once.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Self:
        """Raises EnvironmentFault E_NO_PROJECT where there is no ethogram.toml."""
        project = cls(Path(folder).resolve())
        with project._bench() as bench:
            bench.config  # noqa: B018
        return project

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ethogram.open({str(self.folder)!r})"

    def close(self) -> None:
        """Nothing stays open between calls; for use in `with`."""

    def _bench(self) -> Workbench:
        return Workbench(self.folder)

    # --- Start ---

    def load(self, *sources: str) -> pa.Table:
        """Brings in the named sources, or all; a row for each."""
        with self._bench() as bench:
            return _table([report.as_json() for report in bench.load(sources or None)], LOADS)

    # --- Look ---

    def segments(self, as_of: str = "") -> pa.Table:
        """Segments and groups with size, share, share of revenue, and change against a month before."""
        with self._bench() as bench:
            listing, titles = bench.segments(as_of), bench.titles()
            rows = [
                {"segmentation": None, **line.as_json(), "title": titles.get(line.full_name)}
                for line in listing.lines
            ]
        return _table(rows, SEGMENTS)

    def count(self, expression: str, as_of: str = "") -> Count:
        """How many customers an expression holds for, with the sentence it means."""
        with self._bench() as bench:
            return bench.count(expression, as_of)

    def describe(self, name: str) -> Description:
        from ethogram.app.description import describe

        with self._bench() as bench:
            return describe(bench, name)

    def compare(self, *names: str, as_of: str = "") -> Comparison:
        """How segments or groups overlap, and what separates two of them."""
        with self._bench() as bench:
            return bench.compare(names, as_of)

    def members(self, name: str, as_of: str = "", columns: Sequence[str] = ()) -> pa.Table:
        """Who is in a segment or group: `customer`, `since`, and the traits asked for."""
        with self._bench() as bench:
            return bench.members(name, as_of, columns)

    def explain(self, customer: str, name: str = "", as_of: str = "") -> tuple[Explanation, ...]:
        """Why the customer is in `name`, or is not; without a name, of all segments and segmentations."""
        with self._bench() as bench:
            return bench.explain(customer, [name] if name else [], as_of)

    def identity(self, customer: str) -> Person:
        """The person who has an id: all their ids, and the links that say so or do not count."""
        with self._bench() as bench:
            return bench.identity(customer)

    def history(self, name: str, days: int = 90) -> pa.Table:
        """The size of a segment, group or all groups of a segmentation at each of the last midnights and now."""
        with self._bench() as bench:
            found = bench.history(name, days)
        rows = [
            {"name": name, "group": group or None, "at": at, "size": size}
            for group, sizes in found.sizes.items()
            for at, size in zip(found.moments, sizes, strict=True)
        ]
        return _table(rows, HISTORY)

    def flow(self, segmentation: str, since: str = "", until: str = "") -> pa.Table:
        """How many customers went from each group to each, those who stayed too; null: not a customer yet."""
        with self._bench() as bench:
            return _table(flow_rows(bench.flow(segmentation, since, until)), FLOW)

    def funnel(self, *steps: str, within: str = "", last: str = "", by: str = "", as_of: str = "") -> Funnel:
        """How far customers come on a way of behaviors and segments, or through the groups of one segmentation."""
        from ethogram.app.over_time import asked_funnel

        with self._bench() as bench:
            return asked_funnel(bench, steps, within=within, last=last, by=by, as_of=as_of)

    def metrics(self, *names: str, period: str = "30d", by: str = "", as_of: str = "") -> pa.Table:
        """A row a metric and group: the period, the one before and the change, each with a 95% interval."""
        from ethogram.app.over_time import asked_metrics

        with self._bench() as bench:
            return _table(asked_metrics(bench, names, period=period, by=by, as_of=as_of).as_json(), METRICS)

    def retention(self, event: str = "", every: str = "month", by: str = "", as_of: str = "") -> Retention:
        """Cohorts by the first time, and how many came back in each later period."""
        from ethogram.app.over_time import asked_retention

        with self._bench() as bench:
            return asked_retention(bench, event, every=every, by=by, as_of=as_of)

    def segment(self, name: str) -> SegmentView:
        """One segment or group, to look at in a notebook."""
        return SegmentView(self, name)

    def report(self, file: str | os.PathLike[str] = "report.html") -> Path:
        """One page with pictures, which opens without a network."""
        from ethogram.app.report import write_report

        with self._bench() as bench:
            write_report(bench, Path(file))
        return Path(file)

    def changes(self, after: int = 0, *, name: str = "", customer: str = "") -> pa.Table:
        """The feed of who entered, left and moved, behind a `seq`, oldest first."""
        from ethogram.membership.over_time import changes

        with self._bench() as bench:
            return changes(bench.store, after, name=name, customer=customer)

    # --- Judge ---

    def health(self, days: int = 30) -> pa.Table:
        """What is wrong with segments and the data below them, a row a finding; `figures` is JSON."""
        import json

        from ethogram.app.render import plain
        from ethogram.app.segment_health import examine

        with self._bench() as bench:
            found = examine(bench, days)
        rows = [
            {**one.as_json(), "figures": json.dumps(plain(one.figures), ensure_ascii=False)}
            for one in found.findings
        ]
        return _table(rows, HEALTH)

    def gaps(
        self, trait: str, reference: str | os.PathLike[str], *, engaged: str = "", as_of: str = ""
    ) -> pa.Table:
        """Where customers differ from the population in a csv file; a row for each of its values."""
        from ethogram.app.population_gaps import compare_with

        with self._bench() as bench:
            found = compare_with(bench, trait, Path(reference), engaged, as_of)
        return _table([one.as_json() for one in found.rows], GAPS)

    def voice(self, name: str = "", *, text: Sequence[str] = (), days: int = 90, as_of: str = "") -> pa.Table:
        """What customers of a segment, or all, say; a row a theme. `text` names properties such as `review.text`."""
        from ethogram.app.customer_voice import listen

        with self._bench() as bench:
            found = listen(bench, name, text, days, as_of)
        rows = [{"language": one.language, **theme.as_json()} for one in found.spoken for theme in one.themes]
        return _table(rows, VOICE)

    # --- Define ---

    def catalog(self, kind: str = "") -> pa.Table:
        """The ready-made definitions, with what this project's data lacks for each; a row each."""
        from ethogram.app.ready_made import listed

        with self._bench() as bench:
            return _table([one.as_json() for one in listed(bench, kind)], CATALOG)

    def add_from_catalog(
        self,
        *names: str,
        parts: Mapping[str, str] | None = None,
        values: Mapping[str, str] | None = None,
        prefix: str = "",
    ) -> AddedReport:
        """Writes entries of the catalog into the project, taking every proposal; `parts` says what plays what."""
        from ethogram.app.ready_made import Adding

        with self._bench() as bench:
            return Adding(bench, names, parts or {}, values or {}, prefix).finish()

    def check(self) -> pa.Table:
        """What is wrong or looks wrong with the definitions, a row each."""
        with self._bench() as bench:
            return _table([finding.as_json() for finding in bench.check()], FINDINGS)

    def test(self, *names: str) -> pa.Table:
        """The definitions' own tests, a row each."""
        with self._bench() as bench:
            results = bench.test(names)
        return _table([{key: getattr(one, key) for key in TESTS.names} for one in results], TESTS)

    def plan(self) -> Plan:
        """Who would enter and leave if the definitions on disk took effect."""
        with self._bench() as bench:
            return bench.plan()

    # --- Run and operate ---

    def refresh(self, *, full: bool = False, as_of: str = "") -> RefreshReport:
        """Evaluates, and records who entered, left and moved."""
        with self._bench() as bench:
            return bench.refresh(full=full, as_of=as_of)

    def rejected(self) -> pa.Table:
        """Rows that could not be used, with place and reason."""
        with self._bench() as bench:
            return _table(
                [{key: getattr(row, key) for key in REJECTED.names} for row in bench.rejected()], REJECTED
            )

    def unmerge(self, *links: int, restore: bool = False) -> int:
        """Takes links back, by number, or with `restore` uses them again; of how many ids that changes whose they are. The next
        refresh counts it."""
        with self._bench() as bench:
            return bench.unmerge(links, is_restored=restore)[1].persons

    def verify(self, *customers: str, sample: int = 200, seed: int = 0) -> Verification:
        """Computes a sample, and those named, a second way and compares."""
        with self._bench() as bench:
            return bench.verify(customers, sample=sample, seed=seed)


class SegmentView:
    """A segment or group, drawn: Altair charts show themselves in notebooks, and `chart.save("file.svg")` keeps them (.png, too).

    Raises EnvironmentFault E_EXTRA_MISSING where the extra `report` is not installed.
    """

    def __init__(self, project: Project, name: str) -> None:
        self._project, self.name = project, name

    def __repr__(self) -> str:
        return f"{self._project!r}.segment({self.name!r})"

    def chart(self) -> Chart:
        """How its people differ from all others."""
        from ethogram.app.pictures import require_charts

        require_charts()
        from ethogram.insight.charts import portrait

        found = self._project.describe(self.name).portrait
        if found is None:
            raise DataError(
                "E_NOT_MEMBERS", f"'{self.name}' has no members yet", hint="ethogram load, then refresh."
            )
        return portrait(found, self._titles(), self._titles().get(self.name, self.name))

    def history(self, days: int = 90) -> Chart:
        """Its size by day, with the edits of its definition."""
        from ethogram.app.pictures import require_charts

        require_charts()
        from ethogram.insight.charts import history

        with self._project._bench() as bench:
            return history(bench.history(self.name, days), bench.settings.timezone, self.name)

    def _titles(self) -> Mapping[str, str]:
        with self._project._bench() as bench:
            return bench.titles()


_TEXT, _COUNT, _MOMENT = pa.string(), pa.int64(), pa.timestamp("us", "UTC")
LOADS = pa.schema(
    [("source", _TEXT), ("files", pa.list_(_TEXT))]
    + [(name, _COUNT) for name in ("read", "unreadable", "rows", "accepted", "duplicates", "rejected")]
    + [("seconds", pa.float64()), ("unchanged", pa.bool_()), ("notes", pa.list_(_TEXT))]
)
SEGMENTS = pa.schema(
    [
        ("name", _TEXT),
        ("kind", _TEXT),
        ("segmentation", _TEXT),
        ("title", _TEXT),
        ("size", _COUNT),
        ("share", pa.float64()),
        ("revenue_share", pa.float64()),
        ("before", _COUNT),
        ("change", _COUNT),
    ]
)
HISTORY = pa.schema([("name", _TEXT), ("group", _TEXT), ("at", _MOMENT), ("size", _COUNT)])
FLOW = pa.schema([("from_group", _TEXT), ("to_group", _TEXT), ("customers", _COUNT)])
_ESTIMATE = pa.struct([(name, pa.float64()) for name in ("value", "low", "high", "p")])
METRICS = pa.schema(
    [("metric", _TEXT), ("group", _TEXT), ("unit", _TEXT)]
    + [(name, _ESTIMATE) for name in ("now", "then", "change")]
)
CATALOG = pa.schema(
    [(name, _TEXT) for name in ("name", "title", "kind", "sentence")]
    + [(name, pa.list_(_TEXT)) for name in ("needs", "missing", "unclear")]
    + [("ready", pa.bool_()), ("added", _TEXT)]
)
HEALTH = pa.schema([(name, _TEXT) for name in ("severity", "check", "name", "found", "to_do", "figures")])
_ESTIMATE = pa.struct([(name, pa.float64()) for name in ("value", "low", "high", "p")])
GAPS = pa.schema(
    [
        ("values", pa.list_(_TEXT)),
        ("reference_share", pa.float64()),
        ("customers", _COUNT),
        ("share", _ESTIMATE),
        ("ratio", _ESTIMATE),
        ("lacking", _COUNT),
        ("verdict", _TEXT),
        ("engaged", _ESTIMATE),
        ("engaged_ratio", _ESTIMATE),
        ("ease", _TEXT),
    ]
)
VOICE = pa.schema(
    [
        ("language", _TEXT),
        ("terms", pa.list_(_TEXT)),
        ("texts", _COUNT),
        ("customers", _COUNT),
        ("share", _ESTIMATE),
        ("ratio", _ESTIMATE),
        ("change", _ESTIMATE),
        ("low", _ESTIMATE),
        ("high", _ESTIMATE),
        ("examples", pa.list_(_TEXT)),
    ]
)
FINDINGS = pa.schema(
    [
        ("severity", _TEXT),
        ("definition", _TEXT),
        ("code", _TEXT),
        ("title", _TEXT),
        ("hint", _TEXT),
        ("file", _TEXT),
        ("line", _COUNT),
        ("column", _COUNT),
    ]
)
TESTS = pa.schema(
    [("definition", _TEXT), ("test", _TEXT), ("passed", pa.bool_()), ("expected", _TEXT), ("found", _TEXT)]
)
REJECTED = pa.schema(
    [
        ("source", _TEXT),
        ("file", _TEXT),
        ("line", _COUNT),
        ("column", _COUNT),
        ("field", _TEXT),
        ("code", _TEXT),
        ("reason", _TEXT),
    ]
)


def _table(rows: Sequence[Mapping[str, object]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
