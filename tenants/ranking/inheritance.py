"""From the documents of platform, brand and locale to what is in force, and where it is from.

A value stated by a more specific scope replaces that of a wider one. Rules, synonyms and paid
places add up; between rules the most specific scope comes first, then the one changed last. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from tenants.ranking.document import (
    NarrowTable,
    PlacementTable,
    RankingDocument,
    RuleTable,
    TargetTable,
)
from tenants.ranking.profile import (
    FieldWeights,
    Ladder,
    OfferWeights,
    PaidPolicy,
    Placement,
    ProductWeights,
    RankingProfile,
    Rule,
    RuleFilter,
    ScopeKind,
    Synonym,
    Target,
    When,
)
from tenants.ranking.wording import maker_key

_SPECIFIC: Mapping[ScopeKind, int] = {"locale": 0, "brand": 1, "platform": 2}
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stated:
    """The published document of one scope. `version` 0: the brand's own file, never published."""

    scope: ScopeKind
    locale: str | None
    document: RankingDocument
    version: int = 0
    published_at: datetime | None = None

    @property
    def label(self) -> str:
        """`platform`, `brand`, `locale fr`."""
        return self.scope if self.locale is None else f"locale {self.locale}"


def resolve(stated: Sequence[Stated], language: str) -> RankingProfile:
    """The profile of a reader's language, out of the scopes that concern it, in any order."""
    concerned = sorted(
        (each for each in stated if each.locale in (None, language)),
        key=lambda each: -_SPECIFIC[each.scope],
    )
    provenance: dict[str, str] = {}
    values = {
        name: _values(concerned, name, shape, provenance)
        for name, shape in (
            ("field_weights", FieldWeights),
            ("ladder", Ladder),
            ("product_weights", ProductWeights),
            ("offer_weights", OfferWeights),
            ("paid", PaidPolicy),
        )
    }
    moments = [each.published_at for each in concerned if each.published_at is not None]
    return RankingProfile(
        version=max((each.version for each in concerned), default=0),
        stamp=".".join(f"{each.scope[0]}{each.version}" for each in concerned) or "0",
        published_at=max(moments, default=None),
        field_weights=FieldWeights(**values["field_weights"]),
        ladder=Ladder(**values["ladder"]),
        product_weights=ProductWeights(**values["product_weights"]),
        offer_weights=OfferWeights(**values["offer_weights"]),
        synonyms=_synonyms(concerned),
        rules=_rules(concerned, language),
        paid=PaidPolicy(**values["paid"], placements=_placements(concerned)),
        ties=_ties(concerned, provenance),
        provenance=provenance,
    )


def _values(
    concerned: Sequence[Stated], name: str, shape: type[Any], provenance: dict[str, str]
) -> dict[str, Any]:
    """Every member of one table: the most specific statement, else the shipped default."""
    defaults = shape()
    found: dict[str, Any] = {}
    for member in (field.name for field in fields(shape)):
        if member == "placements":
            continue
        found[member] = getattr(defaults, member)
        provenance[f"{name}.{member}"] = "default"
        for each in concerned:
            table: BaseModel = getattr(each.document, name)
            value = getattr(table, member)
            if value is not None:
                found[member] = value
                provenance[f"{name}.{member}"] = each.label
    return found


def _synonyms(concerned: Sequence[Stated]) -> tuple[Synonym, ...]:
    """Most specific scope first; the same words to the same replacement count once."""
    found: dict[tuple[tuple[str, ...], tuple[str, ...]], Synonym] = {}
    for each in reversed(concerned):
        for row in each.document.synonyms:
            synonym = Synonym(row.words, row.replacements, row.two_way, row.weight)
            found.setdefault((row.words, row.replacements), synonym)
    return tuple(found.values())


def _rules(concerned: Sequence[Stated], language: str) -> tuple[Rule, ...]:
    """In order of precedence; a rule of the same id in a more specific scope replaces the wider."""
    found: dict[str, Rule | None] = {}
    for each in reversed(concerned):
        for row in each.document.rules:
            rule = _rule(row, each) if row.enabled and row.locale in (None, language) else None
            found.setdefault(row.id, rule)
    kept = [rule for rule in found.values() if rule is not None]
    return tuple(sorted(kept, key=precedence))


def precedence(rule: Rule) -> tuple[int, int, float, str]:
    """Sort key: most specific scope (a language of its own counts), then last changed, then id."""
    changed = (rule.changed_at or _LONG_AGO).timestamp()
    return (_SPECIFIC[rule.scope], int(rule.locale is None), -changed, rule.id)


def _rule(row: RuleTable, each: Stated) -> Rule:
    defaults = Rule(row.id, row.kind)
    return Rule(
        id=row.id,
        kind=row.kind,
        when=When(row.when.query, row.when.match, row.when.categories),
        target=Target(**_keyed(row.target)),
        weight=defaults.weight if row.weight is None else row.weight,
        position=defaults.position if row.position is None else row.position,
        url=row.url,
        narrow=RuleFilter(**_keyed(row.narrow)),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        locale=row.locale if row.locale is not None else each.locale,
        note=row.note,
        scope=each.scope,
        changed_at=row.changed_at,
    )


def _keyed(table: TargetTable | NarrowTable) -> dict[str, Any]:
    """Makers as the index has them: people write them as they are written on the box."""
    makers = tuple(filter(None, map(maker_key, table.manufacturers)))
    return {**dict(table), "manufacturers": makers}


def _placements(concerned: Sequence[Stated]) -> tuple[Placement, ...]:
    found: dict[str, Placement] = {}
    for each in reversed(concerned):
        for row in each.document.paid.placements:
            found.setdefault(row.id, _placement(row))
    return tuple(found.values())


def _placement(row: PlacementTable) -> Placement:
    return Placement(
        id=row.id,
        shown_in=row.shown_in,
        merchant_id=row.merchant_id,
        paid_by=row.paid_by,
        products=row.products,
        position=row.position,
        when=When(row.when.query, row.when.match, row.when.categories),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )


def _ties(concerned: Sequence[Stated], provenance: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in concerned:
        for language, text in each.document.ties.items():
            found[language] = text
            provenance[f"ties.{language}"] = each.label
    return found
