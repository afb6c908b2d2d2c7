"""A source's `select`, over its own rows and nothing else: no files, no network, no settings, no second statement."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import duckdb
import pyarrow as pa

from ethogram.ingest.config import Config, Source
from ethogram.model.errors import DataError

MAX_BLOWUP = 100
"""Rows that a select may return for each row of the files, beyond the first million."""
TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series", "generate_subscripts"})
_BATCH = 1 << 17


def run_select(config: Config, source: Source, files: pa.Table) -> pa.Table:
    """What `source.select` returns for the view `files`.

    Raises DataError E_SELECT for what is refused or does not run, E_SELECT_LIMIT at a limit of time, memory or rows.
    """
    query = _Query(config, source)
    connection = duckdb.connect(":memory:", config={"memory_limit": config.limits.memory})
    try:
        connection.register("files", files)
        _lock(connection, source.timezone or config.settings.timezone)
        query.check(connection)
        return query.run(connection, max(1_000_000, MAX_BLOWUP * files.num_rows))
    finally:
        connection.close()


def _lock(connection: duckdb.DuckDBPyConnection, timezone: str) -> None:
    """Takes from the connection everything that reaches beyond its own memory; nothing can be set back."""
    quoted = timezone.replace("'", "''")
    for setting in (
        "threads=1",  # the order inside list() must not depend on chance
        f"TimeZone='{quoted}'",
        "preserve_insertion_order=true",
        "temp_directory=''",
        "max_temp_directory_size='0B'",
        "autoinstall_known_extensions=false",
        "autoload_known_extensions=false",
        "allow_community_extensions=false",
        "python_enable_replacements=false",
        "enable_external_access=false",
        "lock_configuration=true",
    ):
        connection.execute(f"SET {setting}").fetchall()


class _Query:
    def __init__(self, config: Config, source: Source) -> None:
        self.config = config
        self.source = source
        self.text = source.select

    def refuse(self, message: str, *, code: str = "E_SELECT", hint: str = "") -> DataError:
        span = self.config.place("sources", self.source.name, "select")
        return DataError(code, f"source {self.source.name}: {message}", span=span, field="select", hint=hint)

    def check(self, connection: duckdb.DuckDBPyConnection) -> None:
        """One statement, a select, that reads `files` and itself."""
        try:
            statements = connection.extract_statements(self.text)
        except duckdb.Error as error:
            raise self.refuse(_said(error)) from None
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise self.refuse(
                "a select is one SELECT statement", hint="leave out everything else, and the semicolon"
            )
        found = connection.execute("SELECT json_serialize_sql(?)", [self.text]).fetchall()
        tree = cast("dict[str, object]", json.loads(found[0][0]))
        if tree.get("error"):
            raise self.refuse(str(tree.get("error_message", "it cannot be read")))
        names = {name.lower() for name in _common_tables(tree)}
        for node in _nodes(tree):
            self.check_node(node, names)

    def check_node(self, node: Mapping[str, object], known: set[str]) -> None:
        if node.get("type") == "BASE_TABLE":
            name = str(node.get("table_name", "") or _last(node.get("qualified_name")))
            if name.lower() != "files" and name.lower() not in known:
                raise self.refuse(
                    f"{name!a} is not to be read from here",
                    hint="`files` holds the rows of the source's files",
                )
        if node.get("type") == "TABLE_FUNCTION":
            call = cast("Mapping[str, object]", node.get("function") or {})
            name = str(call.get("function_name", ""))
            if name.lower() not in TABLE_FUNCTIONS:
                raise self.refuse(
                    f"the table function {name!a} is not for selects",
                    hint=f"these are: {', '.join(sorted(TABLE_FUNCTIONS))}",
                )

    def run(self, connection: duckdb.DuckDBPyConnection, most: int) -> pa.Table:
        late = threading.Event()

        def stop() -> None:
            late.set()
            connection.interrupt()

        timer = threading.Timer(self.config.limits.select_seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            reader = connection.sql(self.text).to_arrow_reader(_BATCH)
            table = self.collect(reader, most)
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            if late.is_set():
                raise self.refuse(
                    f"the select ran longer than {self.config.limits.select_seconds:g} seconds",
                    code="E_SELECT_LIMIT",
                    hint="[limits] select_seconds allows more",
                ) from None
            if isinstance(error, duckdb.OutOfMemoryException):
                raise self.refuse(
                    f"the select needs more than {self.config.limits.memory} of memory",
                    code="E_SELECT_LIMIT",
                    hint="[limits] memory allows more",
                ) from None
            raise self.refuse(_said(error), hint=self.columns_hint(connection, str(error))) from None
        finally:
            timer.cancel()
        return table

    def collect(self, reader: pa.RecordBatchReader, most: int) -> pa.Table:
        batches: list[pa.RecordBatch] = []
        count = 0
        for batch in reader:
            count += batch.num_rows
            if count > most:
                raise self.refuse(
                    f"the select returns more than {most:,} rows for its files", code="E_SELECT_LIMIT"
                )
            batches.append(batch)
        names = reader.schema.names
        for name in names:
            if names.count(name) > 1:
                raise self.refuse(f"two columns are called {name}", hint="give each a name with `as`")
        return pa.Table.from_batches(batches, reader.schema)

    def columns_hint(self, connection: duckdb.DuckDBPyConnection, said: str) -> str:
        if "Binder" not in said and "not found" not in said:
            return ""
        columns = connection.execute("DESCRIBE files").fetchall()
        return "columns of files: " + ", ".join(f"{name} ({str(kind).lower()})" for name, kind, *_ in columns)


def _said(error: Exception) -> str:
    """The first line; values of rows, which only failing conversions quote, are left out."""
    line = str(error).splitlines()[0]
    if isinstance(
        error, duckdb.ConversionException | duckdb.InvalidInputException | duckdb.OutOfRangeException
    ):
        line = re.sub(r"(['\"]).*\1", "'…'", line)
    return line[:300]


def _last(qualified: object) -> str:
    path = qualified.get("path") if isinstance(qualified, Mapping) else None
    return str(path[-1]) if isinstance(path, Sequence) and path else ""


def _nodes(tree: object) -> Iterator[Mapping[str, object]]:
    waiting = [tree]
    while waiting:
        at = waiting.pop()
        if isinstance(at, Mapping):
            yield at
            waiting.extend(at.values())
        elif isinstance(at, list):
            waiting.extend(at)


def _common_tables(tree: object) -> Iterator[str]:
    for node in _nodes(tree):
        tables = node.get("cte_map")
        if isinstance(tables, Mapping):
            for entry in cast("list[Mapping[str, object]]", tables.get("map") or []):
                yield str(entry.get("key", ""))
