"""Condition, availability and delivery out of the many spellings of feeds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from kernel.offer_terms import Availability, Condition
from mdm.normalise.grades import by_words as grade_by_words
from mdm.normalise.price import PriceContext, instant, read_cost
from mdm.normalise.refused import RefusedError
from mdm.normalise.text import folded, plain_text
from mdm.normalise.vocabulary import AVAILABILITY_OF, CONDITION_OF, TITLE_CONDITIONS
from mdm.product_view import Delivery
from mdm.raw_offer import RawDelivery

MAX_DAYS = 365

_NOT_LETTERS = re.compile(r"[\W_]+")
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_FREE = frozenset(("free", "gratuit", "kostenlos", "kostenfrei", "offert", "gratis", "zdarma"))


def condition_of(stated: str | None, title: str) -> tuple[Condition, str | None]:
    """(condition, note). Unstated is new; an unknown word is not trusted to mean new."""
    words = _NOT_LETTERS.split(folded(title))
    by_title = next((TITLE_CONDITIONS[word] for word in words if word in TITLE_CONDITIONS), None)
    if not stated:
        return Condition(by_title or "new"), None
    read = CONDITION_OF.get(_squeezed(stated)) or _condition_by_grade(stated)
    if read is None:
        return Condition(by_title or "used"), f"condition_unknown:{stated[:40]}"
    if read == "new" and by_title:
        return Condition(by_title), "condition_from_title"
    return Condition(read), None


def _condition_by_grade(stated: str) -> str | None:
    """`Refurbished - excellent` and `très bon état`: a grade is given to goods that are not new."""
    words = (CONDITION_OF.get(word) for word in _NOT_LETTERS.split(folded(stated)))
    named = next((each for each in words if each and each != "new"), None)
    return named or ("used" if grade_by_words(stated) else None)


def availability_of(stated: str | None, quantity: int | None) -> tuple[Availability, str | None]:
    """(availability, note). A stated quantity of zero outweighs `in stock`."""
    read = AVAILABILITY_OF.get(_squeezed(stated)) if stated else None
    if stated and read is None:
        return Availability.UNKNOWN, f"availability_unknown:{stated[:40]}"
    if read is None:
        if quantity is None:
            return Availability.UNKNOWN, None
        return (Availability.IN_STOCK if quantity > 0 else Availability.OUT_OF_STOCK), None
    if read == "in_stock" and quantity is not None and quantity <= 0:
        return Availability.OUT_OF_STOCK, "in_stock_without_quantity"
    return Availability(read), None


def valid_until_of(stated: str | None, now: datetime) -> tuple[datetime | None, str | None]:
    """(end, note). A day counts to its end, UTC; what lies too far off says nothing."""
    if not stated:
        return None, None
    try:
        until = instant(stated)
        if len(stated.strip()) <= len("2026-12-24"):
            until += timedelta(days=1)
        is_near = until - now <= timedelta(days=MAX_DAYS)
    except (ValueError, OverflowError):
        return None, f"valid_until_unreadable:{stated[:40]}"
    return (until, None) if is_near else (None, "valid_until_far")


def delivery_of(
    stated: Iterable[RawDelivery], country: str, context: PriceContext
) -> tuple[tuple[Delivery, ...], tuple[str, ...]]:
    """(deliveries, notes). A row without a country is for the merchant's; unreadable ones go."""
    rows: list[Delivery] = []
    notes: list[str] = []
    for each in stated:
        place = (each.country or country).strip()
        if not _COUNTRY.fullmatch(place):
            notes.append(f"delivery_country:{place[:20]}")
            continue
        try:
            cost = read_cost("0" if folded(each.price.strip()) in _FREE else each.price, context)
        except RefusedError as refused:
            notes.append(f"delivery_left_out:{refused.code}")
            continue
        if cost is not None:
            rows.append(
                Delivery(
                    place.upper(),
                    cost,
                    plain_text(each.service, 100),
                    *_days(each.days_min, each.days_max),
                )
            )
    return tuple(rows), tuple(dict.fromkeys(notes))


def _days(low: int | None, high: int | None) -> tuple[int | None, int | None]:
    """Days in order and within a year, else unknown."""
    low = low if low is not None and 0 <= low <= MAX_DAYS else None
    high = high if high is not None and 0 <= high <= MAX_DAYS else None
    if low is not None and high is not None and low > high:
        return high, low
    return low, high


def _squeezed(text: str) -> str:
    """`https://schema.org/InStock`, `in_stock`, `In stock` -> `instock`."""
    return _NOT_LETTERS.sub("", folded(text.strip().rstrip("/").rsplit("/", 1)[-1]))
