"""A new project's folder: its settings, first definitions, and what keeps data out of git."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ethogram.model.errors import DataError, EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ethogram.ingest.propose import Proposal

SETTINGS = "ethogram.toml"
IGNORED = ".ethogram/\n"

EMPTY_SETTINGS = """\
name = "{name}"
timezone = "{timezone}"  # what times without an offset mean, and when a day begins
{currency}
# country = "DE"  # its public holidays
week_starts = "monday"
# revenue = "purchase.total"  # what shares of revenue are shares of

# Where events come from. `ethogram init DIR --from FILE` writes this for you.
#
# [sources.orders]
# files = "data/orders*.csv"
# customer = "CustomerID"
# time = "InvoiceDate"
# event = {{ constant = "Order Completed" }}
# properties = {{ total = "Amount" }}
"""

EMPTY_DEFINITIONS = """\
# What customers do, a value for each of them, who is in what: `ethogram check` says what is wrong here.
#
# behaviors:
#   purchase: Order Completed
#
# segments:
#   active:
#     title: Active in the last 90 days
#     when: did(purchase, last=90d)
"""


def require_new(folder: Path) -> None:
    """Raises DataError E_PROJECT_EXISTS where a project is already."""
    if (folder / SETTINGS).exists():
        raise DataError(
            "E_PROJECT_EXISTS",
            f"{folder} is a project already",
            hint=f"Its settings are in {folder / SETTINGS}. Choose another folder, or edit them.",
        )


def write_proposal(folder: Path, proposal: Proposal) -> tuple[Path, ...]:
    return _write(folder, {SETTINGS: proposal.toml(), "definitions/start.yml": proposal.definitions()})


def write_empty(folder: Path, *, timezone: str, currency: str) -> tuple[Path, ...]:
    money = f'currency = "{currency}"' if currency else '# currency = "EUR"'
    name = folder.resolve().name.replace("\\", "-").replace('"', "-")
    settings = EMPTY_SETTINGS.format(name=name, timezone=timezone or "UTC", currency=money)
    return _write(folder, {SETTINGS: settings, "definitions/start.yml": EMPTY_DEFINITIONS})


def _write(folder: Path, texts: Mapping[str, str]) -> tuple[Path, ...]:
    """Existing files stay as they are, settings last: with them the folder becomes a project."""
    written = []
    try:
        for name, text in sorted(
            {**texts, ".gitignore": IGNORED}.items(), key=lambda item: item[0] == SETTINGS
        ):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_text(text, encoding="utf-8")
                written.append(path)
    except OSError as error:
        raise EnvironmentFault(
            "E_WRITE", f"{error.filename or folder} cannot be written: {error.strerror}"
        ) from None
    return tuple(path for path in written if path.name != ".gitignore")
