"""Titles that name accessories, and the things they must not be taken for."""

from __future__ import annotations

import pytest

from indexer.accessories import named, of_title, of_titles


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("Kensington MicroSaver Laptop Lock", "en"),
        ('Targus 15.6" Laptop Sleeve Black', "en"),
        ("Philips Car Charger for iPod", "en"),
        ("Coque Ombrelyn pour Norvalis Lumen 6", "fr"),
        ("Housse ordinateur portable 14 pouces", "fr"),
        ("Handyhülle Silikon schwarz", "de"),
        ("Nordlys 42U Rack Enclosure", "en"),
        ("Nordlys rack mount kit", "en"),
        ("Laptop-Tasche 15 Zoll", "de"),
        ("Set Notebook + Rucksack", "de"),
        ("Kaffeebohnen 250 g 6er-Pack", "de"),
    ],
)
def test_accessories_are_told(title: str, language: str) -> None:
    assert of_title(title, language)


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("Lenovo ThinkPad X1 notebook 35.6 cm", "en"),
        ("Cordless drill 18 V 2 batteries", "en"),
        ("Earbuds with charging case", "en"),
        ("Aspirateur robot avec station et filtre", "fr"),
        ("Clé USB Stivora Duo C USB-A + USB-C", "fr"),
        ("Akku-Staubsauger 450 W", "de"),
        ("Nordlys Smart-UPS uninterruptible power supply (UPS) 480 W", "en"),
        ("MiniVac handheld vacuum cleaner", "en"),
        ("Nordlys PE440 server 2.2 GHz Rack (1U) 550 W", "en"),
        ("Nordlys 3000VA Tower/Rack UPS", "en"),
        ("Nordlys 24-port Rack Mountable Switch", "en"),
        ("Kühlschrank 250 l", "de"),
        ("Kopfhörer mit Kabel", "de"),
        ("Kopfhörer ohne Kabel", "de"),
        ("Aspirateur balai sans sac", "fr"),
    ],
)
def test_things_themselves_are_not(title: str, language: str) -> None:
    assert of_title(title, language) == 0


@pytest.mark.parametrize(
    ("question", "title", "language"),
    [
        ("laptop bag", "Targus Laptop Bag", "en"),
        ("coques", "Coque Ombrelyn pour Lumen 6", "fr"),
        ("handyhüllen", "Handyhülle Silikon", "de"),
        ("handy hülle", "Klapphülle Leder", "de"),
    ],
)
def test_who_asks_for_one_names_its_kind(question: str, title: str, language: str) -> None:
    assert of_title(title, language) & ~named(question, language) == 0


def test_the_thing_alone_names_none() -> None:
    assert named("laptop", "en") == 0
    assert named("vacuum cleaner", "en") == 0
    assert of_title("Vacuum cleaner bags", "en") == of_title("Bag", "en")
    assert of_titles({"en": "Laptop bag", "und": "Laptop"}) == of_title("Laptop bag", "en")
    assert of_titles({}) == 0
