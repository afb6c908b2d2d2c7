"""Plans run over tapes by the kernel, bucket by bucket."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import chain, islice
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ethogram.engines.answers import NEVER, Moves, Positions
from ethogram.engines.binding import Bound, bind
from ethogram.engines.crowds import FEW_ROWS, MANY_ROWS, Crowd, Part, crowds, whole
from ethogram.engines.fitting import fitted_values
from ethogram.engines.made import tape_of
from ethogram.engines.pasts import Past, Turns, holds, newest_of, pasts, table_of, turns_of
from ethogram.engines.rounding import rounded
from ethogram.engines.tapefiles import Arrays
from ethogram.engines.tapeset import TapeSet
from ethogram.kernel import layout
from ethogram.kernel.layout import (
    ANSWERS,
    DEFAULTS,
    MOVES,
    NULL,
    STATUS,
    TO_BITS,
    TO_GROUPS,
    TO_VALUES,
    VALUES,
    People,
    Sheet,
    Tape,
    scratch,
)
from ethogram.kernel.run import run
from ethogram.language.instants import DAY
from ethogram.language.plan import Op, Plan, ValueType
from ethogram.model.errors import DataError, Unsupported
from ethogram.model.event import Moment
from ethogram.model.settings import Settings

Integers = NDArray[np.int64]
TYPES: dict[str, ValueType] = {"n": "number", "t": "text", "f": "flag"}
FIRST_ARENA = 1 << 12
KEPT_FITS = 4
"""Population values are asked for bucket by bucket, at a few moments in turn."""
LONGEST_FOLLOWED = 100_000
"""Events of one customer; following a segment through that many takes about half a minute."""
NOBODY = -(2**62)
FIRST_STRETCH, LONGEST_STRETCH = 14 * DAY, 4_000 * DAY
"""Of the past, to look for when somebody came in: first these days, then twice as many more, at last all that are left."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one pass over some positions of a bucket gives; the rows are those of the `Runner`."""

    positions: Positions
    known: NDArray[np.bool_]
    bits: NDArray[np.uint64]
    groups: NDArray[np.int16]
    values: Integers
    due: Integers


