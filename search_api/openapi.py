"""What the OpenAPI document says beside the types: parameters, bodies, examples, refusals.

`tests/search_api/test_openapi.py` sends every example and holds the answers to their schemas. The
document leaves out what is null, so examples have a value everywhere.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

QUERY_ID = "qry_nb2hi4b2f4xxmzlsmfzw63tjonzwc3tu"
PRODUCT_ID = "prd_5xq7zj2h6w3mvk4yt2ra"

PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "A refusal (RFC 9457): a stable code, a sentence for people, a next step.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
}


def _refusal(description: str, code: str, status: int, title: str) -> dict[str, Any]:
    example = {
        "type": f"urn:comptoir:problem:{code}", "title": title, "status": status, "code": code,
    }  # fmt: skip
    content = {"schema": PROBLEM, "example": example}
    return {"description": description, "content": {"application/problem+json": content}}


REFUSALS: dict[int | str, dict[str, Any]] = {
    400: _refusal("Not JSON, or not one of ours", "body_invalid", 400, "The body is not JSON."),
    404: _refusal("Not shown here", "product_unknown", 404, "There is no such product here."),
    422: _refusal(
        "A field is wrong; it is named",
        "field_invalid",
        422,
        "The field per_page is not as it should be.",
    ),
    429: _refusal(
        "Too many calls; Retry-After says when there is room",
        "too_many_requests",
        429,
        "At most 600 calls a minute are answered here.",
    ),
    503: _refusal(
        "The engine or the index is away",
        "search_unavailable",
        503,
        "The search does not answer right now.",
    ),
}


def _parameter(
    name: str, description: str, example: str | list[str], *, kind: str = "string"
) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": kind}
    if isinstance(example, list):
        schema = {"type": "array", "items": {"type": kind}}
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": schema,
        "example": int(example) if kind == "integer" and isinstance(example, str) else example,
    }


# Read whole and forgivingly by `read_query`; here they are only described.
PARAMETERS = [
    _parameter("q", "Words, make, GTIN or article number", "lave-linge 8 kg"),
    _parameter("category", "Id of a category; a name may follow: 328-laptops", ["2549"]),
    _parameter("manufacturer", "Key of a maker", ["nordlys"]),
    _parameter("merchant", "Id of a merchant", ["darti"]),
    _parameter("availability", "in_stock, backorder, preorder, unknown, ...", ["in_stock"]),
    _parameter("attribute", "Key and value of an attribute", ["capacity_kg:8 kg"]),
    _parameter("words", "Kinds of understood pieces to take as words; all: every one", ["price"]),
    _parameter("price_min", "Lowest total with delivery, in major units", "100"),
    _parameter("price_max", "Highest total with delivery, in major units", "399.90"),
    _parameter("sort", "relevance, price_asc, price_desc or newest", "price_asc"),
    _parameter("page", "From 1", "1", kind="integer"),
    _parameter("per_page", "Products on a page, 1 to 100", "24", kind="integer"),
    _parameter("explain", "1: with the scores of what was found", "1"),
    _parameter("lang", "Language of the answer, one of the shop's", "fr"),
]

_MONEY = {"minor": 34900, "currency": "EUR"}
_OFFER = {
    "offer_id": "off_k3u5n7b2c4d6f2g4h3j5", "position": 1, "merchant_id": "darti",
    "merchant_name": "Darti & Cie", "title": "HYDRANOR WX80 lave linge", "language": "fr",
    "url": "https://darti.example/wx80", "price": _MONEY,
    "delivery": {"minor": 0, "currency": "EUR"}, "total": _MONEY,
    "days_min": 2, "days_max": 3, "condition": "new", "availability": "in_stock", "quantity": 4,
    "execution": "execute", "returns_days": 30, "updated_at": "2026-11-22T08:00:00+00:00",
    "reasons": ["In stock", "Lowest total price"],
}  # fmt: skip
_PRODUCT_CARD = {
    "id": PRODUCT_ID, "url": f"/product/{PRODUCT_ID}", "title": "Lave-linge Hydranor WX80-T240",
    "manufacturer": "Hydranor", "category_id": 2549, "picture": "/drawings/2549/white.svg",
    "facts": [{"key": "capacity", "value": "8 kg"}], "from_total": _MONEY, "best_offer": _OFFER,
    "offer_count": 3, "merchant_count": 2, "availability": "in_stock", "conditions": ["new"],
    "updated_at": "2026-11-22T08:00:00+00:00",
}  # fmt: skip
_NOTICE = {"text": "Sorted by relevance.", "merchant_count": 4, "paid": False}
_SEARCH_ANSWER: dict[str, Any] = {
    "query_id": QUERY_ID, "query": "lave-linge 8 kg", "language": "fr", "currency": "EUR",
    "total": 1, "page": 1, "pages": 1, "per_page": 24, "products": [_PRODUCT_CARD],
    "facets": [{"name": "availability", "values": [{
        "value": "in_stock", "label": "in_stock", "count": 1, "selected": False,
        "url": "/search?q=lave-linge+8+kg&availability=in_stock",
    }]}],
    "price": {"minimum": _MONEY, "maximum": _MONEY, "selected_min": _MONEY, "selected_max": _MONEY,
              "bars": []},
    "sorts": [{"value": "relevance", "selected": True, "url": "/search?q=lave-linge+8+kg"}],
    "chips": [{"kind": "q", "label": "lave-linge 8 kg", "url": "/search"}],
    "page_links": [{"number": 1, "url": "/search?q=lave-linge+8+kg", "current": True}],
    "relaxation": {"step": "half_of_words", "original_query": "lave-linge 8 kg", "matched_all": 0,
                   "category_id": 2549},
    "notice": _NOTICE, "clear_url": "/search?q=lave-linge+8+kg",
    "took_ms": 4.2,
}  # fmt: skip
EXAMPLES: dict[str, Any] = {
    "product_id": PRODUCT_ID,
    "search": _SEARCH_ANSWER,
    "suggest": {
        "query": "lvae", "read_as": "lave",
        "suggestions": [
            {"type": "query", "text": "lave-linge", "url": "/search?q=lave-linge"},
            {"type": "category", "text": "Lave-linge", "url": "/search?category=2549-lave-linge"},
        ],
    },
    "product": {
        "id": PRODUCT_ID, "url": f"/product/{PRODUCT_ID}", "title": "Lave-linge Hydranor WX80-T240",
        "title_language": "fr", "description": "8 kg, 1 400 tr/min.", "description_language": "fr",
        "manufacturer": "Hydranor", "gtins": ["04006381333931"], "mpns": ["WX80-T240"],
        "category_id": 2549, "crumbs": [], "picture": "/drawings/2549/white.svg",
        "facts": [{"key": "capacity", "value": "8 kg"}], "variants": [], "offers": [_OFFER],
        "offers_order": "Offers by total price.", "notice": _NOTICE, "from_total": _MONEY,
        "to_total": _MONEY, "merchant_count": 1, "availability": "in_stock",
        "updated_at": "2026-11-22T08:00:00+00:00",
    },
    "events": {"accepted": 1, "dropped": 0, "refused": []},
    "export": {
        "products": [], "next": f"w1.1.4711.{PRODUCT_ID}", "changes": "c1.1.4711",
    },
    "export_changes": {
        "products": [], "removed": [PRODUCT_ID], "next": "c1.1.4712", "complete": True,
    },
    "search_bodies": {
        "words": {"q": "lave-linge 8 kg", "language": "fr"},
        "narrowed": {
            "q": "nordlys",
            "filters": {"category": [328], "availability": ["in_stock"], "price_max": "1299.90"},
            "facets": ["manufacturer", "merchant"],
            "sort": "price_asc",
            "page": 1,
            "per_page": 10,
        },
        "with_scores": {"q": "nordlys book", "explain": True},
        "everything": {},
    },
    "event_bodies": {
        "click": {"events": [
            {"kind": "click", "query_id": QUERY_ID, "product_id": PRODUCT_ID, "position": 1},
        ]},
        "batch": {"events": [
            {"kind": "offer_out", "query_id": QUERY_ID, "product_id": PRODUCT_ID, "position": 1,
             "offer_id": "off_k3u5n7b2c4d6f2g4h3j5"},
            {"kind": "add_to_basket", "query_id": QUERY_ID, "product_id": PRODUCT_ID,
             "position": 1, "offer_id": "off_k3u5n7b2c4d6f2g4h3j5"},
        ]},
    },
    "instantsearch_bodies": {
        "hits": {"requests": [{"indexName": "products", "params": {
            "query": "nordlys", "hitsPerPage": 10, "page": 0, "facets": ["manufacturer", "price"],
        }}]},
        "refined": {"requests": [
            {"indexName": "products_price_asc", "params": {
                "query": "", "facets": ["manufacturer"], "numericFilters": ["price<=1000"],
                "facetFilters": [["manufacturer:Nordlys"]]}},
            {"indexName": "products_price_asc", "params": {
                "query": "", "facets": "manufacturer", "hitsPerPage": 0, "analytics": False}},
        ]},
        "facet": {"requests": [
            {"indexName": "products", "type": "facet", "facet": "manufacturer",
             "params": {"facetQuery": "nor"}},
        ]},
    },
}  # fmt: skip


def example_of(name: str) -> dict[str, Any]:
    """The example of a route's answer."""
    content = {"application/json": {"example": EXAMPLES[name]}}
    return {"responses": {"200": {"content": content}}}


