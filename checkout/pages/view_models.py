"""What each page of the purchase is given to show; nothing here knows SQL, HTTP or HTML.

Every template gets its model as `page`. States and reasons are codes: the templates have the
words. Amounts are `Money` and already add up; a template never computes with them. `picture` is
the address of a picture that always exists.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from checkout.article import Article
from checkout.payment_providers.port import PageForm
from checkout.states import (
    LegState,
    LineProblem,
    MoneyState,
    Policy,
    PriceChange,
    Reason,
    Step,
    StepName,
    StepState,
)
from kernel.money import Money

__all__ = [
    "Article",
    "BasketLine",
    "BasketPage",
    "BasketSection",
    "ConfirmLine",
    "ConfirmPage",
    "ConfirmSection",
    "ContactPage",
    "DeliveryChoice",
    "LegState",
    "LineProblem",
    "MoneyState",
    "OrderLeg",
    "OrderLine",
    "OrderPage",
    "Payment",
    "PaymentPage",
    "PendingPage",
    "Policy",
    "PreparedPage",
    "PriceChange",
    "Reason",
    "RefusalPage",
    "Step",
    "StepName",
    "StepState",
    "TermsPage",
]


# --- basket.html -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BasketLine:
    """One offer in the basket, as `mdm` knows it now. `total` is None with `problem` set.

    Forms: POST `/basket/lines/{offer_id}` with `quantity` (0 removes).
    """

    offer_id: str
    product_id: str
    article: Article
    picture: str
    quantity: int
    quantity_max: int
    unit_price: Money | None
    total: Money | None
    change: PriceChange | None = None
    problem: LineProblem | None = None
    available: int | None = None


@dataclass(frozen=True, slots=True)
class BasketSection:
    """What is bought from one merchant. `delivery` is the stated cheapest; None until asked.

    `others_total` is what the basket costs without this merchant, one amount for each currency.
    """

    merchant_id: str
    merchant_name: str
    lines: tuple[BasketLine, ...]
    goods: Money | None
    delivery: Money | None
    total: Money | None
    returns_days: int | None
    others_total: tuple[Money, ...] = ()


@dataclass(frozen=True, slots=True)
class BasketPage:
    """`totals` has one amount for each currency. An empty basket has no sections."""

    sections: tuple[BasketSection, ...]
    totals: tuple[Money, ...]
    country: str
    can_check_out: bool
    just_added: Article | None = None  # added by the request before this page


# --- contact.html ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ContactPage:
    """The form for who buys and where it goes: POST `/checkout` with the names of `values`.

    Fields: email, name, phone, line1, line2, postcode, city, country. `errors` maps a field to a
    code: `missing`, `too_long`, `invalid`, `not_delivered` (country only).
    """

    values: dict[str, str]
    errors: dict[str, str]
    countries: tuple[str, ...]
    sections: tuple[BasketSection, ...]
    totals: tuple[Money, ...]


# --- confirm.html ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConfirmLine:
    """A line as the merchant quoted it now. `change` when it differs from what was last shown."""

    offer_id: str
    product_id: str
    article: Article
    picture: str
    quantity: int
    unit_price: Money
    total: Money
    change: PriceChange | None = None
    condition_changed: bool = False  # another condition or grade was last shown


@dataclass(frozen=True, slots=True)
class DeliveryChoice:
    """A radio button: name `delivery-{merchant_id}`, value `code`."""

    code: str
    name: str
    price: Money
    is_chosen: bool
    days_min: int | None = None
    days_max: int | None = None


@dataclass(frozen=True, slots=True)
class ConfirmSection:
    """One merchant: in whose shop the order is made, and who is paid.

    `problem` set: nothing of this merchant can be bought now; the other figures are then zero.
    `delivery_change` when the chosen delivery costs something else than was last shown.
    """

    merchant_id: str
    merchant_name: str
    lines: tuple[ConfirmLine, ...]
    deliveries: tuple[DeliveryChoice, ...]
    goods: Money | None
    delivery: Money | None
    total: Money | None
    returns_days: int | None
    delivery_change: PriceChange | None = None
    problem: LineProblem | None = None
    problem_article: Article | None = None  # what `problem` is about, if one
    available: int | None = None
    terms_path: str | None = None  # the merchant's own terms, where it has published any


@dataclass(frozen=True, slots=True)
class ConfirmPage:
    """The frozen live quote. One form with the radio buttons of deliveries, sent to either:

    - POST `/checkout/delivery`: answers with a new quote, so that the button to pay always says
      the amount;
    - POST `/checkout/confirm`: hidden `quote`, `token`, `terms_version`, `terms_sha256`; a required
      check box `terms` (value `accepted`); one button that says `totals`. With another delivery
      than the quote's it does what the first does: what was chosen is never passed over.

    `changed`: something differs from what was last shown; it must be seen before the button.
    `can_pay` False: show why, and the way back to the basket. After `expires_at` the page asks
    the merchants again by itself. `provider` names the hosted payment page.
    """

    quote_id: str
    token: str
    sections: tuple[ConfirmSection, ...]
    totals: tuple[Money, ...]
    changed: bool
    can_pay: bool
    expires_at: datetime
    contact_lines: tuple[str, ...]
    email: str
    terms_version: int
    terms_sha256: str
    provider: str
    platform_terms_path: str | None = None
    terms_missing: bool = False  # sent without the box checked
    delivery_chosen: bool = False  # sent with another delivery than the amount was of
    policy: Policy = Policy.BEST_EFFORT  # radio buttons `policy`, where there are several merchants
    shop_name: str = ""
    # Merchants that do not cancel orders: with two of them or more there is no all or nothing.
    binding: tuple[str, ...] = ()
    country: str = ""  # where it is delivered to; `contact_lines` leave it out


# --- payment.html ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment, to one merchant. `pay_path` is a link (GET) that leads to the provider's page;
    None while it cannot be paid (done, or not ready yet). `form` takes its place where the page has
    to be opened by a post."""

    merchant_name: str
    amount: Money
    state: LegState
    pay_path: str | None
    reason: Reason | None = None
    form: PageForm | None = None


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """Between the button and the provider's page. `next_path` set: a refresh leads on by itself
    (also sent as a header); else the shopper chooses among the payments with a `pay_path`: with
    several merchants each is paid in turn.

    `is_waiting`: the provider has not opened every payment yet.
    """

    order_number: str
    payments: tuple[Payment, ...]
    next_path: str | None
    position: int  # 1 of `count`
    count: int
    is_waiting: bool
    provider: str


