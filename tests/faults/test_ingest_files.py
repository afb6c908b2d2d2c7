"""Files that are not what they should be."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import ingest_world as world
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ethogram.ingest.config import read_config
from ethogram.ingest.paths import SourceFile, opened
from ethogram.model.errors import DataError, EthogramError
from ethogram.store.store import Store

SHAPE = world.SHAPE


def csv_project(tmp_path: Path, content: bytes, *, file: str = "events.csv", more: str = "") -> Path:
    return world.write(tmp_path, SHAPE.format(file=file) + more, {file: content})


def parquet(table: pa.Table, **options: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def test_c01_every_broken_line_is_told_and_the_others_load(tmp_path: Path) -> None:
    content = (
        b"who,amount,at\n"
        b"u1,10.5,2024-01-01 10:00:00\n"
        b'u2,"abc,2024-01-01\n'
        b"u3,abc,2024-01-01\n"
        b"u4,5\n"
        b"u\xff,5,2024-01-01\n"
        b"u6,5,2024-01-01,x\n"
        b"u7,6,2024-01-02\n"
    )
    project = csv_project(tmp_path, content)
    report = world.load_all(project)
    assert (report.read, report.accepted, report.unreadable + report.rejected) == (7, 2, 5)
    assert world.codes(project) == [
        "E_CSV events.csv:3:2 amount",
        "E_CSV events.csv:4:2 amount",
        "E_CSV events.csv:5:3 at",
        "E_CSV events.csv:6:1 who",
        "E_CSV events.csv:7:4 ",
    ]
    assert sorted(world.histories(project)) == ["u1", "u7"]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_c01_quotes_delimiters_and_line_breaks_inside_quotes(tmp_path: Path, line_end: bytes) -> None:
    rows = [
        b"who,amount,at,note",
        b'u1,1,2024-01-01,"a, b"',
        b'u2,2,2024-01-01,"two',
        b'lines"',
        b'u3,3,2024-01-01,"say ""hi"""',
    ]
    toml = SHAPE.format(file="events.csv").replace('total = "amount"', 'total = "amount", note = "note"')
    project = world.write(tmp_path, toml, {"events.csv": line_end.join(rows)})
    report = world.load_all(project)
    assert (report.read, report.accepted) == (3, 3)
    notes = {name: events[0].properties["note"] for name, events in world.histories(project).items()}
    assert notes["u1"] == "a, b"
    assert str(notes["u2"]).split() == ["two", "lines"]
    assert notes["u3"] == 'say "hi"'


def test_c01_line_numbers_after_a_quoted_record_of_two_lines(tmp_path: Path) -> None:
    content = b'who,amount,at\n"u\n1",1,2024-01-01\n\nu2,2\n'
    project = csv_project(tmp_path, content)
    assert world.load_all(project).read == 2
    assert world.codes(project) == ["E_CSV events.csv:5:3 at"]


def test_c01_blocks_of_any_size_read_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        f"u{n},{n},2024-01-01{',extra' if n % 97 == 0 else ''}" if n % 5 else f'"u\n{n}",{n},2024-01-01'
        for n in range(2000)
    ]
    content = ("who,amount,at\n" + "\n".join(lines)).encode()
    seen = []
    from ethogram.ingest import csvfile, textfile

    for size in (1 << 20, 1000, 37):
        monkeypatch.setattr(
            csvfile, "text_blocks", lambda snap, enc, size=size: textfile.text_blocks(snap, enc, size)
        )
        folder = tmp_path / str(size)
        csv_project(folder, content)
        report = world.load_all(folder)
        seen.append((report.read, report.accepted, world.codes(folder)))
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][:2] == (2000, 2000 - len(seen[0][2]))


def test_c02_numbers_that_are_none_are_refused_by_row(tmp_path: Path) -> None:
    content = b"who,amount,at\nu1,1.5,2024-01-01\nu2,NaN,2024-01-01\nu3,inf,2024-01-01\nu4,1e999,2024-01-01\nu5,,2024-01-01\n"
    project = csv_project(tmp_path, content)
    report = world.load_all(project)
    assert (report.read, report.accepted, report.unreadable + report.rejected) == (5, 2, 3)
    assert world.codes(project) == [f"E_NUMBER_NONFINITE events.csv:{line}:2 amount" for line in (3, 4, 5)]
    assert world.histories(project)["u5"][0].properties == {}


