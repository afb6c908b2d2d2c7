"""Simulated shops, made, loaded and refreshed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ethogram.app.simulated import simulate
from ethogram.app.workbench import Workbench, silent
from ethogram.ingest.load import LoadReport
from ethogram.simulate.shop import Shop, Written


@contextmanager
def opened(folder: Path, shop: Shop) -> Iterator[tuple[Written, tuple[LoadReport, ...], Workbench]]:
    """The project, once everything was loaded and evaluated; the folder is removed afterwards."""
    written = simulate(folder, shop, silent)
    try:
        with Workbench(folder) as bench:
            reports = bench.load()
            bench.refresh()
            yield written, reports, bench
    finally:
        shutil.rmtree(folder)
