"""Survivorship: each field from the offer that knows it best, the same in any order."""

from __future__ import annotations

import random
from typing import Any

import pytest

from mdm.golden.members import Member
from mdm.golden.record import golden_record
from mdm.golden.sales_talk import sales_talk, without_sales_talk


def _member(offer: str, title: str, language: str | None = "en", **facts: Any) -> Member:
    condition = facts.pop("condition", "new")
    return Member(offer, f"shop-{offer}", title, language, condition, facts)


MEMBERS = [
    _member(
        "off_a", "Norvalis Lumen 6 128 GB black", manufacturer="Norvalis", gtins=["1", "2"],
        mpn="NVL6", attributes={"colour": "black", "capacity": "128 GB"}, category_id=267,
        description="Short.", image_urls=["https://a/1.jpg"],
    ),
    _member(
        "off_b", "Lumen 6", manufacturer="NORVALIS", gtins=["2"],
        attributes={"colour": "grey"}, description="A longer text.",
    ),
    _member(
        "off_c", "Norvalis Lumen 6 128 Go noir", "fr", gtins=["3"], category_id=267,
        attributes={"colour": "black"}, image_urls=["https://c/1.jpg", "https://a/1.jpg"],
    ),
    _member("off_d", "Norvalis Lumen 6 128 GB refurbished", condition="refurbished",
            description="A very long text about scratches.", category_id=404),
]  # fmt: skip


def test_bar_codes_of_a_shop_are_kept_apart_from_those_that_identify() -> None:
    problems = ["restricted:2000000000015", "check_digit:4006381333930"]
    record = golden_record([_member("off_a", "Lamp", gtins=["1"], gtin_problems=problems)])
    assert record["shop_numbers"] == ["2000000000015"]
    assert record["gtins"] == ["1"]


def test_each_field_has_its_survivor_and_its_provenance() -> None:
    record = golden_record(MEMBERS)
    assert record["titles"] == {
        "en": "Norvalis Lumen 6 128 GB black",
        "fr": "Norvalis Lumen 6 128 Go noir",
    }
    # The longest, but of new goods: the longer one is about scratches.
    assert record["descriptions"] == {"en": "A longer text."}
    assert record["manufacturer"] == "Norvalis"
    assert record["gtins"] == ["2", "1", "3"]
    assert record["mpns"] == ["NVL6"]
    assert record["category_id"] == 267
    assert record["attributes"] == {"capacity": "128 GB", "colour": "black"}
    assert record["image_urls"] == ["https://a/1.jpg", "https://c/1.jpg"]
    assert record["provenance"] == {
        "titles.en": "off_a",
        "titles.fr": "off_c",
        "descriptions.en": "off_b",
        "manufacturer": "off_a",
        "gtins": "off_a",
        "mpns": "off_a",
        "category_id": "off_a",
        "attributes.capacity": "off_a",
        "attributes.colour": "off_a",
        "image_urls": "off_a",
    }


def test_the_order_of_offers_plays_no_part() -> None:
    record = golden_record(MEMBERS)
    for seed in range(10):
        shuffled = MEMBERS[:]
        random.Random(seed).shuffle(shuffled)
        assert golden_record(shuffled) == record


def test_an_offer_that_says_nothing_makes_a_record() -> None:
    record = golden_record([_member("off_x", "Thing", None)])
    assert record["titles"] == {"und": "Thing"}
    assert record["category_id"] is record["manufacturer"] is None
    assert record["variant_groups"] == []


def _groups(title: str, maker: str = "Norvalis", **attributes: str) -> list[str]:
    record = golden_record([_member("off_x", title, manufacturer=maker, attributes=attributes)])
    found: list[str] = record["variant_groups"]
    return found


def test_variants_share_a_group() -> None:
    black = _groups("Norvalis Lumen 6 128 GB black", colour="black", capacity="128 GB")
    white = _groups("Norvalis Lumen 6 256 GB white", colour="white", capacity="256 GB")
    assert black == white
    assert len(black) == 1
    assert black != _groups("Norvalis Lumen 7 128 GB black", colour="black", capacity="128 GB")
    assert _groups("Norvalis Lumen 6") == []
    tall = _groups("Hydranor WX 800 white", colour="white")
    assert tall != _groups("Hydranor WX 900 white", colour="white")


def test_words_in_another_order_make_the_same_group() -> None:
    small = _groups("Nuit de Cèdre Verlanne, Eau de Parfum 30 ml", "Verlanne", content="30 ml")
    large = _groups("Eau de Parfum Verlanne Nuit de Cèdre 100ml", "VERLANNE", content="100 ml")
    assert small == large != []
    shoes = [_groups(f"Stridenko Court {size}", "Stridenko", size=size) for size in ("41", "42")]
    assert shoes[0] == shoes[1] != []


