"""Who plays which part of an entry in a project: proposed from the project's behaviors and from the events its data holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ethogram.catalog.entry import CUSTOMER, EventPart, Parts, PropertyPart
from ethogram.catalog.rendering import Cast, Filled, Played
from ethogram.language.catalog import DataCatalog, PropertyUse
from ethogram.language.selections import conjuncts
from ethogram.language.tree import (
    Behavior,
    Compare,
    Definitions,
    Flag,
    Items,
    Known,
    Not,
    Number,
    Path,
    Property,
    Text,
)
from ethogram.model.errors import DefinitionError

MANY = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """An event, a behavior or a property that may be what is needed. `count` is how often it was seen."""

    name: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """A need that is not clear: `proposal` is what `--map` would take, "" where there is none."""

    need: str
    title: str
    proposal: str
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Fitted:
    """`chosen` says for each need what plays it; `missing` are needs that nothing in the data could play."""

    cast: Cast
    chosen: Mapping[str, str] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """What is known of the project: its definitions, its data (None before the first load), how often each event occurs."""

    definitions: Definitions
    data: DataCatalog | None
    counts: Mapping[str, int] = field(default_factory=dict)


def fit(
    needs: Sequence[str], optional: Sequence[str], parts: Parts, project: Project, given: Mapping[str, str]
) -> Fitted:
    """Raises DefinitionError for a given name that does not fit."""
    _require_known(given, parts)
    asked = [*needs, *(need for need in optional if need not in needs)]
    fitting = _Fitting(parts, project, given)
    for need in asked:
        owner, _, name = need.partition(".")
        whole = owner == CUSTOMER or owner in fitting.events or fitting.event(owner, need in needs)
        if name and whole:
            fitting.property(owner, name, need in needs)
    cast = fitting.cast
    missing = [
        need
        for need in needs
        if not cast.plays(need)
        and need not in fitting.questions
        and ("." not in need or need.startswith(f"{CUSTOMER}.") or need.partition(".")[0] in cast.events)
    ]
    return Fitted(fitting.cast, fitting.chosen, tuple(fitting.questions.values()), tuple(missing))


def _require_known(given: Mapping[str, str], parts: Parts) -> None:
    for need in given:
        if not parts.has(need):
            hint = "Write it as in --map purchase='Order Completed' or --map purchase.amount=total."
            raise DefinitionError("E_UNKNOWN_NAME", f"no entry needs '{need}'", hint=hint)


def plain(name: str) -> str:
    """A name without capitals, blanks and signs."""
    return re.sub(r"[\W_]+", "", name).lower()


class _Fitting:
    def __init__(self, parts: Parts, project: Project, given: Mapping[str, str]) -> None:
        self.parts, self.project, self.given = parts, project, given
        self.events: dict[str, Played] = {}
        self.customer: dict[str, Filled] = {}
        self.chosen: dict[str, str] = {}
        self.questions: dict[str, Question] = {}

    @property
    def cast(self) -> Cast:
        return Cast(self.events, self.customer)

    # --- events ---

    def event(self, name: str, needed: bool) -> bool:
        """Whether the part is played; a needed one that is unclear becomes a question and is played by the proposal."""
        part = self.parts.events[name]
        if name in self.given:
            if self.given[name]:
                self._play(part, self.given[name])
            return bool(self.given[name])
        behavior = self._behavior_for(part)
        if behavior:
            self._play(part, behavior)
            return True
        return self._item(part, needed) if part.of else self._raw(part, needed)

    def _behavior_for(self, part: EventPart) -> str:
        """A behavior of the project that plays the part beyond doubt."""
        behaviors = self.project.definitions.behaviors
        if part.name in behaviors and bool(behaviors[part.name].each) == bool(part.of):
            return part.name
        names = {plain(name) for name in (self.parts.events[part.of].names if part.of else part.names)}
        found = [
            behavior.name
            for behavior in behaviors.values()
            if bool(behavior.each) == bool(part.of)
            and not part.several
            and all(plain(event) in names for event in behavior.events)
        ]
        return found[0] if len(found) == 1 else ""

    def _raw(self, part: EventPart, needed: bool) -> bool:
        data = self.project.data
        if data is None:
            return self._ask(part, part.names[0], (), needed)
        known = {plain(event): event for event in data.events}
        exact = list(dict.fromkeys(known[plain(name)] for name in part.names if plain(name) in known))
        if exact:
            self._play(part, ",".join(exact) if part.several else exact[0])
            return True
        candidates = sorted(self._similar(part, data), key=lambda choice: -choice.count)[:MANY]
        if not candidates:
            return False
        return self._ask(part, candidates[0].name, tuple(candidates), needed)

    def _similar(self, part: EventPart, data: DataCatalog) -> Iterator[Choice]:
        for event in data.events:
            text = plain(event)
            if any(all(plain(word) in text for word in phrase.split()) for phrase in part.words) and not any(
                plain(word) in text for word in part.unlike
            ):
                yield Choice(event, self.project.counts.get(event, 0))

    def _item(self, part: EventPart, needed: bool) -> bool:
        """One event for each element of a list that the other part's event has."""
        if part.of not in self.events and not self.event(part.of, needed):
            return False
        owner = self.events[part.of]
        events = owner.events or self.project.definitions.behaviors[owner.behavior].events
        lists = {
            path[0]
            for event in events
            for path, use in self._properties(event).items()
            if use.in_list and len(path) > 1
        }
        found = next((name for name in part.lists if name in lists), min(lists, default=""))
        if self.project.data is None:
            found = part.lists[0]
        if found:
            self._add(part, Played(self._free(part.name), events, (found,)))
        return bool(found)

    def _ask(self, part: EventPart, proposal: str, choices: tuple[Choice, ...], needed: bool) -> bool:
        if not needed:
            return False
        self.questions[part.name] = Question(part.name, part.title, proposal, choices)
        if proposal:
            self._play(part, proposal)
        return bool(proposal)

    def _play(self, part: EventPart, text: str) -> None:
        """`text` is a behavior of the project, or one or more events, joined by commas."""
        behavior = self.project.definitions.behaviors.get(text)
        if behavior is not None:
            self._add(part, Played(behavior.name, (), behavior.each, sample=sample_of(behavior)))
            return
        events = tuple(name.strip() for name in text.split(","))
        data = self.project.data
        unknown = [event for event in events if data is not None and event not in data.events]
        if unknown:
            hint = f"There are: {', '.join(list(data.events)[:MANY])}." if data else ""
            message = (
                f"{part.name}={text}: the data has no event '{unknown[0]}', and no behavior is called so"
            )
            raise DefinitionError("E_UNKNOWN_EVENT", message, hint=hint)
        same = next(
            (one.name for one in self.project.definitions.behaviors.values() if _is_plain(one, events)), ""
        )
        if same:
            self._add(part, Played(same))
        else:
            self._add(part, Played(self._free(part.name), events, (), part.by_company))

    def _add(self, part: EventPart, played: Played) -> None:
        self.events[part.name] = played
        events = ", ".join(played.events)
        each = f", each {'.'.join(played.each)}" if played.each and played.events else ""
        self.chosen[part.name] = f"{events}{each}" if events else played.behavior

    def _free(self, name: str) -> str:
        """A name for a new behavior that nothing has yet."""
        taken = {played.behavior for played in self.events.values()}
        found = name
        while self.project.definitions.find(found) or found in taken:
            found = f"{found}_event" if found == name else f"{found}_"
        return found

    # --- properties ---

    def property(self, owner: str, name: str, needed: bool) -> None:
        part = self.parts.customer[name] if owner == CUSTOMER else self.parts.events[owner].properties[name]
        need = f"{owner}.{name}"
        uses = self._uses(owner)
        if need in self.given:
            if self.given[need]:
                self._fill(owner, name, self._given_path(need, uses), uses, part)
            return
        if self.project.data is None:
            self._fill(owner, name, tuple(part.names[0].split(".")), uses, part)
            return
        fitting = {path: use for path, use in uses.items() if _can_hold(use, part)}
        found = next((path for wanted in part.names for path in _called(fitting, wanted)), None)
        if found is not None:
            self._fill(owner, name, found, uses, part)
        elif needed and fitting and part.holds == "number" and owner != CUSTOMER:
            choices = [Choice(".".join(path), use.total) for path, use in fitting.items()]
            self.questions[need] = Question(
                need, part.title, "", tuple(sorted(choices, key=lambda one: -one.count)[:MANY])
            )

    def _fill(
        self, owner: str, name: str, path: Path, uses: Mapping[Path, PropertyUse], part: PropertyPart
    ) -> None:
        use = uses.get(path)
        usual = {"number": "number", "sign": "number"}.get(part.holds, "text")
        holds = max(use.types, key=lambda kind: use.types[kind]) if use and use.types else usual
        filled = Filled(path, holds)
        self.chosen[f"{owner}.{name}"] = ".".join(path)
        if owner == CUSTOMER:
            self.customer[name] = filled
        else:
            played = self.events[owner]
            self.events[owner] = replace(played, properties={**played.properties, name: filled})

    def _given_path(self, need: str, uses: Mapping[Path, PropertyUse]) -> Path:
        path = tuple(self.given[need].split("."))
        if uses and path not in uses:
            hint = f"There are: {', '.join('.'.join(known) for known in list(uses)[:MANY])}."
            raise DefinitionError(
                "E_UNKNOWN_PROPERTY", f"{need}={self.given[need]}: no such property", hint=hint
            )
        return path

    def _uses(self, owner: str) -> dict[Path, PropertyUse]:
        """The properties that are there to choose from; those of an item stand in front of the event's own."""
        data = self.project.data
        if data is None:
            return {}
        if owner == CUSTOMER:
            return dict(data.traits)
        played = self.events[owner]
        behavior = self.project.definitions.behaviors.get(played.behavior)
        events = played.events or (behavior.events if behavior else ())
        found: dict[Path, PropertyUse] = {}
        for event in events:
            for path, use in self._properties(event).items():
                inner = (
                    path[len(played.each) :]
                    if played.each and path[: len(played.each)] == played.each
                    else ()
                )
                if inner:
                    found[inner] = PropertyUse(use.types)
                elif not use.in_list:
                    found.setdefault(path, use)
        return found

    def _properties(self, event: str) -> Mapping[Path, PropertyUse]:
        data = self.project.data
        return data.events[event].properties if data and event in data.events else {}


