"""Which words of a question can be done without, where no product has them all. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from indexer.analysis import QueryWord, query_words
from indexer.folding import key
from search_api.understanding.numbers import names_a_model
from search_api.understanding.recognition import kinds_named
from search_api.understanding.snapshot import Snapshot

_MAKER = 3
"""Words of the longest maker's name that is looked for."""


def least_telling_first(text: str, language: str, snapshot: Snapshot) -> list[str]:
    """Words by how little is lost without them: unknown ones, then frequent ones.

    What the thing is to be without goes first: it is no thing. A maker's name is kept longer than
    any other word, and what names the kind of thing longest.
    """
    asked = query_words(text, language)
    words = [word.text for word in asked]
    denied = {word.text for word in asked if word.denied}
    kinds = {words[place] for place in kinds_named(text, language, snapshot)}
    makers = _makers(words, snapshot)
    order = snapshot.weakest_first(words, language)
    order.sort(key=lambda word: (word not in denied, word in kinds, word in makers))
    return order


def says_little(rest: str, text: str, language: str, snapshot: Snapshot) -> bool:
    """Whether the rest of a text is less than half of it and names no thing, maker or model.

    `star` alone is not what was asked for by `lego star wars`, nor `e` by `e bike`; and a size
    alone (`42` of `zzyxq boots 42`) is that of anything, by dishwashers of 42 dB.
    """
    words = [word.text for word in query_words(rest, language) if len(word.text) > 1]
    if words and 2 * len(words) >= len(query_words(text, language)):
        return False
    is_named = kinds_named(rest, language, snapshot) or _makers(words, snapshot)
    return not is_named and not any(names_a_model(word) for word in rest.split())


def indispensable(words: Sequence[QueryWord], kinds: tuple[int, ...]) -> tuple[int, ...]:
    """Places of the words that half of a question is nothing without: the `kinds` of thing named.

    Where none is, and all words but one are single letters, that one: by the other half of `e bike`
    whatever is of energy class E would be found.
    """
    if kinds:
        return kinds if len(kinds) < len(words) else ()
    telling = [place for place, word in enumerate(words) if len(word.text) > 1 and not word.denied]
    return tuple(telling) if len(telling) == 1 < len(words) else ()


def _makers(words: Sequence[str], snapshot: Snapshot) -> set[str]:
    """Words that name a maker with products, alone or together."""
    runs = (
        words[start : start + length]
        for length in range(_MAKER, 0, -1)
        for start in range(len(words) - length + 1)
    )
    return {word for run in runs if key(" ".join(run)) in snapshot.manufacturers for word in run}
