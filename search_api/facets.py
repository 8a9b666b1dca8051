"""Counts of the engine as facets with labels, links and the current choice. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import quote_plus

from indexer.engine import FacetCount, FacetField, PriceCounts
from indexer.price_bars import EDGES
from kernel.categories import categories, category_path
from kernel.money import Money
from search_api.answer import Chip, Facet, FacetValue, PriceBar, PriceFacet
from search_api.cards import money
from search_api.overview import Overview
from search_api.query import ShopQuery, address, category_value, major, toggled, without_page

UrlOf = Callable[[str], str]
"""The address that switches a value on or off."""
ChipKind = Literal["q", "category", "manufacturer", "merchant", "availability", "price"]

_quoted = lru_cache(maxsize=8192)(quote_plus)
_MARK = "\ue000"
_NO_CATEGORY = -1
_LOW, _HIGH = 1, 2
_MOST_BARS = 14


def facets_of(
    counted: Mapping[FacetField, Sequence[FacetCount]],
    query: ShopQuery,
    language: str,
    overview: Overview,
) -> tuple[Facet, ...]:
    """The facets asked for, in their order; a chosen value stays visible when nothing has it."""
    every = _all_facets(counted, query, language, overview)
    if query.facets is None:
        return every
    return tuple(facet for facet in every if facet.name in query.facets)


def _all_facets(
    counted: Mapping[FacetField, Sequence[FacetCount]],
    query: ShopQuery,
    language: str,
    overview: Overview,
) -> tuple[Facet, ...]:
    base = without_page(query)
    return (
        Facet(name="category", values=_categories(counted, base, language)),
        Facet(
            name="manufacturer",
            values=_values(
                counted.get(FacetField.MANUFACTURER, ()),
                query.manufacturers,
                overview.manufacturers,
                _toggling(base, "manufacturers", language),
            ),
        ),
        Facet(
            name="merchant",
            values=_values(
                counted.get(FacetField.MERCHANT, ()),
                query.merchants,
                overview.merchants,
                _toggling(base, "merchants", language),
            ),
        ),
        Facet(
            name="availability",
            values=_values(
                counted.get(FacetField.AVAILABILITY, ()),
                query.availabilities,
                {},
                _toggling(base, "availabilities", language),
            ),
        ),
    )


def _toggling(
    base: ShopQuery, name: Literal["manufacturers", "merchants", "availabilities"], language: str
) -> UrlOf:
    """Addresses that differ in one value: written once, with a mark where the value goes."""
    chosen: tuple[str, ...] = getattr(base, name)
    head, _, tail = address(_with(base, name, (*chosen, _MARK)), language).rpartition(
        _quoted(_MARK)
    )

    def url(value: str) -> str:
        if value in chosen:
            return address(_with(base, name, toggled(chosen, value)), language)
        return f"{head}{_quoted(value)}{tail}"

    return url


def _with(base: ShopQuery, name: str, values: tuple[str, ...]) -> ShopQuery:
    changed: dict[str, Any] = {name: values}
    return replace(base, **changed)


def _toggling_categories(base: ShopQuery, language: str) -> Callable[[int], str]:
    """The same for categories, whose values are numbers with a name."""
    chosen = base.categories
    whole = address(replace(base, categories=(*chosen, _NO_CATEGORY)), language)
    head, _, tail = whole.rpartition(f"category={_NO_CATEGORY}")

    def url(id_: int) -> str:
        if id_ in chosen:
            rest = tuple(value for value in chosen if value != id_)
            return address(replace(base, categories=rest), language)
        return f"{head}category={_quoted(category_value(id_, language))}{tail}"

    return url


def _values(
    counted: Sequence[FacetCount],
    chosen: Sequence[str],
    labels: Mapping[str, str],
    url: UrlOf,
) -> tuple[FacetValue, ...]:
    rows = list(counted)
    there = {row.value for row in rows}
    rows += [
        FacetCount(value, labels.get(value, value), 0) for value in chosen if value not in there
    ]
    shown = [
        FacetValue(
            value=row.value,
            label=row.label,
            count=row.count,
            selected=row.value in chosen,
            url=url(row.value),
        )
        for row in rows
    ]
    return tuple(sorted(shown, key=lambda value: not value.selected))


def _categories(
    counted: Mapping[FacetField, Sequence[FacetCount]], query: ShopQuery, language: str
) -> tuple[FacetValue, ...]:
    """The tree, departments by their counts, each followed by what is below it."""
    counts = {int(row.value): row.count for row in counted.get(FacetField.CATEGORY, ())}
    counts |= {id_: 0 for id_ in query.categories if id_ not in counts}
    known = [id_ for id_ in counts if id_ in categories()]

    def place(id_: int) -> tuple[tuple[int, int], ...]:
        return tuple((-counts.get(step, 0), step) for step in category_path(id_))

    url = _toggling_categories(query, language)
    return tuple(
        _category(id_, counts[id_], id_ in query.categories, url(id_), language)
        for id_ in sorted(known, key=place)
    )


def _category(id_: int, count: int, selected: bool, url: str, language: str) -> FacetValue:
    category = categories()[id_]
    return FacetValue(
        value=category_value(id_, language),
        label=category.name(language),
        count=count,
        selected=selected,
        url=url,
        depth=len(category_path(id_)) - 1,
        parent=category_value(category.parent, language) if category.parent is not None else None,
    )


def price_facet(counted: PriceCounts | None, query: ShopQuery, language: str) -> PriceFacet:
    """Bars where there is something, neighbours joined until there are few enough to draw."""
    bars: list[tuple[int, int, int]] = []
    if counted is not None:
        rows = list(zip(EDGES, EDGES[1:], counted.counts, strict=False))
        filled = [place for place, row in enumerate(rows) if row[2]]
        bars = rows[filled[0] : filled[-1] + 1] if filled else []
    while len(bars) > _MOST_BARS:
        pairs = [bars[start : start + 2] for start in range(0, len(bars), 2)]
        bars = [(pair[0][0], pair[-1][1], sum(row[2] for row in pair)) for pair in pairs]
    currency = query.currency
    return PriceFacet(
        minimum=money(counted.lowest if counted else None, currency),
        maximum=money(counted.highest if counted else None, currency),
        selected_min=money(query.price_min, currency),
        selected_max=money(query.price_max, currency),
        bars=_bars(bars, query, language),
    )


def _bars(
    bars: Sequence[tuple[int, int, int]], query: ShopQuery, language: str
) -> tuple[PriceBar, ...]:
    """Bars with the address that narrows to each; the address is written once."""
    currency, base = query.currency, without_page(query)
    whole = address(replace(base, price_min=_LOW, price_max=_HIGH), language)
    head, _, tail = whole.rpartition(_prices(_LOW, _HIGH, currency))
    return tuple(
        PriceBar(
            low=Money(low, currency),
            high=Money(high, currency),
            count=count,
            selected=(query.price_min is None or high > query.price_min)
            and (query.price_max is None or low <= query.price_max),
            url=f"{head}{_prices(low, high - 1, currency)}{tail}",
        )
        for low, high, count in bars
    )


def _prices(low: int, high: int, currency: str) -> str:
    return f"price_min={major(low, currency)}&price_max={major(high, currency)}"


def chips_of(query: ShopQuery, language: str, overview: Overview) -> tuple[Chip, ...]:
    """Every condition in force with the address without it."""
    base = without_page(query)
    chips = []

    def add(kind: ChipKind, label: str, without: ShopQuery) -> None:
        chips.append(Chip(kind=kind, label=label, url=address(without, language)))

    if query.text:
        add("q", query.text, replace(base, text=""))
    for id_ in query.categories:
        rest = tuple(value for value in base.categories if value != id_)
        add("category", categories()[id_].name(language), replace(base, categories=rest))
    for value in query.manufacturers:
        label = overview.manufacturers.get(value, value)
        rest_of = toggled(base.manufacturers, value)
        add("manufacturer", label, replace(base, manufacturers=rest_of))
    for value in query.merchants:
        label = overview.merchants.get(value, value)
        add("merchant", label, replace(base, merchants=toggled(base.merchants, value)))
    for value in query.availabilities:
        rest_of = toggled(base.availabilities, value)
        add("availability", value, replace(base, availabilities=rest_of))
    if query.price_min is not None or query.price_max is not None:
        chips.append(
            Chip(
                kind="price",
                label="",
                url=address(replace(base, price_min=None, price_max=None), language),
                low=money(query.price_min, query.currency),
                high=money(query.price_max, query.currency),
            )
        )
    return tuple(chips)
