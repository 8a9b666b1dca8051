"""The second stage: the engine's candidates in the order of the brand, its rules applied. Pure.

Products with all words stay before the others, whatever else speaks for those; within a tier the
text's score, the meaning, stock, offers and rules decide. An accessory stands back where the thing
itself was asked for, and the thing where its accessory was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from indexer import title_heads
from indexer.accessories import named
from indexer.document import ProductDocument
from indexer.engine import WINDOW, Filters
from indexer.folding import key
from indexer.hits import Hits
from indexer.index_fields import ALL_WORDS_BONUS
from kernel.categories import category_path
from search_api.query import ShopQuery
from tenants.ranking.products import (
    Candidate,
    Columns,
    RankedProduct,
    Ranking,
    rank_columns,
    rank_products,
    targets,
)
from tenants.ranking.profile import RankingProfile, Rule
from tenants.ranking.rules import RulePlan

CANDIDATES = 100
"""Products put in order; what follows them stays in the engine's order. Twice as many rank no
judged query otherwise and cost a tenth more."""
_CANDIDATES_MOVED = 200
"""Where rules boost or bury: what they raise may lie further down."""
_NOTHING = RulePlan()
_ANYTHING = -1
"""Asked for: every kind of accessory, so that none stands back."""


def candidate_count(plan: RulePlan) -> int:
    """How many of the engine's hits are put in order."""
    return _CANDIDATES_MOVED if plan.moves else CANDIDATES


def asked_for(query: ShopQuery, plan: RulePlan) -> int:
    """Hits to ask the engine for: the candidates, and a page that lies beyond them."""
    return min(max(candidate_count(plan), query.offset + query.per_page), WINDOW)


def order_candidates(
    hits: Hits,
    text: str,
    language: str,
    profile: RankingProfile,
    plan: RulePlan = _NOTHING,
    documents: Mapping[str, ProductDocument] | None = None,
    *,
    is_partial: bool = False,
) -> Ranking:
    """Candidates in order. `documents` are needed where rules look at makers or merchants.

    `is_partial`: fewer than all words were enough.
    """
    rows = _columns(hits, named(text, language), is_partial=is_partial)
    rows = replace(rows, is_accessory=rows.is_accessory | _is_other(hits, text, language))
    if not (plan.moves or plan.hidden):
        return rank_columns(rows, profile)
    seen = _for_rules(rows, hits, documents or {})
    return rank_products(
        [row for row in seen if not is_hidden(row, plan.hidden)], profile, plan.moves
    )


def browsed(
    hits: Hits,
    profile: RankingProfile,
    plan: RulePlan,
    documents: Mapping[str, ProductDocument],
) -> list[RankedProduct]:
    """A list without words in the engine's order, as rules change it."""
    places = np.arange(len(hits))
    rows = replace(
        _columns(hits, _ANYTHING),
        text_scores=1.0 - places / max(len(hits), 1),
        tiers=np.zeros_like(places),
    )
    seen = _for_rules(rows, hits, documents)
    kept = [row for row in seen if not is_hidden(row, plan.hidden)]
    # What speaks for a product among many words has no say where no word was asked.
    bare = {row.product_id: row.text_score for row in kept}
    moved = rank_products(kept, profile, plan.moves)
    rules = {
        row.product_id: sum(v for name, v in row.parts.items() if name.startswith("rule "))
        for row in moved
    }
    return sorted(moved, key=lambda row: -(bare[row.product_id] + rules[row.product_id]))


def with_all_words(hits: Hits) -> int:
    """How many of the hits have every word, where fewer were enough.

    A strict question may find more: there, a measure's number without its unit is believed.
    """
    return int((hits.scores >= ALL_WORDS_BONUS).sum())


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


def _columns(hits: Hits, asked: int, *, is_partial: bool = False) -> Columns:
    """Hits as the second stage sees them, those with all words in a tier of their own."""
    has_all = hits.scores >= ALL_WORDS_BONUS
    misses_words = ~has_all if is_partial else np.zeros(len(hits), dtype=np.bool_)
    plain = hits.scores - ALL_WORDS_BONUS * has_all
    return Columns(
        hits.product_ids,
        plain / (plain.max(initial=0.0) or 1.0),
        np.fmax(hits.similarities, 0.0).astype(np.float64),
        hits.in_stock,
        hits.offer_counts,
        (hits.accessories & ~asked) != 0,
        misses_words.astype(np.int64),
    )


def _is_other(hits: Hits, text: str, language: str) -> NDArray[np.bool_]:
    """What is for the thing asked for, or the thing itself where what is for it was asked for."""
    is_for_it = title_heads.is_for(hits.before_heads, title_heads.asked(text, language))
    if not title_heads.asked_kinds(text, language):
        return is_for_it
    is_thing: NDArray[np.bool_] = is_for_it | (hits.accessories == 0)
    return is_thing


def _for_rules(
    rows: Columns, hits: Hits, documents: Mapping[str, ProductDocument]
) -> list[Candidate]:
    """One by one, with what rules look at and the order does not."""
    plain = zip(
        rows.product_ids,
        rows.text_scores.tolist(),
        rows.vector_scores.tolist(),
        rows.in_stock.tolist(),
        rows.offer_counts.tolist(),
        rows.is_accessory.tolist(),
        rows.tiers.tolist(),
        [category_path(category_id or None) for category_id in hits.category_ids.tolist()],
        strict=True,
    )
    seen = []
    for row in plain:
        candidate = Candidate(*row)
        document = documents.get(candidate.product_id)
        if document is not None:
            maker = key(document.manufacturer or "") or None
            candidate = candidate._replace(manufacturer=maker, merchants=document.merchant_ids)
        seen.append(candidate)
    return seen