def test_each_merchants_own_group_is_kept() -> None:
    """Merchants sell different sizes: together they name all of them."""
    small = golden_record(
        [_member("off_1", "Any 1", group="g1"), _member("off_2", "A", group="g2")]
    )
    stated = golden_record([_member("off_2", "Other 3", group="g2")])["variant_groups"]
    assert len(small["variant_groups"]) == 2
    assert set(stated) < set(small["variant_groups"])


@pytest.mark.parametrize(
    ("title", "name"),
    [
        (
            "Écran Visorel MV27 - 27 pouces - Blanc - NOUVEAU",
            "Écran Visorel MV27 - 27 pouces - Blanc",
        ),
        ('VISOREL OLED S8 TV 65" 120Hz EEK F NEU OVP', 'VISOREL OLED S8 TV 65" 120Hz EEK F'),
        ("Hydranor DV14 silber *TOP*", "Hydranor DV14 silber"),
        ("*TOP* Kamera Xy 5", "Kamera Xy 5"),
        ("!!! SALE !!! Kamera Xy", "Kamera Xy"),
        ("Sony WH-1000XM5 | Neu | OVP", "Sony WH-1000XM5"),
        ("SHIRT BLAU - NEU", "SHIRT BLAU"),
        ("Bouilloire Brumelle 0,8 L - Vert - Livraison rapide", "Bouilloire Brumelle 0,8 L - Vert"),
        ("Baskets Court 88 - cuir - Noir | Garantie 2 ans", "Baskets Court 88 - cuir - Noir"),
        ("Montre Pulse 2 - Doré - Reconditionné", "Montre Pulse 2 - Doré"),
        ("Pulse 2 de Horlivane, montre dorée, reconditionné", "Pulse 2 de Horlivane, montre dorée"),
        ("Apple AirPods 2 - White (Renewed)", "Apple AirPods 2 - White"),
        ("Lumen 6 64 Go (Reconditionné - Très bon état)", "Lumen 6 64 Go"),
        ("Werk 16 Notebook grau generalüberholt", "Werk 16 Notebook grau"),
        ("Refurbished Lumen 6 64 GB", "Lumen 6 64 GB"),
        ("[NEU] Hydranor DV14 silber", "Hydranor DV14 silber"),
        ("Lumen 6 64 GB - sehr guter Zustand", "Lumen 6 64 GB"),
        ("Lampe Bulle - Bleu | Versand kostenlos", "Lampe Bulle - Bleu"),
        ("Lampe Bulle - Bleu - Auf Lager! | Lieferzeit 1-2 Tage", "Lampe Bulle - Bleu"),
        ("Canon RF 50mm F1.2 L USM | 2 Years Warranty", "Canon RF 50mm F1.2 L USM"),
        ("Lumen 6 64 GB - reacondicionado | Garantía 2 años", "Lumen 6 64 GB"),
        ("Bolso Sacquoia azul - Envío gratis 24h", "Bolso Sacquoia azul"),
        ("Lumen 6 64 GB ricondizionato, ottimo stato", "Lumen 6 64 GB"),
        ("Borsa Sacquoia blu | Spedizione gratuita - Garanzia 24 mesi", "Borsa Sacquoia blu"),
        ("Livre Nuit de Cèdre d'occasion - comme neuf", "Livre Nuit de Cèdre"),
        ("Chargeur rapide Voltane - Rapide", "Chargeur rapide Voltane - Rapide"),
        *(
            (name, name)
            for name in (
                *("LADIES TANK TOP", "Ladies Tank Top", "New Balance 574", "Nordic Top - Blau"),
                *("iPhone 12 - 64 GB", "A * B", "Oh! Ein Spiel", "NEU", "Neu - OVP", "Sac NEW"),
                *("*TOP* Kettle", "Adobe Promotion Kit", "Mamma Mia!", "Card for any occasion"),
                *("Norton 360 - 2 years", "Machine Nespresso - Express", "Shampoo - Condition"),
                *("Extension de garantie Darty - Garantie 2 ans", "Vitrine à livraison express"),
                *("Lumen 6 - 64 GB, 2 Jahre", "Tapis État des lieux", "Kettle, grade 304"),
            )
        ),
    ],
)
def test_a_title_names_and_does_not_sell(title: str, name: str) -> None:
    assert without_sales_talk(title) == name


@pytest.mark.parametrize(
    ("noisy", "plain"),
    [
        (
            "HYDRANOR WX80 WaMa 8kg EEK A NEU OVP",
            "Hydranor WX80 Waschmaschine 8 kg Energieklasse A",
        ),
        ("Kestrane H2 Kopfhörer grau - sofort lieferbar", "Kestrane H2 Kopfhörer grau"),
        ("Casque Kestrane H2 *PROMO*", "Casque Kestrane H2 gris"),
    ],
)
def test_sales_talk_does_not_make_the_title(noisy: str, plain: str) -> None:
    assert sales_talk(noisy) > sales_talk(plain) == 0
