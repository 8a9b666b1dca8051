"""Merchants' categories for operators: worked out, listed, found by words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from kernel.categories import categories
from kernel.db import Database
from mdm.match.neighbours import TitleEncoder
from mdm.taxonomy.corrections import take_effect
from mdm.taxonomy.mapping import map_categories
from mdm.taxonomy.names import own_names
from mdm.taxonomy.placement import APPLIED_PERCENT
from mdm.taxonomy.tree import lineage

MOST_FOUND = 10


@dataclass(frozen=True, slots=True)
class Mapped:
    """Categories newly worked out, those of them put into effect, and their offers."""

    found: int
    applied: int
    offers: int


def map_now(database: Database, encoder: TitleEncoder) -> Mapped:
    """Work out what is not placed yet; what is sure takes effect on its offers."""
    with database.platform() as tx:
        found = map_categories(tx, encoder, datetime.now(UTC))
        sure = [key for key, placed in found.items() if placed.percent >= APPLIED_PERCENT]
        offers = take_effect(tx, sure)
    return Mapped(len(found), len(sure), offers)


def name_of(google_id: int | None) -> str:
    """Its path in our own words; an id that we have no word for goes by its number."""
    return " > ".join(_label(each) for each in reversed(lineage(google_id or 0)))


def found_by(words: str, encoder: TitleEncoder) -> list[tuple[int, str, float]]:
    """(id, path, nearness) of the ids whose names are nearest in meaning."""
    names = own_names()
    near = encoder.encode([each.name for each in names]) @ encoder.encode([words])[0]
    best: dict[int, float] = {}
    for each, cosine in zip(names, near.tolist(), strict=True):
        best[each.google_id] = max(cosine, best.get(each.google_id, -1.0))
    ordered = sorted(best, key=lambda each: (-best[each], each))[:MOST_FOUND]
    return [(each, name_of(each), best[each]) for each in ordered]


def _label(google_id: int) -> str:
    known = categories().get(google_id)
    if known:
        return known.name("en")
    return next(
        (
            each.name
            for each in own_names()
            if each.google_id == google_id and each.language == "en"
        ),
        str(google_id),
    )
