"""Which category of our tree an offer belongs to: by Google's id, the merchant's words, the title.

What none of them names stays None: a wrong shelf is worse than none.
"""

from __future__ import annotations

import re
from functools import lru_cache

from kernel.categories import categories
from mdm.normalise.text import folded

_SEGMENT = re.compile(r"\s*[>|»/]\s*")
_GOOGLE_ID = re.compile(r"^\s*(\d{1,7})\b")


def category_of(google: str | None, stated: str | None, title: str) -> int | None:
    """Category id, or None."""
    return _by_google(google) or _by_path(stated) or by_words(title)


def by_words(text: str) -> int | None:
    """The category whose words come first in a text; the longest where several begin there."""
    found = _pattern().search(folded(text))
    return _phrases()[found[1]] if found else None


def _by_google(google: str | None) -> int | None:
    if not google:
        return None
    number = _GOOGLE_ID.match(google)
    if number:
        known = categories().get(int(number[1]))
        if known and known.parent is not None:
            return known.id
    return _by_path(google)


def _by_path(path: str | None) -> int | None:
    """The most specific segment that names a category of ours."""
    for segment in reversed(_SEGMENT.split(path or "")[:12]):
        found = _names().get(folded(segment)) or by_words(segment)
        if found:
            return found
    return None


@lru_cache(maxsize=1)
def _names() -> dict[str, int]:
    return {
        folded(name): each.id
        for each in categories().values()
        if each.parent is not None
        for name in each.names.values()
    }


@lru_cache(maxsize=1)
def _phrases() -> dict[str, int]:
    words = {folded(word): each.id for each in categories().values() for word in each.words}
    return {**_names(), **words}


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    phrases = sorted(_phrases(), key=len, reverse=True)
    return re.compile(rf"(?<!\w)({'|'.join(map(re.escape, phrases))})(?:s|n|en)?(?!\w)")
