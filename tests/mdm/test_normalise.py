"""Normalising one record: cleaned, bounded, typed; odd parts noted, only the unusable refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.gtin import check_digit
from kernel.money import Money
from kernel.offer_terms import Availability, Condition
from mdm.merchants import Merchant
from mdm.normalise.attributes import attributes, from_title, pack_count
from mdm.normalise.kind import is_accessory, is_bundle
from mdm.normalise.offer import NormalOffer, gtins_of, manufacturer_of, mpn_of, normalise
from mdm.normalise.refused import RefusedError
from mdm.normalise.terms import availability_of, condition_of
from mdm.normalise.text import MAX_TITLE, plain_text, web_address
from mdm.raw_offer import RawDelivery, RawOffer
from mdm.taxonomy.placement import place

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SHOP = Merchant("shop", "Shop", "DE", languages=("de",), decimal=",")


def _read(title: str = "Wasserkocher", price: str = "10,00", **stated: Any) -> NormalOffer:
    return normalise(RawOffer("1", title, price, **stated), SHOP, NOW)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  two   words ", "two words"),
        ("<b>bold</b> &amp; <script>alert(1)</script>done", "bold & done"),
        ("one<br>two<p>three</p>", "one two three"),
        ("a\u202eb\u200bc\ufeff\x07", "abc"),
        ("e\u0301te\u0301", "été"),
        ("5 < 6", "5 < 6"),
        ("", None),
        ("\x00\u202e", None),
        (None, None),
    ],
)
def test_text_is_plain(text: str | None, plain: str | None) -> None:
    assert plain_text(text, 100) == plain


@given(st.text(max_size=400), st.integers(1, 50))
def test_text_is_bounded_and_shows_nothing_unseen(text: str, limit: int) -> None:
    plain = plain_text(text, limit)
    if plain is not None:
        assert 0 < len(plain) <= limit
        assert not set(plain) & set("\x00\r\n\t\u202e\u2066\u200b\ufeff\ud800")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://shop.example/p?q=1", True),
        ("HTTP://shop.example", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("https://user:secret@shop.example/", False),
        ("https://", False),
        ("https://shop.example/a b", False),
        ("https://[::1", False),
        ("//shop.example/p", False),
        ("https://shop.example/" + "x" * 3000, False),
        ("", False),
    ],
)
def test_only_plain_web_addresses_are_kept(url: str, kept: bool) -> None:
    assert (web_address(url) == url) is kept


@given(st.integers(0, 10**12 - 1))
def test_gtins_keep_their_meaning_in_every_length(number: int) -> None:
    body = f"{number:012d}"
    gtin13 = body + check_digit(body)
    good, problems = gtins_of((gtin13,))
    also, _ = gtins_of((f"0{gtin13}",))
    assert good == also
    assert bool(good) != bool(problems)
    wrong = body + str((int(gtin13[-1]) + 1) % 10)
    assert gtins_of((wrong,))[0] == ()


def test_bad_gtins_are_kept_as_evidence() -> None:
    offer = _read(gtins=("7,8332E+11", "4006381333931", "4006381333932", "2000000010007", ""))
    assert offer.gtins == ("04006381333931",)
    assert offer.gtin_problems == (
        "spreadsheet_damage:7,8332E+11",
        "check_digit:4006381333932",
        "restricted:2000000010007",
    )
    assert gtins_of(("4006381333931, 0 4006381333931",)) == (("04006381333931",), ())


@pytest.mark.parametrize(
    ("stated", "read"),
    [
        ("Bosch GmbH", "Bosch"),
        ("Robert Bosch GmbH & Co. KG", "Robert Bosch"),
        ("<i>LG</i>", "LG"),
        ("n/a", None),
        ("No brand", None),
        ("OEM", None),
        (None, None),
    ],
)
def test_manufacturers(stated: str | None, read: str | None) -> None:
    assert manufacturer_of(stated) == read


def test_part_numbers() -> None:
    assert mpn_of(" KGN36 VL35G ") == "KGN36 VL35G"
    assert mpn_of("N/A") is None
    assert mpn_of("-") is None


@pytest.mark.parametrize(
    ("stated", "quantity", "read"),
    [
        ("in_stock", None, Availability.IN_STOCK),
        ("in stock", 5, Availability.IN_STOCK),
        ("InStock", None, Availability.IN_STOCK),
        ("https://schema.org/InStock", None, Availability.IN_STOCK),
        ("http://schema.org/LimitedAvailability", None, Availability.IN_STOCK),
        ("auf Lager", None, Availability.IN_STOCK),
        ("En stock", None, Availability.IN_STOCK),
        ("skladem", None, Availability.IN_STOCK),
        ("1", None, Availability.IN_STOCK),
        ("out_of_stock", None, Availability.OUT_OF_STOCK),
        ("out stock", None, Availability.OUT_OF_STOCK),
        ("https://schema.org/SoldOut", None, Availability.OUT_OF_STOCK),
        ("discontinued", None, Availability.OUT_OF_STOCK),
        ("épuisé", None, Availability.OUT_OF_STOCK),
        ("nicht verfügbar", None, Availability.OUT_OF_STOCK),
        ("in stock", 0, Availability.OUT_OF_STOCK),
        ("preorder", 0, Availability.PREORDER),
        ("Pre-Order", None, Availability.PREORDER),
        ("available for order", None, Availability.BACKORDER),
        ("https://schema.org/BackOrder", None, Availability.BACKORDER),
        ("ask us", 3, Availability.UNKNOWN),
        (None, 3, Availability.IN_STOCK),
        (None, 0, Availability.OUT_OF_STOCK),
        (None, None, Availability.UNKNOWN),
    ],
)
def test_availability(stated: str | None, quantity: int | None, read: Availability) -> None:
    assert availability_of(stated, quantity)[0] is read


@pytest.mark.parametrize(
    ("stated", "title", "read"),
    [
        (None, "Phone", Condition.NEW),
        ("neuf", "Phone", Condition.NEW),
        ("https://schema.org/NewCondition", "Phone", Condition.NEW),
        ("generalüberholt", "Phone", Condition.REFURBISHED),
        ("Reconditionné", "Phone", Condition.REFURBISHED),
        ("gebraucht", "Phone", Condition.USED),
        ("new", "Phone (refurbished)", Condition.REFURBISHED),
        (None, "Téléphone reconditionné", Condition.REFURBISHED),
        ("like never before", "Phone", Condition.USED),
    ],
)
def test_condition(stated: str | None, title: str, read: Condition) -> None:
    assert condition_of(stated, title)[0] is read


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("Phone 128 Go Noir", {"colour": "black", "capacity": "128 GB"}),
        ("g6 64gb/4gb ram indigo blue", {"colour": "blue", "capacity": "64 GB", "memory": "4 GB"}),
        ("8/256GB Telefon", {"capacity": "256 GB", "memory": "8 GB"}),
        ("Notebook 16GB 512 GB SSD", {"capacity": "512 GB", "memory": "16 GB"}),
        ("Carte 1 To", {"capacity": "1 TB"}),
        ("SSD 1024GB", {"capacity": "1 TB"}),
        ("SD 90MB/s 32GB", {"capacity": "32 GB"}),
        ("Fernseher 139 cm (55 Zoll)", {"screen_size": "55 in"}),
        ("Wasserkocher 1,5 kW", {"power": "1500 W"}),
        ("TV energy class A++", {"energy_class": "A++"}),
        ("Sneaker Größe 42", {"size": "42"}),
        ("Lot de 4 piles", {"pack_count": "4"}),
        ("10er-Pack Batterien", {"pack_count": "10"}),
        ("2x Toner", {"pack_count": "2"}),
        ("Switch 24 GigE, 4 x 1G SFP", {}),
        ("Twin Pack Toner", {"pack_count": "2"}),
        ("AMD Phenom II X4 955", {}),
        ("Jeu 480 pièces", {}),
        ("Kaffee 1 kg", {"content": "1000 g"}),
        ("Parfum 50 ml", {"content": "50 ml"}),
        ("Salbe 220 Milliliter", {"content": "220 ml"}),
        ("Huile 1,5 litres", {"content": "1500 ml"}),
        ("Mehl 500 Gramm", {"content": "500 g"}),
        ("Teal mug, 1 Kilogramm", {"content": "1000 g", "colour": "blue"}),
        ("Nova Lumen 5G noir", {"colour": "black"}),
        ("rose gold ring", {"colour": "gold"}),
        ("montre rose", {"colour": "pink"}),
        ("coque or", {"colour": "gold"}),
        ("black/white shoe", {"colour": "black/white"}),
        ("Laptop QWERTZ", {"keyboard": "QWERTZ"}),
    ],
)
def test_attributes_of_titles(title: str, found: dict[str, str]) -> None:
    assert from_title(title) == found


def test_stated_attributes_win_under_stable_keys() -> None:
    stated = [
        ("Farbe", "anthrazit"),
        ("Speicherkapazität", "256"),
        ("Bildschirmdiagonale", "6,7 Zoll"),
        ("Leistung", "65"),
        ("Classe énergétique", "b"),
        ("Taille", "42,5"),
        ("Bluetooth", "<b>5.3</b>"),
        ("", "x"),
        ("Gewicht", ""),
    ]
    assert attributes(stated, "Phone 128 GB", 3) == {
        "colour": "black",
        "capacity": "256 GB",
        "screen_size": "6.7 in",
        "power": "65 W",
        "energy_class": "B",
        "size": "42.5",
        "pack_count": "3",
        "bluetooth": "5.3",
    }
    assert attributes([("colour", "grey")], "Ink black", None)["colour"] == "black/grey"
    assert attributes([("colour", "see picture")], "Ink", 1) == {}


@pytest.mark.parametrize(
    ("google", "stated", "title", "found"),
    [
        ("267", None, "x", 267),
        ("404 - Electronics > Video > Televisions", None, "x", 404),
        ("Home > Kitchen > Kettles", None, "x", 751),
        ("999999", None, "x", None),
        ("222", "Waschmaschinen", "x", 2549),
        (None, "Haushalt > Waschmaschinen", "x", 2549),
        (None, "Maison | Lave-vaisselle", "x", 680),
        (None, None, "Bosch Geschirrspüler mit Besteckkorb", 680),
        (None, None, "Coque pour smartphone", 2353),
        (None, "Sonstiges", "Something", None),
    ],
)
def test_categories(google: str | None, stated: str | None, title: str, found: int | None) -> None:
    placement = place(google, stated, title)
    assert (placement.category_id if placement else None) == found


def test_kinds() -> None:
    assert is_bundle("Camera A5 + memory card 64 GB")
    assert not is_bundle("TV A+++ HDR10+ 55 in")
    assert not is_bundle("USB stick USB-A + USB-C")
    assert not is_bundle("Drill 12V + 2 batteries 2,0Ah + case")
    assert not is_bundle("Chain 11-speed + attache rapide")
    assert not is_bundle("Pack ink 305 noir + couleurs")
    assert pack_count("pampers baby dry x52 couches") == "52"
    assert pack_count("12gb geforce rtx pcie 4.0 x16") is None
    assert is_accessory("Coque pour Lumen 6")
    assert is_accessory("Lederhülle Lumen 6")
    assert is_accessory("Replacement battery for Lumen 6")
    assert not is_accessory("Phone with case and charger for travel")
    assert not is_accessory("Battery 12 V")


def test_a_whole_record() -> None:
    offer = _read(
        "<b>Wasserkocher</b> WK100 1,7 l",
        "49,90",
        currency="eur",
        description="<p>Schnell.</p><script>x</script>",
        url="https://shop.example/1",
        image_urls=("https://shop.example/1.jpg", "ftp://x", "https://shop.example/1.jpg"),
        quantity=3,
        delivery=(
            RawDelivery(None, "4,90", "DHL", 5, 2),
            RawDelivery("fr", "kostenlos"),
            RawDelivery("AT", "-1"),
            RawDelivery("Germany", "1,00"),
            RawDelivery("CH", "1.000"),
        ),
        language="de-DE",
        manufacturer="Brumelle",
        category="Küche > Wasserkocher",
    )
    assert offer.title == "Wasserkocher WK100 1,7 l"
    assert offer.asking.price == Money(4990, "EUR")
    assert offer.description == "Schnell."
    assert offer.image_urls == ("https://shop.example/1.jpg",)
    assert offer.availability is Availability.IN_STOCK
    assert offer.language == "de"
    assert offer.placement is not None
    assert offer.placement.category_id == 751
    assert [(row.country, row.price.minor) for row in offer.delivery] == [
        ("DE", 490),
        ("FR", 0),
        ("CH", 100000),
    ]
    assert (offer.delivery[0].days_min, offer.delivery[0].days_max) == (2, 5)
    assert offer.notes == ("delivery_country:Germany",)


def test_lengths_are_bounded_and_titles_are_needed() -> None:
    assert len(_read("word " * 2000).title) <= MAX_TITLE
    with pytest.raises(RefusedError, match="no title"):
        _read("<p></p>")


@given(
    title=st.text(min_size=1, max_size=60),
    texts=st.lists(st.text(max_size=30), min_size=9, max_size=9),
)
def test_no_record_breaks_the_normaliser(title: str, texts: list[str]) -> None:
    raw = RawOffer(
        "1", title, texts[0] or None, sale_price=texts[1], sale_interval=texts[2],
        condition=texts[3], availability=texts[4], gtins=(texts[5],), manufacturer=texts[6],
        category=texts[7], google_category=texts[7], attributes=((texts[8], texts[0]),),
        delivery=(RawDelivery(texts[8], texts[0]),), mpn=texts[1], url=texts[2],
        tax_rate=texts[4], price_is_net=bool(texts[3]), language=texts[6],
    )  # fmt: skip
    try:
        offer = normalise(raw, SHOP, NOW)
    except RefusedError:
        return
    assert offer.title
    assert offer.asking.price is None or offer.asking.price.minor > 0