def body_of(model: type[BaseModel], examples: dict[str, Any]) -> dict[str, Any]:
    """A body that the route reads itself, with its examples."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return _body(_inlined(schema), examples)


def _body(schema: dict[str, Any], examples: dict[str, Any]) -> dict[str, Any]:
    shown = {name: {"value": value} for name, value in examples.items()}
    content = {"application/json": {"schema": schema, "examples": shown}}
    return {"requestBody": {"required": True, "content": content}}


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with its definitions in their places: none of these models contains itself."""
    definitions = schema.pop("$defs", {})

    def placed(part: Any) -> Any:
        if isinstance(part, dict):
            if "$ref" in part:
                return placed(definitions[part["$ref"].rpartition("/")[2]])
            return {name: placed(value) for name, value in part.items()}
        return [placed(row) for row in part] if isinstance(part, list) else part

    inlined: dict[str, Any] = placed(schema)
    return inlined


def _object(description: str, *required: str) -> dict[str, Any]:
    return {"type": "object", "description": description, "required": list(required)}


def _client_refusal(description: str, code: str, status: int, message: str) -> dict[str, Any]:
    """A refusal with the `message` that InstantSearch clients show."""
    example = {
        "type": f"urn:comptoir:problem:{code}", "title": message, "status": status, "code": code,
        "message": message,
    }  # fmt: skip
    return {
        "description": description,
        "content": {"application/json": {"schema": PROBLEM, "example": example}},
    }


