"""The shapes of the push API: one offer, one price change, one refusal.

Amounts are texts with a dot (`"19.99"`): a JSON number has already been through a float somewhere.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from crawlers.merchant_defaults import stated_currency
from crawlers.offer_check import checked, clean_text, excerpt_of
from mdm.raw_offer import RawDelivery, RawOffer, Refusal

DECIMAL = r"^\d{1,12}(\.\d{1,4})?$"

Amount = Annotated[str, Field(pattern=DECIMAL, examples=["19.99"])]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])]


def _in_the_calendar(moment: str) -> str:
    datetime.fromisoformat(moment)
    return moment


Moment = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?$",
        examples=["2026-12-24", "2026-12-24T18:00:00+01:00"],
    ),
    AfterValidator(_in_the_calendar),
]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", examples=["FR"])]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class PushedDelivery(_Shape):
    """Delivery to one country; days from order to door."""

    country: Country
    price: Amount
    service: str | None = None
    days_min: Count | None = None
    days_max: Count | None = None


class PushedOffer(_Shape):
    """One offer. The price includes VAT."""

    sku: str
    title: str
    price: Amount
    currency: Currency | None = None
    description: str | None = None
    language: str | None = None
    gtin: str | list[str] | None = None
    mpn: str | None = None
    manufacturer: str | None = None
    category: str | None = None
    availability: str | None = None
    quantity: Count | None = None
    condition: str | None = None
    url: str | None = None
    image_urls: list[str] = []
    group: str | None = None
    multipack: Count | None = None
    delivery: list[PushedDelivery] = []
    attributes: dict[str, str] = {}
    valid_until: Moment | None = None


class PriceChange(_Shape):
    """What changed of an offer that is known. Absent members stay as they are."""

    sku: str
    price: Amount | None = None
    currency: Currency | None = None
    availability: str | None = None
    quantity: Count | None = None
    valid_until: Moment | None = None


class Refused(BaseModel):
    """Why one record was not taken, and what to do."""

    sku: str | None
    code: str
    reason: str
    hint: str = ""

    @classmethod
    def of(cls, refusal: Refusal) -> Refused:
        """For the merchant."""
        return cls(sku=refusal.sku, code=refusal.code, reason=refusal.reason, hint=refusal.hint)


def offer_in(value: Any, position: int) -> RawOffer | Refusal:
    """One element of `offers`."""
    try:
        pushed = PushedOffer.model_validate(value)
    except ValidationError as error:
        return _misshapen(value, error, position)
    gtins = [pushed.gtin] if isinstance(pushed.gtin, str) else pushed.gtin or []
    offer = RawOffer(
        sku=pushed.sku,
        title=pushed.title,
        price=pushed.price,
        currency=pushed.currency,
        decimal=".",
        description=pushed.description,
        language=pushed.language,
        url=pushed.url,
        image_urls=tuple(pushed.image_urls),
        gtins=tuple(gtins),
        mpn=pushed.mpn,
        manufacturer=pushed.manufacturer,
        category=pushed.category,
        condition=pushed.condition,
        availability=pushed.availability,
        quantity=pushed.quantity,
        delivery=tuple(RawDelivery(**row.model_dump()) for row in pushed.delivery),
        group=pushed.group,
        multipack=pushed.multipack,
        attributes=tuple(pushed.attributes.items()),
        valid_until=pushed.valid_until,
    )
    return checked(offer, position)


def change_in(value: Any, position: int) -> PriceChange | Refusal:
    """One element of `prices`."""
    try:
        return PriceChange.model_validate(value)
    except ValidationError as error:
        return _misshapen(value, error, position)


def changed(offer: RawOffer, change: PriceChange) -> RawOffer:
    """The offer as it is after the change. A new price ends a sale price stated before."""
    if change.price is not None:
        offer = replace(
            offer,
            price=change.price,
            currency=change.currency or stated_currency(offer),
            decimal=".",
            sale_price=None,
            sale_interval=None,
        )
    if change.availability is not None:
        offer = replace(offer, availability=change.availability)
    if change.quantity is not None:
        offer = replace(offer, quantity=change.quantity)
    if change.valid_until is not None:
        offer = replace(offer, valid_until=change.valid_until)
    return offer


def _misshapen(value: Any, error: ValidationError, position: int) -> Refusal:
    sku = value.get("sku") if isinstance(value, dict) else None
    sku = clean_text(sku[:200]) if isinstance(sku, str) else None
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])[:100]
    said = str(first["msg"]).removeprefix("Value error, ")
    hint = 'Write amounts as texts with a dot: "19.99".' if where.endswith("price") else ""
    return Refusal(
        "record_shape",
        f"{where}: {said}"[:300] if where else said[:300],
        position=position,
        sku=sku or None,
        hint=hint,
        excerpt=excerpt_of(sku),
    )
