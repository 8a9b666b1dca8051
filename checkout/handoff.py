"""The prepared hand-off: an article is put ready at the merchant, where the buyer orders and pays.

Nothing is bought here and nothing is kept. Where the merchant's system cannot prepare it now, the
merchant's own page of the article takes its place.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from checkout.article import Article, article_of
from checkout.deps import CheckoutDeps
from checkout.labels import labels_of
from checkout.merchant_connectors.port import PreparesHandoff, QuoteLine
from checkout.outcomes import NoAnswer, Refused
from kernel.errors import DomainError, NotFound
from kernel.offer_terms import Execution
from mdm.merchants import Merchant, read_merchant
from mdm.offers import read_offer
from mdm.product_view import OfferView
from tenants.brand import Brand

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Where the buyer goes on; `is_ready` where the article waits there already."""

    offer: OfferView
    article: Article
    url: str
    is_ready: bool


def hand_off(deps: CheckoutDeps, brand: Brand, offer_id: str) -> Prepared:
    """Prepare one piece of an offer.

    Raises NotFound `offer_withdrawn`, DomainError `not_handed_off` for an offer of another grade,
    `not_prepared` where there is nowhere to go now.
    """
    with deps.database.brand(brand.id) as tx:
        offer = read_offer(tx, offer_id)
        if offer is None or not brand.shows(offer.merchant_id):
            raise NotFound(
                "offer_withdrawn", "This offer is no longer there.", hint="Compare again."
            )
        merchant = read_merchant(tx, offer.merchant_id)
        titles = labels_of(tx, [offer])[offer.product_id].titles
    if offer.execution is not Execution.HANDOFF:
        raise DomainError(
            "not_handed_off",
            "This offer is not prepared at its shop.",
            hint="Open the product again: it says where this can be bought now.",
            status=409,
        )
    article = article_of(offer, titles, brand.languages)
    try:
        return Prepared(offer, article, _ready_at(deps, merchant, offer), is_ready=True)
    except DomainError as error:
        # Why is the operator's to read. The merchant's page of the article is still there.
        _LOG.warning("merchant %s prepared nothing: %s %s", merchant.id, error.message, error.hint)
        if offer.url is None:
            raise _not_prepared(offer, error) from error
    return Prepared(offer, article, offer.url, is_ready=False)


def _not_prepared(offer: OfferView, why: DomainError) -> DomainError:
    """What the buyer reads where there is nowhere to go."""
    merchant = {"merchant": offer.merchant_name}
    if isinstance(why, Refused):
        return NotFound(
            "offer_withdrawn",
            "%(merchant)s no longer offers this.",
            hint="Compare again.",
            values=merchant,
        )
    return DomainError(
        "not_prepared",
        "%(merchant)s does not answer at the moment.",
        hint="Choose another offer of the same product.",
        status=503,
        values=merchant,
    )


def _ready_at(deps: CheckoutDeps, merchant: Merchant, offer: OfferView) -> str:
    connector = deps.connectors(merchant)
    if not isinstance(connector, PreparesHandoff):
        raise NoAnswer("This merchant's system prepares nothing.")
    return connector.hand_off([QuoteLine(offer.sku, 1)])