# --- pending.html ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PendingPage:
    """After the provider's page, while the outcome is asked for. Refreshes by itself to
    `refresh_path`, by header and meta; `order_path` always works and loses nothing."""

    order_number: str
    order_path: str
    refresh_s: int
    refresh_path: str
    legs: tuple[Payment, ...]


# --- order.html --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrderLine:
    """What was ordered, at the price charged. `article` is as it was at the click."""

    article: Article
    quantity: int
    unit_price: Money
    total: Money
    product_id: str
    picture: str


@dataclass(frozen=True, slots=True)
class OrderLeg:
    """The order at one merchant. `merchant_order` is the merchant's own order number."""

    merchant_id: str
    merchant_name: str
    merchant_phone: str | None
    state: LegState
    money: MoneyState
    reason: Reason | None
    steps: tuple[Step, ...]
    lines: tuple[OrderLine, ...]
    goods: Money
    delivery: Money
    delivery_name: str
    total: Money
    charged: Money | None
    merchant_order: str | None
    change: PriceChange | None = None  # with Reason.PRICE_CHANGED: the leg's total, old -> new
    returns_days: int | None = None
    pay_path: str | None = None  # still to be paid: a link
    refunded: Money | None = None  # what has gone back so far
    order_status: str | None = None  # the merchant's last word, such as shipped
    cancel_path: str | None = None  # while the merchant can be asked to give it up: a form's target
    continue_url: str | None = None  # where the buyer can finish it at the merchant
    terms_path: str | None = None  # the merchant's own terms as accepted, where it had any
    card_network: str | None = None  # by its own name, such as Visa


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Confirmation and status in one: the receipt that can be kept. `is_new` right after payment.

    `refresh_s` set: something is still going on and the page refreshes by itself. `is_settled` also
    where nothing more happens before a merchant ships.
    """

    order_number: str
    created_at: datetime
    legs: tuple[OrderLeg, ...]
    totals: tuple[Money, ...]
    email: str
    contact_lines: tuple[str, ...]
    terms_version: int
    terms_path: str
    terms_accepted_at: datetime
    policy: Policy
    is_new: bool = False
    is_settled: bool = False
    refresh_s: int | None = None
    country: str = ""  # where it is delivered to; `contact_lines` leave it out


# --- terms.html --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TermsPage:
    """One published version of the terms. `paragraphs` is plain text, blank lines part them."""

    version: int
    language: str
    published_at: datetime
    sha256: str
    paragraphs: tuple[str, ...] = field(default=())


# --- prepared.html -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PreparedPage:
    """On to a merchant where an article waits, or, where it could not be prepared, its page."""

    merchant_name: str
    article: Article
    product_id: str
    url: str
    is_ready: bool


# --- refusal.html ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RefusalPage:
    """A refusal as a page: what happened, whether money moved, what to do now.

    `code` is the DomainError's; `message` and `hint` are its sentences before the `values` stand in
    them, for their translations. `back_path` leads to where the shopper can go on. `money_moved` is
    None where that stands on the page of the order.
    """

    code: str
    message: str
    hint: str
    values: dict[str, object]
    money_moved: bool | None
    back_path: str
