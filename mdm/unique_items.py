"""What a merchant can have one of under a product: an article in series, new or of one grade of
refurbishing. Of unique items (used articles) it can have as many as there are pieces."""

from __future__ import annotations

from kernel.offer_terms import Condition, Grade, is_unique_item

SEAT = (
    "CASE o.condition WHEN 'used' THEN 'used/' || o.offer_id WHEN 'refurbished' "
    "THEN 'refurbished/' || coalesce(o.facts ->> 'grade', 'unknown') ELSE o.condition END"
)
"""The same as `seat`, of a row `o` of mdm.offer."""


def seat(condition: str, grade: str | None, offer_id: str) -> str:
    """Two offers of a merchant with the same seat are never of one product."""
    if is_unique_item(condition):
        return f"{condition!s}/{offer_id}"
    if condition == Condition.REFURBISHED:
        return f"{condition!s}/{grade or Grade.UNKNOWN}"
    return str(condition)
