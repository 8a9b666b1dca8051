"""Reading an order back: its legs, what was confirmed, and when each step was done.

In: the reference, inside the brand's transaction. Out: frozen records for pages and the
API; nothing here changes anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from checkout import tables as t
from checkout.contact import Contact
from checkout.merchant_connectors import capabilities_on_record
from checkout.merchant_connectors.port import Capabilities, OrderStatus
from checkout.payment_providers.port import Network
from checkout.purchase.leg import Leg, leg_of
from checkout.purchase.machine import State
from checkout.quote import read_quote
from checkout.quote_document import LegQuoted, TermsQuoted
from checkout.states import (
    LegState,
    MoneyState,
    Policy,
    PriceChange,
    Reason,
    Step,
    StepName,
    StepState,
)
from checkout.terms_accepted import accepted_terms
from kernel.db import Prepared, Transaction
from kernel.errors import NotFound
from kernel.money import Money
from mdm.merchants import read_merchant

_BY_REFERENCE = Prepared(t.purchase.select().where(t.purchase.c.order_ref == sa.bindparam("given")))
_BY_ID = Prepared(t.purchase.select().where(t.purchase.c.purchase_id == sa.bindparam("given")))
_LEGS = Prepared(
    t.leg.select().where(t.leg.c.purchase_id == sa.bindparam("bought")).order_by(t.leg.c.ordinal)
)
_REACHED = Prepared(
    sa.select(t.leg_transition.c.leg_id, t.leg_transition.c.state, t.leg_transition.c.at)
    .join(t.leg, t.leg.c.leg_id == t.leg_transition.c.leg_id)
    .where(t.leg.c.purchase_id == sa.bindparam("bought"))
    .order_by(t.leg_transition.c.ordinal)
)
_SHOWN_STEPS = {
    StepName.PAYMENT: State.AUTHORISED,
    StepName.CHECKED: State.REQUOTED,
    StepName.ORDERED: State.PLACED,
    StepName.SHIPPED: State.SHIPPED,
    StepName.CHARGED: State.COMPLETED,
}
_LEG_STATES = {
    State.NEW: LegState.AWAITING_PAYMENT,
    State.AWAITING_PAYMENT: LegState.AWAITING_PAYMENT,
    State.AUTHORISED: LegState.PAID_FOR,
    State.REQUOTED: LegState.BEING_PLACED,
    State.PREPARED: LegState.BEING_PLACED,
    State.PLACED: LegState.PLACED,
    State.AWAITING_SHIPMENT: LegState.AWAITING_SHIPMENT,
    State.SHIPPED: LegState.PLACED,
    State.COMPLETED: LegState.COMPLETED,
    State.VOIDING: LegState.CANCELLING,
    State.CANCELLED: LegState.CANCELLED,
    State.WITHDRAWING: LegState.WITHDRAWING,
    State.CANCELLING_ORDER: LegState.CANCELLING_ORDER,
    State.REFUNDING: LegState.REFUNDING,
    State.REFUNDED: LegState.REFUNDED,
}
_ENDED = (State.WITHDRAWING, State.VOIDING, State.CANCELLED)
_UNDER_WAY = {OrderStatus.SHIPPED.value, OrderStatus.CANCELLED.value}
_PREFIX = "ord_"
PIECE_CHARACTERS = 16
"""Of a reference of 30: 60 bits, which tell orders apart."""
# Where the provider may have charged, or let go, what it had reserved.
_AT_PROVIDER = (State.PLACED, State.SHIPPED, State.VOIDING)
_CHARGED = {
    State.COMPLETED: MoneyState.CHARGED,
    State.CANCELLING_ORDER: MoneyState.CHARGED,
    State.REFUNDING: MoneyState.REFUNDING,
    State.REFUNDED: MoneyState.REFUNDED,
}


@dataclass(frozen=True, slots=True)
class LegRecord:
    """A leg with what was confirmed for it. `reached` says when each state was entered.

    `continue_url` is where the buyer can finish with a merchant that wants it so; `card_network` is
    what was paid by, of a card with two networks the one that the buyer chose.
    """

    leg: Leg
    quoted: LegQuoted
    phone: str | None
    pay_url: str | None
    requoted: Money | None
    card_network: Network | None
    reached: Mapping[State, datetime]
    continue_url: str | None = None
    can_be_cancelled: bool = True

    @property
    def state(self) -> LegState:
        """How far it is, in the words for shoppers."""
        if self.leg.attention is not None:
            return LegState.NEEDS_ATTENTION
        return _LEG_STATES[self.leg.state]

    @property
    def money(self) -> MoneyState:
        """What became of the money."""
        return money_state(self.leg)

    @property
    def is_payable(self) -> bool:
        """True while the shopper can pay at the provider's page."""
        return self.leg.state is State.AWAITING_PAYMENT and self.pay_url is not None

    @property
    def is_cancellable(self) -> bool:
        """True while the merchant can be asked to give the order up."""
        stands = self.leg.state in (State.COMPLETED, State.AWAITING_SHIPMENT)
        return self.can_be_cancelled and stands and self.leg.order_status not in _UNDER_WAY

    @property
    def is_resting(self) -> bool:
        """True where nothing happens before a merchant ships, somebody cancels, or for ever."""
        return self.leg.is_settled or self.leg.state is State.AWAITING_SHIPMENT

    @property
    def change(self) -> PriceChange | None:
        """The total confirmed and the total asked afterwards, where that ended the leg."""
        if self.leg.reason is not Reason.PRICE_CHANGED or self.requoted is None:
            return None
        return PriceChange(self.leg.total, self.requoted)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The line of steps for shoppers."""
        return shown_steps(self.leg.state, self.reached)


@dataclass(frozen=True, slots=True)
class Order:
    """A purchase as it stands."""

    purchase_id: str
    brand_id: str
    order_ref: str
    basket_id: str
    language: str
    site: str
    contact: Contact
    terms_version: int
    terms_language: str
    terms_sha256: str
    terms_accepted_at: datetime
    policy: Policy
    created_at: datetime
    legs: tuple[LegRecord, ...]
    terms: tuple[TermsQuoted, ...] = ()

    @property
    def number(self) -> str:
        """What people read aloud: the beginning of the reference, such as FX7I-DKBH-A24N."""
        begins = self.order_ref.removeprefix(_PREFIX)[: PIECE_CHARACTERS - len(_PREFIX)].upper()
        return "-".join(begins[at : at + 4] for at in range(0, len(begins), 4))

    def terms_path_of(self, merchant_id: str) -> str | None:
        """Where the merchant's own terms as accepted are read, if it had any."""
        for each in self.terms:
            if (each.party, each.owner_id) == ("merchant", merchant_id):
                return each.path
        return None

    @property
    def is_settled(self) -> bool:
        """True where nothing is going on any more."""
        return all(record.leg.is_settled for record in self.legs)

    @property
    def is_resting(self) -> bool:
        """True where the buyer need not look again soon."""
        return all(record.is_resting for record in self.legs)


