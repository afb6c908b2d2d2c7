"""Tapes that new events are added to are those that an encoding of all events gives."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ethogram.engines import moving, opening, taking, tapeset
from ethogram.engines.engine import Engine
from ethogram.engines.opening import open_tapes
from ethogram.engines.spec import Needs, Seen, seen
from ethogram.engines.tapeset import TapeSet
from ethogram.kernel.layout import NEVER, NULL
from ethogram.language.functions import FUNCTIONS
from ethogram.model.errors import DataError, Unsupported
from ethogram.model.event import Event
from ethogram.model.settings import Settings
from ethogram.store import Store
from ethogram.store.persons import OWNED
from tests.laws.definition_sets import definition_sets, definitions_with
from tests.laws.histories import vocabulary, worlds
from tests.parity.kernel_world import add, engine_of, kernel_answers, kernel_moves, stored

FACTOR = float(os.environ.get("ETHOGRAM_LAW_FACTOR", "1"))
AVAILABLE = [name for name, signature in FUNCTIONS.items() if not signature.refused]
DAY = 86_400_000_000
Histories = Mapping[str, Sequence[Event]]
Content = dict[str, tuple[object, ...]]

# --- answers ------------------------------------------------------------------------------------------------------------


@settings(max_examples=max(1, int(40 * FACTOR)), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_answers_and_moves_are_those_of_an_encoding_anew(data: st.DataObject) -> None:
    definitions = data.draw(
        st.one_of(definition_sets(size=2), st.sampled_from(AVAILABLE).flatmap(definitions_with))
    )
    case = data.draw(worlds(definitions))
    chance = data.draw(st.randoms(use_true_random=False))
    with pytest.MonkeyPatch.context() as patch, stored(_everything(case.world.histories)) as store:
        patch.setattr(taking, "SPARE", data.draw(st.sampled_from([0, 4096])))
        patch.setattr(tapeset, "MOVING", data.draw(st.sampled_from([1, 8])))
        try:
            engine = engine_of(store, case.world)
            for batch in _batches(case.world.histories, 3, chance):
                add(store, batch)
                engine = engine_of(store, case.world)
        except Unsupported:
            return
        found = _said(engine, case.as_of)
        shutil.rmtree(store.folder / "tapes")
        assert found == _said(engine_of(store, case.world), case.as_of)


def _everything(histories: Histories) -> Histories:
    """Somebody did all of it before, so that no kind of value is new."""
    every = [event for events in histories.values() for event in events]
    return {"first of all": [replace(event, message_id=f"z{number}") for number, event in enumerate(every)]}


def _batches(histories: Histories, count: int, chance: random.Random) -> Iterator[Histories]:
    drawn = {customer: [chance.randrange(count) for _ in events] for customer, events in histories.items()}
    for number in range(count):
        yield {
            customer: [event for event, batch in zip(events, drawn[customer], strict=True) if batch == number]
            for customer, events in histories.items()
        }


def _said(engine: Engine, as_of: int) -> object:
    try:
        return kernel_answers(engine, as_of), kernel_moves(engine, as_of - 40 * DAY, as_of)
    except DataError as overflow:
        return overflow.code


# --- what is on the tapes -----------------------------------------------------------------------------------------------


def _shop(store: Store) -> tuple[Needs, Seen]:
    """Every column of everything, with items and given traits."""
    known = seen(store.properties(), store.traits())
    columns = frozenset(key for path in known.properties for key in known.keys(path))
    return Needs(None, columns, frozenset({("Order", ("items",))}), frozenset(known.traits)), known


def _opened(store: Store) -> TapeSet:
    needs, known = _shop(store)
    with store.snapshot() as snapshot:
        return open_tapes(store, snapshot, needs, known)


def _content(tapes: TapeSet) -> Content:
    """By customer, without numbers that depend on the order of encoding."""
    found: Content = {}
    for bucket in tapes.buckets:
        arrays, roster = tapes.arrays(bucket), tapes.roster(bucket)
        for position, customer in enumerate(roster.to_pylist()):
            spans, given_spans = arrays["spans"][position], arrays["given_spans"][position]
            rows = [_row(tapes, arrays, row) for row in range(*spans)]
            givens = [
                (int(time), str(tapes.traits[trait]), _value(tapes, tapes.traits[trait].type, value))
                for time, trait, value in arrays["given"][slice(*given_spans)].tolist()
            ]
            found[customer] = (rows, givens, arrays["births"][position].tolist())
    return found


def _row(tapes: TapeSet, arrays: tapeset.Arrays, row: int) -> tuple[object, ...]:
    code = tapes.codes[arrays["code"][row]]
    flat = {
        str(key): _value(tapes, key.type, arrays["flat"][index, row]) for index, key in enumerate(tapes.flat)
    }
    for key, number in zip(tapes.coded, code[1:], strict=True):
        flat[str(key)] = _value(tapes, key.type, number)
    lists = {
        str(key): [
            _value(tapes, key.type, value)
            for value in arrays["ragged_value"][slice(*arrays["ragged_offset"][index, row : row + 2])]
        ]
        for index, key in enumerate(tapes.ragged)
    }
    return int(arrays["time"][row]), tapes.names.known[code[0]], flat, lists


def _value(tapes: TapeSet, type_: str, value: int) -> object:
    return None if value == NULL else tapes.texts.texts[value] if type_ == "t" else int(value)


def _random_event(chance: random.Random, number: int) -> Event:
    """Few moments, so that many are shared; ids in no order."""
    kind = chance.choice(["track", "track", "track", "identify"])
    items = tuple(
        {"price": Decimal(chance.randrange(9)), "name": chance.choice("abc")}
        for _ in range(chance.randrange(3))
    )
    properties = {
        "total": chance.choice([Decimal(number), "much"]),
        "tags": tuple(chance.choices("xyz", k=chance.randrange(3))),
        "items": items,
    }
    traits = {"plan": chance.choice(["free", "paid", Decimal(3), None])}
    return Event(
        time=chance.randrange(12) * DAY,
        name="" if kind == "identify" else chance.choice(["Order", "View"]),
        message_id=f"{chance.randrange(10**6)}-{number}",
        kind=kind,  # type: ignore[arg-type]
        properties={} if kind == "identify" else properties,
        traits=traits if kind == "identify" else {},
        identified=chance.random() < 0.7,
    )


def _many(chance: random.Random) -> dict[str, list[Event]]:
    return {
        f"c{customer}": [_random_event(chance, number) for number in range(chance.randrange(1, 25))]
        for customer in range(25)
    }


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path, create=True, buckets=3) as store:
        yield store


@pytest.mark.parametrize("seed", range(6))
def test_tapes_hold_what_an_encoding_anew_holds(
    store: Store, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(taking, "SPARE", [0, 40, 4096][seed % 3])
    monkeypatch.setattr(tapeset, "MOVING", [1, 8][seed // 3])
    if seed % 2:
        monkeypatch.setattr(taking, "AT_ONCE", 1)
    histories = _many(chance)
    add(store, _everything(histories))
    before = store.sequence
    for number, batch in enumerate(_batches(histories, 8, chance)):
        add(store, batch)
        if number % 3 == 1:
            add(store, {f"new {number}": [_random_event(chance, number)]})
        if number == 5:
            store.compact(min_files=2)
        tapes = _opened(store)
        found = _content(tapes)
        assert found == _content(_opened(store))
        touched = _touched(store, tapes, before)
        shutil.move(store.folder / "tapes", store.project / "aside")
        assert found == _content(_opened(store))
        shutil.rmtree(store.folder / "tapes")
        shutil.move(store.project / "aside", store.folder / "tapes")
        assert touched == _arrived(store, before)
        before = store.sequence if number != 3 else before


def _touched(store: Store, tapes: TapeSet, sequence: int) -> dict[str, int]:
    engine = Engine(store, vocabulary(), Settings(), names=())
    engine.tapes = tapes
    return {
        tapes.roster(bucket)[int(position)].as_py(): int(time)
        for bucket, (positions, times) in engine.touched(sequence).items()
        for position, time in zip(positions, times, strict=True)
    }


def _arrived(store: Store, sequence: int) -> dict[str, int]:
    found: dict[str, int] = {}
    with store.snapshot() as snapshot:
        for file in (file for file in snapshot.files if file.sequence > sequence):
            table = store.read(file, ["customer", "time"])
            times = table["time"].cast("int64").to_pylist()
            for customer, time in zip(table["customer"].to_pylist(), times, strict=True):
                found[customer] = min(time, found.get(customer, time))
    return found


def test_few_events_leave_the_tapes_files_where_they_are(store: Store) -> None:
    chance = random.Random(1)
    histories = _many(chance)
    add(store, _everything(histories))
    add(store, histories)
    before = {bucket: kept.names["tape"] for bucket, kept in _opened(store).buckets.items()}
    add(store, {"c3": [_random_event(chance, 99)], "somebody": [_random_event(chance, 1)]})
    tapes = _opened(store)
    assert {bucket: kept.names["tape"] for bucket, kept in tapes.buckets.items()} == before
    assert _opened(store).version == tapes.version


@pytest.mark.parametrize("many", [1, 1_000])
def test_what_is_open_stays_as_it_was(store: Store, many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tapeset, "MOVING", many)
    chance = random.Random(2)
    histories = _many(chance)
    add(store, _everything(histories))
    first, *later = _batches(histories, 4, chance)
    add(store, first)
    tapes = _opened(store)
    found = _content(tapes)
    for batch in later:
        add(store, batch)
        _opened(store)
    assert _content(tapes) == found


# --- persons ------------------------------------------------------------------------------------------------------------


def _become(store: Store, chance: random.Random, ids: Sequence[str]) -> None:
    """Some ids are from now on others', some of those only until a moment, and some who were are no more."""
    people = chance.sample(ids, 6)
    before = store.persons.owned(store.sequence).to_pylist()
    kept = {row["customer"]: row for row in before if chance.random() < 0.7 and row["owner"] not in people}
    taken = {row["owner"] for row in kept.values()}
    for name in people[2:]:
        if name not in taken and name not in kept:
            until = chance.choice([None, None, chance.randrange(12) * DAY])
            kept[name] = {"customer": name, "owner": chance.choice(people[:2]), "until": until}
    kept = {name: row for name, row in kept.items() if row["owner"] not in kept}
    with store.writing("persons") as tx:
        tx.links.settle(None, pa.Table.from_pylist(list(kept.values()), schema=OWNED))


