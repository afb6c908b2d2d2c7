"""Free text made fit for counting and showing: cleaned, personal data masked, in sentences, in which language, as terms."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from ethogram.insight.stop_words import NEGATIONS, WORDS

MOST_CHARACTERS, MOST_SENTENCES = 20_000, 60
"""So much of one text counts; who writes a book is one customer like all others."""
ENOUGH = 1_000
"""Characters by which a language is known."""
LANGUAGES: Final = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "pt": "Portuguese", "nl": "Dutch",
    "sv": "Swedish", "da": "Danish", "no": "Norwegian", "fi": "Finnish", "pl": "Polish", "cs": "Czech", "ru": "Russian",
    "el": "Greek", "ja": "Japanese", "zh": "Chinese", "ko": "Korean", "th": "Thai", "ar": "Arabic", "he": "Hebrew",
    "hi": "Hindi",
}  # fmt: skip
WITHOUT_SPACES: Final = frozenset(("ja", "zh", "th"))
_SCRIPTS: Final = (
    ("ja", "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9d"),
    ("zh", "\u2e80-\u2fdf\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"),
    ("ko", "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"),
    ("th", "\u0e00-\u0e7f"),
    ("ar", "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff"),
    ("he", "\u0590-\u05ff"),
    ("hi", "\u0900-\u097f"),
    ("ru", "\u0400-\u052f"),
    ("el", "\u0370-\u03ff\u1f00-\u1fff"),
    ("latin", "A-Za-z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff"),
)
_OF_SCRIPT: Final = {name: re.compile(f"[{characters}]") for name, characters in _SCRIPTS}


# --- cleaning and masking -------------------------------------------------------------------------------------------

_MASKS: Final = (
    (re.compile(r"(?:https?://|www\.)\S+(?<![.,;:!?)])", re.I), "[link]"),
    (
        re.compile(
            r"(?<![\w.+-])[\w.+-]++(?:\s?(?:\(at\)|\[at\])\s?|@)[\w-]+(?:\s?(?:\.|\(dot\)|\[dot\])\s?[\w-]+)+",
            re.I,
        ),
        "[e-mail]",
    ),
    (re.compile(r"(?<![\w.])@\w{2,}"), "[name]"),
    (re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){3,7}(?:[ ]?[A-Z0-9]{1,4})?\b"), "[number]"),
    (re.compile(r"(?<!\w)(?:\+|\(?0)[\s./()-]{0,2}(?:\d[\s./()-]{0,3}){5,}\d"), "[phone]"),
    (re.compile(r"\d(?:[\s./()-]{0,2}\d){6,}"), "[number]"),
    (re.compile(r"\d{6,}"), "[number]"),
)
_MASK: Final = re.compile(r"\[(?:link|e-mail|name|number|phone)\]")
_KEPT: Final = frozenset("\u200c\u200d")
"""Joiners that letters and emoji need."""


def cleaned(text: str) -> str:
    """In one form of Unicode, without control characters and what turns the direction of writing; personal data masked.

    >>> cleaned("Mail me: ann@example.com, or +44 20 7946 0958!\\x07")
    'Mail me: [e-mail], or [phone]!'
    """
    text = unicodedata.normalize("NFKC", text[:MOST_CHARACTERS]).translate(_PLAIN)
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text.strip()


class _Plain(dict[int, str]):
    """What becomes of each character; found out once."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kept = character
        if character in "\n\r\u2028\u2029":
            kept = "\n"
        elif character not in _KEPT and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn"):
            kept = " " if character == "\t" else ""
        self[code] = kept
        return kept


_PLAIN: Final = _Plain()
_END: Final = re.compile(r"(?<=[.!?…؟।])\s+|(?<=[。！？])|\n+")


def sentences(text: str) -> list[str]:
    """
    >>> sentences("Too late. Twice!\\n届くのが遅い。残念です。")
    ['Too late.', 'Twice!', '届くのが遅い。', '残念です。']
    """
    found = (" ".join(part.split()) for part in _END.split(text))
    return [part for part in found if part][:MOST_SENTENCES]


# --- languages ------------------------------------------------------------------------------------------------------