def money_state(leg: Leg) -> MoneyState:
    """What became of the money of a leg. Pure."""
    if leg.state in _CHARGED and not _is_cancelled_uncharged(leg):
        return _CHARGED[leg.state]
    if leg.authorised.minor == 0:
        return MoneyState.UNKNOWN if leg.attention is not None else MoneyState.NONE
    if leg.state is State.CANCELLED or leg.reason is Reason.HOLD_EXPIRED:
        return MoneyState.RELEASED
    is_asked = leg.attention is not None and leg.state in _AT_PROVIDER
    return MoneyState.UNKNOWN if is_asked else MoneyState.RESERVED


def _is_cancelled_uncharged(leg: Leg) -> bool:
    """Charged on shipment, and to be cancelled before."""
    return leg.state is State.CANCELLING_ORDER and leg.captured.minor == 0


def shown_steps(state: State, reached: Mapping[State, datetime]) -> tuple[Step, ...]:
    """Done steps with their times, then the one under way or failed, then what comes next. Pure."""
    steps = []
    is_ended = state in _ENDED
    following = StepState.FAILED if is_ended else StepState.NOW
    for name, entered in _SHOWN_STEPS.items():
        if name is StepName.SHIPPED and State.AWAITING_SHIPMENT not in reached:
            continue
        if entered in reached:
            steps.append(Step(name, StepState.DONE, reached[entered]))
        elif following is StepState.FAILED:
            ended = next((reached[each] for each in _ENDED if each in reached), None)
            return (*steps, Step(name, StepState.FAILED, ended))
        else:
            steps.append(Step(name, following))
            following = StepState.NEXT
    if state is State.REFUNDING:
        steps.append(Step(StepName.REFUNDED, StepState.NOW))
    elif State.REFUNDING in reached:
        steps.append(Step(StepName.REFUNDED, StepState.DONE, reached[State.REFUNDING]))
    return tuple(steps)


