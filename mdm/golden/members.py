"""The offers a golden record is made of, the best source first. Pure.

A unique item (a used article) says what kind of thing it is, and nothing that holds for that one
piece alone: its photos and its description stay its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kernel.offer_terms import Condition, is_unique_item

RECENCY_STEP_DAYS = 30
STALE_STEPS = 6
FULL_WEIGHT = 100

# (merchant id, field) -> rank. Greater is heard first; 0 is where nothing was set.
Priorities = Mapping[tuple[str, str], int]

_TELLING = ("gtins", "mpn", "manufacturer", "description", "image_urls", "category_id")


@dataclass(frozen=True, slots=True)
class Member:
    """A live offer of the product. `described_at`: when it last changed what it says."""

    offer_id: str
    merchant_id: str
    title: str
    language: str | None
    condition: str
    facts: Mapping[str, Any]
    described_at: datetime | None = None

    @property
    def is_unit(self) -> bool:
        """True for a unique item."""
        return is_unique_item(self.condition)


@dataclass(frozen=True, slots=True)
class Source:
    """A member as a source: `weight` is what its merchant's vote counts for, in per cent."""

    member: Member
    weight: int


def best_first(members: Sequence[Member]) -> list[Source]:
    """New goods first, then who says most, then who said it last; the same for any order."""
    dated = [each.described_at for each in members if each.described_at is not None]
    newest = max(dated, default=None)
    ranked = []
    for each in members:
        steps = _age_in_steps(each.described_at, newest)
        said = sum(bool(each.facts.get(name)) for name in _TELLING)
        is_new = each.condition == Condition.NEW
        weight = FULL_WEIGHT if is_new else FULL_WEIGHT // 2
        if steps >= STALE_STEPS:
            weight //= 2
        rank = (each.is_unit, not is_new, -said, steps, each.offer_id)
        ranked.append((rank, Source(each, weight)))
    return [source for _, source in sorted(ranked, key=lambda pair: pair[0])]


def _age_in_steps(at: datetime | None, newest: datetime | None) -> int:
    """Whole steps behind the newest word: hours and days between two loads play no part."""
    if at is None or newest is None:
        return 0
    return (newest - at).days // RECENCY_STEP_DAYS


def priority(priorities: Priorities, merchant_id: str, field: str) -> int:
    """The operator's rank of a merchant for a field: its own, its group's, the merchant's at large.

    A seller without a rank of its own has that of the source that speaks for it.
    """
    if not priorities:
        return 0
    group = f"{field.partition('.')[0]}.*"
    for who in dict.fromkeys((merchant_id, merchant_id.partition("/")[0])):
        for what in (field, group, "*"):
            rank = priorities.get((who, what))
            if rank is not None:
                return rank
    return 0
