"""Suggestions while somebody types: queries, categories, makers, products, each with its address.

In: the beginning of a query. Out: a few typed suggestions, in the order to show them. What nobody
has begins so is read as one typing error. Tables are built in the background and taken anew every
KEEP_S; until the first is there, products alone are proposed. No SQL.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from indexer.analysis import OTHER
from indexer.engine import Engine
from indexer.folding import fold
from kernel.categories import categories
from kernel.errors import DomainError
from search_api.overview import Overview, Overviews
from search_api.query import ShopQuery, address, printable
from search_api.suggest_table import Phrase, PhraseKind, SuggestTable
from tenants.brand import Brand

Frequent = Callable[[str, str], Sequence[tuple[str, int]]]
SuggestionKind = Literal["query", "category", "manufacturer", "product"]

KEEP_S = 600.0
"""Words and counts change slowly, and taking them is half a second of work beside shoppers'."""
MOST_TYPED = 80
MOST = 20
_LOG = logging.getLogger(__name__)
_SHARES: tuple[tuple[PhraseKind, int], ...] = (("query", 4), ("category", 2), ("manufacturer", 2))
_LEAST_CORRECTED = 3
"""Letters of the shortest word that is read as a typing error."""
_MOST_CORRECTED = 3
"""Words of one query that are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """`text` is what is shown and typed on; `url` is where choosing it leads."""

    type: SuggestionKind
    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestAnswer:
    """`read_as` says how the query was read where it was taken for a typing error."""

    query: str
    read_as: str | None
    suggestions: tuple[Suggestion, ...]


class Suggestions:
    """The suggestions of every brand and language."""

    def __init__(self, engine: Engine, overviews: Overviews, frequent: Frequent) -> None:
        self._engine = engine
        self._overviews = overviews
        self._frequent = frequent
        self._tables: dict[tuple[str, str], tuple[float, SuggestTable]] = {}
        self._building: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def of(self, typed: str, brand: Brand, language: str, limit: int = 10) -> SuggestAnswer:
        """A few suggestions; none for an empty query."""
        said = printable(typed[: 4 * MOST_TYPED])[:MOST_TYPED].strip()
        if not said:
            return SuggestAnswer(query=said, read_as=None, suggestions=())
        table = self._table(brand, language)
        read = _read(said, table, language) if table is not None else said
        found = [*self._phrases(read, table, brand, language), *_going_on(read, table)]
        products = self._engine.complete(brand.id, read, language, limit)
        room = max(2, limit - len(found)) if products else 0
        found = found[: limit - min(room, len(products))]
        found += [
            Suggestion(type="product", text=row.title, url=f"/product/{row.product_id}")
            for row in products[:room]
        ]
        corrected = read if fold(read) != fold(said) else None
        unique: dict[str, Suggestion] = {}
        for row in found:
            unique.setdefault(fold(row.text), row)
        return SuggestAnswer(
            query=said, read_as=corrected, suggestions=tuple(unique.values())[:limit]
        )

    def load(self, brand: Brand, language: str) -> None:
        """Build the table now: for tests and for a warm start."""
        key = (brand.id, language)
        self._tables[key] = (time.monotonic(), self._build(brand.id, language))

    def _phrases(
        self, said: str, table: SuggestTable | None, brand: Brand, language: str
    ) -> list[Suggestion]:
        if table is None:
            return []
        return [
            Suggestion(type=kind, text=row.text, url=_url(row, brand, language))
            for kind, share in _SHARES
            for row in table.phrases(said, kind, share)
        ]

    def _table(self, brand: Brand, language: str) -> SuggestTable | None:
        key = (brand.id, language)
        kept = self._tables.get(key)
        if kept is None or time.monotonic() - kept[0] > KEEP_S:
            self._renew(key)
        return kept[1] if kept is not None else None

    def _renew(self, key: tuple[str, str]) -> None:
        with self._lock:
            if key in self._building:
                return
            self._building.add(key)
        threading.Thread(target=self._take, args=(key,), daemon=True).start()

    def _take(self, key: tuple[str, str]) -> None:
        try:
            self._tables[key] = (time.monotonic(), self._build(*key))
        except DomainError as error:
            _LOG.info("suggestions of %s not built: %s", key[0], error.message)
        except Exception:  # noqa: BLE001 - a thread has nobody to tell
            _LOG.exception("suggestions of %s not built", key[0])
        finally:
            self._building.discard(key)

    def _build(self, brand_id: str, language: str) -> SuggestTable:
        words: dict[str, int] = {}
        for name in (language, OTHER):
            for word, count in self._engine.vocabulary(brand_id, name):
                words[word] = words.get(word, 0) + count
        overview = self._overviews.of(brand_id)
        asked = self._frequent(brand_id, language)
        return SuggestTable(_proposals(overview, asked, language), words, language)


def _proposals(overview: Overview, asked: Sequence[tuple[str, int]], language: str) -> list[Phrase]:
    phrases = [Phrase("query", words, words, count) for words, count in asked]
    phrases += [
        Phrase("category", categories()[id_].name(language), str(id_), count)
        for id_, count in overview.category_counts.items()
        if id_ in categories()
    ]
    # The overview lists makers by their number of products.
    phrases += [
        Phrase("manufacturer", label, value, len(overview.manufacturers) - place)
        for place, (value, label) in enumerate(overview.manufacturers.items())
    ]
    return phrases


def _url(phrase: Phrase, brand: Brand, language: str) -> str:
    query = ShopQuery(brand.currency)
    if phrase.kind == "category":
        query = ShopQuery(brand.currency, categories=(int(phrase.value),))
    elif phrase.kind == "manufacturer":
        query = ShopQuery(brand.currency, manufacturers=(phrase.value,))
    else:
        query = ShopQuery(brand.currency, text=phrase.text)
    return address(query, language)


def _read(said: str, table: SuggestTable, language: str) -> str:
    """What was typed, with the words that nobody has read as one typing error."""
    words = said.split()
    read: list[str] = []
    tries = _MOST_CORRECTED
    for place, word in enumerate(words):
        folded = fold(word, language)
        is_last = place == len(words) - 1
        if (
            len(folded) < _LEAST_CORRECTED
            or not folded.isalpha()
            or not tries
            or table.knows(folded, is_beginning=is_last)
        ):
            read.append(word)
        else:
            tries -= 1
            read.append(table.corrected(folded, is_beginning=is_last) or word)
    return " ".join(read)


def _going_on(said: str, table: SuggestTable | None) -> list[Suggestion]:
    """What is typed with its last word completed by words of the index."""
    if table is None or not said:
        return []
    head, _, last = said.rpartition(" ")
    ends = table.words(fold(last), 2) if len(last) > 1 else []
    texts = [f"{head} {end}".strip() for end in ends if end != fold(last)]
    return [
        Suggestion(type="query", text=text, url=address(ShopQuery("EUR", text=text), ""))
        for text in texts
    ]
