"""A new project from files alone: what they seem to be, shown on three rows, as a commented `ethogram.toml`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from ethogram.ingest.config import Config, parse_config
from ethogram.ingest.draft import Draft, Leftover, Question, basic, key_of
from ethogram.ingest.drafts import draft_of
from ethogram.ingest.paths import SourceFile, files_of, opened
from ethogram.ingest.profile import profile_file
from ethogram.ingest.reading import Reader
from ethogram.ingest.roles import plain_name
from ethogram.ingest.rows import Rows
from ethogram.ingest.shape import shape
from ethogram.model.errors import DataError
from ethogram.model.event import Event, Value
from ethogram.store.leaves import Record, unshred

_COUNTRIES: Mapping[str, tuple[str, str, str]] = {
    "united kingdom": ("GB", "GBP", "Europe/London"), "uk": ("GB", "GBP", "Europe/London"), "gb": ("GB", "GBP", "Europe/London"),
    "ireland": ("IE", "EUR", "Europe/Dublin"), "ie": ("IE", "EUR", "Europe/Dublin"), "germany": ("DE", "EUR", "Europe/Berlin"),
    "de": ("DE", "EUR", "Europe/Berlin"), "france": ("FR", "EUR", "Europe/Paris"), "fr": ("FR", "EUR", "Europe/Paris"),
    "spain": ("ES", "EUR", "Europe/Madrid"), "es": ("ES", "EUR", "Europe/Madrid"), "italy": ("IT", "EUR", "Europe/Rome"),
    "it": ("IT", "EUR", "Europe/Rome"), "netherlands": ("NL", "EUR", "Europe/Amsterdam"), "nl": ("NL", "EUR", "Europe/Amsterdam"),
    "belgium": ("BE", "EUR", "Europe/Brussels"), "be": ("BE", "EUR", "Europe/Brussels"), "austria": ("AT", "EUR", "Europe/Vienna"),
    "at": ("AT", "EUR", "Europe/Vienna"), "switzerland": ("CH", "CHF", "Europe/Zurich"), "ch": ("CH", "CHF", "Europe/Zurich"),
    "sweden": ("SE", "SEK", "Europe/Stockholm"), "se": ("SE", "SEK", "Europe/Stockholm"), "poland": ("PL", "PLN", "Europe/Warsaw"),
    "pl": ("PL", "PLN", "Europe/Warsaw"), "united states": ("US", "USD", "America/New_York"), "usa": ("US", "USD", "America/New_York"),
    "us": ("US", "USD", "America/New_York"), "canada": ("CA", "CAD", "America/Toronto"), "ca": ("CA", "CAD", "America/Toronto"),
    "australia": ("AU", "AUD", "Australia/Sydney"), "au": ("AU", "AUD", "Australia/Sydney"), "japan": ("JP", "JPY", "Asia/Tokyo"),
    "jp": ("JP", "JPY", "Asia/Tokyo"), "india": ("IN", "INR", "Asia/Kolkata"), "in": ("IN", "INR", "Asia/Kolkata"),
    "brazil": ("BR", "BRL", "America/Sao_Paulo"), "br": ("BR", "BRL", "America/Sao_Paulo"), "new zealand": ("NZ", "NZD", "Pacific/Auckland"),
}  # fmt: skip

_SAMPLE = 3


@dataclass(frozen=True, slots=True)
class Sample:
    """What one source's first rows were understood as, and how many rows became events."""

    source: str
    lines: tuple[str, ...]
    rows: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """`questions` are those whose answer is in doubt; without answers their defaults hold, and `notes` say so."""

    folder: Path
    name: str
    timezone: str
    currency: str
    country: str
    roots: tuple[str, ...]
    drafts: tuple[Draft, ...]
    leftovers: tuple[Leftover, ...]
    questions: tuple[Question, ...]
    samples: tuple[Sample, ...] = ()
    notes: tuple[str, ...] = ()

    def toml(self) -> str:
        """The commented `ethogram.toml`."""
        lines = [
            f"name = {basic(self.name)}",
            f"timezone = {basic(self.timezone)}  # what times without an offset mean, and when a day begins",
        ]
        lines += [f"currency = {basic(self.currency)}"] if self.currency else ['# currency = "EUR"']
        lines += (
            [f"country = {basic(self.country)}  # its public holidays"]
            if self.country
            else ['# country = "DE"  # its public holidays']
        )
        lines += ['week_starts = "monday"']
        if measure := self.revenue():
            lines += [f"revenue = {basic(measure)}  # what shares of revenue are shares of"]
        if self.roots:
            lines += [
                "",
                "# folders outside this one that sources may read",
                f"roots = [{', '.join(basic(root) for root in self.roots)}]",
            ]
        for draft in self.drafts:
            lines += [
                "",
                *(f"# {text}" for text in (draft.label, *draft.comments)),
                f"[sources.{key_of(draft.name)}]",
                *draft.settings,
            ]
        for leftover in self.leftovers:
            lines += ["", f"# {leftover.file} is not used: {leftover.why}"]
        return "\n".join(lines) + "\n"

    def revenue(self) -> str:
        return next(
            (
                f"purchase.{draft.measure}"
                for draft in self.drafts
                if draft.measure and "Order Completed" in draft.events
            ),
            "",
        )

    def definitions(self) -> str:
        """A `definitions/start.yml`: a behavior for each event seen, a few segments to begin with."""
        behaviors: dict[str, str] = {}
        for draft in self.drafts:
            for event in draft.events:
                behaviors.setdefault(_BEHAVIORS.get(event) or _identifier(event), _scalar(event))
            if draft.each:
                behaviors["bought"] = f"{{ event: {_scalar(draft.events[0])}, each: {draft.each} }}"
        lines = [
            "behaviors:                # what customers do, named once",
            *(f"  {name}: {text}" for name, text in behaviors.items()),
        ]
        main = "purchase" if "purchase" in behaviors else "any"
        traits = (
            {"orders": "count(purchase)", "last_purchase": "last(purchase)"} if main == "purchase" else {}
        )
        if main == "purchase" and self.revenue():
            traits["spend_1y"] = "sum(purchase.total, last=1y)"
        traits |= {f"{name}_count": f"count({name})" for name in behaviors if name != "purchase"}
        lines += ["", "traits:                   # a value for each customer"]
        lines += [f"  {name}: {text}" for name, text in traits.items()]
        lines += [
            "",
            "segments:                 # a yes or no for each customer",
            "  active:",
            "    title: Active in the last 90 days",
            f"    when: did({main}, last=90d)",
            "  lapsing:",
            "    title: Active before, not for 90 days",
            f"    when: did({main}) and not did({main}, last=90d)",
            "",
            "segmentations:            # exactly one group for each customer",
            "  recency:",
            "    groups:",
            f"      month: did({main}, last=30d)",
            f"      quarter: did({main}, last=90d)",
            f"      year: did({main}, last=365d)",
            "      long_ago: otherwise",
        ]
        return "\n".join(lines) + "\n"


