"""The merchants' sites: feeds with validators, pages behind every link, honest faults, switches."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from lxml import etree, html
from starlette.testclient import TestClient

from comptoir.demo_market import Market, generate
from comptoir.merchant_sites import create_app
from comptoir.merchant_sites.atelier_boreal import FORBIDDEN, GONE, SOFT_404, is_grouped, odd_pages
from crawlers.json_ld_offers import read_offers
from mdm.raw_offer import RawOffer, Refusal

FEEDS = ["/lumiporte/feed.xml.gz", "/werkkontor/export.csv"]


@pytest.fixture(scope="module")
def market() -> Market:
    return generate()


@pytest.fixture
def sites(market: Market) -> Iterator[TestClient]:
    with TestClient(create_app(market)) as client:
        yield client


def locations(xml: bytes) -> list[str]:
    return [str(node.text) for node in etree.fromstring(xml).iter("{*}loc")]


@pytest.mark.parametrize("path", FEEDS)
def test_a_feed_is_not_sent_twice(sites: TestClient, path: str) -> None:
    first = sites.get(path)
    assert first.status_code == 200
    by_tag = sites.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (by_tag.status_code, by_tag.content) == (304, b"")
    since = {"if-modified-since": first.headers["last-modified"]}
    assert sites.get(path, headers=since).status_code == 304
    both = {**since, "if-none-match": '"another"'}
    assert sites.get(path, headers=both).status_code == 200
    assert sites.get(path, headers={"if-modified-since": "yesterday"}).status_code == 200


@pytest.mark.parametrize("merchant", ["lumiporte", "werkkontor", "atelier-boreal"])
def test_a_changed_price_shows_everywhere(sites: TestClient, market: Market, merchant: str) -> None:
    offer = next(each for each in market.offers_of(merchant) if not is_grouped(each))
    feed = {"lumiporte": FEEDS[0], "werkkontor": FEEDS[1]}.get(
        merchant, "/atelier-boreal/sitemap.xml"
    )
    before = sites.get(feed)
    answer = sites.post(f"/{merchant}/test/price", json={"sku": offer.sku, "price_minor": 777_77})
    assert answer.status_code == 200
    assert "777,77" in sites.get(offer.page).text
    since = {"if-modified-since": before.headers["last-modified"]}
    after = sites.get(feed, headers=since)
    assert after.status_code == 200
    assert after.headers["last-modified"] != before.headers["last-modified"]
    if merchant == "lumiporte":
        assert b"777.77 EUR" in gzip.decompress(after.content)
    if merchant == "werkkontor":
        assert b"777,77" in after.content


@pytest.mark.parametrize(
    ("merchant", "body", "status"),
    [
        ("lumiporte", {"sku": "no such", "price_minor": 100}, 404),
        ("lumiporte", {"sku": 5, "price_minor": 100}, 422),
        ("lumiporte", {"sku": "a", "price_minor": "100"}, 422),
        ("lumiporte", {"sku": "a", "price_minor": True}, 422),
        ("lumiporte", {"sku": "a", "price_minor": 0}, 422),
        ("lumiporte", ["sku"], 422),
        ("lumiporte", {"sku": "a" * 5_000, "price_minor": 1}, 413),
        ("nobody", {"sku": "a", "price_minor": 1}, 404),
    ],
)
def test_a_wrong_price_change_is_refused(
    sites: TestClient, merchant: str, body: object, status: int
) -> None:
    assert sites.post(f"/{merchant}/test/price", json=body).status_code == status


def test_an_outage_comes_when_asked_for(sites: TestClient) -> None:
    asked = sites.get(FEEDS[0], params={"outage": "1"})
    assert (asked.status_code, asked.headers["retry-after"]) == (503, "1")
    assert sites.post("/werkkontor/test/outage", json={"every": 2}).status_code == 200
    assert [sites.get(FEEDS[1]).status_code for _ in range(4)] == [200, 503, 200, 503]
    assert sites.get(FEEDS[0]).status_code == 200
    sites.post("/werkkontor/test/outage", json={"every": 0})
    assert {sites.get(FEEDS[1]).status_code for _ in range(3)} == {200}


def test_every_offer_has_a_page_and_a_picture(sites: TestClient, market: Market) -> None:
    pictures = set()
    for offer in market.offers:
        if offer.merchant == "maison-oscar":
            continue
        page = sites.get(offer.page)
        assert page.status_code == 200, offer.page
        assert html.fromstring(page.text).find(".//h1").text == offer.title
        pictures.add(offer.picture)
    for path in pictures:
        picture = sites.get(path)
        assert picture.headers["content-type"] == "image/svg+xml"
        etree.fromstring(picture.content)
    assert sites.get("/pictures/187-tartan.svg").status_code == 404
    assert sites.get("/pictures/1-red.svg").status_code == 404


def test_three_merchants_have_three_looks(sites: TestClient) -> None:
    pages = [sites.get(f"/{name}/").text for name in ("lumiporte", "werkkontor", "atelier-boreal")]
    styles = {html.fromstring(page).find(".//style").text for page in pages}
    assert len(styles) == 3
    assert sites.get("/maison-oscar/").status_code == 404


def test_categories_are_paged(sites: TestClient, market: Market) -> None:
    shoes = [offer.sku for offer in market.offers_of("atelier-boreal") if offer.category == 187]
    seen: list[str] = []
    path: str | None = "/atelier-boreal/de/c/187"
    while path:
        page = html.fromstring(sites.get(path).text)
        seen += [str(link).rsplit("/", 1)[1] for link in page.xpath("//ul//a/@href")]
        path = next(iter(page.xpath("//a[@rel='next']/@href")), None)
    assert seen == shoes
    for wrong in ("0", "99", "x", "²"):
        assert sites.get("/atelier-boreal/de/c/187", params={"page": wrong}).status_code == 404


def test_the_sitemap_leads_to_every_article_and_lies_three_times(
    sites: TestClient, market: Market
) -> None:
    assert "Sitemap: http://testserver/atelier-boreal/sitemap.xml" in sites.get("/robots.txt").text
    maps = locations(sites.get("/atelier-boreal/sitemap.xml").content)
    assert len(maps) == 2
    pages = [url for each in maps for url in locations(sites.get(each).content)]
    assert len(pages) == len(set(pages))
    found: dict[str, RawOffer] = {}
    refused: list[str] = []
    statuses = {}
    for url in pages:
        answer = sites.get(url)
        statuses[url.removeprefix("http://testserver")] = answer.status_code
        if answer.status_code != 200:
            continue
        for record in read_offers(answer.text, url):
            if isinstance(record, RawOffer):
                assert record.sku not in found
                found[record.sku] = record
            elif isinstance(record, Refusal):
                refused.append(url.rsplit("/", 1)[1])
    odd = odd_pages(market)
    assert statuses[f"/atelier-boreal/fr/p/{GONE}"] == 410
    assert statuses[f"/atelier-boreal/fr/p/{SOFT_404}"] == 200
    assert statuses[FORBIDDEN] == 404
    assert set(refused) == {"", odd.without_markup, SOFT_404}
    offers = {offer.sku: offer for offer in market.offers_of("atelier-boreal")}
    assert set(offers) - set(found) == {odd.without_markup}
    for sku, record in found.items():
        assert (record.title, record.language) == (offers[sku].title, offers[sku].language)
        digits = "".join(sign for sign in record.price or "" if sign.isdigit())
        assert int(digits) == offers[sku].price_minor
    price = found[odd.comma_price].price or ""
    assert "." in price
    assert price[-3] == ","


def test_both_languages_show_the_article_and_one_carries_the_markup(
    sites: TestClient, market: Market
) -> None:
    offer = market.offers_of("atelier-boreal")[5]
    other = "de" if offer.language == "fr" else "fr"
    page = sites.get(f"/atelier-boreal/{other}/p/{offer.sku}")
    assert page.status_code == 200
    assert "ld+json" not in page.text
    assert f'<link rel="canonical" href="http://testserver{offer.page}">' in page.text
    for path in ("/atelier-boreal/xx/", "/atelier-boreal/fr/p/nothing", "/atelier-boreal/fr/g/G0"):
        assert sites.get(path).status_code == 404
