"""The shop's reading over HTTP: pages and JSON on a real index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.testclient import TestClient

import tenants
from indexer.document import ProductDocument
from indexer.embed_text import embed_text
from indexer.embedded import EmbeddedEngine
from indexer.engine import SearchRequest, SearchResult, Upsert
from kernel.embedding.encoder import Encoder, load_encoder
from kernel.errors import DomainError
from search_api.routes import build_router
from tenants.brand import Brand, brand_from, read_brand_file
from tenants.pages.rendering import page_environment
from tests.indexer.documents import document, offer

LAPTOP, MONITOR, WASHER = 328, 305, 2549


def products() -> list[ProductDocument]:
    """A small shop: laptops in three sizes, monitors, and enough lamps for pages."""
    rows = [
        document(
            f"prd_book{size}",
            f"Nordlys Book 14 {size} GB",
            category=LAPTOP,
            manufacturer="Nordlys",
            mpns=(f"NB14-{size}",),
            attributes={"capacity": f"{size} GB", "colour": "silver"},
            variant_groups=("grp_book",),
            offers=(
                offer("darti", 90_000 + size, offer_id=f"off_d{size}"),
                offer("voltina", 85_000 + size, offer_id=f"off_v{size}", condition="used"),
                offer("elektrohaus", None, offer_id=f"off_e{size}"),
            ),
        )
        for size in (64, 128, 256)
    ]
    rows.append(
        document(
            "prd_monitor",
            "Écran Ampère 27 pouces",
            language="fr",
            category=MONITOR,
            manufacturer="Ampère",
            total=19_900,
        )
    )
    rows += [
        document(
            f"prd_lamp{n:02}", f"Lampe de bureau {n}", language="fr", category=None,
            offers=(offer("darti", 1_000 + 10 * n, offer_id=f"off_l{n}"),),
        )
        for n in range(60)
    ]  # fmt: skip
    return rows


class AsBrand(BaseHTTPMiddleware):
    """What the gate of the shop does, for one brand; `?lang=` chooses the language."""

    def __init__(self, app: Any, brand: Brand) -> None:
        super().__init__(app)
        self.brand = brand

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        request.state.brand = self.brand
        request.state.language = request.query_params.get("lang", "fr")
        request.state.scheme = "auto"
        return await call_next(request)


@pytest.fixture(scope="module")
def brand() -> Brand:
    folder = Path(tenants.__file__).parent / "bundled"
    return brand_from(read_brand_file(folder / "mirabelle.toml")[0])


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


def application(engine: EmbeddedEngine, encoder: Encoder, brand: Brand) -> FastAPI:
    app = FastAPI()
    app.state.pages = page_environment(["search_api.pages"])
    moved = {"prd_old": "prd_monitor", "prd_lost": "prd_nowhere"}
    app.include_router(build_router(engine, encoder, current_id=moved.get))
    app.add_middleware(AsBrand, brand=brand)
    return app


@pytest.fixture(scope="module")
def client(
    tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, brand: Brand
) -> Iterator[TestClient]:
    engine = EmbeddedEngine(tmp_path_factory.mktemp("search"))
    index = engine.create(brand.id, model_id=encoder.model_id, dimensions=encoder.dimensions)
    rows = products()
    vectors = encoder.encode([embed_text(row, "fr") for row in rows])
    engine.write(index, [Upsert(row, vector, 1) for row, vector in zip(rows, vectors, strict=True)])
    engine.publish(brand.id, index)
    with TestClient(application(engine, encoder, brand), follow_redirects=False) as opened:
        yield opened


def search(client: TestClient, **params: Any) -> dict[str, Any]:
    answer = client.get("/v1/search", params=params)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def test_a_search_is_answered_whole(client: TestClient) -> None:
    """Products, counts, chips, orders, disclosure; totals with delivery."""
    answer = search(client, q="nordlys book", lang="en")
    assert {row["id"] for row in answer["products"]} == {
        "prd_book64", "prd_book128", "prd_book256",
    }  # fmt: skip
    assert answer["total"] == 3
    assert (answer["page"], answer["pages"]) == (1, 1)
    assert answer["relaxation"] is None
    first = next(row for row in answer["products"] if row["id"] == "prd_book64")
    assert first["from_total"] == {"minor": 85_064, "currency": "EUR"}
    assert first["best_offer"]["merchant_id"] == "darti"
    assert (first["offer_count"], first["merchant_count"]) == (3, 3)
    facets = {facet["name"]: facet["values"] for facet in answer["facets"]}
    assert [(row["value"], row["label"]) for row in facets["manufacturer"]] == [
        ("nordlys", "Nordlys")
    ]
    assert [row["value"] for row in facets["category"]] == ["222-electronics", "328-laptops"]
    assert facets["category"][1]["parent"] == "222-electronics"
    assert {row["label"] for row in facets["merchant"]} == {"Darti & Cie", "Voltina", "Elektrohaus"}
    assert sum(bar["count"] for bar in answer["price"]["bars"]) == 3
    assert "Default order: relevance" in answer["notice"]["text"]
    assert answer["notice"]["merchant_count"] == 3
    assert [row["value"] for row in answer["sorts"] if row["selected"]] == ["relevance"]
    assert answer["chips"][0] == {
        "kind": "q", "label": "nordlys book", "url": "/search", "low": None, "high": None,
    }  # fmt: skip


def test_facets_narrow_and_their_links_work(client: TestClient) -> None:
    """Each value's address gives as many products as its count said."""
    answer = search(client, lang="fr")
    for facet in answer["facets"]:
        for value in facet["values"]:
            narrowed = client.get(value["url"].replace("/search", "/v1/search", 1)).json()
            assert narrowed["total"] == value["count"], value
            selected = next(row for row in narrowed["facets"] if row["name"] == facet["name"])
            chosen = next(row for row in selected["values"] if row["value"] == value["value"])
            assert chosen["selected"]
            back = client.get(chosen["url"].replace("/search", "/v1/search", 1)).json()
            assert back["total"] == answer["total"]
    for bar in answer["price"]["bars"]:
        narrowed = client.get(bar["url"].replace("/search", "/v1/search", 1)).json()
        assert narrowed["total"] == bar["count"]


