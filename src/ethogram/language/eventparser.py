"""Reading selections of events: `purchase[total > 10].total`."""

from __future__ import annotations

from collections.abc import Callable

from ethogram.language import literals
from ethogram.language.cursor import Cursor
from ethogram.language.lexer import KEYWORDS
from ethogram.language.tree import Events, Expression, Path
from ethogram.model.errors import DefinitionError


def selection(cursor: Cursor, filtered: Callable[[], Expression]) -> Events:
    """A selection or a property of one; `filtered` reads what stands inside `[ ]`."""
    first = cursor.next
    if first.kind not in ("name", "quoted name", "text") or cursor.is_word(*KEYWORDS):
        raise cursor.unexpected("a behavior's name or an event in quotes")
    if first.kind == "name" and cursor.follows_symbol("("):
        message = f"a selection of events is expected here, not '{first.text}(…)'"
        raise cursor.error(message, hint="Write did(purchase).")
    cursor.take()
    where = _filter(cursor, filtered)
    path = _path(cursor)
    if cursor.is_word("and", "or"):
        hint = "Write it twice: did(a) and did(b). Conditions on properties stand in [ ]."
        message = f"a selection of events ends here, '{cursor.next.text}' cannot follow"
        raise cursor.error(message, hint=hint)
    return Events(first.text, first.kind == "text", where, path, span=cursor.span(first))


def _filter(cursor: Cursor, filtered: Callable[[], Expression]) -> Expression | None:
    opened = cursor.next
    if not cursor.take_symbol("["):
        return None
    if cursor.is_symbol("]"):
        raise cursor.error("an empty filter", opened, hint="Leave the [ ] away for all events.")
    cursor.enter()
    where = filtered()
    cursor.expect("]", opened)
    cursor.leave()
    if cursor.is_symbol("["):
        raise cursor.error("a second filter", hint="Join the conditions with 'and' in one [ ].")
    return where


def _path(cursor: Cursor) -> Path:
    if not cursor.take_symbol("."):
        return ()
    path = literals.path(cursor)
    if cursor.is_symbol("["):
        hint = "Write the filter before the property: purchase[total > 10].total."
        raise cursor.error("a filter after a property", hint=hint)
    return path


def without_path(events: Events) -> Events:
    """The selection, where a property of it has no place."""
    if not events.path:
        return events
    name = ".".join(events.path)
    message = f"a selection of events is expected here, not the property '{name}'"
    hint = f"Leave it away, or set a condition on it: {_written(events)}[{name} is known]."
    raise DefinitionError("E_ARGUMENTS", message, hint=hint, span=events.span)


def with_path(events: Events) -> Events:
    """The property, where a whole selection has no place."""
    if events.path:
        return events
    message = f"a property of '{events.source}' is expected here"
    raise DefinitionError(
        "E_ARGUMENTS", message, hint=f"Write for example {_written(events)}.total.", span=events.span
    )


def _written(events: Events) -> str:
    return f'"{events.source}"' if events.raw else events.source
