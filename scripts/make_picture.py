"""Draws docs/images/life-stages.svg: how the demo shop's customers moved between life stages, month by month.

    python scripts/make_picture.py demo-shop        # a folder that `ethogram demo` made

Plain SVG, written by hand, from what `Project.flow` returns.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import ethogram

TARGET = Path(__file__).parent.parent / "docs" / "images" / "life-stages.svg"
MONTHS = (
    "2011-06-09 12:50",
    "2011-07-09 12:50",
    "2011-08-09 12:50",
    "2011-09-09 12:50",
    "2011-10-09 12:50",
    "2011-11-09 12:50",
    "2011-12-09 12:50",
)
STAGES = {
    "new": "#2a9d8f",
    "returning": "#57b8a8",
    "active": "#3a6ea5",
    "slipping": "#e9a23b",
    "lost": "#b8b8b8",
    "no_order": "#e3e3e3",
}
WIDTH, HEIGHT = 900, 420
LEFT, RIGHT, TOP, BOTTOM = 24, 130, 64, 36
BAR, GAP = 14, 4

Flows = Mapping[tuple[str | None, str | None], int]


@dataclass(frozen=True)
class Block:
    """A stage at a moment: where its rectangle is."""

    x: float
    y: float
    height: float


def flows_of(project: ethogram.Project, since: str, until: str) -> Flows:
    rows = project.flow("life_stage", since=since, until=until).to_pylist()
    return {(row["from_group"], row["to_group"]): row["customers"] for row in rows}


def sizes(flows: Flows, side: int) -> dict[str, int]:
    found = dict.fromkeys(STAGES, 0)
    for pair, customers in flows.items():
        stage = pair[side]
        if stage is not None:
            found[stage] += customers
    return found


def column(x: float, counts: Mapping[str, int], scale: float) -> dict[str, Block]:
    """The stages of one moment, stacked from the top."""
    blocks, y = {}, float(TOP)
    for stage, customers in counts.items():
        blocks[stage] = Block(x, y, customers * scale)
        y += customers * scale + (GAP if customers else 0)
    return blocks


def ribbons(flows: Flows, before: Mapping[str, Block], after: Mapping[str, Block], scale: float) -> list[str]:
    """One band for each pair of stages, as thick as the customers who went that way."""
    leaving = {stage: block.y for stage, block in before.items()}
    arriving = {stage: block.y for stage, block in after.items()}
    drawn = []
    for start in STAGES:
        for end in STAGES:
            customers = flows.get((start, end), 0)
            if customers:
                thick = customers * scale
                drawn.append(
                    _ribbon(
                        before[start].x + BAR,
                        leaving[start],
                        after[end].x,
                        arriving[end],
                        thick,
                        STAGES[start],
                    )
                )
                leaving[start] += thick
                arriving[end] += thick
    return drawn


def _ribbon(x1: float, y1: float, x2: float, y2: float, thick: float, color: str) -> str:
    middle = (x1 + x2) / 2
    return (
        f'<path d="M{x1:.1f},{y1:.1f} C{middle:.1f},{y1:.1f} {middle:.1f},{y2:.1f} {x2:.1f},{y2:.1f} v{thick:.1f} '
        f'C{middle:.1f},{y2 + thick:.1f} {middle:.1f},{y1 + thick:.1f} {x1:.1f},{y1 + thick:.1f} Z" '
        f'fill="{color}" fill-opacity="0.28"/>'
    )


def text(x: float, y: float, said: str, style: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{said}</text>'


def drawing(steps: Sequence[Flows]) -> str:
    counts = [sizes(steps[0], 0), *(sizes(flows, 1) for flows in steps)]
    most = max(sum(column.values()) for column in counts)
    scale = (HEIGHT - TOP - BOTTOM - GAP * len(STAGES)) / most
    pace = (WIDTH - LEFT - RIGHT - BAR) / len(steps)
    columns = [column(LEFT + pace * index, count, scale) for index, count in enumerate(counts)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="system-ui, sans-serif" font-size="13" fill="#333">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#fff"/>',
        text(LEFT, 26, "Where customers went", 'font-size="17" font-weight="600"'),
        text(
            LEFT,
            46,
            f"Life stages of a gift shop's customers, {_month(MONTHS[0])} to {_month(MONTHS[-1])} 2011",
            'fill="#666"',
        ),
    ]
    for flows, before, after in zip(steps, columns, columns[1:], strict=False):
        parts += ribbons(flows, before, after, scale)
    for blocks, month in zip(columns, MONTHS, strict=True):
        for stage, block in blocks.items():
            if block.height:
                parts.append(
                    f'<rect x="{block.x:.1f}" y="{block.y:.1f}" width="{BAR}" height="{block.height:.1f}" fill="{STAGES[stage]}"/>'
                )
        parts.append(text(columns[MONTHS.index(month)]["new"].x, HEIGHT - 14, _month(month), 'fill="#666"'))
    for stage, block in columns[-1].items():
        if block.height >= 10:
            label = f"{stage.replace('_', ' ')}  {counts[-1][stage]:,}"
            parts.append(text(block.x + BAR + 8, block.y + block.height / 2 + 5, label))
    return "\n".join([*parts, "</svg>", ""])


def _month(date: str) -> str:
    names = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{int(date[8:10])} {names[int(date[5:7]) - 1]}"


def main(folder: str) -> None:
    with ethogram.open(folder) as project:
        steps = [flows_of(project, since, until) for since, until in pairwise(MONTHS)]
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(drawing(steps), encoding="utf-8")
    print(TARGET)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
