"""Themes of many sentences of one language: terms that go together, by TF-IDF and non-negative matrix factorization.

As in Lee and Seung (1999); scikit-learn does the arithmetic. A term counts only if at least five different customers use
it, so that no name of a single person becomes a theme. Seeded: the same sentences have the same themes.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ethogram.insight.people import Numbers
from ethogram.insight.stop_words import WORDS
from ethogram.insight.texts import WITHOUT_SPACES, terms
from ethogram.model.extras import require_extra

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FEWEST = 5
"""Customers who must use a term, and say something, before it is told."""
MOST_OFTEN = 0.5
"""Where no stop words are known, a term of more than this share of the sentences is taken for one."""
MOST_TERMS, MOST_FITTED = 20_000, 20_000
MOST_THEMES, SENTENCES_EACH = 10, 8
TOP, WEIGHS, STRONGEST = 12, 0.1, 3
"""A theme's terms are its so many strongest, which weigh a tenth of the first at least; a sentence belongs to it that has two of
them, or one of the three strongest."""
SEVERAL = 2
NAMED_BY, TOGETHER = 4, 0.8
"""So many terms name a theme; two words stand for one of them where they weigh so much of the one."""
SEED = 0


@dataclass(frozen=True, slots=True)
class Themes:
    """`of` says for each sentence which theme it has, -1 for none, and `weight` how strongly; `rare` how many of its terms fewer
    than five customers use; `labels` has the terms that name each theme."""

    labels: tuple[tuple[str, ...], ...]
    of: NDArray[np.int64]
    weight: Numbers
    rare: NDArray[np.int64]


def require_installed() -> None:
    """Raises EnvironmentFault E_EXTRA_MISSING."""
    require_extra("voice", ("sklearn",), "themes of texts need scikit-learn, which is not installed")


@dataclass(frozen=True, slots=True)
class _Words:
    """Which sentence has which term of the vocabulary, and how many that are not in it."""

    matrix: csr_matrix
    vocabulary: Sequence[str]
    rare: NDArray[np.int64]


def themes_of(sentences: Sequence[str], customers: NDArray[np.int64], language: str) -> Themes:
    """`customers` says whose each sentence is."""
    words = _words(sentences, customers, language)
    if not words.vocabulary:
        return Themes((), np.full(len(sentences), -1, np.int64), np.zeros(len(sentences)), words.rare)
    from sklearn.feature_extraction.text import TfidfTransformer

    weighted = TfidfTransformer().fit_transform(words.matrix)
    single = [place for place, term in enumerate(words.vocabulary) if " " not in term]
    spoken = _telling(np.diff(words.matrix[:, single].indptr))
    count = min(MOST_THEMES, len(words.vocabulary), max(1, round(math.sqrt(len(spoken) / SENTENCES_EACH))))
    shares, parts = _factors(weighted, spoken, count)
    top = [
        [int(k) for k in row[:TOP] if part[k] > WEIGHS * part.max()]
        for part, row in zip(parts, np.argsort(-parts, axis=1, kind="stable"), strict=True)
    ]
    of, weight = _assigned(words.matrix, shares, top)
    labels = [
        _label([(words.vocabulary[k], float(part[k])) for k in own], language)
        for part, own in zip(parts, top, strict=True)
    ]
    first = [min(place for place, other in enumerate(labels) if set(other) == set(own)) for own in labels]
    return Themes(tuple(labels), np.append(first, -1)[of], weight, words.rare)


def _words(sentences: Sequence[str], customers: NDArray[np.int64], language: str) -> _Words:
    """The vocabulary are terms that enough customers use."""
    from scipy.sparse import csr_matrix

    number: dict[str, int] = {}
    rows, columns = [], []
    for place, sentence in enumerate(sentences):
        for term in sorted(set(terms(sentence, language))):
            rows.append(place)
            columns.append(number.setdefault(term, len(number)))
    row, column = np.array(rows, np.int64), np.array(columns, np.int64)
    used = np.bincount(column, minlength=len(number))
    people = int(customers.max(initial=0)) + 1
    users = np.bincount(np.unique(column * people + customers[row]) // people, minlength=len(number))
    fit = users >= FEWEST
    if language not in WORDS and language not in WITHOUT_SPACES:
        fit &= used <= MOST_OFTEN * len(sentences)
    kept = np.flatnonzero(fit)
    kept = kept[np.argsort(-used[kept], kind="stable")][:MOST_TERMS]
    places = np.full(len(number), -1)
    places[kept] = np.arange(len(kept))
    cells = places[column] >= 0 if len(column) else np.zeros(0, np.bool_)
    filled = np.ones(int(cells.sum())), (row[cells], places[column[cells]])
    names = list(number)
    return _Words(
        csr_matrix(filled, shape=(len(sentences), len(kept))),
        [names[one] for one in kept.tolist()],
        np.bincount(row[users[column] < FEWEST], minlength=len(sentences)),
    )


def _factors(weighted: csr_matrix, spoken: NDArray[np.int64], count: int) -> tuple[Numbers, Numbers]:
    """How much of each theme every sentence has, and how much of each term every theme has."""
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    fitted = spoken
    if len(spoken) > MOST_FITTED:
        fitted = np.sort(np.random.default_rng(SEED).choice(spoken, MOST_FITTED, replace=False))
    count = min(count, len(fitted))
    start = "nndsvda" if count < min(len(fitted), weighted.shape[1]) else "random"
    model = NMF(count, init=start, random_state=SEED, max_iter=400)
    with (
        warnings.catch_warnings(),
        np.errstate(invalid="ignore"),
    ):  # of a perfect fit the error is just below zero
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(weighted[fitted])
        shares = np.asarray(model.transform(weighted))
    parts = np.asarray(model.components_)
    return shares * np.linalg.norm(parts, axis=1), parts


def _telling(terms: NDArray[np.int32]) -> NDArray[np.int64]:
    """The sentences that make themes: of several words, so that no greeting becomes one; where these are few, all."""
    long = np.flatnonzero(terms >= SEVERAL)
    return long if len(long) >= SENTENCES_EACH or not terms.any() else np.flatnonzero(terms)


def _assigned(
    words: csr_matrix, shares: Numbers, top: Sequence[Sequence[int]]
) -> tuple[NDArray[np.int64], Numbers]:
    """Each sentence's strongest theme, if it has two of that theme's top terms, or one of its strongest."""
    of, weight = shares.argmax(axis=1), shares.max(axis=1)
    strong = np.zeros((words.shape[1], len(top)))
    for theme, own in enumerate(top):
        strong[own, theme] = 1.0
        strong[own[:STRONGEST], theme] = 2.0
    has = np.asarray(words @ strong) >= 2
    of = np.where(has[np.arange(len(of)), of] & (weight > 0), of, -1)
    return of.astype(np.int64), weight


def _label(top: Sequence[tuple[str, float]], language: str) -> tuple[str, ...]:
    """The strongest terms, each telling something that the others do not; with its *not* where that nearly always stands there."""
    found: dict[str, float] = {}
    for term, weight in top:
        known = [one for one in found if _overlap(term, one, language)]
        if len(known) == 1 and known[0] in term and weight >= TOGETHER * found[known[0]]:
            found = {term if one == known[0] else one: strength for one, strength in found.items()}
        elif not known and len(found) < NAMED_BY:
            found[term] = weight
    return tuple(found)


def _overlap(one: str, other: str, language: str) -> bool:
    if language in WITHOUT_SPACES:
        return one in other or other in one or one[1:] == other[:-1] or other[1:] == one[:-1]
    return bool(set(one.split()) & set(other.split()))