class Runner:
    """One plan on one set of tapes, with the runners of what it builds on: population values and pasts of segments."""

    def __init__(
        self,
        plan: Plan,
        tapes: TapeSet,
        settings: Settings,
        lists: Mapping[str, frozenset[str]],
        inner: Mapping[str, Runner],
    ) -> None:
        self.plan = plan
        self.tapes = tapes
        self.settings = settings
        self.lists = lists
        self.inner = inner
        self.bound: Bound = bind(plan, tapes, settings)
        self.pasts = pasts(plan)
        outputs = plan.outputs
        self.segments = [k for k, output in enumerate(outputs) if output.kind == "segment"]
        self.segmentations = [k for k, output in enumerate(outputs) if output.kind == "segmentation"]
        self.values = [k for k, output in enumerate(outputs) if output.kind in ("trait", "inner")]
        self.asked = [k for k, output in enumerate(outputs) if output.kind == "inner"]
        self._fixed: dict[int, Integers] = {}
        self._fitted: dict[int, dict[int, Integers]] = {}

    @property
    def asked_rows(self) -> list[int]:
        """The value rows of the expressions asked for, in their order."""
        return [self.values.index(output) for output in self.asked]

    def tape(self, bucket: int) -> Tape:
        return self._tape(self.tapes.arrays(bucket))

    def _tape(self, arrays: Arrays) -> Tape:
        zone = ZoneInfo(self.settings.timezone)
        return tape_of(self.bound.columns, self.bound.coded, self.tapes, arrays, zone)

    # --- what is known beside the tape ------------------------------------------------------------------------------

    def _people(self, crowd: Crowd, start: Moment, end: Moment, fitted: Mapping[int, Integers]) -> People:
        """For moments from `start` to `end`."""
        fixed = np.full((len(self.plan.fixed), crowd.size), NULL, np.int64)
        population = np.full((len(self.plan.fits), crowd.size), NULL, np.int64)
        for part in crowd.parts:
            places = slice(part.begin, part.begin + len(part.positions))
            if self.plan.fixed:
                fixed[:, places] = self._fixed_columns(part, crowd.is_excerpt)
            if self.plan.fits:
                population[:, places] = fitted[part.bucket][:, part.positions]
        offset, at, due = self._signals(crowd, start, end)
        return People(fixed, population, offset, at, due)

    def _fixed_columns(self, part: Part, is_excerpt: bool) -> Integers:
        known = self._fixed.get(part.bucket)
        if known is not None:
            return known[:, part.positions]
        customers = self.tapes.roster(part.bucket).take(pa.array(part.positions)).to_pylist()
        columns = [
            _salted(name, customers) if kind == "salt" else _listed(self.lists[name], customers)
            for kind, name in self.plan.fixed
        ]
        found = np.stack(columns)
        if not is_excerpt:
            self._fixed[part.bucket] = found
        return found

    def _signals(self, crowd: Crowd, start: Moment, end: Moment) -> tuple[Integers, Integers, Integers]:
        """The turns of each signal up to the end, as far back as anything asks for from the start on."""
        count, size = len(self.plan.signals), crowd.size
        if not count:
            return np.zeros((0, size + 1), np.int64), np.zeros(0, np.int64), np.zeros((0, size), np.int64)
        runner = self.inner["signals"]
        self._refuse_long_histories(crowd, end)
        alone = [start == end and past.members for past in self.pasts]
        found = dict(runner._stays(crowd, self.pasts, np.flatnonzero(alone), end)) if any(alone) else {}
        for past in dict.fromkeys(self.pasts):
            rows = [row for row, one in enumerate(self.pasts) if one == past and row not in found]
            if rows:
                found |= zip(rows, runner._turns(crowd, past, rows, start, end), strict=True)
        return table_of([found[row] for row in range(count)], size)

    def _turns(
        self, crowd: Crowd, past: Past, rows: Sequence[int], start: Moment, end: Moment
    ) -> Iterator[Turns]:
        """Everybody's turns, of some of the conditions asked for."""
        everyone = np.arange(crowd.size)
        begin, held = NOBODY, np.zeros((len(rows), crowd.size), np.bool_)
        if past.micros is not None and start - past.micros > NOBODY:
            begin = start - past.micros - 1
            values = self._answers(crowd, everyone, begin, self.fitted(begin)).values
            held = holds(values[[self.asked_rows[row] for row in rows]])
        moves, due = self._walk(crowd, everyone, begin, end, [self.asked[row] for row in rows])
        for row in range(len(rows)):
            mine = moves.definition == row
            yield turns_of(everyone[held[row]], begin, moves.position[mine], moves.at[mine], due)

    def _stays(
        self, crowd: Crowd, pasts: Sequence[Past], rows: Integers, now: Moment
    ) -> Iterator[tuple[int, Turns]]:
        """When those of whom a condition holds now came in, by ever longer stretches of the past."""
        answers = self._answers(crowd, np.arange(crowd.size), now, self.fitted(now))
        for row in rows.tolist():
            inside = np.flatnonzero(holds(answers.values[self.asked_rows[row]]))
            micros = pasts[row].micros
            last = NOBODY if micros is None else max(NOBODY, now - micros - 1)
            came: list[Integers] = []
            at: list[Integers] = []
            end, stretch = now, FIRST_STRETCH
            while len(inside) and end > last:
                begin = max(last, end - stretch) if stretch < LONGEST_STRETCH else last
                moves, _ = self._walk(crowd, inside, begin, end, [self.asked[row]])
                turned = moves.value == 1
                place, newest = newest_of(moves.position[turned], moves.at[turned])
                came, at = [*came, place], [*at, newest]
                inside = np.setdiff1d(inside, place, assume_unique=True)
                end, stretch = begin, 2 * stretch
            yield (
                row,
                turns_of(
                    inside,
                    last,
                    np.concatenate([*came, inside[:0]]),
                    np.concatenate([*at, inside[:0]]),
                    answers.due,
                ),
            )

    def _refuse_long_histories(self, crowd: Crowd, as_of: Moment) -> None:
        """Following a segment through time looks at the history anew at each of its moments."""
        spans, time = crowd.arrays["spans"], crowd.arrays["time"]
        for place in np.flatnonzero(np.diff(spans, axis=1).ravel() > LONGEST_FOLLOWED).tolist():
            first, past = spans[place]
            events = int(np.searchsorted(time[first:past], as_of, side="right"))
            if events > LONGEST_FOLLOWED:
                bucket, position = crowd.owner(place)
                customer = self.tapes.roster(bucket)[position].as_py()
                raise Unsupported(
                    "E_LONG_HISTORY",
                    f"was_in, entered, left and time_in do not follow a history of {events:,} events, that of customer '{customer}'",
                    hint=f"Up to {LONGEST_FOLLOWED:,} events are followed: is this a person? A source's `select` can leave it out.",
                )

    def fitted(self, as_of: Moment) -> Mapping[int, Integers]:
        """Population values by bucket, fitted on everyone at a moment."""
        if not self.plan.fits:
            return {}
        if as_of not in self._fitted:
            inner = self.inner["fits"]
            runs = dict(inner.run(as_of))
            if len(self._fitted) == KEPT_FITS:
                del self._fitted[min(self._fitted)]
            self._fitted[as_of] = fitted_values(self.plan.fits, runs, inner.asked_rows)
        return self._fitted[as_of]

    # --- running ----------------------------------------------------------------------------------------------------

    def run(
        self, as_of: Moment, positions: Mapping[int, Positions] | None = None, threads: int = 2
    ) -> Iterator[tuple[int, Run]]:
        fitted = self.fitted(as_of)

        def one(crowd: Crowd) -> list[tuple[int, Run]]:
            found = list(self._run(crowd, as_of, fitted))
            if not crowd.is_excerpt:
                self.tapes.rest(crowd.parts[0].bucket)
            return found

        everyone = (whole(self.tapes, bucket) for bucket in sorted(self.tapes.files))
        asked = everyone if positions is None else self._crowds(positions)
        begun = list(islice(asked, threads))
        if len(begun) < 2:
            for crowd in chain(begun, asked):
                yield from one(crowd)
            return
        with ThreadPoolExecutor(threads) as pool:
            waiting = deque(pool.submit(one, crowd) for crowd in begun)
            while waiting:
                yield from waiting.popleft().result()
                waiting.extend(pool.submit(one, crowd) for crowd in islice(asked, 1))

    def compile(self) -> None:
        """Runs the kernel for nobody."""
        tape = self.tape(min(self.tapes.files))
        people = People(
            fixed=np.zeros((0, 0), np.int64),
            fitted=np.zeros((0, 0), np.int64),
            signal_offset=np.zeros((0, 0), np.int64),
            signal_at=np.zeros(0, np.int64),
            signal_due=np.zeros((0, 0), np.int64),
        )
        _Kernel(self, tape, people).defaults(0)

    def _crowds(self, positions: Mapping[int, Positions]) -> Iterator[Crowd]:
        for_every_row = self.bound.columns or self.plan.signals
        return crowds(self.tapes, positions, MANY_ROWS if for_every_row else FEW_ROWS)

    def _run(self, crowd: Crowd, as_of: Moment, fitted: Mapping[int, Integers]) -> Iterator[tuple[int, Run]]:
        sheet = self._answers(crowd, crowd.chosen, as_of, fitted)
        if not crowd.is_excerpt:
            yield crowd.parts[0].bucket, _run_of(sheet, crowd.chosen, 0)
            return
        for part in crowd.parts:
            yield part.bucket, _run_of(sheet, part.positions, part.begin)

    def _answers(
        self, crowd: Crowd, places: Integers, as_of: Moment, fitted: Mapping[int, Integers]
    ) -> Sheet:
        """Of those at some places, in their order."""
        size, words = len(places), -(-len(places) // 64)
        kernel = _Kernel(self, self._tape(crowd.arrays), self._people(crowd, as_of, as_of, fitted))
        default = kernel.defaults(as_of)
        bits = np.zeros((len(self.segments), words), np.uint64)
        bits[default[self.segments] == 1] = ~np.uint64(0)
        if size % 64 and words:
            bits[:, -1] &= np.uint64((1 << (size % 64)) - 1)
        sheet = _sheet(size)._replace(
            rows=self._rows(),
            known=np.zeros(size, np.bool_),
            bits=bits,
            groups=np.repeat(default[self.segmentations].astype(np.int16)[:, None], size, axis=1),
            values=np.repeat(default[self.values][:, None], size, axis=1),
        )
        return kernel.run(ANSWERS, places, as_of, as_of, sheet)

    def walk(
        self,
        bucket: int,
        positions: Positions,
        start: Moment,
        end: Moment,
        conditions: Sequence[int],
        segmentations: Sequence[int] = (),
    ) -> Moves:
        """Every change of these outputs in (start, end]."""
        (crowd,) = self._crowds({bucket: positions})
        moves, _ = self._walk(crowd, crowd.chosen, start, end, conditions, segmentations)
        return replace(moves, position=crowd.parts[0].positions[moves.position])

    def _walk(
        self,
        crowd: Crowd,
        places: Integers,
        start: Moment,
        end: Moment,
        conditions: Sequence[int],
        segmentations: Sequence[int] = (),
    ) -> tuple[Moves, Integers]:
        """By place, with each one's due after the end."""
        watched = [*conditions, *segmentations]
        people = self._people(crowd, start, end, self.fitted(end))
        kernel = _Kernel(self, self._tape(crowd.arrays), people)
        sheet = _sheet(len(places))._replace(
            watched=np.array(watched, np.int64),
            current=np.zeros(max(1, len(watched)), np.int64),
            moves=np.zeros((max(1024, 8 * len(places)), 4), np.int64),
            filled=np.array([0, len(conditions)]),
        )
        sheet = kernel.run(MOVES, places, start, end, sheet)
        place, watch, at, value = sheet.moves[: sheet.filled[0]].T
        return Moves(place.copy(), watch.astype(np.int32), at.copy(), value.astype(np.int16)), sheet.due

    def sets(
        self, bucket: int, as_of: Moment, positions: Positions, output: int
    ) -> tuple[Integers, Integers]:
        """The different values of a `values(…)` output as (offset, value) by position."""
        (crowd,) = self._crowds({bucket: positions})
        tape = self._tape(crowd.arrays)
        kernel = _Kernel(self, tape, self._people(crowd, as_of, as_of, self.fitted(as_of)))
        slot = next(one.a for one in self.plan.outputs[output].code if one.op is Op.SLOT)
        room = len(tape.time) + len(tape.ragged_value) + 1
        sheet = _sheet(len(crowd.chosen))._replace(
            moves=np.zeros((room, 4), np.int64), filled=np.array([0, slot])
        )
        kernel.run(VALUES, crowd.chosen, as_of, as_of, sheet)
        ends = sheet.due[: len(positions)]
        return np.concatenate([[0], ends]).astype(np.int64), sheet.moves[: sheet.filled[0], 0].copy()

    def _rows(self) -> Integers:
        rows = np.full((max(1, len(self.plan.outputs)), 3), -1, np.int64)
        for kind, outputs in (
            (TO_BITS, self.segments),
            (TO_GROUPS, self.segmentations),
            (TO_VALUES, self.values),
        ):
            rows[outputs, kind] = np.arange(len(outputs))
        return rows


class _Kernel:
    """The kernel on one bucket's tape, with memory that grows when a customer needs more."""

    def __init__(self, runner: Runner, tape: Tape, people: People) -> None:
        program = runner.bound.program
        self.program = program._replace(defaults=program.defaults.copy())
        self.tape, self.people, self.zones = tape, people, runner.bound.zones
        self.givens = len(runner.plan.givens)
        self.memory = scratch(program, self.givens, FIRST_ARENA)

    def defaults(self, as_of: Moment) -> Integers:
        """The outputs over an empty history."""
        self._call(DEFAULTS, np.zeros(0, np.int64), 0, as_of, as_of, _sheet(0))
        return self.program.defaults

    def run(self, mode: int, positions: Positions, start: Moment, end: Moment, sheet: Sheet) -> Sheet:
        done = self._call(mode, positions, 0, start, end, sheet)
        while done < len(positions):
            match self.memory.state[STATUS]:
                case layout.OVERFLOW:
                    raise DataError(
                        "E_NUMBER_OVERFLOW",
                        "a number grows beyond 9,223,372,036,854.775807",
                        hint="Add up fewer events, or divide the property by a thousand where it is loaded.",
                    )
                case layout.ARENA_FULL:
                    self.memory = scratch(self.program, self.givens, 2 * len(self.memory.arena))
                case _:
                    sheet = sheet._replace(moves=np.concatenate([sheet.moves, np.zeros_like(sheet.moves)]))
            done = self._call(mode, positions, done, start, end, sheet)
        return sheet

    def _call(
        self, mode: int, positions: Positions, begin: int, start: Moment, end: Moment, sheet: Sheet
    ) -> int:
        return run(
            mode,
            self.tape,
            self.people,
            self.program,
            self.zones,
            self.memory,
            positions,
            begin,
            start,
            end,
            sheet,
        )


def _run_of(sheet: Sheet, positions: Positions, begin: int) -> Run:
    """What a sheet says of those at the places from `begin` on."""
    size = len(positions)
    own, words = slice(begin, begin + size), slice(begin // 64, -(-(begin + size) // 64))
    return Run(
        positions,
        sheet.known[own],
        sheet.bits[:, words],
        sheet.groups[:, own],
        sheet.values[:, own],
        sheet.due[own],
    )


def _sheet(size: int) -> Sheet:
    nothing = np.zeros((0, 0), np.int64)
    return Sheet(
        rows=nothing,
        known=np.zeros(0, np.bool_),
        bits=np.zeros((0, 0), np.uint64),
        groups=np.zeros((0, 0), np.int16),
        values=nothing,
        due=np.full(size, NEVER, np.int64),
        watched=np.zeros(0, np.int64),
        current=np.zeros(1, np.int64),
        moves=np.zeros((0, 4), np.int64),
        filled=np.zeros(2, np.int64),
    )


def _salted(salt: str, customers: Sequence[str]) -> Integers:
    """`bucket(salt)` in millionths, half to even: 53 bits of SHA-256(salt, 0, customer) / 2^53."""
    start = sha256(salt.encode() + b"\0")

    def number(customer: str) -> int:
        digest = start.copy()
        digest.update(customer.encode())
        return rounded((int.from_bytes(digest.digest()[:8], "big") >> 11) * 1_000_000, 2**53)

    return np.array([number(customer) for customer in customers], np.int64)


def _listed(people: frozenset[str], customers: Sequence[str]) -> Integers:
    return np.array([1 if customer in people else NULL for customer in customers], np.int64)
