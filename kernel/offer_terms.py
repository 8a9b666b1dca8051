"""The words every package uses about an offer: condition, grade, availability, execution."""

from __future__ import annotations

from enum import StrEnum


class Condition(StrEnum):
    """State of the goods."""

    NEW = "new"
    REFURBISHED = "refurbished"
    USED = "used"


class Grade(StrEnum):
    """How well goods are kept, best first: one scale for the words of every merchant."""

    NEW = "new"
    LIKE_NEW = "like_new"
    VERY_GOOD = "very_good"
    GOOD = "good"
    ACCEPTABLE = "acceptable"
    FOR_PARTS = "for_parts"
    UNKNOWN = "unknown"
    """Not new, and nobody says how well it is kept."""


class Availability(StrEnum):
    """What the merchant last said about stock, most useful first."""

    IN_STOCK = "in_stock"
    BACKORDER = "backorder"
    PREORDER = "preorder"
    UNKNOWN = "unknown"
    OUT_OF_STOCK = "out_of_stock"


class Execution(StrEnum):
    """How far a purchase goes without leaving: bought here, prepared there, or a plain link."""

    EXECUTE = "execute"
    HANDOFF = "handoff"
    LINK = "link"


def is_unique_item(condition: str) -> bool:
    """A used article is one piece with a past of its own; new and refurbished ones are series."""
    return condition == Condition.USED
