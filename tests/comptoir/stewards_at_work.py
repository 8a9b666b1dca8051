"""A catalogue with questions for stewards: lamps of two merchants that may be the same."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from comptoir.installation import Installation
from kernel.settings import Settings
from mdm.match.decision import Review
from mdm.offer_rows import offer_id_of
from mdm.stewardship import reviews
from tenants.operator_keys import create_operator_key
from tests.mdm.offers_at_hand import load, merchants, raw

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)

# Nothing in common with each other: the matcher leaves each a product of its own.
SYLLABLES = ("ba", "ko", "mi", "ru", "ze", "lo", "tu", "fa", "ne", "gi")


def name(number: int, shift: int) -> str:
    """A made-up word for a number; another one for another shift."""
    digits = [(number // 10**place + shift) % 10 for place in range(4)]
    return "".join(SYLLABLES[each] for each in digits).capitalize()


def installation(url: str, data: Path) -> Installation:
    return Installation(Settings(comptoir_data=data, database_url=SecretStr(url)))


def fill(opened: Installation, count: int, **stated: Any) -> list[int]:
    """So many pairs of offers, a question for each: their numbers, in the order of the queue."""
    merchants(opened.database, "alpha", "beta")
    for merchant, shift in (("alpha", 0), ("beta", 5)):
        offers = [
            raw(f"lamp-{n}", f"{name(n, shift)} {name(n, shift + 2)}", f"{20 + n}.00", **stated)
            for n in range(count)
        ]
        load(opened.database, merchant, offers, complete=True)
    evidence = {
        "decision": "asked",
        "score": 0.5,
        "for": [["words_contained", [0.71], 1.4], ["meaning", [0.82], 0.6]],
        "against": [["colour_differs", ["black", "white"], -0.9]],
    }
    asked = [
        Review(
            offer_id_of("beta", f"lamp-{n}"), offer_id_of("alpha", f"lamp-{n}"), None, p, evidence
        )
        for n in range(count)
        for p in (0.35 + 0.2 * n / count,)
    ]
    with opened.database.platform() as tx:
        reviews.put_reviews(tx, asked, NOW)
        return [each.review_id for each in reviews.queue(tx, count)]


def key(opened: Installation, operator: str = "Ann", brand: str | None = None) -> str:
    with opened.database.platform() as tx:
        return create_operator_key(tx, operator, brand)
