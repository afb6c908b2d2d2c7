"""The simulated shop as a project, written into a new folder."""

from __future__ import annotations

from pathlib import Path

from ethogram.app.new import IGNORED
from ethogram.app.workbench import Progress
from ethogram.model.errors import DataError, EnvironmentFault
from ethogram.simulate.shop import Shop, Written, write_shop


def simulate(folder: Path, shop: Shop, progress: Progress) -> Written:
    """Raises DataError E_PROJECT_EXISTS or E_FOLDER_NOT_EMPTY, and EnvironmentFault E_WRITE."""
    hint = f"Name a folder that is empty, or not there yet: ethogram simulate {folder}-2"
    if (folder / "ethogram.toml").exists():
        raise DataError("E_PROJECT_EXISTS", f"{folder} is a project already", hint=hint)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise DataError("E_FOLDER_NOT_EMPTY", f"{folder} holds other things", hint=hint)
        (folder / ".gitignore").write_text(IGNORED, encoding="utf-8")
        return write_shop(folder, shop, progress)
    except OSError as error:
        raise EnvironmentFault(
            "E_WRITE", f"{folder} cannot be written: {error.strerror or type(error).__name__}"
        ) from None
