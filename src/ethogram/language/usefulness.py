"""Conditions that always or never hold, or that another one already implies."""

from __future__ import annotations

from collections.abc import Iterator

from ethogram.language.agreement import Scope
from ethogram.language.findings import Finding, warning
from ethogram.language.implication import implies
from ethogram.language.ranges import AllOf, AnyOf, Fixed, Form, form_of, opposite
from ethogram.language.tree import And, Between, Call, Compare, Expression, Flag, Not, Or


def usefulness_findings(node: Expression, scope: Scope) -> Iterator[Finding]:
    """Findings about `node` itself; its parts are looked at in their own turn."""
    match node:
        case Compare() | Between() | Call("did"):
            form = form_of(node, scope)
            if form == Fixed(True):
                yield warning("W_ALWAYS", "this holds for everyone", node.span, _why(node))
            elif form == Fixed(False):
                yield warning("W_NEVER", "this can hold for nobody", node.span, _why(node))
        case And(items) | Or(items):
            yield from _together(items, scope, conjoined=isinstance(node, And), node=node)
        case _:
            return


def _why(node: Expression) -> str:
    match node:
        case Compare(_, Call(function), _) | Compare(_, _, Call(function)) | Between(Call(function)):
            limits = {
                "count": "a count is a whole number, 0 or more",
                "share": "a share lies between 0 and 1: 50% or 0.5",
                "rank": "a rank lies between 0 and 1: 90% or 0.9",
                "bucket": "a bucket lies between 0 and 1",
                "sum": "the filter leaves no negative values",
                "active_days": "a window has only so many days",
            }
            return limits.get(function, "look at the values it can have")
        case _:
            return "look at the values it can have"


def _together(
    items: tuple[Expression, ...], scope: Scope, *, conjoined: bool, node: Expression
) -> Iterator[Finding]:
    forms = [form_of(item, scope) for item in items]
    clash = _clash(forms, scope, conjoined=conjoined)
    if clash is not None:
        span = items[clash].span or node.span
        if conjoined:
            yield warning("W_NEVER", "these conditions exclude one another, so nobody meets them all", span)
        else:
            yield warning("W_ALWAYS", "one of these conditions always holds, so everyone meets them", span)
        return
    for later, form in enumerate(forms):
        if isinstance(form, Fixed):
            if isinstance(items[later], Flag | Not):
                yield from _constant(items[later], form, conjoined=conjoined)
            continue
        others = [
            index for index in range(len(forms)) if index != later and not isinstance(forms[index], Fixed)
        ]
        for other in others:
            if not _makes_useless(forms[other], form, conjoined=conjoined):
                continue
            if other > later and _makes_useless(form, forms[other], conjoined=conjoined):
                continue  # they are equal: the later one is reported
            yield _repeated(items[later], items[other], conjoined=conjoined, same=form == forms[other])
            break


def _makes_useless(other: Form, form: Form, *, conjoined: bool) -> bool:
    """In `and` a condition adds nothing if another implies it; in `or` if it implies another."""
    return implies(other, form) if conjoined else implies(form, other)


def _clash(forms: list[Form], scope: Scope, *, conjoined: bool) -> int | None:
    """The first condition that excludes an earlier one (and), or completes it (or)."""
    opposites = [opposite(form, scope) for form in forms]
    for later in range(1, len(forms)):
        if isinstance(forms[later], Fixed):
            continue
        for earlier in range(later):
            if isinstance(forms[earlier], (Fixed, AllOf, AnyOf)):
                continue
            if conjoined and implies(forms[earlier], opposites[later]):
                return later
            if not conjoined and implies(opposites[earlier], forms[later]):
                return later
    return None


def _constant(item: Expression, form: Fixed, *, conjoined: bool) -> Iterator[Finding]:
    if form.holds != conjoined:
        code = "W_ALWAYS" if form.holds else "W_NEVER"
        outcome = "everyone" if form.holds else "nobody"
        yield warning(code, f"this decides it all: it holds for {outcome}", item.span)
    else:
        yield warning("W_REPEATED", "this changes nothing", item.span, "leave it out")


def _repeated(item: Expression, other: Expression, *, conjoined: bool, same: bool) -> Finding:
    line = (
        f" in line {other.span.line}"
        if other.span and item.span and other.span.line != item.span.line
        else ""
    )
    if same:
        message = f"this condition says the same as another one{line}"
    elif conjoined:
        message = f"this condition adds nothing: another one{line} is stricter"
    else:
        message = f"this condition adds nothing: another one{line} is wider"
    return warning("W_REPEATED", message, item.span, "leave it out, or look whether something else was meant")