def test_c02_words_for_missing_can_be_named(tmp_path: Path) -> None:
    content = b"who,amount,at\nu1,1.5,2024-01-01\nu2,NaN,2024-01-01\n"
    project = csv_project(tmp_path, content, more='null = ["NaN"]\n')
    assert world.load_all(project).accepted == 2


def test_c02_parquet_types(tmp_path: Path) -> None:
    table = pa.table(
        {
            "who": ["u1", "u2", "u3", "u4"],
            "amount": [1.5, float("nan"), float("inf"), 2.25],
            "at": pa.array(np.array(["2024-01-01"] * 4, "datetime64[ns]")),
            "nested": [[[1, 2], [3]], None, None, None],
            "exact": pa.array(
                [Decimal("1.0000005000"), None, None, Decimal("9999999999999.0000000000")],
                pa.decimal128(38, 10),
            ),
        }
    )
    toml = SHAPE.format(file="e.parquet").replace('properties = { total = "amount" }', "")
    project = world.write(tmp_path, toml, {"e.parquet": parquet(table, use_deprecated_int96_timestamps=True)})
    report = world.load_all(project)
    assert (report.read, report.accepted, report.rejected) == (4, 1, 3)
    assert world.codes(project) == [
        "E_NUMBER_NONFINITE e.parquet:2:2 amount",
        "E_NUMBER_NONFINITE e.parquet:3:2 amount",
        "E_NUMBER_NONFINITE e.parquet:4:5 exact",
    ]
    properties = world.histories(project)["u1"][0].properties
    assert properties == {"amount": Decimal("1.5"), "nested": ("[1,2]", "[3]"), "exact": Decimal("1")}


def test_c02_a_type_that_cannot_be_a_property_names_its_column(tmp_path: Path) -> None:
    table = pa.table({"who": ["u1"], "at": ["2024-01-01"], "blob": pa.array([b"x"], pa.binary())})
    toml = SHAPE.format(file="e.parquet").replace('properties = { total = "amount" }', "")
    with pytest.raises(DataError) as caught:
        world.load_all(world.write(tmp_path, toml, {"e.parquet": parquet(table)}))
    assert caught.value.code == "E_COLUMN_TYPE"
    assert "blob" in str(caught.value)


GOOD = parquet(pa.table({"who": ["u1"] * 500, "amount": [1.5] * 500, "at": ["2024-01-01"] * 500}))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "E_FILE_EMPTY"),
        (b"PAR1", "E_FILE_UNREADABLE"),
        (b"PAR1PAR1", "E_FILE_UNREADABLE"),
        (GOOD[:-50], "E_FILE_UNREADABLE"),
        (GOOD[: len(GOOD) // 2], "E_FILE_UNREADABLE"),
        (b"who,amount,at\nu1,1,2024-01-01\n", "E_FILE_UNREADABLE"),
    ],
)
def test_c03_broken_parquet_names_the_file_and_loads_nothing(
    tmp_path: Path, content: bytes, code: str
) -> None:
    project = world.write(tmp_path, SHAPE.format(file="e.parquet"), {"e.parquet": content})
    with pytest.raises(EthogramError) as caught:
        world.load_all(project)
    assert (caught.value.code, caught.value.file) == (code, "e.parquet")
    assert world.histories(project) == {}


@pytest.mark.parametrize("file", ["e.csv", "e.jsonl", "e.csv.gz"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        GOOD,
        gzip.compress(b"who,amount,at\nu1,1,2024-01-01\n", mtime=0)[:-12],
        b"\xff\xfew\x00h\x00o\x00",
    ],
)
def test_c03_text_files_that_are_none_name_the_file(tmp_path: Path, file: str, content: bytes) -> None:
    project = world.write(tmp_path, SHAPE.format(file=file), {file: content})
    with pytest.raises(EthogramError) as caught:
        world.load_all(project)
    assert caught.value.code in ("E_FILE_EMPTY", "E_FILE_UNREADABLE", "E_FILE_ENCODING")
    assert caught.value.file == file


def test_c03_a_flipped_bit_never_leaves_a_traceback(tmp_path: Path) -> None:
    generator = np.random.default_rng(7)
    with_checksums = parquet(
        pa.table(
            {
                "who": [f"u{n}" for n in range(500)],
                "amount": [n / 4 for n in range(500)],
                "at": ["2024-01-01"] * 500,
            }
        ),
        write_page_checksum=True,
    )
    for number in range(40):
        content = bytearray(with_checksums)
        place = int(generator.integers(4, len(content) - 8))
        content[place] ^= 1 << int(generator.integers(8))
        project = world.write(
            tmp_path / str(number), SHAPE.format(file="e.parquet"), {"e.parquet": bytes(content)}
        )
        try:
            world.load_all(project)
        except EthogramError as error:
            assert error.code.startswith("E_")


