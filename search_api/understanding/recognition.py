"""What a question says in words that the shop has as a filter: price, category, maker, measure.

`lave-linge 8 kg moins de 400 €` is a category, a capacity and a price limit. Words alone stay
words: only a question that also states a price limit or a measure is narrowed (a colour alone is
not: those in other colours are the next best), and every narrowing is a piece that the shopper sees
and can undo. A slip of the hand hides none of them. Pure, given the snapshot of the index.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from indexer.accessories import of_question
from indexer.analysis import query_words, shown_words
from indexer.colours import ATTRIBUTE as COLOUR
from indexer.colours import colour_of_word
from indexer.folding import fold, key
from kernel.categories import categories
from search_api.understanding.everyday import meanings
from search_api.understanding.measure_limits import MeasureLimits, amount_of, measure_limits
from search_api.understanding.price_limits import Minor, price_limits
from search_api.understanding.snapshot import Measured, Snapshot
from search_api.understanding.spelling import corrected

PieceKind = Literal["price", "category", "manufacturer", "attribute", "denied"]
_FAR_MORE = 3
_MOST_VALUES = 60
"""Values of an attribute up to which a limit of it narrows."""
EVERYTHING = "all"
"""Said in the address: take every word as a word."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing understood. `value` is what the filter takes, `text` what the shopper wrote."""

    kind: PieceKind
    text: str
    value: str = ""
    key: str = ""
    values: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None

    @property
    def undone_as(self) -> str:
        """What an address says so that this piece alone is taken as words."""
        return COLOUR if self.key == COLOUR else self.kind


@dataclass(frozen=True, slots=True)
class Reading:
    """A question read: `words` are searched, `pieces` narrow the result.

    `plain` has every word but those of a price, for when nothing passes the pieces. `unmet` are
    limits that no attribute is known to have: neither searched nor narrowing, and said to be so.
    """

    words: str
    pieces: tuple[Piece, ...] = ()
    plain: str = ""
    unmet: tuple[Piece, ...] = ()

    def parted(self) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        """Limits of the price, and what else was understood."""
        prices = tuple(piece for piece in self.pieces if piece.kind == "price")
        return prices, tuple(piece for piece in self.pieces if piece.kind != "price")


@dataclass(frozen=True, slots=True)
class Known:
    """What the address already narrows to, and the kinds of piece to be taken as words."""

    categories: tuple[int, ...] = ()
    manufacturers: tuple[str, ...] = ()
    has_price: bool = False
    as_words: frozenset[str] = field(default_factory=frozenset)

    def wants(self, kind: str) -> bool:
        """Whether a piece of this kind may be recognised."""
        return kind not in self.as_words and EVERYTHING not in self.as_words


def read(
    text: str, language: str, currency: str, snapshot: Snapshot, known: Known, minor: Minor
) -> Reading:
    """Words and pieces of a question."""
    pieces: list[Piece] = []
    words = text
    if known.wants("price") and not known.has_price:
        price = price_limits(text, currency, minor)
        if price is not None:
            said = text[price.start : price.end]
            pieces.append(Piece("price", said.strip(), low=price.low, high=price.high))
            words = _cut(text, price.start, price.end)
    plain = words
    terms = _terms(words, language, snapshot)
    category = None if known.categories else _category(terms, language, snapshot)
    if category is not None and _is_for_it(words, category, language):
        category = None
    measures: list[Piece] = []
    unmet: tuple[Piece, ...] = ()
    limits = measure_limits(words, language) if known.wants("attribute") else None
    if limits is not None and category is not None:
        said = words[limits.start : limits.end]
        words = _cut(words, limits.start, limits.end)
        found = _within(limits, said, category, snapshot)
        measures += [found] if found else []
        unmet = () if found else (Piece("attribute", said),)
        plain = plain if found else words
        terms = _terms(words, language, snapshot)
    measures += _measures(terms, category, snapshot)
    measures = [piece for piece in measures if known.wants(piece.undone_as)]
    if not pieces and all(piece.key == COLOUR for piece in measures):
        return Reading(words, plain=plain, unmet=unmet)
    if category is not None and known.wants("category"):
        pieces.append(Piece("category", category.said, str(category.id)))
    pieces += measures
    if not known.manufacturers and known.wants("manufacturer"):
        pieces += _manufacturer(terms, snapshot)
    return Reading(_without(words, language, pieces), tuple(pieces), plain, unmet)


def _cut(text: str, start: int, end: int) -> str:
    return " ".join((text[:start] + " " + text[end:]).split())


@dataclass(frozen=True, slots=True)
class _Term:
    """A word as it was typed, and as it was probably meant."""

    typed: str
    meant: str


def _terms(words: str, language: str, snapshot: Snapshot) -> list[_Term]:
    found = []
    for word in query_words(words, language):
        better = corrected(word.text, language, snapshot)
        found.append(_Term(word.text, better.text if better else word.text))
    return found


def thing_named(text: str, language: str, snapshot: Snapshot) -> int | None:
    """The category with products that is asked for, and not what an accessory of it is for."""
    terms = [_Term(word.text, word.text) for word in query_words(text, language)]
    category = _category(terms, language, snapshot)
    if category is None or _is_for_it(text, category, language):
        return None
    return category.id


def kinds_named(text: str, language: str, snapshot: Snapshot) -> tuple[int, ...]:
    """Places of the words that say what kind of thing is meant: the category they name."""
    terms = [_Term(word.text, word.text) for word in query_words(text, language)]
    category = _category(terms, language, snapshot)
    if category is None:
        return ()
    said = set(category.said.split())
    return tuple(place for place, term in enumerate(terms) if term.typed in said)


