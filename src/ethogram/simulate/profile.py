"""What customers stated about themselves and their companies, and which groups that makes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np

from ethogram.simulate.goods import NOW

TODAY: Final = datetime.fromtimestamp(NOW // 1_000_000, UTC).date()

GENDERS: Final = ("female", "male")
INCOMES: Final = ("low", "middle", "high")
HOUSEHOLDS: Final = ("1", "2", "3", "4")
COUNTRIES: Final = ("Germany", "Austria", "Switzerland", "France", "Spain", "Japan")
REGIONS: Final = (
    "Berlin",
    "Hamburg",
    "Bavaria",
    "Saxony",
    "Hesse",
    "Tyrol",
    "Vienna",
    "Zurich",
    "Alsace",
    "Catalonia",
    "Kanto",
    "Kansai",
)
INTERESTS: Final = ("reading", "cooking", "gardening", "travel", "design", "games")
INDUSTRIES: Final = ("Retail", "Gastronomy", "Education", "Software", "Crafts", "Consulting")
PLANS: Final = ("basic", "plus", "business")
"""Values with a group of their own. Whoever states something else is in the group `other`."""

HOMES: Final = {
    "Germany": (("Berlin", "Berlin"), ("Hamburg", "Hamburg"), ("Bavaria", "München"), ("Saxony", "Leipzig"), ("Hesse", "Kassel")),
    "Austria": (("Vienna", "Wien"), ("Tyrol", "Innsbruck")),
    "Switzerland": (("Zurich", "Zürich"),),
    "France": (("Alsace", "Strasbourg"),),
    "Spain": (("Catalonia", "Girona"),),
    "Japan": (("Kanto", "東京"), ("Kansai", "大阪")),
    "Iceland": (("Westfjords", "Ísafjörður"),),
}  # fmt: skip
LANGUAGES: Final = {
    "Germany": "de", "Austria": "de", "Switzerland": "de", "France": "fr", "Spain": "es", "Japan": "ja", "Iceland": "en",
}  # fmt: skip
ZONES: Final = {
    "Germany": "Europe/Berlin", "Austria": "Europe/Vienna", "Switzerland": "Europe/Zurich", "France": "Europe/Paris",
    "Spain": "Europe/Madrid", "Japan": "Asia/Tokyo", "Iceland": "Atlantic/Reykjavik",
}  # fmt: skip

_AGES: Final = (
    (18, "under_18"), (25, "from_18"), (35, "from_25"), (45, "from_35"), (55, "from_45"), (65, "from_55"), (200, "from_65"),
)  # fmt: skip
_PEOPLE: Final = ((10, "micro"), (50, "small"), (250, "medium"))
_TURNOVER: Final = ((2_000_000, "micro"), (10_000_000, "small"), (50_000_000, "medium"))


@dataclass(frozen=True, slots=True)
class Profile:
    """None is what was never stated."""

    birth_date: date | None = None
    created_at: date | None = None
    gender: str | None = None
    household_size: int | None = None
    income: str | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    language: str | None = None
    timezone: str | None = None
    interest: str | None = None
    price_attitude: int | None = None
    novelty_attitude: int | None = None
    plan: str | None = None
    employees: int | None = None
    industry: str | None = None
    annual_revenue: int | None = None

    def traits(self) -> dict[str, object]:
        """What is known, as the file of customers has it."""
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in asdict(self).items()
            if value is not None
        }


def turned(number: int, rng: np.random.Generator) -> Profile:
    """The profile of the planted customer of this number: whoever states what goes round, so that each answer is there."""

    def pick(values: tuple[str, ...], *further: str | None) -> str | None:
        return (*values, *further)[number % (len(values) + len(further))]

    band = number % 8
    country = pick(COUNTRIES, "Iceland", None)
    homes = HOMES.get(country or "", ((None, None),))
    region, city = homes[(number // 8) % len(homes)]
    attitude = number % 6
    return Profile(
        birth_date=_born(band, rng) if band < 7 else None,
        created_at=_away(rng, 320, 900),
        gender=pick(GENDERS, "non-binary", None),
        household_size=(1, 2, 3, 4, 7, None)[number % 6],
        income=pick(INCOMES, "not settled", None),
        country=country,
        region=region,
        city=city,
        language=LANGUAGES.get(country or ""),
        timezone=ZONES.get(country or ""),
        interest=pick(INTERESTS, "beekeeping", None),
        price_attitude=attitude or None,
        novelty_attitude=(number + 2) % 6 or None,
        plan=pick(PLANS, "founder", None),
    )


def company(number: int, employees: int) -> dict[str, object]:
    """A company's traits; industries go round, turnover goes with the people."""
    industry = (*INDUSTRIES, "Apiculture")[number % (len(INDUSTRIES) + 1)]
    return {"employees": employees, "industry": industry, "annual_revenue": employees * 110_000}


