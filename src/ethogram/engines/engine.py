"""The engine: definitions compiled, bound to tapes and run over buckets by the kernel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ethogram.engines.answers import NEVER, BucketAnswers, Moves, Positions
from ethogram.engines.binding import Bound, bind, tape_of
from ethogram.engines.fitting import fitted_values
from ethogram.engines.spec import Needs, Seen, needs_of, seen
from ethogram.engines.tapeset import Progress, TapeSet, open_tapes
from ethogram.kernel import layout
from ethogram.kernel.layout import (
    ANSWERS,
    DEFAULTS,
    MOVES,
    NULL,
    STATUS,
    VALUES,
    People,
    Sheet,
    Tape,
    scratch,
)
from ethogram.kernel.run import run
from ethogram.language.lowering import Schema, lower
from ethogram.language.plan import Op, Plan, ValueType
from ethogram.language.tree import Definitions, Expression, Path
from ethogram.model.errors import DataError
from ethogram.model.event import Moment
from ethogram.model.settings import Settings
from ethogram.store import Store

Integers = NDArray[np.int64]
TYPES: dict[str, ValueType] = {"n": "number", "t": "text", "f": "flag"}
FIRST_ARENA = 1 << 16
NOBODY = -(2**62)


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
        outputs = plan.outputs
        self.segments = [k for k, output in enumerate(outputs) if output.kind == "segment"]
        self.segmentations = [k for k, output in enumerate(outputs) if output.kind == "segmentation"]
        self.values = [k for k, output in enumerate(outputs) if output.kind in ("trait", "inner")]
        self._fixed: dict[int, Integers] = {}
        self._fitted: dict[int, dict[int, Integers]] = {}
        self._tapes: dict[int, Tape] = {}

    def tape(self, bucket: int) -> Tape:
        arrays, _ = self.tapes.bucket(bucket)
        return tape_of(self.bound, self.tapes, arrays, self.settings)

    # --- what is known beside the tape ------------------------------------------------------------------------------

    def people(self, bucket: int, tape: Tape, as_of: Moment, fitted: Mapping[int, Integers]) -> People:
        size = len(tape.births)
        offset, at, due = self._signals(bucket, size, as_of)
        return People(
            fixed=self._fixed_columns(bucket, size),
            fitted=fitted[bucket] if bucket in fitted else np.zeros((0, size), np.int64),
            signal_offset=offset,
            signal_at=at,
            signal_due=due,
        )

    def _fixed_columns(self, bucket: int, size: int) -> Integers:
        if bucket not in self._fixed:
            customers = self.tapes.bucket(bucket)[1].to_pylist() if self.plan.fixed else []
            columns = [
                _salted(name, customers) if kind == "salt" else _listed(self.lists[name], customers)
                for kind, name in self.plan.fixed
            ]
            self._fixed[bucket] = np.stack(columns) if columns else np.zeros((0, size), np.int64)
        return self._fixed[bucket]

    def _signals(self, bucket: int, size: int, as_of: Moment) -> tuple[Integers, Integers, Integers]:
        """Every turn of each signal up to a moment, for everyone in the bucket."""
        count = len(self.plan.signals)
        if not count:
            return np.zeros((0, size + 1), np.int64), np.zeros(0, np.int64), np.zeros((0, size), np.int64)
        runner = self.inner["signals"]
        offsets, moments = [], []
        moves, due = runner.walk(bucket, np.arange(size), NOBODY, as_of, runner.values)
        begin = 0
        for row in range(count):
            mine = moves.definition == row
            offsets.append(np.searchsorted(moves.position[mine], np.arange(size + 1)) + begin)
            moments.append(moves.at[mine])
            begin += len(moments[-1])
        return np.stack(offsets).astype(np.int64), np.concatenate(moments), np.tile(due, (count, 1))

    def fitted(self, as_of: Moment) -> Mapping[int, Integers]:
        """Population values by bucket, fitted on everyone at a moment."""
        if not self.plan.fits:
            return {}
        if as_of not in self._fitted:
            inner = self.inner["fits"]
            runs = {run[0]: run[1] for run in inner.run(as_of)}
            self._fitted = {as_of: fitted_values(self.plan.fits, runs)}
        return self._fitted[as_of]

    # --- running ----------------------------------------------------------------------------------------------------

    def run(
        self, as_of: Moment, positions: Mapping[int, Positions] | None = None, threads: int = 2
    ) -> Iterator[tuple[int, Run]]:
        fitted = self.fitted(as_of)
        buckets = sorted(positions) if positions is not None else sorted(self.tapes.files)

        def one(bucket: int) -> tuple[int, Run]:
            return bucket, self.run_bucket(
                bucket, as_of, None if positions is None else positions[bucket], fitted
            )

        if len(buckets) < 2 or threads < 2:
            yield from map(one, buckets)
            return
        with ThreadPoolExecutor(threads) as pool:
            waiting = [pool.submit(one, bucket) for bucket in buckets[:threads]]
            for following in [*buckets[threads:], *[None] * threads]:
                first = waiting.pop(0)
                yield first.result()
                if following is not None:
                    waiting.append(pool.submit(one, following))

    def run_bucket(
        self, bucket: int, as_of: Moment, positions: Positions | None, fitted: Mapping[int, Integers]
    ) -> Run:
        tape = self.tape(bucket)
        chosen = (
            np.arange(len(tape.births)) if positions is None else np.ascontiguousarray(positions, np.int64)
        )
        size, words = len(chosen), -(-len(chosen) // 64)
        kernel = _Kernel(self, tape, self.people(bucket, tape, as_of, fitted))
        default = kernel.defaults(as_of)
        bits = np.zeros((len(self.segments), words), np.uint64)
        bits[default[self.segments] == 1] = ~np.uint64(0)
        if size % 64 and words:
            bits[:, -1] &= np.uint64((1 << (size % 64)) - 1)
        groups = np.repeat(default[self.segmentations].astype(np.int16)[:, None], size, axis=1)
        values = np.repeat(default[self.values][:, None], size, axis=1)
        run = Run(chosen, np.zeros(size, np.bool_), bits, groups, values, np.full(size, NEVER, np.int64))
        sheet = _sheet(size)._replace(
            rows=self._rows(), known=run.known, bits=bits, groups=groups, values=values, due=run.due
        )
        kernel.run(ANSWERS, chosen, as_of, as_of, sheet)
        return run

    def walk(
        self,
        bucket: int,
        positions: Positions,
        start: Moment,
        end: Moment,
        conditions: Sequence[int],
        segmentations: Sequence[int] = (),
    ) -> tuple[Moves, Integers]:
        """Every change of these outputs in (start, end], and each customer's due after it."""
        watched = [*conditions, *segmentations]
        tape = self.tape(bucket)
        kernel = _Kernel(self, tape, self.people(bucket, tape, end, self.fitted(end)))
        chosen = np.ascontiguousarray(positions, np.int64)
        sheet = _sheet(len(chosen))._replace(
            watched=np.array(watched, np.int64),
            current=np.zeros(max(1, len(watched)), np.int64),
            moves=np.zeros((max(1024, 8 * len(chosen)), 4), np.int64),
            filled=np.array([0, len(conditions)]),
        )
        sheet = kernel.run(MOVES, chosen, start, end, sheet)
        position, watch, at, value = sheet.moves[: sheet.filled[0]].T
        return Moves(position.copy(), watch.astype(np.int32), at.copy(), value.astype(np.int16)), sheet.due

    def sets(
        self, bucket: int, as_of: Moment, positions: Positions, output: int
    ) -> tuple[Integers, Integers]:
        """The different values of a `values(…)` output as (offset, value) by position."""
        tape = self.tape(bucket)
        kernel = _Kernel(self, tape, self.people(bucket, tape, as_of, self.fitted(as_of)))
        slot = next(one.a for one in self.plan.outputs[output].code if one.op is Op.SLOT)
        room = len(tape.time) + len(tape.ragged_value) + 1
        sheet = _sheet(len(positions))._replace(
            moves=np.zeros((room, 4), np.int64), filled=np.array([0, slot])
        )
        kernel.run(VALUES, np.ascontiguousarray(positions, np.int64), as_of, as_of, sheet)
        return np.concatenate([[0], sheet.due]).astype(np.int64), sheet.moves[: sheet.filled[0], 0].copy()

    def _rows(self) -> Integers:
        rows = np.full((3, max(1, len(self.plan.outputs))), -1, np.int64)
        for kind, outputs in enumerate((self.segments, self.segmentations, self.values)):
            rows[kind, outputs] = np.arange(len(outputs))
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
        return _rounded((int.from_bytes(digest.digest()[:8], "big") >> 11) * 1_000_000, 2**53)

    return np.array([number(customer) for customer in customers], np.int64)


