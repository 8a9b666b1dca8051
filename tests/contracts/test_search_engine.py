"""What every search engine must do, on each of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from indexer.elasticsearch import ElasticsearchEngine
from indexer.engine import (
    WINDOW,
    Delete,
    Engine,
    Filters,
    Match,
    SearchRequest,
    Sort,
    Upsert,
    Words,
)
from kernel.errors import DomainError
from tests.contracts.search_engines import MODEL, fill, found, ids, new_brand, seen_soon
from tests.indexer.documents import DIMENSIONS, direction, document, upsert


def test_a_written_product_is_found_read_and_counted(engine: Engine, brand: str) -> None:
    """Only what was published is seen, and what comes back is what went in."""
    written = document(
        "prd_a", "Crossover laptop", manufacturer="Nordlys", total=99900, attributes={"ram": "8 GB"}
    )
    index = engine.create(brand, model_id=MODEL, dimensions=DIMENSIONS)
    assert engine.write(index, [upsert(written)]).written == 1
    assert engine.stats(brand) is None
    assert engine.publish(brand, index) is None

    assert found(engine, brand, "laptop") == ["prd_a"]
    assert engine.read(brand, ["prd_a", "prd_b"]) == {"prd_a": written}
    assert engine.read(brand, []) == {}
    stats = engine.stats(brand)
    assert stats is not None
    assert (stats.index, stats.count, stats.model_id) == (index, 1, MODEL)
    assert stats.dimensions == DIMENSIONS


def test_an_unknown_brand_has_no_index(engine: Engine, brand: str) -> None:
    """A sentence and status 503, not an engine's error."""
    for ask in (
        lambda: engine.search(brand, SearchRequest()),
        lambda: engine.read(brand, ["prd_a"]),
        lambda: engine.neighbours(brand, direction(1), filters=Filters(), limit=3),
    ):
        with pytest.raises(DomainError) as refusal:
            ask()
        assert refusal.value.code == "index_missing"
        assert refusal.value.status == 503
        assert brand in refusal.value.message


def test_late_and_doubled_writes_never_win(engine: Engine, brand: str) -> None:
    """Versions decide, across batches, within a batch, and against a deletion."""
    index = fill(engine, brand, [upsert(document("prd_a", "third"), 3)])
    late = engine.write(index, [upsert(document("prd_a", "second"), 2)])
    assert (late.written, late.late) == (0, 1)
    assert engine.read(brand, ["prd_a"])["prd_a"].title("en") == "third"

    again = engine.write(index, [upsert(document("prd_a", "third"), 3)])
    assert again.late == 0
    both = engine.write(
        index, [upsert(document("prd_a", "fifth"), 5), upsert(document("prd_a", "fourth"), 4)]
    )
    assert (both.written, both.late) == (1, 1)
    seen_soon(lambda: found(engine, brand, "fifth") == ["prd_a"])
    assert found(engine, brand, "third fourth", match=Match.HALF) == []

    assert engine.write(index, [Delete("prd_a", 6)]).deleted == 1
    assert engine.write(index, [upsert(document("prd_a", "fifth"), 5)]).late == 1
    seen_soon(lambda: engine.search(brand, SearchRequest()).total == 0)
    assert engine.read(brand, ["prd_a"]) == {}
    assert engine.neighbours(brand, direction(1), filters=Filters(), limit=3) == ()

    engine.write(index, [upsert(document("prd_a", "back again"), 7)])
    seen_soon(lambda: found(engine, brand, "back") == ["prd_a"])
    stats = engine.stats(brand)
    assert stats is not None
    assert stats.count == 1


def test_deleting_what_was_never_there_changes_nothing(engine: Engine, brand: str) -> None:
    """A deletion of an unknown product is kept as one, quietly."""
    index = fill(engine, brand, [upsert(document("prd_a", "lamp"))])
    engine.write(index, [Delete("prd_zzz", 4)])
    seen_soon(lambda: engine.search(brand, SearchRequest()).total == 1)
    assert engine.search(brand, SearchRequest()).total == 1


def test_publishing_switches_and_keeps_the_former_index(engine: Engine, brand: str) -> None:
    """Readers see the old index until the switch, then the new one; the old one can be dropped."""
    first = fill(engine, brand, [upsert(document("prd_a", "lamp"))])
    second = engine.create(brand, model_id="other", dimensions=DIMENSIONS)
    engine.write(second, [upsert(document("prd_b", "lamp"))])
    assert found(engine, brand, "lamp") == ["prd_a"]
    assert engine.publish(brand, second) == first
    assert found(engine, brand, "lamp") == ["prd_b"]
    stats = engine.stats(brand)
    assert stats is not None
    assert stats.model_id == "other"
    with pytest.raises(ValueError, match="live index"):
        engine.drop(brand, second)
    engine.publish(brand, first)
    assert found(engine, brand, "lamp") == ["prd_a"]
    engine.drop(brand, second)
    engine.drop(brand, second)
    assert found(engine, brand, "lamp") == ["prd_a"]


