"""The second stage: the engine's candidates in the order of the brand, its rules applied. Pure.

Products with all words stay before the others, whatever else speaks for those; within a tier the
text's score, the meaning, stock, offers and rules decide. An accessory stands back where the thing
itself was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from indexer.accessories import named
from indexer.document import ProductDocument
from indexer.engine import Filters, Hit
from indexer.folding import key
from indexer.index_fields import ALL_WORDS_BONUS
from kernel.categories import category_path
from tenants.ranking.products import Candidate, RankedProduct, rank_products, targets
from tenants.ranking.profile import RankingProfile, Rule
from tenants.ranking.rules import RulePlan

_NOTHING = RulePlan()


def order_candidates(
    hits: Sequence[Hit],
    text: str,
    language: str,
    profile: RankingProfile,
    plan: RulePlan = _NOTHING,
    documents: Mapping[str, ProductDocument] | None = None,
) -> list[RankedProduct]:
    """Candidates in order. `documents` are needed where rules look at makers or merchants."""
    best = max((plain_score(hit) for hit in hits), default=0.0) or 1.0
    asked = named(text, language)
    known = documents or {}
    tiers: tuple[list[Candidate], list[Candidate]] = ([], [])
    for hit in hits:
        score = hit.score
        if score >= ALL_WORDS_BONUS:
            tier, score = tiers[0], score - ALL_WORDS_BONUS
        else:
            tier = tiers[1]
        document = known.get(hit.product_id) if known else None
        tier.append(_candidate(hit, score / best, asked, document))
    ordered: list[RankedProduct] = []
    for tier in tiers:
        kept = [row for row in tier if not is_hidden(row, plan.hidden)] if plan.hidden else tier
        ordered += rank_products(kept, profile, plan.moves)
    return ordered


def browsed(
    hits: Sequence[Hit],
    profile: RankingProfile,
    plan: RulePlan,
    documents: Mapping[str, ProductDocument],
) -> list[RankedProduct]:
    """A list without words in the engine's order, as rules change it."""
    step = 1.0 / max(len(hits), 1)
    rows = [
        _candidate(hit, 1.0 - place * step, -1, documents.get(hit.product_id))
        for place, hit in enumerate(hits)
    ]
    kept = [row for row in rows if not is_hidden(row, plan.hidden)]
    # What speaks for a product among many words has no say where no word was asked.
    bare = {row.product_id: row.text_score for row in kept}
    moved = rank_products(kept, profile, plan.moves)
    rules = {
        row.product_id: sum(v for name, v in row.parts.items() if name.startswith("rule "))
        for row in moved
    }
    return sorted(moved, key=lambda row: -(bare[row.product_id] + rules[row.product_id]))


def needs_documents(plan: RulePlan) -> bool:
    """Whether a rule looks at what a hit does not carry."""
    return any(
        rule.target.manufacturers or rule.target.merchants for rule in (*plan.moves, *plan.hidden)
    )


def hidden_filters(hidden: Sequence[Rule]) -> tuple[Filters, ...]:
    """What rules hide, as the engine leaves it out."""
    return tuple(
        Filters(
            categories=rule.target.categories,
            manufacturers=rule.target.manufacturers,
            merchants=rule.target.merchants,
            product_ids=rule.target.products or None,
        )
        for rule in hidden
    )


def is_hidden(candidate: Candidate, hidden: Sequence[Rule]) -> bool:
    """Whether a rule hides the product."""
    return any(targets(rule, candidate) for rule in hidden)


def has_all_words(hit: Hit) -> bool:
    """Whether the product has every word of the question."""
    return hit.score >= ALL_WORDS_BONUS


def plain_score(hit: Hit) -> float:
    """The text score without the bonus for having all words."""
    return hit.score - ALL_WORDS_BONUS if has_all_words(hit) else hit.score


def _candidate(
    hit: Hit, text_score: float, asked: int, document: ProductDocument | None
) -> Candidate:
    return Candidate(
        hit.product_id,
        text_score,
        hit.similarity if hit.similarity is not None and hit.similarity > 0.0 else 0.0,
        hit.availability == "in_stock",
        hit.offer_count,
        category_path(hit.category_id),
        key(document.manufacturer or "") or None if document else None,
        document.merchant_ids if document else (),
        bool(hit.accessories & ~asked),
    )