def test_c04_an_absurd_parquet_footer_is_refused_before_reading(tmp_path: Path) -> None:
    table = pa.table({"who": pa.array(["u"] * 1000), "amount": pa.nulls(1000, pa.float64())})
    content = parquet(table)
    forged = _with_rows(content, 1000, 10**12)
    project = world.write(tmp_path, SHAPE.format(file="e.parquet"), {"e.parquet": forged})
    with pytest.raises(EthogramError) as caught:
        world.load_all(project)
    assert caught.value.code == "E_FILE_RESOURCE"
    assert caught.value.file == "e.parquet"


def _with_rows(content: bytes, old: int, new: int) -> bytes:
    """The file with another number of rows in its footer (zigzag varints of Thrift's compact protocol)."""
    length = int.from_bytes(content[-8:-4], "little")
    body, footer = content[: -8 - length], content[-8 - length : -8]
    footer = footer.replace(_varint(old * 2), _varint(new * 2))
    return body + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def _varint(number: int) -> bytes:
    parts = []
    while number >= 128:
        parts.append(number % 128 + 128)
        number //= 128
    return bytes([*parts, number])


def test_c04_a_gzip_bomb_stops_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ethogram.ingest import textfile

    content = gzip.compress(b"who,amount,at\n" + b"u,1,2024-01-01\n" * 600_000, mtime=0)
    monkeypatch.setattr(textfile, "MAX_RATIO", 2)
    monkeypatch.setattr(textfile, "FREE_BYTES", 1 << 16)
    project = csv_project(tmp_path, content, file="e.csv.gz")
    with pytest.raises(DataError) as caught:
        world.load_all(project)
    assert caught.value.code == "E_FILE_RESOURCE"


@pytest.mark.parametrize(
    "files",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "https://example.com/e.csv",
        "/dev/zero",
        "data/../../e.csv",
        "/etc/*.conf",
        "a\\u0000b",
    ],
)
def test_c05_paths_outside_the_project(tmp_path: Path, files: str) -> None:
    project = world.write(tmp_path, SHAPE.format(file=files))
    with pytest.raises(DataError) as caught:
        world.load_all(project)
    assert caught.value.code == "E_PATH_OUTSIDE_ROOT"
    assert caught.value.place.startswith("ethogram.toml:3:")


