"""Entries made ready for one project: names, values and texts, checked before anything is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias, TypeVar

from ethogram.catalog.entry import Entry, Parameter
from ethogram.catalog.fitting import Fitted, Project
from ethogram.catalog.loading import load_catalog, load_parts
from ethogram.catalog.rendering import (
    MARK,
    Cast,
    render_behaviors,
    render_definitions,
    render_file,
    set_values,
    used_parameters,
)
from ethogram.language.checker import check, require_sound
from ethogram.language.files import definitions_from_text, gather
from ethogram.language.findings import Finding
from ethogram.language.names import all_definitions, dependencies
from ethogram.language.tree import Definitions, Segment, Segmentation, Trait
from ethogram.language.trials import run_tests
from ethogram.model.errors import DataError, DefinitionError, EnvironmentFault
from ethogram.model.settings import Settings

FOLDER = "definitions"
BEHAVIORS = "catalog_behaviors.yml"
BEHAVIORS_HEAD = """\
# Behaviors that entries of the catalog need, named once. Where other events are meant, change them here.

behaviors:
"""
_MARKED = re.compile(rf"^{re.escape(MARK)}(\w+)(?:, names begin with (\w+))?", re.M)

Calibrate: TypeAlias = Callable[
    [Definitions, Mapping[str, tuple[Parameter, str]]], Mapping[str, tuple[str, str]]
]
"""Values and reasons from the data, for parameters with their statistic's expression."""


@dataclass(frozen=True, slots=True)
class Added:
    """An entry that the project has: in which file, and how its names begin."""

    file: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """One entry, ready to be written: `names` are its definitions as the project will call them."""

    entry: Entry
    file: str
    text: str
    names: Mapping[str, str]
    values: Mapping[str, str]
    reasons: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    cuts: tuple[str, ...] = ()


def added_entries(folder: Path) -> dict[str, Added]:
    """What was added before, by entry; a file says so in its first lines."""
    found: dict[str, Added] = {}
    for path in sorted((folder / FOLDER).glob("*.y*ml")):
        for match in _MARKED.finditer(_head(path)):
            found.setdefault(match[1], Added(f"{FOLDER}/{path.name}", match[2] or ""))
    return found


