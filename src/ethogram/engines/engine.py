"""The engine: definitions compiled, bound to tapes and run over buckets by the kernel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ethogram.engines import arrivals
from ethogram.engines.answers import BucketAnswers, Moves, Positions
from ethogram.engines.homes import Homes
from ethogram.engines.opening import Progress, open_tapes
from ethogram.engines.running import Run, Runner
from ethogram.engines.spec import Needs, Seen, needs_of, seen
from ethogram.engines.sweeping import sweepable, swept_sizes
from ethogram.kernel.layout import NEVER, NULL
from ethogram.language.lowering import Schema, lower
from ethogram.language.plan import Op, Plan, ValueType
from ethogram.language.tree import And, Definitions, Everyone, Expression, Name, Not, Or, Path
from ethogram.model.event import Moment
from ethogram.model.settings import Settings
from ethogram.store import Store

Integers = NDArray[np.int64]
FEW_MOMENTS = 2
TYPES: dict[str, ValueType] = {"n": "number", "t": "text", "f": "flag"}


class Engine:
    """Answers the definitions of a project for everyone or for some, at any moment. An `Evaluator`.

    `names` limits what is answered; `extra` adds conditions and values that no file defines. `progress` is told how far the tapes
    are, `asking` how many of all buckets have answered. Raises Unsupported, naming
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
        asking: Progress | None = None,
        threads: int = 2,
    ) -> None:
        self.store = store
        self.definitions = definitions
        self.settings = settings
        self.lists: Mapping[str, frozenset[str]] = dict(lists or {})
        self.threads = threads
        self._asking = asking or _unseen
        known = seen(store.properties(), store.traits())
        every = (*definitions.segments, *definitions.segmentations, *definitions.traits)
        self.names = tuple(every if names is None else names)
        schema = self._schema = schema_of(known)
        plan = lower(definitions, settings, schema, names=self.names, inner=extra)
        plans = _plans(plan, definitions, settings, schema)
        with store.snapshot() as snapshot:
            self._files = snapshot.files
            self.tapes = open_tapes(store, snapshot, _all_needs(plans, known), known, progress)
            self.sequence = max(snapshot.sequence, self.tapes.sequence)
        self.lists = store.persons.listed(self.lists, self.sequence)
        self.runner = self._runner(plans)
        outputs = plan.outputs
        self._segments = tuple(outputs[k].name for k in self.runner.segments)
        self._segmentations = tuple(outputs[k].name for k in self.runner.segmentations)
        self._traits = tuple(outputs[k].name for k in self.runner.values if outputs[k].kind == "trait")

    def _runner(self, plans: _Plans) -> Runner:
        inner = {name: self._runner(some) for name, some in plans.inner.items()}
        return Runner(plans.plan, self.tapes, self.settings, self.lists, inner)

    def compile(self) -> None:
        """Compiles what answers; else the first answer does, which takes some twenty seconds once on a machine."""
        self.runner.compile()

    def events_read(self) -> Mapping[str, int]:
        """How many events each named definition looks at: what it costs, for the most part."""
        plan, often = self.runner.plan, self.runner.bound.often
        read: list[frozenset[int]] = []
        for output in plan.outputs:
            own = {one.a for one in output.code if one.op in (Op.SLOT, Op.SLOT_COMPARE)}
            asked = {one.a for one in output.code if one.op is Op.OUT}
            asked |= {out for slot in own for out in (plan.atoms[slot].since, plan.atoms[slot].until) if out}
            read.append(frozenset(own).union(*(read[out] for out in asked if out < len(read))))
        found = zip(plan.outputs, read, strict=True)
        return {
            output.name: int(often[sorted(slots)].sum())
            for output, slots in found
            if output.name in self.names
        }

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
        return self.tapes.roster(bucket)

    def evaluate(
        self,
        as_of: Moment,
        positions: Mapping[int, Positions] | None = None,
        traits: Sequence[str] | None = None,
    ) -> Iterator[BucketAnswers]:
        wanted = self._traits if traits is None else tuple(traits)
        for done, (bucket, found) in enumerate(self.runner.run(as_of, positions, self.threads), 1):
            if positions is None:
                self._asking(done, self.buckets)
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
        )

    def sizes(self, moments: Sequence[Moment]) -> Mapping[str, Integers]:
        conditions = self._memberships()
        grid = sorted(set(moments))
        runner = self._answering(conditions)
        names = list(conditions)
        asked = {output: runner.plan.outputs[output].name for output in runner.asked}
        swept = [output for output in sweepable(runner) if output in asked] if len(grid) > FEW_MOMENTS else []
        found: dict[str, Integers] = {}
        if swept:
            sizes = swept_sizes(runner, swept, grid, self.threads)
            found = {asked[output]: sizes[output] for output in swept}
        rest = [name for name in names if name not in found]
        if rest:
            found |= self._sizes_one_by_one({name: conditions[name] for name in rest}, grid)
        place = np.searchsorted(grid, np.array(moments, np.int64))
        return {name: found[name][place] for name in names}

    def _memberships(self) -> dict[str, Expression]:
        """A condition for each segment and for each group: the first of its segmentation that holds."""
        found: dict[str, Expression] = {name: Name(name) for name in self._segments}
        for name in self._segmentations:
            earlier: list[Expression] = []
            for group in self.definitions.segmentations[name].groups:
                others = Not(Or(tuple(earlier))) if earlier else Everyone()
                found[f"{name}.{group.name}"] = others if group.when is None else And((others, group.when))
                earlier += [group.when] if group.when is not None else []
        return found

    def _answering(self, conditions: Mapping[str, Expression]) -> Runner:
        plan = lower(
            self.definitions, self.settings, self._schema, names=(), inner=conditions, conditions=True
        )
        return self._runner(_plans(plan, self.definitions, self.settings, self._schema))

    def _sizes_one_by_one(
        self, conditions: Mapping[str, Expression], moments: Sequence[Moment]
    ) -> dict[str, Integers]:
        runner = self._answering(conditions)
        rows = {runner.plan.outputs[output].name: runner.values.index(output) for output in runner.asked}
        sizes = {name: np.zeros(len(moments), np.int64) for name in conditions}
        for place, moment in enumerate(moments):
            for bucket, (_, found) in enumerate(runner.run(moment, None, self.threads), 1):
                self._asking(place * self.buckets + bucket, len(moments) * self.buckets)
                inside = (found.values == 1).sum(axis=1)
                for name in conditions:
                    sizes[name][place] += inside[rows[name]]
        return sizes

    def touched(self, since_sequence: int) -> Mapping[int, tuple[Positions, Integers]]:
        """Customers with events that appeared after a ledger sequence, with the earliest time of those events; where ids became
        another person's all events are new."""
        found = dict(arrivals.since(self.tapes.folder, self.tapes.notes, since_sequence))
        unnoted = [bucket for bucket, kept in self.tapes.buckets.items() if since_sequence < kept.noted]
        homes = Homes(self.store, self.sequence, {})
        come = self._arrived(homes, since_sequence) if unnoted else {}
        moved = homes.moved_since(since_sequence)
        for bucket in unnoted:
            found.pop(bucket, None)
            if bucket in come:
                times = come[bucket]["time_min"].cast(pa.int64()).to_numpy(zero_copy_only=False)
                found[bucket] = self._placed(bucket, come[bucket]["customer"], times)
        for bucket, persons in moved.items():
            whole = self._placed(bucket, pa.array(persons), np.full(len(persons), -NEVER))
            found[bucket] = arrivals.joined(found.get(bucket), whole)
        return {bucket: some for bucket, some in found.items() if len(some[0])}

    def _arrived(self, homes: Homes, since_sequence: int) -> Mapping[int, pa.Table]:
        """By bucket, who has events in files that appeared after a sequence, and the earliest time of those."""
        by_bucket: dict[int, list[pa.Table]] = {}
        for file in self._files:
            if file.sequence > since_sequence:
                by_bucket.setdefault(file.bucket, []).append(homes.read(file, ["customer", "time"]))
        if not homes.is_plain and by_bucket:
            every = [one.select(["customer", "time"]) for some in by_bucket.values() for one in some]
            homed = homes.by_home(pa.concat_tables(every))
            by_bucket = {bucket: [some] for bucket, some in homed.items()}
        return {
            bucket: pa.concat_tables(some).group_by("customer").aggregate([("time", "min")])
            for bucket, some in by_bucket.items()
        }

    def _placed(self, bucket: int, customers: pa.Array, first: Integers) -> tuple[Positions, Integers]:
        """Those who are on the tape, in order of their positions."""
        positions = pc.index_in(customers, value_set=self.roster(bucket)).fill_null(-1)
        place = positions.to_numpy(zero_copy_only=False).astype(np.int64)
        order = np.argsort(place)
        order = order[place[order] >= 0]
        return place[order], first[order]

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
        column = arrow_of(value, type_, self.tapes.texts.texts).cast(pa.string())
        return pc.utf8_rtrim(pc.utf8_rtrim(column, "0"), ".") if type_ == "number" else column


def _unseen(done: int, whole: int) -> None:
    """Nobody looks."""


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

    def is_list_trait(path: Path) -> bool:
        return any(is_list for _, is_list in known.traits.get(path, ()))

    return Schema(property_types, trait_types, is_list_trait)


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
