"""The same questions as definitions: what a user of ethogram would write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ethogram.bench.questions import Atom, Condition, Funnel, Segment
from ethogram.bench.world import EVENTS

IN_ONE_FILE = 200


def behavior_of(event: str) -> str:
    """
    >>> behavior_of("Order Completed")
    'order_completed'
    """
    return event.lower().replace(" ", "_")


def write_definitions(folder: Path, questions: Sequence[Segment | Funnel]) -> None:
    """`behaviors.yml` and as many files of segments as it takes."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.yml"):
        old.unlink()
    behaviors = "".join(f"  {behavior_of(event)}: {event}\n" for event in EVENTS)
    (folder / "behaviors.yml").write_text(f"behaviors:\n{behaviors}", encoding="utf-8")
    for start in range(0, len(questions), IN_ONE_FILE):
        text = "segments:\n" + "".join(
            _segment(question) for question in questions[start : start + IN_ONE_FILE]
        )
        (folder / f"segments-{start:05}.yml").write_text(text, encoding="utf-8")


def expression(question: Segment | Funnel) -> str:
    match question:
        case Funnel():
            steps = ", ".join(behavior_of(step) for step in question.steps)
            return f"sequence({steps}, within={question.hours}h)"
        case Segment():
            return " and ".join(_condition(condition) for condition in question.conditions)


def _segment(question: Segment | Funnel) -> str:
    return f"  {question.name}:\n    when: >\n      {expression(question)}\n"


def _condition(condition: Condition) -> str:
    atom, bound = condition.atom, condition.at_least
    events, window = _selection(atom), f"last={atom.days}d"
    if bound is None:
        return f"not did({events}, {window})"
    match atom.measure:
        case "count" | "active_days":
            return f"{atom.measure}({events}, {window}) >= {bound}"
        case "sum" | "max":
            return f"{atom.measure}({events}.revenue, {window}) >= {bound}"
        case "count_distinct":
            return f"count_distinct({events}.category, {window}) >= {bound}"
        case "last":
            return f"days_since(last({events}, {window})) <= {bound}"


def _selection(atom: Atom) -> str:
    name = behavior_of(atom.event)
    if len(atom.categories) == 1:
        return f'{name}[category == "{atom.categories[0]}"]'
    if atom.categories:
        names = ", ".join(f'"{one}"' for one in atom.categories)
        return f"{name}[category in [{names}]]"
    if atom.channel:
        return f'{name}[channel == "{atom.channel}"]'
    return f"{name}[revenue > {atom.above}]" if atom.above is not None else name
