"""What search engines are told: robots, sitemaps, one address a page, what is true of a product."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx2
import pytest

from indexer.embedded import EmbeddedEngine
from kernel.errors import NotFound
from kernel.money import Money
from search_api.answer import ProductPage
from search_api.crawler_routes import kept_address
from search_api.overview import Overviews
from search_api.query import read_query
from search_api.renewed import Renewed
from search_api.sitemap import Sitemaps, SitemapUnfinished
from search_api.structured_data import product_data
from tests.browser.sample_brands import brand as sample_brand
from tests.browser.samples_of_search import product as sample_product
from tests.indexer.documents import DIMENSIONS, document, upsert
from tests.search_api.real_shop import FRENCH, GERMAN, SECRET, RealShop

SPACE = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}


@pytest.fixture
def client(shop: RealShop) -> Iterator[httpx2.Client]:
    with shop.client() as opened:
        yield opened


def locations(xml: str) -> list[str]:
    return [row.text or "" for row in ElementTree.fromstring(xml).iterfind(".//s:loc", SPACE)]


def origin(shop: RealShop, host: str) -> str:
    return f"http://{host}:{shop.port}"


def headed(shop: RealShop, host: str) -> httpx2.Client:
    """As browsers ask: the host with its port."""
    return shop.client(f"{host}:{shop.port}")


def test_robots_name_the_brands_own_sitemap(shop: RealShop) -> None:
    for host in (FRENCH, GERMAN):
        with headed(shop, host) as client:
            answer = client.get("/robots.txt")
            assert answer.headers["content-type"].startswith("text/plain")
            assert f"Sitemap: {origin(shop, host)}/sitemap.xml\n" in answer.text
            for path in ("/basket", "/checkout", "/compare", "/order", "/pay", "/v1/"):
                assert f"Disallow: {path}\n" in answer.text
            assert "Disallow: /product" not in answer.text


def test_a_sitemap_has_every_product_of_its_brand_and_no_other(shop: RealShop) -> None:
    seen = {}
    for host in (FRENCH, GERMAN):
        with headed(shop, host) as client:
            pages = locations(client.get("/sitemap.xml").text)
            paths = [page.removeprefix(origin(shop, host)) for page in pages]
            found = [each for path in paths for each in locations(client.get(path).text)]
            assert len(found) == len(set(found))
            assert all(each.startswith(origin(shop, host)) for each in found)
            last = found[-1].removeprefix(origin(shop, host))
            assert client.get(last).status_code == 200
            seen[host] = {each.rpartition("/")[2] for each in found if "/product/" in each}
            assert f"{origin(shop, host)}/" in found
            assert any("category=" in each for each in found)
    assert len(seen[FRENCH]) == 64
    assert seen[GERMAN] == {f"prd_de{n:02}" for n in range(12)}


@pytest.mark.parametrize(
    ("path", "status"),
    [("/sitemaps/0.xml", 200), ("/sitemaps/99.xml", 404), ("/sitemaps/-1.xml", 404),
     ("/sitemaps/x.xml", 404), ("/sitemaps/9999999999999999999999.xml", 404)],
)  # fmt: skip
def test_pages_that_are_not_there(client: httpx2.Client, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert SECRET not in answer.text


def test_a_large_catalogue_has_many_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    brand = sample_brand("mirabelle")
    engine = EmbeddedEngine(tmp_path)
    index = engine.create(brand.id, model_id="m", dimensions=DIMENSIONS)
    names = {f"prd_{n}" for n in range(95)}
    engine.write(index, [upsert(document(name, "lamp")) for name in names])
    engine.publish(brand.id, index)
    sitemaps = Sitemaps(engine, Overviews(engine), per_page=30)
    assert len(locations(sitemaps.index(brand, "https://a.example"))) == 5
    pages = [locations(sitemaps.page(brand, n, "https://a.example")) for n in range(1, 5)]
    assert [len(page) for page in pages] == [30, 30, 30, 5]
    assert {each.rpartition("/")[2] for page in pages for each in page} == names
    with pytest.raises(NotFound):
        sitemaps.page(brand, 5, "https://a.example")
    # Nobody waits for a walk through millions.
    monkeypatch.setattr("search_api.sitemap.FOUND_AT_ONCE", 10)
    monkeypatch.setattr(Renewed, "renew", lambda *_: None)
    with pytest.raises(SitemapUnfinished) as refused:
        Sitemaps(engine, Overviews(engine)).index(brand, "https://a.example")
    assert refused.value.status == 503
    assert refused.value.retry_after_s


def head(client: httpx2.Client, path: str) -> dict[str, str]:
    page = client.get(path).text.partition("</head>")[0]
    found = dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)"', page))
    canonical = re.search(r'rel="canonical" href="([^"]+)"', page)
    return found | ({"canonical": canonical[1]} if canonical else {})


def test_every_page_has_one_address_or_may_not_be_kept(shop: RealShop) -> None:
    here = origin(shop, FRENCH)
    with headed(shop, FRENCH) as client:
        for path, kept in (
            ("/?lang=fr", "/"),
            ("/product/prd_book64?from=x", "/product/prd_book64"),
            ("/product/prd_book64?lang=de", "/product/prd_book64?lang=de"),
            ("/search?lang=fr", "/search"),
            ("/search?category=328", "/search?category=328-ordinateurs-portables"),
        ):
            client.cookies.clear()
            found = head(client, path)
            assert found.get("canonical") == here + kept, path
            assert "robots" not in found
        for path in ("/search?q=lampe", "/search?category=328&merchant=darti", "/not-here",
                     "/search?sort=newest", "/search?category=328&category=305", "/terms",
                     "/compare?p=prd_book64", "/search?price_min=5", "/basket"):  # fmt: skip
            found = head(client, path)
            assert found.get("robots") == "noindex", path
            assert "canonical" not in found


def test_a_page_of_a_category_is_kept_under_its_own_number() -> None:
    brand = sample_brand("mirabelle")
    query = read_query([("category", "328"), ("page", "2")], brand.currency)
    assert kept_address(query, brand) == "/search?category=328-ordinateurs-portables&page=2"


def data_of(page: ProductPage) -> dict[str, Any]:
    return product_data(page, "https://a.example")[0]


def test_the_data_of_a_product_is_what_the_page_says() -> None:
    page = sample_product("fr")
    said = data_of(page)
    assert said["offers"] == {
        "@type": "AggregateOffer",
        "priceCurrency": "EUR",
        # Of offers that can be bought, without delivery.
        "lowPrice": "189.00",
        "highPrice": "365.00",
        "offerCount": 5,
        "availability": "https://schema.org/InStock",
    }
    assert (said["gtin"], said["mpn"]) == ("09520000000011", "AUR-N5-128B")
    assert said["url"] == "https://a.example/product/prd_0"
    assert said["image"].startswith("https://a.example/drawings/")


def test_no_offer_is_claimed_that_cannot_be_bought() -> None:
    page = sample_product("fr", 0)
    assert "offers" not in data_of(page)
    gone = [replace(each, availability="out_of_stock") for each in sample_product("fr").offers]
    assert "offers" not in data_of(replace(page, offers=tuple(gone)))
    unsure = replace(gone[0], availability="unknown", price=Money(100, "EUR"))
    assert "availability" not in data_of(replace(page, offers=(unsure,)))["offers"]


def test_the_data_of_a_page_can_be_read_and_starts_nothing(client: httpx2.Client) -> None:
    page = client.get("/product/prd_book64?lang=en").text
    texts = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    product, crumbs = [json.loads(text) for text in texts]
    assert product["name"] == "Nordlys Book 14 64 GB"
    assert product["offers"]["offerCount"] == 2
    assert [row["position"] for row in crumbs["itemListElement"]] == [1, 2, 3]
