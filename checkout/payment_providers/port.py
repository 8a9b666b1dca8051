"""The contract with a payment provider: create, read, find, capture, void, refund, webhooks.

The money is authorised on the merchant's own account at the provider's hosted page and captured
later; captured never exceeds authorised, refunded never exceeds captured. Outcomes are those of
`checkout.outcomes`. The same idempotency key with the same content is safe to send again; without
such keys a provider tells by what the payment is, and for a refund by what went back before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable
from urllib.parse import parse_qsl, urldefrag, urlsplit, urlunsplit

from kernel.money import Money


class PaymentStatus(StrEnum):
    """Where a payment stands. CAPTURED stays, also when some or all is refunded."""

    REQUIRES_PAYMENT = "requires_payment"  # the buyer has not finished at the hosted page
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    VOIDED = "voided"  # released without a capture
    CANCELLED = "cancelled"  # the buyer went back, or the page was never finished
    EXPIRED = "expired"  # authorised, and not captured in time


class Network(StrEnum):
    """The network that a card payment went through. Of a card with two the buyer chooses."""

    CARTES_BANCAIRES = "cartes_bancaires"
    VISA = "visa"
    MASTERCARD = "mastercard"
    OTHER = "other"


POSTED = "post"
"""Fragment of a hosted page's address whose query is to be sent by a form."""


@dataclass(frozen=True, slots=True)
class PageForm:
    """A form that leads to a hosted page: hidden fields, posted to `action`."""

    action: str
    fields: tuple[tuple[str, str], ...]


def page_form(pay_url: str) -> PageForm | None:
    """The form that a page has to be opened by; None where a link does."""
    address, fragment = urldefrag(pay_url)
    if fragment != POSTED:
        return None
    parts = urlsplit(address)
    action = urlunsplit(parts._replace(query=""))
    return PageForm(action, tuple(parse_qsl(parts.query, keep_blank_values=True)))


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """What to authorise. `reference` is ours, and unique; `locale` is fr, de or en.

    `notice_url` is where notices go, for providers that have to be told with each payment.
    """

    reference: str
    amount: Money
    merchant_account: str
    merchant_name: str
    return_url: str
    cancel_url: str
    locale: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    notice_url: str = ""


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as the provider has it. `capture_before` and `network` are set once authorised.

    `decline_code` is why the last try at the hosted page failed, if it did. See `page_form` for how
    `pay_url` is opened.
    """

    id: str
    reference: str
    merchant_account: str
    status: PaymentStatus
    amount: Money
    captured: Money
    refunded: Money
    pay_url: str
    capture_before: datetime | None
    decline_code: str | None
    network: Network | None = None


@dataclass(frozen=True, slots=True)
class PaymentEvent:
    """A verified notice. It is a hint: read the payment, never trust the order of notices.

    `payment_id` is empty where the notice names our reference alone.
    """

    id: str
    type: str
    payment_id: str
    reference: str
    created_at: datetime


class MovementKind(StrEnum):
    """Which way money went."""

    CAPTURE = "capture"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that the provider moved. `amount` is above 0; `reference` is ours, else empty."""

    id: str
    kind: MovementKind
    reference: str
    amount: Money
    at: datetime


@runtime_checkable
class ListsMovements(Protocol):
    """What a provider offers besides, whose movements can be compared with the books."""

    def movements(
        self, merchant_account: str, begin: datetime, end: datetime
    ) -> Iterator[Movement]:
        """Every capture and refund on an account in `begin <= at < end`. Raises NoAnswer."""
        ...


class PaymentProvider(Protocol):
    """One provider. Implementations are safe to share between threads."""

    def create(self, request: PaymentRequest, idempotency_key: str) -> Payment:
        """Open a payment; its `pay_url` is the hosted page. Nothing is authorised yet.

        Raises Refused, NoAnswer or OutcomeUnknown, as every changing call does.
        """
        ...

    def read(self, payment_id: str) -> Payment:
        """The payment now. Raises Refused (`payment_unknown`) or NoAnswer."""
        ...

    def find(self, reference: str, merchant_account: str) -> Payment | None:
        """The payment of a reference on an account.

        None only where the provider says that there is none.
        """
        ...

    def capture(self, payment_id: str, amount: Money, idempotency_key: str) -> Payment:
        """Take money, once, up to what is authorised; what is left of it is released.

        Refused: `over_capture`, `already_captured`, `not_capturable`, `authorisation_expired`.
        """
        ...

    def void(self, payment_id: str, idempotency_key: str) -> Payment:
        """Release the authorisation, or close the hosted page. Refused: `not_voidable`."""
        ...

    def refund(
        self,
        payment_id: str,
        amount: Money,
        idempotency_key: str,
        *,
        refunded_before: Money | None = None,
    ) -> Payment:
        """Give money back, up to what is captured. Refused: `over_refund`, `not_refundable`; NotYet
        where the provider does it only later.

        `refunded_before` is what the books say has gone back so far: a provider without keys gives
        back only what that leaves open.
        """
        ...

    def verify_webhook(
        self, headers: Mapping[str, str], raw_body: bytes, now: datetime
    ) -> PaymentEvent:
        """The event of a notice that the provider signed within 300 s of `now`.

        Raises Refused (`webhook_unsigned`, `webhook_forged`, `webhook_stale`,
        `webhook_malformed`).
        """
        ...
