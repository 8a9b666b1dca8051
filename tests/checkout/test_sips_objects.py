"""SIPS's messages: the published examples of seals, what is refused, what cannot be read."""

from __future__ import annotations

from typing import Any

import pytest

from checkout.outcomes import Refused
from checkout.payment_providers._sips_objects import (
    Malformed,
    Paid,
    amount_json,
    event_of,
    notice_of,
    page_wanted,
    payment_of,
    seal_of,
    seal_of_text,
    transaction_of,
)
from checkout.payment_providers.port import Network, PaymentRequest, PaymentStatus
from checkout.payment_providers.sips import origins_at
from comptoir.payment_simulator import sips_objects
from kernel.money import Money

# From the guide of Sips Paypage JSON, which gives key and seal to check one's own by.
PUBLISHED: dict[str, Any] = {
    "amount": "2500",
    "automaticResponseUrl": "https://automatic-response-url.fr/",
    "normalReturnUrl": "https://normal-return-url/",
    "captureDay": "0",
    "captureMode": "AUTHOR_CAPTURE",
    "currencyCode": "978",
    "customerContact": {"email": "customer@email.com"},
    "interfaceVersion": "IR_WS_2.22",
    "keyVersion": "1",
    "merchantId": "011223344550000",
    "orderChannel": "INTERNET",
    "orderId": "ORD101",
    "returnContext": "ReturnContext",
    "transactionOrigin": "SO_WEBAPPLI",
    "transactionReference": "TREFEXA2012",
}
PUBLISHED_SEAL = "322b943d833417c1570e0a282641e8e29d6a5b968c9b846694b5610e18ab5b81"
PAID = Paid("011223344550000", "TREFEXA2012")
DIAGNOSIS = {
    "transactionStatus": "TO_VALIDATE",
    "currencyCode": "978",
    "originAmount": "2500",
    "currentAmount": "2500",
    "remainingAmount": "2500",
    "orderId": "ORD101",
    "paymentMeanBrand": "CB",
    "captureLimitDate": "20261128",
}


@pytest.mark.parametrize("seal", [seal_of, sips_objects.seal_of])
def test_the_published_seal_comes_out_on_both_sides(seal: Any) -> None:
    assert seal(PUBLISHED, "secret123") == PUBLISHED_SEAL
    told = {**PUBLISHED, "keyVersion": "2", "sealAlgorithm": "HMAC-SHA-256", "seal": "x"}
    assert seal({**told, "orderContext": None}, "secret123") == PUBLISHED_SEAL
    assert seal(dict(reversed(told.items())), "secret123") == PUBLISHED_SEAL
    assert seal({**told, "amount": "2501"}, "secret123") != PUBLISHED_SEAL


def test_the_seal_of_a_text_is_the_one_of_the_official_kit() -> None:
    expected = "198e5f278e3f8548e174e84492953c4871732278b7e2aa2cbf20bb1ab85914ea"
    assert seal_of_text("This is a test!", "superSafeSecretKey") == expected


def test_lists_are_sealed_in_their_order() -> None:
    brands = {"paymentMeanBrandList": ["CB", "VISA"], "amount": "1"}
    assert seal_of(brands, "k") == seal_of_text("1CBVISA", "k")
    assert sips_objects.seal_of(brands, "k") == seal_of(brands, "k")


def test_a_page_offers_the_networks_and_waits_for_the_merchant() -> None:
    request = PaymentRequest(
        *("leg_1", Money(990, "EUR"), "acct", "Norden"),
        *("https://shop.example/back", "https://shop.example/left", "fr"),
        notice_url="https://shop.example/webhooks/payments/sips",
    )
    wanted = page_wanted(request, transaction_of("acct", "leg_1", 0))
    assert wanted["paymentMeanBrandList"] == ["CB", "VISA", "MASTERCARD"]
    assert (wanted["captureMode"], wanted["amount"]) == ("VALIDATION", "990")
    assert wanted["automaticResponseUrl"] == request.notice_url
    assert len(wanted["transactionReference"]) <= 35
    assert wanted["transactionReference"].isalnum()
    assert wanted["transactionReference"] != transaction_of("acct", "leg_1", 1)


def test_a_currency_that_is_not_known_there_is_refused() -> None:
    with pytest.raises(Refused, match="JPY"):
        amount_json(Money(5, "JPY"), "amount")


@pytest.mark.parametrize(
    ("status", "expected", "captured", "refunded"),
    [
        ("TO_VALIDATE", PaymentStatus.AUTHORISED, 0, 0),
        ("TO_CAPTURE", PaymentStatus.CAPTURED, 2500, 600),
        ("CREDITED", PaymentStatus.CAPTURED, 2500, 600),
        ("CANCELLED", PaymentStatus.VOIDED, 0, 0),
        ("EXPIRED", PaymentStatus.EXPIRED, 0, 0),
        ("REFUSED", PaymentStatus.CANCELLED, 0, 0),
    ],
)
def test_a_diagnosis_is_read(
    status: str, expected: PaymentStatus, captured: int, refunded: int
) -> None:
    payment = payment_of(
        PAID, {**DIAGNOSIS, "transactionStatus": status, "remainingAmount": "1900"}
    )
    assert payment.status is expected
    assert (payment.captured.minor, payment.refunded.minor) == (captured, refunded)
    assert (payment.reference, payment.network) == ("ORD101", Network.CARTES_BANCAIRES)


@pytest.mark.parametrize(
    "changes",
    [
        {"transactionStatus": "DANCING"},
        {"currencyCode": "000"},
        {"originAmount": "lots"},
        {"orderId": None, "captureLimitDate": "tomorrow"},
    ],
)
def test_what_is_not_as_documented_is_not_guessed(changes: dict[str, str | None]) -> None:
    with pytest.raises(Malformed):
        payment_of(PAID, {**DIAGNOSIS, **changes})


def test_a_notice_in_base_64_is_read_too() -> None:
    notice = notice_of(
        b"Data=bWVyY2hhbnRJZD1hY2N0fHJlc3BvbnNlQ29kZT0wMHxvcmRlcklkPWxlZ18xfHRyYW5zYWN0aW9uRGF0ZVRp"
        b"bWU9MjAyNi0xMS0yMlQxMDowMDowMCswMTowMA%3D%3D&Encode=base64&Seal=00"
    )
    assert notice is not None
    assert (notice.account, event_of(notice).reference) == ("acct", "leg_1")
    assert notice_of(b"Data=x") is None
    assert notice_of(b"\xff") is None


def test_pages_lie_beside_the_initialisation_at_every_bank() -> None:
    assert origins_at("https://payment-webinit.bank.example") == (
        "https://payment-web.bank.example",
    )
