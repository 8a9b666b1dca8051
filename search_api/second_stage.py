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
from tenants.ranking.products import Candidate, RankedProduct, Ranking, rank_products, targets
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
) -> Ranking:
    """Candidates in order. `documents` are needed where rules look at makers or merchants."""
    asked = named(text, language)
    rows = _candidates(hits, asked)
    if plan.moves or plan.hidden:
        rows = _for_rules(rows, hits, documents or {})
        rows = [row for row in rows if not is_hidden(row, plan.hidden)]
    return rank_products(rows, profile, plan.moves)


def browsed(
    hits: Sequence[Hit],
    profile: RankingProfile,
    plan: RulePlan,
    documents: Mapping[str, ProductDocument],
) -> list[RankedProduct]:
    """A list without words in the engine's order, as rules change it."""
    step = 1.0 / max(len(hits), 1)
    rows = [
        row._replace(tier=0, text_score=1.0 - place * step)
        for place, row in enumerate(_candidates(hits, -1))
    ]
    kept = [row for row in _for_rules(rows, hits, documents) if not is_hidden(row, plan.hidden)]
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


def _candidates(hits: Sequence[Hit], asked: int) -> list[Candidate]:
    """Hits as the second stage sees them, those with all words in a tier of their own."""
    if not hits:
        return []
    ids, scores, _, stock, offers, _, _, cosines, _, _, accessories = zip(*hits, strict=True)
    plain = [score - ALL_WORDS_BONUS if score >= ALL_WORDS_BONUS else score for score in scores]
    best = max(plain) or 1.0
    columns = (
        ids,
        [score / best for score in plain],
        [cosine if cosine is not None and cosine > 0.0 else 0.0 for cosine in cosines],
        [state == "in_stock" for state in stock],
        offers,
        [bool(bits & ~asked) for bits in accessories],
        [int(score < ALL_WORDS_BONUS) for score in scores],
    )
    return [Candidate(*row) for row in zip(*columns, strict=True)]


def _for_rules(
    rows: Sequence[Candidate], hits: Sequence[Hit], documents: Mapping[str, ProductDocument]
) -> list[Candidate]:
    """With what rules look at and the order does not."""
    seen = []
    for row, hit in zip(rows, hits, strict=True):
        document = documents.get(hit.product_id)
        seen.append(
            row._replace(
                category_path=category_path(hit.category_id),
                manufacturer=key(document.manufacturer or "") or None if document else None,
                merchants=document.merchant_ids if document else (),
            )
        )
    return seen
