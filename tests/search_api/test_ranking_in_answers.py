"""A published ranking as shoppers and programs meet it: rules, paid places, disclosure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from indexer.embed_text import embed_text
from indexer.embedded import EmbeddedEngine
from indexer.engine import Upsert
from kernel.embedding.encoder import Encoder, load_encoder
from kernel.errors import DomainError
from search_api.cards import offer_cards
from tenants.brand import Brand
from tenants.ranking.document import RankingDocument, ranking_document
from tenants.ranking.inheritance import Stated
from tests.search_api.test_routes import application, brand, products

__all__ = ["brand"]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
Opened = Callable[..., TestClient]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture(scope="module")
def engine(
    tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, brand: Brand
) -> EmbeddedEngine:
    made = EmbeddedEngine(tmp_path_factory.mktemp("search"))
    index = made.create(brand.id, model_id=encoder.model_id, dimensions=encoder.dimensions)
    rows = products()
    vectors = encoder.encode([embed_text(row, "fr") for row in rows])
    made.write(index, [Upsert(row, vector, 1) for row, vector in zip(rows, vectors, strict=True)])
    made.publish(brand.id, index)
    return made


@pytest.fixture
def opened(engine: EmbeddedEngine, encoder: Encoder, brand: Brand) -> Iterator[Opened]:
    """The shop under a ranking document."""
    clients: list[TestClient] = []

    def under(**table: Any) -> TestClient:
        changed = ranked(brand, ranking_document(table))
        app = application(engine, encoder, changed)
        clients.append(TestClient(app, follow_redirects=False))
        return clients[-1].__enter__()

    yield under
    for client in clients:
        client.__exit__(None, None, None)


def ranked(brand: Brand, document: RankingDocument) -> Brand:
    return brand.with_rankings([Stated("brand", None, document, 5, NOW)])


def ids(client: TestClient, **params: Any) -> list[str]:
    body = client.get("/v1/search", params=params).json()
    return [row["id"] for row in body["products"]]


def test_pins_boosts_and_hides(opened: Opened) -> None:
    client = opened(
        rules=[
            {"id": "top", "kind": "pin", "when": {"query": "lampe"},
             "target": {"products": ["prd_lamp33"]}, "position": 2},
            {"id": "gone", "kind": "hide", "target": {"products": ["prd_book64"]}},
        ]
    )  # fmt: skip
    assert ids(client, q="lampe de bureau")[1] == "prd_lamp33"
    assert set(ids(client, q="nordlys book")) == {"prd_book128", "prd_book256"}
    assert set(ids(client, q="nordlys book", sort="price_asc")) == {"prd_book128", "prd_book256"}
    assert "prd_lamp33" not in ids(client, q="lampe de bureau", sort="price_desc")[:2]


def test_a_redirect_leads_once_and_is_told_to_programs(opened: Opened) -> None:
    rule = {"kind": "redirect", "when": {"match": "exact", "query": "lampe"}}
    back = {"kind": "redirect", "when": {"match": "exact", "query": "lampes"}}
    client = opened(
        rules=[
            {"id": "a", "url": "/search?q=lampes", **rule},
            {"id": "b", "url": "/search?q=lampe", **back},
        ]
    )
    led = client.get("/search?q=lampe")
    assert (led.status_code, led.headers["location"]) == (303, "/search?q=lampes&stay=1")
    assert client.get(led.headers["location"]).status_code == 200
    assert client.get("/v1/search?q=lampe").json()["redirect"] == "/search?q=lampes"
    assert client.get("/v1/search?q=lampe+de+bureau").json()["redirect"] is None


PLACE = {
    "id": "ad", "shown_in": "results", "merchant_id": "darti", "paid_by": "Darti & Cie",
    "products": ["prd_monitor"], "when": {"query": "lampe"},
}  # fmt: skip


MARKS = {"fr": "Annonce", "de": "Anzeige", "en": "Sponsored"}


def test_a_paid_product_is_marked_everywhere(opened: Opened) -> None:
    client = opened(paid={"allowed": True, "placements": [PLACE]})
    for language, mark in MARKS.items():
        body = client.get("/v1/search", params={"q": "lampe", "lang": language}).json()
        first, second = body["products"][:2]
        assert (first["id"], first["sponsored"]) == ("prd_monitor", True)
        assert first["sponsored_by"] == "Darti & Cie"
        assert (second["sponsored"], second["sponsored_by"]) == (False, None)
        assert body["notice"]["paid"] is True
        assert mark in body["notice"]["text"]
        page = client.get("/search", params={"q": "lampe", "lang": language}).text
        card = page.partition("/product/prd_monitor")[0].rpartition("<article")[2]
        assert f"<strong>{mark}</strong>" in card
        assert "Darti &amp; Cie" in card


def test_a_paid_product_is_marked_for_instantsearch(opened: Opened) -> None:
    client = opened(paid={"allowed": True, "placements": [PLACE]})
    asked = {"requests": [{"indexName": "products", "params": "query=lampe"}]}
    answered = client.post("/v1/instantsearch", json=asked)
    assert answered.status_code == 200, answered.text
    hits = answered.json()["results"][0]["hits"]
    assert [hit["sponsored"] for hit in hits[:2]] == [True, False]


def test_a_paid_offer_is_marked_on_the_page_and_in_the_answer(opened: Opened) -> None:
    place = {**PLACE, "shown_in": "offers", "merchant_id": "elektrohaus", "products": []}
    client = opened(paid={"allowed": True, "placements": [place]})
    offers = client.get("/v1/products/prd_book64?lang=en").json()["offers"]
    assert [(row["merchant_id"], row["sponsored"]) for row in offers] == [
        ("elektrohaus", True), ("darti", False), ("voltina", False),
    ]  # fmt: skip
    page = client.get("/product/prd_book64?lang=en").text
    assert page.count("<strong>Sponsored</strong>") == 2, "beside the first offer and in the table"


def test_without_the_policy_nobody_has_a_paid_place(opened: Opened) -> None:
    client = opened(paid={"allowed": False, "placements": [PLACE]})
    body = client.get("/v1/search", params={"q": "lampe"}).json()
    assert not any(row["sponsored"] for row in body["products"])
    assert "prd_monitor" not in [row["id"] for row in body["products"]]


words = st.sampled_from(
    ["sponsored", "marked", "mark", "label", "hidden", "unmarked", "disclosure", "show_mark"]
)
values = st.sampled_from([False, None, "", 0, "none"])


@settings(max_examples=40)
@given(st.lists(st.sampled_from(["", "paid", "paid.placements", "offer_weights"])), words, values)
def test_no_setting_takes_the_mark_away(
    brand: Brand, paths: list[str], name: str, value: object
) -> None:
    """A document with any such key is refused; one without it marks what is paid."""
    place: dict[str, Any] = {**PLACE, "shown_in": "offers", "products": []}
    table: dict[str, Any] = {"paid": {"allowed": True, "placements": [place]}, "offer_weights": {}}
    for path in paths:
        target = {"": table, "paid": table["paid"], "paid.placements": place}.get(path)
        (table["offer_weights"] if target is None else target)[name] = value
    if paths:
        with pytest.raises(DomainError, match="ranking document"):
            ranking_document(table)
        return
    profile = ranked(brand, ranking_document(table)).ranking_profile("fr")
    shown = next(row for row in products() if row.product_id == "prd_book64")
    cards = offer_cards(shown, shown.offers, profile, "fr", NOW)
    assert [card.sponsored for card in cards] == [True, False, False]
    assert cards[0].sponsored_by == "Darti & Cie"


def test_the_page_of_the_ranking_follows_the_document(opened: Opened) -> None:
    plain, changed = opened(), opened(product_weights={"vector": 0.9})
    before, after = (client.get("/legal/ranking?lang=en").text for client in (plain, changed))
    assert "Version 5" in before
    assert "closeness in meaning" in after
    assert before != after
    short = [
        client.get("/v1/search?q=lampe&lang=en").json()["notice"]["text"]
        for client in (plain, changed)
    ]
    assert short[0] != short[1]
    assert short[1] in changed.get("/search?q=lampe&lang=en").text.replace("&amp;", "&")


def test_an_explanation_names_the_parts_and_the_rules(opened: Opened) -> None:
    client = opened(
        rules=[
            {"id": "up", "kind": "boost", "weight": 0.5, "target": {"products": ["prd_lamp40"]}},
            {"id": "top", "kind": "pin", "target": {"products": ["prd_monitor"]}},
        ]
    )
    body = client.post("/v1/search", json={"q": "lampe de bureau", "explain": True}).json()
    whys = {row["product_id"]: row for row in body["explain"]}
    assert [row["id"] for row in body["products"][:2]] == ["prd_monitor", "prd_lamp40"]
    assert whys["prd_monitor"]["pinned_by"] == "top"
    assert whys["prd_lamp40"]["parts"]["rule up"] == 0.5
    assert {"text", "meaning", "in_stock", "offers"} <= whys["prd_lamp40"]["parts"].keys()
    assert whys["prd_lamp40"]["clauses"]
