"""A slip of the hand in one part of a German compound: `Akkustausauger`, `Laptopruckasck`.

No product may show the compound itself, so that no list of words has it; its parts are shown. Pure,
given the snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator

from rapidfuzz import process
from rapidfuzz.distance import OSA

from indexer.analysis import OTHER
from search_api.understanding.snapshot import Snapshot

_HEAD, _TAIL = 3, 5
"""Fewest letters of the part in front, and of the one behind, which names the thing."""


def parts_meant(folded: str, snapshot: Snapshot) -> tuple[str, str] | None:
    """Both parts as they were meant, one of them a slip away; the longest known part wins.

    None for a word of two known parts: it stands.
    """
    found = list(_ways(folded, snapshot)) if len(folded) >= _HEAD + _TAIL else []
    if not found or any(head + tail == folded for _, head, tail in found):
        return None
    return max(found)[1:]


def _ways(folded: str, snapshot: Snapshot) -> Iterator[tuple[int, str, str]]:
    """Letters of the part that is known, then the parts."""
    german, names = (snapshot.words.get(name, {}) for name in ("de", OTHER))
    for start in range(_HEAD, len(folded) - _TAIL + 1):
        head, tail = folded[:start], folded[start:]
        if head in german or head in names:
            meant = _nearest(tail, snapshot, ("de",))
            if meant is not None and len(meant) >= _TAIL:
                yield len(head), head, meant
        if tail in german:
            meant = _nearest(head, snapshot, ("de", OTHER))
            if meant is not None:
                yield len(tail), meant, tail


def _nearest(word: str, snapshot: Snapshot, languages: tuple[str, ...]) -> str | None:
    """The most shown word that is one slip away and begins alike."""
    found = [
        (snapshot.words[name][candidate], candidate)
        for name in languages
        for length in range(len(word) - 1, len(word) + 2)
        for candidate, _, _ in process.extract(
            word,
            snapshot.maybe_near(word, name, length, 1),
            scorer=OSA.distance,
            processor=None,
            score_cutoff=1,
        )
        if candidate[:1] == word[:1] and len(candidate) >= _HEAD
    ]
    return max(found)[1] if found else None