def test_an_index_belongs_to_one_brand(engine: Engine, brand: str) -> None:
    """Another brand can neither publish it nor see into it."""
    index = fill(engine, brand, [upsert(document("prd_a", "lamp"))])
    other = f"{brand}x"
    with pytest.raises(ValueError, match=brand):
        engine.publish(other, index)
    fill(engine, other, [upsert(document("prd_b", "lamp"))])
    assert found(engine, brand, "lamp") == ["prd_a"]
    assert found(engine, other, "lamp") == ["prd_b"]
    assert engine.read(other, ["prd_a"]) == {}


WRITTEN = (
    ("Lave-linge hublot", "fr", "lave linge"),
    ("Écouteurs sans fil", "fr", "ecouteur"),
    ("Écran d'ordinateur", "fr", "ordinateurs"),
    ("L'aspirateur balai", "fr", "aspirateur"),
    ("Disque externe 500 Go", "fr", "500go"),
    ("Bouilloire 1,5 litre", "fr", "bouilloire 1.5l"),
    ("Waschmaschine Frontlader", "de", "waschmaschinen"),
    ("Kaffeemaschine mit Mahlwerk", "de", "maschine kaffee"),
    ("Staubsaugerbeutel", "de", "beutel"),
    ("Bluetooth Kopfhörer", "de", "kopfhoerer"),
    ("Monitor 27 Zoll", "de", '27"'),
    ("Phone cases", "en", "phone case"),
    ("Wi-Fi router", "en", "wifi"),
    ("Samsung WW80-T Eco", "en", "ww80t"),
    ("Samsung WW80T Eco", "en", "WW80-T"),
    ("Samsung WW80-T Eco", "fr", "ww80 t"),
    ("Galaxy S24 Ultra", "de", "galaxy s 24"),
    ("Smartphone Nordlys", "en", "smart phone"),
)
"""A title, its language, and what people write for it."""


@pytest.fixture(scope="module")
def titles(engine: Engine) -> str:
    """A brand with a product for each of those titles."""
    brand = new_brand()
    rows = [
        document(f"prd_{place}", title, language=language, category=None)
        for place, (title, language, _) in enumerate(WRITTEN)
    ]
    fill(engine, brand, [upsert(row) for row in rows])
    return brand


@pytest.mark.parametrize("place", range(len(WRITTEN)))
def test_words_are_found_as_people_write_them(engine: Engine, titles: str, place: int) -> None:
    """Accents, elision, plurals, compounds, units and model numbers; and nothing else is found."""
    title, language, query = WRITTEN[place]
    alike = {f"prd_{n}" for n, row in enumerate(WRITTEN) if row[0].split()[0] == title.split()[0]}
    answer = found(engine, titles, query, language)
    assert f"prd_{place}" in answer
    assert set(answer) <= alike


def test_a_code_puts_its_product_first(engine: Engine, brand: str) -> None:
    """GTIN in any length, article numbers, and the beginning of a model number."""
    coded = document(
        "prd_a", "Lamp", gtins=("04006381333931",), mpns=("LX-4420/B",), skus=("77-A",)
    )
    named = document("prd_b", "Manual for 4006381333931 and LX-4420/B", mpns=("ZZ-1",))
    fill(engine, brand, [upsert(named), upsert(coded)])
    for query in ("4006381333931", "04006381333931", "lx4420b", "LX-4420/B", "77A"):
        assert found(engine, brand, query)[0] == "prd_a", query
    assert found(engine, brand, "lx44") == ["prd_a"]


def test_category_names_find_products_in_other_languages(engine: Engine, brand: str) -> None:
    """A French title is found by the German name of its category."""
    fill(engine, brand, [upsert(document("prd_a", "Portable 14 pouces", language="fr"))])
    assert found(engine, brand, "notebooks", "de") == ["prd_a"]


def test_all_words_come_before_half_of_them(engine: Engine, brand: str) -> None:
    """ALL is strict; HALF adds more but never above what has every word."""
    fill(
        engine,
        brand,
        [
            upsert(document("prd_half", "red red red lamp", category=None)),
            upsert(
                document("prd_all", "a rather long title of a lamp red and garden", category=None)
            ),
            upsert(document("prd_none", "chair", category=None)),
        ],
    )
    assert found(engine, brand, "red garden lamp") == ["prd_all"]
    assert found(engine, brand, "red garden lamp", match=Match.HALF) == ["prd_all", "prd_half"]


