"""What one question brings on each engine: cosines, attributes, expansions, weights, reasons."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.engine import (
    Delete,
    Engine,
    Expansion,
    Filters,
    Match,
    SearchRequest,
    Sort,
    Words,
)
from kernel.errors import DomainError
from tenants.ranking.profile import FieldWeights
from tests.contracts.search_engines import fill, found, ids, seen_soon
from tests.indexer.documents import DIMENSIONS, direction, document, offer, upsert


def test_hits_carry_their_cosine(engine: Engine, brand: str) -> None:
    """In the order of the words, with the cosine beside; none where there is no direction."""
    fill(
        engine,
        brand,
        [
            upsert(document("prd_a", "lamp lamp"), vector=direction(1.0)),
            upsert(document("prd_b", "lamp"), vector=direction(1.0, 1.0)),
            upsert(document("prd_c", "lamp"), vector=np.zeros(DIMENSIONS, np.float32)),
        ],
    )
    words = Words("lamp", "en")
    answer = engine.search(brand, SearchRequest(words, vector=direction(1.0)))
    cosines = {hit.product_id: hit.similarity for hit in answer.hits}
    assert cosines["prd_a"] == pytest.approx(1.0, abs=0.01)
    assert cosines["prd_b"] == pytest.approx(0.707, abs=0.01)
    assert cosines["prd_c"] is None
    plain = engine.search(brand, SearchRequest(words))
    assert [hit.score for hit in plain.hits] == pytest.approx([hit.score for hit in answer.hits])
    assert {hit.similarity for hit in plain.hits} == {None}
    blank = SearchRequest(words, vector=np.zeros(DIMENSIONS, np.float32))
    assert {hit.similarity for hit in engine.search(brand, blank).hits} == {None}
    with pytest.raises(DomainError):
        engine.search(brand, SearchRequest(words, vector=np.ones(3, dtype=np.float32)))


def test_a_hit_is_read_as_it_was_seen_or_newer(engine: Engine, brand: str) -> None:
    """A hit names version and index; what was removed since is absent by its id."""
    index = fill(engine, brand, [upsert(document("prd_a", "first"), 3)])
    (hit,) = engine.search(brand, SearchRequest()).hits
    assert (hit.version, hit.index) == (3, index)
    assert engine.read(brand, [hit])["prd_a"].title("en") == "first"
    engine.write(index, [upsert(document("prd_a", "second"), 4)])
    seen_soon(lambda: engine.search(brand, SearchRequest()).hits[0].version == 4)
    (newer,) = engine.search(brand, SearchRequest()).hits
    assert engine.read(brand, [newer])["prd_a"].title("en") == "second"
    engine.write(index, [Delete("prd_a", 5)])
    seen_soon(lambda: engine.read(brand, ["prd_a"]) == {})


def test_words_have_other_readings(engine: Engine, brand: str) -> None:
    """A synonym finds less than the word itself; all its words have to be in one field."""
    fill(
        engine,
        brand,
        [
            upsert(document("prd_typed", "sofa", category=None)),
            upsert(document("prd_synonym", "couches", category=None)),
            upsert(document("prd_phrase", "day bed", category=None)),
            upsert(document("prd_half", "day", manufacturer="bed", category=None)),
        ],
    )
    assert found(engine, brand, "sofa") == ["prd_typed"]
    expanded = Words(
        "sofa", "en", expansions={0: (Expansion("couch", 0.9), Expansion("day bed", 0.5))}
    )
    assert ids(engine, brand, SearchRequest(expanded)) == ["prd_typed", "prd_synonym", "prd_phrase"]


def test_a_makers_own_comes_before_what_is_equivalent_to_it(engine: Engine, brand: str) -> None:
    """Titles of others name the maker as often; who says it means the maker's own."""
    fill(
        engine,
        brand,
        [
            *(upsert(document(f"prd_lamp_{n}", "lamp", manufacturer="Lumen")) for n in range(20)),
            *(upsert(document(f"prd_{n}", "Norvik printer", manufacturer="Norvik")) for n in "ab"),
            upsert(document("prd_own", "Norvik toner TK60 black, new", manufacturer="Norvik")),
            upsert(document("prd_other", "Toner like Norvik", manufacturer="Zeddar")),
        ],
    )
    assert found(engine, brand, "norvik toner") == ["prd_own", "prd_other"]


def test_a_share_of_the_words_can_be_asked_for(engine: Engine, brand: str) -> None:
    """`required` of three words: one, two, all; more than there are means all."""
    fill(
        engine,
        brand,
        [
            upsert(document("prd_3", "red garden lamp", category=None)),
            upsert(document("prd_2", "red garden", category=None)),
            upsert(document("prd_1", "garden", category=None)),
        ],
    )
    for required, expected in ((1, 3), (2, 2), (3, 1), (9, 1)):
        words = Words("red garden lamp", "en", required=required)
        answer = engine.search(brand, SearchRequest(words))
        assert answer.total == expected
        assert answer.hits[0].product_id == "prd_3"


