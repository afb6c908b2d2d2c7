"""What `voice` asks of a project, and shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ethogram.app import render
from ethogram.app.naming import require_member
from ethogram.model.errors import DataError, DefinitionError, EthogramError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from ethogram.app.workbench import Workbench
    from ethogram.insight.inference import Estimate
    from ethogram.insight.voice import Spoken, Theme, Voice
    from ethogram.language.tree import Events
    from ethogram.model.event import Moment

DAYS = 90
CHANCE = 0.05
"""Differences beyond it, all themes corrected together, are told without a *maybe*."""
_RATED = {
    "nps": {"detractor": 0, "passive": 1, "promoter": 2},
    "csat": {"dissatisfied": 0, "neutral": 1, "satisfied": 2},
    "ces": {"hard": 0, "neutral": 1, "easy": 2},
}
"""Segmentations by which a text without a rating of its own is rated: their groups, low to high."""


def listen(
    bench: Workbench, name: str = "", text: Sequence[str] = (), days: int = DAYS, as_of: str = ""
) -> Voice:
    """Raises EnvironmentFault E_EXTRA_MISSING, DataError E_NO_TEXT, DefinitionError for names that are no text or segment."""
    from ethogram.insight.said import written_name
    from ethogram.insight.themes import require_installed
    from ethogram.insight.voice import voice

    require_installed()
    definitions = bench.sound_definitions()
    if name:
        require_member(definitions, name)
    now = bench.now(as_of)
    sources = [_named(bench, one) for one in text] or _proposed(bench)
    said, levels = _read(bench, sources, now)
    rated = "the rating beside the text" if (levels >= 0).any() else ""
    members = _members(bench, [name], now)[name] if name else None
    if not rated:
        levels, rated = _rated_by_group(bench, said, now)
    return voice(
        said,
        levels,
        members,
        name=name,
        as_of=now,
        days=days,
        sources=[written_name(one, definitions) for one in sources],
        rated=rated,
    )


def _proposed(bench: Workbench) -> list[Events]:
    from ethogram.insight.said import proposed

    found = proposed(bench.store, bench.definitions)
    if not found:
        raise DataError(
            "E_NO_TEXT",
            "no property of this project's events looks like what people write",
            hint=f"Name one: --text review.text. {_texts(bench)}",
        )
    return found


def _texts(bench: Workbench) -> str:
    catalog = bench.catalog
    known = [
        f'"{event}".{".".join(path)}'
        for event, use in (catalog.events.items() if catalog else ())
        for path, one in use.properties.items()
        if "text" in one.types
    ]
    return f"Properties that are texts: {', '.join(known[:8])}." if known else "The data has no texts at all."


def _named(bench: Workbench, text: str) -> Events:
    """What `--text` says: a property of a behavior or event, perhaps of some of them only."""
    from ethogram.language.checker import check_expression, require_sound
    from ethogram.language.parser import parse_expression
    from ethogram.language.tree import Call, Events

    try:
        node = parse_expression(f"last({text})")
    except EthogramError:
        node = None
    is_property = isinstance(node, Call) and len(node.arguments) == 1 and not node.options
    source = node.arguments[0] if isinstance(node, Call) and is_property else None
    if node is None or not isinstance(source, Events) or not source.path:
        hint = f'Write behavior.property, such as review.text or "Product Reviewed".text. {_texts(bench)}'
        raise DefinitionError("E_NOT_TEXT", f"--text {text} names no property of an event", hint=hint)
    require_sound(check_expression(node, bench.definitions, bench.settings, bench.catalog))
    _require_text(bench, source, text)
    return source


def _require_text(bench: Workbench, source: Events, text: str) -> None:
    behavior = None if source.raw else bench.definitions.behaviors.get(source.source)
    events = behavior.events if behavior else (source.source,)
    each = behavior.each if behavior else ()
    uses = bench.catalog.events if bench.catalog else {}
    types = {
        kind
        for event in events
        if event in uses
        for path in ((*each, *source.path), source.path)
        for kind in (uses[event].properties[path].types if path in uses[event].properties else ())
    }
    if "text" not in types:
        kind = f"is a {min(types)}" if types else "was never seen"
        raise DefinitionError("E_NOT_TEXT", f"--text {text}: it {kind}, not a text", hint=_texts(bench))


def _read(bench: Workbench, sources: Sequence[Events], now: Moment) -> tuple[pa.Table, NDArray[np.int64]]:
    import numpy as np
    import pyarrow as pa

    from ethogram.insight.said import read_said
    from ethogram.insight.voice import rating_levels

    tables = [read_said(bench.store, bench.definitions, bench.settings, one, now) for one in sources]
    levels = [rating_levels(table["rating"].to_numpy()) for table in tables]
    return pa.concat_tables(tables), np.concatenate(levels)


def _members(bench: Workbench, names: Sequence[str], now: Moment) -> dict[str, pa.Array]:
    from ethogram.insight.everybody import customers_in

    engine = bench.engine(None, list(dict.fromkeys(name.partition(".")[0] for name in names)))
    return customers_in(engine, now, names)


def _rated_by_group(bench: Workbench, said: pa.Table, now: Moment) -> tuple[NDArray[np.int64], str]:
    """By the first of the usual segmentations of ratings that the project has, under the name that it was added with."""
    from ethogram.catalog.adding import added_entries
    from ethogram.insight.voice import levels_by_group

    added = added_entries(bench.folder)
    customers = said["customer"].to_pylist()
    for entry, levels in _RATED.items():
        name = f"{added[entry].prefix}{entry}" if entry in added else entry
        segmentation = bench.definitions.segmentations.get(name)
        if segmentation and set(levels) <= {group.name for group in segmentation.groups}:
            who = _members(bench, [f"{name}.{group}" for group in levels], now)
            groups = {level: who[f"{name}.{group}"] for group, level in levels.items()}
            return levels_by_group(customers, groups), name
    return levels_by_group(customers, {}), ""


# --- shown ----------------------------------------------------------------------------------------------------------


def show_voice(found: Voice, zone: str, newest: int) -> None:
    whom = f"{found.name}" if found.name else "All customers"
    when = render.as_of(found.as_of, zone, newest)
    listed = ", ".join(found.sources)
    if found.texts is None or found.customers is None:
        render.say(f"{whom}, {listed}, as of {when}: fewer than 5 customers wrote anything.")
        render.say("What so few say is not shown: it would be known who said it.")
        return
    texts, people = render.counted(found.texts, "text"), render.counted(found.customers, "customer")
    render.say(f"{whom}, {listed}, as of {when}: {texts} by {people}.")
    if found.left_out:
        render.say(f"The newest count; {found.left_out:,} older texts are left out.")
    for one in found.spoken:
        _show_spoken(one, found)
    if found.wordless:
        render.say(f"\n{render.counted(found.wordless, 'text')} without words.")
    if found.spoken:
        _show_legend(found)


def _show_spoken(one: Spoken, found: Voice) -> None:
    texts, people = render.counted(one.texts, "text"), render.counted(one.customers, "customer")
    render.heading(f"{one.language}: {texts} by {people}")
    if not one.themes:
        render.say("Too few say the same for a theme.", indent=2)
        return
    for theme in one.themes:
        _show_theme(theme, found)
    rest = [f"{render.counted(one.unthemed, 'text')} without a theme"] if one.unthemed else []
    rest += [f"{render.counted(one.rare, 'theme')} of fewer than 5 customers"] if one.rare else []
    if rest:
        render.say(f"… {', '.join(rest)}.", indent=2)


def _show_theme(theme: Theme, found: Voice) -> None:
    render.say(f"\n{', '.join(theme.terms)}")
    people = render.counted(theme.customers, "customer")
    line = f"{people}, {render.percent(theme.share.value)} of those who write"
    if theme.ratio is not None:
        line += f"; {_times(theme.ratio)} the share of others"
    render.say(line, indent=2)
    if theme.change is not None and _is_sure(theme.change):
        often = "more" if theme.change.low > 1 else "less"
        line = f"{often} often of late: in {_times(theme.change)} the share of texts of the {found.days} days before"
        render.say(line, indent=2)
    if theme.low is not None and theme.high is not None:
        low, high = render.percent(theme.low.value), render.percent(theme.high.value)
        render.say(f"in {low} of texts with a low rating, in {high} with a high one", indent=2)
    marks = ("“", "”") if render.can_draw() else ('"', '"')
    for example in theme.examples:
        render.say(f"{marks[0]}{example}{marks[1]}", indent=2)


def _is_sure(one: Estimate) -> bool:
    return one.p < CHANCE and not one.low <= 1 <= one.high


def _times(one: Estimate) -> str:
    if not math.isfinite(one.value):
        return f"at least {one.low:.2f} times"
    high = f"{one.high:.2f}" if math.isfinite(one.high) else "any"
    return f"{one.value:.2f} times ({render.span(f'{one.low:.2f}', high)}{'' if _is_sure(one) else ', maybe chance'})"


def _show_legend(found: Voice) -> None:
    rated = f" Rated by {found.rated}." if found.rated else ""
    render.say(
        "\nThemes are terms that go together, told where 5 different customers or more say them; e-mail addresses, phone "
        f"and other long numbers are masked, names are not.{rated}"
    )
