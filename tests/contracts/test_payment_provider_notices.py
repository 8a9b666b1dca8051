"""The notices of every payment provider: signed, fresh, and about a payment of ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checkout.outcomes import Refused
from checkout.payment_providers.port import Payment
from tests.contracts.payment_peers import Provider, no_faults_left, notice_at, provider
from tests.peers import Listener, wait_for

__all__ = ["no_faults_left", "provider"]


def test_a_signed_notice_is_read(provider: Provider) -> None:
    now = datetime.now(UTC)
    headers, raw = notice_at(provider, now)
    paid = {"stripe": "acct_atelier:cs_test_x1", "simulator": "pay_x"}.get(provider.name, "")
    for given in (headers, {name.lower(): value for name, value in headers.items()}):
        event = provider.adapter.verify_webhook(given, raw, now)
        assert event == provider.adapter.verify_webhook(given, raw, now)
        if provider.name != "sips":
            assert (event.id, event.type) == ("evt_1", "payment.captured")
        assert (event.payment_id, event.reference) == (paid, "pur_x/leg_1")


def test_the_providers_own_notices_are_read(provider: Provider) -> None:
    payment = provider.authorised()
    provider.adapter.capture(payment.id, payment.amount, f"{payment.id}/capture")
    listener = Listener()
    try:
        address = {"url": f"{listener.url}/notices"}
        provider.simulator.call("PUT", "/v1/webhook-endpoint", json=address)
        wait_for(lambda: _has_notice(provider, listener, payment), 60)
    finally:
        listener.close()


def _has_notice(provider: Provider, listener: Listener, payment: Payment) -> bool:
    for each in list(listener.received):
        try:
            event = provider.adapter.verify_webhook(each.headers, each.body, datetime.now(UTC))
        except Refused:
            # Of another provider: they share one simulator.
            continue
        if event.reference == payment.reference:
            return True
    return False


@pytest.mark.parametrize(
    ("age_s", "code"), [(0, None), (299, None), (-299, None), (302, "stale"), (-302, "stale")]
)
def test_a_notice_is_good_for_five_minutes(
    provider: Provider, age_s: int, code: str | None
) -> None:
    now = datetime.now(UTC)
    headers, raw = notice_at(provider, now - timedelta(seconds=age_s))
    if code is None or not provider.traits.signs_the_time:
        assert provider.adapter.verify_webhook(headers, raw, now).reference == "pur_x/leg_1"
        return
    with pytest.raises(Refused) as refusal:
        provider.adapter.verify_webhook(headers, raw, now)
    assert refusal.value.code == f"webhook_{code}"


def test_a_notice_that_was_touched_is_refused(provider: Provider) -> None:
    now = datetime.now(UTC)
    headers, raw = notice_at(provider, now)
    cases = {
        "webhook_unsigned": [({}, b"" if provider.name == "sips" else raw)],
        "webhook_forged": [(headers, _touched(raw))],
        "webhook_malformed": [notice_at(provider, now, b"[" * 5000)],
    }
    if provider.traits.signature_header:
        signature = headers[provider.traits.signature_header]
        forged = {**headers, provider.traits.signature_header: signature[:-8] + "0" * 8}
        cases["webhook_forged"].append((forged, raw))
    if provider.traits.signs_the_time:
        stamp = signature.split(",")[0].removeprefix("t=")
        later = signature.replace(stamp, str(int(stamp) + 1))
        cases["webhook_unsigned"].append(({provider.traits.signature_header: "v1=abc"}, raw))
        cases["webhook_forged"].append(({provider.traits.signature_header: later}, raw))
    for code, notices in cases.items():
        for given, body in notices:
            with pytest.raises(Refused) as refusal:
                provider.adapter.verify_webhook(given, body, now)
            assert refusal.value.code == code


def _touched(raw: bytes) -> bytes:
    """The same notice about another payment."""
    assert b"leg_1" in raw
    return raw.replace(b"leg_1", b"leg_2")
