"""The demo, made once for all tests that look at it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ethogram.app.cli import app


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The folder, and what the command printed."""
    folder = tmp_path_factory.mktemp("demo") / "shop"
    return folder, CliRunner().invoke(app, ["demo", str(folder)])
