"""Segmentations: one group for everyone, every group for someone."""

from __future__ import annotations

from collections.abc import Iterator

from ethogram.language.agreement import Scope
from ethogram.language.findings import Finding, error, warning
from ethogram.language.implication import Taken, covered
from ethogram.language.ranges import Fixed, Form, form_of
from ethogram.language.tree import Segmentation


def shape_findings(segmentation: Segmentation) -> Iterator[Finding]:
    """Groups exist, have different names, and end in the one `otherwise`."""
    name, groups = segmentation.name, segmentation.groups
    if not groups:
        hint = "write at least `everybody: otherwise`"
        yield error("E_EMPTY", f"the segmentation '{name}' has no groups", segmentation.span, hint)
        return
    seen: set[str] = set()
    for group in groups:
        if group.name in seen:
            span = group.span or segmentation.span
            yield error(
                "E_DUPLICATE", f"'{name}' has two groups '{group.name}'", span, "give one another name"
            )
        seen.add(group.name)
    for group in groups[:-1]:
        if group.when is None:
            message = f"the groups after '{group.name}: otherwise' can never be reached"
            yield error(
                "E_OTHERWISE", message, group.span or segmentation.span, "move `otherwise` to the end"
            )
    if groups[-1].when is not None:
        message = f"'{name}' leaves customers without a group"
        hint = "end it with a group for all others, as in `other: otherwise`"
        yield error("E_OTHERWISE", message, groups[-1].span or segmentation.span, hint)


def reach_findings(segmentation: Segmentation, scope: Scope) -> Iterator[Finding]:
    """Groups that no customer can reach, because the groups before take everyone who could."""
    taken = Taken(scope)
    names: list[str] = []
    for group in segmentation.groups:
        form: Form = Fixed(True) if group.when is None else form_of(group.when, scope)
        span = (group.when.span if group.when is not None else None) or group.span or segmentation.span
        if form == Fixed(False):
            message = f"no customer can reach the group '{group.name}': its condition never holds"
            yield warning("W_UNREACHABLE", message, span, "mend the condition or remove the group")
        elif taken.forms and taken.covers(form):
            single = [
                name for name, one in zip(names, taken.forms, strict=True) if covered(form, [one], scope)
            ]
            first = f"'{single[0]}' takes" if single else f"{_listed(names)} take"
            message = f"no customer can reach the group '{group.name}': {first} everyone first"
            hint = "the first group that holds wins: put the narrower condition first"
            if group.when is None:
                hint = "make the last of the groups before it `otherwise`"
            yield warning("W_UNREACHABLE", message, span, hint)
        taken.add(form)
        names.append(group.name)


def _listed(names: list[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