INSTANTSEARCH: dict[str, Any] = _body(
    {
        "type": "object",
        "required": ["requests"],
        "properties": {
            "requests": {
                "type": "array",
                "minItems": 1,
                "maxItems": 20,
                "items": _object("indexName and params, as InstantSearch clients send them"),
            }
        },
    },
    EXAMPLES["instantsearch_bodies"],
) | {
    "responses": {
        "200": {
            "description": "One result for each request, in their order",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["results"],
                        "properties": {
                            "results": {
                                "type": "array",
                                "items": {
                                    "anyOf": [
                                        _object(
                                            "Products",
                                            "hits", "nbHits", "page", "nbPages", "hitsPerPage",
                                            "facets", "query", "params", "processingTimeMS",
                                            "queryID", "index",
                                        ),
                                        _object("Values of a facet", "facetHits"),
                                    ]
                                },
                            }
                        },
                    },
                    "example": {"results": [{"facetHits": [
                        {"value": "Nordlys", "highlighted": "<em>Nordlys</em>", "count": 3},
                    ]}]},
                }
            },
        },
        "400": _client_refusal(
            "What cannot be said in these terms", "filter_unsupported", 400, "NOT is not supported"
        ),
        "404": _client_refusal(
            "No index of that name", "index_unknown", 404, "Index shoes does not exist"
        ),
    }
}  # fmt: skip
