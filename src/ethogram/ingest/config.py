"""`ethogram.toml`: the project's settings and its sources, frozen, every complaint with line and column."""

from __future__ import annotations

import difflib
import tomllib
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast

from ethogram.identity.blocked import folded
from ethogram.identity.rules import COUNTED, LIMITS, Rules
from ethogram.ingest.places import place_of
from ethogram.model.errors import DataError, EnvironmentFault, EthogramError, Problems
from ethogram.model.settings import Settings
from ethogram.model.span import Span

FILE_NAME = "ethogram.toml"

Kind = Literal["track", "page", "screen", "identify", "group", "alias"]
KINDS: tuple[Kind, ...] = ("track", "page", "screen", "identify", "group", "alias")
FORMATS = ("csv", "jsonl", "parquet")
TYPES = ("text", "number", "flag", "time")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PICKS = ("customer", "anonymous", "account", "event", "time", "message_id")

IDS = ("email", "phone", "device", "previous")
"""Columns that say who somebody is, beside the ids that events come under."""

_TOP = (
    "name",
    "timezone",
    "currency",
    "country",
    "week_starts",
    "revenue",
    "roots",
    "sources",
    "limits",
    "identity",
)
_SOURCE = (
    "files", "format", "select", "kind", *PICKS, "properties", "traits", "ids", "types", "time_format",
    "delimiter", "encoding", "decimal", "null", "header", "columns", "timezone",
)  # fmt: skip
_LIMITS = ("select_seconds", "memory")


