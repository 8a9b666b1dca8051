"""What parts two things of a trade: lenses, SIM cards, place settings; what only sounds so."""

from __future__ import annotations

import pytest

from mdm.match.vetoes import veto
from mdm.normalise.attributes import attributes
from mdm.normalise.trade_attributes import TRADE_KEYS
from tests.mdm.offers_at_hand import title_features


@pytest.mark.parametrize(
    ("title", "read"),
    [
        ("Optaria D80 camera with 18-55mm lens", {"lens_range": "18-55 mm"}),
        ("Optaria D80 + 18–55 mm & 55-200 mm", {"lens_range": "18-55 mm/55-200 mm"}),
        ("Optaria zoom lens 24 - 70 mm", {"lens_range": "24-70 mm"}),
        ("Optaria 24 mm - 70 mm", {"lens_range": "24-70 mm"}),
        # The size of a watch behind its name, and of what holds something.
        ("Montre Horlivane Pulse 2 - 45 mm - Or", {}),
        ("Horlivane Marin 38 - 38mm", {}),
        ("Handlebar base 28 - 38mm", {}),
        # Feeds lose dashes and umlauts.
        ("optaria d80 dslr 18 55mm vr", {"lens_range": "18-55 mm"}),
        ("optaria d80 dslr 18 55 and 70 300 vr", {"lens_range": "18-55 mm/70-300 mm"}),
        ("optaria d80 slr geh use", {"lens_range": "body only"}),
        ("optaria d80 camera body black", {"lens_range": "body only"}),
        ("Torvald fridge 55 200 full body", {}),
        ("Rollwerk Kontakt 6 205/55 R16 91 V", {"tyre_index": "91V"}),
        ("Rollwerk Turan 225/50R17 98Y XL", {"tyre_index": "98Y"}),
        ("Rollwerk Van 195/75 R16C 107/105R", {"tyre_index": "107R"}),
        ("Torvald saw 91 V", {}),
        ("Bohrwick AB18-60 18V Body Only", {"batteries_included": "no", "lens_range": "body only"}),
        ("Bohrwick AB18-60 inkl. 2,0 Ah Akku", {"batteries_included": "yes"}),
        ("Appareil Optaria D80 boîtier nu", {"lens_range": "body only"}),
        ("Optaria D80 nur Gehäuse", {"lens_range": "body only"}),
        ("Body lotion 18-55 years", {}),
        ("Orbo Fonix 8 Dual-SIM", {"sim_cards": "2"}),
        ("Orbo Fonix 8 double SIM", {"sim_cards": "2"}),
        ("Orbo Fonix 8 single sim", {"sim_cards": "1"}),
        ("Orbo Fonix 8 single sim / dual sim", {}),
        ("Orbo Fonix 8 SIM free", {}),
        ("Dishwasher 13 place settings", {"place_settings": "13"}),
        ("Lave-vaisselle 12 couverts", {"place_settings": "12"}),
        ("Geschirrspüler 14 Maßgedecke", {"place_settings": "14"}),
        ("Canapé 2 places", {}),
        ("Ménagère 24 couverts", {}),
        ("Bohrwick AB18-60 18V Solo", {"batteries_included": "no"}),
        ("Bohrwick AB18-60 perceuse sans batterie", {"batteries_included": "no"}),
        ("Bohrwick AB18-60 Akkuschrauber 2x 4,0 Ah", {"batteries_included": "yes"}),
        ("Perceuse Bohrwick AB18-60 18V, 2 batteries", {"batteries_included": "yes"}),
        ("Bohrwick AB18-60 ohne Akku, passt zu 2 x 4,0 Ah", {}),
        ("Sonora Solo 3 headphones", {}),
        ("Powerbank 20000 mAh", {}),
        ("Lumea Nuit Eau de Toilette 50 ml", {"scent": "eau de toilette"}),
        ("LUMEA NUIT EDP SPRAY 50ML", {"scent": "eau de parfum"}),
        ("Lumea Nuit E.d.T. 50 ml", {"scent": "eau de toilette"}),
        ("Lumea Nuit extrait de parfum", {"scent": "extrait de parfum"}),
        ("Lumea Nuit parfum", {}),
        ("Lumea Nuit set: eau de parfum 50 ml, eau de toilette 10 ml", {}),
        ("Torvald edt5000 grinder", {}),
    ],
)
def test_what_a_title_says(title: str, read: dict[str, str]) -> None:
    found = attributes((), title, None)
    kept = {key: found[key] for key in TRADE_KEYS if key in found}
    assert kept == read


@pytest.mark.parametrize(
    ("name", "value", "key", "read"),
    [
        ("place_settings", "13 place settings", "place_settings", "13"),
        ("Couverts", "13", "place_settings", "13"),
        ("sim_cards", "Dual SIM", "sim_cards", "2"),
        ("sim_cards", "1", "sim_cards", "1"),
        ("lens_range", "18-55", "lens_range", None),
        ("sim_cards", "eSIM", "sim_cards", None),
        ("batteries_included", "oui", "batteries_included", "yes"),
        ("batteries_included", "sans batterie", "batteries_included", "no"),
        ("batteries_included", "3", "batteries_included", None),
    ],
)
def test_what_a_merchant_states(name: str, value: str, key: str, read: str | None) -> None:
    assert attributes(((name, value),), "Norvalis", None).get(key) == read


@pytest.mark.parametrize(
    ("title", "other", "reason"),
    [
        ("Optaria D80 18-55mm", "Optaria D80 18-105mm", "lens range 18-55 mm and 18-105 mm"),
        ("Rollwerk 205/55 R16 91H", "Rollwerk 205/55R16 91 V", "tyre index 91H and 91V"),
        ("Optaria D80 body only", "Optaria D80 18-105mm", "lens range body only and 18-105 mm"),
        ("Optaria D80 18-55mm", "Optaria D80 with 18-55 mm lens", None),
        ("Optaria D80", "Optaria D80 with 18-55 mm lens", None),
        ("Fonix 8 dual sim", "Fonix 8 single sim", "sim cards 2 and 1"),
        ("Fonix 8 dual sim", "Fonix 8", None),
        ("Dishwasher 12 place", "Dishwasher 13 place", "place settings 12 and 13"),
        ("Dishwasher 12 place", "Dishwasher", None),
    ],
)
def test_what_parts_two_offers(title: str, other: str, reason: str | None) -> None:
    one, two = (title_features(each) for each in (title, other))
    assert veto(one, two) == reason