def read_order(tx: Transaction, order_ref: str) -> Order:
    """The order of a reference. NotFound for an unknown one, and for one of another brand."""
    return _read(tx, _BY_REFERENCE.first(tx, {"given": order_ref}))


def find_order(tx: Transaction, known: str) -> Order:
    """The order of a reference, of the beginning of one that stands in the books, or of a number.

    NotFound for an unknown one. For people of the shop: buyers have a signed link.
    """
    if not known.startswith(_PREFIX):
        known = _PREFIX + re.sub(r"[\s-]", "", known).lower()
    begins = t.purchase.c.order_ref.startswith(known, autoescape=True)
    if len(known) >= PIECE_CHARACTERS:
        found = tx.execute(sa.select(t.purchase.c.order_ref).where(begins).limit(2)).scalars().all()
        if len(found) == 1:
            return read_order(tx, found[0])
    return read_order(tx, known)


def read_purchase(tx: Transaction, purchase_id: str) -> Order:
    """The same by the purchase's own id, which only the return from the payment page carries."""
    return _read(tx, _BY_ID.first(tx, {"given": purchase_id}))


def latest_orders(tx: Transaction, limit: int) -> list[Order]:
    """The newest orders first."""
    references = tx.execute(
        sa.select(t.purchase.c.order_ref).order_by(t.purchase.c.created_at.desc()).limit(limit)
    ).scalars()
    return [read_order(tx, order_ref) for order_ref in references.all()]


def _read(tx: Transaction, row: Any) -> Order:
    if row is None:
        raise NotFound(
            "order_unknown",
            "There is no order of this reference.",
            hint="Check the address; every character counts.",
        )
    quote = read_quote(tx, row.quote_id)
    assert quote is not None
    reached = _reached(tx, row.purchase_id)
    return Order(
        purchase_id=row.purchase_id,
        brand_id=row.brand_id,
        order_ref=row.order_ref,
        basket_id=row.basket_id,
        language=row.language,
        site=row.site,
        contact=Contact.from_json(row.contact),
        terms_version=row.terms_version,
        terms_language=row.terms_language,
        terms_sha256=row.terms_sha256,
        terms_accepted_at=row.terms_accepted_at,
        policy=Policy(row.policy),
        created_at=row.created_at,
        legs=tuple(
            _record(tx, leg, quote.leg(leg.merchant_id), reached.get(leg.leg_id, {}))
            for leg in _LEGS.all(tx, {"bought": row.purchase_id})
        ),
        terms=accepted_terms(tx, row.purchase_id),
    )


def _record(
    tx: Transaction, leg: Any, quoted: LegQuoted, reached: Mapping[State, datetime]
) -> LegRecord:
    merchant = read_merchant(tx, leg.merchant_id)
    requoted = leg.requoted_minor
    return LegRecord(
        leg=leg_of(leg),
        quoted=quoted,
        phone=merchant.phone,
        pay_url=leg.pay_url,
        requoted=None if requoted is None else Money(requoted, leg.currency),
        card_network=None if leg.card_network is None else Network(leg.card_network),
        reached=reached,
        continue_url=_continue_url(tx, leg),
        can_be_cancelled=capabilities_on_record(merchant.connector).cancels_orders,
    )


def read_capabilities(tx: Transaction, merchant_id: str) -> Capabilities:
    """What a merchant's system can do, by the connector that it is reached through."""
    return capabilities_on_record(read_merchant(tx, merchant_id).connector)


def _continue_url(tx: Transaction, leg: Any) -> str | None:
    """Where the buyer can finish: in the journal of the step that the merchant did not take."""
    if leg.reason != Reason.FINISH_AT_MERCHANT:
        return None
    statement = (
        sa.select(t.step.c.response["continue_url"].astext)
        .where(t.step.c.leg_id == leg.leg_id, t.step.c.response.has_key("continue_url"))
        .order_by(t.step.c.finished_at.desc())
        .limit(1)
    )
    return tx.execute(statement).scalar_one_or_none()


def _reached(tx: Transaction, purchase_id: str) -> dict[str, dict[State, datetime]]:
    reached: dict[str, dict[State, datetime]] = {}
    for row in _REACHED.all(tx, {"bought": purchase_id}):
        reached.setdefault(row.leg_id, {}).setdefault(State(row.state), row.at)
    return reached