def test_odd_texts_are_answered(engine: Engine, brand: str) -> None:
    """Punctuation, operators, control characters and floods of words break nothing."""
    fill(engine, brand, [upsert(document("prd_a", "lamp"))])
    for text in (
        '"',
        "(((",
        "AND OR NOT",
        "lamp:*",
        "\x00\x07",
        "a" * 10_000,
        "x " * 5_000,
        "🙂",
        "-",
    ):
        engine.search(brand, SearchRequest(Words(text, "en")))
        engine.search(brand, SearchRequest(Words(text, "xx", Match.HALF)))


def test_the_window(engine: Engine, brand: str) -> None:
    """Pages do not overlap, and nobody reaches beyond the window."""
    rows = [upsert(document(f"prd_{n:03}", "lamp", total=1000 + n)) for n in range(60)]
    fill(engine, brand, rows)
    pages = [
        ids(engine, brand, SearchRequest(sort=Sort.PRICE_ASC, offset=start, limit=24))
        for start in (0, 24, 48, 72)
    ]
    assert [len(page) for page in pages] == [24, 24, 12, 0]
    assert len({name for page in pages for name in page}) == 60
    engine.search(brand, SearchRequest(offset=WINDOW - 1, limit=1))
    with pytest.raises(ValueError, match="window"):
        SearchRequest(offset=WINDOW, limit=1)


def test_neighbours_by_meaning(engine: Engine, brand: str) -> None:
    """Best first, cosines on one scale, filters kept even where few pass them."""
    far = [upsert(document(f"prd_{n:02}", "x"), vector=direction(0.2, 1.0)) for n in range(40)]
    fill(
        engine,
        brand,
        [
            *far,
            upsert(document("prd_same", "x"), vector=direction(1.0)),
            upsert(document("prd_near", "x", total=555), vector=direction(1.0, 0.5)),
            upsert(document("prd_blank", "x"), vector=np.zeros(DIMENSIONS, np.float32)),
        ],
    )
    near = engine.neighbours(brand, direction(1.0), filters=Filters(), limit=3)
    assert [row.product_id for row in near[:2]] == ["prd_same", "prd_near"]
    assert near[0].similarity == pytest.approx(1.0, abs=0.01)
    assert near[1].similarity == pytest.approx(0.894, abs=0.01)
    filtered = engine.neighbours(
        brand, direction(0.2, 1.0), filters=Filters(total_max=600), limit=5
    )
    assert [row.product_id for row in filtered] == ["prd_near"]
    blank = np.zeros(DIMENSIONS, np.float32)
    assert engine.neighbours(brand, blank, filters=Filters(), limit=5) == ()


def test_a_changed_vector_replaces_the_former(engine: Engine, brand: str) -> None:
    """One vector a product, the last one written."""
    index = fill(engine, brand, [upsert(document("prd_a", "x"), 1, direction(1.0))])
    engine.write(index, [upsert(document("prd_a", "x"), 2, direction(0.0, 1.0))])

    def turned() -> bool:
        near = engine.neighbours(brand, direction(0.0, 1.0), filters=Filters(), limit=5)
        return len(near) == 1 and near[0].similarity > 0.99

    seen_soon(turned)


def test_a_document_that_does_not_fit_is_reported_and_the_rest_kept(
    engine: Engine, brand: str
) -> None:
    """A vector of another size is refused with a reason."""
    index = engine.create(brand, model_id=MODEL, dimensions=DIMENSIONS)
    report = engine.write(
        index,
        [
            Upsert(document("prd_bad", "x"), np.ones(3, dtype=np.float32), 1),
            upsert(document("prd_good", "x")),
        ],
    )
    assert report.written == 1
    assert [row.product_id for row in report.refused] == ["prd_bad"]
    assert report.refused[0].reason
    engine.publish(brand, index)
    assert ids(engine, brand, SearchRequest()) == ["prd_good"]


def test_vectors_of_another_size_are_not_compared(engine: Engine, brand: str) -> None:
    """Asking with another model's vector is refused, not answered wrongly."""
    fill(engine, brand, [upsert(document("prd_a", "x"))])
    with pytest.raises(DomainError):
        engine.neighbours(brand, np.ones(3, dtype=np.float32), filters=Filters(), limit=3)


def test_an_engine_that_is_down_says_so(tmp_path: Path) -> None:
    """Status 503 and a sentence."""
    down = ElasticsearchEngine("http://127.0.0.1:9")
    with pytest.raises(DomainError) as refusal:
        down.search("mirabelle", SearchRequest())
    down.close()
    assert refusal.value.status == 503
    assert "not available" in refusal.value.message