def test_essential_words_must_be_among_some(engine: Engine, brand: str) -> None:
    """Half of `red garden lamp` is a garden lamp, and no red garden."""
    fill(
        engine,
        brand,
        [
            upsert(document("prd_all", "red garden lamp", category=None)),
            upsert(document("prd_lamp", "garden lamp", category=None)),
            upsert(document("prd_garden", "red garden", category=None)),
        ],
    )
    expected = {
        (): {"prd_all", "prd_lamp", "prd_garden"},
        (2,): {"prd_all", "prd_lamp"},
        (0, 2): {"prd_all"},
        (0, 1): {"prd_all", "prd_garden"},
        # A place that the question has not is none.
        (2, 7): {"prd_all", "prd_lamp"},
    }
    for essential, names in expected.items():
        for required in (1, 2):
            words = Words("red garden lamp", "en", required=required, essential=essential)
            answer = engine.search(brand, SearchRequest(words))
            assert {hit.product_id for hit in answer.hits} == names
            assert answer.total == len(names)
            assert answer.hits[0].product_id == "prd_all"
    everything = Words("red garden lamp", "en", Match.ALL, essential=(2,))
    assert ids(engine, brand, SearchRequest(everything)) == ["prd_all"]
    plain, bound = (
        engine.search(brand, SearchRequest(Words("red garden lamp", "en", Match.HALF, essential=e)))
        for e in ((), (2,))
    )
    scores = dict(zip(plain.hits.product_ids, plain.hits.scores.tolist(), strict=True))
    for hit in bound.hits:
        assert hit.score == pytest.approx(scores[hit.product_id]), "it narrows, and ranks nothing"


def test_weights_of_fields_decide(engine: Engine, brand: str) -> None:
    """A brand that values makers finds them first; a field of weight 0 is not searched."""
    fill(
        engine,
        brand,
        [
            upsert(document("prd_title", "nordlys", category=None)),
            upsert(document("prd_maker", "lamp", manufacturer="Nordlys", category=None)),
        ],
    )

    def order(weights: FieldWeights) -> list[str]:
        return ids(engine, brand, SearchRequest(Words("nordlys", "en", weights=weights)))

    assert order(FieldWeights(title=9.0, manufacturer=0.1)) == ["prd_title", "prd_maker"]
    assert order(FieldWeights(title=0.1, manufacturer=9.0)) == ["prd_maker", "prd_title"]
    assert order(FieldWeights(title=0.0)) == ["prd_maker"]
    silent = FieldWeights(*[0.0] * 9)
    assert order(silent) == []


def test_attributes_are_counted_and_filtered(engine: Engine, brand: str) -> None:
    """By key and value as they stand; counts ignore the filter on their own key alone."""
    odd = "a.b\\c/[d]>"
    fill(
        engine,
        brand,
        [
            upsert(document("prd_1", "x", attributes={"memory": "8 GB", "colour": "red"})),
            upsert(document("prd_2", "x", attributes={"memory": "16 GB", "colour": "red"})),
            upsert(document("prd_3", "x", attributes={"memory": "8 GB", odd: "odd / key"})),
            upsert(document("prd_4", "x")),
        ],
    )
    keys = ("memory", "colour", odd, "nothing")
    request = SearchRequest(filters=Filters(attributes={"memory": ("8 GB",)}), attributes=keys)
    answer = engine.search(brand, request)
    assert {hit.product_id for hit in answer.hits} == {"prd_1", "prd_3"}
    assert answer.total == 2
    counts = {
        key: {row.value: row.count for row in rows}
        for key, rows in answer.counts().attributes.items()
    }
    assert counts == {
        "memory": {"8 GB": 2, "16 GB": 1},
        "colour": {"red": 1},
        odd: {"odd / key": 1},
        "nothing": {},
    }
    either = Filters(attributes={"memory": ("8 GB", "16 GB"), "colour": ("red",)})
    assert set(ids(engine, brand, SearchRequest(filters=either))) == {"prd_1", "prd_2"}
    strange = Filters(attributes={odd: ("odd / key",), "memory": ()})
    assert ids(engine, brand, SearchRequest(filters=strange)) == ["prd_3"]


def test_a_walk_through_everything_knows_no_window(engine: Engine, brand: str) -> None:
    """Each product once, in a fixed order that new products do not upset."""
    rows = [upsert(document(f"prd_{n:04}", "lamp")) for n in range(50)]
    index = fill(engine, brand, rows)

    def walk() -> list[str]:
        seen: list[str] = []
        after = None
        while True:
            request = SearchRequest(Words("lamp", "en"), sort=Sort.ID, limit=7, after=after)
            page = ids(engine, brand, request)
            if not page:
                return seen
            seen += page
            after = page[-1]

    first = walk()
    assert sorted(first) == [f"prd_{n:04}" for n in range(50)]
    engine.write(index, [upsert(document("prd_new", "lamp"))])
    seen_soon(lambda: engine.search(brand, SearchRequest()).total == 51)
    assert [name for name in walk() if name != "prd_new"] == first
    with pytest.raises(ValueError, match="after"):
        SearchRequest(after="prd_0001")


