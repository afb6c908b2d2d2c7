"""What customers say: themes of their texts with counts, examples, who says them more than others, and since when more often."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ethogram.insight.inference import Estimate, adjusted, rate_ratio, wilson
from ethogram.insight.people import Numbers, Truth
from ethogram.insight.texts import LANGUAGES, WITHOUT_SPACES, cleaned, languages, sentences
from ethogram.insight.themes import FEWEST, Themes, themes_of
from ethogram.language.instants import DAY

if TYPE_CHECKING:
    from ethogram.model.event import Moment

MOST_TEXTS = 50_000
"""Of more the newest count."""
EXAMPLES, EXAMPLE_LENGTH = 2, 140
LOW, MIDDLE, HIGH = 0, 1, 2
UNRATED = -1
_SCALES = ((5.0, 2.0, 4.0), (7.0, 3.0, 5.0), (10.0, 6.0, 9.0))
"""The highest answer, up to which one is low, and from which one is high: CSAT, CES and NPS."""


@dataclass(frozen=True, slots=True)
class Theme:
    """`texts` and `customers` are those of whom it was asked about; `share` is of all of these who wrote in this language.
    `ratio` is that share against the others', `change` the share of the texts of the last days against the days before,
    `low` and `high` are shares of the texts with a low and a high rating."""

    terms: tuple[str, ...]
    texts: int
    customers: int
    share: Estimate
    ratio: Estimate | None
    change: Estimate | None
    low: Estimate | None
    high: Estimate | None
    examples: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        found: dict[str, object] = {
            "terms": list(self.terms),
            "texts": self.texts,
            "customers": self.customers,
        }
        for name in ("share", "ratio", "change", "low", "high"):
            one: Estimate | None = getattr(self, name)
            found[name] = None if one is None else one.as_json()
        return found | {"examples": list(self.examples)}


@dataclass(frozen=True, slots=True)
class Spoken:
    """All that was written in one language; `unthemed` texts have none of the themes, `rare` themes are of fewer than five."""

    language: str
    texts: int
    customers: int
    themes: tuple[Theme, ...]
    unthemed: int
    rare: int

    def as_json(self) -> dict[str, object]:
        return {
            "language": self.language,
            "texts": self.texts,
            "customers": self.customers,
            "themes": [one.as_json() for one in self.themes],
            "texts_without_theme": self.unthemed,
            "themes_of_fewer_than_5": self.rare,
        }


@dataclass(frozen=True, slots=True)
class Voice:
    """`name` is the segment or group, "" for everyone. With fewer than five writers `texts` and `customers` are None and nothing
    is told. `wordless` texts have no letters; `left_out` are older than the newest that count."""

    name: str
    as_of: Moment
    days: int
    sources: tuple[str, ...]
    rated: str
    texts: int | None
    customers: int | None
    wordless: int
    left_out: int
    spoken: tuple[Spoken, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name or None,
            "days": self.days,
            "text": list(self.sources),
            "rated_by": self.rated or None,
            "texts": self.texts,
            "customers": self.customers,
            "texts_without_words": self.wordless,
            "older_texts_left_out": self.left_out,
            "languages": [one.as_json() for one in self.spoken],
        }


# --- ratings --------------------------------------------------------------------------------------------------------


def rating_levels(ratings: Numbers) -> NDArray[np.int64]:
    """Low, middle or high on the smallest usual scale that holds all of them; -1 without a rating, or on no such scale."""
    known = ~np.isnan(ratings)
    found = np.full(len(ratings), UNRATED, np.int64)
    most = float(ratings[known].max(initial=0))
    scale = next((one for one in _SCALES if most <= one[0]), None)
    if scale is None or not known.any() or float(ratings[known].min()) < 0:
        return found
    _, low, high = scale
    found[known] = np.where(ratings[known] <= low, LOW, np.where(ratings[known] >= high, HIGH, MIDDLE))
    return found


def levels_by_group(customers: Sequence[str], groups: Mapping[int, pa.Array]) -> NDArray[np.int64]:
    """Of texts without a rating of their own: the level of the group that its customer is in."""
    column, found = pa.array(customers, pa.string()), np.full(len(customers), UNRATED, np.int64)
    for level, members in groups.items():
        found[pc.is_in(column, value_set=members).to_numpy(zero_copy_only=False)] = level
    return found


# --- the view -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Texts:
    """Texts of one language, by place: whose, when, with which rating, whether of those who were asked about."""

    texts: Sequence[str]
    customers: NDArray[np.int64]
    times: NDArray[np.int64]
    levels: NDArray[np.int64]
    inside: Truth

    def only(self, places: NDArray[np.int64]) -> _Texts:
        texts = [self.texts[place] for place in places.tolist()]
        return _Texts(
            texts, self.customers[places], self.times[places], self.levels[places], self.inside[places]
        )


def voice(
    said: pa.Table,
    levels: NDArray[np.int64],
    members: pa.Array | None,
    *,
    name: str,
    as_of: Moment,
    days: int,
    sources: Sequence[str],
    rated: str,
) -> Voice:
    """`said` is as `said.SAID` with a level of rating for each text; `members` None asks about everyone."""
    order = pc.sort_indices(said, sort_keys=[(key, "descending") for key in ("time", "customer", "text")])
    left_out = max(0, len(order) - MOST_TEXTS)
    order = order.slice(0, MOST_TEXTS)
    levels, said = levels[order.to_numpy()], said.take(order)
    encoded = said["customer"].combine_chunks().dictionary_encode()
    if members is None:
        inside = np.ones(said.num_rows, np.bool_)
    else:
        inside = pc.is_in(said["customer"], value_set=members).to_numpy()
    whole = _Texts(
        [cleaned(text) for text in said["text"].to_pylist()],
        encoded.indices.to_numpy().astype(np.int64),
        said["time"].to_numpy(),
        levels,
        inside,
    )
    writers = len(np.unique(whole.customers[inside]))
    found = Voice(name, as_of, days, tuple(sources), rated, None, None, 0, left_out, ())
    if writers < FEWEST:
        return found
    spoken = np.array(languages(whole.texts))
    told = [
        _told(whole.only(np.flatnonzero(spoken == one)), one, as_of, days)
        for one in np.unique(spoken[spoken != ""])
    ]
    return replace(
        found,
        texts=int(inside.sum()),
        customers=writers,
        wordless=int((inside & (spoken == "")).sum()),
        spoken=tuple(sorted((one for one in told if one.texts), key=lambda one: (-one.texts, one.language))),
    )


def _told(own: _Texts, language: str, as_of: Moment, days: int) -> Spoken:
    lines = [(place, line) for place, text in enumerate(own.texts) for line in sentences(text)]
    place = np.array([place for place, _ in lines], np.int64)
    themes = themes_of([line for _, line in lines], own.customers[place], language)
    has = np.zeros((len(themes.labels), len(own.texts)), np.bool_)
    has[themes.of[themes.of >= 0], place[themes.of >= 0]] = True
    found, rare = [], 0
    for number, label in enumerate(themes.labels):
        if len(np.unique(own.customers[has[number] & own.inside])) < FEWEST or not label:
            rare += 1
            continue
        examples = _examples([line for _, line in lines], place, themes, number, own, language)
        found.append(replace(_theme(own, has[number], as_of, days), terms=label, examples=examples))
    found = _corrected(found)
    found.sort(key=lambda one: (-one.customers, one.terms))
    writers = len(np.unique(own.customers[own.inside]))
    unthemed = int((own.inside & ~has.any(axis=0)).sum())
    name = LANGUAGES.get(language, language)
    return Spoken(name, int(own.inside.sum()), writers, tuple(found), unthemed, rare)


def _corrected(themes: Sequence[Theme]) -> list[Theme]:
    """With the p-values of all themes of a language adjusted together."""
    ratios = adjusted([one.ratio.p if one.ratio else math.nan for one in themes])
    changes = adjusted([one.change.p if one.change else math.nan for one in themes])
    return [
        replace(
            one,
            ratio=one.ratio and replace(one.ratio, p=ratio),
            change=one.change and replace(one.change, p=change),
        )
        for one, ratio, change in zip(themes, ratios, changes, strict=True)
    ]


def _theme(own: _Texts, has: Truth, as_of: Moment, days: int) -> Theme:
    inside, outside = own.inside, ~own.inside
    part, whole = _people(own, has & inside), _people(own, inside)
    other, others = _people(own, has & outside), _people(own, outside)
    recent = inside & (own.times > as_of - days * DAY)
    before = inside & ~recent & (own.times > as_of - 2 * days * DAY)
    low, high = inside & (own.levels == LOW), inside & (own.levels == HIGH)
    return Theme(
        (),
        int((has & inside).sum()),
        part,
        wilson(part, whole),
        rate_ratio(part, whole, other, others) if others >= FEWEST else None,
        _change(has, recent, before),
        _share(has, low),
        _share(has, high),
        (),
    )


def _people(own: _Texts, which: Truth) -> int:
    return len(np.unique(own.customers[which]))


def _change(has: Truth, recent: Truth, before: Truth) -> Estimate | None:
    if min(int(recent.sum()), int(before.sum())) < FEWEST:
        return None
    return rate_ratio(
        int((has & recent).sum()), int(recent.sum()), int((has & before).sum()), int(before.sum())
    )


def _share(has: Truth, rated: Truth) -> Estimate | None:
    whole = int(rated.sum())
    return wilson(int((has & rated).sum()), whole) if whole >= FEWEST else None


def _examples(
    lines: Sequence[str], place: NDArray[np.int64], themes: Themes, number: int, own: _Texts, language: str
) -> tuple[str, ...]:
    """The most typical sentences, of different customers; those of usual length, without masked parts and without words that
    hardly anybody else uses first. A few words with such a one are likely a name, and not shown."""
    mine = np.flatnonzero((themes.of == number) & own.inside[place])
    mine = np.array(
        [row for row in mine.tolist() if not themes.rare[row] or not _is_short(lines[row], language)],
        np.int64,
    )
    rank = {
        row: (_is_odd(lines[row], language), themes.rare[row] > 0, -themes.weight[row])
        for row in mine.tolist()
    }
    ranked = sorted(rank, key=lambda row: (*rank[row], row))
    found: list[str] = []
    taken: set[int] = set()
    for row in ranked:
        customer, line = int(own.customers[place[row]]), lines[row]
        if customer in taken or any(line.casefold() == one.casefold() for one in found):
            continue
        taken.add(customer)
        found.append(line if len(line) <= EXAMPLE_LENGTH else f"{line[: EXAMPLE_LENGTH - 1].rstrip()}…")
        if len(found) == EXAMPLES:
            break
    return tuple(found)


def _is_odd(line: str, language: str) -> bool:
    return "[" in line or len(line) > EXAMPLE_LENGTH or _is_short(line, language)


def _is_short(line: str, language: str) -> bool:
    return len(line) < 10 if language in WITHOUT_SPACES else len(line.split()) < 4
