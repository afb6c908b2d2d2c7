"""What an entry of the catalog is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

Kind: TypeAlias = Literal[
    "purchasing",
    "benefits",
    "journey",
    "usage",
    "occasion",
    "loyalty",
    "satisfaction",
    "interaction",
    "barriers",
    "engagement",
    "demographic",
    "geographic",
    "psychographic",
    "firmographic",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
KIND_TITLES: Mapping[Kind, str] = {
    "purchasing": "Purchasing behavior",
    "benefits": "Benefits sought",
    "journey": "Customer journey",
    "usage": "Usage",
    "occasion": "Occasion",
    "loyalty": "Loyalty",
    "satisfaction": "Satisfaction",
    "interaction": "Method of interaction",
    "barriers": "Barriers and roles",
    "engagement": "Engagement with the brand",
    "demographic": "Demographic",
    "geographic": "Geographic",
    "psychographic": "Psychographic",
    "firmographic": "Firmographic",
}
Holds: TypeAlias = Literal["number", "text", "sign", "any"]
"""What a property holds. A `sign` says that something is the case: a number above 0, a text that is there, or yes."""

Statistic: TypeAlias = Literal["gaps", "values", "stays", "most_frequent", "ratio", "cuts"]
CUSTOMER = "customer"
_PLACE = re.compile(r"\$(\w+)(?:([.:])(\w+))?")


@dataclass(frozen=True, slots=True)
class PropertyPart:
    """A property that an event, or a trait that a customer, may have."""

    title: str
    holds: Holds
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventPart:
    """A part that a behavior of the project plays.

    With `of` it is one event for each element of a list that another part's event has; with `several` more than one
    event may play it together; `names` are taken where there is one of them, `words` make a proposal.
    """

    name: str
    title: str
    names: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    properties: Mapping[str, PropertyPart] = field(default_factory=dict)
    several: bool = False
    by_company: bool = False
    of: str = ""
    lists: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parts:
    events: Mapping[str, EventPart]
    customer: Mapping[str, PropertyPart]

    def title(self, need: str) -> str:
        """What a need such as `purchase`, `purchase.amount` or `customer.birth_date` is, in words."""
        owner, _, name = need.partition(".")
        if owner == CUSTOMER:
            return self.customer[name].title
        part = self.events[owner]
        return part.properties[name].title if name else part.title

    def has(self, need: str) -> bool:
        owner, _, name = need.partition(".")
        if owner == CUSTOMER:
            return name in self.customer
        return owner in self.events and (not name or name in self.events[owner].properties)


@dataclass(frozen=True, slots=True)
class FromData:
    """How a parameter's value comes from a project's data.

    `gaps` are days between neighboring events of a selection, `values` are customers' values of an expression, `stays` are days in a segment before it was left: of these, the `at` quantile.
    `most_frequent` takes the values that most customers have, `ratio` divides the sums of two values over all customers.
    `cuts` are where customers' values divide into `most` equal parts; they are told, and nothing depends on them.
    """

    statistic: Statistic
    of: str
    at: float = 0.5
    most: int = 1
    means: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that may be set. `default` is written as in the language; "" where a value must be given.

    A parameter that `is` an expression of other parameters is computed, not set. A text stands in quotation marks wherever
    it is used.
    """

    name: str
    default: str
    means: str
    data: FromData | None = None
    computed: str = ""
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Play:
    """What to do with the members, and the consent it needs ("" for none: analysis or service)."""

    what: str
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A ready-made definition, or a family that belongs together. `template` is its YAML, with places such as `$purchase`.

    `needs` must all be there, of `any_of` one; these and `optional` ones add what stands between `#if` and `#end`. `settings` are keys of
    ethogram.toml; `uses` are entries that are added along; `cuts` are told in the file's first lines.
    """

    name: str
    title: str
    kind: Kind
    sentence: str
    needs: tuple[str, ...]
    optional: tuple[str, ...]
    any_of: tuple[str, ...]
    settings: tuple[str, ...]
    uses: tuple[str, ...]
    parameters: Mapping[str, Parameter]
    play: Play
    notes: tuple[str, ...]
    cuts: tuple[Parameter, ...]
    published: str
    template: str
    file: str = ""

    @property
    def defines(self) -> tuple[str, ...]:
        """The names of its definitions."""
        return tuple(re.findall(r"^  \$(\w+):", self.template, re.M))

    @property
    def parts(self) -> tuple[str, ...]:
        """The events, without their properties, that are needed or optional, in order."""
        owners = [need.partition(".")[0] for need in (*self.needs, *self.any_of, *self.optional)]
        return tuple(dict.fromkeys(owner for owner in owners if owner != CUSTOMER))

    @property
    def places(self) -> tuple[tuple[str, str, str], ...]:
        """Each place in the template: name, sign and property; sign and property are empty for a bare name."""
        return tuple(dict.fromkeys(_PLACE.findall(self.template)))
