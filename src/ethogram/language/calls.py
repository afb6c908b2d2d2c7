"""Whether a function is called as its signature says."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import assert_never

from ethogram.language.agreement import (
    Scope,
    must_be_flag,
    must_be_moment,
    must_be_number,
    must_be_text,
    must_be_value,
    name_of,
)
from ethogram.language.findings import Finding, choices, error, warning
from ethogram.language.functions import FUNCTIONS, Signature, Takes
from ethogram.language.names import all_definitions, kind_of
from ethogram.language.options import (
    UNITS,
    example_of,
    is_positive_integer,
    kind_named,
    literal_number,
    must_be_segment,
    must_be_word,
    option_findings,
)
from ethogram.language.selections import path_span, selection_of, written
from ethogram.language.tree import (
    Call,
    Events,
    Expression,
    Not,
    Number,
    Percent,
    Property,
    Text,
)
from ethogram.language.types import common

GAPS = ("mean", "median", "min", "max", "last", "cv")
_NUMERIC = frozenset({"sum", "avg", "min", "max", "median", "max_sum_by", "trend"})


def call_findings(node: Call, scope: Scope) -> Iterator[Finding]:
    """Findings about one call; its arguments' own contents are looked at in their own turn."""
    signature = FUNCTIONS.get(node.function)
    if signature is None:
        yield error(
            "E_UNKNOWN_FUNCTION",
            f"unknown function '{node.function}'",
            node.span,
            choices(node.function, FUNCTIONS),
        )
        return
    if signature.refused:
        message = f"{node.function}() cannot be evaluated: {signature.refused}"
        yield error("E_UNSUPPORTED", message, node.span, "leave it out; nothing is approximated in silence")
        return
    yield from _arguments(node, signature, scope)
    yield from option_findings(node, signature, scope)
    yield from _particulars(node, scope)


# --- arguments ------------------------------------------------------------------------------------------------------


def _arguments(node: Call, signature: Signature, scope: Scope) -> Iterator[Finding]:
    least = len(signature.parameters)
    count = len(node.arguments)
    if count < least or (count > least and not signature.repeats):
        expected = f"{least} or more" if signature.repeats else str(least)
        noun = "argument" if expected == "1" else "arguments"
        message = f"{node.function} takes {expected} {noun}, not {count}"
        yield error("E_ARGUMENTS", message, node.span, f"as in {example_of(signature)}")
        return
    takes = signature.parameters + signature.parameters[-1:] * (count - least)
    for argument, kind in zip(node.arguments, takes, strict=True):
        yield from _fits(argument, kind, node, scope)


def _fits(argument: Expression, takes: Takes, node: Call, scope: Scope) -> Iterator[Finding]:
    match takes:
        case "events" | "measure" | "events or measure" | "step":
            yield from _selection(argument, takes, node, scope)
        case "number":
            yield from must_be_number(argument, scope)
        case "number or percent":
            if not isinstance(argument, Percent):
                yield from must_be_number(argument, scope)
        case "text":
            yield from must_be_text(argument, scope)
        case "flag":
            yield from must_be_flag(argument, scope)
        case "moment":
            yield from must_be_moment(argument, scope)
        case "value":
            yield from must_be_value(argument)
        case "segment":
            yield from must_be_segment(argument, node.function, scope)
        case "unit":
            yield from must_be_word(argument, UNITS, f"{node.function}(…)")
        case "duration" | "durations" | "numbers" | "texts" | "word" | "property":
            return
        case _:
            assert_never(takes)


def _selection(argument: Expression, takes: Takes, node: Call, scope: Scope) -> Iterator[Finding]:
    step = argument.item if takes == "step" and isinstance(argument, Not) else argument
    if not isinstance(step, Events):
        message = f"{node.function} needs events, but {name_of(argument)} is {kind_named(argument, scope)}"
        hint = choices(name_of(argument).strip("'"), scope.definitions.behaviors, "behaviors are")
        yield error("E_KIND", message, argument.span or node.span, hint)
        return
    if step.path and takes in ("events", "step"):
        hint = f"leave out .{written(step.path)}, or ask about it in a filter: {step.source}[{written(step.path)} > 0]"
        yield error("E_ARGUMENTS", f"{node.function} takes events, not a property of them", step.span, hint)
    elif not step.path and takes == "measure":
        chosen = selection_of(step, scope.definitions, scope.catalog)
        hint = choices("", chosen.property_names, "it has") or f"as in {node.function}({step.source}.total)"
        yield error("E_ARGUMENTS", f"{node.function} needs a property of '{step.source}'", step.span, hint)
    elif step.path and node.function in _NUMERIC:
        yield from must_be_measure(step, scope)


def must_be_measure(step: Events, scope: Scope) -> Iterator[Finding]:
    """The property must be a number."""
    chosen = selection_of(step, scope.definitions, scope.catalog)
    use = chosen.use(step.path)
    if use is None or not use.total:
        return
    numbers = use.types.get("number", 0)
    label, span = f"'{written(step.path)}' of {chosen.label}", path_span(step.span, step.path)
    if not numbers:
        yield error("E_TYPE", f"{label} is {' and '.join(use.types)}, not a number", span)
    elif numbers < use.total:
        message = (
            f"{use.total - numbers} of {use.total} values of {label} are no numbers and count as missing here"
        )
        yield warning(
            "W_MIXED_TYPES", message, span, "mend them at the source, or leave them out with a filter"
        )


# --- what only some functions ask for -------------------------------------------------------------------------------