def test_why_a_product_is_found(engine: Engine, brand: str) -> None:
    """Clause by clause, the same names on every engine; nothing for what is not found."""
    maker = document("prd_a", "Red lamp", manufacturer="Lampenhaus", category=None)
    other = document("prd_b", "Lamp", category=None)
    fill(engine, brand, [upsert(maker), upsert(other)])
    request = SearchRequest(Words("red lamp", "en", Match.HALF))
    why = engine.explain(brand, request, "prd_a")
    assert why is not None
    assert {(row.word, row.field, row.terms) for row in why.clauses} == {
        (0, "title_en", ("red",)),
        (1, "title_en", ("lamp",)),
    }
    best = engine.search(brand, request).hits[0]
    assert why.score == pytest.approx(best.score, rel=1e-4)
    assert why.score > 1000 > max(row.score for row in why.clauses) > 0
    (half,) = engine.explain(brand, request, "prd_b").clauses  # type: ignore[union-attr]
    assert half.terms == ("lamp",)
    assert engine.explain(brand, SearchRequest(Words("chair", "en")), "prd_a") is None
    assert engine.explain(brand, request, "prd_zzz") is None
    cheap = SearchRequest(request.words, Filters(total_max=1))
    assert engine.explain(brand, cheap, "prd_a") is None


def test_the_vocabulary_is_what_people_see(engine: Engine, brand: str) -> None:
    """Folded, not stemmed, counted by product; words of deleted products are gone."""
    index = fill(
        engine,
        brand,
        [
            upsert(document("prd_1", "Écouteurs écouteurs bleus", language="fr")),
            upsert(document("prd_2", "Écouteurs L'Ampère", language="fr", manufacturer="Ampère")),
            upsert(document("prd_3", "Fiets", language="nl", attributes={"colour": "rot"})),
            upsert(document("prd_4", "Verschwunden", language="de"), 1),
        ],
    )
    assert dict(engine.vocabulary(brand, "fr")) == {"ecouteurs": 2, "bleus": 1, "ampere": 1}
    assert dict(engine.vocabulary(brand, "xx")) == {"ampere": 1, "fiets": 1, "rot": 1}
    engine.write(index, [Delete("prd_4", 2)])
    seen_soon(lambda: dict(engine.vocabulary(brand, "de")) == {})


def test_titles_are_completed(engine: Engine, brand: str) -> None:
    """Every word, the last one as a beginning; most offers first; nothing typed, nothing told."""
    two = (offer("darti", 1000), offer("voltina", 1200))
    index = fill(
        engine,
        brand,
        [
            upsert(document("prd_1", "Galaxy Phone", manufacturer="Ampère")),
            upsert(document("prd_2", "Galaxie-Poster", language="fr", offers=two)),
            upsert(document("prd_3", "Lamp", attributes={"style": "galaxy"})),
            upsert(document("prd_4", "Galaxy gone"), 1),
        ],
    )
    engine.write(index, [Delete("prd_4", 2)])

    def completed(prefix: str, limit: int = 5) -> list[str]:
        return [row.product_id for row in engine.complete(brand, prefix, "en", limit)]

    seen_soon(lambda: "prd_4" not in completed("galax"))
    assert completed("GALAX") == ["prd_2", "prd_1"]
    assert completed("galax", limit=1) == ["prd_2"]
    assert completed("ampere gal") == ["prd_1"]
    assert completed("ph galaxy") == []
    assert [row.total_minor for row in engine.complete(brand, "galax", "en", 5)] == [1000, 1000]
    for nothing in ("", " .*", "zzz", "(((", "\x00", "é" * 500):
        assert completed(nothing) == []
    (row,) = engine.complete(brand, "galaxy p", "en", 5)
    assert (row.title, row.category_id, row.manufacturer) == ("Galaxy Phone", 328, "Ampère")


def test_the_former_index_is_known(engine: Engine, brand: str) -> None:
    """What a roll back publishes, until it is dropped."""
    first = fill(engine, brand, [upsert(document("prd_a", "lamp"))])
    assert engine.previous(brand) is None
    second = fill(engine, brand, [upsert(document("prd_b", "lamp"))])
    assert engine.previous(brand) == first
    engine.publish(brand, first)
    assert engine.previous(brand) == second
    assert found(engine, brand, "lamp") == ["prd_a"]
    engine.publish(brand, first)
    assert engine.previous(brand) == second
    engine.drop(brand, second)
    assert engine.previous(brand) is None
