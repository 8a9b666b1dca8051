"""The body of `POST /v1/search`: what `GET /v1/search` says in its address, but strict.

In: bytes. Out: a `ShopQuery`. Values are read by the same reader as those of an address; what that
reader would leave out is refused here, by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from search_api.answer import FacetName, SortName
from search_api.json_body import StrictBody, field_refused, read_body
from search_api.query import MAX_TEXT, MAX_VALUES, MOST_PER_PAGE, PER_PAGE, ShopQuery, read_query
from tenants.brand import Brand

Value = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
Values = Annotated[tuple[Value, ...], Field(max_length=MAX_VALUES)]
Amount = Annotated[str, Field(min_length=1, max_length=20)]


class SearchFilters(StrictBody):
    """Values of one field are alternatives, fields add up. Amounts are decimal texts in the
    brand's currency, delivery included: "299.90".
    """

    category: Annotated[
        tuple[Annotated[str | int, Field(union_mode="left_to_right")], ...],
        Field(max_length=MAX_VALUES),
    ] = ()
    manufacturer: Values = ()
    merchant: Values = ()
    availability: Values = ()
    attribute: Values = ()
    """`key:value`, as `capacity_kg:8 kg`."""
    price_min: Amount | None = None
    price_max: Amount | None = None


class SearchBody(StrictBody):
    """A query. `facets` names those to count (absent: all four); `explain` adds the scores.

    `words` undoes what was understood of the query: these kinds of pieces are taken as words.
    """

    q: Annotated[str, Field(max_length=MAX_TEXT)] = ""
    words: Annotated[tuple[Value, ...], Field(max_length=MAX_VALUES)] = ()
    filters: SearchFilters = SearchFilters()
    facets: Annotated[tuple[FacetName, ...], Field(max_length=4)] | None = None
    sort: SortName = "relevance"
    page: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 1
    per_page: Annotated[int, Field(strict=True, ge=1, le=MOST_PER_PAGE)] = PER_PAGE
    language: Annotated[str, Field(max_length=10)] | None = None
    explain: Annotated[bool, Field(strict=True)] = False


@dataclass(frozen=True, slots=True)
class AskedSearch:
    """What the body asks: the query, the reader's language, whether scores are wanted."""

    query: ShopQuery
    language: str
    explain: bool


def read_search_body(raw: bytes, brand: Brand, language: str) -> AskedSearch:
    """Read and check the body; `language` is the request's own, where the body names none."""
    body = read_body(raw, SearchBody)
    if body.language is not None and body.language not in brand.languages:
        raise field_refused("language", f"One of {', '.join(brand.languages)}.")
    query = read_query(_pairs(body), brand.currency)
    _refuse_ignored(query.ignored)
    facets = tuple(dict.fromkeys(body.facets)) if body.facets is not None else None
    return AskedSearch(
        replace(query, facets=facets), body.language or language, explain=body.explain
    )


def _pairs(body: SearchBody) -> list[tuple[str, str]]:
    filters = body.filters
    pairs = [("q", body.q), ("sort", body.sort)]
    pairs += [("page", str(body.page)), ("per_page", str(body.per_page))]
    pairs += [("category", str(value)) for value in filters.category]
    pairs += [("manufacturer", value) for value in filters.manufacturer]
    pairs += [("merchant", value) for value in filters.merchant]
    pairs += [("availability", value) for value in filters.availability]
    pairs += [("attribute", value) for value in filters.attribute]
    pairs += [("words", value) for value in body.words]
    for name, amount in (("price_min", filters.price_min), ("price_max", filters.price_max)):
        if amount is not None:
            pairs.append((name, amount))
    return pairs


_HINTS = {
    "category": "The id of a category, alone or before its name: 328 or 328-laptops.",
    "manufacturer": "A key as the facet `manufacturer` has it.",
    "merchant": "The id of a merchant as the facet `merchant` has it.",
    "availability": "in_stock, backorder, preorder, unknown or out_of_stock.",
    "attribute": "A key and a value: capacity_kg:8 kg.",
    "words": "all, spelling, price, category, manufacturer, attribute, colour, denied or rules.",
    "price_min": 'An amount such as "299.90".',
    "price_max": 'An amount such as "299.90", not below price_min.',
    "page": "page times per_page reaches 1,000 products at most.",
}


def _refuse_ignored(ignored: Sequence[str]) -> None:
    if ignored:
        name = ignored[0]
        field = name if name in {"q", "sort", "page", "per_page", "words"} else f"filters.{name}"
        raise field_refused(field, _HINTS.get(name, ""))