_BEHAVIORS = {"Order Completed": "purchase", "Order Refunded": "refund", "Order Cancelled": "cancellation"}


def propose(
    folder: Path, files: Sequence[Path], answers: Mapping[str, str] | None = None, name: str = ""
) -> Proposal:
    """Looks at the files and says how they would be read. `answers` are to `questions` of an earlier proposal.

    Raises DataError E_NO_FILES for a file that is not there, E_PROPOSAL if no file holds events, and what reading raises.
    """
    answers = answers or {}
    drafts: list[Draft] = []
    leftovers: list[Leftover] = []
    roots: list[str] = []
    read: dict[str, Rows] = {}
    for path in files:
        file = _named(folder, path, roots)
        profile = profile_file(file)
        read[file.label] = profile.rows
        found, leftover = draft_of(profile, answers)
        drafts += found
        leftovers += [leftover] if leftover else []
    if not drafts:
        raise DataError(
            "E_PROPOSAL",
            "; ".join(f"{left.file}: {left.why}" for left in leftovers) or "no files were named",
            hint=" ".join(dict.fromkeys(left.hint for left in leftovers)),
        )
    questions = [question for draft in drafts for question in draft.questions if question.key not in answers]
    country, currency, timezone, asked = _place(drafts, answers)
    proposal = Proposal(
        folder,
        name or folder.resolve().name,
        timezone,
        currency,
        country,
        tuple(dict.fromkeys(roots)),
        tuple(_distinct(drafts)),
        tuple(leftovers),
        (*questions, *asked),
        notes=tuple(
            f"{question.text} Taken: {question.default or 'nothing'}." for question in (*questions, *asked)
        ),
    )
    return replace(proposal, samples=tuple(_samples(proposal, read)))


def _named(folder: Path, path: Path, roots: list[str]) -> SourceFile:
    real = Path(os.path.realpath(path))
    if not real.is_file():
        raise DataError("E_NO_FILES", f"there is no file {path}")
    inside = real.is_relative_to(os.path.realpath(folder))
    if not inside:
        roots.append(str(real.parent))
    return SourceFile(real, os.path.relpath(real, os.path.realpath(folder)) if inside else str(real))