@dataclass(frozen=True, slots=True)
class _Category:
    id: int
    said: str


def _category(terms: Sequence[_Term], language: str, snapshot: Snapshot) -> _Category | None:
    """The category with products that the longest run of words names; a leaf before its parent.

    Of runs of one length the one where the language has its head: a `smart phone case` is a case.
    """
    stems = [_stem(term.meant, language) for term in terms]
    for length in range(min(4, len(terms)), 0, -1):
        starts = range(len(terms) - length + 1)
        for start in starts if language == "fr" else reversed(starts):
            run = terms[start : start + length]
            ids = _phrases(language).get(tuple(stems[start : start + length]), ())
            if not ids and length > 1:
                # `lave linge` and `lave-linge`, `smart phone` and `smartphone` are one.
                joined = _stem("".join(term.meant for term in run), language)
                ids = _phrases(language).get((joined,), ())
            for id_ in ids:
                if snapshot.categories.get(id_):
                    return _Category(id_, " ".join(term.typed for term in run))
    return None


def _is_for_it(words: str, category: _Category, language: str) -> bool:
    """Whether an accessory is asked for, and the category names what it is for: `laptop bag`."""
    said = set(category.said.split())
    rest = " ".join(word for word in words.split() if said.isdisjoint(shown_words(word)))
    return of_question(rest, language) != 0


@lru_cache(maxsize=8)
def _phrases(language: str) -> Mapping[tuple[str, ...], tuple[int, ...]]:
    """Names and words of categories, analysed as a question of the language is."""
    found: dict[tuple[str, ...], dict[int, None]] = {}
    for category in categories().values():
        for phrase in (category.name(language), *category.words):
            terms = _stems(phrase, language)
            if terms:
                found.setdefault(terms, {})[category.id] = None
    for said, meant in meanings(language):
        named = found.get(_stems(meant, language), {})
        found.setdefault(_stems(said, language), {}).update(named)
    return {
        terms: tuple(sorted(ids, key=lambda id_: categories()[id_].parent is None))
        for terms, ids in found.items()
    }


def _stems(phrase: str, language: str) -> tuple[str, ...]:
    return tuple(_stem(word.text, language) for word in query_words(phrase, language))


def _stem(word: str, language: str) -> str:
    first = next(iter(query_words(word, language)), None)
    alternatives = first.alternatives.get(language, ()) if first else ()
    return alternatives[0].terms[0] if alternatives else word


def _measures(
    terms: Sequence[_Term], category: _Category | None, snapshot: Snapshot
) -> list[Piece]:
    """Measures and colours in the category, each under the attribute most products use."""
    if category is None:
        return []
    found = []
    for term in terms:
        said = term.typed in category.said.split()
        colour = None if said else colour_of_word(fold(term.meant))
        by_key: dict[str, list[Measured]] = {}
        for row in snapshot.measured.get(colour or term.typed, ()):
            if row.by_category.get(category.id):
                by_key.setdefault(row.key, []).append(row)
        if not by_key:
            continue
        best = max(by_key, key=lambda name: _products(by_key[name], category.id))
        values = tuple(sorted({row.value for row in by_key[best]}))
        label = min(values, key=len)
        found.append(Piece("attribute", term.typed, label, key=best, values=values))
    return found


def _within(
    limits: MeasureLimits, said: str, category: _Category, snapshot: Snapshot
) -> Piece | None:
    """The values within limits of the one attribute that is meant; None where that is not sure.

    Of several with such a unit (`gb` of memory and of storage) it is the one that has the amount,
    else one that three times as many products have as any other.
    """
    by_key: dict[str, dict[str, str]] = {}
    products: Counter[str] = Counter()
    for term, rows in snapshot.measured.items():
        read = amount_of(term)
        for row in rows if read is not None and read[1] == limits.unit else ():
            if row.by_category.get(category.id):
                by_key.setdefault(row.key, {})[row.value] = term
                products[row.key] += row.by_category[category.id]
    if len(by_key) > 1:
        ends = {limits.low, limits.high} - {None}
        stated = [
            name
            for name, values in by_key.items()
            if ends & {read[0] for term in values.values() if (read := amount_of(term))}
        ]
        (first, most), (_, next_most) = products.most_common(2)
        frequent = [first] if most >= _FAR_MORE * next_most else []
        by_key = {name: by_key[name] for name in (stated or frequent)}
    if len(by_key) != 1:
        return None
    (name, values) = next(iter(by_key.items()))
    allowed = tuple(sorted(value for value, term in values.items() if limits.allows(term)))
    # Of an attribute of many values not all are known here: those left out would be lost.
    if not allowed or len(values) > _MOST_VALUES:
        return None
    return Piece("attribute", said, key=name, values=allowed)


def _products(rows: Sequence[Measured], category_id: int) -> int:
    return sum(row.by_category.get(category_id, 0) for row in rows)


def _manufacturer(terms: Sequence[_Term], snapshot: Snapshot) -> Iterator[Piece]:
    for length in (3, 2, 1):
        for start in range(len(terms) - length + 1):
            run = terms[start : start + length]
            for words in ([term.typed for term in run], [term.meant for term in run]):
                value = key(" ".join(words))
                if value in snapshot.manufacturers:
                    yield Piece("manufacturer", " ".join(term.typed for term in run), value)
                    return


def _without(words: str, language: str, pieces: Sequence[Piece]) -> str:
    """The words that are still to be searched: those of a category stay, they order the list."""
    gone = {piece.text for piece in pieces if piece.kind == "attribute"}
    gone |= {
        part for piece in pieces if piece.kind == "manufacturer" for part in piece.text.split()
    }
    return " ".join(word.text for word in query_words(words, language) if word.text not in gone)
