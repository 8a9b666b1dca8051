"""Colours in a question as products state them, whatever language their titles are in.

`weiß` is `white` among the attributes, and `blanc` in a French title is refused to those who ask
for something that is `nicht weiß`. Only words that are the colour's plain name: who says `mint` or
`jet` may mean another thing. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from indexer.analysis import query_words
from indexer.engine import Expansion

WEIGHT = 0.9
_NAMES = {
    "black": {"de": "schwarz", "fr": "noir noire noirs noires"},
    "white": {"de": "weiss", "fr": "blanc blanche blancs blanches"},
    "grey": {"de": "grau", "fr": "gris grise grises", "en": "gray"},
    "silver": {"de": "silber silbern", "fr": "argent argente argentee argentes argentees"},
    "gold": {"de": "golden", "fr": "dore doree dores dorees"},
    "blue": {"de": "blau", "fr": "bleu bleue bleus bleues"},
    "red": {"de": "rot", "fr": "rouge rouges"},
    "green": {"de": "grun", "fr": "vert verte verts vertes"},
    "yellow": {"de": "gelb", "fr": "jaune jaunes"},
    "pink": {"de": "rosa", "fr": "rose roses"},
    "purple": {"de": "lila violett", "fr": "violet violette violets violettes", "en": "violet"},
    "brown": {"de": "braun", "fr": "marron marrons brun brune bruns brunes"},
}
_GERMAN_ENDINGS = ("", "e", "er", "es", "en", "em")


def colour_readings(text: str, language: str) -> Mapping[int, tuple[Expansion, ...]]:
    """Place of a word -> the colour that it names, as attributes state it."""
    known = _colours(language)
    return {
        place: (Expansion(known[word.text], WEIGHT),)
        for place, word in enumerate(query_words(text, language))
        if known.get(word.text, word.text) != word.text
    }


def colours_denied(text: str, language: str) -> Mapping[int, tuple[str, ...]]:
    """Place of a word that denies a colour -> what titles call that colour in any language."""
    known = _colours(language)
    return {
        place: tuple(dict.fromkeys(said for _, said in _said(known[word.denied])))
        for place, word in enumerate(query_words(text, language))
        if word.denied in known
    }


@lru_cache(maxsize=8)
def _colours(language: str) -> Mapping[str, str]:
    """Word of a language (folded) -> the colour, those of English being their own names."""
    return {
        word: colour for colour in _NAMES for name, word in _said(colour) if name in (language, "")
    }


def _said(colour: str) -> Iterator[tuple[str, str]]:
    """Language and word; the plain name, by which attributes state it, under no language."""
    yield "", colour
    for language, words in _NAMES[colour].items():
        for word in words.split():
            for ending in _GERMAN_ENDINGS if language == "de" else ("",):
                yield language, word + ending
