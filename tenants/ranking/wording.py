"""Words as rules compare them: no case, no accents, letters and digits only. Pure."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l"})
MOST_WORDS = 60


def rule_words(text: str) -> tuple[str, ...]:
    """`Café-Crème 500 g` -> cafe, creme, 500, g; at most MOST_WORDS of them."""
    folded = text.casefold().translate(_LIGATURES)
    if not folded.isascii():
        decomposed = unicodedata.normalize("NFKD", folded)
        folded = "".join(char for char in decomposed if not unicodedata.combining(char))
    return tuple(_WORD.findall(folded)[:MOST_WORDS])


def maker_key(name: str) -> str:
    """`De'Longhi` -> delonghi, `Müller & Söhne` -> muller-sohne: a maker as the facet has it."""
    plain = re.sub("['’‘ʼ´`]", "", name)
    return "-".join(rule_words(plain))[:80].strip("-")
