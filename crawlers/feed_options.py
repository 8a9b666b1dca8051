"""What a feed reader is told about the merchant, and the limits it keeps.

A refusal whose code starts with `feed_` means that the feed was not read as a whole: the run it
belongs to is incomplete, so nothing may be withdrawn because of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mdm.raw_offer import Refusal

WHOLE_FEED = "feed_"

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """Bounds of one feed. Bytes are counted after inflation."""

    total_bytes: int = 2048 * MIB
    inflation_ratio: int = 200
    record_bytes: int = MIB // 2
    line_chars: int = 256 * 1024
    columns: int = 512
    depth: int = 32
    records: int = 2_000_000
    refusals: int = 10_000
    seconds: float = 1800.0


@dataclass(frozen=True, slots=True)
class CsvMapping:
    """Field -> column, and what the columns leave unsaid.

    `delivery` maps a country to its price column; `values` translates a field's words, compared
    without case; `list_separator` parts several pictures or barcodes in one cell.
    """

    columns: Mapping[str, str]
    constants: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    delivery: Mapping[str, str] = field(default_factory=dict)
    delivery_days: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    delimiter: str | None = None
    list_separator: str = "|"
    prices_optional: bool = False
    price_is_net: bool = False

    def needed(self) -> set[str]:
        """Every column the mapping names."""
        tables = (self.columns, self.delivery, self.delivery_days, self.attributes)
        return {column for table in tables for column in table.values()}


@dataclass(frozen=True, slots=True)
class FeedOptions:
    """Defaults of the merchant, used only where the feed itself is silent.

    `decimal` is `.` or `,`; `encoding` is tried when the bytes are not UTF-8 and nothing declares
    otherwise; `mapping` is for tables with the merchant's own column names.
    """

    currency: str | None = None
    country: str | None = None
    language: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    mapping: CsvMapping | None = None
    limits: FeedLimits = FeedLimits()


class FeedBroken(Exception):
    """The feed cannot be read on from here. Readers turn it into the refusal it carries."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


def breaks_run(refusal: Refusal) -> bool:
    """True when what was read is not the whole of what the merchant offers."""
    return refusal.code.startswith(WHOLE_FEED)
