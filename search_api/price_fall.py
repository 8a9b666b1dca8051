"""What fell most in the last week, for the home page: how much, since when, and only where it held.

In: a document's steps (cheapest new article of each day, without delivery) and its live offers.
A fall is measured from the lowest price of the 30 days before the week, as the law measures one
(Directive 98/6, article 6a): a price that was raised to be lowered has not fallen. It counts once
it has stood for a whole day, and not where it rests on one merchant far below all the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from indexer.document import OfferLine, ProductDocument
from indexer.engine import Engine, Filters, SearchRequest, Sort
from kernel.money import Money
from kernel.offer_terms import Availability, Condition
from search_api.answer import Fallen
from search_api.cards import live_offers, product_card
from search_api.price_facts import PriceFall
from search_api.price_history import EPOCH, LAW_DAYS
from search_api.price_verdict import asked_new, daily_prices
from search_api.renewed import Renewed
from tenants.brand import Brand

WEEK_DAYS = 7
SHOWN = 4
LEAST_KNOWN_DAYS = 14
"""Of the 30 days before the week: where fewer are known, nothing is said."""
LEAST_PERCENT = 5
MOST_PERCENT = 60
"""A fall beyond it is more likely a slip, and so is a price so far below the next merchant's."""
_LOOKED_AT = 200
"""Products whose price dropped furthest: those that fell most are among them."""
KEEP_S = 60.0


class Falls:
    """The products of each brand that fell most, found anew beside the questions every minute."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._found = Renewed(self._find, "falls", keep_s=KEEP_S)

    def of(self, brand: Brand, language: str) -> tuple[Fallen, ...]:
        """At most SHOWN, most first, each as it is this moment; none until the first are found."""
        known = self._found.latest(brand.id)
        if not known:
            return ()
        now = datetime.now(UTC)
        documents = self._engine.read(brand.id, known)
        profile = brand.ranking_profile(language)
        fallen = [
            Fallen(product=product_card(document, profile, language, now), fall=fall)
            for document in documents.values()
            if (fall := price_fall(document, live_offers(document, now), now)) is not None
        ]
        return tuple(sorted(fallen, key=_most_first)[:SHOWN])

    def begin(self, brand_id: str) -> None:
        """Begin to find them, so that the first reader of the home page has them."""
        self._found.renew(brand_id)

    def find_now(self, brand_id: str) -> None:
        """Find them at once: for whoever cannot wait for the next time."""
        self._found.load(brand_id)

    def _find(self, brand_id: str) -> tuple[str, ...]:
        """Ids of twice as many as are shown, most first."""
        now = datetime.now(UTC)
        day = (now.date() - EPOCH).days
        request = SearchRequest(
            filters=Filters(dropped_from=day - WEEK_DAYS), sort=Sort.DROP, limit=_LOOKED_AT
        )
        hits = self._engine.search(brand_id, request).hits
        falls = [
            (fall.percent, document.product_id)
            for document in self._engine.read(brand_id, hits).values()
            if (fall := price_fall(document, live_offers(document, now), now)) is not None
        ]
        falls.sort(key=lambda row: (-row[0], row[1]))
        return tuple(product_id for _, product_id in falls[: 2 * SHOWN])


def price_fall(
    document: ProductDocument, lines: Sequence[OfferLine], now: datetime
) -> PriceFall | None:
    """The fall of the last week that still holds; None where there is none. `now` has a zone."""
    today = (now.astimezone(UTC).date() - EPOCH).days
    steps, asked = document.price_steps, asked_new(lines)
    week = today - WEEK_DAYS
    before = daily_prices(steps, week - LAW_DAYS, week - 1)
    # Stood for a day: today it may have come at any hour, yesterday's counts from midnight at best.
    lately = daily_prices(steps, today - 2, today - 1)
    if asked is None or len(before) < LEAST_KNOWN_DAYS or len(lately) < 2:
        return None
    lowest, held = min(before), max(asked, *lately)
    percent = 100 * (lowest - held) // lowest
    if not LEAST_PERCENT <= percent <= MOST_PERCENT or _is_alone_below(lines, asked):
        return None
    return PriceFall(
        percent=percent,
        since=(EPOCH + timedelta(days=_since(document, lowest, today))).isoformat(),
        now=Money(held, document.currency),
        before=Money(lowest, document.currency),
    )


def _since(document: ProductDocument, lowest: int, today: int) -> int:
    """The first day from which on it has been below the lowest of before without a break."""
    day = today - 1
    while day > today - WEEK_DAYS:
        price = daily_prices(document.price_steps, day - 1, day - 1)
        if not price or price[0] >= lowest:
            break
        day -= 1
    return day


def _is_alone_below(lines: Sequence[OfferLine], asked: int) -> bool:
    """Whether only one merchant asks so little, and the next one more than twice as much."""
    lowest_of: dict[str, int] = {}
    for line in lines:
        if (
            line.price_minor is not None
            and line.condition == Condition.NEW
            and line.availability != Availability.OUT_OF_STOCK
        ):
            known = lowest_of.get(line.merchant_id, line.price_minor)
            lowest_of[line.merchant_id] = min(known, line.price_minor)
    others = sorted(lowest_of.values())[1:]
    return bool(others) and asked * 100 < others[0] * (100 - MOST_PERCENT)


def _most_first(fallen: Fallen) -> tuple[int, str]:
    return (-fallen.fall.percent, fallen.product.id)
