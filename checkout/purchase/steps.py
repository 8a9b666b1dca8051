"""The outside calls of a leg, each with its look-up: what was sent is never sent blindly again.

In: the leg and what was confirmed. Out: a `Result`; nothing is written here. A refusal of money is
believed only after the payment has been read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from checkout.deps import CheckoutDeps
from checkout.merchant_connectors.port import (
    Buyer,
    DeliveryAddress,
    Destination,
    LineStatus,
    MerchantConnector,
    MerchantQuote,
    OrderRequest,
    OrderStatus,
    PlacedOrder,
)
from checkout.outcomes import HandoffNeeded, NoAnswer, NotYet, OutcomeUnknown, Refused
from checkout.payment_providers.port import Payment, PaymentRequest, PaymentStatus
from checkout.purchase.confirmed import Confirmed
from checkout.purchase.leg import Leg, Result
from checkout.purchase.machine import Outcome, StepName
from checkout.quote_document import LegQuoted, sha256_of
from checkout.refunds import open_refund
from checkout.states import Reason
from kernel.money import Money
from mdm.merchants import Merchant

_LOG = logging.getLogger(__name__)

_REASON_OF = {
    "out_of_stock": Reason.OUT_OF_STOCK,
    "unknown_sku": Reason.OUT_OF_STOCK,
    "too_many": Reason.OUT_OF_STOCK,
    "total_changed": Reason.PRICE_CHANGED,
    "not_delivered": Reason.NOT_DELIVERED,
}
_AT_PROVIDER = {StepName.CREATE_PAYMENT, StepName.CAPTURE, StepName.VOID, StepName.REFUND}
RELEASED = {PaymentStatus.VOIDED, PaymentStatus.CANCELLED, PaymentStatus.EXPIRED}


class Steps:
    """The calls of one leg. Every method may be called again after a crash at any point."""

    def __init__(self, deps: CheckoutDeps, confirmed: Confirmed) -> None:
        self._database = deps.database
        self._provider, self._links = deps.provider, deps.links
        site = deps.settings.public_url or confirmed.site
        self._notice_url = f"{site}/webhooks/payments/{deps.settings.payment_provider}"
        self._connector: MerchantConnector = deps.connectors(confirmed.merchant)
        self._confirmed = confirmed

    def perform(self, leg: Leg, name: StepName, key: str) -> Result:
        """Make the call, and say what is known afterwards. Never raises."""
        calls: dict[StepName, Callable[[Leg, str], Result]] = {
            StepName.CREATE_PAYMENT: self._create_payment,
            StepName.REQUOTE: self._requote,
            StepName.PREPARE: self._prepare,
            StepName.PLACE: self._place,
            StepName.CAPTURE: self._capture,
            StepName.WITHDRAW: self._withdraw,
            StepName.VOID: self._void,
            StepName.CANCEL_ORDER: self._cancel_order,
            StepName.REFUND: self._refund,
        }
        try:
            return calls[name](leg, key)
        except HandoffNeeded as handoff:
            return _handed_off(handoff)
        except Refused as refusal:
            return _refused(name, refusal.code, refusal.message)
        except NotYet as later:
            detail, wait_s = later.message, later.retry_after_s
            return Result(Outcome.UNSENT, detail=detail, retry_after_s=wait_s)
        except NoAnswer as silence:
            return Result(Outcome.UNSENT, detail=silence.message)
        except OutcomeUnknown as doubt:
            return Result(Outcome.UNKNOWN, detail=doubt.message)
        except Exception as error:  # noqa: BLE001 - it leaves the same doubt as a lost answer
            _LOG.exception("step %s of leg %s ended unexpectedly", name, leg.leg_id)
            return Result(Outcome.UNKNOWN, detail=f"{type(error).__name__}: {error}")

    def look_up(self, leg: Leg, name: StepName) -> Result | None:
        """What became of a call whose end is not on record; None: it had no effect.

        Raises NoAnswer where the peer does not say.
        """
        if name is StepName.CREATE_PAYMENT:
            payment = self._find(leg)
            return None if payment is None else self._opened(leg, payment)
        if name is StepName.PLACE:
            order = self._connector.find(leg.leg_id, leg.handle or "")
            return None if order is None else self._placed(leg, order)
        if name is StepName.CAPTURE:
            payment = self.read_payment(leg)
            return _captured(leg, payment) if payment is not None else None
        if name is StepName.VOID:
            payment = self.read_payment(leg)
            return _released(payment) if payment is not None else None
        if name is StepName.WITHDRAW and leg.reason is Reason.HOLD_EXPIRED:
            order = self.read_order(leg)
            return None if order is None else _given_up(name, order)
        if name in {StepName.CANCEL_ORDER, StepName.WITHDRAW}:
            return _given_up(name, self._connector.status(leg.merchant_order or ""))
        if name is StepName.REFUND:
            payment = self.read_payment(leg)
            return self._given_back(leg, payment) if payment is not None else None
        return None

    def read_order(self, leg: Leg) -> PlacedOrder | None:
        """The order as the merchant has it. Raises NoAnswer, OutcomeUnknown or Refused."""
        return self._connector.find(leg.leg_id, leg.handle or "")

    def read_payment(self, leg: Leg) -> Payment | None:
        """The payment as the provider has it; None where it was never created."""
        if leg.payment_id is None:
            return self._find(leg)
        return self._provider.read(leg.payment_id)

    def _find(self, leg: Leg) -> Payment | None:
        return self._provider.find(leg.leg_id, payment_account(self._confirmed.merchant))

    def request_sha256(self, leg: Leg, name: StepName) -> str:
        """Hash of what the step asks for, so that a changed content under one key would show."""
        return sha256_of(
            {
                "step": name,
                "leg": leg.leg_id,
                "total": leg.total.as_json(),
                "payment": leg.payment_id,
                "handle": leg.handle,
                "refunded": leg.refunded.as_json(),
            }
        )

    def _create_payment(self, leg: Leg, key: str) -> Result:
        confirmed = self._confirmed
        opens = self._links.payment(leg.brand_id, leg.purchase_id)
        back = f"{confirmed.site}/pay/return/{opens}"
        payment = self._provider.create(
            PaymentRequest(
                reference=leg.leg_id,
                amount=leg.total,
                merchant_account=payment_account(confirmed.merchant),
                merchant_name=leg.merchant_name,
                return_url=back,
                cancel_url=f"{back}?left=1",
                locale=confirmed.language,
                notice_url=self._notice_url,
            ),
            key,
        )
        return self._opened(leg, payment)

    def _opened(self, leg: Leg, payment: Payment) -> Result:
        account = payment_account(self._confirmed.merchant)
        if payment.amount != leg.total or payment.merchant_account != account:
            return _refused(StepName.CREATE_PAYMENT, "payment_differs", str(payment.amount))
        changes = {"payment_id": payment.id, "pay_url": payment.pay_url}
        return Result(Outcome.DONE, changes=changes, response={"payment": payment.id})

    def _requote(self, leg: Leg, _: str) -> Result:
        quoted, contact = self._confirmed.quoted, self._confirmed.contact
        destination = Destination(contact.country, contact.postcode, contact.city)
        now = self._connector.quote(quoted.lines(), destination)
        return compare(leg, quoted, now)

    def _prepare(self, leg: Leg, _: str) -> Result:
        handle = self._connector.prepare(self._order(leg))
        return Result(Outcome.DONE, changes={"handle": handle}, response={"handle": handle})

    def _place(self, leg: Leg, _: str) -> Result:
        assert leg.handle is not None
        return self._placed(leg, self._connector.place(self._order(leg), leg.handle))

    def _placed(self, leg: Leg, order: PlacedOrder) -> Result:
        response = {
            "order": order.merchant_order_number,
            "total": order.total.as_json(),
            "merchant_status": order.merchant_status,
        }
        if order.total != leg.total:
            # An order exists over another amount: neither charged nor forgotten.
            detail = f"order {order.merchant_order_number} is over {order.total}"
            return Result(Outcome.UNKNOWN, detail=detail, response=response)
        changes = {"merchant_order": order.merchant_order_number}
        return Result(Outcome.DONE, changes=changes, response=response)

    def _capture(self, leg: Leg, key: str) -> Result:
        assert leg.payment_id is not None
        try:
            payment = self._provider.capture(leg.payment_id, leg.total, key)
        except Refused as refusal:
            payment = self._provider.read(leg.payment_id)
            if payment.status in RELEASED:
                return Result(
                    Outcome.REFUSED, Reason.HOLD_EXPIRED, f"the payment is {payment.status}"
                )
            return _captured(leg, payment) or _refused(
                StepName.CAPTURE, refusal.code, refusal.message
            )
        return _captured(leg, payment) or Result(Outcome.UNKNOWN, detail=payment.status)

    def _void(self, leg: Leg, key: str) -> Result:
        payment = self.read_payment(leg)
        if payment is None:
            return Result(Outcome.DONE, response={"payment": None})
        if payment.status in RELEASED:
            return Result(Outcome.DONE, response={"status": payment.status})
        try:
            voided = self._provider.void(payment.id, key)
        except Refused as refusal:
            voided = self._provider.read(payment.id)
            return _released(voided) or _refused(StepName.VOID, refusal.code, refusal.message)
        return _released(voided) or Result(Outcome.UNKNOWN, detail=voided.status)

    def _cancel_order(self, leg: Leg, _: str) -> Result:
        return self._give_up(leg, StepName.CANCEL_ORDER, "the buyer cancelled")

    def _withdraw(self, leg: Leg, _: str) -> Result:
        if leg.reason is Reason.HOLD_EXPIRED:
            return self._take_back_unpaid(leg)
        return self._give_up(leg, StepName.WITHDRAW, "another part of the purchase failed")

    def _take_back_unpaid(self, leg: Leg) -> Result:
        """The money is gone: the order too, unless the goods have left, or nobody can cancel it."""
        order = self.read_order(leg)
        given_up = None if order is None else _given_up(StepName.WITHDRAW, order)
        if given_up is not None:
            return given_up
        if order is not None and order.status is OrderStatus.SHIPPED:
            raise Refused("too_late", "The merchant has shipped what can no longer be charged.")
        return self._give_up(leg, StepName.WITHDRAW, "it can no longer be charged")

    def _give_up(self, leg: Leg, name: StepName, why: str) -> Result:
        order = self._connector.cancel(leg.merchant_order or "", why)
        return _given_up(name, order) or Result(Outcome.UNKNOWN, detail=order.merchant_status)

    def _refund(self, leg: Leg, key: str) -> Result:
        assert leg.payment_id is not None
        wanted = self._to_give_back(leg)
        try:
            payment = self._provider.refund(
                leg.payment_id, wanted, key, refunded_before=leg.refunded
            )
        except Refused as refusal:
            payment = self._provider.read(leg.payment_id)
            return self._given_back(leg, payment) or _refused(
                StepName.REFUND, refusal.code, refusal.message
            )
        return self._given_back(leg, payment) or Result(Outcome.UNKNOWN, detail=payment.status)

    def _to_give_back(self, leg: Leg) -> Money:
        with self._database.platform() as tx:
            wanted = open_refund(tx, leg.leg_id)
        assert wanted is not None
        return wanted.amount

    def _given_back(self, leg: Leg, payment: Payment) -> Result | None:
        """Done where the provider has given back what is on record and this refund, no less."""
        if payment.refunded == leg.refunded:
            return None
        expected = leg.refunded + self._to_give_back(leg)
        response = {"refunded": payment.refunded.as_json()}
        if payment.refunded != expected:
            detail = f"{payment.refunded} was given back, not {expected}"
            return Result(Outcome.UNKNOWN, detail=detail, response=response)
        changes = {"refunded_minor": payment.refunded.minor}
        return Result(Outcome.DONE, changes=changes, response=response)

    def _order(self, leg: Leg) -> OrderRequest:
        contact, quoted = self._confirmed.contact, self._confirmed.quoted
        return OrderRequest(
            reference=leg.leg_id,
            lines=quoted.lines(),
            address=DeliveryAddress(
                contact.name,
                contact.line1,
                contact.postcode,
                contact.city,
                contact.country,
                contact.line2,
            ),
            buyer=Buyer(contact.email, contact.phone),
            delivery_code=quoted.delivery.code,
            expected_total=leg.total,
        )


def payment_account(merchant: Merchant) -> str:
    """The merchant's own account at the payment provider."""
    return merchant.connector_settings.get("payment_account", merchant.id)


