"""Which generation of a model a title names: `Mark II`, `mk 3`, a bare `iv`. Pure.

Two generations share all other words, and often the short name too.
"""

from __future__ import annotations

import re
from functools import lru_cache

ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7}
# What stands before the number of a generation; `marki` is a word.
MARK = r"\b(?:(?:mark|mk)[ .-]|mk|mark(?=i[iv]|\d))"
# A single letter counts behind `mark` only; `UHS-II` is a norm.
_NUMERAL = re.compile(
    MARK + r"(i{1,3}|iv|vi{0,2}|[1-9])\b"
    r"|(?<!uhs )(?<!uhs-)\b(ii|iii|iv|vi|vii)\b"
)


@lru_cache(maxsize=50_000)
def generations(text: str) -> frozenset[int]:
    """By number, out of folded text."""
    named = (found[1] or found[2] for found in _NUMERAL.finditer(text))
    return frozenset(int(each) if each.isdigit() else ROMAN[each] for each in named)
