"""Makes this folder importable: `oracle` and `checking` serve several folders of tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ethogram.app.cli import app

DEAR = ("app", "bench", "insight", "simulate")
"""Where the tests of a file look at one project, which takes seconds to make."""


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The demo's folder, made once for all tests that look at it, and what the command printed."""
    folder = tmp_path_factory.mktemp("demo") / "shop"
    return folder, CliRunner().invoke(app, ["demo", str(folder)])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of tests that share something dear all run in one process, so that it is made once."""
    for item in items:
        if "demo" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("demo"))
        elif item.path.parent.name in DEAR:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
