"""Examples of the purchase for the OpenAPI document: what is sent, and what comes back.

`tests/checkout/test_api_examples.py` holds them to the models and to real answers. The document
leaves out what is null.
"""

from __future__ import annotations

from typing import Any, Final

Json = dict[str, Any]

_QUOTE, _BASKET, _ORDER = "quo_7k2mx5dzh3qpa6wr4nbt", "bas_q4v6txy2hms7d3kzp5na", "ord_r7kq2mxd5zhp"
_SIGNED: Final = f"{_ORDER}.3n6vq7xk2m5hwzd4c7ta"
_SHA256 = "5f1d7a3c" * 8


_PROBLEM: Final[Json] = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; `title` says what is wrong, `detail` what to do.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
        "code": {"type": "string"}, "detail": {"type": "string"},
    },
}  # fmt: skip

REFUSALS: Final[dict[int | str, Json]] = {
    422: {
        "description": "A field is not as it should be: `detail` names it, never what was sent",
        "content": {
            "application/problem+json": {
                "schema": _PROBLEM,
                "example": {
                    "type": "urn:comptoir:problem:request_invalid",
                    "title": "The request cannot be read.",
                    "status": 422,
                    "code": "request_invalid",
                    "detail": "lines: Field required",
                },
            }
        },
    },
    429: {
        "description": "Too many calls or purchases, nothing was done; Retry-After says when there "
        "is room",
        "content": {
            "application/problem+json": {
                "schema": _PROBLEM,
                "example": {
                    "type": "urn:comptoir:problem:too_many_purchases",
                    "title": "More orders were started from here than we take in so short a time.",
                    "status": 429,
                    "code": "too_many_purchases",
                },
            }
        },
    },
}
"""Of every route that takes something: in the place of what the framework would describe."""


def _euros(minor: int) -> Json:
    return {"minor": minor, "currency": "EUR"}


BODIES: Final[dict[str, Json]] = {
    "quote": {
        "lines": [{"offer_id": "off_3dzq7xk2m5hw", "quantity": 1}],
        "contact": {
            "email": "shopper@example.org", "name": "C. Lambert", "phone": "",
            "line1": "12 rue des Tanneurs", "line2": "", "postcode": "67000",
            "city": "Strasbourg", "country": "FR",
        },
        "deliveries": {"mer_brunnen": "standard"},
    },
    "purchase": {
        "basket_id": _BASKET, "quote_id": _QUOTE, "token": "tok_m3x7q2zk5hwd",
        "terms_accepted": True, "terms_version": 1, "terms_sha256": _SHA256,
        "policy": "all_or_nothing",
    },
    "cancellation": {"merchant_id": "mer_brunnen"},
}  # fmt: skip

_LINE: Final[Json] = {
    "offer_id": "off_3dzq7xk2m5hw", "product_id": "prd_5kz2q7xmh3dw",
    "name": "Lampe Nordlys", "name_language": "fr",
    "title": "Nordlys Leuchte, generalüberholt", "title_language": "de",
    "condition": "refurbished", "grade": "very_good", "quantity": 1,
    "unit_price": _euros(4_900), "total": _euros(4_900),
}  # fmt: skip

_OTHER_TERMS: Final = [
    {
        "party": "merchant", "owner_id": "mer_brunnen", "language": "fr", "version": 1,
        "sha256": _SHA256,
        "path": "/terms?party=merchant&owner=mer_brunnen&version=1&language=fr",
    }
]  # fmt: skip

_QUOTED: Final[Json] = {
    "quote_id": _QUOTE,
    "basket_id": _BASKET,
    "token": "tok_m3x7q2zk5hwd",
    "expires_at": "2026-11-22T09:45:00+00:00",
    "can_pay": True,
    "changed": False,
    "totals": [_euros(5_390)],
    "policies": ["best_effort", "all_or_nothing"],
    "legs": [
        {
            "merchant_id": "mer_brunnen", "merchant_name": "Brunnen", "problem": None,
            "problem_title": None, "available": None,
            "lines": [{**_LINE, "seen": _euros(4_900), "condition_changed": False}],
            "deliveries": [
                {
                    "code": "standard", "name": "Parcel", "price": _euros(490),
                    "days_min": 2, "days_max": 4, "chosen": True,
                }
            ],
            "goods": _euros(4_900), "delivery": _euros(490), "total": _euros(5_390),
        }
    ],
    "terms": {
        "version": 1, "language": "fr", "sha256": _SHA256, "path": "/terms?version=1&language=fr",
    },
    "other_terms": _OTHER_TERMS,
}  # fmt: skip

_ORDERED: Final[Json] = {
    "order_ref": _ORDER,
    "order_number": "R7KQ-2MXD-5ZHP",
    "signed_ref": _SIGNED,
    "order_url": f"https://shop.example.org/order/{_SIGNED}",
    "created_at": "2026-11-22T09:31:04+00:00",
    "settled": False,
    "policy": "all_or_nothing",
    "terms": {
        "version": 1, "language": "fr", "sha256": _SHA256,
        "accepted_at": "2026-11-22T09:31:04+00:00",
    },
    "other_terms": _OTHER_TERMS,
    "legs": [
        {
            "merchant_id": "mer_brunnen", "merchant_name": "Brunnen", "state": "awaiting_payment",
            "money": "none", "reason": None, "merchant_order": None, "lines": [_LINE],
            "total": _euros(5_390),
            "authorised": None, "card_network": None, "captured": None, "refunded": None,
            "order_status": None, "cancellable": False, "pay_url": "https://pay.example.org/p/7k2mx5dz",
            "continue_url": None,
            "steps": [{"name": "payment", "state": "now", "at": None}],
        }
    ],
}  # fmt: skip

ANSWERS: Final[dict[str, Json]] = {
    "quote": _QUOTED,
    "purchase": _ORDERED,
    "order": _ORDERED,
    "cancellation": _ORDERED,
}


def described(operation: str, status: int) -> Json:
    """What a route adds to its description: its answer, and its body where it takes one."""
    answer = {"application/json": {"schema": {"type": "object"}, "example": ANSWERS[operation]}}
    found: Json = {"responses": {str(status): {"content": answer}}}
    if operation in BODIES:
        found["requestBody"] = {"content": {"application/json": {"example": BODIES[operation]}}}
    return found
