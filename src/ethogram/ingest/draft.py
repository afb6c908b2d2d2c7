"""A draft of a source: what `ethogram.toml` would say about a file."""

from __future__ import annotations

from dataclasses import dataclass, field

from ethogram.ingest.profile import FileProfile
from ethogram.ingest.roles import Guess

ORDER = "Order Completed"
REFUND = "Order Refunded"
CANCEL = "Order Cancelled"


@dataclass(frozen=True, slots=True)
class Question:
    """Asked only where the files leave a doubt. `key` is what `answers` of `propose` calls it."""

    key: str
    text: str
    choices: tuple[str, ...]
    default: str


@dataclass(frozen=True, slots=True)
class Draft:
    """One source. `settings` are lines of TOML below `[sources.name]`; `events` the event names it brings, `each` the
    property that holds an order's lines, `measure` the property that holds its amount."""

    name: str
    label: str
    settings: tuple[str, ...]
    comments: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    each: str = ""
    measure: str = ""
    guesses: tuple[Guess, ...] = ()
    questions: tuple[Question, ...] = ()
    currency: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Leftover:
    """A file that holds no customers' events."""

    file: str
    why: str
    hint: str = ""


@dataclass(slots=True)
class Setting:
    """Lines of TOML in the making."""

    lines: list[str] = field(default_factory=list)

    def add(self, key: str, value: str, comment: str = "") -> None:
        self.lines.append(f"{key} = {basic(value)}" + (f"  # {comment}" if comment else ""))


def basic(text: str) -> str:
    """A TOML string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return '"' + "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in escaped) + '"'


def key_of(name: str) -> str:
    """A TOML key."""
    return (
        name
        if name and all(char.isascii() and (char.isalnum() or char in "_-") for char in name)
        else basic(name)
    )


def files_line(profile: FileProfile) -> str:
    return f"files = {basic(profile.file.label)}"
