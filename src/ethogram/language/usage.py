"""How functions are to be called, and what is said to those who call them otherwise."""

from __future__ import annotations

from ethogram.language.cursor import Cursor
from ethogram.language.functions import WITHOUT_PARENTHESES, Signature, Takes
from ethogram.language.lexer import Token
from ethogram.language.spelling import listing, nearest
from ethogram.language.tree import Call
from ethogram.model.errors import DefinitionError

_EXAMPLES: dict[Takes, str] = {
    "events": "purchase",
    "measure": "purchase.total",
    "events or measure": "purchase",
    "step": "view",
    "number": "x",
    "number or percent": "10%",
    "text": '"text"',
    "flag": "condition",
    "moment": "last(purchase)",
    "value": "x",
    "duration": "30d",
    "durations": "[90d, 30d]",
    "unit": "week",
    "segment": "a_segment",
    "numbers": "[1, 2]",
    "texts": '["a", "b"]',
    "word": "customer",
    "property": "order_id",
}


def usage(signature: Signature) -> str:
    """How a call looks: `gap(purchase, "text")`."""
    if signature.name in WITHOUT_PARENTHESES:
        return signature.name
    parts = [_EXAMPLES[takes] for takes in signature.parameters]
    parts += [f"{name}=…" for name, _ in signature.options]
    return f"{signature.name}({', '.join(parts)})"


def too_many(cursor: Cursor, signature: Signature) -> DefinitionError:
    message = f"{signature.name} takes {_values(len(signature.parameters))}, this is one too many"
    return cursor.error(message, code="E_ARGUMENTS", hint=f"It is written {usage(signature)}.")


def unknown_option(cursor: Cursor, signature: Signature, name: Token) -> DefinitionError:
    names = signature.option_names
    close = nearest(name.text, names)
    if close:
        hint = f"Did you mean '{close}='?"
    elif names:
        hint = f"It has: {listing(f'{known}=' for known in names)}. To compare write ==."
    else:
        hint = f"It is written {usage(signature)}. To compare write ==."
    message = f"{signature.name} has no option '{name.text}='"
    return cursor.error(message, name, code="E_UNKNOWN_OPTION", hint=hint)


def require_complete(cursor: Cursor, first: Token, signature: Signature, call: Call) -> None:
    """Raises DefinitionError where a value or an option that must be there is not; `first` begins the call."""
    hint = f"It is written {usage(signature)}."
    given, needed = len(call.arguments), len(signature.parameters)
    if given < needed:
        message = f"{signature.name} takes {_values(needed)}, here {_are(given)}"
        raise cursor.error_from(first, message, code="E_ARGUMENTS", hint=hint)
    missing = [f"{name}=" for name in signature.required if call.option(name) is None]
    if missing:
        message = f"{signature.name} needs {' and '.join(missing)}"
        raise cursor.error_from(first, message, code="E_ARGUMENTS", hint=hint)


def _values(many: int) -> str:
    return "nothing in its parentheses" if many == 0 else "one value" if many == 1 else f"{many} values"


def _are(many: int) -> str:
    return "is none" if many == 0 else "is one" if many == 1 else f"are {many}"
