"""Mappings: what a row's columns mean, and counts that add up."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ethogram.ingest.config import read_config
from ethogram.ingest.load import LoadReport, load
from ethogram.model.errors import DataError
from ethogram.model.event import Event
from ethogram.store.store import Store

History = dict[str, tuple[Event, ...]]


def bring(folder: Path, toml: str, **files: str | bytes) -> tuple[tuple[LoadReport, ...], History]:
    """Loads all sources; `data__csv` is the file data.csv."""
    (folder / "ethogram.toml").write_text(toml, encoding="utf-8")
    for name, content in files.items():
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / name.replace("__", ".")).write_bytes(raw)
    with Store.open(folder, create=True) as store:
        reports = load(store, read_config(folder))
        for report in reports:
            assert report.rows == report.accepted + report.duplicates + report.rejected
        with store.snapshot() as snapshot:
            names = {
                name
                for file in snapshot.files
                for name in store.read(file, ["customer"])["customer"].to_pylist()
            }
            return reports, store.histories(sorted(names), snapshot)


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000_000)


def test_columns_of_the_right_names_need_no_mapping(tmp_path: Path) -> None:
    text = "customer,event,time,total,traits.plan,account\nu1,Bought,2024-07-01 10:00,9.99,pro,acme\n"
    _, found = bring(tmp_path, 'timezone = "Europe/London"\n[sources.e]\nfiles = "e.csv"\n', e__csv=text)
    (event,) = found["u1"]
    assert (event.name, event.properties, event.traits) == (
        "Bought",
        {"total": Decimal("9.99")},
        {"plan": "pro"},
    )
    assert event.time == moment("2024-07-01T09:00")


def test_event_is_a_column_if_there_is_one_and_a_constant_else(tmp_path: Path) -> None:
    text = "who,Type,at\nu1,Seen,2024-01-01\n"
    base = '[sources.e]\nfiles = "e.csv"\ncustomer = "who"\ntime = "at"\nproperties = {}\n'
    for number, (said, expected) in enumerate(
        [
            ('"Type"', "Seen"),
            ('"Order Completed"', "Order Completed"),
            ('{ column = "Type" }', "Seen"),
            ('{ constant = "Type" }', "Type"),
        ]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        _, found = bring(folder, base + f"event = {said}\n", e__csv=text)
        assert found["u1"][0].name == expected


@pytest.mark.parametrize(
    ("setting", "place", "said"),
    [
        ('customer = "whoo"', "ethogram.toml:3:1", "did you mean who?"),
        ('customer = "who"\nevent = { column = "Typ" }', "ethogram.toml:4:1", "did you mean Type?"),
        (
            'customer = "who"\nevent = "Type"\nproperties = { a = "nope" }',
            "ethogram.toml:5:16",
            "columns: who, Type, at",
        ),
        ('customer = "who"', "ethogram.toml:1:1", "does not say event"),
    ],
)
def test_a_column_that_is_not_there_names_the_setting(
    tmp_path: Path, setting: str, place: str, said: str
) -> None:
    toml = f'[sources.e]\nfiles = "e.csv"\n{setting}\ntime = "at"\n'
    with pytest.raises(DataError) as caught:
        bring(tmp_path, toml, e__csv="who,Type,at\nu1,Seen,2024-01-01\n")
    assert caught.value.code == "E_COLUMN_MISSING"
    assert caught.value.place == place
    assert said in str(caught.value)


def test_globs_gzip_and_types_decided_over_all_files(tmp_path: Path) -> None:
    toml = '[sources.e]\nfiles = "e*.csv*"\ncustomer = "who"\ntime = "at"\nevent = "Seen"\nproperties = { code = "code" }\n'
    one, two = "who,code,at\nu1,12,2024-01-01\n", gzip.compress(b"who,code,at\nu2,A1,2024-01-01\n")
    (report,), found = bring(tmp_path, toml, e1__csv=one, **{"e2__csv__gz": two})
    assert (report.files, report.read, report.accepted) == (("e1.csv", "e2.csv.gz"), 2, 2)
    assert found["u1"][0].properties == {"code": "12"}


def test_ids_that_became_floats_are_printed_without_them(tmp_path: Path) -> None:
    toml = '[sources.e]\nfiles = "e.csv"\ncustomer = "who"\ntime = "at"\nevent = "Seen"\n'
    _, found = bring(tmp_path, toml, e__csv="who,at\n17850.0,2024-01-01\n,2024-01-01\n13047.0,2024-01-02\n")
    assert sorted(found) == ["13047", "17850"]


def test_anonymous_rows_are_not_identified(tmp_path: Path) -> None:
    toml = (
        '[sources.e]\nfiles = "e.csv"\ncustomer = "user"\nanonymous = "device"\ntime = "at"\nevent = "Seen"\n'
    )
    (report,), found = bring(
        tmp_path, toml, e__csv="user,device,at\nu1,d1,2024-01-01\n,d2,2024-01-01\n,,2024-01-01\n"
    )
    assert (report.accepted, report.rejected) == (2, 1)
    assert [found[name][0].identified for name in ("u1", "d2")] == [True, False]


def test_facts_about_people_are_identify_records(tmp_path: Path) -> None:
    toml = (
        'timezone = "Asia/Tokyo"\n[sources.people]\nfiles = "p.csv"\nkind = "identify"\ncustomer = "who"\ntime = "1990-01-01"\n'
        'properties = {}\ntraits = { age = "age" }\n'
    )
    _, found = bring(tmp_path, toml, p__csv="who,age\nu1,30\n")
    assert [(event.kind, event.name, event.traits) for event in found["u1"]] == [
        ("identify", "", {"age": Decimal(30)})
    ]


def test_a_select_makes_events_of_lines(tmp_path: Path) -> None:
    toml = '''
timezone = "America/New_York"
[sources.orders]
files = "e.csv"
select = """
  select who as customer, no as message_id, 'Order Completed' as event, min(made) as time, sum(n * price) as total,
         list({sku: sku, n: n}) as products
  from files group by who, no
