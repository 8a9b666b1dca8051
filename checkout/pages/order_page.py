"""An order as pages show it: hand-off to the payments, waiting, confirmation and status. Pure.

`signed` is what opens the order (`checkout.signed_links`): all of its pages lie below it.
"""

from __future__ import annotations

from checkout.orders import LegRecord, Order
from checkout.pages.view_models import (
    LegState,
    MoneyState,
    OrderLeg,
    OrderLine,
    OrderPage,
    Payment,
    PaymentPage,
    PendingPage,
)
from checkout.payment_providers.port import Network, page_form
from checkout.purchase.machine import State
from checkout.quote_document import totals

REFRESH_S = 2
REFRESH_SLOWLY_S = 15
_NETWORKS = {
    Network.CARTES_BANCAIRES: "CB",
    Network.VISA: "Visa",
    Network.MASTERCARD: "Mastercard",
}
_CHARGED = {MoneyState.CHARGED, MoneyState.REFUNDING, MoneyState.REFUNDED}


def order_path(signed: str) -> str:
    """Where the order can always be looked at."""
    return f"/order/{signed}"


def payment_path(signed: str) -> str:
    """Where the payments of an order can be chosen from."""
    return f"/pay/handoff/{signed}?again=1"


def pay_path(signed: str, record: LegRecord) -> str | None:
    """The link that leads to the provider's page of a leg, while it can be paid."""
    if not record.is_payable:
        return None
    return f"/pay/handoff/{signed}/{record.leg.ordinal}"


def _payment(signed: str, record: LegRecord) -> Payment:
    return Payment(
        merchant_name=record.leg.merchant_name,
        amount=record.leg.total,
        state=record.state,
        pay_path=pay_path(signed, record),
        reason=record.leg.reason,
        form=page_form(record.pay_url) if record.is_payable and record.pay_url else None,
    )


def payment_page(order: Order, signed: str, provider: str, *, leads_on: bool) -> PaymentPage:
    """The payments of an order. `leads_on`: a single one is gone to without another click, unless
    its page has to be opened by a form.
    """
    payments = tuple(_payment(signed, record) for record in order.legs)
    payable = [record for record in order.legs if record.is_payable]
    following = payable[0] if payable else None
    goes = leads_on and len(order.legs) == 1 and payments[0].form is None
    return PaymentPage(
        order_number=order.number,
        payments=payments,
        next_path=pay_path(signed, following) if goes and following is not None else None,
        position=1 if following is None else following.leg.ordinal,
        count=len(order.legs),
        is_waiting=any(record.leg.state is State.NEW for record in order.legs),
        provider=provider,
    )


def pending_page(order: Order, signed: str, refresh_path: str) -> PendingPage:
    """While outcomes are asked for."""
    return PendingPage(
        order_number=order.number,
        order_path=order_path(signed),
        refresh_s=REFRESH_S,
        refresh_path=refresh_path,
        legs=tuple(_payment(signed, record) for record in order.legs),
    )


def order_page(order: Order, signed: str, *, is_new: bool = False) -> OrderPage:
    """The receipt: every leg with its steps, its lines and the merchant's own number."""
    return OrderPage(
        order_number=order.number,
        created_at=order.created_at,
        legs=tuple(_leg(order, signed, record) for record in order.legs),
        totals=totals(record.leg.total for record in order.legs),
        email=order.contact.email,
        contact_lines=order.contact.lines,
        terms_version=order.terms_version,
        terms_path=f"/terms?version={order.terms_version}&language={order.terms_language}",
        terms_accepted_at=order.terms_accepted_at,
        policy=order.policy,
        is_new=is_new,
        is_settled=order.is_resting,
        refresh_s=_refresh_s(order),
        country=order.contact.country,
    )


def _refresh_s(order: Order) -> int | None:
    """Often while it moves by itself, rarely while it waits for people, never once settled."""
    waiting = {LegState.AWAITING_PAYMENT, LegState.NEEDS_ATTENTION}
    moving = [record for record in order.legs if not record.is_resting]
    if not moving:
        return None
    return REFRESH_SLOWLY_S if all(r.state in waiting for r in moving) else REFRESH_S


def _leg(order: Order, signed: str, record: LegRecord) -> OrderLeg:
    leg, quoted = record.leg, record.quoted
    return OrderLeg(
        merchant_id=leg.merchant_id,
        merchant_name=leg.merchant_name,
        terms_path=order.terms_path_of(leg.merchant_id),
        merchant_phone=record.phone,
        state=record.state,
        money=record.money,
        reason=leg.reason,
        steps=record.steps,
        lines=tuple(
            OrderLine(
                article=offer.article,
                quantity=offer.quantity,
                unit_price=offer.unit_price,
                total=offer.total,
                product_id=offer.product_id,
                picture=offer.picture,
            )
            for offer in quoted.offers
        ),
        goods=quoted.goods,
        delivery=quoted.delivery.price,
        delivery_name=quoted.delivery.name,
        total=leg.total,
        charged=leg.captured if record.money in _CHARGED else None,
        merchant_order=leg.merchant_order,
        change=record.change,
        returns_days=quoted.returns_days,
        pay_path=pay_path(signed, record),
        refunded=leg.refunded if leg.refunded.minor else None,
        order_status=leg.order_status,
        cancel_path=f"{order_path(signed)}/cancel" if record.is_cancellable else None,
        continue_url=record.continue_url,
        card_network=_NETWORKS.get(record.card_network) if record.card_network else None,
    )
