"""The shape of the statement on how a brand ranks, for its page and for programs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingCriterion:
    """A criterion with its share of the whole, in per cent and in words."""

    name: str
    definition: str
    percent: int
    strength: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingSection:
    """A part of the statement; `key` names it in every language."""

    key: str
    heading: str
    paragraphs: tuple[str, ...]
    criteria: tuple[RankingCriterion, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingStatement:
    """How this brand orders, written from the ranking in force, in the reader's language.

    `results` and `offers` are the short notices that stand with the lists. `merchants` are the
    names of those compared. `version` 0: nothing was published, the shipped values are in force.
    `updated_at` is the last change of an offer that is shown.
    """

    results: str
    offers: str
    sections: tuple[RankingSection, ...]
    merchants: tuple[str, ...]
    version: int
    in_force_since: str | None
    updated_at: str | None
