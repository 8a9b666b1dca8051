"""Up to four products beside each other: what is bought first, then the facts that differ, then the
ones that are the same. Pure but for the documents it reads from the engine.

In: ids as an address states them. Out: `Comparison`. A fifth product is named and not shown; an id
that the brand does not show is counted; one that was merged away stands for what it became.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from indexer.document import ProductDocument
from kernel.categories import categories
from search_api.answer import Crumb
from search_api.cards import live_offers, product_card
from search_api.price_verdict import PriceVerdict, price_verdict
from search_api.product_card import ProductCard
from search_api.query import ShopQuery, address
from search_api.search import Shop
from search_api.told_once import repeated_by_all
from search_api.variants import differing
from tenants.brand import Brand

MOST = 4
PRODUCT = "p"
"""The parameter of the address, once for each product."""
MANUFACTURER = "manufacturer"
"""Key of the row that is no attribute."""
_SHOWN_APART = frozenset(("energy_class", MANUFACTURER))
_MOST_READ = 12
_PRODUCT_ID = re.compile(r"^[A-Za-z0-9_-]{1,64}$")

CurrentId = Callable[[str], str | None]
"""The id that a product has now, for one that was merged away; None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRow:
    """One fact; `values` in the order of the products, None where it is not stated."""

    key: str
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`verdicts` go with `products`. `same` rows have one value each, `differing` one a product.

    `kinds` are the categories where they are not one; `more` is where to find another product to
    add. `refused` did not fit beside MOST others, `gone` of the ids are not shown here.
    """

    products: tuple[ProductCard, ...]
    verdicts: tuple[PriceVerdict | None, ...]
    differing: tuple[ComparisonRow, ...]
    same: tuple[ComparisonRow, ...]
    kinds: tuple[Crumb, ...]
    more: Crumb | None
    refused: tuple[ProductCard, ...] = ()
    gone: int = 0

    @property
    def has_energy_classes(self) -> bool:
        """Whether any product states the class that the law wants shown."""
        return any(product.facts_of(["energy_class"]) for product in self.products)


def read_ids(stated: Iterable[str]) -> tuple[str, ...]:
    """Ids as they can be, each once, in their order; the rest is left out."""
    found = dict.fromkeys(each for each in stated if _PRODUCT_ID.match(each))
    return tuple(found)[:_MOST_READ]


def compare_address(product_ids: Sequence[str]) -> str:
    """The address of a comparison, which anybody may be given."""
    query = urlencode([(PRODUCT, each) for each in product_ids])
    return f"/compare?{query}" if query else "/compare"


def comparison(
    shop: Shop, asked: Sequence[str], brand: Brand, language: str, current_id: CurrentId
) -> Comparison:
    """The products of these ids beside each other, as the brand shows them now."""
    documents = _documents(shop, asked, brand, current_id)
    now = datetime.now(UTC)
    profile = brand.ranking_profile(language)
    cards = [product_card(document, profile, language, now) for document in documents]
    shown = documents[:MOST]
    apart = differing(shown) if len(shown) > 1 else []
    left_out = _SHOWN_APART | repeated_by_all([each.attributes for each in shown])
    rows = [
        ComparisonRow(key=key, values=tuple(each.attributes.get(key) for each in shown))
        for key in sorted({key for each in shown for key in each.attributes} - left_out)
    ]
    makers = tuple(each.manufacturer for each in shown)
    if any(makers):
        rows.insert(0, ComparisonRow(key=MANUFACTURER, values=makers))
    told_apart = [row for row in rows if row.key in apart or _is_maker_of_its_own(row)]
    kinds = tuple(dict.fromkeys(each.category_id for each in shown))
    return Comparison(
        products=tuple(cards[:MOST]),
        verdicts=tuple(price_verdict(each, live_offers(each, now), now) for each in shown),
        # What all of them state is compared; what one alone states comes after.
        differing=tuple(sorted(told_apart, key=lambda row: row.values.count(None))),
        same=tuple(row for row in rows if row not in told_apart),
        kinds=_crumbs(kinds, brand, language) if len(kinds) > 1 else (),
        more=next(iter(_crumbs(kinds[-1:], brand, language)), None),
        refused=tuple(cards[MOST:]),
        gone=len(asked) - len(documents),
    )


def _documents(
    shop: Shop, asked: Sequence[str], brand: Brand, current_id: CurrentId
) -> list[ProductDocument]:
    found = shop.engine.read(brand.id, asked)
    moved = {id_: now for id_ in asked if id_ not in found and (now := current_id(id_))}
    if moved:
        found |= shop.engine.read(brand.id, list(moved.values()))
    ids = dict.fromkeys(moved.get(id_, id_) for id_ in asked)
    return [found[id_] for id_ in ids if id_ in found]


def _is_maker_of_its_own(row: ComparisonRow) -> bool:
    """Makers as people write them: one in other letters is the same."""
    return row.key == MANUFACTURER and len({(name or "").casefold() for name in row.values}) > 1


def _crumbs(ids: Iterable[int | None], brand: Brand, language: str) -> tuple[Crumb, ...]:
    known = categories()
    return tuple(
        Crumb(
            category_id=id_,
            label=known[id_].name(language),
            url=address(ShopQuery(brand.currency, categories=(id_,)), language),
        )
        for id_ in ids
        if id_ is not None and id_ in known
    )