def _born(band: int, rng: np.random.Generator) -> date:
    """In the band by a wide margin, and not on one of the days before or after today."""
    low = (0, 18, 25, 35, 45, 55, 65)[band] + 1
    high = (17, 24, 34, 44, 54, 64, 85)[band]
    years = int(rng.integers(max(low, 12), high))
    return TODAY - timedelta(days=round(365.25 * years) + int(rng.integers(60, 300)))


def _away(rng: np.random.Generator, least: int, most: int) -> date:
    """A day in the past whose anniversary is neither near ahead nor just gone."""
    while True:
        day = TODAY - timedelta(days=int(rng.integers(least, most)))
        if 30 <= (day.replace(year=2001, day=min(day.day, 28)) - TODAY.replace(year=2001)).days % 365 <= 330:
            return day


def groups_of(profile: Profile) -> Iterator[str]:
    """The groups of the plain kinds that this profile makes."""
    yield f"age_band.{_age_band(profile.birth_date)}"
    yield f"stated_gender.{_of_these(profile.gender, GENDERS)}"
    size = None if profile.household_size is None else str(profile.household_size)
    yield f"household.{_of_these(size, HOUSEHOLDS, 'group_')}"
    yield f"stated_income.{_of_these(profile.income, INCOMES)}"
    yield f"country.{_of_these(profile.country, COUNTRIES)}"
    yield f"region.{_of_these(profile.region, REGIONS)}"
    home = "unknown" if profile.country is None else "home" if profile.country == "Germany" else "abroad"
    yield f"home_or_abroad.{home}"
    yield f"stated_interest.{_of_these(profile.interest, INTERESTS)}"
    price = ("unknown", "other_first", "other_first", "balanced", "price_first", "price_first")
    yield f"attitude_to_price.{price[profile.price_attitude or 0]}"
    novelty = ("unknown", "late", "late", "in_between", "soon", "first")
    yield f"attitude_to_novelty.{novelty[profile.novelty_attitude or 0]}"
    yield f"plan.{_of_these(profile.plan, PLANS)}"
    yield f"company_size.{_band(profile.employees, _PEOPLE)}"
    yield f"industry.{_of_these(profile.industry, INDUSTRIES)}"
    yield f"company_revenue.{_band(profile.annual_revenue, _TURNOVER)}"


def _of_these(value: str | None, values: tuple[str, ...], prefix: str = "") -> str:
    if value is None:
        return "unknown"
    return prefix + value.lower() if value in values else "other"


def _age_band(born: date | None) -> str:
    if born is None:
        return "unknown"
    age = TODAY.year - born.year - ((TODAY.month, TODAY.day) < (born.month, born.day))
    return next(name for limit, name in _AGES if age < limit)


def _band(value: int | None, limits: tuple[tuple[int, str], ...]) -> str:
    if value is None:
        return "unknown"
    return next((name for limit, name in limits if value < limit), "large")