def _is_plain(behavior: Behavior, events: tuple[str, ...]) -> bool:
    whole = behavior.where is None and not behavior.each and behavior.unless is None
    return whole and set(behavior.events) == set(events)


def _called(uses: Mapping[Path, PropertyUse], wanted: str) -> Iterator[Path]:
    for path in uses:
        if plain("".join(path)) == plain(wanted) or (len(path) == 1 and plain(path[0]) == plain(wanted)):
            yield path


def _can_hold(use: PropertyUse, part: PropertyPart) -> bool:
    if use.in_list:
        return False
    match part.holds:
        case "number" | "text" as kind:
            return use.types.get(kind, 0) * 2 > use.total
        case _:
            return use.total > 0


def sample_of(behavior: Behavior) -> dict[str, str]:
    """Properties with which an event passes the behavior's filter, as a test writes them, as far as that is plain."""
    found: dict[str, str] = {}
    for condition in conjuncts(behavior.where) if behavior.where is not None else ():
        match condition:
            case Compare("==", Property((name,)), Text(value)):
                found[name] = f'"{value}"'
            case Compare("==", Property((name,)), Number(value)) | Compare(
                ">=" | "<=", Property((name,)), Number(value)
            ):
                found[name] = str(value)
            case Compare(">", Property((name,)), Number(value)):
                found[name] = str(value + 1)
            case Compare("==", Property((name,)), Flag(value)):
                found[name] = "true" if value else "false"
            case Compare("in", Property((name,)), Items((Text(value), *_))):
                found[name] = f'"{value}"'
            case Known(Property((name,))):
                found[name] = "1"
            case Property((name,)):
                found[name] = "true"
            case Not():
                continue
            case _:
                continue
    return found
