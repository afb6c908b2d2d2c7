"""The outcome of a run as text for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator

from ethogram.bench.scores import Outcome, Score, Unit

_DIGITS: dict[Unit, int] = {"×": 2, "%": 2, "ms": 0, "s": 2, "GB": 2}


def lines(outcome: Outcome) -> Iterator[str]:
    world, machine = outcome.world, outcome.machine
    yield f"{world['events']:,} events, {world['customers']:,} customers, {world['days']} days, seed {world['seed']}"
    yield f"{machine['cores']} cores, Python {machine['python']}, duckdb {machine['duckdb']}, chdb {machine['chdb']}"
    yield f"the floor: {outcome.seconds['floor']:.2f} CPU seconds"
    yield ""
    yield f"{'':4} {'measured':>10} {'target':>10}  {'':5} what"
    for score in outcome.scores:
        yield _line(score)
    yield ""
    yield "CPU seconds and other raw figures:"
    for name, value in outcome.seconds.items():
        yield f"{value:>18,.3f}  {name}"
    yield ""
    for note in outcome.notes:
        yield f"note: {note}"
    yield f"{outcome.compared:,} counts compared, {len(outcome.mismatches)} differ"
    for one in outcome.mismatches[:20]:
        yield f"  {one.question}: {one.one} says {one.one_size:,}, {one.other} {one.other_size:,}"


def _line(score: Score) -> str:
    target = score.target
    bound = f"{'≥' if target.at_least else '≤'} {_figure(target.bound, target.unit)}"
    measured = "-" if score.measured is None else _figure(score.measured, target.unit)
    mark = {"pass": "pass", "fail": "FAIL", "not measured": "-"}[score.verdict]
    note = f" ({score.note})" if score.note else ""
    return f"{target.number:4} {measured:>10} {bound:>10}  {mark:5} {target.what}{note}"


def _figure(value: float, unit: Unit) -> str:
    text = f"{value:,.{_DIGITS[unit]}f}".removesuffix(".00")
    return f"{text}{unit}" if unit in ("×", "%") else f"{text} {unit}"
