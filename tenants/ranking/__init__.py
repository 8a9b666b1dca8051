"""Ranking per brand: one versioned document, and the pure functions that apply it.

The same profile orders products and offers and writes the legal disclosure (`tenants.disclosure`):
what is stated is what is done, and it can be replayed.
"""

from tenants.ranking.offers import RankableOffer, RankedOffer, rank_offers
from tenants.ranking.products import Candidate, RankedProduct, rank_products
from tenants.ranking.profile import RankingProfile

__all__ = [
    "Candidate",
    "RankableOffer",
    "RankedOffer",
    "RankedProduct",
    "RankingProfile",
    "rank_offers",
    "rank_products",
]
