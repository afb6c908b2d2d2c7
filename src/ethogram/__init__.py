"""Behavioral customer segmentation as code.

    >>> import ethogram
    >>> shop = ethogram.open("my-shop")       # doctest: +SKIP
    >>> shop.segments().to_pandas()           # doctest: +SKIP

The verbs of the command line are methods of the project that `open` returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from os import PathLike

    from ethogram.app.project import Project

__all__ = ["Project", "__version__", "open"]


def open(folder: str | PathLike[str] = ".") -> Project:
    """The project in a folder; its methods return pyarrow tables, which pandas, polars and DuckDB read as they are."""
    from ethogram.app.project import Project

    return Project.open(folder)


def __getattr__(name: str) -> Any:
    # what costs time to import is imported when it is asked for
    if name == "Project":
        from ethogram.app.project import Project

        return Project
    if name == "__version__":
        from importlib.metadata import version

        return version("ethogram")
    raise AttributeError(f"module 'ethogram' has no attribute {name!r}")