def test_orders_and_pages(client: TestClient) -> None:
    """Pages follow each other without overlap, in every order."""
    for sort in ("relevance", "price_asc", "price_desc", "newest"):
        seen: list[str] = []
        for page in (1, 2, 3):
            answer = search(client, q="lampe", sort=sort, page=page)
            assert answer["pages"] == 3
            seen += [row["id"] for row in answer["products"]]
        assert len(seen) == len(set(seen)) == 60
        if sort.startswith("price"):
            assert seen == sorted(seen, reverse=sort == "price_desc")


def test_a_page_beyond_the_last_is_the_last(client: TestClient) -> None:
    """And says so."""
    answer = search(client, q="lampe", page=30)
    assert answer["page"] == 3
    assert answer["ignored"] == ["page"]
    assert len(answer["products"]) == 12


def test_the_ladder(client: TestClient) -> None:
    """All words, half of them, near in meaning, popular: each step says its name."""
    half = search(client, q="ampère zzzqqq")
    assert half["relaxation"]["step"] == "half_of_words"
    assert half["relaxation"]["matched_all"] == 0
    assert [row["id"] for row in half["products"]] == ["prd_monitor"]

    added = search(client, q="lampe 7")
    assert added["relaxation"]["step"] == "half_of_words"
    assert added["relaxation"]["matched_all"] >= 1
    assert added["products"][0]["id"] == "prd_lamp07"

    nothing = search(client, q="xqzvw")
    assert nothing["relaxation"]["step"] in {"similar", "popular_in_category", "popular"}
    assert nothing["relaxation"]["original_query"] == "xqzvw"
    assert nothing["products"]


def test_meaning_finds_what_no_word_does(client: TestClient) -> None:
    """A Spanish word reaches laptops by their vectors alone."""
    answer = search(client, q="portátil")
    assert answer["relaxation"]["step"] in {"similar", "popular_in_category"}
    assert answer["products"][0]["id"].startswith("prd_book")


def test_filters_that_exclude_everything_are_shown_not_relaxed(client: TestClient) -> None:
    """The words are there: it is for the reader to take a filter off."""
    answer = search(client, q="nordlys book", price_max="1")
    assert answer["products"] == []
    assert answer["relaxation"] is None
    assert answer["clear_url"] == "/search?q=nordlys+book"
    assert any(chip["kind"] == "price" for chip in answer["chips"])


@pytest.mark.parametrize(
    "query",
    [
        "q[]=x", "page=abc", "page=-3", "page=999999999999", "category=nope", "category=999999",
        "manufacturer=nobody", "merchant=%00", "availability=x", "price_min=abc&price_max=%FF",
        "price_min=500&price_max=1", "sort=;drop", "q=%00%01%1b", "q=%ff%fe", "q=" + "x" * 10_000,
        "q=" + "mot+" * 2_500, "q=%22%28AND+OR", "q=a&q=b", "&&&==", "q=%F0%9F%98%80",
        "manufacturer=" + "&manufacturer=".join(str(n) for n in range(500)), "q=*", "q=-", "q=~1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/search", "/search"])
def test_odd_addresses_are_answered(client: TestClient, path: str, query: str) -> None:
    """Never an error: what cannot be read is left out and named."""
    assert client.get(f"{path}?{query}").status_code == 200


