"""From a question to an ordered list of product ids: all words, fewer words, then meaning.

A common page costs one call of the engine. The ladder never ends in nothing without saying why:
each step down is named, as the profile of the brand has them. What was understood of the question
narrows the result only where that leaves something. In: a ShopQuery. No SQL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property

from indexer.analysis import query_words
from indexer.document import ProductDocument
from indexer.engine import (
    Engine,
    Expansion,
    Filters,
    Match,
    SearchRequest,
    SearchResult,
    Sort,
    Vector,
    Words,
)
from kernel.categories import category_path
from kernel.embedding.encoder import Encoder
from search_api.nearest import Nearest, near_enough
from search_api.query import MOST_PER_PAGE, PER_PAGE, ShopQuery
from search_api.recognised import reading_of, told, under_pieces
from search_api.retrieved import Retrieved, said
from search_api.second_stage import (
    asked_for,
    browsed,
    candidate_count,
    hidden_filters,
    needs_documents,
    order_candidates,
    with_all_words,
)
from search_api.understanding.correction import Correction
from search_api.understanding.denied import stands_alone
from search_api.understanding.dropping import indispensable, least_telling_first, says_little
from search_api.understanding.narrowing import narrowed
from search_api.understanding.other_readings import contraries, other_readings
from search_api.understanding.recognition import Reading, kinds_named
from search_api.understanding.snapshot import Snapshot
from search_api.understanding.spelling import corrections, likeliest
from search_api.understanding.synonyms import words_of
from search_api.understanding.written import as_typed
from tenants.brand import Brand
from tenants.ranking.products import RankedProduct
from tenants.ranking.profile import RankingProfile
from tenants.ranking.rules import Question, RulePlan, place_products, plan_rules

SIMILAR_AT_MOST = 2 * PER_PAGE
_SORTS = {
    "relevance": Sort.RELEVANCE,
    "price_asc": Sort.PRICE_ASC,
    "price_desc": Sort.PRICE_DESC,
    "newest": Sort.NEWEST,
}


@dataclass(frozen=True)
class Retrieval:
    """The ladder for one brand and reader, at one moment."""

    engine: Engine
    encoder: Encoder
    brand: Brand
    language: str
    snapshot: Snapshot = field(default_factory=Snapshot)
    profile_in_force: RankingProfile | None = None
    """Another profile than the brand's published one, for drafts and evaluations."""
    now: datetime | None = None

    @cached_property
    def profile(self) -> RankingProfile:
        """Weights, ladder, synonyms and rules."""
        return self.profile_in_force or self.brand.ranking_profile(self.language)

    @property
    def _nearest(self) -> Nearest:
        return Nearest(self.engine, self.encoder, self.brand.id)

    def page(self, query: ShopQuery) -> Retrieved:
        """The page asked for; beyond the end it is empty and the counts still stand."""
        plan = self._rules(query)
        asked = query
        if plan.applied:
            asked = replace(narrowed(query, (), plan.narrow), without=hidden_filters(plan.hidden))
        if not query.text:
            found = self._browse(asked, plan)
        else:
            reading = reading_of(asked, self.language, self.snapshot)
            found = told(self._answer(asked, reading, plan), reading, query, self.language)
        return replace(found, redirect=plan.redirect) if plan.redirect is not None else found

    def _rules(self, query: ShopQuery) -> RulePlan:
        if not self.profile.rules and not self.profile.paid.allowed:
            return RulePlan()
        within = tuple(id_ for chosen in query.categories for id_ in category_path(chosen))
        question = Question(query.text, self.language, within)
        plan = plan_rules(question, self.profile, self.now or datetime.now(UTC))
        return replace(plan, narrow=RulePlan().narrow) if "rules" in query.as_words else plan

    def _answer(self, query: ShopQuery, reading: Reading, plan: RulePlan) -> Retrieved:
        if not reading.pieces:
            found = self._by_words(query, reading.words, plan)
            return found or self._offered(query, self._by_meaning(query, query.text, plan))
        found = under_pieces(
            reading, lambda pieces, text: self._by_words(narrowed(query, pieces), text, plan)
        )
        if found is not None:
            return found
        prices, rest = reading.parted()
        nearest = self._by_meaning(narrowed(query, prices), reading.plain, plan)
        return replace(nearest, understood=prices, taken_back=rest)

    def _offered(self, query: ShopQuery, nearest: Retrieved) -> Retrieved:
        """With a doubtful correction offered: a sure one was tried, and found nothing."""
        correction = self._correction(query, query.text)
        if correction is None or correction.is_sure:
            return nearest
        return replace(nearest, did_you_mean=correction.of(query.text))

    def _by_words(self, query: ShopQuery, text: str, plan: RulePlan) -> Retrieved | None:
        """The rungs of words; None where no product has enough of them."""
        if not text:
            everything = self._browse(query, plan)
            return everything if everything.result.total else None
        ladder = self.profile.ladder
        count = len(query_words(text, self.language))
        can_widen = "half_of_words" in ladder.steps and count > 1
        few = ladder.few if can_widen else 0
        strict = self._ask(query, self._words(text), plan, facets_from=few)
        if strict.total >= ladder.few:
            return self._ranked(query, text, strict, plan)
        correction = self._correction(query, text)
        is_open = not strict.total and "corrected" in ladder.steps
        if correction is not None and correction.is_sure and is_open:
            mended = replace(query, as_words=(*query.as_words, "spelling"))
            better = self._by_words(mended, correction.text, plan)
            if better is not None:
                whole = correction.of(query.text)
                return said(better, "corrected", query.text, corrected_query=whole)
        found = self._with_fewer(query, text, strict, plan)
        if found is not None and correction is not None and correction.is_offered(strict.total):
            found = replace(found, did_you_mean=correction.of(query.text))
        return found

    def _with_fewer(
        self, query: ShopQuery, text: str, strict: SearchResult, plan: RulePlan
    ) -> Retrieved | None:
        """Those with all words, then those with some; without any, without the weakest words."""
        ladder = self.profile.ladder
        words = query_words(text, self.language)
        count = len(words)
        kinds = kinds_named(text, self.language, self.snapshot)
        # `machine à laver` is one thing: half of its name would be a coffee machine.
        is_one_thing = len(kinds) == count and strict.total > 0
        if "half_of_words" in ladder.steps and count > 1 and not is_one_thing:
            required = ladder.required(sum(not word.denied for word in words))
            essential = indispensable(words, kinds)
            wider = self._ask(query, self._words(text, required, essential), plan)
            if wider.total > strict.total:
                found = self._ranked(query, text, wider, plan, is_partial=True)
                told = with_all_words(wider.hits) if query.sort == "relevance" else strict.total
                return said(found, "half_of_words", query.text, matched_all=told)
        if strict.counting is None:
            strict = self._ask(query, self._words(text), plan)
        if strict.total or self._only_filters_exclude(query, text):
            return self._with_similar(query, text, strict, plan)
        if "drop_word" in ladder.steps and count > 1:
            return self._without_weakest(query, text, plan)
        return None

    def _with_similar(
        self, query: ShopQuery, text: str, strict: SearchResult, plan: RulePlan
    ) -> Retrieved:
        """Few products have the words: after them come those that are near in meaning.

        Not where a number was asked for: it names what it names, and nothing is near to it. Nor
        where something is denied: `with` and `without` it are near in meaning.
        """
        found = self._ranked(query, text, strict, plan)
        is_open = query.sort == "relevance" and strict.total == len(strict.hits)
        is_open = is_open and "similar" in self.profile.ladder.steps
        if not is_open or stands_alone(text, self.language):
            return found
        near = self._nearest.products(text, query.filters(), SIMILAR_AT_MOST)
        have = {hit.product_id for hit in strict.hits}
        alike = near_enough(near, self.profile.ladder.meaning_floor)
        further = [name for name in alike if name not in have]
        if not further:
            return found
        first = self._ranked(replace(query, page=1, per_page=MOST_PER_PAGE), text, strict, plan)
        wider = self._listed(query, (*first.product_ids, *further), plan)
        wider = replace(wider, words=text, placed=first.placed)
        return said(wider, "similar", query.text, matched_all=strict.total)

    def _without_weakest(self, query: ShopQuery, text: str, plan: RulePlan) -> Retrieved | None:
        """Drop the word that tells least until something is found."""
        words = [word.text for word in query_words(text, self.language)]
        order = least_telling_first(text, self.language, self.snapshot)
        for dropped in range(1, len(order)):
            left = " ".join(word for word in words if word not in order[:dropped])
            result = self._ask(query, self._words(left), plan, meaning=text)
            if result.total:
                if says_little(left, text, self.language, self.snapshot):
                    near = self._by_meaning(query, text, plan)
                    if near.has_step("similar"):
                        return near
                found = self._ranked(query, left, result, plan, is_partial=True)
                gone = as_typed(order[:dropped], query.text)
                return said(found, "drop_word", query.text, dropped=gone)
        return None

    def _correction(self, query: ShopQuery, text: str) -> Correction | None:
        if {"spelling", "all"} & set(query.as_words):
            return None
        stand = frozenset(words_of(self.profile.synonyms))
        ways = corrections(text, self.language, self.snapshot, stand)
        return likeliest(ways, lambda said: self._count(said, Match.ALL, query.filters()))

    def _count(self, text: str, match: Match, filters: Filters) -> int:
        words = Words(text, self.language, match)
        return self.engine.search(self.brand.id, SearchRequest(words, filters, limit=0)).total

    def _words(
        self, text: str, required: int | None = None, essential: tuple[int, ...] = ()
    ) -> Words:
        return Words(
            text,
            self.language,
            Match.ALL if required is None else Match.HALF,
            expansions=self._readings(text),
            required=required,
            essential=essential,
            opposites=contraries(text, self.language),
            weights=self.profile.field_weights,
        )

    def _ask(
        self,
        query: ShopQuery,
        words: Words,
        plan: RulePlan,
        *,
        meaning: str = "",
        facets_from: int = 0,
    ) -> SearchResult:
        """`meaning` is the text that hits are compared with, where it is not that of the words."""
        by_relevance = query.sort == "relevance"
        return self._search(
            query,
            SearchRequest(
                words=words,
                filters=query.filters(),
                sort=_SORTS[query.sort],
                offset=0 if by_relevance else query.offset,
                limit=asked_for(query, plan) if by_relevance else query.per_page,
                facets_from=facets_from,
                vector=self._vector(meaning or words.text) if by_relevance else None,
                model_id=self.encoder.model_id,
            ),
        )

    def _readings(self, text: str) -> Mapping[int, tuple[Expansion, ...]]:
        return other_readings(text, self.language, self.snapshot, self.profile.synonyms)

    def _vector(self, text: str) -> Vector | None:
        return self.encoder.encode_one(text) if self.profile.product_weights.vector else None

    def _search(self, query: ShopQuery, request: SearchRequest) -> SearchResult:
        """With the facets that the query asks for."""
        counted = replace(request, facets=query.counted, facet_size=query.facet_size)
        return self.engine.search(self.brand.id, counted)

    def _browse(self, query: ShopQuery, plan: RulePlan) -> Retrieved:
        """Without words: what most merchants offer first, unless another order is chosen."""
        sort = _SORTS[query.sort]
        is_plain = query.sort != "relevance" or plan == RulePlan(narrow=plan.narrow)
        request = SearchRequest(
            filters=query.filters(),
            sort=Sort.POPULAR if sort is Sort.RELEVANCE else sort,
            offset=query.offset if is_plain else 0,
            limit=query.per_page if is_plain else asked_for(query, plan),
        )
        result = self._search(query, request)
        if is_plain:
            return Retrieved(tuple(hit.product_id for hit in result.hits), result)
        documents = self._documents(result, plan)
        return self._placed(
            query, "", result, browsed(result.hits, self.profile, plan, documents), plan
        )

    def _ranked(
        self,
        query: ShopQuery,
        text: str,
        result: SearchResult,
        plan: RulePlan,
        *,
        is_partial: bool = False,
    ) -> Retrieved:
        if query.sort != "relevance":
            return Retrieved(
                tuple(hit.product_id for hit in result.hits),
                result,
                words=text,
                readings=self._readings(text),
            )
        count = candidate_count(plan)
        first, rest = result.hits[:count], result.hits[count:]
        documents = self._documents(result, plan)
        ordered = order_candidates(
            first, text, self.language, self.profile, plan, documents, is_partial=is_partial
        )
        if not rest:
            return self._placed(query, text, result, ordered, plan)
        further = [RankedProduct(hit.product_id, 0.0, {}) for hit in rest]
        return self._placed(query, text, result, [*ordered, *further], plan)

    def _documents(self, result: SearchResult, plan: RulePlan) -> Mapping[str, ProductDocument]:
        if not needs_documents(plan):
            return {}
        return self.engine.read(self.brand.id, result.hits[: candidate_count(plan)])

    def _placed(
        self,
        query: ShopQuery,
        text: str,
        result: SearchResult,
        ordered: Sequence[RankedProduct],
        plan: RulePlan,
    ) -> Retrieved:
        """Pinned and paid products in their places, then the page cut out."""
        window = slice(query.offset, query.offset + query.per_page)
        shown = len(ordered)
        if plan.placed_ids:
            placed = place_products(plan, ordered, self._available(query, plan))
            shown, page = len(placed), placed[window]
        else:
            page = place_products(plan, ordered[window])
        total = max(result.total - (len(result.hits) - len(ordered)), shown)
        return Retrieved(
            tuple(row.product_id for row in page),
            replace(result, total=total) if total != result.total else result,
            words=text,
            readings=self._readings(text),
            placed=tuple(page),
        )

    def _available(self, query: ShopQuery, plan: RulePlan) -> set[str]:
        """Pinned and paid products that the brand shows under the shopper's filters."""
        wanted = replace(query.filters(), product_ids=plan.placed_ids)
        found = self.engine.search(self.brand.id, SearchRequest(filters=wanted, limit=100))
        return {hit.product_id for hit in found.hits}

    def _only_filters_exclude(self, query: ShopQuery, text: str) -> bool:
        """Whether the words are found without the filters: then those are to be taken off."""
        anything = Filters(without=query.without)
        return query.filters() != anything and self._count(text, Match.HALF, anything) > 0

    def _by_meaning(self, query: ShopQuery, text: str, plan: RulePlan) -> Retrieved:
        """No word is known: near in meaning, else what is popular near there, else popular."""
        steps = self.profile.ladder.steps
        near = self._nearest.products(text, query.filters(), SIMILAR_AT_MOST) if text else ()
        similar = near_enough(near, self.profile.ladder.meaning_floor)
        if similar and "similar" in steps:
            return said(self._listed(query, similar, plan), "similar", query.text)
        category = self._nearest.common_category(near) if "popular_in_category" in steps else None
        if category is not None and not query.categories:
            found = self._browse(replace(query, categories=(category,)), plan)
            return said(found, "popular_in_category", query.text, category_id=category)
        if "popular" in steps:
            return said(self._browse(query, plan), "popular", query.text)
        return Retrieved((), self._listed(query, (), plan).result)

    def _listed(self, query: ShopQuery, product_ids: Sequence[str], plan: RulePlan) -> Retrieved:
        """These products, nearest first or in the order chosen, with their facets."""
        request = SearchRequest(
            filters=replace(query.filters(), product_ids=tuple(product_ids)),
            sort=_SORTS[query.sort],
            limit=max(SIMILAR_AT_MOST, len(product_ids)),
        )
        result = self._search(query, request)
        found = [hit.product_id for hit in result.hits]
        if plan.hidden:
            documents = self._documents(result, plan)
            shown = browsed(result.hits, self.profile, replace(plan, moves=()), documents)
            found = [name for name in found if name in {row.product_id for row in shown}]
            result = replace(result, total=len(found))
        if query.sort == "relevance":
            found.sort(key=product_ids.index)
        return Retrieved(tuple(found[query.offset : query.offset + query.per_page]), result)
