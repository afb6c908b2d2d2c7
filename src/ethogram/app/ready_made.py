"""What the verbs of the catalog work out: what fits this project, what is written into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ethogram.app import render
from ethogram.app.workbench import Workbench
from ethogram.catalog.adding import (
    Added,
    Preparation,
    Ready,
    added_entries,
    all_needs,
    merged,
    missing_needs,
    missing_settings,
    with_used,
    write,
)
from ethogram.catalog.calibrating import Sensitivity, calibrate, sizes_of, variants
from ethogram.catalog.entry import KINDS, Entry, Parameter
from ethogram.catalog.fitting import Fitted, Project, Question, fit
from ethogram.catalog.loading import load_catalog, load_parts, require_entry
from ethogram.catalog.rendering import Cast, render_definitions, set_values, usual_cast
from ethogram.engines.engine import Engine
from ethogram.language.files import definitions_from_text
from ethogram.language.spelling import did_you_mean
from ethogram.language.tree import Definitions
from ethogram.model.errors import DataError, EthogramError
from ethogram.model.settings import Settings

UNSAID = "?"
"""Stands for a value that must be given, where an entry is only shown."""


def project_of(bench: Workbench) -> Project:
    """What the catalog wants to know of a project."""
    data = bench.catalog
    counts = {} if data is None else {event.name: event.count for event in bench.store.events()}
    return Project(bench.definitions, data, counts)


# --- list and show --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry and how it stands to this project."""

    entry: Entry
    fitted: Fitted
    added: str = ""
    unset: tuple[str, ...] = ()
    is_known: bool = True

    @property
    def is_ready(self) -> bool:
        return not self.lacks and self.is_known

    @property
    def lacks(self) -> tuple[str, ...]:
        """What the data and the settings do not have, in words."""
        needs = missing_needs(with_used([self.entry], {}), self.fitted)
        return (*needs, *(f"`{name}` in ethogram.toml" for name in self.unset))

    @property
    def status(self) -> str:
        if self.added:
            return f"added: {self.added}"
        if not self.is_known:
            return "no data is loaded here yet"
        if self.lacks:
            return f"needs {'; '.join(self.lacks)}"
        if self.fitted.questions:
            asked = ", ".join(question.need for question in self.fitted.questions)
            return f"ready, after a question about {asked}"
        return "ready"

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.entry.name,
            "title": self.entry.title,
            "kind": self.entry.kind,
            "sentence": self.entry.sentence,
            "needs": list(self.entry.needs),
            "missing": list(self.lacks),
            "unclear": [question.need for question in self.fitted.questions],
            "ready": self.is_ready,
            "added": self.added or None,
        }


def listed(bench: Workbench, kind: str = "") -> list[Listed]:
    """Raises DataError E_UNKNOWN_NAME for a kind that does not exist."""
    _require_kind(kind)
    project, added = project_of(bench), added_entries(bench.folder)
    return [
        _listed(entry, project, bench.settings, added)
        for entry in load_catalog().values()
        if not kind or entry.kind == kind
    ]


def listed_anywhere(kind: str = "") -> list[Listed]:
    """Outside a project: nothing is known of what is ready."""
    _require_kind(kind)
    entries = [entry for entry in load_catalog().values() if not kind or entry.kind == kind]
    return [Listed(entry, Fitted(Cast()), unset=(), is_known=False) for entry in entries]


def _require_kind(kind: str) -> None:
    if kind and kind not in KINDS:
        hint = f"There are: {', '.join(KINDS)}. {did_you_mean(kind, KINDS)}".strip()
        raise DataError("E_UNKNOWN_NAME", f"no kind is called '{kind}'", hint=hint)


def _listed(entry: Entry, project: Project, settings: Settings, added: Mapping[str, Added]) -> Listed:
    needs, optional = all_needs(with_used([entry], {}))
    fitted = fit(needs, optional, load_parts(), project, {})
    there = added[entry.name].file if entry.name in added else ""
    return Listed(entry, fitted, there, missing_settings(entry, settings), project.data is not None)


@dataclass(frozen=True, slots=True)
class Need:
    """`here` is what plays it in this project."""

    name: str
    title: str
    here: str


@dataclass(frozen=True, slots=True)
class Shown:
    entry: Entry
    status: str
    needs: tuple[Need, ...]
    definitions: str

    def as_json(self) -> dict[str, object]:
        entry = self.entry
        return {
            "name": entry.name,
            "title": entry.title,
            "kind": entry.kind,
            "sentence": entry.sentence,
            "published": entry.published or None,
            "status": self.status,
            "needs": [{"need": one.name, "title": one.title, "here": one.here or None} for one in self.needs],
            "any_of": list(entry.any_of),
            "optional": list(entry.optional),
            "uses": list(entry.uses),
            "parameters": [
                {
                    "name": one.name,
                    "default": one.default or None,
                    "means": one.means,
                    "from_data": one.data.means if one.data else None,
                }
                for one in entry.parameters.values()
                if not one.computed
            ],
            "play": {"what": entry.play.what, "purpose": entry.play.purpose or None},
            "notes": list(entry.notes),
            "definitions": self.definitions,
        }


