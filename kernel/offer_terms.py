"""The words every package uses about an offer: condition, availability, execution."""

from __future__ import annotations

from enum import StrEnum


class Condition(StrEnum):
    """State of the goods."""

    NEW = "new"
    REFURBISHED = "refurbished"
    USED = "used"


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
