"""One request of an InstantSearch client -> our query, and how it wants to be answered.

In: `{indexName, params}` with params as an object, as an encoded text, or flat beside the name.
Out: an `AskedHits` or `AskedFacet`. The index name chooses the order: `products_price_asc`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson

from indexer.engine import WINDOW
from kernel.categories import categories, category_path
from kernel.errors import DomainError
from kernel.money import minor_digits
from search_api.answer import FacetName, SortName
from search_api.instantsearch_filters import Conditions, read_conditions, refused
from search_api.overview import Overview
from search_api.query import MAX_VALUES, MOST_PER_PAGE, ShopQuery, read_query
from tenants.brand import Brand

HITS_PER_PAGE = 20
FACETS: tuple[FacetName, ...] = ("category", "manufacturer", "merchant", "availability")
LEVELS = 4
_ALL_VALUES = 1_000
"""Values of a facet that are looked through when one of them is searched for."""
ATTRIBUTES: dict[str, FacetName] = {
    **{name: name for name in FACETS},
    "brand": "manufacturer",
    **{f"category.lvl{level}": "category" for level in range(LEVELS)},
}
_SORTS: tuple[SortName, ...] = ("price_asc", "price_desc", "newest")
INDEXES: dict[str, SortName] = {
    "products": "relevance",
    **{f"products_{sort}": sort for sort in _SORTS},
}
"""The names that a front end may ask for, and the order that each of them means."""
_BESIDE = {"indexName", "params", "type", "facet", "facetQuery", "maxFacetHits"}
_UNSUPPORTED = (
    "aroundLatLng", "insideBoundingBox", "insidePolygon", "optionalFilters", "similarQuery",
    "offset", "length", "restrictSearchableAttributes", "tagFilters",
)  # fmt: skip
_VALUES = {
    "analytics", "facetFilters", "facets", "hitsPerPage", "maxFacetHits", "numericFilters", "page",
    "tagFilters",
}  # fmt: skip
SEPARATOR = " > "


@dataclass(frozen=True, slots=True)
class AskedHits:
    """A request for products. `page` counts from 0; `size` may be 0: counts alone are wanted."""

    index: str
    query: ShopQuery
    page: int
    size: int
    facets: tuple[str, ...]
    tags: tuple[str, str]
    counted: bool
    """Whether it is a question of a person: extra requests for facets alone are not logged."""
    params: str


@dataclass(frozen=True, slots=True)
class AskedFacet:
    """A request for values of one facet that begin like `text`."""

    hits: AskedHits
    facet: str
    text: str
    most: int


def read_request(
    row: object, brand: Brand, language: str, overview: Overview
) -> AskedHits | AskedFacet:
    """One of the requests. Raises DomainError in words that the client shows.

    404 for an index that is not there: answered like another one it would hide a mistyped name,
    and fill lists that are meant for other records (of suggestions, say) with products.
    """
    if not isinstance(row, dict) or not all(isinstance(name, str) for name in row):
        raise refused("a request is an object with indexName and params")
    params = _params(row)
    for name in _UNSUPPORTED:
        if params.get(name):
            raise refused(f"{name} is not supported")
    hits = _hits(_index(row), params, brand, language, overview)
    facet = row.get("facet") or params.get("facetName")
    if row.get("type") == "facet" or (facet and "facetQuery" in {*row, *params}):
        text = row.get("facetQuery", params.get("facetQuery", ""))
        most = _integer(
            row.get("maxFacetHits", params.get("maxFacetHits", 10)), "maxFacetHits", 1, 100
        )
        if facet not in ATTRIBUTES or not isinstance(text, str):
            raise refused("facet: one of " + ", ".join(ATTRIBUTES))
        query = replace(hits.query, facets=(ATTRIBUTES[facet],), facet_size=_ALL_VALUES, page=1)
        return AskedFacet(replace(hits, query=query), facet, text[:100], most)
    return hits


def _index(row: Mapping[str, Any]) -> str:
    name = row.get("indexName", "products")
    if not isinstance(name, str) or name not in INDEXES:
        raise DomainError(
            "index_unknown",
            f"Index {str(name)[:100]} does not exist",
            hint="Names: " + ", ".join(INDEXES),
            status=404,
        )
    return name


def _params(row: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters wherever they are; encoded ones are decoded."""
    beside = {name: value for name, value in row.items() if name not in _BESIDE}
    given = row.get("params", {})
    if isinstance(given, str):
        pairs = parse_qsl(given, keep_blank_values=True, max_num_fields=200)
        given = {name: _decoded(value) if name in _VALUES else value for name, value in pairs}
    if not isinstance(given, dict):
        raise refused("params: an object or an encoded text")
    return beside | given


def _decoded(text: str) -> object:
    """`["a"]`, `3`, `true` in an encoded text are values; anything else is itself."""
    if text[:1] in "[{" or text in {"true", "false"} or (text.isascii() and text.isdigit()):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    return text