def shown(folder: Path, name: str) -> Shown:
    """In a project with its names; elsewhere with those of the specification."""
    entry = require_entry(name)
    parts = load_parts()
    asked = (*entry.needs, *entry.any_of, *entry.optional)
    cast, here, status = usual_cast(parts, asked), dict[str, str](), "not in a project"
    if (folder / "ethogram.toml").exists():
        with Workbench(folder) as bench:
            project = project_of(bench)
            one = _listed(entry, project, bench.settings, added_entries(bench.folder))
            here, status = dict(one.fitted.chosen), one.status
            if one.is_ready:
                cast = one.fitted.cast
    values = set_values(
        entry,
        {one.name: UNSAID for one in entry.parameters.values() if not one.default and not one.computed},
    )
    needs = [Need(need, parts.title(need), here.get(need, "")) for need in entry.needs]
    for word, some in (("one of these", entry.any_of), ("optional", entry.optional)):
        needs += [Need(need, f"{parts.title(need)} ({word})", here.get(need, "")) for need in some]
    return Shown(entry, status, tuple(needs), render_definitions(entry, cast, values))


# --- add ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AddedReport:
    """`sizes` are of segments and groups as they are now; empty before the first load."""

    ready: tuple[Ready, ...]
    already: Mapping[str, str]
    chosen: Mapping[str, str]
    written: tuple[str, ...]
    sizes: Mapping[str, int] = field(default_factory=dict)
    sensitivities: tuple[Sensitivity, ...] = ()
    customers: int = 0

    def as_json(self) -> dict[str, object]:
        return {
            "added": [
                {
                    "name": one.entry.name,
                    "file": one.file,
                    "definitions": list(one.names.values()),
                    "parameters": dict(one.values),
                    "reasons": dict(one.reasons),
                    "cuts": list(one.cuts),
                }
                for one in self.ready
            ],
            "already": dict(self.already),
            "map": dict(self.chosen),
            "written": list(self.written),
            "customers": self.customers,
            "sizes": dict(self.sizes),
            "sensitivity": [
                {
                    "parameter": line.parameter,
                    "lower": line.lower,
                    "higher": line.higher,
                    "sizes": {name: list(three) for name, three in line.sizes.items()},
                }
                for line in self.sensitivities
            ],
        }


