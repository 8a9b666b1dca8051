"""Words of every day as other readings of a question: `frigo`, `Handy`, `sans fil`.

The table beside this file says what titles call it. It is the platform's; a brand's own synonyms
stand beside it. Pure, given the snapshot.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import product
from typing import Any

from indexer.analysis import LANGUAGES, OTHER, QueryWord, query_words, shown_words
from indexer.engine import Expansion
from indexer.folding import fold
from indexer.stemming import stem
from search_api.understanding.snapshot import Snapshot

MOST = 12
"""Readings of one word."""
_SHORT = 3
"""Letters of a word that is no plural."""
_LONGEST = 4
"""Words of the longest phrase."""
_MEANT, _BESIDE, _SAME, _IMPLIED = 0.9, 0.05, 0.5, 0.3
"""What is meant, where titles say that and hardly what was said; where they say both. Another name
of a feature; what has it without saying so."""
_MUCH_MORE = 3
"""Times as many products that show what is meant as show what was said."""
_NONE: Mapping[str, float] = {}


def everyday_readings(
    text: str, language: str, snapshot: Snapshot
) -> dict[int, tuple[Expansion, ...]]:
    """Place of a word (as `query_words` numbers them) -> what may stand for it.

    Words that titles have themselves are hardly widened: `memory stick` is one where it is sold.
    """
    words = query_words(text, language)
    found: dict[int, dict[str, Expansion]] = {}
    for length in range(min(_LONGEST, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            run = words[start : start + length]
            for reading in _readings(run, language, snapshot):
                for place in range(start, start + length):
                    found.setdefault(place, {}).setdefault(reading.text, reading)
    return {place: tuple(rows.values())[:MOST] for place, rows in found.items()}


def opposites(text: str, language: str) -> dict[int, tuple[str, ...]]:
    """Place of a word that denies (`sans fil`) -> words of titles that say the contrary."""
    return {
        place: found
        for place, word in enumerate(query_words(text, language))
        if word.denied and (found := _opposites(language).get(_key((word,), language)))
    }


@lru_cache(maxsize=8)
def _opposites(language: str) -> Mapping[str, tuple[str, ...]]:
    return {
        _key(query_words(said, language), language): tuple(_phrases(row["opposite"]))
        for row in _table()["feature"]
        if "opposite" in row
        for said in _phrases(row.get(language, ""))
    }


@lru_cache(maxsize=8)
def meanings(language: str) -> tuple[tuple[str, str], ...]:
    """What is said, and the first thing that is meant, in one language."""
    rows = _table().get(language, {})
    return tuple(
        (said, _phrases(meant)[0])
        for meant, all_said in rows.items()
        for said in _phrases(all_said)
    )


@lru_cache(maxsize=1)
def everyday_words() -> frozenset[str]:
    """Every word (folded) by which people name a thing: right, though no product has it."""
    said = [phrase for language in LANGUAGES for phrase, _ in meanings(language)]
    return frozenset(word for phrase in said for word in shown_words(phrase))


@lru_cache(maxsize=1)
def feature_words() -> frozenset[str]:
    """Every word (folded) by which people say what a thing has: right as well, but no thing."""
    said = [_phrases(row[each]) for row in _table()["feature"] for each in LANGUAGES]
    return frozenset(word for phrases in said for phrase in phrases for word in shown_words(phrase))


def _readings(run: Sequence[QueryWord], language: str, snapshot: Snapshot) -> Iterator[Expansion]:
    said = " ".join(word.text for word in run)
    for other, weight in _of(run, language).items():
        is_beside = weight == _MEANT and not _is_said_less(said, other, language, snapshot)
        yield Expansion(other, _BESIDE if is_beside else weight)


def _is_said_less(said: str, meant: str, language: str, snapshot: Snapshot) -> bool:
    """Whether titles have what is meant much more often than what was said."""
    once = max(_titles(said, language, snapshot), 1)
    return _titles(meant, language, snapshot) >= _MUCH_MORE * once


def _titles(phrase: str, language: str, snapshot: Snapshot) -> int:
    """At most as many products show all of these words."""
    counts = [snapshot.shown(word, language) for word in shown_words(phrase)]
    return min(counts, default=0)


def _of(run: Sequence[QueryWord], language: str) -> Mapping[str, float]:
    """Readings of a run of words, written apart or (`blue tooth box`) in one."""
    in_one = _joined(run, language) if len(run) > 1 else ""
    known = _known(language)
    return known.get(_key(run, language)) or known.get(in_one, _NONE)


def _key(run: Sequence[QueryWord], language: str) -> str:
    return " ".join(_term(word, language) for word in run)


def _joined(run: Sequence[QueryWord], language: str) -> str:
    whole = "".join(word.text for word in run)
    return stem(fold(whole, language), language) if whole.isalpha() else ""


def _term(word: QueryWord, language: str) -> str:
    if language == "fr" and not word.denied:
        # Lighter than the stem: `télé` is not `tél`.
        return word.text.rstrip("sx") if len(word.text) > _SHORT else word.text
    alternatives = word.alternatives.get(language) or word.alternatives.get(OTHER, ())
    return " ".join(alternatives[0].terms) if alternatives else word.text


@lru_cache(maxsize=8)
def _known(language: str) -> Mapping[str, Mapping[str, float]]:
    """Keys of phrases -> their readings, each with what it counts."""
    found: dict[str, dict[str, float]] = {}
    for said, other, weight in _rows(language):
        run = query_words(said, language)
        keys = [_key(run, language), _joined(run, language) if len(run) > 1 else ""]
        for key in filter(None, keys):
            found.setdefault(key, {}).setdefault(other, weight)
    return found


def _rows(language: str) -> Iterator[tuple[str, str, float]]:
    """What is said, another reading, and what that counts."""
    for meant, all_said in _table().get(language, {}).items():
        for said, other in product(_phrases(all_said), _phrases(meant)):
            yield said, other, _MEANT
    for row in _table()["feature"]:
        names = [name for each in (language, *LANGUAGES) for name in _phrases(row.get(each, ""))]
        # English names are said, and stand on boxes, in every language.
        for said in dict.fromkeys(_phrases(f"{row.get(language, '')},{row['en']}")):
            yield from ((said, other, _SAME) for other in names if other != said)
            yield from ((said, other, _IMPLIED) for other in _phrases(row.get("implied", "")))


def _phrases(text: str) -> list[str]:
    return [phrase.strip() for phrase in text.split(",") if phrase.strip()]


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Any]:
    path = files("search_api.understanding").joinpath("everyday.toml")
    return tomllib.loads(path.read_text("utf-8"))
