"""Merchants of whom the catalogue holds few offers: a person looks before theirs come together with
others. Pure.

Small feeds err more: they name one article in the title and mean its neighbour. What two offers
have in common cannot tell, how much is known of their merchants can (docs/matching-card.md).
"""

from __future__ import annotations

from mdm.match.candidates import merchant_piece
from mdm.match.decision import Contender
from mdm.match.rarity import Rarity

KNOWN = 17
"""Offers of a merchant that is known."""
# A small catalogue holds few offers of anybody.
_OF_ALL = 300


def little_known(one: Contender, other: Contender, rarity: Rarity) -> str | None:
    """Why a person has to look, in words: one of both merchants has few offers here, and no GTIN or
    part number is the same."""
    left, right = one.features, other.features
    if left.gtins & right.gtins or left.mpns & right.mpns:
        return None
    needed = min(KNOWN, rarity.offers // _OF_ALL)
    if needed < 2:
        return None
    fewest = min(rarity.holders(merchant_piece(each.merchant_id)) for each in (one, other))
    if fewest >= needed:
        return None
    return f"a merchant little known so far ({fewest} of {needed} offers)"
