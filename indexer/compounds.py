"""German compounds: `kaffeemaschinen` has the parts `kaffee` and `maschine`.

Splits only where every part is known (the list beside this file and the names of the category
tree), so a make or a foreign word stays whole. In: a folded word. Out: stems of its parts.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files

from indexer.folding import fold
from indexer.stemming import stem
from kernel.categories import categories

_LINKS = ("", "s", "n", "en", "es", "er")
_SHORTEST = 3
_LONGEST_WORD = 40


@lru_cache(maxsize=1)
def _words() -> frozenset[str]:
    """Known parts as they are, folded."""
    lines = files("indexer").joinpath("german_parts.txt").read_text("utf-8").splitlines()
    words = [word for line in lines if not line.startswith("#") for word in line.split()]
    for category in categories().values():
        for phrase in (category.name("de"), *category.words):
            words += re.findall(r"\w+", fold(phrase, "de"))
    return frozenset(fold(word, "de") for word in words)


@lru_cache(maxsize=1)
def _parts() -> frozenset[str]:
    """Known parts, as they are and stemmed."""
    return frozenset(
        form
        for word in _words()
        for form in (word, stem(word, "de"))
        if _SHORTEST <= len(form) <= 14
    )


def is_part(word: str) -> bool:
    """Whether a folded word is known as a part of compounds: a German word, sold alone or not."""
    return word in _words()


@lru_cache(maxsize=50_000)
def split(word: str) -> tuple[str, ...]:
    """Stems of the parts, or nothing where the word is no compound of known parts."""
    if len(word) < 2 * _SHORTEST or len(word) > _LONGEST_WORD:
        return ()
    parts = _split(word, depth=3)
    return tuple(stem(part, "de") for part in parts) if len(parts) > 1 else ()


def _split(word: str, depth: int) -> list[str]:
    """Fewest parts first: the longest tail that is known, what stands before it split again."""
    for start in range(_SHORTEST, len(word) - _SHORTEST + 1):
        tail = word[start:]
        if tail not in _parts() and stem(tail, "de") not in _parts():
            continue
        head = _head(word[:start])
        if head:
            return [head, tail]
        if depth > 2:
            before = _split(word[:start], depth - 1)
            if before:
                return [*before, tail]
    return []


def _head(word: str) -> str:
    """The known part at the front, without its linking letters; empty for none."""
    for link in _LINKS:
        part = word.removesuffix(link) if link else word
        if word.endswith(link) and len(part) >= _SHORTEST and part in _parts():
            return part
    return ""
