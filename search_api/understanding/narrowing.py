"""What was understood, or what a rule says, as conditions of the query. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from search_api.query import ShopQuery
from search_api.understanding.recognition import Piece
from tenants.ranking.profile import RuleFilter

_NOTHING = RuleFilter()


def narrowed(query: ShopQuery, pieces: Sequence[Piece], rule: RuleFilter = _NOTHING) -> ShopQuery:
    """The query with the pieces as filters; what the shopper chose is never replaced."""
    for piece in pieces:
        if piece.kind == "price":
            query = replace(query, price_min=piece.low, price_max=piece.high)
        elif piece.kind == "category":
            query = replace(query, categories=(int(piece.value),))
        elif piece.kind == "manufacturer":
            query = replace(query, manufacturers=(piece.value,))
        else:
            chosen = tuple((piece.key, value) for value in piece.values)
            query = replace(query, attributes=(*query.attributes, *chosen))
    if rule == _NOTHING:
        return query
    return replace(
        query,
        categories=query.categories or rule.categories,
        manufacturers=query.manufacturers or rule.manufacturers,
        merchants=query.merchants or rule.merchants,
        availabilities=query.availabilities or rule.availabilities,
    )