@pytest.mark.parametrize(
    "seed", [0, 1, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 8))]
)
def test_tapes_are_those_of_persons(store: Store, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events at few moments, so that ids that become one have ties."""
    chance = random.Random(seed)
    monkeypatch.setattr(taking, "SPARE", [0, 40, 4096][seed % 3])
    monkeypatch.setattr(opening, "MANY_MOVED", [0, 3, 8][seed % 3])
    if seed % 2:
        monkeypatch.setattr(moving, "AT_ONCE", 1)
        monkeypatch.setattr(taking, "AT_ONCE", 1)
    histories = _many(chance)
    add(store, _everything(histories))
    for number, batch in enumerate(_batches(histories, 8, chance)):
        before = store.sequence
        for work in chance.sample([0, 1], 2):
            if work:
                add(store, batch)
            else:
                _become(store, chance, [*histories, "nobody yet"])
            if chance.random() < 0.3:
                _opened(store)
        if number == 5:
            store.compact(min_files=2)
        tapes = _opened(store)
        found = _content(tapes)
        with store.snapshot() as snapshot:
            told = store.histories(list(found), snapshot)
        for name, (rows, _, births) in found.items():
            events = told.get(name, ())
            assert births[0] == (events[0].time if events else NEVER)
            assert [row[0] for row in rows if not row[1][1]] == [
                event.time for event in events if event.kind == "track"
            ]
        moved = store.persons.moved(before, store.sequence)
        touched = _touched(store, tapes, before)
        assert {name for name, time in touched.items() if time == -NEVER} == {*moved} & {*found}
        shutil.move(store.folder / "tapes", store.project / "aside")
        anew = _content(_opened(store))
        assert _born(found) == anew
        shutil.rmtree(store.folder / "tapes")
        shutil.move(store.project / "aside", store.folder / "tapes")


# --- faults -------------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """What `kill -9` leaves: nothing after it is done."""


def _dying_at(patch: pytest.MonkeyPatch, number: int) -> Callable[[], int]:
    """The n-th write, or naming of a file, is the last; a write is half done."""
    passed = 0

    def dying(owner: object, name: str, half: Callable[..., object] | None = None) -> None:
        whole = getattr(owner, name)

        def one(*arguments: object, **named: object) -> object:
            nonlocal passed
            passed += 1
            if passed == number:
                if half:
                    half(*arguments)
                raise Killed
            return whole(*arguments, **named)

        patch.setattr(owner, name, one)

    write = os.pwrite
    dying(os, "pwrite", lambda descriptor, data, at: write(descriptor, data[: len(data) // 2], at))
    dying(np, "save")
    dying(Path, "replace")
    dying(Path, "unlink")
    return lambda: passed


@pytest.mark.parametrize("are_merged", [False, True])
def test_killed_while_events_are_taken_in(
    store: Store, are_merged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "SPARE", 8)
    monkeypatch.setattr(opening, "MANY_MOVED", 3)
    chance = random.Random(5)
    histories = _many(chance)
    add(store, _everything(histories))
    first, second, third = _batches(histories, 3, chance)
    add(store, first)
    before = _content(_opened(store))
    add(store, second)
    if are_merged:
        _become(store, chance, list(histories))
    tapes = store.folder / "tapes"
    shutil.copytree(tapes, store.project / "aside")
    after = _content(_opened(store))
    passed, number = 1, 0
    while passed >= number:
        number += 1
        shutil.rmtree(tapes)
        shutil.copytree(store.project / "aside", tapes)
        with pytest.MonkeyPatch.context() as patch:
            count = _dying_at(patch, number)
            with suppress(Killed):
                _opened(store)
            passed = count()
        state = tapeset.load(tapes)
        assert state is not None
        assert _content(state) in (before, after)
        assert _content(_opened(store)) == after
    assert number > 20
    add(store, third)
    assert _born(_content(_opened(store))) == _born(_content(_anew(store)))


def _born(content: Content) -> Content:
    """Without those who became somebody else."""
    return {name: one for name, one in content.items() if one[2][0] != NEVER}  # type: ignore[index]


def _anew(store: Store) -> TapeSet:
    shutil.rmtree(store.folder / "tapes")
    return _opened(store)


def test_after_a_restart_of_the_machine_what_was_not_synced_is_made_anew(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tapeset, "boot_id", lambda: "one")
    histories = _many(random.Random(3))
    add(store, _everything(histories))
    first, second = _batches(histories, 2, random.Random(4))
    add(store, first)
    generation = _opened(store).generation
    monkeypatch.setattr(tapeset, "boot_id", lambda: "two")
    assert _opened(store).generation == generation
    add(store, second)
    found = _content(_opened(store))
    monkeypatch.setattr(tapeset, "boot_id", lambda: "three")
    assert tapeset.load(store.folder / "tapes") is None
    tapes = _opened(store)
    assert tapes.generation != generation
    assert _content(tapes) == found


@pytest.mark.parametrize("kind", ["tape", "spans", "people", "codes", "texts"])
def test_damaged_files_are_made_anew(store: Store, kind: str) -> None:
    histories = _many(random.Random(3))
    add(store, histories)
    found = _content(_opened(store))
    for path in (store.folder / "tapes").glob(f"*.{kind}"):
        os.truncate(path, 20)
    assert _content(_opened(store)) == found


def test_rows_that_went_are_no_longer_there(store: Store) -> None:
    histories = _many(random.Random(6))
    add(store, _everything(histories))
    add(store, histories)
    _opened(store)
    with store.snapshot() as snapshot, store.writing("erasure") as writing:
        writing.retire([file for file in snapshot.files if file.sequence == snapshot.sequence])
    tapes = _opened(store)
    held = {customer: rows for customer, (rows, givens, _) in _content(tapes).items() if rows or givens}
    assert held.keys() == {"first of all"}


def test_two_customers_with_one_hash_are_told_apart(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from ethogram.engines import rosters

    monkeypatch.setattr(rosters, "hashes_of", lambda customers: np.zeros(len(customers), np.uint64))
    chance = random.Random(7)
    histories = _many(chance)
    add(store, _everything(histories))
    for batch in _batches(histories, 3, chance):
        add(store, batch)
        found = _content(_opened(store))
    assert found == _content(_anew(store))


def test_several_who_take_events_in_at_once_wait_for_each_other(store: Store) -> None:
    chance = random.Random(8)
    histories = _many(chance)
    add(store, _everything(histories))
    _opened(store)
    add(store, histories)

    def one(_: int) -> tuple[int, Content]:
        with Store.open(store.project) as own:
            tapes = _opened(own)
            return tapes.version, _content(tapes)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(one, range(4)))
    assert {version for version, _ in found} == {2}
    assert all(content == found[0][1] for _, content in found)
    assert found[0][1] == _content(_anew(store))
