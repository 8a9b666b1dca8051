"""The prepared hand-off: an article is put ready at the merchant, where the buyer orders and pays.

Nothing is bought here and nothing is kept. Where the merchant's system cannot prepare it now, the
merchant's own page of the article takes its place.
"""

from __future__ import annotations

from dataclasses import dataclass

from checkout.deps import CheckoutDeps
from checkout.merchant_connectors.port import PreparesHandoff, QuoteLine
from checkout.outcomes import NoAnswer
from kernel.errors import DomainError, NotFound
from kernel.offer_terms import Execution
from mdm.merchants import Merchant, read_merchant
from mdm.offers import read_offer
from mdm.product_view import OfferView
from tenants.brand import Brand


@dataclass(frozen=True, slots=True)
class Prepared:
    """Where the buyer goes on; `is_ready` where the article waits there already."""

    offer: OfferView
    url: str
    is_ready: bool


def hand_off(deps: CheckoutDeps, brand: Brand, offer_id: str) -> Prepared:
    """Prepare one piece of an offer.

    Raises NotFound `offer_withdrawn`, DomainError `not_handed_off` for an offer of another grade,
    Refused or NoAnswer where there is nowhere to go.
    """
    with deps.database.brand(brand.id) as tx:
        offer = read_offer(tx, offer_id)
        if offer is None or not brand.shows(offer.merchant_id):
            raise NotFound(
                "offer_withdrawn", "This offer is no longer there.", hint="Compare again."
            )
        merchant = read_merchant(tx, offer.merchant_id)
    if offer.execution is not Execution.HANDOFF:
        raise DomainError("not_handed_off", "This offer is not prepared at its shop.", status=409)
    try:
        return Prepared(offer, _ready_at(deps, merchant, offer), is_ready=True)
    except DomainError:
        # Whatever keeps the merchant's system from it, its page of the article is still there.
        if offer.url is None:
            raise
        return Prepared(offer, offer.url, is_ready=False)


def _ready_at(deps: CheckoutDeps, merchant: Merchant, offer: OfferView) -> str:
    connector = deps.connectors(merchant)
    if not isinstance(connector, PreparesHandoff):
        raise NoAnswer("This merchant's system prepares nothing.")
    return connector.hand_off([QuoteLine(offer.sku, 1)])
