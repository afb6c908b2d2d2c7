"""The lists of people that definitions name: `lists: staff: { file: lists/staff.csv }`."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from ethogram.language.tree import Definitions, PeopleList
from ethogram.model.errors import DataError

COLUMN = "customer"


def people_of(definitions: Definitions, folder: Path) -> Mapping[str, frozenset[str]]:
    """The customers of every list. Raises DataError for a file that is not there, lies elsewhere or has no such column."""
    return {name: _people(people, folder) for name, people in definitions.lists.items()}


def _people(people: PeopleList, folder: Path) -> frozenset[str]:
    if not people.file:
        return frozenset(people.customers)
    path = (folder / people.file).resolve()
    if not path.is_relative_to(folder.resolve()):
        message = f"{people.file} is outside the project"
        raise DataError(
            "E_PATH_OUTSIDE_ROOT", message, hint="Lists lie in the project's folder.", span=people.span
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
    except FileNotFoundError:
        raise DataError("E_NO_FILES", f"there is no file {people.file}", span=people.span) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        message = f"{people.file} cannot be read: {type(error).__name__}"
        raise DataError("E_READ", message, hint="It is csv in UTF-8.", span=people.span) from None
    if not rows or rows[0][0].strip().lower() != COLUMN:
        raise DataError(
            "E_COLUMN_MISSING",
            f"the first column of {people.file} is not '{COLUMN}'",
            hint=f"Its first line is the names of the columns, beginning with {COLUMN}.",
            file=people.file,
            line=1,
            column=1,
        )
    return frozenset(row[0].strip() for row in rows[1:] if row[0].strip())
