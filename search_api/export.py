"""The catalogue of a brand for its partners: the whole of it page by page, then what changes.

A walk goes by product id and is resumed from its cursor at any time; products that come and go
meanwhile harm nothing. Every page carries the cursor of the changes since the walk began: whoever
follows those afterwards has missed none, removals included. One key reads one brand.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from indexer.document import ProductDocument
from indexer.engine import SearchRequest, Sort
from kernel.errors import DomainError
from kernel.money import Money
from search_api.cards import facts_of, live_offers, offer_cards, product_card, product_url
from search_api.product_card import Fact, OfferCard
from search_api.search import Shop
from search_api.wiring import Wiring
from tenants.brand import Brand
from tenants.partner_keys import Partner

PER_PAGE = 200
MOST_PER_PAGE = 500
_WALK = re.compile(r"^w1\.(\d{1,9})\.(\d{1,18})\.([A-Za-z0-9_-]{1,64})$", re.ASCII)
_CHANGES = re.compile(r"^c1\.(\d{1,9})\.(\d{1,18})$", re.ASCII)
_SETTLE_S = 1.0
"""What an engine has taken is visible after so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedProduct:
    """A product with its offers as the brand shows them now, offers in the brand's order."""

    id: str
    url: str
    titles: dict[str, str]
    manufacturer: str | None
    gtins: tuple[str, ...]
    mpns: tuple[str, ...]
    category_id: int | None
    category_path: tuple[int, ...]
    facts: tuple[Fact, ...]
    picture: str
    availability: str
    from_total: Money | None
    offers: tuple[OfferCard, ...]
    updated_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPage:
    """`next` continues the walk, None at its end; `changes` is for `/v1/export/changes`."""

    products: tuple[ExportedProduct, ...]
    next: str | None
    changes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesPage:
    """Products as they are now, and ids that are shown no longer. `next` is where to go on;
    `complete` says that there is nothing after it yet.
    """

    products: tuple[ExportedProduct, ...]
    removed: tuple[str, ...]
    next: str
    complete: bool


def partner(wiring: Wiring, brand: Brand, authorization: str) -> Partner:
    """Who reads; DomainError 401 for any key that is not one of this brand's."""
    scheme, _, bearer = authorization[:300].partition(" ")
    found = wiring.partner_of(bearer.strip()) if scheme.lower() == "bearer" else None
    if found is None or found.brand_id != brand.id:
        raise DomainError(
            "key_unknown",
            "This key does not open the export of this shop.",
            hint="Send `Authorization: Bearer cpk_...`, a key that the shop has given you.",
            status=401,
        )
    return found


def walk(shop: Shop, wiring: Wiring, brand: Brand, cursor: str, limit: int) -> ExportPage:
    """The products after the cursor in the order of their ids."""
    after: str | None = None
    if cursor:
        read = _WALK.match(cursor)
        if read is None:
            raise _cursor_refused()
        _refuse_other_revision(brand, read[1])
        since, after = int(read[2]), read[3]
    else:
        since = wiring.index_position(brand.id)
    request = SearchRequest(sort=Sort.ID, after=after, limit=limit)
    hits = shop.engine.search(brand.id, request).hits
    found = shop.engine.read(brand.id, [hit.product_id for hit in hits])
    more = f"w1.{brand.revision}.{since}.{hits[-1].product_id}" if len(hits) == limit else None
    return ExportPage(
        products=tuple(
            _exported(found[hit.product_id], brand) for hit in hits if hit.product_id in found
        ),
        next=more,
        changes=_changes_cursor(brand, since),
    )


def changes(shop: Shop, wiring: Wiring, brand: Brand, cursor: str, limit: int) -> ChangesPage:
    """What has changed in the brand's index since the cursor, each product once a page."""
    read = _CHANGES.match(cursor)
    if read is None:
        raise _cursor_refused()
    _refuse_other_revision(brand, read[1])
    since = int(read[2])
    changed, reached, complete = wiring.changed_after(brand.id, since, limit)
    if not changed:
        return ChangesPage(
            products=(), removed=(), next=_changes_cursor(brand, reached), complete=complete
        )
    if complete:
        time.sleep(_SETTLE_S)
    found = shop.engine.read(brand.id, changed)
    return ChangesPage(
        products=tuple(_exported(found[id_], brand) for id_ in changed if id_ in found),
        removed=tuple(id_ for id_ in changed if id_ not in found),
        next=_changes_cursor(brand, reached),
        complete=complete,
    )


def _exported(document: ProductDocument, brand: Brand) -> ExportedProduct:
    language = brand.languages[0]
    profile = brand.ranking_profile(language)
    now = datetime.now(UTC)
    card = product_card(document, profile, language, now)
    lines = live_offers(document, now)
    return ExportedProduct(
        id=document.product_id,
        url=product_url(document.product_id),
        titles=document.titles,
        manufacturer=document.manufacturer,
        gtins=document.gtins,
        mpns=document.mpns,
        category_id=document.category_id,
        category_path=document.category_path,
        facts=facts_of(document),
        picture=document.picture,
        availability=card.availability,
        from_total=card.from_total,
        offers=offer_cards(document, lines, profile, language, now),
        updated_at=document.updated_at,
    )


def _changes_cursor(brand: Brand, position: int) -> str:
    return f"c1.{brand.revision}.{position}"


def _refuse_other_revision(brand: Brand, revision: str) -> None:
    """What a brand shows follows from its document too, and that is not in the change log."""
    if int(revision) != brand.revision:
        raise DomainError(
            "cursor_outdated",
            "What this shop shows has been set anew since this cursor was given out.",
            hint="Begin again without a cursor.",
            status=410,
        )


def _cursor_refused() -> DomainError:
    return DomainError(
        "cursor_invalid",
        "This cursor is not one of ours.",
        hint="Begin without a cursor, and pass on `next` or `changes` as they are.",
        status=400,
    )
