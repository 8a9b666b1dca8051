"""The picture of each product in a basket: the merchant's or our drawing, one query for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kernel.db import Transaction
from kernel.pictures import drawing_url
from mdm.catalogue import product_pictures
from mdm.product_view import OfferView


def pictures_of(tx: Transaction, offers: Sequence[OfferView]) -> Mapping[str, str]:
    """Address of a picture by product id, for every product of these offers."""
    wanted = sorted({offer.product_id for offer in offers})
    pictures = dict.fromkeys(wanted, drawing_url(None, None))
    return pictures | product_pictures(tx, wanted) if wanted else pictures