@dataclass(frozen=True, slots=True)
class Pick:
    """What a setting such as `event` names. `column` None: the column of that name if there is one, else a constant."""

    text: str
    column: bool | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What one `select` may use."""

    select_seconds: float = 300.0
    memory: str = "4GB"


@dataclass(frozen=True, slots=True)
class Source:
    """Files and how their rows become events. `properties` None means every column that has no other use."""

    name: str
    files: tuple[str, ...]
    format: str = ""
    select: str = ""
    kind: Kind = "track"
    picks: Mapping[str, Pick] = field(default_factory=dict)
    properties: Mapping[str, str] | None = None
    traits: Mapping[str, str] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    time_format: str = ""
    delimiter: str = ""
    encoding: str = "utf-8"
    decimal: str = "."
    null: tuple[str, ...] = ()
    header: bool = True
    columns: tuple[str, ...] = ()
    timezone: str = ""

    def fingerprint(self, settings: Settings) -> str:
        """Changes whenever the same files could become other events."""
        said: tuple[object, ...] = (
            self.name, self.format, self.select, self.kind, sorted(self.picks.items(), key=lambda item: item[0]),
            None if self.properties is None else sorted(self.properties.items()), sorted(self.traits.items()),
            sorted(self.types.items()), self.time_format, self.delimiter, self.encoding, self.decimal, self.null,
            self.header, self.columns, self.timezone or settings.timezone,
        )  # fmt: skip
        if self.ids:
            said += (sorted(self.ids.items()),)
        return sha256(repr(said).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Config:
    """The project folder and what its `ethogram.toml` says. `revenue` is the text of a measure, such as `purchase.total`."""

    folder: Path
    settings: Settings
    sources: Mapping[str, Source]
    revenue: str = ""
    roots: tuple[Path, ...] = ()
    limits: Limits = Limits()
    identity: Rules = field(default_factory=Rules)
    text: str = field(default="", compare=False, repr=False)

    def place(self, *path: str, value: str = "") -> Span:
        """Where a setting stands in the file."""
        return place_of(self.text, FILE_NAME, path, value)


def read_config(folder: Path) -> Config:
    """Raises DataError, or Problems with all that is wrong; EnvironmentFault E_NO_PROJECT where there is no file."""
    path = folder / FILE_NAME
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise EnvironmentFault(
            "E_NO_PROJECT",
            f"{folder} holds no {FILE_NAME}",
            hint="`ethogram init DIR --from FILE…` makes a project; `--project DIR` names one",
        ) from None
    except OSError as error:
        raise EnvironmentFault("E_READ", f"{path} cannot be read: {error.strerror}") from None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DataError(
            "E_TOML", f"byte {error.start} is not UTF-8", file=FILE_NAME, line=line, column=1
        ) from None
    return parse_config(text, folder)


def parse_config(text: str, folder: Path) -> Config:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _toml_error(error, text) from None
    return _Reader(text, folder).config(document)


def _toml_error(error: tomllib.TOMLDecodeError, text: str) -> DataError:
    said = str(error)
    line, column = len(text.splitlines()) or 1, 1
    if "(at line " in said:
        said, _, at = said.partition(" (at line ")
        row, _, col = at.rstrip(")").partition(", column ")
        line, column = int(row), int(col)
    return DataError("E_TOML", said, file=FILE_NAME, line=line, column=column)


class _Reader:
    """Collects every complaint of one file."""

    def __init__(self, text: str, folder: Path) -> None:
        self.text = text
        self.folder = folder
        self.errors: list[EthogramError] = []

    def config(self, document: Mapping[str, object]) -> Config:
        self.known(document, _TOP, ())
        settings = Settings(
            name=self.string(document, "name", (), "project"),
            timezone=self.timezone(document, (), "UTC"),
            week_starts=self.week_starts(document),
            currency=self.string(document, "currency", (), "").upper(),
            country=self.string(document, "country", (), "").upper(),
        )
        sources = self.table(document, "sources", ())
        result = Config(
            folder=self.folder,
            settings=settings,
            sources=MappingProxyType({name: self.source(name, value) for name, value in sources.items()}),
            revenue=self.string(document, "revenue", (), ""),
            roots=tuple(self.folder / root for root in self.strings(document, "roots", ())),
            limits=self.limits(self.table(document, "limits", ())),
            identity=self.identity(self.table(document, "identity", ())),
            text=self.text,
        )
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            raise Problems(self.errors)
        return result

    def source(self, name: str, value: object) -> Source:
        path = ("sources", name)
        if not isinstance(value, Mapping):
            self.complain(path, f"source {name} is a table: write [sources.{name}]")
            return Source(name, ())
        said = cast("Mapping[str, object]", value)
        self.known(said, _SOURCE, path)
        files = self.strings(said, "files", path)
        if not files:
            self.complain(path, f"source {name} names no files", hint='files = "data/orders*.csv.gz"')
        properties = said.get("properties", "*")
        select = self.string(said, "select", path, "")
        if select:
            self.no_mapping_beside_select(said, path)
        return Source(
            name=name,
            files=files,
            format=self.choice(said, "format", path, "", FORMATS),
            select=select,
            kind=cast("Kind", self.choice(said, "kind", path, "track", KINDS)),
            picks=MappingProxyType({key: self.pick(said[key], (*path, key)) for key in PICKS if key in said}),
            properties=None if properties == "*" else self.renames(said, "properties", path),
            traits=self.renames(said, "traits", path),
            ids=self.ids(said, path),
            types=self.types(said, path),
            time_format=self.string(said, "time_format", path, ""),
            delimiter=self.delimiter(said, path),
            encoding=self.encoding(said, path),
            decimal=self.choice(said, "decimal", path, ".", (".", ",")),
            null=self.strings(said, "null", path),
            header=self.flag(said, "header", path, default=True),
            columns=self.strings(said, "columns", path),
            timezone=self.timezone(said, path, ""),
        )

    def no_mapping_beside_select(self, said: Mapping[str, object], path: tuple[str, ...]) -> None:
        for key in (*PICKS, "properties", "traits", "ids"):
            if key in said:
                column = f"{key}.email" if key == "ids" else key
                self.complain(
                    (*path, key),
                    f"{key} and select are two ways of saying the same",
                    hint=f"let the select return a column named {column}, or leave the select out",
                )

    def ids(self, said: Mapping[str, object], path: tuple[str, ...]) -> Mapping[str, str]:
        result = self.renames(said, "ids", path)
        self.known(result, IDS, (*path, "ids"))
        return result

    def identity(self, said: Mapping[str, object]) -> Rules:
        path = ("identity",)
        self.known(said, ("limits", "block"), path)
        limits = self.table(said, "limits", path)
        self.known(limits, COUNTED, (*path, "limits"))
        numbers = dict(LIMITS)
        for name, number in limits.items():
            if isinstance(number, int) and not isinstance(number, bool) and number > 0:
                numbers[name] = number
            else:
                self.complain((*path, "limits", name), f"{name} is a whole number, 1 or more")
        return Rules(
            MappingProxyType(numbers), frozenset(folded(text) for text in self.strings(said, "block", path))
        )

    def pick(self, value: object, path: tuple[str, ...]) -> Pick:
        if isinstance(value, str) and value:
            return Pick(value)
        if isinstance(value, Mapping) and len(value) == 1:
            key, text = next(iter(value.items()))
            if key in ("column", "constant") and isinstance(text, str) and text:
                return Pick(text, column=key == "column")
        self.complain(
            path,
            f"{path[-1]} names a column",
            hint=f'{path[-1]} = "Name", or {{ column = "Name" }}, or {{ constant = "Text" }}',
        )
        return Pick("")

    def types(self, said: Mapping[str, object], path: tuple[str, ...]) -> Mapping[str, str]:
        result = self.renames(said, "types", path)
        for name, kind in result.items():
            if kind.split(" ")[0] not in TYPES:
                self.complain(
                    (*path, "types", name),
                    f"{kind!r} is no type",
                    hint='types are "text", "number", "flag", "time" or "time %d/%m/%Y %H:%M"',
                )
        return result

    def delimiter(self, said: Mapping[str, object], path: tuple[str, ...]) -> str:
        text = self.string(said, "delimiter", path, "")
        text = "\t" if text == "tab" else text
        if text and text != "whitespace" and (len(text) != 1 or not text.isascii() or text in '"\r\n'):
            self.complain((*path, "delimiter"), 'a delimiter is one character, "tab" or "whitespace"')
        return text

    def encoding(self, said: Mapping[str, object], path: tuple[str, ...]) -> str:
        text = self.string(said, "encoding", path, "utf-8")
        try:
            "".encode(text)
            return text.lower()
        except LookupError:
            pass
        self.complain(
            (*path, "encoding"), f"{text!r} is no encoding", hint='such as "utf-8", "cp1252", "utf-16"'
        )
        return "utf-8"

    def limits(self, said: Mapping[str, object]) -> Limits:
        self.known(said, _LIMITS, ("limits",))
        seconds = said.get("select_seconds", Limits().select_seconds)
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0:
            self.complain(("limits", "select_seconds"), "select_seconds is a positive number")
            seconds = Limits().select_seconds
        return Limits(float(seconds), self.string(said, "memory", ("limits",), Limits().memory))

    def timezone(self, said: Mapping[str, object], path: tuple[str, ...], default: str) -> str:
        name = self.string(said, "timezone", path, default)
        if name and name not in zoneinfo.available_timezones():
            close = difflib.get_close_matches(name, zoneinfo.available_timezones(), 3)
            self.complain(
                (*path, "timezone"),
                f"{name!r} is no timezone",
                hint=f"did you mean {' or '.join(close)}?"
                if close
                else 'an IANA name such as "Europe/London"',
            )
            return default
        return name

    def week_starts(self, said: Mapping[str, object]) -> int:
        value = said.get("week_starts", 0)
        if isinstance(value, str) and value.lower() in WEEKDAYS:
            return WEEKDAYS.index(value.lower())
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 6:
            return value
        self.complain(("week_starts",), 'week_starts is a weekday such as "monday", or 0 (Monday) to 6')
        return 0

    def string(self, said: Mapping[str, object], key: str, path: tuple[str, ...], default: str) -> str:
        value = said.get(key, default)
        if isinstance(value, str):
            return value
        self.complain((*path, key), f"{key} is text in quotes")
        return default

    def flag(self, said: Mapping[str, object], key: str, path: tuple[str, ...], *, default: bool) -> bool:
        value = said.get(key, default)
        if isinstance(value, bool):
            return value
        self.complain((*path, key), f"{key} is true or false")
        return default

    def strings(self, said: Mapping[str, object], key: str, path: tuple[str, ...]) -> tuple[str, ...]:
        value = said.get(key, ())
        if isinstance(value, str):
            return (value,)
        if isinstance(value, Sequence) and all(isinstance(item, str) for item in value):
            return tuple(cast("Sequence[str]", value))
        self.complain((*path, key), f"{key} is text in quotes, or a list of such")
        return ()

    def choice(
        self, said: Mapping[str, object], key: str, path: tuple[str, ...], default: str, known: Sequence[str]
    ) -> str:
        value = self.string(said, key, path, default)
        if value != default and value not in known:
            self.complain((*path, key), f"{value!r} is no {key}", hint=f"one of {', '.join(known)}")
            return default
        return value

    def table(self, said: Mapping[str, object], key: str, path: tuple[str, ...]) -> Mapping[str, object]:
        value = said.get(key, {})
        if isinstance(value, Mapping):
            return cast("Mapping[str, object]", value)
        self.complain((*path, key), f"{key} is a table: write [{'.'.join((*path, key))}]")
        return {}

    def renames(self, said: Mapping[str, object], key: str, path: tuple[str, ...]) -> Mapping[str, str]:
        result: dict[str, str] = {}
        for name, column in self.table(said, key, path).items():
            if isinstance(column, str) and column and name:
                result[name] = column
            else:
                self.complain((*path, key, name), f"{key}.{name} is text in quotes")
        return MappingProxyType(result)

    def known(self, said: Mapping[str, object], names: Sequence[str], path: tuple[str, ...]) -> None:
        for key in said:
            if key not in names:
                close = difflib.get_close_matches(key, names, 1)
                where = f" in [{'.'.join(path)}]" if path else ""
                hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(names)}"
                self.complain(
                    (*path, key), f"{key} is no setting{where}", hint=hint, code="E_SETTING_UNKNOWN"
                )

    def complain(
        self, path: tuple[str, ...], message: str, *, hint: str = "", code: str = "E_SETTING"
    ) -> None:
        span = place_of(self.text, FILE_NAME, path)
        self.errors.append(DataError(code, message, hint=hint, span=span, field=".".join(path)))