def _head(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(4096)
    except OSError:
        return ""


def with_used(entries: Sequence[Entry], added: Mapping[str, Added]) -> tuple[Entry, ...]:
    """The entries that are not there yet, each after those it uses."""
    catalog = load_catalog()
    found: dict[str, Entry] = {}

    def take(entry: Entry) -> None:
        for used in entry.uses:
            take(catalog[used])
        if entry.name not in added:
            found.setdefault(entry.name, entry)

    for entry in entries:
        take(entry)
    return tuple(found.values())


def all_needs(entries: Sequence[Entry]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What all of them need, and what some can use."""
    needs = dict.fromkeys(need for entry in entries for need in entry.needs)
    others = (need for entry in entries for need in (*entry.any_of, *entry.optional))
    optional = dict.fromkeys(need for need in others if need not in needs)
    return tuple(needs), tuple(optional)


def missing_settings(entry: Entry, settings: Settings) -> tuple[str, ...]:
    return tuple(name for name in entry.settings if not getattr(settings, name))


# --- making ready ---------------------------------------------------------------------------------------------------


class Preparation:
    """Makes entries ready one after the other; each sees the definitions of those before it."""

    def __init__(
        self,
        folder: Path,
        project: Project,
        settings: Settings,
        cast: Cast,
        *,
        prefix: str = "",
        calibrate: Calibrate | None = None,
    ) -> None:
        self.folder, self.project, self.settings, self.cast = folder, project, settings, cast
        self.prefix, self.calibrate = prefix, calibrate
        self.behaviors = render_behaviors(cast)
        self.names: dict[str, str] = {}
        for name, added in added_entries(folder).items():
            if name in load_catalog():
                self.names |= {own: added.prefix + own for own in load_catalog()[name].defines}
        self.definitions = project.definitions
        if self.behaviors:
            self._extend("behaviors:\n" + "\n".join(self.behaviors.values()) + "\n", f"{FOLDER}/{BEHAVIORS}")

    def _extend(self, text: str, file: str) -> None:
        self.definitions = merged(self.definitions, definitions_from_text(text, file))

    def ready(self, entry: Entry, given: Mapping[str, str]) -> Ready:
        """Raises DefinitionError E_DUPLICATE where a name is taken, and Problems where the result would not be sound."""
        names = {own: self.prefix + own for own in entry.defines}
        self._require_free(entry, names)
        self.names |= names
        values, reasons = self._values(entry, given)
        cuts = self._cuts(entry)
        text = render_file(entry, self.cast, values, reasons, self.names, cuts)
        if self.prefix:
            text = text.replace(
                f"{MARK}{entry.name}", f"{MARK}{entry.name}, names begin with {self.prefix}", 1
            )
        before, file = self.definitions, self._file(entry)
        self._extend(text, file)
        text, left_out = self._without_failing_tests(text, set(names.values()))
        if left_out:
            self.definitions = before
            self._extend(text, file)
        names = {own: name for own, name in names.items() if self.definitions.find(name)}
        return Ready(entry, file, text, names, values, reasons, left_out, cuts)

    def _require_free(self, entry: Entry, names: Mapping[str, str]) -> None:
        taken = [name for name in names.values() if self.definitions.find(name)]
        if taken:
            message = f"the project has a definition '{taken[0]}' of its own, which stays as it is"
            hint = f"Add it under other names: ethogram catalog add {entry.name} --prefix catalog_"
            raise DefinitionError("E_DUPLICATE", message, hint=hint)

    def _values(self, entry: Entry, given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        plain = {name: value for name, value in given.items() if name in entry.parameters}
        usual = set_values(entry, plain)
        asked = {
            name: (parameter, self._statistic(entry, parameter, usual))
            for name in used_parameters(entry, self.cast, usual)
            if (parameter := entry.parameters[name]).data and name not in plain
        }
        if not asked or self.calibrate is None:
            return usual, {}
        context = self.definitions
        if any(parameter.data and parameter.data.statistic == "stays" for parameter, _ in asked.values()):
            text = render_definitions(entry, self.cast, usual, self.names)
            context = merged(context, definitions_from_text(text))
        found = self.calibrate(context, asked)
        values = {name: value for name, (value, _) in found.items() if value}
        return set_values(entry, plain, values), {
            name: reason for name, (_, reason) in found.items() if reason
        }

    def _cuts(self, entry: Entry) -> tuple[str, ...]:
        """Where the equal parts end that the definitions compare."""
        if not entry.cuts or self.calibrate is None:
            return ()
        asked = {cut.name: (cut, self._statistic(entry, cut, {})) for cut in entry.cuts}
        found = self.calibrate(self.definitions, asked)
        return tuple(f"Cuts {reason}, {name}: {value}" for name, (value, reason) in found.items() if value)

    def _statistic(self, entry: Entry, parameter: Parameter, values: Mapping[str, str]) -> str:
        assert parameter.data is not None
        return render_expression(entry, parameter.data.of, self.cast, values, self.names)

    def _without_failing_tests(self, text: str, names: set[str]) -> tuple[str, tuple[str, ...]]:
        """Tests that do not fit the project's own filters and thresholds are left out, with a word about it."""
        needed = with_needed(self.definitions, names)
        if any(finding.is_error for finding in check(needed, self.settings, self.project.data)):
            return text, ()
        failed = [
            result
            for result in run_tests(only(needed, names), self.settings)
            if result.definition in names and not result.passed
        ]
        lines = text.splitlines()
        for result in sorted(failed, key=lambda result: -(result.span.line if result.span else 0)):
            if result.span:
                _leave_out(lines, result.span.line - 1, result.test)
        return "\n".join(lines) + "\n", tuple(f"{result.definition}: {result.test}" for result in failed)

    def behaviors_of(self, ready: Sequence[Ready]) -> dict[str, str]:
        """New behaviors that these entries use; an optional part may have been left out."""
        text = "\n".join(one.text for one in ready)
        return {name: line for name, line in self.behaviors.items() if re.search(rf"\b{name}\b", text)}

    def findings(self) -> tuple[Finding, ...]:
        return check(self.definitions, self.settings, self.project.data)

    def require_sound(self) -> None:
        require_sound(self.findings())

    def _file(self, entry: Entry) -> str:
        """A name that no file has yet."""
        name = f"{FOLDER}/{self.prefix}{entry.name}.yml"
        return f"{FOLDER}/catalog_{entry.name}.yml" if (self.folder / name).exists() else name


def missing_needs(entries: Sequence[Entry], fitted: Fitted) -> tuple[str, ...]:
    """Needs that nothing plays, in words; of `any_of` one must be played."""
    parts = load_parts()
    found = [f"{parts.title(need)} ({need})" for need in fitted.missing]
    for entry in entries:
        if entry.any_of and not any(fitted.cast.plays(need) for need in entry.any_of):
            titles = ", or ".join(f"{parts.title(need)} ({need})" for need in entry.any_of)
            found.append(titles)
    return tuple(dict.fromkeys(found))


def _leave_out(lines: list[str], place: int, name: str) -> None:
    """A comment instead of a test; also instead of `tests:` where no other is left."""
    dash = lines[place].index("-")
    end = place + 1
    while end < len(lines) and lines[end].startswith(" " * (dash + 1)):
        end += 1
    lines[place:end] = [f"{' ' * dash}# left out, it does not fit this project: {name}"]
    first = place - 1
    while lines[first].lstrip().startswith(("#", "-")):
        first -= 1
    following = [line for line in lines[first + 1 :] if not line.lstrip().startswith("#")]
    if lines[first].strip() == "tests:" and not (following and following[0].startswith(" " * dash + "-")):
        del lines[first]


def render_expression(
    entry: Entry, text: str, cast: Cast, values: Mapping[str, str], names: Mapping[str, str]
) -> str:
    return render_definitions(replace(entry, template=text), cast, values, names).strip()


def merged(one: Definitions, other: Definitions) -> Definitions:
    return gather([*all_definitions(one), *all_definitions(other)])


def with_needed(definitions: Definitions, names: set[str]) -> Definitions:
    """These definitions, what they are made of, and what their tests name."""
    found, waiting = set[str](), list(names)
    while waiting:
        name = waiting.pop()
        definition = definitions.find(name)
        if definition is not None and name not in found:
            found.add(name)
            waiting += dependencies(definitions, name)
            if isinstance(definition, Trait | Segment | Segmentation):
                waiting += [event.do for test in definition.tests for event in test.events]
    return gather(one for one in all_definitions(definitions) if one.name in found)


def only(definitions: Definitions, names: set[str]) -> Definitions:
    """The same definitions, with the tests of these names only."""
    return replace(
        definitions,
        traits={name: _quiet(one, names) for name, one in definitions.traits.items()},
        segments={name: _quiet(one, names) for name, one in definitions.segments.items()},
        segmentations={name: _quiet(one, names) for name, one in definitions.segmentations.items()},
    )


D = TypeVar("D", Trait, Segment, Segmentation)


def _quiet(definition: D, names: set[str]) -> D:
    return definition if definition.name in names else replace(definition, tests=())


# --- writing --------------------------------------------------------------------------------------------------------


def write(folder: Path, behaviors: Mapping[str, str], ready: Sequence[Ready]) -> tuple[str, ...]:
    """Writes new files, and new behaviors below those written before; nothing that is there is changed."""
    texts = dict(_behavior_files(folder, behaviors)) if behaviors else {}
    texts |= {one.file: one.text for one in ready}
    written = []
    try:
        (folder / FOLDER).mkdir(exist_ok=True)
        for name, text in texts.items():
            path = folder / name
            if name.startswith(f"{FOLDER}/catalog_behaviors"):
                path.write_text(text, encoding="utf-8")
            else:
                with path.open("x", encoding="utf-8") as file:
                    file.write(text)
            written.append(name)
    except FileExistsError:
        raise DataError("E_FILE_EXISTS", f"{name} is there already, and stays as it is") from None
    except OSError as error:
        message = f"{error.filename or folder} cannot be written: {error.strerror}"
        raise EnvironmentFault("E_WRITE", message) from None
    return tuple(written)


def _behavior_files(folder: Path, behaviors: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The file of behaviors with new lines at its end; another file where its end is something else by now."""
    lines = "\n".join(behaviors.values()) + "\n"
    path = folder / FOLDER / BEHAVIORS
    if not path.exists():
        yield f"{FOLDER}/{BEHAVIORS}", BEHAVIORS_HEAD + lines
        return
    old = path.read_text(encoding="utf-8")
    longer = old.rstrip("\n") + "\n" + lines
    try:
        whole = definitions_from_text(longer)
        fits = set(behaviors) <= set(whole.behaviors)
    except DefinitionError:
        fits = False
    if fits:
        yield f"{FOLDER}/{BEHAVIORS}", longer
        return
    number = 2
    while (folder / FOLDER / f"catalog_behaviors_{number}.yml").exists():
        number += 1
    yield f"{FOLDER}/catalog_behaviors_{number}.yml", BEHAVIORS_HEAD + lines
