"""The demo market: the same bytes every time, true numbers, and every awkward case in its place."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from comptoir.demo_market import Market, MarketOffer, generate, merchants, oscar_catalogue
from comptoir.demo_market.feeds import google_feed, spreadsheet_export
from comptoir.demo_market.generate import write
from comptoir.demo_market.phrases import fact_text, value_text
from comptoir.demo_market.sheets import families
from crawlers.feed_options import FeedOptions
from crawlers.formats import csv_mapping
from kernel.categories import categories
from kernel.gtin import read_gtin
from kernel.offer_terms import Execution
from kernel.pictures import COLOURS
from mdm.raw_offer import RawOffer

BASE = "http://127.0.0.1:8001"


@pytest.fixture(scope="module")
def market() -> Market:
    return generate()


def offers_by_product(market: Market) -> dict[str, list[MarketOffer]]:
    found: dict[str, list[MarketOffer]] = defaultdict(list)
    for offer in market.offers:
        found[offer.product_id].append(offer)
    return found


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    first = write(generate(7), tmp_path / "a", BASE)
    second = write(generate(7), tmp_path / "b", BASE)
    assert len(first) == 4
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    other = write(generate(8), tmp_path / "c", BASE)
    assert other[1].read_bytes() != first[1].read_bytes()


def test_about_four_hundred_products_and_twelve_hundred_offers(market: Market) -> None:
    assert 380 <= len(market.products) <= 420
    assert 1_150 <= len(market.offers) <= 1_350
    assert 60 <= len(families()) <= 80
    assert len(market.offers_of("maison-oscar")) >= 250
    assert {offer.merchant for offer in market.offers} == set(merchants())
    assert set(offers_by_product(market)) == set(market.by_id)


def test_keys_are_unique_and_truth_covers_every_offer(market: Market) -> None:
    assert len(market.by_id) == len(market.products)
    assert len(market.by_key) == len(market.offers)
    truth = market.truth()
    assert len(truth) == len(market.offers)
    per_merchant = Counter((merchant, product) for (merchant, _), product in truth.items())
    assert set(per_merchant.values()) == {1}, "a merchant lists a product once"


def test_products_are_complete_in_three_languages(market: Market) -> None:
    for product in market.products:
        assert product.colour in COLOURS
        assert product.category in categories()
        for language in ("fr", "de", "en"):
            text = product.titles[language] + product.descriptions[language]
            assert len(product.descriptions[language]) > 60
            assert "{" not in text
            assert "  " not in product.titles[language]
    mpns = Counter(p.mpn for p in market.products if p.condition == "new")
    assert max(mpns.values()) == 1


def test_every_number_of_a_product_is_a_valid_gtin_of_the_example_prefix(market: Market) -> None:
    numbered = [product for product in market.products if product.gtins]
    assert len(numbered) > 350
    for product in numbered:
        for number in product.gtins:
            reading = read_gtin(number)
            assert reading.gtin is not None, number
            assert reading.gtin[1:5] == "9521"


def test_gtin_cases_are_present(market: Market) -> None:
    owners: dict[str, set[str]] = defaultdict(set)
    for product in market.products:
        if product.condition == "new":
            for number in product.gtins:
                owners[number].add(product.id)
    shared = [ids for ids in owners.values() if len(ids) > 1]
    assert len(shared) == 3, "one GTIN, two variants"
    twice = [product for product in market.products if len(product.gtins) == 2]
    assert len([product for product in twice if product.condition == "new"]) == 5
    for product in twice:
        if product.condition == "new":
            stated = {o.gtin for o in offers_by_product(market)[product.id] if o.gtin}
            assert {number.zfill(14) for number in stated} == {g.zfill(14) for g in product.gtins}
    cases = [p for p in market.products if any(len(number) == 14 for number in p.gtins)]
    assert {product.gtins[0][0] for product in cases} == {"1"}, "a trade case has an indicator"
    assert any(not product.gtins for product in market.products)


def test_what_merchants_get_wrong_is_present(market: Market) -> None:
    problems = Counter(read_gtin(offer.gtin or "").problem for offer in market.offers)
    assert problems["restricted"] == 3
    assert problems["spreadsheet_damage"] == 3
    assert problems["check_digit"] == 2
    assert 60 < problems["empty"] < 250
    assert any(o.gtin and len(o.gtin) == 14 and o.gtin[0] == "0" for o in market.offers)
    packs = [offer for offer in market.offers if offer.pack > 1]
    singles = {number for p in market.products if p.pack == 1 for number in p.gtins}
    assert [offer for offer in packs if offer.gtin in singles], "a multipack under a single's GTIN"


def test_conditions_packs_and_bundles_are_products_of_their_own(market: Market) -> None:
    refurbished = [product for product in market.products if product.condition == "refurbished"]
    assert len(refurbished) >= 20
    for product in refurbished:
        assert product.new_id is not None
        new = market.by_id[product.new_id]
        assert product.gtins == new.gtins
        assert product.reference_minor < new.reference_minor
    apart, together = market.truth(), market.truth(split_conditions=False)
    assert len(set(apart.values())) - len(set(together.values())) == len(refurbished)
    assert len([product for product in market.products if product.parts]) == 10
    assert {product.pack for product in market.products} == {1, 2, 6}
    groups = Counter(product.variant_group for product in market.products)
    assert len(groups) > 60


def test_prices_spread_as_in_a_market(market: Market) -> None:
    spreads = []
    for offers in offers_by_product(market).values():
        prices = [offer.price_minor for offer in offers]
        assert min(prices) > 0
        if len(prices) > 1:
            spreads.append(Decimal(max(prices)) / Decimal(min(prices)))
    assert max(spreads) < Decimal("1.30")
    assert sum(spread > Decimal("1.03") for spread in spreads) > len(spreads) * 0.9


def test_some_products_have_titles_of_one_language_only(market: Market) -> None:
    languages = [frozenset(o.language for o in rows) for rows in offers_by_product(market).values()]
    assert languages.count(frozenset({"fr"})) > 20
    assert languages.count(frozenset({"de"})) > 20
    assert languages.count(frozenset({"fr", "de"})) > 200
    sold_out = sum(offer.stock == 0 for offer in market.offers)
    assert 0.07 < sold_out / len(market.offers) < 0.16


def test_merchants_word_titles_in_their_own_way(market: Market) -> None:
    same_title = 0
    for rows in offers_by_product(market).values():
        titles = [offer.title for offer in rows]
        same_title += len(titles) != len(set(titles))
    assert same_title < len(market.products) / 10
    german = " ".join(offer.title for offer in market.offers_of("werkkontor"))
    assert "8kg" in german
    assert "8 kg" in german
    assert "WaMa" in german


def test_facts_are_said_in_the_language() -> None:
    assert fact_text("screen_inch", Decimal("6.1"), "fr") == "6,1 pouces"
    assert fact_text("screen_inch", Decimal("6.1"), "de", short=True) == '6,1"'
    assert fact_text("storage_gb", 1024, "fr") == "1 To"
    assert fact_text("energy_class", "A", "de") == "Energieklasse A"
    assert value_text("energy_class", "A", "de") == "A"


def test_merchant_files_say_how_orders_are_executed() -> None:
    known = merchants()
    assert list(known) == ["atelier-boreal", "lumiporte", "maison-oscar", "werkkontor"]
    assert known["maison-oscar"].execution is Execution.EXECUTE
    assert known["maison-oscar"].connector == "oscar"
    assert known["werkkontor"].execution is Execution.EXECUTE
    assert known["werkkontor"].connector == "ucp"
    others = [known["atelier-boreal"], known["lumiporte"]]
    assert {merchant.execution for merchant in others} == {Execution.LINK}
    lumiporte = known["lumiporte"]
    assert lumiporte.delivery_for("small", 4_899) == {"FR": 390, "DE": 890}
    assert lumiporte.delivery_for("small", 4_900) == {"FR": 0, "DE": 890}
    assert lumiporte.delivery_for("bulky", 90_000)["FR"] == 3_990


def test_the_google_feed_says_what_the_offers_are(market: Market) -> None:
    feed = google_feed(market, BASE + "/")
    assert feed[4:8] == b"\0\0\0\0", "a gzip time would make each day's bytes differ"
    items = etree.fromstring(gzip.decompress(feed)).findall("channel/item")
    space = {"g": "http://base.google.com/ns/1.0"}
    offers = market.offers_of("lumiporte")
    assert len(items) == len(offers)
    for item, offer in zip(items, offers, strict=True):
        price = item.findtext("g:sale_price", None, space) or item.findtext("g:price", "", space)
        assert price == f"{offer.price_minor // 100}.{offer.price_minor % 100:02d} EUR"
        assert item.findtext("g:link", "", space) == BASE + offer.page
        assert len(item.findall("g:shipping", space)) == 2
    colours = {item.findtext("g:color", "", space) for item in items}
    assert {"noir", "rouge"} <= colours


def test_the_spreadsheet_is_read_through_the_merchants_own_mapping(market: Market) -> None:
    body = spreadsheet_export(market, BASE)
    rows = list(csv.DictReader(io.StringIO(body.decode("cp1252")), delimiter=";"))
    offers = market.offers_of("werkkontor")
    assert [row["Artikelnr"] for row in rows] == [offer.sku for offer in offers]
    source = merchants()["werkkontor"].source
    options = csv_mapping.options_of(source, "werkkontor", FeedOptions())
    read = list(csv_mapping.read(io.BytesIO(body), options))
    assert len(read) == len(offers)
    for record, offer in zip(read, offers, strict=True):
        assert isinstance(record, RawOffer)
        assert record.title == offer.title
        assert record.price == f"{offer.price_minor // 100},{offer.price_minor % 100:02d}"
        assert record.condition == offer.condition
        assert len(record.delivery) == 2


def test_a_changed_price_reaches_the_feeds(market: Market) -> None:
    offer = market.offers_of("werkkontor")[0]
    body = spreadsheet_export(market, BASE, {offer.key: 123_456}).decode("cp1252")
    assert "1234,56" in body.splitlines()[1]


def test_the_oscar_rows_are_complete(market: Market) -> None:
    rows = list(oscar_catalogue(market))
    assert len(rows) >= 250
    needed = {
        "sku", "gtin", "title", "description", "category", "price_minor", "currency", "stock",
        "language", "manufacturer", "mpn", "delivery",
    }  # fmt: skip
    for row in rows:
        assert needed <= row.keys()
        assert isinstance(row["price_minor"], int)
        assert row["category"].count(" > ") == 1
        assert set(row["delivery"]) == {"FR", "DE"}
    assert {row["language"] for row in rows} == {"fr", "de"}
