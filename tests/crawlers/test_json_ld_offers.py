"""JSON-LD of honest, sloppy and hostile pages: read right, or refused with a reason."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.json_ld_graph import PageLimits
from crawlers.json_ld_offers import read_offers
from mdm.raw_offer import RawDelivery, RawOffer, Refusal

URL = "https://shop.example/p/1"
OFFER: dict[str, Any] = {"@type": "Offer", "price": "19.90", "priceCurrency": "EUR"}
PRODUCT: dict[str, Any] = {
    "@context": "https://schema.org",
    "@type": "Product",
    "sku": "A1",
    "name": "Kettle",
    "offers": OFFER,
}


def page(*blocks: Any, lang: str = "fr") -> str:
    texts = [block if isinstance(block, str) else json.dumps(block) for block in blocks]
    scripts = "".join(f'<script type="application/ld+json">{text}</script>' for text in texts)
    return f'<!doctype html><html lang="{lang}"><head>{scripts}</head><body>x</body></html>'


def one(*blocks: Any) -> RawOffer:
    (record,) = read_offers(page(*blocks), URL)
    assert isinstance(record, RawOffer), record
    return record


def codes(html: str, limits: PageLimits | None = None) -> list[str]:
    return [
        record.code if isinstance(record, Refusal) else "offer"
        for record in read_offers(html, URL, limits)
    ]


def test_a_plain_product() -> None:
    offer = one(
        PRODUCT
        | {
            "brand": {"@type": "Brand", "name": "Brumelle"},
            "gtin13": 9521000000004,
            "mpn": "BRE-17",
            "color": "rouge",
            "image": ["/k.jpg", {"@type": "ImageObject", "contentUrl": "https://x.example/2.jpg"}],
            "additionalProperty": [{"@type": "PropertyValue", "name": "volume_l", "value": 1.7}],
            "isVariantOf": {"@type": "ProductGroup", "productGroupID": "G1"},
            "offers": OFFER
            | {
                "availability": "https://schema.org/InStock",
                "itemCondition": "http://schema.org/NewCondition",
                "inventoryLevel": {"value": 12},
            },
        }
    )
    assert (offer.sku, offer.title, offer.price, offer.currency) == ("A1", "Kettle", "19.90", "EUR")
    assert (offer.decimal, offer.language, offer.url) == (".", "fr", URL)
    assert (offer.manufacturer, offer.gtins, offer.mpn) == (
        "Brumelle",
        ("9521000000004",),
        "BRE-17",
    )
    assert offer.image_urls == ("https://shop.example/k.jpg", "https://x.example/2.jpg")
    assert (offer.availability, offer.condition, offer.quantity) == ("InStock", "NewCondition", 12)
    assert offer.group == "G1"
    assert offer.attributes == (("colour", "rouge"), ("volume_l", "1.7"))


@pytest.mark.parametrize(
    "block",
    [
        {"@context": "https://schema.org", "@graph": [{"@type": "WebSite"}, PRODUCT]},
        [{"@type": "Organization", "name": "Shop"}, PRODUCT],
        {"@type": "WebPage", "mainEntity": PRODUCT},
        PRODUCT | {"@type": ["Product", "Thing"]},
        PRODUCT | {"@type": "https://schema.org/Product"},
        PRODUCT | {"offers": [OFFER]},
        PRODUCT | {"offers": [OFFER, OFFER]},
        PRODUCT | {"offers": {"@type": "AggregateOffer", "lowPrice": 1, "offers": [OFFER]}},
        json.dumps(PRODUCT)[:-1] + ",}",
        "<!-- shop -->\n" + json.dumps(PRODUCT),
        json.dumps(PRODUCT).replace('"sku"', '/* ours */ "sku"'),
        {
            "@graph": [
                PRODUCT | {"offers": {"@id": "#offer"}},
                OFFER | {"@id": "#offer"},
            ]
        },
    ],
)
def test_the_manners_of_real_shops(block: Any) -> None:
    offer = one(block)
    assert (offer.sku, offer.price, offer.currency) == ("A1", "19.90", "EUR")


def test_the_price_asked_now_is_not_the_struck_one() -> None:
    struck = {
        "@type": "UnitPriceSpecification",
        "priceType": "https://schema.org/StrikethroughPrice",
        "price": 99,
    }
    per_litre = {"price": 3, "referenceQuantity": {"value": 1, "unitCode": "LTR"}}
    now = {"@type": "UnitPriceSpecification", "price": 79.5, "priceCurrency": "EUR"}
    offer = one(
        PRODUCT | {"offers": {"@type": "Offer", "priceSpecification": [struck, per_litre, now]}}
    )
    assert (offer.price, offer.currency) == ("79.5", "EUR")


@pytest.mark.parametrize(
    ("price", "decimal"),
    [("1.299,00", None), ("1.299", None), ("12.5", "."), (12, "."), ("12,50", None), ("0012", ".")],
)
def test_a_decimal_sign_is_claimed_only_where_it_is_certain(
    price: Any, decimal: str | None
) -> None:
    offer = one(PRODUCT | {"offers": OFFER | {"price": price}})
    assert (offer.price, offer.decimal) == (str(price), decimal)


def test_net_prices_are_told() -> None:
    row = {"price": "10.00", "priceCurrency": "EUR", "valueAddedTaxIncluded": False}
    assert one(PRODUCT | {"offers": {"priceSpecification": row}}).price_is_net is True


def test_delivery_by_country() -> None:
    def details(value: Any, country: Any, **more: Any) -> dict[str, Any]:
        return {
            "shippingRate": {"value": value, "currency": "EUR"},
            "shippingDestination": {"addressCountry": country},
            **more,
        }

    days = {
        "handlingTime": {"minValue": 0, "maxValue": 1, "unitCode": "DAY"},
        "transitTime": {"minValue": 1, "maxValue": 3, "unitCode": "DAY"},
    }
    hours = {"transitTime": {"minValue": 24, "maxValue": 48, "unitCode": "HUR"}}
    rows = [
        details("4.90", "FR", deliveryTime=days),
        details(0, ["DE", {"name": "AT"}], deliveryTime=hours),
        details("9.00", "IT", doesNotShip=True),
        {"shippingDestination": {"addressCountry": "ES"}},
        {
            "shippingRate": {"value": "5", "currency": "EUR"},
            "shippingDestination": {"addressCountry": "FR", "addressRegion": "Corse"},
        },
        "free",
    ]
    offer = one(PRODUCT | {"offers": OFFER | {"shippingDetails": rows}})
    assert offer.delivery == (
        RawDelivery("FR", "4.90 EUR", days_min=1, days_max=4),
        RawDelivery("DE", "0 EUR"),
        RawDelivery("AT", "0 EUR"),
    )


def test_variants_of_a_group_are_offers_and_inherit() -> None:
    variants = [
        {"@type": "Product", "sku": f"V{n}", "name": f"Shoe {n}", "offers": OFFER} for n in range(3)
    ]
    group = {
        "@context": "https://schema.org",
        "@type": "ProductGroup",
        "productGroupID": "G7",
        "brand": {"name": "Allurane"},
        "description": "Soft",
        "hasVariant": [*variants[:2], {"@id": "#third"}],
    }
    records = read_offers(page({"@graph": [group, variants[2] | {"@id": "#third"}]}), URL)
    offers = {record.sku: record for record in records if isinstance(record, RawOffer)}
    assert set(offers) == {"V0", "V1", "V2"}
    for sku in ("V0", "V1"):
        assert (offers[sku].group, offers[sku].manufacturer) == ("G7", "Allurane")
        assert offers[sku].description == "Soft"


def test_a_group_sold_as_one_thing_is_an_offer() -> None:
    assert one(PRODUCT | {"@type": "ProductGroup", "productGroupID": "G2"}).group == "G2"


def test_offers_with_their_own_numbers_are_separate() -> None:
    rows = [OFFER | {"sku": "red", "price": 10}, OFFER | {"sku": "blue", "price": 12}]
    records = read_offers(page(PRODUCT | {"offers": rows}), URL)
    assert [(r.sku, r.price) for r in records if isinstance(r, RawOffer)] == [
        ("red", "10"),
        ("blue", "12"),
    ]


def test_recommended_products_are_no_offers_of_this_page() -> None:
    other = PRODUCT | {"sku": "B2"}
    block = PRODUCT | {"isRelatedTo": [other], "isSimilarTo": other}
    listing = {"@type": "ItemList", "itemListElement": [{"item": other}]}
    assert [r.sku for r in read_offers(page(block, listing), URL)] == ["A1"]


@pytest.mark.parametrize(
    ("block", "code"),
    [
        (
            PRODUCT | {"offers": {"@type": "AggregateOffer", "lowPrice": 5, "highPrice": 9}},
            "aggregate_price",
        ),
        (PRODUCT | {"offers": [OFFER, OFFER | {"price": 25}]}, "several_prices"),
        ({"@type": "Product", "name": "x"}, "offer_missing"),
        (PRODUCT | {"offers": {"@type": "Offer"}}, "price_missing"),
        (PRODUCT | {"offers": OFFER | {"price": True}}, "price_missing"),
        (PRODUCT | {"offers": OFFER | {"price": {"a": 1}}}, "price_missing"),
        (PRODUCT | {"name": None}, "title_missing"),
        (PRODUCT | {"name": "x" * 5_000}, "field_too_long"),
        ({"@type": "Organization"}, "product_missing"),
        ("null", "product_missing"),
        ('[1, 2, "a"]', "product_missing"),
        ('{"@type": "Product", ', "markup_malformed"),
        ("]", "markup_malformed"),
        ("", "markup_malformed"),
    ],
)
def test_what_cannot_be_an_offer_is_refused_by_name(block: Any, code: str) -> None:
    assert codes(page(block)) == [code]


@pytest.mark.parametrize(
    "html", ["", " ", "\x00", "<html></html>", "just text", "%PDF-1.7", "<" * 10_000]
)
def test_a_page_that_is_none_gives_one_refusal(html: str) -> None:
    assert codes(html)[0] in {"markup_missing", "page_malformed"}
    assert len(codes(html)) == 1


def test_a_broken_block_costs_only_itself() -> None:
    assert codes(page("{oops", PRODUCT)) == ["offer", "markup_malformed"]


@pytest.mark.parametrize("sign", ["[", '{"a":', '{"@graph":['])
def test_deep_nesting_is_refused_quickly(sign: str) -> None:
    begun = time.monotonic()
    assert codes(page(sign * 90_000)) == ["markup_too_deep"]
    assert time.monotonic() - begun < 5


def test_megabytes_of_markup_are_refused_quickly() -> None:
    begun = time.monotonic()
    many = [PRODUCT | {"sku": str(number)} for number in range(40_000)]
    html = page(many)
    assert len(html) > 5_000_000
    assert codes(html) == ["page_too_large"]
    assert codes(page(many[:10_000])) == ["markup_too_large"]
    assert codes(page(*["{}"] * 60), PageLimits(scripts=20)) == ["markup_too_large"]
    limited = codes(page(many[:100]), PageLimits(nodes=50))
    assert limited.count("offer") == 50
    assert limited[-1] == "markup_too_large"
    assert time.monotonic() - begun < 20


def test_scripts_in_texts_stay_texts_and_addresses_stay_addresses() -> None:
    offer = one(
        PRODUCT
        | {
            "name": "Kettle <\\/script><script>alert(1)<\\/script>\u202e\x07",
            "url": "javascript:alert(1)",
            "image": ["data:text/html,x", "javascript:1", "//cdn.example/k.jpg"],
        }
    )
    assert "\u202e" not in offer.title
    assert "\x07" not in offer.title
    assert offer.url == URL
    assert offer.image_urls == ("https://cdn.example/k.jpg",)


def test_references_in_a_circle_end() -> None:
    block = {
        "@graph": [
            {"@type": "ProductGroup", "@id": "#g", "hasVariant": [{"@id": "#g"}]},
            {"@type": "Product", "@id": "#a", "name": "a", "offers": {"@id": "#a"}},
        ]
    }
    assert all(isinstance(record, Refusal) for record in read_offers(page(block), URL))


def test_numbers_beyond_reason_are_not_taken() -> None:
    block = json.dumps(PRODUCT).replace('"19.90"', "NaN")
    assert codes(page(block)) == ["price_missing"]
    assert codes(page(json.dumps(PRODUCT).replace('"19.90"', "1" * 400))) == ["price_missing"]
    assert codes(page(json.dumps(PRODUCT).replace('"19.90"', "1" * 9_000))) == ["markup_malformed"]
    offer = one(PRODUCT | {"offers": OFFER | {"inventoryLevel": {"value": "10" * 30}}})
    assert offer.quantity is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["@type", "@id", "@graph", "name", "offers", "price", "hasVariant", "sku", "image",
             "shippingDetails", "shippingRate", "value", "brand", "url", "priceSpecification"]
        ),
        inner | st.sampled_from(["Product", "Offer", "ProductGroup", "AggregateOffer"]),
        max_size=6,
    ),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(json_values)
def test_any_json_is_offers_or_refusals(value: Any) -> None:
    records = read_offers(page(value), URL)
    assert records
    for record in records:
        assert isinstance(record, RawOffer | Refusal)
        if isinstance(record, RawOffer):
            assert RawOffer.from_json(json.loads(json.dumps(record.as_json()))) == record