def _hits(
    index: str, params: Mapping[str, Any], brand: Brand, language: str, overview: Overview
) -> AskedHits:
    size = _integer(params.get("hitsPerPage", HITS_PER_PAGE), "hitsPerPage", 0, 1_000)
    page = _integer(params.get("page", 0), "page", 0, 1_000_000)
    per_page = min(max(size, 1), MOST_PER_PAGE)
    text = params.get("query", "")
    if not isinstance(text, str):
        raise refused("query: a text")
    query = read_query([("q", str(text))], brand.currency)
    conditions = read_conditions(
        params.get("filters"), params.get("facetFilters"), params.get("numericFilters")
    )
    wanted = _wanted(params.get("facets"))
    query = _conditioned(query, conditions, brand, language, overview)
    query = replace(
        query,
        sort=INDEXES[index],
        per_page=per_page,
        page=min(page + 1, WINDOW // per_page),
        facets=tuple(dict.fromkeys(ATTRIBUTES[name] for name in wanted if name in ATTRIBUTES)),
        ignored=(),
    )
    plain = {k: v for k, v in params.items() if isinstance(v, str | int | float | bool)}
    return AskedHits(
        index=index,
        query=query,
        page=page,
        size=min(size, MOST_PER_PAGE),
        facets=wanted,
        tags=(_tag(params, "highlightPreTag", "<em>"), _tag(params, "highlightPostTag", "</em>")),
        counted=size > 0 and params.get("analytics") is not False,
        params=urlencode(plain)[:2_000],
    )


def _wanted(facets: object) -> tuple[str, ...]:
    names = [facets] if isinstance(facets, str) else facets
    if not names:
        return ()
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise refused("facets: a list of names")
    if "*" in names:
        return ("manufacturer", "merchant", "availability", "category", "price")
    return tuple(
        dict.fromkeys(name for name in names[:50] if name in ATTRIBUTES or name == "price")
    )


def _conditioned(
    query: ShopQuery, found: Conditions, brand: Brand, language: str, overview: Overview
) -> ShopQuery:
    pairs: list[tuple[str, str]] = []
    for attribute, groups in found.alternatives.items():
        name = ATTRIBUTES.get(attribute)
        if name is None:
            raise refused(f"{attribute[:60]}: filter by one of {', '.join(ATTRIBUTES)}, price")
        groups_of_values = [
            tuple(id_ for value in group for id_ in _values(name, value, language, overview))
            for group in groups
        ]
        pairs += [(name, value) for value in _all_of(name, groups_of_values)]
    narrowed = read_query(pairs, brand.currency)
    if narrowed.ignored:
        raise refused(f"{narrowed.ignored[0]}: no such value, or more than {MAX_VALUES}")
    low, high = _amounts(found, brand.currency)
    return replace(
        query,
        categories=narrowed.categories,
        manufacturers=narrowed.manufacturers,
        merchants=narrowed.merchants,
        availabilities=narrowed.availabilities,
        price_min=low,
        price_max=high,
    )


def _all_of(name: str, groups: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Groups of one attribute that all have to hold, as one group of alternatives."""
    if name == "category":
        # A category and one of its own below it: the lower one says it all.
        groups = [
            group
            for group in groups
            if not any(other != group and _is_below(other, group) for other in groups)
        ]
    values = set(groups[0]).intersection(*groups[1:])
    if not values:
        raise refused(f"{name}: these conditions together are not supported")
    return tuple(value for value in groups[0] if value in values)


def _is_below(inner: tuple[str, ...], outer: tuple[str, ...]) -> bool:
    above = {int(value) for value in outer if value.isdigit()}
    return all(value.isdigit() and above & set(category_path(int(value))) for value in inner)


def _values(name: FacetName, value: str, language: str, overview: Overview) -> tuple[str, ...]:
    """Ids of a value as InstantSearch shows it: a label, a path of categories, or an id itself."""
    if name == "category":
        found = _category_paths(language).get(value)
        return (str(found),) if found is not None else (value.partition("-")[0],)
    labels = {"manufacturer": overview.manufacturers, "merchant": overview.merchants}.get(name, {})
    return tuple(id_ for id_, label in labels.items() if label == value) or (value,)


@lru_cache(maxsize=8)
def _category_paths(language: str) -> Mapping[str, int]:
    return {path_text(id_, language): id_ for id_ in categories()}


@lru_cache(maxsize=16_384)
def path_text(category_id: int, language: str) -> str:
    """`Electronics > Laptops`."""
    return SEPARATOR.join(categories()[id_].name(language) for id_ in category_path(category_id))


def _amounts(found: Conditions, currency: str) -> tuple[int | None, int | None]:
    """The lowest and the highest total in minor units, both included."""
    unit = Decimal(10) ** minor_digits(currency)
    lows = []
    highs = []
    if found.at_least is not None:
        lows.append(int((found.at_least * unit).to_integral_value(ROUND_CEILING)))
    if found.above is not None:
        lows.append(int((found.above * unit).to_integral_value(ROUND_FLOOR)) + 1)
    if found.at_most is not None:
        highs.append(int((found.at_most * unit).to_integral_value(ROUND_FLOOR)))
    if found.below is not None:
        highs.append(int((found.below * unit).to_integral_value(ROUND_CEILING)) - 1)
    low = max(*lows, 0) if lows else None
    high = min(highs) if highs else None
    if high is not None and (high < 0 or (low is not None and low > high)):
        raise refused("price: nothing lies between these bounds")
    return low, high


def _tag(params: Mapping[str, Any], name: str, default: str) -> str:
    tag = params.get(name, default)
    if not isinstance(tag, str) or len(tag) > 100:
        raise refused(f"{name}: a text of at most 100 characters")
    return tag


def _integer(value: object, name: str, least: int, most: int) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise refused(f"{name}: an integer from {least} to {most}")
    return value