def compare(leg: Leg, quoted: LegQuoted, now: MerchantQuote) -> Result:
    """Whether the merchant still sells exactly what was confirmed, for exactly that total. Pure."""
    response: dict[str, Any] = {"lines": [line.status for line in now.lines]}
    if any(line.status is not LineStatus.OK for line in now.lines):
        return Result(Outcome.REFUSED, Reason.OUT_OF_STOCK, "gone since", response=response)
    if not any(row.code == quoted.delivery.code for row in now.delivery):
        return Result(Outcome.REFUSED, Reason.NOT_DELIVERED, "no such delivery", response=response)
    total = now.total(quoted.delivery.code)
    prices = {line.sku: line.unit_price for line in now.lines}
    is_same = all(prices.get(offer.sku) == offer.unit_price for offer in quoted.offers)
    if total is None or total != leg.total or not is_same:
        minor = None if total is None or total.currency != leg.total.currency else total.minor
        return Result(
            Outcome.REFUSED,
            Reason.PRICE_CHANGED,
            f"{leg.total} was confirmed, {total} is asked now",
            changes={"requoted_minor": minor},
            response=response,
        )
    return Result(Outcome.DONE, response=response)


def _captured(leg: Leg, payment: Payment) -> Result | None:
    """Done where the provider says that exactly the total was captured; None where nothing was."""
    if payment.captured.minor == 0:
        return None
    response = {"status": payment.status, "captured": payment.captured.as_json()}
    if payment.captured != leg.total:
        detail = f"{payment.captured} was captured, not {leg.total}"
        return Result(Outcome.UNKNOWN, detail=detail, response=response)
    changes = {"captured_minor": payment.captured.minor}
    return Result(Outcome.DONE, changes=changes, response=response)


