"""Vectors of two models are never compared, at no moment; both engines rank vectors alike."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from indexer.engine import Engine, Filters, SearchRequest, Upsert, Words
from kernel.embedding.encoder import load_encoder
from tests.contracts.search_engines import seen_soon
from tests.indexer.documents import direction, document

ONE, OTHER = "model-one", "model-other"
PRODUCTS = 20
THINGS = """washing machine lave-linge Waschmaschine fridge réfrigérateur Kühlschrank kettle
bouilloire Wasserkocher lamp lampe Leuchte drill perceuse Bohrmaschine shoe chaussure Schuh phone
téléphone Handy case coque Hülle chair chaise Stuhl table Tisch camera"""
KINDS = "red bleu schwarz small grand leicht wooden inox neu cheap pro mini max"


def filled(engine: Engine, brand: str, model_id: str, dimensions: int) -> str:
    """An index of lamps that all point the same way; not live yet."""
    index = engine.create(brand, model_id=model_id, dimensions=dimensions)
    vector = np.zeros(dimensions, dtype=np.float32)
    vector[0] = 1.0
    lamps = [Upsert(document(f"prd_{n:02}", "lamp"), vector, 1, model_id) for n in range(PRODUCTS)]
    report = engine.write(index, lamps)
    assert (report.written, report.refused) == (PRODUCTS, ())
    return index


def asked(model_id: str, dimensions: int = 16) -> SearchRequest:
    vector = np.zeros(dimensions, dtype=np.float32)
    vector[0] = 1.0
    return SearchRequest(Words("lamp", "en"), vector=vector, model_id=model_id)


def test_an_index_refuses_vectors_of_another_model(engine: Engine, brand: str) -> None:
    index = engine.create(brand, model_id=ONE, dimensions=16)
    report = engine.write(
        index,
        [
            Upsert(document("prd_a", "lamp"), direction(1.0), 1, ONE),
            Upsert(document("prd_b", "lamp"), direction(1.0), 1, OTHER),
        ],
    )
    assert report.written == 1
    (refused,) = report.refused
    assert refused.product_id == "prd_b"
    assert ONE in refused.reason
    assert OTHER in refused.reason


@pytest.mark.parametrize("dimensions", [16, 24], ids=["same size", "another size"])
def test_a_query_of_another_model_is_answered_by_words_alone(
    engine: Engine, brand: str, dimensions: int
) -> None:
    """Found as before, without cosines and neighbours: neither wrong ones nor an error."""
    engine.publish(brand, filled(engine, brand, ONE, 16))
    request = asked(OTHER, dimensions)
    assert request.vector is not None
    hits = engine.search(brand, request).hits
    assert len(hits) == PRODUCTS
    assert {hit.similarity for hit in hits} == {None}
    near = engine.neighbours(
        brand, request.vector, filters=Filters(), limit=3, model_id=request.model_id
    )
    assert near == ()
    own = asked(ONE)
    assert own.vector is not None
    assert {round(hit.similarity or 0, 2) for hit in engine.search(brand, own).hits} == {1.0}
    assert len(engine.neighbours(brand, own.vector, filters=Filters(), limit=3, model_id=ONE)) == 3


def test_a_switch_of_models_fails_no_search_and_mixes_no_vectors(
    engine: Engine, brand: str
) -> None:
    """Readers of the old and of the new model go on while the live index becomes the other's."""
    engine.publish(brand, filled(engine, brand, ONE, 16))
    done = threading.Event()
    wrong: list[object] = []
    answers = {ONE: 0, OTHER: 0}

    def read(model_id: str, dimensions: int) -> None:
        request = asked(model_id, dimensions)
        while not done.is_set():
            try:
                found = engine.search(brand, request)
            except Exception as error:  # noqa: BLE001 - a failure of any kind is what this counts
                wrong.append(error)
                return
            answers[model_id] += 1
            cosines = {hit.similarity and round(hit.similarity, 2) for hit in found.hits}
            if len(found.hits) != PRODUCTS or cosines not in ({None}, {1.0}):
                wrong.append((model_id, cosines, len(found.hits)))

    readers = [
        threading.Thread(target=read, args=(ONE, 16)),
        threading.Thread(target=read, args=(OTHER, 24)),
    ]
    for reader in readers:
        reader.start()
    try:
        for model_id, dimensions in ((OTHER, 24), (ONE, 16), (OTHER, 24)):
            engine.publish(brand, filled(engine, brand, model_id, dimensions))
            before = dict(answers)
            seen_soon(lambda before=before: all(answers[m] > before[m] for m in answers))
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert wrong == []
    hits = engine.search(brand, asked(OTHER, 24)).hits
    assert {round(hit.similarity or 0, 2) for hit in hits} == {1.0}


def test_the_first_ten_are_the_same_as_those_of_exact_comparison(
    engine: Engine, brand: str
) -> None:
    """In 98 of 100 queries, with vectors of our own model: so the two agree in 95 at least."""
    encoder = load_encoder()
    things, kinds = THINGS.split(), KINDS.split()
    titles = [
        f"{thing} {kind} {number}"
        for thing in things
        for kind in kinds
        for number in ("", "100", "200", "XL", "2 kg")
    ]
    vectors = encoder.encode(titles)
    index = engine.create(brand, model_id=encoder.model_id, dimensions=encoder.dimensions)
    ids = [f"prd_{n:05}" for n in range(len(titles))]
    changes = [
        Upsert(document(id_, title), vector, 1, encoder.model_id)
        for id_, title, vector in zip(ids, titles, vectors, strict=True)
    ]
    for start in range(0, len(changes), 1_000):
        assert not engine.write(index, changes[start : start + 1_000]).refused
    engine.publish(brand, index)
    queries = [f"{kind} {thing}" for thing in things[::2] for kind in kinds[::3]]
    agreed = 0
    for query in queries:
        vector = encoder.encode_one(query)
        near = engine.neighbours(
            brand, vector, filters=Filters(), limit=10, model_id=encoder.model_id
        )
        similar = vectors @ vector
        # A product as near as the tenth is as good: titles of one set of words are equally near.
        tenth = np.sort(similar)[-10] - 0.001
        agreed += len(near) == 10 and all(
            similar[ids.index(row.product_id)] >= tenth for row in near
        )
    assert agreed >= 0.98 * len(queries)