def _rounded(numerator: int, denominator: int) -> int:
    quotient, rest = divmod(numerator, denominator)
    return quotient + (2 * rest > denominator or (2 * rest == denominator and quotient % 2 == 1))


def _listed(people: frozenset[str], customers: Sequence[str]) -> Integers:
    return np.array([1 if customer in people else NULL for customer in customers], np.int64)


# --- the engine ---------------------------------------------------------------------------------------------------------


class Engine:
    """Answers the definitions of a project for everyone or for some, at any moment. An `Evaluator`.

    `names` limits what is answered; `extra` adds conditions and values that no file defines. Raises Unsupported, naming
    the function, where an answer would not be exact.
    """

    def __init__(
        self,
        store: Store,
        definitions: Definitions,
        settings: Settings,
        lists: Mapping[str, frozenset[str]] | None = None,
        *,
        names: Sequence[str] | None = None,
        extra: Mapping[str, Expression] | None = None,
        progress: Progress | None = None,
        threads: int = 2,
    ) -> None:
        self.store = store
        self.definitions = definitions
        self.settings = settings
        self.lists = dict(lists or {})
        self.threads = threads
        known = seen(store.properties(), store.traits())
        every = (*definitions.segments, *definitions.segmentations, *definitions.traits)
        self.names = tuple(every if names is None else names)
        schema = schema_of(known)
        plan = lower(definitions, settings, schema, names=self.names, inner=extra)
        plans = _plans(plan, definitions, settings, schema)
        with store.snapshot() as snapshot:
            self.sequence = snapshot.sequence
            self._files = snapshot.files
            self.tapes = open_tapes(store, snapshot, _all_needs(plans, known), known, progress)
        self.runner = self._runner(plans)
        outputs = plan.outputs
        self._segments = tuple(outputs[k].name for k in self.runner.segments)
        self._segmentations = tuple(outputs[k].name for k in self.runner.segmentations)
        self._traits = tuple(outputs[k].name for k in self.runner.values if outputs[k].kind == "trait")

    def _runner(self, plans: _Plans) -> Runner:
        inner = {name: self._runner(some) for name, some in plans.inner.items()}
        return Runner(plans.plan, self.tapes, self.settings, self.lists, inner)

    @property
    def segments(self) -> Sequence[str]:
        return self._segments

    @property
    def segmentations(self) -> Sequence[str]:
        return self._segmentations

    @property
    def traits(self) -> Sequence[str]:
        return self._traits

    @property
    def buckets(self) -> int:
        return self.store.buckets

    @property
    def generation(self) -> str:
        return self.tapes.generation

    @property
    def refitted(self) -> frozenset[str]:
        """Definitions that depend on everyone else: their answers may change for anybody at every refresh."""
        return frozenset(
            output.name
            for output in self.runner.plan.outputs
            if any(one.kind == "fitted" for inputs in output.triggers for one in inputs)
            or any(one.op is Op.FITTED for one in output.code)
        )

    @property
    def restless(self) -> frozenset[str]:
        """Traits whose value changes with every moment, such as `days_since(…)`."""
        return frozenset(output.name for output in self.runner.plan.outputs if output.restless)

    def group_names(self, segmentation: str) -> Sequence[str]:
        return next(output.groups for output in self.runner.plan.outputs if output.name == segmentation)

    def roster(self, bucket: int) -> pa.StringArray:
        return self.tapes.bucket(bucket)[1]

    def evaluate(
        self,
        as_of: Moment,
        positions: Mapping[int, Positions] | None = None,
        traits: Sequence[str] | None = None,
    ) -> Iterator[BucketAnswers]:
        wanted = self._traits if traits is None else tuple(traits)
        for bucket, found in self.runner.run(as_of, positions, self.threads):
            columns = {name: self._column(name, bucket, found, as_of) for name in wanted}
            yield BucketAnswers(
                bucket, found.positions, found.known, found.bits, found.groups, found.due, columns
            )

    def values(self, as_of: Moment, name: str) -> Iterator[tuple[int, pa.Array]]:
        """The values of one trait or extra expression for everyone, by bucket."""
        for bucket, found in self.runner.run(as_of, None, self.threads):
            yield bucket, self._column(name, bucket, found, as_of)

    def walk(self, bucket: int, positions: Positions, start: Moment, end: Moment) -> Moves:
        return self.runner.walk(
            bucket, positions, start, end, self.runner.segments, self.runner.segmentations
        )[0]

    def sizes(self, moments: Sequence[Moment]) -> Mapping[str, Integers]:
        counts = {name: np.zeros(len(moments), np.int64) for name in self._segments}
        for segmentation in self._segmentations:
            for group in self.group_names(segmentation):
                counts[f"{segmentation}.{group}"] = np.zeros(len(moments), np.int64)
        for place, moment in enumerate(moments):
            for _, found in self.runner.run(moment, None, self.threads):
                sizes = np.bitwise_count(found.bits).sum(axis=1)
                for name, size in zip(self._segments, sizes.tolist(), strict=True):
                    counts[name][place] += size
                for row, segmentation in enumerate(self._segmentations):
                    names = self.group_names(segmentation)
                    of_group = np.bincount(
                        found.groups[row][found.known].astype(np.int64), minlength=len(names)
                    )
                    for group, size in zip(names, of_group.tolist(), strict=True):
                        counts[f"{segmentation}.{group}"][place] += size
        return counts

    def touched(self, since_sequence: int) -> Mapping[int, tuple[Positions, Integers]]:
        """Customers with events that appeared after a ledger sequence, with the earliest time of those events."""
        found: dict[int, tuple[Positions, Integers]] = {}
        for bucket in range(self.buckets):
            files = [f for f in self._files if f.bucket == bucket and f.sequence > since_sequence]
            if not files:
                continue
            tables = [self.store.read(file, ["customer", "time"]) for file in files]
            table = pa.concat_tables(tables).combine_chunks()
            grouped = table.group_by("customer").aggregate([("time", "min")])
            positions = pc.index_in(grouped["customer"], value_set=self.roster(bucket))
            place = positions.to_numpy(zero_copy_only=False).astype(np.int64)
            first = grouped["time_min"].cast(pa.int64()).to_numpy(zero_copy_only=False)
            order = np.argsort(place)
            found[bucket] = place[order], first[order]
        return found

    def _column(self, name: str, bucket: int, run: Run, as_of: Moment) -> pa.Array:
        output = next(k for k in self.runner.values if self.runner.plan.outputs[k].name == name)
        type_ = self.runner.plan.outputs[output].type
        if type_ == "set":
            offset, value = self.runner.sets(bucket, as_of, run.positions, output)
            atom = self.runner.plan.atoms[self.runner.plan.outputs[output].code[0].a]
            return pa.ListArray.from_arrays(
                pa.array(offset, pa.int32()), self._texts_of(value, atom.of or "text")
            )
        return arrow_of(run.values[self.runner.values.index(output)], type_, self.tapes.texts.texts)

    def _texts_of(self, value: Integers, type_: ValueType) -> pa.Array:
        column = arrow_of(value, type_, self.tapes.texts.texts)
        return column.cast(pa.string())


