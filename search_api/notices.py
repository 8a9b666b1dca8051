"""What the law wants said with a list and on a page of its own, from the ranking in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime

from search_api.answer import Notice
from search_api.ranking_statement import RankingCriterion, RankingSection, RankingStatement
from tenants.brand import Brand
from tenants.disclosure import About, Subject, disclosure, sections


def list_notice(subject: Subject, brand: Brand, language: str, merchant_count: int) -> Notice:
    """How a list is ordered, how many merchants are compared, whether places are paid for."""
    profile = brand.ranking_profile(language)
    return Notice(
        text=disclosure(subject, profile, language, merchant_count),
        merchant_count=merchant_count,
        paid=profile.paid.allowed,
    )


def ranking_statement(
    brand: Brand, language: str, merchants: Mapping[str, str], updated_at: str | None
) -> RankingStatement:
    """The whole statement. `merchants` maps ids to names."""
    profile = brand.ranking_profile(language)
    since = profile.published_at
    return RankingStatement(
        results=disclosure("results", profile, language, len(merchants)),
        offers=disclosure("offers", profile, language, len(merchants)),
        sections=tuple(
            RankingSection(
                key=section.key,
                heading=section.heading,
                paragraphs=section.paragraphs,
                criteria=tuple(RankingCriterion(**asdict(row)) for row in section.criteria),
            )
            for section in sections(
                profile, language, About(brand.name, len(merchants), datetime.now(UTC))
            )
        ),
        merchants=tuple(sorted(merchants.values(), key=str.casefold)),
        version=profile.version,
        in_force_since=since.isoformat() if since is not None else None,
        updated_at=updated_at,
    )
