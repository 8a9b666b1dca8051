"""A question under as much of what was understood as leaves something to show.

In: a query, and how to ask under some pieces of its reading. Out: what was found, with what
narrowed it and what was taken back; never silent. Pure, given the asking.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from search_api.query import ShopQuery, minor_amount
from search_api.retrieved import Retrieved
from search_api.understanding.denied import DENIED, affirmed, denied_pieces
from search_api.understanding.recognition import Known, Piece, Reading, read
from search_api.understanding.snapshot import Snapshot

Ask = Callable[[Sequence[Piece], str], Retrieved | None]
"""(pieces that narrow, words) -> what has enough of the words there; None where nothing has."""


def reading_of(query: ShopQuery, language: str, snapshot: Snapshot) -> Reading:
    """The question read; what the shopper has chosen already is not read a second time."""
    known = Known(
        query.categories,
        query.manufacturers,
        has_price=query.price_min is not None or query.price_max is not None,
        as_words=frozenset(query.as_words),
    )

    def minor(text: str) -> int | None:
        return minor_amount(text, query.currency)

    text = query.text if known.wants(DENIED) else affirmed(query.text, language)
    return read(text, language, query.currency, snapshot, known, minor)


def told(found: Retrieved, reading: Reading, query: ShopQuery, language: str) -> Retrieved:
    """What the words that found something say the thing is without, among what was understood, and
    what could not be asked for among what was taken back."""
    if reading.unmet:
        found = replace(found, taken_back=(*found.taken_back, *reading.unmet))
    pieces = denied_pieces(found.words, language, query.text) if found.words else ()
    return replace(found, understood=(*found.understood, *pieces)) if pieces else found


def under_pieces(reading: Reading, ask: Ask) -> Retrieved | None:
    """What is found by words; None where no word is known anywhere."""
    prices, rest = reading.parted()
    found = _under(ask, reading.pieces, reading.words)
    if found is not None:
        return found if found.has_all_words else _words_before_guesses(reading, ask, found)
    # The same thing for more money before other things at that price.
    for kept, words in ((rest, reading.words), (prices, reading.plain)):
        found = _under(ask, kept, words) if prices and rest else None
        if found is not None and found.has_all_words:
            return replace(found, taken_back=prices if kept is rest else rest)
    anything = ask((), reading.plain)
    return replace(anything, taken_back=reading.pieces) if anything is not None else None


def _words_before_guesses(reading: Reading, ask: Ask, found: Retrieved) -> Retrieved:
    """Words that no product has there say more than a category guessed: `laptop memory`."""
    prices, rest = reading.parted()
    other = _under(ask, prices, reading.plain) if rest else None
    if other is None or not other.has_all_words:
        return found
    return replace(other, taken_back=rest)


def _under(ask: Ask, pieces: Sequence[Piece], words: str) -> Retrieved | None:
    found = ask(pieces, words)
    if found is None or not found.result.total:
        return None
    return replace(found, understood=tuple(pieces))
