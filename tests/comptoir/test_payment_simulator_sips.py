"""The simulator as SIPS: sealed both ways, strict about what it takes, and without any keys."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from checkout.payment_providers._sips_objects import seal_of
from tests.comptoir.payment_simulator_calls import pay, simulator
from tests.peers import Simulator, http

__all__ = ["simulator"]

_numbers = itertools.count(1)
OFFICE = "/rs-services/v2/cashManagement"


def sent(simulator: Simulator, path: str, message: dict[str, Any]) -> dict[str, Any]:
    """The answer to a sealed message, whose own seal is right."""
    key = simulator.keys["api_key"]
    whole = {"keyVersion": "1", "merchantId": "acct", **message}
    answer = http.post(f"{simulator.url}{path}", json={**whole, "seal": seal_of(whole, key)})
    assert answer.status_code == 200
    said: dict[str, Any] = answer.json()
    assert said.get("seal", seal_of(said, key)) == seal_of(said, key)
    return said


def wanted(**changes: Any) -> dict[str, Any]:
    number = next(_numbers)
    return {
        "amount": "5000",
        "captureMode": "VALIDATION",
        "currencyCode": "978",
        "interfaceVersion": "IR_WS_2.20",
        "normalReturnUrl": "http://127.0.0.1:8000/back",
        "orderChannel": "INTERNET",
        "orderId": f"order{number}",
        "transactionReference": f"tr{number}",
    } | changes


def opened(simulator: Simulator, message: dict[str, Any]) -> dict[str, Any]:
    """The answer to a page that is asked for."""
    return sent(simulator, "/rs-services/v2/paymentInit", message)


def paid(simulator: Simulator) -> str:
    """The reference of a transaction that the buyer has made."""
    message = wanted()
    page = opened(simulator, message)
    form = {name: page[name] for name in ("redirectionVersion", "redirectionData")}
    lead = http.post(page["redirectionUrl"], data=form)
    pay({"pay_url": f"{simulator.url}{lead.headers['location']}"})
    return str(message["transactionReference"])


def operated(simulator: Simulator, operation: str, reference: str, amount: int) -> dict[str, Any]:
    """The answer to an operation."""
    message = {"transactionReference": reference, "currencyCode": "978"}
    return sent(simulator, f"{OFFICE}/{operation}", {**message, "operationAmount": str(amount)})


@pytest.mark.parametrize(
    "changes",
    [
        {"captureMode": "AUTHOR_CAPTURE"},
        {"amount": "0"},
        {"amount": "12.50"},
        {"currencyCode": "999"},
        {"transactionReference": "with-a-hyphen"},
        {"transactionReference": "x" * 36},
        {"orderId": "x" * 33},
        {"normalReturnUrl": "back"},
        {"interfaceVersion": "HP_2.20"},
    ],
)
def test_a_page_that_is_not_as_documented_is_refused(
    simulator: Simulator, changes: dict[str, str]
) -> None:
    assert opened(simulator, wanted(**changes))["redirectionStatusCode"] == "12"


def test_a_reference_opens_one_page_and_a_foreign_seal_none(simulator: Simulator) -> None:
    message = wanted()
    assert opened(simulator, message)["redirectionStatusCode"] == "00"
    assert opened(simulator, message)["redirectionStatusCode"] == "94"
    assert opened(simulator, {**message, "merchantId": "other"})["redirectionStatusCode"] == "00"
    forged = http.post(f"{simulator.url}/rs-services/v2/paymentInit", json={**message, "seal": "x"})
    assert forged.json()["redirectionStatusCode"] == "34"
    lost = http.post(f"{simulator.url}/sips/payment", data={"redirectionData": "x" * 99})
    assert http.get(f"{simulator.url}{lost.headers['location']}").status_code == 404


def test_a_payment_is_validated_once_and_given_back_after_its_night(simulator: Simulator) -> None:
    reference = paid(simulator)
    assert operated(simulator, "validate", reference, 5001)["responseCode"] == "51"
    assert operated(simulator, "refund", reference, 1)["responseCode"] == "24"
    done = operated(simulator, "validate", reference, 3000)
    assert (done["newStatus"], done["newAmount"]) == ("TO_CAPTURE", "3000")
    assert operated(simulator, "validate", reference, 3000)["responseCode"] == "24"
    assert operated(simulator, "cancel", reference, 5000)["responseCode"] == "24"
    assert operated(simulator, "refund", reference, 1000)["responseCode"] == "24"
    simulator.call("POST", "/v1/test/clock", json={"advance_s": 24 * 3600})
    for left in ("2000", "1000"):
        # Without keys the same request is another refund.
        assert operated(simulator, "refund", reference, 1000)["newAmount"] == left
    assert operated(simulator, "refund", reference, 1001)["responseCode"] == "51"
    assert operated(simulator, "refund", reference, 1000)["newStatus"] == "CREDITED"


def test_what_is_cancelled_or_unknown_stays_so(simulator: Simulator) -> None:
    reference = paid(simulator)
    assert operated(simulator, "cancel", reference, 5000)["newStatus"] == "CANCELLED"
    assert operated(simulator, "validate", reference, 5000)["responseCode"] == "24"
    assert operated(simulator, "validate", "never", 5000)["responseCode"] == "25"
    assert operated(simulator, "dance", reference, 5000)["responseCode"] == "12"
    waiting = wanted()
    opened(simulator, waiting)
    # Nobody has finished there: SIPS knows of no transaction.
    assert (
        operated(simulator, "validate", waiting["transactionReference"], 1)["responseCode"] == "25"
    )


def test_an_authorisation_that_nobody_validates_expires(simulator: Simulator) -> None:
    reference = paid(simulator)
    simulator.call("POST", "/v1/test/clock", json={"advance_s": 8 * 24 * 3600})
    asked = {"transactionReference": reference}
    said = sent(simulator, "/rs-services/v2/diagnostic/getTransactionData", asked)
    assert (said["getTransDataResponseCode"], said["transactionStatus"]) == ("00", "EXPIRED")
    assert operated(simulator, "validate", reference, 5000)["responseCode"] == "24"
