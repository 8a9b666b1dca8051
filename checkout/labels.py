"""How the products of a basket are shown: picture and titles, one query for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kernel.db import Transaction
from kernel.pictures import drawing_url
from mdm.catalogue import ProductLabel, product_labels
from mdm.product_view import OfferView

UNKNOWN = ProductLabel(drawing_url(None, None), {})
"""Of a product that is there no longer."""


def labels_of(tx: Transaction, offers: Sequence[OfferView]) -> Mapping[str, ProductLabel]:
    """The label by product id, for every product of these offers."""
    wanted = sorted({offer.product_id for offer in offers})
    return dict.fromkeys(wanted, UNKNOWN) | (product_labels(tx, wanted) if wanted else {})
