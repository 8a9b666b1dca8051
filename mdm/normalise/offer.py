"""A raw offer understood: every field cleaned, bounded and typed, with notes on what was odd.

Pure: the same record, merchant and moment give the same NormalOffer. An offer is refused only for
what it cannot be shown without (title, price); a bad GTIN is kept as evidence beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from kernel.gtin import read_gtin
from kernel.offer_terms import Availability, Condition, Grade
from mdm.merchants import Merchant, seller_id
from mdm.normalise.asking_price import AskingPrice, asking_price
from mdm.normalise.attributes import attributes
from mdm.normalise.grades import grade_of
from mdm.normalise.kind import is_accessory, is_bundle
from mdm.normalise.price import PriceContext
from mdm.normalise.refused import RefusedError
from mdm.normalise.terms import availability_of, condition_of, delivery_of, valid_until_of
from mdm.normalise.text import MAX_DESCRIPTION, MAX_TITLE, folded, plain_text, web_address
from mdm.normalise.vocabulary import LEGAL_FORMS, NO_MANUFACTURER
from mdm.product_view import Delivery
from mdm.raw_offer import RawOffer
from mdm.taxonomy.placement import Placement, place

MAX_GTINS = 200
MAX_QUANTITY = 1_000_000

_PARTS = re.compile(r"[,;|]")
_WORDS = re.compile(r"[^\W_]+")
_LANGUAGE = re.compile(r"^[a-z]{2}(?=$|[-_])")


@dataclass(frozen=True, slots=True)
class NormalOffer:
    """One offer in our words. `merchant_id` is the seller's, where the source names one."""

    source_id: str
    sku: str
    merchant_id: str
    title: str
    language: str | None
    description: str | None
    url: str | None
    image_urls: tuple[str, ...]
    asking: AskingPrice
    condition: Condition
    grade: Grade | None
    availability: Availability
    quantity: int | None
    delivery: tuple[Delivery, ...]
    manufacturer: str | None
    gtins: tuple[str, ...]
    gtin_problems: tuple[str, ...]
    mpn: str | None
    placement: Placement | None
    category_text: str | None
    attributes: Mapping[str, str]
    group: str | None
    is_bundle: bool
    is_accessory: bool
    valid_until: datetime | None
    notes: tuple[str, ...]


def normalise(raw: RawOffer, merchant: Merchant, now: datetime) -> NormalOffer:
    """Read a raw offer of a merchant as of now; raises RefusedError."""
    title = plain_text(raw.title, MAX_TITLE)
    if title is None:
        raise RefusedError("title_missing", "there is no title", "Every offer needs a title.")
    asking = asking_price(
        raw,
        currency=merchant.currency,
        decimal=merchant.decimal,
        optional=merchant.prices_are_optional,
        now=now,
    )
    condition, condition_note = condition_of(raw.condition, title)
    quantity = raw.quantity if raw.quantity is None or raw.quantity <= MAX_QUANTITY else None
    availability, availability_note = availability_of(raw.availability, quantity)
    context = PriceContext(asking.currency, raw.decimal or merchant.decimal)
    delivery, delivery_notes = delivery_of(raw.delivery, merchant.country, context)
    gtins, gtin_problems = gtins_of(raw.gtins)
    category_text = plain_text(raw.category, 300)
    valid_until, validity_note = valid_until_of(raw.valid_until, now)
    said = attributes(raw.attributes, title, raw.multipack)
    grade, grade_note = grade_of(condition, raw.condition, said, title)
    notes = [
        *asking.notes, *delivery_notes, condition_note, grade_note, availability_note,
        validity_note,
    ]  # fmt: skip
    return NormalOffer(
        source_id=merchant.id,
        sku=raw.sku,
        merchant_id=seller_id(merchant.id, raw.seller) if raw.seller else merchant.id,
        title=title,
        language=_language(raw.language, merchant),
        description=plain_text(raw.description, MAX_DESCRIPTION),
        url=web_address(raw.url),
        image_urls=_addresses(raw.image_urls),
        asking=asking,
        condition=condition,
        grade=grade,
        availability=availability,
        quantity=max(quantity, 0) if quantity is not None else None,
        delivery=delivery,
        manufacturer=manufacturer_of(raw.manufacturer),
        gtins=gtins,
        gtin_problems=gtin_problems,
        mpn=mpn_of(raw.mpn),
        placement=place(raw.google_category, category_text, title, merchant.categories),
        category_text=category_text,
        attributes=said,
        group=plain_text(raw.group, 200),
        is_bundle=raw.is_bundle or is_bundle(title),
        is_accessory=is_accessory(title),
        valid_until=valid_until,
        notes=tuple(note for note in notes if note),
    )


def gtins_of(stated: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(usable GTIN-14 in order, problems as `problem:what was written`)."""
    good: list[str] = []
    problems: list[str] = []
    # "7,8332E+11" is one damaged number, not a list of two.
    texts = [part for each in stated for part in ([each] if "E+" in each else _PARTS.split(each))]
    for text in texts[:MAX_GTINS]:
        reading = read_gtin(text)
        if reading.gtin:
            good.append(reading.gtin)
        elif reading.problem and reading.problem != "empty":
            problems.append(f"{reading.problem}:{plain_text(text, 40) or ''}")
    return tuple(dict.fromkeys(good)), tuple(dict.fromkeys(problems))


def manufacturer_of(stated: str | None) -> str | None:
    """The maker's name as written, without placeholders and legal forms."""
    name = plain_text(stated, 100)
    if name is None or folded("".join(_WORDS.findall(name))) in NO_MANUFACTURER:
        return None
    words = name.split()
    while len(words) > 1 and folded(words[-1].strip(".,&")).replace(".", "") in LEGAL_FORMS | {""}:
        words.pop()
    return " ".join(words).strip(" ,;-") or None


def mpn_of(stated: str | None) -> str | None:
    """The part number as written, without placeholders."""
    text = plain_text(stated, 70)
    if text is None or folded("".join(_WORDS.findall(text))) in NO_MANUFACTURER | {""}:
        return None
    return text


def _language(stated: str | None, merchant: Merchant) -> str | None:
    found = _LANGUAGE.match((stated or "").strip().lower())
    if found:
        return found[0]
    # A merchant of one language writes in it; of several, nobody knows.
    return merchant.languages[0] if len(merchant.languages) == 1 else None


def _addresses(urls: tuple[str, ...]) -> tuple[str, ...]:
    read = (web_address(url) for url in urls[:20])
    return tuple(dict.fromkeys(url for url in read if url))[:10]
