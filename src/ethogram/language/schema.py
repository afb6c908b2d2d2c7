"""JSON Schemas (draft 2020-12) of the files a user writes, for completion and checks in editors.

They know keys and shapes. Whether an expression makes sense is for `check` to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from ethogram.language.parser import RESERVED

Schema: TypeAlias = "None | bool | int | str | list[Schema] | dict[str, Schema]"

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_NAME = f"^(?!(?:{'|'.join(sorted(RESERVED))})$)[a-z_][a-z0-9_]*$"

_TEXT: dict[str, Schema] = {"type": ["string", "number", "boolean"]}
_EXPRESSION: dict[str, Schema] = {
    "type": ["string", "number", "boolean"],
    "description": 'An expression, such as did(purchase, last=30d) and customer.country == "GB".',
}


def definitions_schema() -> dict[str, Schema]:
    """Of `definitions/*.yml`."""
    return {
        "$schema": _DRAFT,
        "title": "ethogram definitions",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {
            "behaviors": _by_name(_ref("behavior"), "What customers do, named once."),
            "traits": _by_name(_ref("trait"), "A value per customer."),
            "segments": _by_name(_ref("segment"), "A yes or no per customer."),
            "segmentations": _by_name(
                _ref("segmentation"), "Exactly one group per customer; the first that holds wins."
            ),
            "lists": _by_name(_ref("list"), "People named by hand."),
        },
        "$defs": {
            "text": _TEXT,
            "expression": _EXPRESSION,
            "behavior": _behavior(),
            "trait": _any_of(
                _ref("expression"),
                _object({"value": _ref("expression")} | _titles() | _tests(_value()), ["value"]),
            ),
            "segment": _any_of(_ref("expression"), _segment()),
            "segmentation": _segmentation(),
            "list": _list(),
            "event": _event(),
        },
    }


def settings_schema() -> dict[str, Schema]:
    """Of `ethogram.toml`."""
    return {
        "$schema": _DRAFT,
        "title": "ethogram.toml",
        **_object(
            {
                "name": _string("The project's name."),
                "timezone": _string("An IANA name, such as Europe/London."),
                "currency": _string("An ISO 4217 code, such as GBP."),
                "country": _string("An ISO 3166 code whose public holidays holiday= means, such as GB or GB-SCT."),
                "week_starts": _any_of({"enum": [*_WEEKDAYS]}, {"type": "integer", "minimum": 0, "maximum": 6}),
                "revenue": _string("The measure that stands for revenue, such as purchase.total."),
                "roots": _strings("Folders outside the project from which sources may read."),
                "sources": {"type": "object", "additionalProperties": _source()},
                "limits": _object({"select_seconds": {"type": "number", "exclusiveMinimum": 0}, "memory": _string("Such as 4GB.")}),
                "identity": _identity(),
            }
        ),
    }  # fmt: skip


_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


# --- definitions ----------------------------------------------------------------------------------------------------


def _behavior() -> dict[str, Schema]:
    events = _any_of(_ref("text"), {"type": "array", "items": _ref("text"), "minItems": 1})
    keys: dict[str, Schema] = {
        "event": events,
        "where": _ref("expression"),
        "each": _described(_ref("text"), "A list property: one item event for each of its elements."),
        "unless": _object({"event": _ref("text"), "same": _ref("text")}, ["event", "same"]),
        "by": {"const": "company", "description": "Done to the customer: not part of any."},
    }
    return _any_of(events, _object(keys | _titles(), ["event"]))


def _segment() -> dict[str, Schema]:
    keys = {"when": _ref("expression")} | _titles() | _owners() | _tests({"enum": ["in", "out"]})
    return _object(keys, ["when"])


def _segmentation() -> dict[str, Schema]:
    group = _any_of(
        _ref("expression"), _object({"when": _ref("expression"), "title": _ref("text")}, ["when"])
    )
    groups = _by_name(group, "Conditions in order; the last is 'otherwise'.") | {"minProperties": 1}
    groups["type"] = "object"
    keys = {"groups": groups} | _titles() | _owners() | _tests(_ref("text"))
    return _object(keys, ["groups"])


def _list() -> dict[str, Schema]:
    customers: dict[str, Schema] = {"type": "array", "items": _ref("text")}
    file = _string("A file in the project; its first column is `customer`.")
    by_file = _object({"file": file, "title": _ref("text")}, ["file"])
    by_hand = _object({"customers": customers, "title": _ref("text")}, ["customers"])
    return _any_of(file, customers, by_file, by_hand)


def _tests(expect: dict[str, Schema]) -> dict[str, Schema]:
    keys: dict[str, Schema] = {
        "name": _ref("text"),
        "at": _described(_ref("text"), "The moment of evaluation, such as 2026-01-15 12:00."),
        "events": {"type": "array", "items": _ref("event")},
        "expect": expect,
    }
    return {"tests": {"type": "array", "items": _object(keys, ["name", "expect"])}}


def _event() -> dict[str, Schema]:
    ago: dict[str, Schema] = {"type": "string", "pattern": "^ *[0-9]+(s|min|h|d|w|mo|y) *$"}
    keys: dict[str, Schema] = {
        "ago": _described(ago, "How long before the test's moment."),
        "do": _ref("text"),
    }
    return {"type": "object", "properties": keys, "required": ["ago", "do"]}


def _titles() -> dict[str, Schema]:
    return {"title": _ref("text"), "description": _ref("text")}


def _owners() -> dict[str, Schema]:
    purpose = _described(_ref("text"), "The consent needed before anything leaves the system.")
    return {"purpose": purpose, "owner": _ref("text")}


def _value() -> dict[str, Schema]:
    return {"type": ["string", "number", "boolean", "null"]}


# --- settings -------------------------------------------------------------------------------------------------------


def _identity() -> dict[str, Schema]:
    count: dict[str, Schema] = {"type": "integer", "minimum": 1}
    counted: dict[str, Schema] = {
        "customer": count,
        "email": count,
        "phone": count,
        "anonymous": count,
        "device": count,
    }
    keys: dict[str, Schema] = {
        "limits": _described(_object(counted), "How many of these a person may have."),
        "block": _strings("Values that link nobody, beside the usual placeholders."),
    }
    return _described(_object(keys), "Which ids are one person.")


def _source() -> dict[str, Schema]:
    column = _any_of(
        {"type": "string", "minLength": 1},
        _object({"column": {"type": "string"}}, ["column"]),
        _object({"constant": {"type": "string"}}, ["constant"]),
    )
    name: dict[str, Schema] = {"type": "string"}
    renames: dict[str, Schema] = {"type": "object", "additionalProperties": name}
    keys: dict[str, Schema] = {
        "files": _strings("Paths or globs."),
        "format": {"enum": ["csv", "jsonl", "parquet"]},
        "select": _string("SQL over `files`, where a mapping is not enough."),
        "kind": {"enum": ["track", "page", "screen", "identify", "group", "alias"]},
        **dict.fromkeys(("customer", "anonymous", "account", "event", "time", "message_id"), column),
        "properties": _any_of({"const": "*"}, renames),
        "traits": renames,
        "ids": _described(
            _object({"email": name, "phone": name, "device": name, "previous": name}),
            "Columns that say who somebody is.",
        ),
        "types": renames,
        "time_format": _string("Such as %d/%m/%Y %H:%M."),
        "delimiter": _string('One character, "tab" or "whitespace".'),
        "encoding": _string("Such as utf-8 or cp1252."),
        "decimal": {"enum": [".", ","]},
        "null": _strings("Texts that stand for nothing."),
        "header": {"type": "boolean"},
        "columns": _strings("Column names, where the files have no header."),
        "timezone": _string("Of times without an offset."),
    }
    return _object(keys, ["files"])


# --- pieces ---------------------------------------------------------------------------------------------------------


def _object(properties: dict[str, Schema], required: Iterable[str] = ()) -> dict[str, Schema]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": [*required],
    }


def _by_name(value: dict[str, Schema], description: str) -> dict[str, Schema]:
    return {
        "type": ["object", "null"],
        "description": description,
        "propertyNames": {"pattern": _NAME},
        "additionalProperties": value,
    }


def _any_of(*schemas: dict[str, Schema]) -> dict[str, Schema]:
    return {"anyOf": [*schemas]}


def _ref(name: str) -> dict[str, Schema]:
    return {"$ref": f"#/$defs/{name}"}


def _described(schema: dict[str, Schema], description: str) -> dict[str, Schema]:
    return {**schema, "description": description}


def _string(description: str) -> dict[str, Schema]:
    return {"type": "string", "description": description}


def _strings(description: str) -> dict[str, Schema]:
    text: dict[str, Schema] = {"type": "string"}
    return {**_any_of(text, {"type": "array", "items": text}), "description": description}