"""
'''
    text = "who,no,sku,n,price,made\nu1,1,a,2,0.1,2024-07-01 10:00\nu1,1,b,1,0.1,2024-07-01 10:01\nu2,2,a,3,1,2024-07-01 10:00\n"
    (report,), found = bring(tmp_path, toml, e__csv=text)
    assert report.source == "orders"
    (event,) = found["u1"]
    assert event.properties["total"] == Decimal("0.3")
    assert event.properties["products"] == ({"sku": "a", "n": Decimal(2)}, {"sku": "b", "n": Decimal(1)})
    assert event.time == moment("2024-07-01T14:00")


def test_another_mapping_of_rows_that_are_there_adds_nothing_and_says_so(tmp_path: Path) -> None:
    base = '[sources.e]\nfiles = "e.csv"\ncustomer = "who"\ntime = "at"\nevent = "Seen"\n'
    bring(tmp_path, base + "properties = {}\n", e__csv="who,n,at\nu1,1,2024-01-01\n")
    (report,), found = bring(tmp_path, base + 'properties = { n = "n" }\n')
    assert (report.accepted, report.duplicates, report.rejected) == (0, 1, 0)
    assert "earlier version" in report.notes[0]
    assert len(found["u1"]) == 1


def test_sources_are_loaded_by_name_and_progress_is_told(tmp_path: Path) -> None:
    toml = '[sources.a]\nfiles = "e.csv"\n[sources.b]\nfiles = "e.csv"\n'
    (tmp_path / "ethogram.toml").write_text(toml)
    (tmp_path / "e.csv").write_text("customer,event,time\nu1,Seen,2024-01-01\n")
    told: list[tuple[str, str, float]] = []
    with Store.open(tmp_path, create=True) as store:
        (report,) = load(store, read_config(tmp_path), ["b"], lambda *said: told.append(said))
        with pytest.raises(DataError, match="no source c"):
            load(store, read_config(tmp_path), ["c"])
    assert json.loads(json.dumps(report.as_json()))["source"] == "b"
    assert [source for source, _, _ in told] == ["b"] * len(told)
    assert [share for *_, share in told] == sorted(share for *_, share in told)
    assert told[-1][1:] == ("done", 1.0)


def test_other_delimiters_and_encodings(tmp_path: Path) -> None:
    toml = '[sources.e]\nfiles = "e.csv"\nencoding = "cp1252"\ndecimal = ","\ncustomer = "who"\ntime = "at"\nevent = "Seen"\n'
    _, found = bring(tmp_path, toml, e__csv="who;n;at\nJürgen;1.234,5;2024-01-01\n".encode("cp1252"))
    assert found["Jürgen"][0].properties == {"n": Decimal("1234.5")}