def test_c05_a_statement_is_only_a_strange_name(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        world.load_all(world.write(tmp_path, SHAPE.format(file="data/*.csv; DROP")))
    assert caught.value.code == "E_NO_FILES"


def test_c05_symlinks_and_fifos(tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("who,amount,at\n")
    project = world.write(tmp_path / "p", SHAPE.format(file="*.csv"))
    (project / "link.csv").symlink_to(outside)
    with pytest.raises(DataError, match="outside"):
        world.load_all(project)
    (project / "link.csv").unlink()
    os.mkfifo(project / "pipe.csv")
    with pytest.raises(DataError) as caught:
        world.load_all(project)
    assert caught.value.code == "E_PATH_OUTSIDE_ROOT"


def test_c05_a_named_root_opens_its_folder_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "e.csv").write_text("who,amount,at\nu1,1,2024-01-01\n")
    toml = f'roots = ["{tmp_path}/exports"]\n' + SHAPE.format(file=f"{tmp_path}/exports/*.csv")
    assert world.load_all(world.write(tmp_path / "p", toml)).accepted == 1


def test_c08_the_same_file_twice_in_any_order_adds_nothing(tmp_path: Path) -> None:
    rows = [f"u{n % 3},{n % 2},2024-01-0{n % 2 + 1}" for n in range(12)]
    project = csv_project(tmp_path, "\n".join(["who,amount,at", *rows]).encode())
    first = world.load_all(project)
    assert (first.accepted, first.duplicates) == (12, 0)
    again = world.load_all(project)
    assert (again.unchanged, again.accepted, again.duplicates) == (True, 0, 12)
    forced = world.load_all(project, force=True)
    assert (forced.accepted, forced.duplicates) == (0, 12)
    csv_project(tmp_path, "\n".join(["who,amount,at", *reversed(rows)]).encode())
    reordered = world.load_all(project)
    assert (reordered.unchanged, reordered.accepted, reordered.duplicates) == (False, 0, 12)
    turned = ["at,who,amount", *(",".join([row.split(",")[2], *row.split(",")[:2]]) for row in rows)]
    csv_project(tmp_path, "\n".join(turned).encode())
    assert world.load_all(project).accepted == 0
    assert sum(len(events) for events in world.histories(project).values()) == 12


def test_c08_a_loader_killed_half_way_leaves_nothing_and_runs_again(tmp_path: Path) -> None:
    project = csv_project(tmp_path, ("who,amount,at\n" + "u1,1,2024-01-01\n" * 500).encode())
    code = (
        "import os, pathlib, sys\n"
        "from ethogram.ingest import load as loading\n"
        "from ethogram.ingest.config import read_config\n"
        "from ethogram.store.store import Store\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "def die(source, stage, share):\n"
        "    if share >= 0.95: os._exit(9)\n"
        "loading.load(Store.open(folder, create=True), read_config(folder), None, die)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(project)], check=False, capture_output=True)
    assert done.returncode == 9, done.stderr
    assert world.histories(project) == {}
    report = world.load_all(project)
    assert (report.accepted, report.duplicates) == (500, 0)


def test_c09_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_bytes(b"who\n" + b"u1\n" * 3_000_000)
    with opened(SourceFile(path, "e.csv")) as snapshot:
        blocks = snapshot.blocks()
        next(blocks)
        with path.open("r+b") as handle:
            handle.seek(8_000_000)
            handle.write(b"uX")
        with pytest.raises(DataError) as caught:
            for _ in blocks:
                pass
    assert caught.value.code == "E_FILE_CHANGED"


def test_c09_a_file_replaced_while_it_is_read_is_read_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_bytes(b"old")
    with opened(SourceFile(path, "e.csv")) as snapshot:
        (tmp_path / "new").write_bytes(b"new")
        (tmp_path / "new").replace(path)
        assert b"".join(snapshot.blocks()) == b"old"


def test_times_ids_and_long_values_are_rows_with_reasons(tmp_path: Path) -> None:
    rows = [
        "u1,1,1969-12-31",
        "u2,1,2999-01-01",
        "u3,1,junk",
        ",1,2024-01-01",
        "u5,1,",
        f"{'u' * 300},1,2024-01-01",
        "u7,1,2025-02-30",
    ]
    project = csv_project(tmp_path, "\n".join(["who,amount,at", *rows, "u8,1,2024-01-01"]).encode())
    report = world.load_all(project)
    assert (report.read, report.accepted, report.rejected) == (8, 1, 7)
    found = {row.line: row.code for row in world.set_aside(project)}
    assert found == {
        2: "E_TIME_IMPLAUSIBLE", 3: "E_TIME_IMPLAUSIBLE", 4: "E_TIME", 5: "E_CUSTOMER_EMPTY", 6: "E_TIME_MISSING", 7: "E_TEXT_TOO_LONG",
        8: "E_TIME",
    }  # fmt: skip


def test_a_repaired_file_is_replayed(tmp_path: Path) -> None:
    from ethogram.ingest.load import replay

    project = csv_project(tmp_path, b"who,amount,at\nu1,1,2024-01-01\nu2,1,junk\n")
    world.load_all(project)
    assert len(world.set_aside(project)) == 1
    csv_project(tmp_path, b"who,amount,at\nu1,1,2024-01-01\nu2,1,2024-01-02\n")
    with Store.open(project) as store:
        (report,) = replay(store, read_config(project))
        assert replay(store, read_config(project)) == ()
    assert (report.accepted, report.duplicates, report.rejected) == (1, 1, 0)
    assert world.set_aside(project) == []


def test_a_second_row_with_the_same_id_and_other_content_is_told(tmp_path: Path) -> None:
    toml = SHAPE.format(file="e.csv") + 'message_id = "id"\n'
    content = b"who,amount,at,id\nu1,1,2024-01-01,m1\nu1,2,2024-01-01,m1\nu1,1,2024-01-01,m1\n"
    project = world.write(tmp_path, toml.replace("[sources.e]", "[sources.e]"), {"e.csv": content})
    report = world.load_all(project)
    assert (report.accepted, report.duplicates, report.rejected) == (1, 1, 1)
    assert world.set_aside(project)[0].code == "E_DUP_CONFLICT"
    assert world.load_all(project, force=True).rejected == 1
