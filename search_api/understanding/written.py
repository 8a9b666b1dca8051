"""Words as people write them: an index knows `refrigerateur`, a shopper reads `réfrigérateur`.

In: texts of products and names of categories. Out: for each language, folded words and the way in
which most texts write them, where that is another one. Pure.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from indexer.document import ProductDocument
from indexer.folding import fold
from kernel.categories import categories

_WORD = re.compile(r"[^\W\d_]{3,40}")
_TYPED = re.compile(r"[^\W_]+")
_LONGEST = 2_000
"""Letters of a description that are read."""

Written = Mapping[str, Mapping[str, str]]


def written(documents: Iterable[ProductDocument]) -> Written:
    """Language -> folded word -> how it is written, words that are written plainly left out."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for document in documents:
        for texts in (document.titles, document.descriptions):
            for language, text in texts.items():
                counts[language].update(_WORD.findall(text[:_LONGEST].lower()))
    for category in categories().values():
        for language, name in category.names.items():
            counts[language].update(_WORD.findall(name.lower()))
    return {language: _most_common(found) for language, found in counts.items()}


def as_written(text: str, written_words: Mapping[str, str]) -> str:
    """A text of folded words with each word as it is written."""
    return " ".join(written_words.get(word, word) for word in text.split(" "))


def as_typed(words: Iterable[str], text: str) -> tuple[str, ...]:
    """Folded words as they stand in a text: `grossem` was typed `großem`."""
    typed = {fold(word): word for word in _TYPED.findall(text)}
    return tuple(" ".join(typed.get(part, part) for part in word.split()) for word in words)


def _most_common(counts: Counter[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word, _ in counts.most_common():
        found.setdefault(fold(word), word)
    return {folded: word for folded, word in found.items() if folded != word}
