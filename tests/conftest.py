"""Makes this folder importable: `oracle` and `checking` serve several folders of tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ethogram.app.cli import app


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The demo's folder, made once for all tests that look at it, and what the command printed."""
    folder = tmp_path_factory.mktemp("demo") / "shop"
    return folder, CliRunner().invoke(app, ["demo", str(folder)])
