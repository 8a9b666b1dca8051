"""What every payment provider must do, run against the provider's real process."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from checkout.outcomes import NoAnswer, Refused
from checkout.payment_providers import open_provider
from checkout.payment_providers.port import Network, PaymentStatus
from kernel.errors import NotFound
from tests.contracts.payment_peers import (
    CO_BADGED_CARD,
    GOOD_CARD,
    Provider,
    eur,
    no_faults_left,
    provider,
    request_of,
)

__all__ = ["no_faults_left", "provider"]


def test_the_whole_way_of_a_payment(provider: Provider) -> None:
    request = request_of()
    payment = provider.adapter.create(request, "whole-way/create")
    assert payment.status is PaymentStatus.REQUIRES_PAYMENT
    assert payment.amount == eur(14480)
    assert provider.pay(payment).startswith(request.return_url)
    authorised = provider.adapter.read(payment.id)
    assert authorised.status is PaymentStatus.AUTHORISED
    assert authorised.capture_before is not None
    assert authorised.capture_before > datetime.now(UTC) + timedelta(days=5)
    captured = provider.adapter.capture(payment.id, eur(14480), "whole-way/capture")
    assert (captured.status, captured.captured) == (PaymentStatus.CAPTURED, eur(14480))
    provider.remit()
    refunded = provider.adapter.refund(payment.id, eur(4000), "whole-way/refund")
    assert (refunded.status, refunded.refunded) == (PaymentStatus.CAPTURED, eur(4000))
    assert provider.adapter.read(refunded.id) == refunded
    if provider.traits.finds_payments:
        assert provider.find(request) == refunded


def test_find_says_none_only_of_an_unknown_reference(provider: Provider) -> None:
    assert provider.adapter.find("pur_never/leg_1", "acct_atelier") is None
    request = request_of()
    payment = provider.adapter.create(request, f"{request.reference}/create")
    assert provider.find(request) == (payment if provider.traits.finds_open_pages else None)


def test_the_same_key_is_done_once_and_another_request_under_it_refused(
    provider: Provider,
) -> None:
    request = request_of()
    first = provider.adapter.create(request, "once/create")
    again = provider.adapter.create(request, "once/create")
    assert provider.seen(again) == provider.seen(first)
    if not provider.traits.keeps_keys:
        # Another page of the same payment; the reference leads to the one that was paid at.
        assert again.pay_url != first.pay_url
        provider.pay(again)
        found = provider.find(request)
        assert found is not None
        assert (found.status, found.amount) == (PaymentStatus.AUTHORISED, request.amount)
        return
    assert again.pay_url == first.pay_url
    with pytest.raises(Refused) as conflict:
        provider.adapter.create(replace(request, amount=eur(1)), "once/create")
    assert conflict.value.code == "idempotency_conflict"
    if provider.name == "simulator":
        with pytest.raises(Refused) as taken:
            provider.adapter.create(request, "once/create-again")
        assert taken.value.code == "duplicate_reference"


def test_never_more_than_authorised_and_never_twice(provider: Provider) -> None:
    payment = provider.authorised(5000)
    with pytest.raises(Refused) as over:
        provider.adapter.capture(payment.id, eur(5001), f"{payment.id}/too-much")
    assert over.value.code == "over_capture"
    partly = provider.adapter.capture(payment.id, eur(3000), f"{payment.id}/capture")
    assert partly.captured == eur(3000)
    with pytest.raises(Refused) as twice:
        provider.adapter.capture(payment.id, eur(1000), f"{payment.id}/capture-2")
    assert twice.value.code == "already_captured"
    provider.remit()
    with pytest.raises(Refused) as too_much_back:
        provider.adapter.refund(payment.id, eur(3001), f"{payment.id}/refund")
    assert too_much_back.value.code == "over_refund"


def test_after_a_void_nothing_can_be_taken(provider: Provider) -> None:
    payment = provider.authorised()
    assert provider.adapter.void(payment.id, f"{payment.id}/void").status is PaymentStatus.VOIDED
    with pytest.raises(Refused) as refusal:
        provider.adapter.capture(payment.id, payment.amount, f"{payment.id}/capture")
    assert refusal.value.code == "not_capturable"
    if provider.traits.keeps_keys:
        with pytest.raises(Refused) as again:
            provider.adapter.void(payment.id, f"{payment.id}/void-2")
        assert again.value.code == "not_voidable"
    else:
        again_voided = provider.adapter.void(payment.id, f"{payment.id}/void-2")
        assert again_voided.status is PaymentStatus.VOIDED
    with pytest.raises(Refused) as nothing:
        provider.adapter.refund(payment.id, eur(1), f"{payment.id}/refund")
    assert nothing.value.code == "not_refundable"


def test_an_open_page_can_be_closed_by_a_void(provider: Provider) -> None:
    request = request_of()
    payment = provider.adapter.create(request, f"{request.reference}/create")
    if not provider.traits.closes_pages:
        # It says so, and the money is released once somebody has paid all the same.
        with pytest.raises(NoAnswer):
            provider.adapter.void(payment.id, f"{request.reference}/void")
        provider.pay(payment)
    provider.adapter.void(payment.id, f"{request.reference}/void")
    provider.pay(payment)
    assert provider.adapter.read(payment.id).status is PaymentStatus.VOIDED
    assert provider.adapter.read(payment.id).captured == eur(0)


def test_a_declined_card_leaves_the_page_open_and_says_why(provider: Provider) -> None:
    request = request_of()
    payment = provider.adapter.create(request, f"{request.reference}/create")
    provider.pay(payment, "4000 0000 0000 9995")
    declined = provider.adapter.read(payment.id)
    assert declined.status is PaymentStatus.REQUIRES_PAYMENT
    why = "insufficient_funds" if provider.traits.says_why_declined else None
    assert declined.decline_code == why
    provider.pay(payment)
    assert provider.adapter.read(payment.id).status is PaymentStatus.AUTHORISED


def test_of_a_card_with_two_networks_the_buyer_chooses(provider: Provider) -> None:
    domestic = provider.authorised(number=CO_BADGED_CARD)
    chosen = provider.authorised(number=CO_BADGED_CARD, network="other")
    single = provider.authorised(number=GOOD_CARD)
    assert domestic.network is Network.CARTES_BANCAIRES
    assert chosen.network is Network.VISA
    assert single.network is Network.VISA
    taken = provider.adapter.capture(domestic.id, domestic.amount, f"{domestic.id}/capture")
    assert taken.network is Network.CARTES_BANCAIRES


@pytest.mark.parametrize(
    "payment_id",
    [
        *("pay_aaaaaaaaaaaaaaaaaaaaaaaaaa", "acct_atelier:cs_test_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
        *("../test/ledger", "", "acct_atelier/paid/aaaaaaaaaaaaaaaaaaaaaaaaaa_0"),
        *("acct_atelier/paid/aaaaaaaaaaaaaaaaaaaaaaaaaa00",),
    ],
)
def test_an_unknown_payment_is_refused(provider: Provider, payment_id: str) -> None:
    with pytest.raises(Refused) as refusal:
        provider.adapter.read(payment_id)
    assert refusal.value.code == "payment_unknown"


def test_an_unknown_provider_is_named_with_those_that_exist(provider: Provider) -> None:
    with pytest.raises(NotFound) as error:
        open_provider("no-such-bank", provider.simulator.settings())
    assert "simulator" in error.value.hint