class Adding:
    """Entries on their way into a project: first what is unclear, then everything at once."""

    def __init__(
        self,
        bench: Workbench,
        names: Sequence[str],
        given: Mapping[str, str],
        values: Mapping[str, str],
        prefix: str = "",
    ) -> None:
        self.bench, self.given, self.values, self.prefix = bench, dict(given), dict(values), prefix
        added = added_entries(bench.folder)
        wanted = [require_entry(name) for name in names]
        self.already = {entry.name: added[entry.name].file for entry in wanted if entry.name in added}
        self.entries = with_used([entry for entry in wanted if entry.name not in added], added)
        self.project = project_of(bench)
        self._require_parameters()
        self._fit()

    def _require_parameters(self) -> None:
        known = {name for entry in self.entries for name in entry.parameters}
        known |= {f"{entry.name}.{name}" for entry in self.entries for name in entry.parameters}
        for name in self.values:
            if self.entries and name not in known:
                plain = sorted(one for one in known if "." not in one)
                hint = f"There are: {', '.join(plain)}. {did_you_mean(name, plain)}".strip() if plain else ""
                raise DataError("E_UNKNOWN_OPTION", f"--set {name}: no such parameter", hint=hint)

    def _fit(self) -> None:
        needs, optional = all_needs(self.entries)
        self.fitted = fit(needs, optional, load_parts(), self.project, self.given)

    @property
    def questions(self) -> tuple[Question, ...]:
        return () if missing_needs(self.entries, self.fitted) else self.fitted.questions

    def answer(self, answers: Mapping[str, str]) -> None:
        self.given |= answers
        self._fit()

    def unanswered(self) -> EthogramError:
        """What to pass where nobody can be asked."""
        lines = []
        for question in self.questions:
            seen = ", ".join(f"{choice.name} ({choice.count:,})" for choice in question.choices[:4])
            lines.append(
                f'--map {question.need}="{question.proposal or "…"}"   {question.title}; there are: {seen}'
            )
        listed = "\n   ".join(lines)
        hint = f"Say it, or take the proposals with --yes:\n   {listed}"
        return DataError("E_UNCLEAR", "it is not clear what plays which part", hint=hint)

    def finish(self) -> AddedReport:
        """Writes the files. Raises DataError E_NEEDS for what the project lacks, E_UNCLEAR for what has no proposal."""
        self._require_fit()
        preparation = Preparation(
            self.bench.folder,
            self.project,
            self.bench.settings,
            self.fitted.cast,
            prefix=self.prefix,
            calibrate=self._calibrate if self.project.data is not None else None,
        )
        ready = tuple(preparation.ready(entry, self._values(entry)) for entry in self.entries)
        preparation.require_sound()
        report = AddedReport(ready, self.already, dict(self.fitted.chosen), ())
        if not ready:
            return report
        if self.project.data is not None:
            report = self._with_sizes(report, preparation)
        return replace(report, written=write(self.bench.folder, preparation.behaviors_of(ready), ready))

    def _require_fit(self) -> None:
        missing = [*missing_needs(self.entries, self.fitted)]
        missing += [
            f"`{name}` in ethogram.toml"
            for entry in self.entries
            for name in missing_settings(entry, self.bench.settings)
        ]
        if missing:
            need = self.fitted.missing[0] if self.fitted.missing else "NEED"
            name = "NAME" if "." in need else "'Event Name'"
            hint = f"Where the data has it under another name, say so: --map {need}={name}"
            raise DataError("E_NEEDS", f"this project's data lacks {'; '.join(missing)}", hint=hint)
        if any(not question.proposal for question in self.fitted.questions):
            raise self.unanswered()

    def _values(self, entry: Entry) -> dict[str, str]:
        own = {name: value for name, value in self.values.items() if name in entry.parameters}
        own |= {
            name.partition(".")[2]: value
            for name, value in self.values.items()
            if name.startswith(f"{entry.name}.")
        }
        return own

    def _calibrate(
        self, definitions: Definitions, asked: Mapping[str, tuple[Parameter, str]]
    ) -> Mapping[str, tuple[str, str]]:
        now = self.bench.newest()
        start = min((event.first for event in self.bench.store.events()), default=now)
        day = render.day(now, self.bench.settings.timezone)
        found = calibrate(asked, definitions, self._engine, start, now, day)
        return {name: (one.value, one.reason) for name, one in found.items()}

    def _engine(self, definitions: Definitions, names: Sequence[str]) -> Engine:
        return self.bench.engine(definitions, names)

    # --- sizes ---

    def _with_sizes(self, report: AddedReport, preparation: Preparation) -> AddedReport:
        """Everybody's answers, as they are and with each threshold from the data a fifth lower and higher, at once."""
        whole, plain = preparation.definitions, list[str]()
        changed: dict[str, tuple[Ready, str, str, dict[str, str]]] = {}
        for one in report.ready:
            plain += _answers(whole, one.names.values())
            for parameter, suffix, value in variants(one.entry, one.values, list(one.reasons)):
                own = {key: f"{name}_{suffix}" for key, name in one.names.items()}
                values = set_values(one.entry, {**_settable(one), parameter: value})
                text = render_definitions(one.entry, preparation.cast, values, {**preparation.names, **own})
                whole = merged(whole, definitions_from_text(text))
                changed[f"{one.entry.name}.{suffix}"] = (one, parameter, value, own)
        asked = plain + [name for _, _, _, own in changed.values() for name in _answers(whole, own.values())]
        if not asked:
            return report
        sizes, customers = sizes_of(whole, asked, self._engine, self.bench.newest())
        base = {name: size for name, size in sizes.items() if name.partition(".")[0] in plain}
        lines = [
            _sensitivity(one, parameter, changed, sizes)
            for one in report.ready
            for parameter in one.reasons
            if f"{one.entry.name}.{parameter}_lower" in changed
        ]
        return replace(report, sizes=base, sensitivities=tuple(lines), customers=customers)


def _settable(one: Ready) -> dict[str, str]:
    return {name: value for name, value in one.values.items() if not one.entry.parameters[name].computed}


def _answers(definitions: Definitions, names: object) -> list[str]:
    """Those of the names that are segments or segmentations."""
    assert hasattr(names, "__iter__")
    return [name for name in names if name in definitions.segments or name in definitions.segmentations]


def _sensitivity(
    one: Ready,
    parameter: str,
    changed: Mapping[str, tuple[Ready, str, str, dict[str, str]]],
    sizes: Mapping[str, int],
) -> Sensitivity:
    sides = [changed[f"{one.entry.name}.{parameter}_{side}"] for side in ("lower", "higher")]
    found: dict[str, tuple[int, int, int]] = {}
    for key, name in one.names.items():
        for full, size in sizes.items():
            definition, _, group = full.partition(".")
            if definition == name:
                lower, higher = (
                    sizes[f"{own[key]}.{group}" if group else own[key]] for _, _, _, own in sides
                )
                found[full] = (lower, size, higher)
    return Sensitivity(parameter, sides[0][2], sides[1][2], found)