def _place(drafts: Sequence[Draft], answers: Mapping[str, str]) -> tuple[str, str, str, list[Question]]:
    where = next((draft.country for draft in drafts if draft.country), "")
    country, currency, timezone = _COUNTRIES.get(where.lower(), ("", "", "UTC"))
    said = next((draft.currency for draft in drafts if re.fullmatch("[A-Z]{3}", draft.currency)), "")
    asked = []
    if not said and not currency and any(draft.measure for draft in drafts) and "currency" not in answers:
        asked.append(Question("currency", "Which currency are the amounts in?", ("USD", "EUR", "GBP"), ""))
    if not country and "timezone" not in answers:
        asked.append(
            Question(
                "timezone",
                "Which timezone are the times in?",
                ("UTC", "Europe/London", "America/New_York"),
                timezone,
            )
        )
    return (
        answers.get("country", country),
        answers.get("currency", said or currency),
        answers.get("timezone", timezone),
        asked,
    )


def _distinct(drafts: Sequence[Draft]) -> list[Draft]:
    names: set[str] = set()
    result = []
    for draft in drafts:
        name, number = draft.name, 2
        while name in names:
            name, number = f"{draft.name}_{number}", number + 1
        names.add(name)
        result.append(replace(draft, name=name))
    return result


# --- as understood ----------------------------------------------------------------------------------------------------


def _samples(proposal: Proposal, read: Mapping[str, Rows]) -> list[Sample]:
    config = parse_config(proposal.toml(), proposal.folder)
    return [sample(config, name, read.get(source.files[0])) for name, source in config.sources.items()]


def sample(config: Config, name: str, rows: Rows | None = None) -> Sample:
    """The first rows of a source, as events. `rows` are its file's, where they were read already."""
    source = config.sources[name]
    reader = Reader(config, source, lambda stage, share: None)
    if rows and source.select and not source.time_format:
        parts, _, unreadable = reader.map_rows(rows)
    else:
        with opened(files_of(config, source)[0]) as snapshot:
            parts, _, unreadable = reader.read([snapshot])
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    shown: list[str] = []
    count, rejected = 0, len(unreadable)
    for part in parts:
        shaped = shape(part, source, config.settings, now, config.identity)
        count += shaped.table.num_rows
        rejected += len(shaped.rejected)
        if not shown:
            shown = [render(record, config) for record in unshred(shaped.table.slice(0, _SAMPLE))]
    return Sample(name, tuple(shown), count, rejected)


def render(record: Record, config: Config) -> str:
    """One event in one line of plain words."""
    event = record.event
    moment = datetime.fromtimestamp(event.time / 1_000_000, ZoneInfo(config.settings.timezone))
    what = event.name or {"identify": "is known to be", "group": "belongs to an account"}.get(
        event.kind, event.kind
    )
    said = [f"customer {record.customer}", what]
    if event.kind != "identify":
        said.append(f"{moment.day} {moment:%b %Y %H:%M}")
    return " · ".join([*said, *_facts(event, config.settings.currency)])


def _facts(event: Event, currency: str) -> list[str]:
    facts = []
    for name, value in [*event.properties.items(), *event.traits.items()]:
        if isinstance(value, tuple):
            facts.append(
                f"{name} ({len(value)}): {_words(value[0])}{', …' if len(value) > 1 else ''}"
                if value
                else f"no {name}"
            )
        else:
            money = f" {currency}" if name == "total" and currency else ""
            facts.append(f"{name} {_words(value)}{money}")
    return facts[:8]


def _words(value: Value) -> str:
    match value:
        case Decimal():
            text = f"{value:f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
        case Mapping():
            return " ".join(_words(inner) for inner in value.values() if inner is not None)
        case tuple():
            return ", ".join(_words(inner) for inner in value)
        case _:
            text = str(value)
            return text if len(text) <= 40 else text[:39] + "…"


def _identifier(event: str) -> str:
    name = "_".join(plain_name(event).split())
    return name if re.match(r"[a-z_]", name) else f"event_{name}"


def _scalar(event: str) -> str:
    """A YAML scalar: bare where nothing in it could mislead."""
    return (
        event
        if re.fullmatch(r"[A-Za-z][A-Za-z ]*[A-Za-z]", event) and event.lower() not in _YAML_WORDS
        else basic(event)
    )


_YAML_WORDS = frozenset({"yes", "no", "on", "off", "true", "false", "null"})
