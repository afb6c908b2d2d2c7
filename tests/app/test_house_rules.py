"""House rules of the code: what may be imported when, which floors know each other, what is called how."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("numba", "numpy", "duckdb", "pyarrow", "pandas", "yaml", "holidays", "llvmlite")


def _imported_by(*command: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command], capture_output=True, text=True, check=True
    )
    return {
        line.rpartition("|")[2].strip()
        for line in done.stderr.splitlines()
        if line.startswith("import time:")
    }


@pytest.mark.parametrize(
    "command",
    [("-c", "import ethogram"), ("-m", "ethogram", "--help"), ("-m", "ethogram", "members", "--help")],
)
def test_nothing_heavy_is_imported_before_it_is_needed(command: tuple[str, ...]) -> None:
    imported = {name.partition(".")[0] for name in _imported_by(*command)}
    assert imported & set(HEAVY) == set()


def test_importing_the_package_imports_nothing_else_of_it() -> None:
    assert {name for name in _imported_by("-c", "import ethogram") if name.startswith("ethogram")} == {
        "ethogram"
    }


def test_public_names() -> None:
    import ethogram

    assert {name: hasattr(ethogram, name) for name in ethogram.__all__} == dict.fromkeys(
        ethogram.__all__, True
    )


def test_floors() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, "COLUMNS": "100"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_no_drawers() -> None:
    drawers = {"utils", "util", "common", "core", "helpers", "helper", "misc"}
    found = [
        path for path in (ROOT / "src").rglob("*.py") if path.stem in drawers or path.parent.name in drawers
    ]
    assert found == []


def test_files_stay_readable() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "src").rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 600
    }
    assert long == {}
