"""Writes docs/catalog: an index by kind and a page for each entry. With --check it says which pages are not current."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ethogram.catalog.adding import all_needs, with_used
from ethogram.catalog.entry import KIND_TITLES, KINDS, Entry, PropertyPart
from ethogram.catalog.loading import load_catalog, load_parts
from ethogram.catalog.rendering import (
    render_behaviors,
    render_definitions,
    set_values,
    used_parameters,
    usual_cast,
)

FOLDER = Path(__file__).parents[1] / "docs" / "catalog"
WIDTH = 160
PARTS = "parts-of-entries.md"
EXAMPLE = "example"
"""Stands for a value that has no default."""

INTRODUCTION = """\
# The catalog

Ready-made definitions for all kinds of behavior, to be added to a project and changed there. They are ordinary YAML files of the
[definition language](../language/README.md), each with its parameters explained and with tests.

```bash
ethogram catalog                 # all of them: what each needs, and whether this project's data has it
ethogram catalog show lapsing    # what it means, and its definitions with this project's names
ethogram catalog add lapsing     # writes definitions/lapsing.yml
```

`add` finds out which of the project's events play which part, asks where it is unsure, computes the thresholds that should come
from the data, and shows how the sizes change when a threshold is a fifth lower or higher. [The command line](../cli.md#ethogram-catalog-add) has its
options; [the parts](parts-of-entries.md) says which names of events it knows.

What is not here on purpose: health, faith and other sensitive things (also guessed ones), pregnancy, bereavement, payday, places where
people are, guessed gender. Names are neutral, since a person may one day read the names of the segments they are in.
"""


def pages() -> dict[str, str]:
    found = {f"{entry.name}.md": page(entry) for entry in load_catalog().values()}
    return {"README.md": index(), PARTS: parts_page(), **found}


def index() -> str:
    lines = [INTRODUCTION]
    for kind in KINDS:
        lines += [f"## {KIND_TITLES[kind]}", "", "| entry | what it is | needs |", "|---|---|---|"]
        for entry in load_catalog().values():
            if entry.kind == kind:
                lines.append(
                    f"| [{entry.name}]({entry.name}.md) | {entry.sentence} | {needs_in_short(entry)} |"
                )
        lines.append("")
    return "\n".join(lines)


def parts_page() -> str:
    """Which names of events and properties are recognized, for those who map by hand."""
    parts = load_parts()
    lines = [
        "# The parts that events play",
        "",
        "An entry needs parts such as `purchase`. A behavior of the project that is called so, or whose events are among the names below, plays",
        "the part; otherwise an event of that name. Capitals, blanks and signs do not count. Anything else is said with",
        "`--map purchase='Order Paid'` and `--map purchase.amount=total`. [All entries](README.md)",
        "",
        "## Events",
        "",
    ]
    for part in parts.events.values():
        several = " Several events may play it together." if part.several else ""
        lines += [f"### `{part.name}`", "", f"{part.title[0].upper()}{part.title[1:]}.{several}", ""]
        if part.of:
            lines += [f"One for each element of a list of `{part.of}`: {_listed(part.lists)}.", ""]
        else:
            lines += [f"Events: {_listed(part.names)}.", ""]
        lines += _properties({f"{part.name}.{name}": one for name, one in part.properties.items()})
    lines += ["## What is known of a customer", ""]
    lines += _properties({f"customer.{name}": one for name, one in parts.customer.items()})
    return "\n".join(lines).rstrip("\n") + "\n"


def _properties(found: Mapping[str, PropertyPart]) -> list[str]:
    if not found:
        return []
    rows = [f"| `{name}` | {one.title} | {_listed(one.names)} |" for name, one in found.items()]
    return ["| property | what it is | names |", "|---|---|---|", *rows, ""]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def needs_in_short(entry: Entry) -> str:
    needs = [f"`{need}`" for need in entry.needs]
    if entry.any_of:
        needs.append("one of " + ", ".join(f"`{need}`" for need in entry.any_of))
    needs += [f"`{name}` in ethogram.toml" for name in entry.settings]
    return ", ".join(needs)


def page(entry: Entry) -> str:
    return "\n".join(line.rstrip() for line in _lines(entry)).rstrip("\n") + "\n"


def _lines(entry: Entry) -> Iterator[str]:
    yield f"# {entry.title}"
    yield ""
    yield from _wrapped(entry.sentence)
    yield ""
    yield f"*{KIND_TITLES[entry.kind]}* · `ethogram catalog add {entry.name}` · [all entries](README.md)"
    if entry.published:
        yield ""
        yield from _wrapped(f"**Published form.** {entry.published}")
    yield from _needs(entry)
    yield from _parameters(entry)
    yield ""
    yield "## What to do with them"
    yield ""
    purpose = f" Needs consent to {entry.play.purpose}." if entry.play.purpose else ""
    yield from _wrapped(entry.play.what + purpose)
    for note in entry.notes:
        yield ""
        yield from _wrapped(note)
    yield ""
    yield "## Definitions"
    yield ""
    yield "Under the names of the specification; `add` writes them with those of the project."
    yield ""
    yield "```yaml"
    yield from definitions(entry)
    yield "```"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _needs(entry: Entry) -> Iterator[str]:
    parts = load_parts()
    rows = [(need, parts.title(need), "") for need in entry.needs]
    rows += [(need, parts.title(need), "one of these") for need in entry.any_of]
    rows += [(need, parts.title(need), "optional") for need in entry.optional]
    rows += [(name, f"`{name}` in ethogram.toml", "") for name in entry.settings]
    yield ""
    yield "## What it needs"
    yield ""
    if rows:
        yield "| part | what plays it | |"
        yield "|---|---|---|"
        yield from (f"| `{name}` | {title} | {word} |" for name, title, word in rows)
    for used in entry.uses:
        other = load_catalog()[used]
        yield ""
        yield f"Uses [{other.title}]({used}.md), which is added along."


def _parameters(entry: Entry) -> Iterator[str]:
    settable = [one for one in entry.parameters.values() if not one.computed]
    if not settable:
        return
    yield ""
    yield "## Parameters"
    yield ""
    yield "| parameter | usually | what it is | from the data |"
    yield "|---|---|---|---|"
    for one in settable:
        default = f"`{one.default}`".replace("|", "\\|") if one.default else "must be said"
        yield f"| `{one.name}` | {default} | {one.means} | {one.data.means if one.data else ''} |"


def definitions(entry: Entry) -> list[str]:
    needs, optional = all_needs(with_used([entry], {}))
    cast = usual_cast(load_parts(), (*needs, *optional))
    said = {one.name: EXAMPLE for one in entry.parameters.values() if not one.default and not one.computed}
    text = render_definitions(entry, cast, set_values(entry, said))
    behaviors = [line for name, line in render_behaviors(cast).items() if name in text]
    assert used_parameters(entry, cast, set_values(entry, said)) or not entry.parameters
    return ["behaviors:", *behaviors, *text.splitlines()] if behaviors else text.splitlines()


def main() -> int:
    wanted = pages()
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    stale = sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
    if "--check" in sys.argv[1:]:
        print("\n".join(stale))
        return bool(stale)
    FOLDER.mkdir(exist_ok=True)
    for name in stale:
        if name in wanted:
            (FOLDER / name).write_text(wanted[name], encoding="utf-8")
        else:
            (FOLDER / name).unlink()
    print(f"{len(wanted)} pages, {len(stale)} of them new, changed or gone")
    return 0


if __name__ == "__main__":
    sys.exit(main())
