"""A select reaches its files' rows and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from ethogram.ingest.config import Config, Limits, parse_config
from ethogram.ingest.select import run_select
from ethogram.model.errors import DataError

FILES = pa.table({"who": ["u1", "u2"], "amount": [1, 2]})


def config(tmp_path: Path) -> Config:
    text = '[sources.e]\nfiles = "e.csv"\nselect = "select 1"\n[limits]\nselect_seconds = 1.5\nmemory = "256MB"\n'
    return parse_config(text, tmp_path)


def run(tmp_path: Path, query: str) -> pa.Table:
    project = config(tmp_path)
    return run_select(project, replace(project.sources["e"], select=query), FILES)


@pytest.mark.parametrize(
    "query",
    [
        "select 1; drop table files",
        "select 1; select 2",
        "drop table files",
        "create table t as select 1",
        "insert into files values ('x', 1)",
        "copy files to '{folder}/out.csv'",
        "export database '{folder}/out'",
        "attach '{folder}/x.db'",
        "install httpfs",
        "load httpfs",
        "pragma database_list",
        "set enable_external_access = true",
        "reset lock_configuration",
        "call duckdb_settings()",
        "select * from read_text('/etc/passwd')",
        "select * from read_csv('/etc/passwd')",
        "select * from read_parquet('{folder}/x.parquet')",
        "select * from sniff_csv('/etc/passwd')",
        "select * from glob('/etc/*')",
        "select * from '/etc/passwd'",
        "select * from 'https://example.com/x.csv'",
        "select * from query('select * from read_text(''/etc/passwd'')')",
        "select * from query_table('files')",
        "select (select max(content) from read_text('/etc/passwd'))",
        "with t as (select * from read_text('/etc/passwd')) select * from t",
        "select * from duckdb_settings()",
        "select * from duckdb_secrets()",
        "select * from information_schema.tables",
        "select * from sqlite_master",
        "select * from FILES_secret",
        "select getenv('HOME')",
        "from secret_variable",
        "select 1 as a, 2 as a",
        "select nothing from files",
        "not sql at all",
        "",
    ],
)
def test_d03_refused(tmp_path: Path, query: str) -> None:
    secret_variable = pa.table({"x": [1]})
    assert secret_variable.num_rows
    with pytest.raises(DataError) as caught:
        run(tmp_path, query.replace("{folder}", str(tmp_path)) or " ")
    assert caught.value.code == "E_SELECT"
    assert caught.value.place.startswith("ethogram.toml:3:")
    assert "root:" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "query",
    [
        "select * from range(1000000000000)",
        "select count(*) from range(1000000000000) a, range(1000000000) b",
        "with recursive t(n) as (select 1 union all select n + 1 from t) select max(n) from t",
        "select list(range) from range(1000000000)",
    ],
)
def test_d03_killed_at_a_limit(tmp_path: Path, query: str) -> None:
    with pytest.raises(DataError) as caught:
        run(tmp_path, query)
    assert caught.value.code in ("E_SELECT_LIMIT", "E_SELECT")


def test_d03_ordinary_selects_run(tmp_path: Path) -> None:
    for query in (
        "select who, amount from files",
        "select who, sum(amount) as total from files group by all order by who",
        "with big as (select * from files where amount > 1) select * from big",
        "from files",
        "select who, unnest(range(2)) as n from files",
        'select who from "files" f join (select 1 as one) on true;',
        "select who from files union all select who from files",
    ):
        assert run(tmp_path, query).num_rows > 0


def test_d03_an_error_names_the_columns_and_no_values(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="columns of files: who \\(varchar\\), amount"):
        run(tmp_path, "select ammount from files")
    with pytest.raises(DataError) as caught:
        run(tmp_path, "select who::integer from files")
    assert "u1" not in caught.value.message


def test_the_order_inside_a_list_does_not_depend_on_chance(tmp_path: Path) -> None:
    project = replace(config(tmp_path), limits=Limits())
    source = replace(project.sources["e"], select="select k, list(v) as vs from files group by k")
    files = pa.table({"k": [n % 7 for n in range(300_000)], "v": list(range(300_000))})
    for row in run_select(project, source, files).to_pylist():
        assert row["vs"] == sorted(row["vs"])
