"""Links that open an order: its reference, a point, and a signature that only this shop can make.

The reference stands in letters' subjects, events and books, and opens nothing by itself. Links do
not end: an order has to be readable as long as returns and the merchant's warranty last, and a
letter may be the only thing that its buyer has kept.
"""

from __future__ import annotations

import base64
import hmac
import re

from kernel.errors import NotFound

_BYTES = 20
_OPENING = re.compile(r"\b((?:ord|pur)_[a-z2-7]{26})\.[A-Za-z0-9_.-]+")


class OrderLinks:
    """Signs and checks; every process of an installation has the same secret."""

    def __init__(self, secret: bytes) -> None:
        # A key of its own: what the secret signs elsewhere is never a signature here.
        self._key = hmac.digest(secret, b"checkout.signed_links", "sha256")

    def order(self, brand_id: str, order_ref: str) -> str:
        """What opens the order at its brand, as one part of a path."""
        return self._signed("order", brand_id, order_ref)

    def payment(self, brand_id: str, purchase_id: str) -> str:
        """What leads back from the payment page to the order."""
        return self._signed("payment", brand_id, purchase_id)

    def order_ref(self, brand_id: str, signed: str) -> str:
        """The reference in a link of that brand. NotFound `order_link_unknown` for any other text,
        whether or not there is such an order.
        """
        return self._name("order", brand_id, signed)

    def purchase_id(self, brand_id: str, signed: str) -> str:
        """The purchase that a payment page leads back to. NotFound `order_link_unknown`."""
        return self._name("payment", brand_id, signed)

    def _name(self, purpose: str, brand_id: str, signed: str) -> str:
        name = signed.rpartition(".")[0]
        expected = self._signed(purpose, brand_id, name)
        if not hmac.compare_digest(signed.encode(), expected.encode()):
            raise NotFound(
                "order_link_unknown",
                "This address opens no order.",
                hint="Open the link in the letter about your order; every character counts.",
            )
        return name

    def _signed(self, purpose: str, brand_id: str, name: str) -> str:
        """160 of the 256 bits: addresses in letters have to stay short."""
        message = "\0".join((purpose, brand_id, name)).encode()
        signature = hmac.digest(self._key, message, "sha256")[:_BYTES]
        return f"{name}.{base64.b32encode(signature).decode().lower()}"


def without_signatures(text: str) -> str:
    """The text, for a log: links in it name their orders and open them no longer."""
    return _OPENING.sub(r"\1", text)
