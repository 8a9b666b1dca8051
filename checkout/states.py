"""The words for what becomes of a purchase, as shoppers meet them in pages and in the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kernel.money import Money


class LineProblem(StrEnum):
    """Why a basket line cannot be bought now."""

    WITHDRAWN = "withdrawn"  # the merchant no longer offers it
    NOT_SOLD_HERE = "not_sold_here"  # bought at the merchant's own shop only
    OUT_OF_STOCK = "out_of_stock"
    TOO_FEW = "too_few"  # less in stock than the quantity wanted: see `available`
    MERCHANT_SILENT = "merchant_silent"  # the merchant's system did not answer
    NOT_DELIVERED = "not_delivered"  # the merchant does not deliver to this address


class Policy(StrEnum):
    """What the buyer wants where one merchant of several cannot deliver."""

    BEST_EFFORT = "best_effort"  # the other parts stand by themselves
    ALL_OR_NOTHING = "all_or_nothing"  # nothing is charged before every merchant has accepted


class LegState(StrEnum):
    """How far the purchase at one merchant is."""

    AWAITING_PAYMENT = "awaiting_payment"
    PAID_FOR = "paid_for"  # authorised; nothing is charged yet
    BEING_PLACED = "being_placed"
    PLACED = "placed"  # the merchant has accepted; the charge is next
    AWAITING_SHIPMENT = "awaiting_shipment"  # accepted; charged once the merchant has shipped
    COMPLETED = "completed"  # placed and charged
    CANCELLING = "cancelling"  # the authorisation is being released
    CANCELLED = "cancelled"  # nothing charged: see `reason`
    WITHDRAWING = "withdrawing"  # accepted, not charged: the merchant is asked to give it up
    CANCELLING_ORDER = "cancelling_order"  # the merchant is asked to give the order up
    REFUNDING = "refunding"  # money is on its way back
    REFUNDED = "refunded"  # all that was charged went back: see `reason`
    NEEDS_ATTENTION = "needs_attention"  # people look into it; `money` says what moved


class Reason(StrEnum):
    """Why a leg ended, or waits, other than as hoped."""

    PAYMENT_REFUSED = "payment_refused"
    PAYMENT_CANCELLED = "payment_cancelled"  # the shopper went back from the provider's page
    PAYMENT_EXPIRED = "payment_expired"
    PRICE_CHANGED = "price_changed"
    OUT_OF_STOCK = "out_of_stock"
    NOT_DELIVERED = "not_delivered"
    MERCHANT_REFUSED = "merchant_refused"
    FINISH_AT_MERCHANT = "finish_at_merchant"  # it wants the buyer on its own page: see there
    MERCHANT_SILENT = "merchant_silent"
    PROVIDER_REFUSED = "provider_refused"
    PROVIDER_SILENT = "provider_silent"
    CANCELLED_BY_BUYER = "cancelled_by_buyer"
    MERCHANT_CANCELLED = "merchant_cancelled"  # after it had accepted
    HOLD_EXPIRED = "hold_expired"  # the money was let go before the merchant had shipped
    OTHER_PART_FAILED = "other_part_failed"  # and the buyer wanted all or nothing
    TOO_LATE = "too_late"  # the merchant no longer cancels: the order stands


# What ends an order that the merchant had accepted.
AFTER_ACCEPTANCE = frozenset(
    {Reason.MERCHANT_CANCELLED, Reason.CANCELLED_BY_BUYER, Reason.HOLD_EXPIRED}
)


class MoneyState(StrEnum):
    """What became of the money of one leg."""

    NONE = "none"  # nothing was reserved
    RESERVED = "reserved"  # authorised on the card, not charged
    CHARGED = "charged"
    RELEASED = "released"  # the authorisation was given back, nothing charged
    REFUNDING = "refunding"  # charged, and on its way back
    REFUNDED = "refunded"  # charged, and all of it given back
    UNKNOWN = "unknown"  # the provider has not answered yet


class StepState(StrEnum):
    """One step in the line of steps of a leg."""

    DONE = "done"
    NOW = "now"
    NEXT = "next"
    FAILED = "failed"


class StepName(StrEnum):
    """The steps that shoppers see, in order."""

    PAYMENT = "payment"  # authorised at the provider
    CHECKED = "checked"  # price and stock read again at the merchant
    ORDERED = "ordered"  # accepted by the merchant
    SHIPPED = "shipped"  # shown only where that is when it is charged
    CHARGED = "charged"
    REFUNDED = "refunded"  # shown only where money goes back


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A price that is no longer what the shopper last saw."""

    before: Money
    after: Money


@dataclass(frozen=True, slots=True)
class Step:
    """One step with the moment it was done (or failed)."""

    name: StepName
    state: StepState
    at: datetime | None = None
