"""Each feed format: what it understands, on small look-alikes of real feeds."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from crawlers import formats
from crawlers.bounded_stream import open_feed
from crawlers.feed_options import FeedOptions, breaks_run
from crawlers.formats.csv_mapping import options_of, read_mapping, read_mapping_file
from kernel.errors import DomainError
from mdm.raw_offer import RawDelivery, RawOffer, Refusal

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>
<link>https://shop.example/</link>
<item><g:id>A1</g:id><title>Plain title</title><g:title>Lamp &amp; shade</g:title>
<link>https://shop.example/a1</link><description>Warm light</description>
<g:image_link>https://shop.example/a1.jpg</g:image_link>
<g:additional_image_link>https://shop.example/a1b.jpg</g:additional_image_link>
<g:shipping><g:country>FR</g:country><g:service>Std</g:service><g:price>4,99 EUR</g:price>
<g:min_handling_time>1</g:min_handling_time><g:max_handling_time>2</g:max_handling_time>
<g:min_transit_time>1</g:min_transit_time><g:max_transit_time>3</g:max_transit_time></g:shipping>
<g:installment><g:months>3</g:months><g:amount>10 EUR</g:amount></g:installment>
<g:price>29,90 EUR</g:price><g:sale_price>24,90 EUR</g:sale_price>
<g:sale_price_effective_date>2026-11-01T13:00+0100/2026-11-10T15:30+0100</g:sale_price_effective_date>
<g:gtin>9521234567893</g:gtin><g:brand>Aurelle</g:brand><g:mpn>L-1</g:mpn>
<g:availability>in stock</g:availability><g:condition>new</g:condition>
<g:product_type>Home &gt; Lamps</g:product_type><g:item_group_id>G1</g:item_group_id>
<g:multipack>2</g:multipack><g:is_bundle>yes</g:is_bundle><g:color>Brass</g:color>
<g:product_detail><g:attribute_name>Socket</g:attribute_name>
<g:attribute_value>E27</g:attribute_value></g:product_detail></item>
<item><g:id>A2</g:id><g:title>No price</g:title></item>
</channel></rss>"""

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">
<link href="https://shop.example"/>
<entry><g:id>B1</g:id><title>Kettle</title><link rel="alternate" href="https://shop.example/b1"/>
<link rel="edit" href="https://shop.example/edit"/><g:price>15.0 EUR</g:price></entry></feed>"""

HEUREKA = """<?xml version="1.0" encoding="windows-1250"?><SHOP><SHOPITEM><ITEM_ID>H1</ITEM_ID>
<PRODUCTNAME>Žehlička</PRODUCTNAME><PRICE_VAT>1 299,00</PRICE_VAT><EAN>7.8332E+11</EAN>
<URL>https://obchod.example/h1</URL><IMGURL>https://obchod.example/1.jpg</IMGURL>
<IMGURL_ALTERNATIVE>https://obchod.example/2.jpg</IMGURL_ALTERNATIVE>
<DELIVERY_DATE>0</DELIVERY_DATE><DELIVERY><DELIVERY_ID>PPL</DELIVERY_ID>
<DELIVERY_PRICE>89</DELIVERY_PRICE><DELIVERY_PRICE_COD>99</DELIVERY_PRICE_COD></DELIVERY>
<PARAM><PARAM_NAME>Barva</PARAM_NAME><VAL>červená</VAL></PARAM>
<CATEGORYTEXT>Domácnost | Žehličky</CATEGORYTEXT></SHOPITEM>
<SHOPITEM><ITEM_ID>H2</ITEM_ID><PRODUCT>Fén</PRODUCT><PRICE_VAT>500</PRICE_VAT>
<DELIVERY_DATE>5</DELIVERY_DATE></SHOPITEM></SHOP>"""


def read(
    name: str, data: bytes | str, options: FeedOptions | None = None
) -> list[RawOffer | Refusal]:
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return list(formats.all_formats()[name].read(stream, options or FeedOptions()))


def offers(records: list[RawOffer | Refusal]) -> list[RawOffer]:
    return [each for each in records if isinstance(each, RawOffer)]


def refusals(records: list[RawOffer | Refusal]) -> list[Refusal]:
    return [each for each in records if isinstance(each, Refusal)]


def test_the_formats_are_found_by_scanning() -> None:
    found = set(formats.all_formats())
    assert {"google", "google_table", "heureka", "bmecat", "acp", "csv_mapping"} <= found
    folder = Path(formats.__file__).parent
    assert found == {path.stem for path in folder.glob("*.py")} - {"__init__"}


def test_google_takes_the_products_own_price_and_keeps_delivery_apart() -> None:
    lamp, missing = read("google", RSS)
    assert isinstance(lamp, RawOffer)
    assert (lamp.sku, lamp.title, lamp.price) == ("A1", "Lamp & shade", "29,90 EUR")
    assert lamp.sale_price == "24,90 EUR"
    assert lamp.sale_interval is not None
    assert lamp.currency is None
    assert lamp.delivery == (RawDelivery("FR", "4,99 EUR", "Std", 2, 5),)
    assert lamp.image_urls == ("https://shop.example/a1.jpg", "https://shop.example/a1b.jpg")
    assert (lamp.group, lamp.multipack, lamp.is_bundle) == ("G1", 2, True)
    assert dict(lamp.attributes) == {"color": "Brass", "Socket": "E27"}
    assert lamp.url == "https://shop.example/a1"
    assert isinstance(missing, Refusal)
    assert (missing.code, missing.sku) == ("price_missing", "A2")


def test_google_atom_takes_the_link_from_its_attribute() -> None:
    (kettle,) = offers(read("google", ATOM))
    assert (kettle.title, kettle.url) == ("Kettle", "https://shop.example/b1")


@pytest.mark.parametrize("cut", [0.5, 0.7, 0.97])
def test_a_truncated_xml_keeps_what_was_complete_and_says_so(cut: float) -> None:
    body = RSS.replace(
        "</item>", "</item>" + RSS[RSS.index("<item>") : RSS.index("</item>") + 7], 1
    )
    whole = offers(read("google", body))
    records = read("google", body[: int(len(body) * cut)])
    assert len(offers(records)) <= len(whole)
    assert refusals(records)[-1].code == "feed_truncated"
    assert breaks_run(refusals(records)[-1])


def _four(second: str) -> str:
    items = [
        f"<item><g:id>N{number}</g:id><g:title>{second if number == 1 else 'Lamp'}</g:title>"
        "<g:description><![CDATA[a & b &nbsp;]]></g:description><g:price>1 EUR</g:price></item>\n"
        for number in range(4)
    ]
    return RSS[: RSS.index("<item>")] + "".join(items) + "</channel></rss>"


@pytest.mark.parametrize(
    ("written", "meant"),
    [("A & B", "A & B"), ("A&nbsp;B", "A\xa0B"), ("M&S &amp; &eacute;&#233;", "M&S & éé"),
     ("R&D; lab", "R&D; lab")],
)  # fmt: skip
def test_a_bare_ampersand_and_html_entities_are_read_as_meant(written: str, meant: str) -> None:
    records = read("google", _four(written))
    assert refusals(records) == []
    assert [each.sku for each in offers(records)] == ["N0", "N1", "N2", "N3"]
    assert offers(records)[1].title == meant
    assert offers(records)[1].description == "a & b &nbsp;"


def test_a_record_that_is_not_well_formed_is_refused_alone_with_its_line() -> None:
    records = read("google", _four("<b>never closed"))
    assert [each.sku for each in offers(records)] == ["N0", "N2", "N3"]
    (refusal,) = refusals(records)
    assert (refusal.code, refusal.position) == ("record_malformed", 5)
    assert not breaks_run(refusal)


def test_a_fault_in_a_record_and_a_cut_end_keep_the_rest_and_break_the_run() -> None:
    whole = _four("A & B")
    for end in (whole.rindex("<g:price>"), whole.rindex("<item>")):
        records = read("google", whole[:end])
        assert [each.sku for each in offers(records)] == ["N0", "N1", "N2"]
        assert [each.code for each in refusals(records)] == ["feed_truncated"]


def test_google_names_in_a_table_with_any_separator_and_spelling() -> None:
    table = (
        "ID;Title;Image Link;Price;shipping;availability;gtin\n"
        'T1;"Lamp ""Luna"", brass";https://s.example/1.jpg;9.99 EUR;FR::Std:4,90 EUR,DE:::6 EUR;'
        "in stock;9521234567893\n"
    )
    assert formats.detect(io.BytesIO(table.encode()), "feed.csv") == "google_table"
    (lamp,) = offers(read("google_table", table))
    assert lamp.title == 'Lamp "Luna", brass'
    assert [(row.country, row.price) for row in lamp.delivery] == [
        ("FR", "4,90 EUR"),
        ("DE", "6 EUR"),
    ]
    assert lamp.image_urls == ("https://s.example/1.jpg",)


def test_a_supplemental_table_is_refused_as_a_whole() -> None:
    table = "id\tcustom_label_0\nA\tsummer\n"
    assert formats.detect(io.BytesIO(table.encode()), "x.tsv") == "google_table"
    (refusal,) = read("google_table", table)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "feed_is_supplemental"


def test_a_stray_quote_costs_its_own_row_only() -> None:
    table = (
        'id,title,price\n1,Lamp,1 EUR\n2,"Stray,2 EUR\n3,19" screen,3 EUR\n4,"Two\nlines",4 EUR\n'
    )
    records = read("google_table", table)
    assert [each.sku for each in offers(records)] == ["1", "3", "4"]
    assert offers(records)[2].title == "Two\nlines"
    (refusal,) = refusals(records)
    assert (refusal.code, refusal.position) == ("stray_quote", 3)
    assert not breaks_run(refusal)


def test_a_ragged_row_is_refused_with_its_line() -> None:
    records = read("google_table", "id,title,price\n1,Lamp\n2,Lamp,2 EUR,,\n3,a,b,c\n")
    assert [each.sku for each in offers(records)] == ["2"]
    assert [(each.code, each.position) for each in refusals(records)] == [
        ("row_columns", 2),
        ("row_columns", 4),
    ]


def test_heureka_in_a_code_page_with_damaged_barcode_and_delivery() -> None:
    options = FeedOptions(currency="CZK", country="CZ", decimal=",")
    iron, dryer = offers(read("heureka", HEUREKA.encode("cp1250"), options))
    assert (iron.title, iron.price, iron.currency) == ("Žehlička", "1 299,00", "CZK")
    assert iron.gtins == ("7.8332E+11",)
    assert iron.availability == "in_stock"
    assert iron.delivery == (RawDelivery("CZ", "89", "PPL", 0, None),)
    assert iron.attributes == (("Barva", "červená"),)
    assert len(iron.image_urls) == 2
    assert (dryer.title, dryer.availability) == ("Fén", "backorder")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1250"])
def test_the_same_feed_in_every_encoding_reads_the_same(encoding: str) -> None:
    declared = {"utf-8-sig": "utf-8", "cp1250": "windows-1250"}.get(encoding, encoding)
    text = HEUREKA.replace("windows-1250", declared)
    (iron, _) = offers(read("heureka", text.encode(encoding)))
    assert iron.title == "Žehlička"


def test_a_feed_that_claims_utf8_and_is_not_takes_the_merchants_encoding() -> None:
    text = HEUREKA.replace("windows-1250", "utf-8").encode("cp1250")
    iron, _ = offers(read("heureka", text, FeedOptions(encoding="cp1250")))
    assert iron.title == "Žehlička"


BMECAT = """<?xml version="1.0"?><!DOCTYPE BMECAT SYSTEM "bmecat_new_catalog.dtd">
<BMECAT xmlns="http://www.bmecat.org/bmecat/1.2/x" version="1.2"><HEADER><CATALOG>
<LANGUAGE>deu</LANGUAGE><CURRENCY>EUR</CURRENCY><MIME_ROOT>https://pic.example/root</MIME_ROOT>
</CATALOG></HEADER><T_NEW_CATALOG><ARTICLE><SUPPLIER_AID>100</SUPPLIER_AID><ARTICLE_DETAILS>
<DESCRIPTION_SHORT>Schraube</DESCRIPTION_SHORT><EAN>9521234567893</EAN>
<MANUFACTURER_AID>S-1</MANUFACTURER_AID></ARTICLE_DETAILS>
<ARTICLE_ORDER_DETAILS><NO_CU_PER_OU>1</NO_CU_PER_OU><PRICE_QUANTITY>100</PRICE_QUANTITY>
</ARTICLE_ORDER_DETAILS><ARTICLE_PRICE_DETAILS>
<ARTICLE_PRICE price_type="net_list"><PRICE_AMOUNT>90</PRICE_AMOUNT></ARTICLE_PRICE>
<ARTICLE_PRICE price_type="net_customer"><PRICE_AMOUNT>50</PRICE_AMOUNT><TAX>0.19</TAX>
<LOWER_BOUND>10</LOWER_BOUND></ARTICLE_PRICE>
<ARTICLE_PRICE price_type="net_customer"><PRICE_AMOUNT>80.5</PRICE_AMOUNT><TAX>0.19</TAX>
<LOWER_BOUND>1</LOWER_BOUND></ARTICLE_PRICE>
</ARTICLE_PRICE_DETAILS><MIME_INFO><MIME><MIME_TYPE>image/jpeg</MIME_TYPE>
<MIME_SOURCE>s.jpg</MIME_SOURCE></MIME></MIME_INFO></ARTICLE></T_NEW_CATALOG></BMECAT>"""


def test_bmecat_takes_the_price_of_one_and_marks_it_net() -> None:
    (screw,) = offers(read("bmecat", BMECAT))
    assert (screw.price, screw.currency, screw.price_is_net, screw.tax_rate) == (
        "0.805", "EUR", True, "0.19",
    )  # fmt: skip
    assert (screw.language, screw.mpn, screw.multipack) == ("de", "S-1", None)
    assert screw.image_urls == ("https://pic.example/root/s.jpg",)
    gross = BMECAT.replace('price_type="net_list"', 'price_type="gros_list"')
    (screw,) = offers(read("bmecat", gross))
    assert (screw.price, screw.price_is_net) == ("0.9", False)


@pytest.mark.parametrize("update", ["T_UPDATE_PRODUCTS", "T_UPDATE_PRICES"])
def test_a_bmecat_update_is_refused_as_a_whole(update: str) -> None:
    (refusal,) = read("bmecat", BMECAT.replace("T_NEW_CATALOG", update))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "feed_is_delta"
    assert update in refusal.reason


PRODUCT = (
    '{"id":"p1","title":"Tee","variants":[{"id":"v1","title":"Tee red",'
    '"price":{"amount":1999,"currency":"EUR"},"barcodes":[{"type":"GTIN","value":"9521234567893"}],'
    '"availability":{"available":false},"condition":["used"],'
    '"variant_options":[{"name":"Color","value":"Red"}]},'
    '{"id":"v2","title":"Tee yen","price":{"amount":1999,"currency":"JPY"}},'
    '{"id":"v3","title":"Float","price":{"amount":19.99,"currency":"EUR"}},{"id":"v4"}]}'
)


@pytest.mark.parametrize(
    "body",
    [
        PRODUCT + "\n" + PRODUCT.replace('"v', '"w'),
        f'{{"products":[{PRODUCT}]}}',
        f'{{"a":{{"b":[1,{{"products":[{PRODUCT}]}}]}}}}',
        f"[{PRODUCT}]",
    ],
)
def test_acp_reads_products_anywhere_with_amounts_in_minor_units(body: str) -> None:
    assert formats.detect(io.BytesIO(body.encode()), "products") == "acp"
    records = read("acp", body)
    red, yen = offers(records)[:2]
    assert (red.sku, red.price, red.currency, red.group) == ("v1", "19.99", "EUR", "p1")
    assert (red.availability, red.condition) == ("out_of_stock", "used")
    assert red.gtins == ("9521234567893",)
    assert (yen.price, yen.currency) == ("1999", "JPY")
    assert [(each.sku, each.code) for each in refusals(records)][:2] == [
        ("v3", "price_shape"),
        ("v4", "price_missing"),
    ]


def test_acp_product_without_any_price_is_refused_once() -> None:
    (refusal,) = read("acp", '{"products":[{"id":"p","title":"T","variants":[{"id":"v"}]}]}')
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.sku) == ("price_missing", "p")


def test_acp_cut_in_the_middle_keeps_complete_products() -> None:
    body = f'{{"products":[{PRODUCT},{PRODUCT}'
    records = read("acp", body[:-40])
    assert len(offers(records)) == 2
    assert refusals(records)[-1].code == "feed_truncated"


SOURCE = {
    "format": "csv", "delimiter": ";", "decimal": ",", "currency": "EUR", "encoding": "cp1252",
    "mapping": {
        "sku": "Artikelnr", "title": "Bezeichnung", "price": "Preis", "condition": "Zustand",
        "image": "Bild", "delivery": {"DE": "Versand"}, "delivery_days": {"max": "Tage"},
        "attributes": {"colour": "Farbe"},
    },
    "values": {"condition": {"neu": "new"}},
    "constants": {"manufacturer": "Werk"},
}  # fmt: skip
TABLE = (
    "Artikelnr;Bezeichnung;Preis;Zustand;Bild;Versand;Tage;Farbe\r\n"
    "1;Tür;1.299,00;Neu;https://a.example/1.jpg|https://a.example/2.jpg;4,90;3;weiß\r\n"
    "2;Ohne Preis;;neu;;;;\r\n"
)


def test_a_mapped_table_reads_as_the_mapping_says() -> None:
    options = options_of(SOURCE, "test", FeedOptions())
    records = read("csv_mapping", TABLE.encode("cp1252"), options)
    (door,) = offers(records)
    assert (door.title, door.price, door.decimal, door.currency) == ("Tür", "1.299,00", ",", "EUR")
    assert (door.condition, door.manufacturer) == ("new", "Werk")
    assert door.delivery == (RawDelivery("DE", "4,90", None, None, 3),)
    assert door.attributes == (("colour", "weiß"),)
    assert len(door.image_urls) == 2
    assert [(each.code, each.position) for each in refusals(records)] == [("price_missing", 3)]


def test_a_mapped_column_that_is_missing_refuses_the_table_by_name() -> None:
    options = options_of(SOURCE, "test", FeedOptions())
    (refusal,) = read("csv_mapping", "Artikelnr;Bezeichnung\n1;a\n", options)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "feed_columns_missing"
    assert "Preis" in refusal.reason


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mapping": {"sku": "a"}}, "mapping.title"),
        ({"mapping": {"sku": "a", "title": "b", "colour": "c"}}, "mapping.colour"),
        ({"delimiter": ";;"}, "delimiter"),
        ({"speed": 1}, "speed"),
        ({"constants": {"seller": 3}}, "seller"),
    ],
)
def test_a_wrong_mapping_is_refused_naming_place_and_key(
    change: dict[str, object], said: str
) -> None:
    with pytest.raises(DomainError) as refused:
        read_mapping({**SOURCE, **change}, "shop.toml")
    assert refused.value.message.startswith("shop.toml")
    assert said in refused.value.message


def test_the_shipped_mappings_are_valid() -> None:
    folder = Path(formats.__file__).parents[1] / "mappings"
    paths = list(folder.glob("*.toml"))
    assert paths
    for path in paths:
        assert read_mapping_file(path)


def test_packed_files_are_opened_by_their_magic_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(gzip.compress(RSS.encode()))
    with zipfile.ZipFile(tmp_path / "b", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("feed.xml", RSS)
    (tmp_path / "c").write_bytes(RSS.encode())
    for name in "abc":
        opened = open_feed(tmp_path / name)
        with opened.stream as stream:
            assert opened.problem is None
            assert formats.detect(stream, name) == "google"
            assert stream.read() == RSS.encode()


def test_control_characters_bidi_overrides_and_web_addresses() -> None:
    text = RSS.replace("Lamp &amp; shade", "La\u202emp\u200b ")
    (lamp, *_) = offers(read("google", text))
    assert lamp.title == "Lamp"
    bad = RSS.replace("https://shop.example/a1<", "javascript:alert(1)<")
    assert refusals(read("google", bad))[0].code == "url_scheme"
    long = RSS.replace("Lamp &amp; shade", "x" * 5_000)
    assert refusals(read("google", long))[0].code == "field_too_long"