@dataclass(frozen=True, slots=True)
class _Plans:
    plan: Plan
    inner: Mapping[str, _Plans]


def _plans(plan: Plan, definitions: Definitions, settings: Settings, schema: Schema) -> _Plans:
    """The plan with those of what it builds on, however deep."""
    inner: dict[str, _Plans] = {}
    if plan.fits:
        wanted: dict[str, Expression] = {}
        for number, fit in enumerate(plan.fits):
            wanted[f"of {number}"] = fit.of
            if fit.among is not None:
                wanted[f"among {number}"] = fit.among
        fits = lower(definitions, settings, schema, names=(), inner=wanted)
        inner["fits"] = _plans(fits, definitions, settings, schema)
    if plan.signals:
        asked = {f"signal {number}": signal for number, signal in enumerate(plan.signals)}
        signals = lower(definitions, settings, schema, names=(), inner=asked, conditions=True)
        inner["signals"] = _plans(signals, definitions, settings, schema)
    return _Plans(plan, inner)


def _all_needs(plans: _Plans, known: Seen) -> Needs:
    needs = needs_of(plans.plan, known)
    for inner in plans.inner.values():
        needs = needs.joined(_all_needs(inner, known))
    return needs


def schema_of(known: Seen) -> Schema:
    def property_types(names: tuple[str, ...] | None, path: Path) -> frozenset[ValueType]:
        if names is None:
            return frozenset(TYPES[type_] for type_, _ in known.properties.get(path, ()))
        return frozenset(TYPES[type_] for name in names for type_ in known.by_event.get((name, path), ()))

    def trait_types(path: Path) -> frozenset[ValueType]:
        return frozenset(TYPES[type_] for type_, is_list in known.traits.get(path, ()) if not is_list)

    return Schema(property_types, trait_types)


def arrow_of(values: Integers, type_: ValueType, texts: Sequence[str]) -> pa.Array:
    """Kernel values as an Arrow array, missing ones as nulls."""
    missing = values == NULL
    match type_:
        case "number":
            words = np.empty((len(values), 2), np.int64)
            words[:, 0] = np.where(missing, 0, values)
            words[:, 1] = np.where(words[:, 0] < 0, -1, 0)
            valid = pa.array(~missing).buffers()[1]
            return pa.Array.from_buffers(pa.decimal128(18, 6), len(values), [valid, pa.py_buffer(words)])
        case "flag":
            return pa.array(values == 1, pa.bool_(), mask=missing)
        case "moment":
            return pa.array(values, pa.timestamp("us"), mask=missing)
        case _:
            different, inverse = np.unique(np.where(missing, 0, values), return_inverse=True)
            named = pa.array([texts[k] if k < len(texts) else None for k in different.tolist()], pa.string())
            indices = pa.array(inverse.astype(np.int64), mask=missing)
            return pa.DictionaryArray.from_arrays(indices, named).dictionary_decode()