def language(text: str) -> str:
    """By script, and where it is Latin by the most frequent words; "latin" where these say nothing, "" without letters."""
    text = text[:ENOUGH]
    counts = {name: len(pattern.findall(text)) for name, pattern in _OF_SCRIPT.items()}
    if counts["ja"] and counts["ja"] + counts["zh"] >= counts["latin"]:
        return "ja"
    best = max(counts, key=lambda name: counts[name])
    if not counts[best]:
        return ""
    if best != "latin":
        return best
    words = Counter(_WORD.findall(text.casefold()))
    hits = {
        name: sum(count for word, count in words.items() if word in own)
        for name, own in WORDS.items()
        if name not in ("ru", "el")
    }
    first, second = sorted(hits.values())[-1], sorted(hits.values())[-2]
    return max(hits, key=lambda name: hits[name]) if first > second else "latin"


def languages(texts: Sequence[str]) -> list[str]:
    """Of each text; short ones in Latin letters count as what most of the others in Latin letters are."""
    found = [language(text) for text in texts]
    common = Counter(one for one in found if one in WORDS and one not in ("ru", "el")).most_common(1)
    usual = common[0][0] if common else "en"
    return [usual if one == "latin" else one for one in found]


# --- terms ----------------------------------------------------------------------------------------------------------


def _marks() -> str:
    """Signs that belong to the letter before them, as in Hindi, in ranges."""
    ranges, start, before = [], -1, -2
    for code in [*(c for c in range(0x20000) if unicodedata.category(chr(c))[0] == "M"), sys.maxunicode + 2]:
        if code != before + 1:
            if start >= 0:
                ranges.append(f"{chr(start)}-{chr(before)}")
            start = code
        before = code
    return "".join(ranges)


_WORD: Final = re.compile(rf"[^\W\d_][^\W\d_{_marks()}]*(?:[{_marks()}]+[^\W\d_]*)*")
_RUN: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\u0e00-\u0e7f]+")
_KANA: Final = re.compile(r"[\u3041-\u309f]{4,}")
_KATAKANA: Final = re.compile(r"[\u30a1-\u30fa\u30fc-\u30ff]{2,}")
_KANJI: Final = re.compile(r"([\u3005\u3400-\u9fff\uf900-\ufaff]+)([\u3041-\u309f]*)")
_GRAMMAR: Final = re.compile(
    "です|ます|まし|でし|した|して|った|って|てい|から|まで|ので|こと|もの|という|とて|ても|なり|よう|ませ|では|には|との"
)
_POINTS: Final = re.compile(r"[\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0640]")
"""Vowel points, which some write and some do not."""
_COMMON_CHINESE: Final = frozenset("太的了是我你他她它们和在有不这那就也都很而与及或一个没吗呢吧啊会要")


def terms(sentence: str, language: str) -> Iterator[str]:
    """Words without those that tell nothing, and what follows a *not* with it; of a language without spaces runs of characters.

    >>> sorted(terms("The parcel did not arrive", "en"))
    ['arrive', 'not arrive', 'parcel']
    """
    text = _POINTS.sub("", _MASK.sub(" ", sentence)).casefold()
    if language in WITHOUT_SPACES:
        yield from set(_grams(text, language))
        return
    negation = ""
    for word in _WORD.findall(text):
        if word in NEGATIONS:
            negation = word
        elif len(word) > 1 and word not in WORDS.get(language, ()):
            yield word
            if negation:
                yield f"{negation} {word}"
            negation = ""


def _grams(text: str, language: str) -> Iterator[str]:
    for run in _RUN.findall(text):
        if language == "th":
            yield from _slices(run, 5)
        elif language == "ja":
            yield from _japanese(run)
        else:
            grams = (gram for length in (2, 3, 4) for gram in _slices(run, length))
            yield from (gram for gram in grams if _COMMON_CHINESE.isdisjoint(gram))


def _slices(run: str, length: int) -> Iterator[str]:
    return (run[start : start + length] for start in range(len(run) - length + 1))


def _japanese(run: str) -> Iterator[str]:
    """Words in katakana; runs of kanji, of long ones their parts, a single one with what is written after it; of what is in
    hiragana alone four signs, unless they are grammar."""
    yield from _KATAKANA.findall(run)
    for kanji, after in _KANJI.findall(run):
        if len(kanji) == 1:
            yield kanji + after[:1]
        else:
            yield kanji
            yield from _slices(kanji, 2) if len(kanji) > 3 else ()
    for kana in _KANA.findall(run):
        yield from (gram for gram in _slices(kana, 4) if not _GRAMMAR.search(gram))
