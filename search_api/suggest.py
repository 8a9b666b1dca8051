"""Suggestions while somebody types: queries, categories, makers, products, each with its address.

In: the beginning of a query. Out: a few typed suggestions, in the order to show them. What nobody
has begins so is read as one typing error. Tables are built in the background and taken anew every
KEEP_S; until the first is there, products alone are proposed. No SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from indexer.analysis import OTHER
from indexer.engine import Engine
from indexer.folding import fold
from kernel.categories import categories
from kernel.money import Money
from search_api.cards import money, product_url
from search_api.overview import Overview, Overviews
from search_api.query import ShopQuery, address, printable
from search_api.renewed import Renewed
from search_api.suggest_table import Phrase, PhraseKind, SuggestTable
from search_api.understanding.snapshot import Snapshots
from search_api.understanding.written import as_written
from tenants.brand import Brand

Frequent = Callable[[str, str], Sequence[tuple[str, int]]]
SuggestionKind = Literal["query", "category", "manufacturer", "product"]

KEEP_S = 600.0
"""Words and counts change slowly, and taking them is half a second of work beside shoppers'."""
MOST_TYPED = 80
MOST = 20
_SHARES: tuple[tuple[PhraseKind, int], ...] = (("query", 4), ("category", 2), ("manufacturer", 2))
_LEAST_CORRECTED = 3
"""Letters of the shortest word that is read as a typing error."""
_MOST_CORRECTED = 3
"""Words of one query that are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """`text` is what is shown and typed on; `url` is where choosing it leads.

    `from_total` is a product's lowest total with delivery, None where it is not known.
    """

    type: SuggestionKind
    text: str
    url: str
    from_total: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestAnswer:
    """`read_as` says how the query was read where it was taken for a typing error."""

    query: str
    read_as: str | None
    suggestions: tuple[Suggestion, ...]


class Suggestions:
    """The suggestions of every brand and language."""

    def __init__(
        self,
        engine: Engine,
        overviews: Overviews,
        frequent: Frequent,
        snapshots: Snapshots | None = None,
    ) -> None:
        self._engine = engine
        self._overviews = overviews
        self._frequent = frequent
        self._snapshots = snapshots or Snapshots(engine)
        self._tables = Renewed(self._build, "suggestions", keep_s=KEEP_S)

    def of(self, typed: str, brand: Brand, language: str, limit: int = 10) -> SuggestAnswer:
        """A few suggestions; none for an empty query."""
        said = printable(typed[: 4 * MOST_TYPED])[:MOST_TYPED].strip()
        if not said:
            return SuggestAnswer(query=said, read_as=None, suggestions=())
        table = self._tables.latest((brand.id, language))
        read = _read(said, table, language) if table is not None else said
        words = self._snapshots.of(brand.id).written.get(language, {})
        found = [*self._phrases(read, table, brand, language), *_going_on(read, table, words)]
        products = self._engine.complete(brand.id, read, language, limit)
        room = max(2, limit - len(found)) if products else 0
        found = found[: limit - min(room, len(products))]
        found += [
            Suggestion(
                type="product",
                text=row.title,
                url=product_url(row.product_id),
                from_total=money(row.total_minor, brand.currency),
            )
            for row in products[:room]
        ]
        corrected = as_written(read, words) if fold(read) != fold(said) else None
        return SuggestAnswer(query=said, read_as=corrected, suggestions=unique(found)[:limit])

    def load(self, brand: Brand, language: str) -> None:
        """Build the table now: for tests and for a warm start."""
        self._tables.load((brand.id, language))

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

    def _build(self, key: tuple[str, str]) -> SuggestTable:
        brand_id, language = key
        words: dict[str, int] = {}
        for name in (language, OTHER):
            for word, count in self._engine.vocabulary(brand_id, name):
                words[word] = words.get(word, 0) + count
        overview = self._overviews.of(brand_id)
        asked = self._frequent(brand_id, language)
        return SuggestTable(_proposals(overview, asked, language), words, language)


def unique(found: Iterable[Suggestion]) -> tuple[Suggestion, ...]:
    """Each text once, where it came first; what is known by that name goes before its query."""
    kept: dict[str, Suggestion] = {}
    for row in found:
        text = fold(row.text)
        if text not in kept or (kept[text].type == "query" and row.type != "query"):
            kept[text] = row
    return tuple(kept.values())


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


def _going_on(
    said: str, table: SuggestTable | None, written: Mapping[str, str]
) -> list[Suggestion]:
    """What is typed with its last word completed by words of the index.

    Not a number: nobody who typed `wx 80` goes on to another product's `8000`.
    """
    if table is None or not said:
        return []
    head, _, last = said.rpartition(" ")
    ends = table.words(fold(last), 2) if len(last) > 1 and not last.isdigit() else []
    texts = [f"{head} {as_written(end, written)}".strip() for end in ends if end != fold(last)]
    return [
        Suggestion(type="query", text=text, url=address(ShopQuery("EUR", text=text), ""))
        for text in texts
    ]
