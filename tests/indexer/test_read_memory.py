"""What a reader remembers changes no answer: judged queries, asked plainly and asked again."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.icecat import documents, judgements
from indexer.embedded import EmbeddedEngine
from indexer.embedded.snapshot import Snapshot
from indexer.engine import Engine, FacetField, Filters, Match, SearchRequest, SearchResult, Words
from indexer.matching_plan import MatchingPlan
from kernel.embedding.encoder import Encoder
from tests.contracts.search_engines import seen_soon
from tests.indexer.documents import document, upsert

BRAND = "judged"
EVERY_OTHER = 13


@pytest.fixture(scope="module")
def judged(
    shared: Path, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder
) -> tuple[Path, list[str]]:
    """Root of an engine with judged products and some others, and the queries."""
    from indexer.engine import Upsert

    data = shared / "data" / "search"
    known = judgements(data)
    wanted = {product_id for gains in known.values() for product_id in gains}
    rows = [
        row
        for place, row in enumerate(documents(data))
        if row.product_id in wanted or place % EVERY_OTHER == 0
    ]
    root = tmp_path_factory.mktemp("judged")
    engine = EmbeddedEngine(root)
    index = engine.create(BRAND, model_id=encoder.model_id, dimensions=encoder.dimensions)
    vectors = encoder.encode([row.title("en") for row in rows])
    changes = [Upsert(row, vector, 1) for row, vector in zip(rows, vectors, strict=True)]
    assert engine.write(index, changes).written == len(rows)
    engine.publish(BRAND, index)
    return root, list(known)


def _ask(engine: Engine, text: str, match: Match, encoder: Encoder) -> SearchResult:
    request = SearchRequest(
        Words(text, "en", match),
        Filters(availabilities=("in_stock",)),
        limit=200,
        facets=tuple(FacetField),
        vector=encoder.encode_one(text),
    )
    return engine.search(BRAND, request)


def test_answers_are_the_same_as_without_any_memory(
    judged: tuple[Path, list[str]], encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hits with scores and cosines, totals and facets, when every clause is asked of the index."""
    root, texts = judged
    questions = [(text, match) for text in texts for match in Match]
    warm = EmbeddedEngine(root)
    for question in questions:
        _ask(warm, *question, encoder)
    remembered = [_ask(warm, *question, encoder) for question in questions]

    def whole(_: Snapshot, plan: MatchingPlan) -> MatchingPlan:
        return plan

    monkeypatch.setattr(Snapshot, "present", whole)
    for question, answer in zip(questions, remembered, strict=True):
        plain = _ask(EmbeddedEngine(root), *question, encoder)
        assert plain.total == answer.total, question
        assert plain.counts() == answer.counts(), question
        assert _plain(plain) == pytest.approx(_plain(answer), rel=1e-4), question
    assert sum(answer.total > 0 for answer in remembered) > len(questions) / 2


def _plain(result: SearchResult) -> dict[str, float]:
    """Scores by product, and cosines: equal scores may stand in any order."""
    return {hit.product_id: hit.score + (hit.similarity or 0.0) for hit in result.hits}


def test_totals_and_facets_are_exact(judged: tuple[Path, list[str]], encoder: Encoder) -> None:
    """Every product has one availability and one maker at most: counts add up to the total."""
    engine = EmbeddedEngine(judged[0])
    for text in judged[1]:
        request = SearchRequest(
            Words(text, "en"), facets=tuple(FacetField), facet_size=1_000, limit=1_000
        )
        answer = engine.search(BRAND, request)
        facets = answer.counts().facets
        counted = {facet: sum(row.count for row in rows) for facet, rows in facets.items()}
        assert counted[FacetField.AVAILABILITY] == answer.total
        assert counted[FacetField.MANUFACTURER] <= answer.total
        assert len(answer.hits) == min(answer.total, 1_000)
    del encoder


def test_a_commit_is_seen_by_what_is_remembered(tmp_path: Path) -> None:
    """Words, facets and completions that were not there before are there after a commit."""
    engine = EmbeddedEngine(tmp_path)
    index = engine.create(BRAND, model_id="static-test", dimensions=16)
    engine.write(index, [upsert(document("prd_a", "lamp"))])
    engine.publish(BRAND, index)
    facets = SearchRequest(facets=(FacetField.AVAILABILITY,), limit=0)
    chair = SearchRequest(Words("chair", "en"))
    assert engine.search(BRAND, chair).total == 0
    assert engine.complete(BRAND, "cha", "en", 5) == ()
    assert engine.search(BRAND, facets).counts().facets[FacetField.AVAILABILITY][0].count == 1
    engine.write(index, [upsert(document("prd_b", "chair"))])
    seen_soon(lambda: engine.search(BRAND, chair).total == 1)
    assert [row.product_id for row in engine.complete(BRAND, "cha", "en", 5)] == ["prd_b"]
    assert engine.search(BRAND, facets).counts().facets[FacetField.AVAILABILITY][0].count == 2


def test_a_remembered_document_is_of_the_version_that_was_found(tmp_path: Path) -> None:
    """A newer version is read again; an id alone is always read anew."""
    engine = EmbeddedEngine(tmp_path)
    index = engine.create(BRAND, model_id="static-test", dimensions=16)
    engine.write(index, [upsert(document("prd_a", "first"), 1)])
    engine.publish(BRAND, index)
    (seen,) = engine.search(BRAND, SearchRequest()).hits
    first = engine.read(BRAND, [seen])["prd_a"]
    assert engine.read(BRAND, [seen])["prd_a"] is first
    engine.write(index, [upsert(document("prd_a", "second"), 2)])
    seen_soon(lambda: engine.search(BRAND, SearchRequest()).hits[0].version == 2)
    assert engine.read(BRAND, ["prd_a"])["prd_a"].title("en") == "second"
    (now,) = engine.search(BRAND, SearchRequest()).hits
    assert engine.read(BRAND, [now])["prd_a"].title("en") == "second"
