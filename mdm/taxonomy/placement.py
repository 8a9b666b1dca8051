"""Where an offer stands in the taxonomy, how sure that is, and who says so. Pure.

In the order of trust: a steward's word on the merchant's category, the id the merchant states, the
names in its category path, what was worked out for that path before, words of the title.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from kernel.categories import categories
from mdm.normalise.text import folded
from mdm.taxonomy.names import own_index, segments_of
from mdm.taxonomy.tree import is_department, lineage, shelf_of

By = Literal["steward", "stated", "names", "titles", "meaning", "title"]

# How often each is right, in per cent, at the least that was measured (docs/benchmarks.md). Nobody
# can measure what merchants state: they know their goods, and some take one id for all of them.
STEWARD, STATED, NAMED, NAMED_ABOVE, WORD_WITHIN, TITLE = 100, 95, 90, 70, 70, 60
TITLE_WITHIN = 85

APPLIED_PERCENT = 80
"""From here on what was worked out for a category is put into effect without anybody looking."""

_GOOGLE_ID = re.compile(r"^\s*(\d{1,7})\b")


@dataclass(frozen=True, slots=True)
class Placement:
    """An id of the taxonomy; `percent` is how sure. None where it belongs to nothing of it."""

    google_id: int | None
    percent: int
    by: By

    @property
    def category_id(self) -> int | None:
        """The shop's shelf."""
        return shelf_of(self.google_id) if self.google_id is not None else None


Remembered = Mapping[str, Placement]
"""By the merchant's category text."""


def place(
    google: str | None, stated: str | None, title: str, remembered: Remembered | None = None
) -> Placement | None:
    """The best known place of an offer; None where nothing names one."""
    kept = (remembered or {}).get(stated or "")
    if kept is not None and kept.by == "steward":
        return kept
    titled = by_title(title)
    told = by_google(google)
    if told is not None and told.google_id is not None and not is_department(told.google_id):
        return _closer(told, titled)
    named = by_path(stated)
    if named is not None and named.percent >= NAMED:
        return _closer(named, titled)
    if kept is not None and kept.percent >= APPLIED_PERCENT:
        return _closer(kept, titled)
    wide = named or told
    return _closer(wide, titled) if wide is not None else titled


def _closer(wide: Placement, titled: Placement | None) -> Placement:
    """A title that names something within a category says more than the category does."""
    if titled is None or titled.google_id is None or wide.google_id == titled.google_id:
        return wide
    is_within = wide.google_id in lineage(titled.google_id)
    return Placement(titled.google_id, TITLE_WITHIN, "title") if is_within else wide


def by_google(google: str | None) -> Placement | None:
    """What the merchant states as Google's id, or as a path of its names."""
    if not google:
        return None
    number = _GOOGLE_ID.match(google)
    if number and lineage(int(number[1])):
        return Placement(int(number[1]), STATED, "stated")
    return by_path(google)


def by_path(path: str | None) -> Placement | None:
    """The most specific segment of a path that names something."""
    segments = segments_of(path or "")
    for end in range(len(segments), 0, -1):
        found = own_index().along(segments[:end])
        if found:
            return Placement(found, NAMED if end == len(segments) else NAMED_ABOVE, "names")
        within = word_within(segments[end - 1])
        if within:
            return Placement(within, WORD_WITHIN, "names")
    return None


def by_title(title: str) -> Placement | None:
    """By the words that a title has for a shelf."""
    found = word_within(title)
    return Placement(found, TITLE, "title") if found else None


def word_within(text: str) -> int | None:
    """The shelf whose words come first in a text; the longest where several begin there."""
    found = _pattern().search(folded(text))
    return _phrases()[found[1]] if found else None


@lru_cache(maxsize=1)
def _phrases() -> dict[str, int]:
    """Names and words of the shop's own shelves: departments are too wide to be read off words."""
    leaves = [each for each in categories().values() if each.parent is not None]
    names = {folded(name): each.id for each in leaves for name in each.names.values()}
    return names | {folded(word): each.id for each in leaves for word in each.words}


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    phrases = sorted(_phrases(), key=len, reverse=True)
    return re.compile(rf"(?<!\w)({'|'.join(map(re.escape, phrases))})(?:s|n|en)?(?!\w)")
