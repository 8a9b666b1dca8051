"""What to type next where a refusal names nothing: which command lists what there is."""

from __future__ import annotations

from kernel.errors import DomainError

LISTED_BY = {
    "act_unknown": "comptoir review history shows them.",
    "merchant_unknown": "comptoir merchant list shows them.",
    "offer_unknown": "comptoir offer list PRODUCT shows those of a product.",
    "product_unknown": "comptoir search WORDS shows products with their ids.",
    "receiver_unknown": "comptoir events receivers shows them.",
    "review_unknown": "comptoir review list shows the open ones.",
    "run_unknown": "comptoir run list shows them.",
    "terms_missing": "comptoir terms list shows them, with the beginning of each hash.",
}


def next_step(error: DomainError) -> str | None:
    """The refusal's own hint, else where to look; None where nothing helps."""
    return error.hint or LISTED_BY.get(error.code)
