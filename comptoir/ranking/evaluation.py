"""A draft tried offline: judged and frequent queries, asked under what is in force and under it.

In: a draft version. Out: the report of `comptoir.ranking.verdict`, one for each brand it concerns.
The index is the live one; the searches are not logged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from comptoir.ranking.verdict import MOST_WORSE, Page, Trial, report
from kernel.db import Transaction
from search_api.query import MAX_TEXT, ShopQuery
from tenants.brand import Brand
from tenants.judgements import read_brand_judgements
from tenants.query_log import frequent
from tenants.ranking.inheritance import Stated
from tenants.ranking.versions import Scope, Version, all_published

if TYPE_CHECKING:
    from search_api.search import Shop

FREQUENT = 200
"""Logged queries of each language that are tried."""
MOST_QUERIES = 5_000

Judgements = Mapping[str, Mapping[str, int]]
Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Material:
    """What is tried in one language: judged queries, and others with how often they were asked."""

    judged: Judgements = field(default_factory=dict)
    others: Mapping[str, int] = field(default_factory=dict)

    def queries(self) -> list[str]:
        """Judged ones first; a query is tried once."""
        return list(dict.fromkeys((*self.judged, *self.others)))[:MOST_QUERIES]


def material(tx: Transaction, brand: Brand, languages: Sequence[str]) -> dict[str, Material]:
    """The brand's own judgements and what its shoppers ask most, by language."""
    return {
        language: Material(
            judged=read_brand_judgements(tx, brand.id, language),
            others={row.words: row.count for row in frequent(tx, brand.id, language, FREQUENT)},
        )
        for language in languages
    }


def languages_of(scope: Scope, brand: Brand) -> tuple[str, ...]:
    """The readers of a brand whom a scope's document concerns."""
    return brand.languages if scope.locale is None else (scope.locale,)


def with_draft(tx: Transaction, brand: Brand, draft: Version) -> Brand:
    """The brand as it would be with the draft in force."""
    published = all_published(tx)
    stated = [
        each
        for each in (*published.get(None, []), *published.get(brand.id, []))
        if (each.scope, each.locale) != (draft.scope.kind, draft.scope.locale)
    ]
    mine = Stated(
        draft.scope.kind, draft.scope.locale, draft.document, draft.version, draft.created_at
    )
    return brand.with_rankings([*stated, mine])


def try_out(
    shop: Shop,
    live: Brand,
    draft: Brand,
    materials: Mapping[str, Material],
    advance: Advance = lambda _: None,
) -> dict[str, Any]:
    """Ask every query twice and compare."""
    trials = []
    for language, tried in materials.items():
        for query in tried.queries():
            trials.append(
                Trial(
                    query=query,
                    language=language,
                    before=_page(shop, live, language, query),
                    after=_page(shop, draft, language, query),
                    gains=tried.judged.get(query),
                    asked=tried.others.get(query, 1),
                )
            )
            advance(1)
    return {"brand": live.id, "languages": list(materials), **report(trials)}


def refusal(reports: Sequence[Mapping[str, Any]]) -> str | None:
    """Why the gate refuses, in a sentence; None where it lets the draft pass."""
    failing = [each for each in reports if not each["passes"]]
    if not failing:
        return None
    named = ", ".join(
        f"{each['brand']}: {each['worse']} of {each['judged_queries']}" for each in failing
    )
    return (
        f"More than {MOST_WORSE:.0%} of the judged queries become worse by more than 0.1 ({named})."
    )


def _page(shop: Shop, brand: Brand, language: str, query: str) -> Page:
    answer = shop.search(ShopQuery(brand.currency, text=query[:MAX_TEXT]), brand, language)
    best = answer.products[0].best_offer if answer.products else None
    return Page(
        products=tuple(product.id for product in answer.products),
        total=answer.total,
        first_merchant=best.merchant_name if best is not None else None,
        redirect=getattr(answer, "redirect", None),
    )
