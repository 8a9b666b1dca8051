"""Which kinds of accessory a text names, as bits: `Laptop bag` is a bag, and no laptop.

The second stage compares the bits of a product's title with those of the question: who asks for the
thing alone does not mean what comes with, on or for it. In: texts. Out: an integer. Pure.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from indexer import compounds
from indexer.denials import together
from indexer.folding import fold
from indexer.stemming import stem

MOST_KINDS = 62
"""Bits that a signed 64-bit number of an index holds."""
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_PIECE = re.compile(r"[^\W\d_]+")
_WITH = frozenset(
    ("with", "mit", "avec", "inkl", "incl", "including", "inclus", "inklusive", "plus")
)
_LANGUAGES = ("en", "fr", "de")
# Several things sold as one stand back where one of them is asked for.
_BUNDLE = re.compile(
    r"^(?:set|pack|bundle|kit|ensemble|lot|paket)\b(?!.*\bfor\b)|^\d+\s?x\s"
    r"|\b\d+\s?er[- ]?(?:pack|set)\b|\b(?:lot|pack|set) (?:de|of) \d+\b"
    r"|\s\+\s(?!usb|hdmi|lan|wifi|wi-fi|type|bluetooth)(?=[^\W\d_]{3})"
)
_BUNDLE_KIND = "bundle"
_WHOLE_NAMES = {
    "uninterruptible power supply": "ups",
    "uninterruptible power supplies": "ups",
    "vacuum cleaner": "vacuum",
    "vacuum cleaners": "vacuum",
    "touch screen": "touchscreen",
    "flat screen": "flatscreen",
}
"""Names that end like an accessory's or a part's, and a word that does not."""
_WHOLE_NAME = re.compile("|".join(rf"\b{name}\b" for name in _WHOLE_NAMES))
_FITS_A_RACK = re.compile(
    r"\brack(?:\s\(\d+u\)|/tower|[\s-]?mount(?:ed|able))(?!\w)|\btower/rack\b"
)
"""How a thing is built, and no rack."""


def named(text: str, language: str) -> int:
    """Every kind that a question names, by any of its words."""
    words = _words(text, language)
    bits = 0
    for place, pieces in enumerate(words):
        for piece in pieces:
            bits |= kinds_by_name(language).get(piece, 0)
        if place:
            bits |= kinds_by_name(language).get(f"{words[place - 1][-1]} {pieces[-1]}", 0)
    return bits


def whole_names(folded: str) -> str:
    """A folded text with such names of things in one word that name no accessory."""
    if "rack" in folded:
        folded = _FITS_A_RACK.sub(",", folded)
    return _WHOLE_NAME.sub(lambda found: _WHOLE_NAMES[found[0]], folded)


def of_title(title: str, language: str) -> int:
    """The kinds that a product is of, by its title.

    What comes along (`with`, `avec`) and what is counted (`2 batteries`) are parts of the thing; of
    a compound only its last part names what it is (`Akku-Staubsauger` is no battery).
    """
    folded = whole_names(fold(title[:500]))
    kinds = kinds_by_name(language)
    bits = _bundle() if _BUNDLE.search(folded) else 0
    before = ""
    numbered = False
    for place, word in enumerate(together(_WORD.findall(folded), language)):
        if place and word in _WITH:
            break
        if " " in word:
            continue  # it is without that
        last = _last_piece(word, language)
        if not numbered and last:
            bits |= kinds.get(last, 0)
        if before and last:
            bits |= kinds.get(f"{before} {last}", 0)
        before, numbered = last, not last
    return bits


def of_question(text: str, language: str) -> int:
    """The kinds of accessory that are asked for: read as a title, whatever comes in packs."""
    return of_title(text, language) & ~_bundle()


@lru_cache(maxsize=50_000)
def _last_piece(word: str, language: str) -> str:
    """What a word names by its end; empty for one with a number in it."""
    end = word.rpartition("-")[2]
    return _pieces(end, language)[-1] if _PIECE.fullmatch(end) else ""


def of_titles(titles: Mapping[str, str]) -> int:
    """The kinds by the titles in every language that is known here."""
    bits = 0
    for language, title in titles.items():
        bits |= of_title(title, language if language in _LANGUAGES else "en")
    return bits


@lru_cache(maxsize=1)
def _bundle() -> int:
    return 1 << list(_rows()).index(_BUNDLE_KIND)


def _words(text: str, language: str) -> list[tuple[str, ...]]:
    found = _WORD.findall(whole_names(fold(text[:500])))
    found = [word for word in together(found, language) if " " not in word]
    return [
        tuple(part for piece in _PIECE.findall(word) for part in _pieces(piece, language))
        for word in found
        if _PIECE.search(word)
    ]


@lru_cache(maxsize=50_000)
def _pieces(word: str, language: str) -> tuple[str, ...]:
    """The stem of a word; in German behind the parts it is made of."""
    whole = stem(fold(word, language), language)
    parts = compounds.split(fold(word, "de")) if language == "de" else ()
    known = kinds_by_name(language)
    if whole in known or not parts:
        return (*parts, whole)
    return (whole, *parts)


@lru_cache(maxsize=1)
def _rows() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(files("indexer").joinpath("accessories.toml").read_text("utf-8"))


@lru_cache(maxsize=4)
def kinds_by_name(language: str) -> Mapping[str, int]:
    """Stems (of one word or two) -> bits. Shops mix English words into every language."""
    rows = _rows()
    if len(rows) > MOST_KINDS:
        raise ValueError(f"accessories.toml has {len(rows)} kinds, {MOST_KINDS} fit")
    found: dict[str, int] = {}
    for place, row in enumerate(rows.values()):
        for name in dict.fromkeys((language if language in row else "en", "en")):
            for phrase in row[name].split(","):
                words = _PIECE.findall(fold(phrase))
                key = " ".join(stem(fold(word, language), language) for word in words[-2:])
                found[key] = found.get(key, 0) | 1 << place
    return found