@pytest.mark.parametrize("language", ["fr", "de", "en"])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/search",
        "/search?q=nordlys&price_min=10&category=328&page=9",
        "/search?q=xqzvw",
        "/search?q=nordlys&price_max=1",
        "/product/prd_book64",
        "/product/prd_lamp01",
    ],
)
def test_pages_are_drawn(client: TestClient, path: str, language: str) -> None:
    """Every page in every language."""
    joint = "&" if "?" in path else "?"
    answer = client.get(f"{path}{joint}lang={language}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert f'<html lang="{language}"' in answer.text


def test_what_is_typed_is_escaped(client: TestClient) -> None:
    """A query is text, never markup."""
    page = client.get("/search", params={"q": "<script>alert(1)</script>"}).text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;" in page


def test_a_product_with_its_offers(client: TestClient) -> None:
    """Offers in the brand's order, each with its reasons; siblings by what differs."""
    page = client.get("/v1/products/prd_book64", params={"lang": "en"}).json()
    assert [row["merchant_id"] for row in page["offers"]] == ["darti", "elektrohaus", "voltina"]
    assert [row["position"] for row in page["offers"]] == [1, 2, 3]
    assert page["offers"][0]["reasons"] == ["In stock", "Lowest total price"]
    assert page["offers"][1]["total"] is None
    assert "Offers by total price" in page["offers_order"]
    assert page["to_total"] == {"minor": 90_064, "currency": "EUR"}
    assert [row["id"] for row in page["variants"]] == ["prd_book64", "prd_book128", "prd_book256"]
    assert page["variants"][0]["selected"]
    assert page["variants"][1]["differs"] == [{"key": "capacity", "value": "128 GB"}]
    assert [crumb["category_id"] for crumb in page["crumbs"]] == [222, LAPTOP]
    alone = client.get("/v1/products/prd_lamp01").json()
    assert alone["variants"] == []


def test_a_product_without_an_offer_left_keeps_its_page(
    tmp_path: Path, encoder: Encoder, brand: Brand
) -> None:
    """Offers that have expired since are not shown."""
    engine = EmbeddedEngine(tmp_path)
    index = engine.create(brand.id, model_id=encoder.model_id, dimensions=encoder.dimensions)
    old = offer("darti", 1_000, expires_at="2026-01-01T00:00:00+00:00")
    row = document("prd_a", "Lampe", language="fr", offers=(old,))
    engine.write(index, [Upsert(row, encoder.encode_one("Lampe"), 1)])
    engine.publish(brand.id, index)
    client = TestClient(application(engine, encoder, brand))
    page = client.get("/v1/products/prd_a").json()
    assert page["offers"] == []
    assert page["availability"] == "out_of_stock"
    assert client.get("/product/prd_a").status_code == 200


def test_merged_products_lead_on(client: TestClient) -> None:
    """A permanent redirect for people, the product itself for programs."""
    answer = client.get("/product/prd_old?lang=de")
    assert answer.status_code == 308
    assert answer.headers["location"] == "/product/prd_monitor?lang=de"
    assert client.get("/v1/products/prd_old").json()["id"] == "prd_monitor"


@pytest.mark.parametrize("product_id", ["prd_none", "prd_lost", "a" * 5_000, "%00", "é"])
def test_unknown_products(client: TestClient, product_id: str) -> None:
    """404: a page for people, problem+json for programs."""
    page = client.get(f"/product/{product_id}")
    assert page.status_code == 404
    answer = client.get(f"/v1/products/{product_id}")
    assert answer.status_code == 404
    if answer.headers["content-type"] == "application/problem+json":
        assert answer.json()["code"] == "product_unknown"


def test_a_missing_index_says_so(tmp_path: Path, encoder: Encoder, brand: Brand) -> None:
    """503: the plain page with the brand's telephone number, or problem+json."""
    client = TestClient(application(EmbeddedEngine(tmp_path), encoder, brand))
    page = client.get("/search?q=lampe")
    assert page.status_code == 503
    assert brand.contact.phone in page.text
    answer = client.get("/v1/search?q=lampe")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "index_missing"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", "La recherche ne répond pas"),
        ("de", "Die Suche antwortet"),
        ("en", "The search does not answer"),
    ],
)
def test_an_engine_that_is_away_is_named(
    tmp_path: Path,
    encoder: Encoder,
    brand: Brand,
    language: str,
    said: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """503 and what still works, not `something went wrong`."""

    class Away(EmbeddedEngine):
        def search(self, brand_id: str, request: SearchRequest) -> SearchResult:
            said = "The search engine is not available: it refused our key."
            raise DomainError("search_unavailable", said, hint="ELASTICSEARCH_API_KEY", status=503)

    client = TestClient(application(Away(tmp_path), encoder, brand))
    page = client.get(f"/search?q=lampe&lang={language}")
    assert page.status_code == 503
    assert said in page.text
    assert brand.contact.phone in page.text
    # What is wrong with our machines is no stranger's to read; the operator's log has it.
    for told in (page, client.get("/v1/search?q=lampe"), client.post("/v1/search", json={})):
        assert told.status_code == 503
        assert "key" not in told.text.lower().replace("keyboard", "")
    assert "it refused our key" in caplog.text
