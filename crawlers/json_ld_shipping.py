"""schema.org `shippingDetails` -> what delivery costs in each country, as stated. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from crawlers.json_ld_graph import Node, PageGraph, as_list, short_name
from mdm.raw_offer import RawDelivery

MAX_ROWS = 60
_DAY_UNITS = frozenset({"DAY", "D", "d", "days", ""})


def delivery_of(offer: Node, graph: PageGraph) -> tuple[RawDelivery, ...]:
    """One row for each country of each stated rate; details without a rate are left out."""
    rows: list[RawDelivery] = []
    for value in as_list(offer.get("shippingDetails"))[:MAX_ROWS]:
        details = graph.resolved(value)
        if isinstance(details, Mapping) and details.get("doesNotShip") is not True:
            rows.extend(_rows(details, graph))
    return tuple(rows[:MAX_ROWS])


def _rows(details: Node, graph: PageGraph) -> Iterator[RawDelivery]:
    price = _rate(graph.resolved(details.get("shippingRate")))
    if price is None:
        return
    least, most = _days(graph.resolved(details.get("deliveryTime")))
    everywhere = not as_list(details.get("shippingDestination"))
    for country in [None] if everywhere else _countries(details, graph):
        yield RawDelivery(country=country, price=price, days_min=least, days_max=most)


def _plain(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip()[:60] or None


def _rate(rate: Any) -> str | None:
    """`6.90 EUR`; the highest of a span, so that no total is promised too low."""
    if not isinstance(rate, Mapping):
        return None
    amount = _plain(rate.get("value")) or _plain(rate.get("maxValue"))
    if amount is None:
        return None
    return f"{amount} {_plain(rate.get('currency')) or ''}".strip()


def _countries(details: Node, graph: PageGraph) -> list[str | None]:
    """Whole countries only: a rate for an island is not the country's."""
    found: dict[str | None, None] = {}
    for value in as_list(details.get("shippingDestination")):
        region = graph.resolved(value)
        if not isinstance(region, Mapping) or region.get("addressRegion"):
            continue
        for country in as_list(region.get("addressCountry")):
            text = _plain(country.get("name") if isinstance(country, Mapping) else country)
            if text:
                found[text] = None
    return list(found)


def _whole_days(value: Any) -> tuple[int | None, int | None]:
    if not isinstance(value, Mapping) or short_name(value.get("unitCode")) not in _DAY_UNITS:
        return None, None
    ends = [value.get("minValue", value.get("value")), value.get("maxValue", value.get("value"))]
    least, most = (
        each if isinstance(each, int) and not isinstance(each, bool) and 0 <= each <= 365 else None
        for each in ends
    )
    return least, most


def _days(time: Any) -> tuple[int | None, int | None]:
    """Handling and transit together, in days; None where either end is not stated."""
    if not isinstance(time, Mapping):
        return None, None
    parts = [_whole_days(time[key]) for key in ("handlingTime", "transitTime") if key in time]
    least = [low for low, _ in parts if low is not None]
    most = [high for _, high in parts if high is not None]
    return (
        sum(least) if parts and len(least) == len(parts) else None,
        sum(most) if parts and len(most) == len(parts) else None,
    )