def _given_up(name: StepName, order: PlacedOrder) -> Result | None:
    """Done where the merchant says that the order is cancelled."""
    if order.status is not OrderStatus.CANCELLED:
        return None
    changes = {"order_status": order.status.value}
    response = {"merchant_status": order.merchant_status}
    reason = Reason.CANCELLED_BY_BUYER if name is StepName.CANCEL_ORDER else None
    return Result(Outcome.DONE, reason, changes=changes, response=response)


def _released(payment: Payment) -> Result | None:
    if payment.status not in RELEASED:
        return None
    return Result(Outcome.DONE, response={"status": payment.status})


def _handed_off(handoff: HandoffNeeded) -> Result:
    """The journal keeps where the buyer can finish; the order page leads there."""
    response = {"code": handoff.code, "continue_url": handoff.continue_url}
    return Result(Outcome.REFUSED, Reason.FINISH_AT_MERCHANT, handoff.message, response=response)


def _refused(name: StepName, code: str, message: str) -> Result:
    if name in {StepName.CANCEL_ORDER, StepName.WITHDRAW}:
        return Result(Outcome.REFUSED, Reason.TOO_LATE, f"{code}: {message}")
    at_provider = name in _AT_PROVIDER
    fallback = Reason.PROVIDER_REFUSED if at_provider else Reason.MERCHANT_REFUSED
    reason = fallback if at_provider else _REASON_OF.get(code, fallback)
    return Result(Outcome.REFUSED, reason, f"{code}: {message}", response={"code": code})
