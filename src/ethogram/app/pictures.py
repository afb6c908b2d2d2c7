"""Charts as files and as parts of a page; what draws them is an extra."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ethogram.app import render
from ethogram.model.errors import DataError, EnvironmentFault
from ethogram.model.extras import require_extra

if TYPE_CHECKING:
    from ethogram.insight.charts import Chart

SCALE = 1.5


def require_charts() -> None:
    """Raises EnvironmentFault E_EXTRA_MISSING where the extra is not installed."""
    require_extra(
        "report", ("altair", "vl_convert", "jinja2"), "pictures need packages that are not installed"
    )


def charts() -> ModuleType:
    """The module that draws, once it is asked for: it takes a second to load."""
    from ethogram.insight import charts as drawing

    return drawing


def save_picture(chart: Chart, target: str) -> None:
    """As .svg or .png, by the name's ending. Raises DataError E_FORMAT."""
    path = Path(target)
    kind = path.suffix.lower()
    if kind not in (".svg", ".png"):
        raise DataError(
            "E_FORMAT", f"{target}: '{kind}' is no format of pictures", hint="Name it .svg or .png."
        )
    try:
        path.write_bytes(_svg(chart) if kind == ".svg" else _png(chart))
    except OSError as error:
        raise EnvironmentFault("E_WRITE", f"{target} cannot be written: {error.strerror or error}") from None


def offer(target: str, chart: Callable[[], Chart]) -> bool:
    """Draws the chart if a file is asked for, and says so; whether it was."""
    if target:
        require_charts()
        save_picture(chart(), target)
        render.say(f"Drawn to {target}.")
    return bool(target)


def inline(chart: Chart) -> str:
    """As the address of an image, so that charts on one page cannot disturb each other."""
    return f"data:image/svg+xml;base64,{base64.b64encode(_svg(chart)).decode()}"


def _svg(chart: Chart) -> bytes:
    import vl_convert

    text: str = vl_convert.vegalite_to_svg(chart.to_dict(validate=False))
    return text.encode()


def _png(chart: Chart) -> bytes:
    import vl_convert

    found: bytes = vl_convert.vegalite_to_png(chart.to_dict(validate=False), scale=SCALE)
    return found
