"""Our answer in the words of InstantSearch. Pure.

Facet values are what people read; the same texts come back as filters. Prices are numbers in major
units, delivery included; `relaxation` and the legal notice come as `userData`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from indexer.folding import fold
from kernel.categories import categories, category_path
from kernel.money import Money, minor_digits
from search_api.answer import Facet, SearchAnswer
from search_api.instantsearch_query import ATTRIBUTES, LEVELS, AskedFacet, AskedHits, path_text
from search_api.product_card import ProductCard

_WORD = re.compile(r"\w+")


def hits_answer(answer: SearchAnswer, asked: AskedHits) -> dict[str, Any]:
    """One element of `results`. A page beyond the last one has no hits."""
    is_there = asked.size > 0 and answer.page == asked.page + 1
    products = answer.products[: asked.size] if is_there else ()
    facets = facet_counts(answer, asked.facets)
    return {
        "index": asked.index,
        "hits": [_hit(product, answer, asked) for product in products],
        "nbHits": answer.total,
        "page": asked.page,
        "nbPages": 0 if not answer.total or not asked.size else answer.pages,
        "hitsPerPage": asked.size,
        "facets": facets,
        "facets_stats": _stats(answer) if "price" in asked.facets else {},
        "exhaustiveFacetsCount": True,
        "exhaustiveNbHits": True,
        "exhaustiveTypo": True,
        "exhaustive": {"facetsCount": True, "nbHits": True, "typo": True},
        "query": answer.query,
        "params": asked.params,
        "processingTimeMS": max(1, round(answer.took_ms)),
        "queryID": answer.query_id,
        "renderingContent": {
            **({"redirect": {"url": answer.redirect}} if answer.redirect is not None else {}),
            "facetOrdering": {
                "facets": {"order": list(facets)},
                "values": {name: {"sortRemainingBy": "count"} for name in facets},
            },
        },
        "appliedRules": [],
        "userData": _user_data(answer),
    }


def facet_hits_answer(answer: SearchAnswer, asked: AskedFacet) -> dict[str, Any]:
    """Values of a facet of which a word begins like the text, most frequent first."""
    counts = facet_counts(answer, (asked.facet,)).get(asked.facet, {})
    wanted = fold(asked.text).split()
    found = [
        {
            "value": value,
            "highlighted": _marked(value, asked.text, asked.hits.tags)[0],
            "count": count,
        }
        for value, count in counts.items()
        if all(any(word.startswith(part) for word in _WORD.findall(fold(value))) for part in wanted)
    ]
    found.sort(key=lambda row: (-int(str(row["count"])), str(row["value"])))
    return {
        "facetHits": found[: asked.most],
        "exhaustiveFacetsCount": True,
        "exhaustive": {"facetsCount": True},
        "processingTimeMS": max(1, round(answer.took_ms)),
    }


def facet_counts(answer: SearchAnswer, names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Label -> count for each facet named, in the order they were asked for."""
    facets = {facet.name: facet for facet in answer.facets}
    counted: dict[str, dict[str, int]] = {}
    for name in names:
        if name == "price":
            counted[name] = {}
        elif ATTRIBUTES[name] in facets:
            counted[name] = _counts(name, facets[ATTRIBUTES[name]], answer.language)
    return counted


def _counts(name: str, facet: Facet, language: str) -> dict[str, int]:
    if facet.name != "category":
        shown = "value" if facet.name == "availability" else "label"
        return {getattr(row, shown): row.count for row in facet.values}
    level = int(name[-1]) if name.startswith("category.lvl") else None
    return {
        path_text(int(row.value.partition("-")[0]), language): row.count
        for row in facet.values
        if level is None or row.depth == level
    }


def _stats(answer: SearchAnswer) -> dict[str, dict[str, float]]:
    low, high = answer.price.minimum, answer.price.maximum
    if low is None or high is None:
        return {}
    return {"price": {"min": _major(low), "max": _major(high)}}


def _user_data(answer: SearchAnswer) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = [
        {"type": "notice", "text": answer.notice.text, "merchants": answer.notice.merchant_count}
    ]
    if answer.relaxation is not None:
        data.append({"type": "relaxation", "step": answer.relaxation.step})
    if answer.degraded is not None:
        data.append({"type": "degraded", "reason": answer.degraded.reason})
    return data


def _hit(product: ProductCard, answer: SearchAnswer, asked: AskedHits) -> dict[str, Any]:
    total = product.from_total
    hit: dict[str, Any] = {
        "objectID": product.id,
        "title": product.title,
        "manufacturer": product.manufacturer,
        "price": _major(total) if total else None,
        "price_minor": total.minor if total else None,
        "currency": answer.currency,
        "url": product.url,
        "image": product.picture,
        "availability": product.availability,
        "merchant_count": product.merchant_count,
        "offer_count": product.offer_count,
        "facts": {fact.key: fact.value for fact in product.facts},
        "updated_at": product.updated_at,
        "sponsored": product.sponsored,
        "sponsored_by": product.sponsored_by,
        "category": _levels(product.category_id, answer.language),
    }
    hit["_highlightResult"] = {
        name: _highlight(str(hit[name]), answer.query, asked.tags)
        for name in ("title", "manufacturer")
        if hit[name]
    }
    return hit


def _levels(category_id: int | None, language: str) -> Mapping[str, str]:
    """`lvl0`, `lvl1`, ... as hierarchical menus want them."""
    path = category_path(category_id) if category_id in categories() else ()
    return {f"lvl{depth}": path_text(id_, language) for depth, id_ in enumerate(path[:LEVELS])}


def _highlight(text: str, query: str, tags: tuple[str, str]) -> dict[str, Any]:
    marked, words, total = _marked(text, query, tags)
    level = "none" if not words else "full" if len(words) >= total else "partial"
    return {
        "value": marked,
        "matchLevel": level,
        "matchedWords": words,
        "fullyHighlighted": bool(words)
        and len(_WORD.findall(text)) == marked.count(tags[0] or "\0"),
    }


def _marked(text: str, query: str, tags: tuple[str, str]) -> tuple[str, list[str], int]:
    """The text with its matching words marked, the query's words that matched, how many it has."""
    wanted = _WORD.findall(fold(query))
    matched: dict[str, None] = {}

    def mark(found: re.Match[str]) -> str:
        folded = fold(found[0])
        for word in wanted:
            if folded.startswith(word):
                matched[word] = None
                return f"{tags[0]}{found[0]}{tags[1]}"
        return found[0]

    marked = _WORD.sub(mark, text) if wanted else text
    return marked, list(matched), len(set(wanted))


def _major(amount: Money) -> float:
    """For programs that only compare and show it; every sum of ours stays in minor units."""
    digits = minor_digits(amount.currency)
    return round(float(amount.minor) / float(10**digits), digits)
