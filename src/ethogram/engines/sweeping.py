"""Sizes over time: conditions that the sweep can answer for all moments in one pass over the tapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from ethogram.engines.binding import Bound
from ethogram.engines.bits import Translation, translate
from ethogram.engines.claims import (
    Claim,
    Claims,
    Literal,
    claims_of,
    holds_without_events,
    instructions,
    negated,
    triggers,
)
from ethogram.engines.running import Runner
from ethogram.engines.sweeptables import claim_tables, grid_tables, joined_groups
from ethogram.kernel.accumulate import (
    COUNT,
    DID,
    DISTINCT_FEW,
    FIRST_TIME,
    LAST_TIME,
    MAX,
    MIN,
    PERIODS,
    SUM,
)
from ethogram.kernel.layout import (
    ATOM_PLACE,
    ATOM_SINCE,
    ATOM_UNTIL,
    BORN,
    CHECK_FIRST,
    CHECK_PAST,
    IF_COLUMN,
    IF_KIND,
    IN_RANGE,
    LOCAL_OF_CUSTOMER,
    LOCAL_TIME,
    NOWHERE,
    OP_SLOT,
    RAGGED,
    SLOT_KIND,
)
from ethogram.kernel.sweep import (
    MOST_MOMENTS,
    WORDS,
    Rules,
    sweep,
    sweeping,
)
from ethogram.model.event import Moment

Integers = NDArray[np.int64]
SWEEPABLE = (DID, COUNT, SUM, MIN, MAX, FIRST_TIME, LAST_TIME, PERIODS, DISTINCT_FEW)


def sweepable(runner: Runner) -> list[int]:
    """The outputs of a runner that the sweep can answer: and, or, not of tests of slots whose events are in or out of a
    window by their moment alone."""
    return sorted(_translate(runner).codes)


def swept_sizes(
    runner: Runner, outputs: Sequence[int], moments: Sequence[Moment], threads: int = 2
) -> Mapping[int, Integers]:
    """For each output the number of customers for whom it holds at each moment; `moments` ascend."""
    translation = _translate(runner)
    grid = np.array(moments, np.int64)
    parts = np.array_split(grid, -(-len(grid) // MOST_MOMENTS))
    found = [_swept(runner, translation, outputs, part, threads) for part in parts]
    return {output: np.concatenate([part[output] for part in found]) for output in outputs}


def _swept(
    runner: Runner, translation: Translation, outputs: Sequence[int], moments: Integers, threads: int
) -> Mapping[int, Integers]:
    bound = runner.bound
    questions = _Questions(bound, translation, outputs, moments)
    rules = questions.rules()

    def one(bucket: int) -> tuple[Integers, Integers]:
        tape = runner.tape(bucket)
        if not len(tape.flat):
            tape = tape._replace(flat=tape.time[None, :])
        work = sweeping(rules, int(np.diff(tape.spans, axis=1).max(initial=0)))
        sweep(tape, bound.program, bound.zones, rules, work)
        known = np.searchsorted(np.sort(tape.births[:, BORN]), moments, side="right")
        return np.cumsum(work.turns[:, :-1], axis=1, dtype=np.int64), known

    different: Integers = np.zeros((len(questions.counted) + len(questions.codes), len(moments)), np.int64)
    known: Integers = np.zeros(len(moments), np.int64)
    with ThreadPoolExecutor(threads) as pool:
        for some, people in pool.map(one, sorted(runner.tapes.files)):
            different += some
            known += people
    return {output: questions.size(output, different, known) for output in outputs}


def _translate(runner: Runner) -> Translation:
    usable = _usable_slots(runner)
    return translate(runner.plan, lambda slot: bool(usable[slot]))


def _usable_slots(runner: Runner) -> NDArray[np.bool_]:
    program = runner.bound.program
    slots, atoms = program.slots, program.atoms
    usable: NDArray[np.bool_] = np.isin(slots[:, SLOT_KIND], SWEEPABLE) & (atoms[:, ATOM_PLACE] != RAGGED)
    usable &= (atoms[:, ATOM_SINCE] == NOWHERE) & (atoms[:, ATOM_UNTIL] == NOWHERE)
    usable &= np.array([atom.level == 0 for atom in runner.plan.atoms], np.bool_)
    kinds, columns = program.conditions[:, IF_KIND], program.conditions[:, IF_COLUMN]
    for op, check in enumerate(program.checks):
        for row in range(check[CHECK_FIRST], check[CHECK_PAST]):
            local = kinds[row] == LOCAL_TIME and not (
                program.timezone_given >= 0 and program.locals[columns[row], LOCAL_OF_CUSTOMER]
            )
            if not (local or kinds[row] == IN_RANGE):
                usable[program.ops[op, OP_SLOT]] = False
    return usable


class _Questions:
    """Outputs as formulas of claims. What is found of an output is where it differs from what it is without events."""

    def __init__(
        self, bound: Bound, translation: Translation, outputs: Sequence[int], moments: Integers
    ) -> None:
        self.bound = bound
        self.claims = Claims(bound, moments)
        self.moments = moments
        tests = list(translation.tests)
        found = {output: self.claims.formula(translation.codes[output], tests) for output in outputs}
        self.holds = {output: holds_without_events(formula) for output, formula in found.items()}
        differ = {
            output: negated(found[output]) if self.holds[output] else found[output] for output in outputs
        }
        alone = [formula.claim for formula in differ.values() if isinstance(formula, Literal)]
        self.counted = {claim: number for number, claim in enumerate(dict.fromkeys(alone))}
        together = [formula for formula in differ.values() if not isinstance(formula, Literal)]
        self.codes = {formula: number for number, formula in enumerate(dict.fromkeys(together))}
        self.triggers = {formula: triggers(formula, self.often) for formula in self.codes}
        first = dict.fromkeys(claim for some in self.triggers.values() for claim in sorted(some))
        self.active = len(self.counted) + len(first)
        masked = first | dict.fromkeys(claim for formula in self.codes for claim in claims_of(formula))
        self.masked = {claim: len(self.counted) + number for number, claim in enumerate(masked)}
        self.rows = {
            output: self.counted[formula.claim]
            if isinstance(formula, Literal)
            else len(self.counted) + self.codes[formula]
            for output, formula in differ.items()
        }

    def size(self, output: int, different: Integers, known: Integers) -> Integers:
        row = different[self.rows[output]]
        return known - row if self.holds[output] else row

    def often(self, claim: Claim) -> int:
        return int(self.bound.often[claim.slot])

    def rules(self) -> Rules:
        claims = [*self.counted, *self.masked]
        rows, facts, lists, placed, limits = claim_tables(self.bound, claims, len(self.counted), self.claims)
        grids, onwards, cells, scales = grid_tables(self.claims.grids)
        codes: list[list[tuple[int, int, int, int]]] = []
        for formula in self.codes:
            codes.append(instructions(formula, self.masked, self.often, sum(map(len, codes))))
        spans, code = joined_groups(codes)
        by_claim: list[list[int]] = [[] for _ in claims]
        for formula, out in self.codes.items():
            for claim in self.triggers[formula]:
                by_claim[self.masked[claim]].append(out)
        triggered, outs = joined_groups(by_claim)
        bits = np.arange(64 * WORDS) < np.arange(len(self.moments) + 1)[:, None]
        return Rules(
            moments=len(self.moments),
            shift=self.claims.now.shift,
            step=self.claims.step,
            counted=len(self.counted),
            active=self.active,
            grids=grids,
            onwards=onwards,
            cells=cells,
            scales=scales,
            lists=lists,
            placed=placed,
            limits=limits,
            claims=rows,
            facts=facts,
            below=np.packbits(bits, axis=1, bitorder="little").view(np.uint64),
            code=np.array(code, np.int64).reshape(-1, 4),
            codes=spans,
            triggered=triggered,
            outs=np.array(outs, np.int64),
        )
