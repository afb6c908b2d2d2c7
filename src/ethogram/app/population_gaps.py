"""What `gaps` asks of a project, and shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ethogram.app import render
from ethogram.app.naming import require_member
from ethogram.model.errors import DefinitionError

if TYPE_CHECKING:
    from ethogram.app.workbench import Workbench
    from ethogram.insight.everybody import Everybody
    from ethogram.insight.gaps import Gaps, Row, Values
    from ethogram.insight.inference import Estimate
    from ethogram.language.tree import Definitions

ENGAGED = ("engaged", "active", "engaged_customers", "active_customers")
ACTIVE, WITHIN = "active", "90d"
_ENGAGED = "_engaged"
SHOWN = 40


def compare_with(bench: Workbench, trait: str, file: Path, engaged: str = "", as_of: str = "") -> Gaps:
    """Raises DefinitionError for what has no values to compare, DataError for what is wrong with the file."""
    from ethogram.insight.everybody import everybody
    from ethogram.insight.gaps import gaps
    from ethogram.insight.reference import read_reference

    definitions = bench.sound_definitions()
    asked = _Asked(bench, definitions)
    asked.add(trait)
    reference = read_reference(file, trait)
    columns = (trait, *reference.columns[1:])
    if len(columns) > 1:
        asked.add(columns[1])
    engaged_by = asked.engaged(engaged)
    engine = bench.engine(asked.definitions, asked.names)
    asked.require_text({one.name: one.type for one in engine.runner.plan.outputs})
    found = everybody(engine, bench.now(as_of), engine.traits)
    active = found.members(asked.active) if asked.active else None
    values = [asked.values(column, found) for column in columns]
    return gaps(reference, columns, values, found.known, active, engaged_by=engaged_by, as_of=found.as_of)


class _Asked:
    """What the engine is asked: the columns, as traits or segmentations, and who is engaged."""

    def __init__(self, bench: Workbench, definitions: Definitions) -> None:
        self.bench, self.definitions = bench, definitions
        self.own = definitions
        self.columns: dict[str, str] = {}
        self.active = ""

    @property
    def names(self) -> list[str]:
        return [
            *dict.fromkeys(self.columns.values()),
            *([self.active.partition(".")[0]] if self.active else []),
        ]

    def add(self, column: str) -> None:
        from ethogram.language.checker import check_expression, require_sound
        from ethogram.language.parser import parse_expression
        from ethogram.language.tree import CustomerTrait, Trait

        if column in self.own.segmentations or column in self.own.traits:
            self.columns[column] = column
            return
        if not column.startswith("customer."):
            raise self._no_values(column)
        node = parse_expression(column)
        if not isinstance(node, CustomerTrait):
            raise self._no_values(column)
        require_sound(check_expression(node, self.own, self.bench.settings, self.bench.catalog))
        name = f"_column_{len(self.columns)}"
        traits = {**self.definitions.traits, name: Trait(name, node)}
        self.definitions = replace(self.definitions, traits=traits)
        self.columns[column] = name

    def _no_values(self, column: str) -> DefinitionError:
        from ethogram.language.findings import choices

        catalog = self.bench.catalog
        given = [f"customer.{'.'.join(path)}" for path in catalog.traits] if catalog else []
        known = [*self.own.segmentations, *self.own.traits, *given]
        found = self.own.find(column)
        if found is not None:
            hint = f"Name a segmentation, a text trait or a given trait. {choices(column, known)}"
            return DefinitionError("E_NOT_AN_ANSWER", f"'{column}' has no values to compare", hint=hint)
        message = f"no segmentation, trait or given trait is called '{column}'"
        return DefinitionError("E_UNKNOWN_NAME", message, hint=choices(column, known))

    def require_text(self, types: dict[str, str]) -> None:
        for column, name in self.columns.items():
            if name not in self.own.segmentations and types[name] not in ("text", "flag"):
                hint = "Make a segmentation of it, whose groups are the values of the reference."
                kind = {"set": "a list of values"}.get(types[name], f"a {types[name]}")
                raise DefinitionError("E_NOT_TEXT", f"'{column}' is {kind}, not a text", hint=hint)

    def engaged(self, name: str) -> str:
        """What says who is engaged: what was asked for, or what a project usually calls so."""
        if name:
            require_member(self.own, name)
            self.active = name
            return name
        self.active = next((one for one in self._usual() if one in self.own.segments), "")
        if self.active or ACTIVE not in self.own.behaviors:
            return self.active
        return self._recently_active()

    def _usual(self) -> Sequence[str]:
        from ethogram.catalog.adding import added_entries

        added = added_entries(self.bench.folder).get("engagement")
        return (*((f"{added.prefix}engaged",) if added else ()), *ENGAGED)

    def _recently_active(self) -> str:
        from ethogram.language.parser import parse_expression
        from ethogram.language.tree import Segment

        text = f"did({ACTIVE}, last={WITHIN})"
        segment = Segment(_ENGAGED, parse_expression(text))
        self.definitions = replace(
            self.definitions, segments={**self.definitions.segments, _ENGAGED: segment}
        )
        self.active = _ENGAGED
        return text

    def values(self, column: str, found: Everybody) -> Values:
        import numpy as np

        from ethogram.insight.gaps import Values

        name = self.columns[column]
        if name in self.own.segmentations:
            groups = [group.name for group in self.own.segmentations[name].groups]
            return Values(found.groups[name].astype(np.int64), groups)
        return Values(*found.texts(name))


# --- shown ----------------------------------------------------------------------------------------------------------


def show_gaps(found: Gaps, zone: str, newest: int) -> None:
    whole = render.counted(found.customers, "customer")
    by = " and ".join(found.columns)
    render.say(
        f"{whole} by {by} as of {render.as_of(found.as_of, zone, newest)}, against the reference. "
        f"{found.compared:,} have a value that is in it.\n"
    )
    _show_rows(found)
    _show_sides(found)
    _show_conclusions(found)


def _show_rows(found: Gaps) -> None:
    columns = [
        render.Column(" / ".join(found.columns), wraps=True),
        render.Column("reference", "right"),
        render.Column("customers", "right"),
        render.Column("share", "right"),
        render.Column("times (interval)", "right"),
    ]
    columns += [render.Column("engaged", "right")] if found.engaged_by else []
    rows = []
    for one in _ordered(found.rows)[:SHOWN]:
        row = [" / ".join(one.values), render.percent(one.reference), _count(one)]
        row += ["" if one.share is None else render.percent(one.share.value), _times(one.ratio)]
        row += [render.percent(one.engaged.value) if one.engaged else ""] if found.engaged_by else []
        rows.append(row)
    render.table(columns, rows)
    if len(found.rows) > SHOWN:
        render.say(f"… and {len(found.rows) - SHOWN} more; --json has all.")


def _ordered(rows: Sequence[Row]) -> list[Row]:
    """The least served first; what is hidden or cannot be compared last."""
    return sorted(rows, key=lambda one: (one.ratio is None, one.ratio.value if one.ratio else 0.0))


def _count(one: Row) -> str:
    if one.count is not None:
        return render.number(one.count)
    return "fewer than 5" if one.verdict == "fewer than 5" else "hidden"


def _times(one: Estimate | None) -> str:
    if one is None:
        return ""
    return f"{one.value:.2f} ({render.span(f'{one.low:.2f}', f'{one.high:.2f}')})"


def _show_sides(found: Gaps) -> None:
    told = [f"{' / '.join(values)} ({count:,})" for values, count in found.elsewhere if count is not None]
    few = sum(count is None for _, count in found.elsewhere)
    if told or few:
        more = [f"and {len(told) - SHOWN // 4} more"] if len(told) > SHOWN // 4 else []
        more += [render.counted(few, "value") + " of few customers"] if few else []
        render.say(f"\nNot in the reference: {'; '.join([*told[: SHOWN // 4], *more])}.")
    unknown = "few" if found.unknown is None else render.number(found.unknown)
    if found.unknown != 0:
        render.say(f"Without a value: {unknown} customers. They are in no share.")


def _show_conclusions(found: Gaps) -> None:
    rows = _ordered(found.rows)
    render.say()
    under = [f"{' / '.join(one.values)} ({one.lacking:,})" for one in rows if one.verdict == "under-served"]
    over = [" / ".join(one.values) for one in reversed(rows) if one.verdict == "over-represented"]
    hard = [
        f"{' / '.join(one.values)} ({one.engaged_ratio.value:.2f})"
        for one in rows
        if one.ease == "hard to engage" and one.engaged_ratio
    ]
    for title, some in (
        ("Under-served (customers short of their share)", under),
        ("More than elsewhere", over),
        ("Hard to engage (times the others)", hard),
    ):
        if some:
            render.say(f"{title}: {', '.join(some)}.")
    if not under and not over:
        render.say("No value differs beyond chance by a quarter or more.")
    if found.engaged_by:
        render.say(
            f"Engaged is who is in {found.engaged_by}."
            if found.engaged_by.isidentifier()
            else f"Engaged: {found.engaged_by}."
        )
    else:
        render.say("Who is hard to engage? Name a segment of engaged customers: --engaged NAME")
