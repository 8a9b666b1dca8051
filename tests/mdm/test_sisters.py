"""Sisters under one name are put before a person, however alike their titles are."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kernel.embedding.encoder import load_encoder
from mdm.evaluation.run import understand
from mdm.match.model_codes import without_its_letters
from mdm.match.rarity import Rarity
from mdm.match.score import title_evidence
from mdm.match.shared_codes import shared_codes
from mdm.match.vetoes import doubt
from mdm.raw_offer import RawOffer
from tests.mdm.offers_at_hand import title_features

RARE = Rarity(1_000, lambda _: 1)


@pytest.mark.parametrize(
    ("title", "other", "says"),
    [
        ("Orbo Airbook 13 M2 silver", "Orbo Airbook 13 M3 silver", "m2 m3"),
        ("Denimo Jeans W32 L32", "Denimo Jeans W32 L34", "l32 l34"),
        ("Velora Hybrid 2022 frame 18", "Velora Hybrid frame 18 2023 model", "2022 2023"),
        ("Velora Hybrid 625 frame 18", "Velora Hybrid 625 frame 20", "18 20"),
        ("Canino Medium Adult 15 kg", "Canino Maxi Adult 15 kg", "maxi medium"),
        ("Inkjoy HP305XL black", "Inkjoy HP305XL yellow", "black yellow"),
        ("Velora PRX quartz 40 blue", "Velora PRX Automatik 40 blau", "automatic quartz"),
        ("Polaris down jacket M", "Polaris jacket L with down", "l m"),
    ],
)
def test_what_stands_in_the_place_of_something_else(title: str, other: str, says: str) -> None:
    one, two = title_features(title), title_features(other)
    told = doubt(one, two)
    assert told is not None
    assert " ".join(sorted(told.split()[2::5])) == says
    assert doubt(two, one) is not None


@pytest.mark.parametrize(
    ("title", "other"),
    [
        ("Orbo Airbook 13 M2 silver", "Orbo Airbook silver 13 M2"),
        ("Norvalis lavender soap", "Norvalis Lavendel soap"),
        ("Norvalis card 64GB blue", "Norvalis card 64Go blue"),
        # Where a long code is shared, other numbers are those of a data sheet.
        ("Torvald KD65XE9305 65 inch 2018", "Torvald KD65XE9305 165 cm 2017 model"),
        ("Norvalis KX214QTZ kettle", "Norvalis KX214QTZ boiler"),
        # How wide it is, and its colour.
        ("Torvald CFG1582B fridge 54cm", "Torvald CFG1582B fridge black"),
        # A socket beside a number of cores is no other model.
        ("Intelo 7500 processor l3 black", "Intelo 7500 processor 24 threads black"),
    ],
)
def test_what_is_no_sign_of_a_sister(title: str, other: str) -> None:
    assert doubt(title_features(title), title_features(other)) is None


@pytest.mark.parametrize(
    ("title", "other", "shared"),
    [
        ("Orbo Fonix 14 128GB", "Orbo Fonix 14 Pro Max 128GB", set()),
        ("Canino Adult 15 kg", "Canino Puppy 15 kg", set()),
        ("Sonora WH-1000XM4", "Sonora WF-1000XM4", set()),
        ("Torvald KD 65XE9305", "Torvald KD-65XE9305", {"kd65xe9305", "65xe9305"}),
        ("Torvald KD 65XE9305", "KD 65XE9305 by Torvald", {"kd65xe9305", "65xe9305"}),
        ("Orbo Fonix14 black", "Orbo Fonix 14 black", {"fonix14"}),
    ],
)
def test_codes_that_two_titles_share(title: str, other: str, shared: set[str]) -> None:
    one, two = title_features(title), title_features(other)
    assert shared_codes(one, two) == shared_codes(two, one) == shared


def test_letters_before_a_number_are_not_left_out_where_the_other_has_some_of_its_own() -> None:
    one, other = (
        title_features("Sonora WH-1000XM4 black"),
        title_features("Sonora WF-1000XM4 black"),
    )
    assert without_its_letters(one, other) is None
    assert doubt(one, other) == "model codes agree in parts only"


@pytest.mark.parametrize(
    ("title", "other"),
    [
        ("Orbo Fonix 14 128GB black", "Orbo Fonix 14 Plus 128GB black"),
        ("Orbo Fonix 14 Pro 128GB black", "Orbo Fonix 14 Pro Max 128GB black"),
        ("Sonora 970 Evo 1TB", "Sonora 970 Evo Plus 1TB"),
    ],
)
def test_a_longer_name_of_a_rare_line_is_another_model(title: str, other: str) -> None:
    """In a catalogue where nobody else has it, its name is no code that both share."""
    one, two = title_features(title), title_features(other)
    assert "other_short_name" in [code for code, *_ in title_evidence(one, two, RARE)]
    assert "other_short_name" in [code for code, *_ in title_evidence(two, one, RARE)]


SISTERS = (
    ("Orbo Fonix 14 128GB midnight", "Orbo Fonix 14 Plus 128GB midnight"),
    ("Orbo Fonix 14 Pro 128GB black", "Orbo Fonix 14 Pro Max 128GB black"),
    ("Orbo Airbook 13 M2 8GB 256GB space grey", "Orbo Airbook 13 M3 8GB 256GB space grey"),
    ("Sonora 970 Evo 1TB NVMe", "Sonora 970 Evo Plus 1TB NVMe"),
    ("Sonora WH-1000XM4 black", "Sonora WF-1000XM4 black"),
    ("Inkjoy 305XL cartridge black", "Inkjoy 305XL cartridge yellow"),
    ("Pegaso Air 39 Damen Laufschuh schwarz", "Pegaso Air 39 Herren Laufschuh schwarz"),
    ("Denimo 501 Jeans W32 L32 blue", "Denimo 501 Jeans W32 L34 blue"),
    ("Canino Medium Adult 15 kg", "Canino Maxi Adult 15 kg"),
    (
        "Velora Reaction Hybrid Pro 625 2023 frame 18",
        "Velora Reaction Hybrid Pro 625 2023 frame 20",
    ),
    ("Velora Reaction Hybrid Pro 625 2023", "Velora Reaction Hybrid Pro 625 2022"),
    ("Matelo One mattress 90x200 cm", "Matelo One mattress 140x200 cm"),
    ("Sauvo eau de toilette 100 ml", "Sauvo eau de toilette 60 ml"),
    ("Bohrwick GSR 18V-55 cordless drill solo", "Bohrwick GSR 18V-55 cordless drill 2x 4,0 Ah"),
    ("Spielo Kart 8 PS5", "Spielo Kart 8 PS4"),
    ("Lumora LED E14 4 W 2700K", "Lumora LED E14 6 W 2700K"),
    ("Vigneron Grand Cru 2015 75 cl", "Vigneron Grand Cru 2016 75 cl"),
)


def _merged(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Pairs that the whole matcher merges with nobody looking, all of them offered at once."""
    offers = [
        RawOffer(f"{place}-{side}", title, None)
        for place, pair in enumerate(pairs)
        for side, title in enumerate(pair)
    ]
    decision = understand(offers, load_encoder()).matching.decision()
    groups = [{each.offer_id for each in group.members} for group in decision.groups]
    return [
        pair
        for place, pair in enumerate(pairs)
        if any({f"{place}-0", f"{place}-1"} <= group for group in groups)
    ]


def test_sisters_that_nobody_else_has_are_not_merged_with_nobody_looking() -> None:
    """The whole matcher, in a catalogue where each line is rare: two shops sell a sister each."""
    assert _merged(SISTERS) == []


def test_two_wordings_of_one_rare_thing_still_meet() -> None:
    """Without this the test above would hold of a matcher that merges nothing."""
    pairs = (
        ("Sonora WH-1000XM4 black", "Sonora WH1000XM4 headphones black"),
        ("Torvald KD-65XE9305 65 inch television", "Torvald KD65XE9305 LED TV 65 inch"),
        ("Norvalis KX214QTZ kettle 1.7 l", "Kettle Norvalis KX214QTZ 1.7 l steel"),
        ("Inkjoy HP305XL ink cartridge black", "Inkjoy HP305XL cartridge ink black"),
    )
    assert _merged(pairs) == list(pairs)
