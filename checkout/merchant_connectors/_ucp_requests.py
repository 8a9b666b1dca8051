"""What we send to merchants in UCP: lines, buyer, address, payment. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from checkout.merchant_connectors._ucp_profiles import CREDENTIAL, INSTRUMENT
from checkout.merchant_connectors.port import Buyer, DeliveryAddress, QuoteLine


def line_items(lines: Sequence[QuoteLine]) -> list[dict[str, Any]]:
    """Lines as they are asked for."""
    return [{"item": {"id": line.sku}, "quantity": line.quantity} for line in lines]


def shipping(address: Mapping[str, str]) -> dict[str, Any]:
    """Fulfilment of a new session: to one address."""
    destination = {"type": "shipping_address", **{k: v for k, v in address.items() if v}}
    return {"methods": [{"type": "shipping", "destinations": [destination]}]}


def address_json(address: DeliveryAddress) -> dict[str, str]:
    """An address. UCP wants two names; a shop that wants one joins them again."""
    first, _, last = address.name.strip().rpartition(" ")
    return {
        "first_name": first,
        "last_name": last,
        "street_address": address.line1,
        "extended_address": address.line2,
        "postal_code": address.postcode,
        "address_locality": address.city,
        "address_country": address.country,
    }


def buyer_json(buyer: Buyer, address: DeliveryAddress) -> dict[str, str]:
    """The buyer. A telephone number that is not in international form is left out."""
    names = {key: address_json(address)[key] for key in ("first_name", "last_name")}
    phone = re.sub(r"[ ().-]", "", buyer.phone)
    is_e164 = re.fullmatch(r"\+[1-9][0-9]{6,14}", phone)
    fields = {**names, "email": buyer.email, "phone_number": phone if is_e164 else ""}
    return {key: value for key, value in fields.items() if value}


def payment_json(handler: str, reference: str) -> dict[str, Any]:
    """The instrument of a completion: the authorisation by its reference, and nothing secret."""
    return {
        "instruments": [
            {
                "id": INSTRUMENT,
                "handler_id": handler,
                "type": INSTRUMENT,
                "selected": True,
                "credential": {"type": CREDENTIAL, "token": reference},
            }
        ]
    }
