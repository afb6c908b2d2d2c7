"""The tutorial's commands, run in order on the Complete Journey data where it is at hand."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.shared_data import DATA

ROOT = Path(__file__).parents[2]
RECEIPTS = DATA / "complete-journey"
FILES = ("transactions_sample.parquet", "demographics.parquet", "coupon_redemptions.parquet")
MEANT_TO_FAIL = "purchase.totl"


@pytest.fixture
def run_docs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("run_docs", ROOT / "scripts" / "run_docs.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["run_docs"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not RECEIPTS.exists(), reason="the Complete Journey data is not here")
def test_a_newcomer_can_follow_it(tmp_path: Path, run_docs: ModuleType) -> None:
    (tmp_path / "receipts").mkdir()
    for name in FILES:
        shutil.copyfile(RECEIPTS / name, tmp_path / "receipts" / name)
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    ran = [one for _, some in run_docs.steps(page, tmp_path) for one in some]
    failed = {one.command: one.output for one in ran if (one.code != 0) != (MEANT_TO_FAIL in one.command)}
    assert failed == {}
    assert all("E_INTERNAL" not in one.output for one in ran)
    explained = next(one.output for one in ran if "explain" in one.command)
    assert "is in slipping_away" in explained
    wide = [
        line
        for one in ran
        if one.code == 0
        and not re.match("ethogram (describe|check)", one.command)  # they show text as it is written
        for line in one.output.splitlines()
        if len(line) > 80
    ]
    assert wide == []