def _particulars(node: Call, scope: Scope) -> Iterator[Finding]:
    match node.function, node.arguments:
        case "nth", (_, place) if not is_positive_integer(place):
            yield error(
                "E_ARGUMENTS", "nth needs a whole number from 1", place.span, "as in nth(purchase.total, 2)"
            )
        case "ntile", (_, parts) if not is_positive_integer(parts):
            yield error("E_ARGUMENTS", "ntile needs a whole number of parts", parts.span, "as in ntile(…, 5)")
        case "top", (_, Percent(share) as part) if not 0 < share <= 100:
            yield error(
                "E_ARGUMENTS",
                f"top {share}% is nobody or more than everybody",
                part.span,
                "as in top(…, 10%)",
            )
        case "top", (_, size) if not isinstance(size, Percent) and not is_positive_integer(size):
            yield error(
                "E_ARGUMENTS", "top needs a whole number or a percentage", size.span, "as in top(…, 100)"
            )
        case "bin", (_, *edges):
            yield from _edges(node, edges)
        case "gap", (_, measure):
            if not isinstance(measure, Text) or measure.value not in GAPS:
                yield error(
                    "E_WORD",
                    f"gap does not know {name_of(measure)}",
                    measure.span,
                    "one of: " + ", ".join(f'"{known}"' for known in GAPS),
                )
        case "in_list", (name,):
            yield from _known_list(name, scope)
        case "bucket", (salt,) if not isinstance(salt, Text) or not salt.value:
            yield error(
                "E_ARGUMENTS", "bucket needs a salt in quotes", salt.span, 'as in bucket("spring test")'
            )
        case "share", (Events(where=None) as selection,):
            hint = f"as in share({selection.source}[coupon is known]): those events among all of '{selection.source}'"
            yield error("E_SHARE", "share needs a filter", selection.span or node.span, hint)
        case "if", (_, one, other):
            yield from _same_type((one, other), node, scope)
        case "coalesce", values:
            yield from _same_type(values, node, scope)
        case "max_sum_by", (Events() as measure,):
            yield from _known_property(node.option("by"), measure, node, scope)
        case "recurring", _:
            yield from _recurring(node)
        case "sequence", steps:
            yield from _sequence(node, steps, scope)
        case _:
            return


def _edges(node: Call, edges: list[Expression]) -> Iterator[Finding]:
    values = [literal_number(edge) for edge in edges]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        yield error(
            "E_ARGUMENTS", "the edges of bin are plain numbers", node.span, "as in bin(…, 10, 20, 50)"
        )
    elif any(low >= high for low, high in pairwise(known)):
        yield error("E_ARGUMENTS", "the edges of bin must rise", node.span, "as in bin(…, 10, 20, 50)")


def _known_list(name: Expression, scope: Scope) -> Iterator[Finding]:
    known = (*scope.definitions.lists, *(scope.catalog.lists if scope.catalog else ()))
    if not isinstance(name, Text):
        yield error(
            "E_ARGUMENTS", "in_list needs a list's name in quotes", name.span, 'as in in_list("staff")'
        )
    elif name.value not in known:
        kinds = {definition.name: kind_of(definition) for definition in all_definitions(scope.definitions)}
        if name.value in kinds:
            yield error("E_KIND", f"'{name.value}' is a {kinds[name.value]}, not a list", name.span)
            return
        hint = choices(name.value, known) or "define it under `lists:`"
        yield error("E_UNKNOWN_LIST", f"unknown list '{name.value}'", name.span, hint)


def _same_type(values: tuple[Expression, ...], node: Call, scope: Scope) -> Iterator[Finding]:
    kinds = [scope.type_of(value) for value in values]
    if any(kind != "any" for kind in kinds) and common(kinds) == "any":
        named = " and ".join(f"{name_of(value)} ({kind})" for value, kind in zip(values, kinds, strict=True))
        yield error(
            "E_TYPE", f"{node.function} mixes types: {named}", node.span, "all of them must be of one type"
        )


def _recurring(node: Call) -> Iterator[Finding]:
    match node.option("at_least"), node.option("of"):
        case Number(least), Number(periods) if least > periods:
            yield error("E_OPTION", f"at least {least} of {periods} periods is impossible", node.span)
        case _:
            return


def _sequence(node: Call, steps: tuple[Expression, ...], scope: Scope) -> Iterator[Finding]:
    if steps and isinstance(steps[0], Not):
        hint = "begin with something that happens; for `never before` write `and not did(…)`"
        yield error("E_SEQUENCE_NOT", "a sequence cannot begin with `not`", steps[0].span or node.span, hint)
    elif steps and isinstance(steps[-1], Not) and node.option("within") is None:
        hint = "add within=7d: it holds once that time has passed without the event"
        yield error(
            "E_SEQUENCE_NOT",
            "a sequence can end with `not` only within a time",
            steps[-1].span or node.span,
            hint,
        )
    for step in steps:
        yield from _known_property(
            node.option("same"), step.item if isinstance(step, Not) else step, node, scope
        )


def _known_property(
    asked: Expression | None, events: Expression, node: Call, scope: Scope
) -> Iterator[Finding]:
    """Whether the events have the property that an option names."""
    if isinstance(asked, Property) and isinstance(events, Events):
        chosen = selection_of(events, scope.definitions, scope.catalog)
        if not chosen.knows(asked.path):
            hint = choices(written(asked.path), chosen.property_names, "it has")
            message = f"unknown property '{written(asked.path)}' of {chosen.label}"
            yield error("E_UNKNOWN_PROPERTY", message, asked.span or node.span, hint)
