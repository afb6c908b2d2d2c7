"""What a check finds: errors that must be mended, warnings worth a look. Every code is named here once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from ethogram.language.spelling import listing, nearest
from ethogram.model.errors import DefinitionError, EthogramError, Unsupported
from ethogram.model.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

Severity: TypeAlias = Literal["error", "warning"]

ERRORS: dict[str, str] = {
    "E_ARGUMENTS": "a function gets too few, too many or unfit arguments",
    "E_CIRCLE": "definitions that need one another in a circle",
    "E_CURRENCIES": "amounts in several currencies would be added",
    "E_DATE": "text that is no date or time",
    "E_DEPTH": "an expression nested too deeply",
    "E_DUPLICATE": "a name given twice",
    "E_EMPTY": "a list or group of conditions without anything in it",
    "E_FILTER": "something inside [ ] that is not about one event",
    "E_HOLIDAY": "a holiday that the project's country does not have",
    "E_KIND": "a name of the wrong kind, such as a trait where a segment is expected",
    "E_ME": "me.x used other than on one side of a comparison with a property",
    "E_MEMBERSHIP": "the past of a segment that has no past of its own",
    "E_NAME": "a definition's name that cannot be written in an expression",
    "E_NUMBER_OVERFLOW": "a number too large to be kept exactly",
    "E_OPTION": "an option with an unfit value",
    "E_OTHERWISE": "a segmentation that does not end in otherwise",
    "E_SEQUENCE_NOT": "`not` as the first step of a sequence, or as the last without within=",
    "E_SHARE": "share without a filter",
    "E_TIME_ARITHMETIC": "arithmetic over elapsed time in a condition",
    "E_TOO_LARGE": "more conditions in one expression than are possible",
    "E_TYPE": "values of different types together",
    "E_UNKNOWN_EVENT": "an event that the data does not have",
    "E_UNKNOWN_FUNCTION": "a function that does not exist",
    "E_UNKNOWN_GROUP": "a group that the segmentation does not have",
    "E_UNKNOWN_LIST": "a list of people that does not exist",
    "E_UNKNOWN_NAME": "a name that nothing defines",
    "E_UNKNOWN_OPTION": "an option that the function does not have",
    "E_UNKNOWN_PROPERTY": "a property that the event does not have",
    "E_UNKNOWN_TRAIT": "a given trait that no customer has",
    "E_UNSUPPORTED": "a function that is not available yet",
    "E_WINDOW": "a window that is empty, backwards or not understood",
    "E_WORD": "a word that is not one of those understood here",
}
"""Codes of errors, with what they say."""

WARNINGS: dict[str, str] = {
    "W_ALWAYS": "a condition that holds for everyone",
    "W_IDLE_OPTION": "an option that changes nothing",
    "W_MISSING_MOMENT": "a window that is empty for customers without its moment",
    "W_MIXED_TYPES": "a property whose values are not all of the type that is used",
    "W_NEVER": "a condition that can hold for nobody",
    "W_REPEATED": "a condition that another one already implies",
    "W_TIES": "a ranking in which many are tied at the lowest value",
    "W_UNREACHABLE": "a group that no customer can reach",
    "W_UNUSED": "a behavior that nothing uses",
}
"""Codes of warnings, with what they say."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check has to say about `definition`."""

    severity: Severity
    code: str
    message: str
    hint: str = ""
    span: Span | None = None
    definition: str = ""

    @property
    def is_error(self) -> bool:
        return self.severity == "error"

    def as_error(self) -> EthogramError:
        kind = Unsupported if self.code == "E_UNSUPPORTED" else DefinitionError
        return kind(self.code, self.message, hint=self.hint, span=self.span, field=self.definition)

    def __str__(self) -> str:
        return str(self.as_error()) if self.is_error else f"warning: {self.as_error()}"

    def as_json(self) -> dict[str, object]:
        return {"severity": self.severity, "definition": self.definition or None, **self.as_error().as_json()}


def error(code: str, message: str, span: Span | None, hint: str = "") -> Finding:
    assert code in ERRORS, code
    return Finding("error", code, message, hint, span)


def warning(code: str, message: str, span: Span | None, hint: str = "") -> Finding:
    assert code in WARNINGS, code
    return Finding("warning", code, message, hint, span)


def choices(name: str, existing: Iterable[str], lead: str = "there are") -> str:
    """What exists, and what was perhaps meant.

    >>> choices("totl", ["total", "currency"], "it has")
    "it has: total, currency. Did you mean 'total'?"
    """
    names = list(dict.fromkeys(existing))
    if not names:
        return ""
    close = nearest(name, names)
    meant = f" Did you mean '{close}'?" if close else ""
    return f"{lead}: {listing(names)}.{meant}"
