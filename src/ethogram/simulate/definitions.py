"""The catalog's entries as this shop has them, written by what `ethogram catalog add` writes them with.

Thresholds are the catalog's usual ones, not those that the data would give: what is planted must be true whatever the seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from ethogram.catalog.adding import Preparation, all_needs, missing_needs, with_used, write
from ethogram.catalog.entry import Entry
from ethogram.catalog.fitting import Fitted, Project, fit
from ethogram.catalog.loading import load_catalog, load_parts
from ethogram.language.catalog import DataCatalog, EventUse, PropertyUse, Seen
from ethogram.language.tree import Definitions, Segmentation
from ethogram.language.tree import Path as Names
from ethogram.model.settings import Settings
from ethogram.simulate import goods, profile
from ethogram.simulate.traces import EVENTS, SOURCES, TRAITS

SETTINGS: Final = Settings(
    name="simulated-shop", timezone=goods.TIMEZONE, currency=goods.CURRENCY, country=goods.COUNTRY
)
REVENUE: Final = "purchase.total"
GIVEN: Final[dict[str, dict[str, str]]] = {
    "replenishment_due": {"product": goods.COFFEE, "gap": "30d"},
    "stated_gender": {"values": "|".join(profile.GENDERS)},
    "household_size": {"values": "|".join(profile.HOUSEHOLDS)},
    "income_band": {"values": "|".join(profile.INCOMES)},
    "country": {"values": "|".join(profile.COUNTRIES)},
    "home_or_abroad": {"home": profile.COUNTRIES[0]},
    "region": {"values": "|".join(profile.REGIONS)},
    "stated_interest": {"values": "|".join(profile.INTERESTS)},
    "industry": {"values": "|".join(profile.INDUSTRIES)},
    "plan": {"values": "|".join(profile.PLANS)},
}
"""What `--set` would say."""


@dataclass(frozen=True, slots=True)
class Served:
    """Entries of the catalog that this shop's data serves, those it lacks something for, and what was defined."""

    entries: tuple[str, ...]
    lacking: tuple[str, ...]
    definitions: Definitions

    def has(self, name: str) -> bool:
        """Whether a trait, a segment or a group is defined."""
        owner, _, group = name.partition(".")
        found = self.definitions.find(owner)
        if isinstance(found, Segmentation):
            return group in {one.name for one in found.groups}
        return found is not None and not group


def write_definitions(folder: Path, carried: Mapping[str, Set[str]], traits: Set[str]) -> Served:
    """Every entry that the data serves: `carried` are the properties of each event there is, `traits` what is known of customers.

    A large shop serves the whole catalog; where there are only a few customers, some events do not happen.
    """
    project = Project(Definitions(), _data(carried, traits))
    listed = tuple(load_catalog().values())
    served = [entry for entry in listed if _is_served(entry, project)]
    entries = with_used(served, {})
    preparation = Preparation(folder, project, SETTINGS, _fitted(entries, project).cast)
    ready = [preparation.ready(entry, GIVEN.get(entry.name, {})) for entry in entries]
    preparation.require_sound()
    write(folder, preparation.behaviors_of(ready), ready)
    names = tuple(entry.name for entry in entries)
    lacking = tuple(entry.name for entry in listed if entry.name not in names)
    return Served(names, lacking, preparation.definitions)


def _is_served(entry: Entry, project: Project) -> bool:
    fitted = _fitted([entry], project)
    return not fitted.questions and not missing_needs(with_used([entry], {}), fitted)


def _fitted(entries: Sequence[Entry], project: Project) -> Fitted:
    needs, optional = all_needs(with_used(entries, {}))
    return fit(needs, optional, load_parts(), project, {})


def _data(carried: Mapping[str, Set[str]], traits: Set[str]) -> DataCatalog:
    """What the files hold, as a project knows it once they are loaded."""
    events = {
        event: EventUse(
            dict(_uses({name: SOURCES[source][name] for name in names if name in carried[event]}))
        )
        for event, (source, names) in EVENTS.items()
        if event in carried
    }
    return DataCatalog(events, dict(_uses({name: kind for name, kind in TRAITS.items() if name in traits})))


def _uses(columns: dict[str, pa.DataType]) -> list[tuple[Names, PropertyUse]]:
    found: list[tuple[Names, PropertyUse]] = []
    for name, kind in columns.items():
        if pa.types.is_list(kind):
            found += [
                ((name, field.name), PropertyUse({_seen(field.type): 1}, True)) for field in kind.value_type
            ]
        else:
            found.append(((name,), PropertyUse({_seen(kind): 1})))
    return found


def _seen(kind: pa.DataType) -> Seen:
    return "text" if pa.types.is_string(kind) else "flag" if pa.types.is_boolean(kind) else "number"
